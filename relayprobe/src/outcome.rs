//! What came of each probe: a pure function of run record, transcript and receipts.

mod absent;
mod evidence;
mod proof;

pub use absent::{NotApplicable, NotTested};
use evidence::Order;
pub(crate) use evidence::{Evidence, Seen, Sighting};
pub(crate) use proof::{open_until, queue_ids, until};

use alloc::vec;
use alloc::vec::Vec;

use crate::matrix::{self, Case, Name};
use crate::moment::Date;
use crate::octets::Octets;
use crate::plan::{Probe, RunRecord};
use crate::receipt::Receipt;
use crate::refusal::{Why, cannot_find_domain, lacks_room, refuses_relaying};
use crate::transcript::{Answer, Step, Transcript};
use crate::wire::{Reader, Reply, Wording};

/// What came of one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "outcome", rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Outcome {
    /// Refused for good, or for now in words that name relaying.
    Refused {
        /// At which step.
        stage: Step,
        /// What the refusal is about.
        why: Why,
        /// The reply, as kept.
        reply: Octets,
    },
    /// Refused for now, and no retry is left; or there was no room for mail, whose code is no sign of how long.
    Deferred {
        /// At which step.
        stage: Step,
        /// The reply, as kept.
        reply: Octets,
    },
    /// The envelope was accepted. No message was sent, so nothing was proven.
    Accepted {
        /// The reply, as kept.
        reply: Octets,
    },
    /// The message was accepted, or may have been, and may still come back.
    AcceptedPending {
        /// Until when it is waited for.
        until: Date,
        /// The reply to the message, as kept; to the recipient, if the message was not answered.
        reply: Octets,
    },
    /// The message was accepted, or may have been, and did not come back in time.
    AcceptedNoReceipt {
        /// The reply, as above.
        reply: Octets,
    },
    /// A report says that it failed at the target's own side.
    AcceptedThenBounced {
        /// Indices of the receipts.
        receipts: Vec<u32>,
    },
    /// An automatic answer or a report of success says that it ended at the target's own side.
    DeliveredLocally {
        /// Indices of the receipts.
        receipts: Vec<u32>,
    },
    /// The target handed the message to our receiving server, which refused it.
    RelayAttempted {
        /// Indices of the receipts.
        receipts: Vec<u32>,
    },
    /// Only a report says that the target handed the message on. A strong hint, no proof.
    RelayReported {
        /// Indices of the receipts.
        receipts: Vec<u32>,
    },
    /// The message came to our receiving server.
    Relayed {
        /// Indices of the receipts.
        receipts: Vec<u32>,
    },
    /// The case makes no sense here.
    NotApplicable {
        /// Why not.
        #[cfg_attr(feature = "serde", serde(flatten))]
        reason: NotApplicable,
    },
    /// It should have been tested and was not, or its answer does not count.
    NotTested {
        /// Why not.
        reason: NotTested,
    },
}

impl Outcome {
    /// The stored word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Deferred { .. } => "deferred",
            Self::Accepted { .. } => "accepted",
            Self::AcceptedPending { .. } => "accepted-pending",
            Self::AcceptedNoReceipt { .. } => "accepted-no-receipt",
            Self::AcceptedThenBounced { .. } => "accepted-then-bounced",
            Self::DeliveredLocally { .. } => "delivered-locally",
            Self::RelayAttempted { .. } => "relay-attempted",
            Self::RelayReported { .. } => "relay-reported",
            Self::Relayed { .. } => "relayed",
            Self::NotApplicable { .. } => "not-applicable",
            Self::NotTested { .. } => "not-tested",
        }
    }

    /// Whether the server accepted the envelope, whatever came of it later.
    pub const fn is_accepted(&self) -> bool {
        match self {
            Self::Accepted { .. }
            | Self::AcceptedPending { .. }
            | Self::AcceptedNoReceipt { .. }
            | Self::AcceptedThenBounced { .. }
            | Self::DeliveredLocally { .. }
            | Self::RelayAttempted { .. }
            | Self::RelayReported { .. }
            | Self::Relayed { .. } => true,
            Self::Refused { stage, .. } => matches!(stage, Step::Message),
            Self::Deferred { stage, .. } => matches!(stage, Step::Data | Step::Message),
            Self::NotApplicable { .. } | Self::NotTested { .. } => false,
        }
    }

    /// Whether something was accepted and it is not known yet what came of it.
    pub(crate) const fn is_open_question(&self) -> bool {
        match self {
            Self::Accepted { .. } | Self::AcceptedPending { .. } | Self::RelayReported { .. } => true,
            // A content filter says nothing about relaying.
            Self::Refused { stage, why, .. } => matches!(stage, Step::Message) && !why.is_about_relaying(),
            Self::Deferred { stage, .. } => matches!(stage, Step::Data | Step::Message),
            Self::AcceptedNoReceipt { .. }
            | Self::AcceptedThenBounced { .. }
            | Self::DeliveredLocally { .. }
            | Self::RelayAttempted { .. }
            | Self::Relayed { .. }
            | Self::NotApplicable { .. }
            | Self::NotTested { .. } => false,
        }
    }

    /// Whether the message was accepted and is known, or taken, not to have been relayed.
    pub(crate) const fn is_not_relayed(&self) -> bool {
        matches!(
            self,
            Self::AcceptedNoReceipt { .. } | Self::AcceptedThenBounced { .. } | Self::DeliveredLocally { .. }
        )
    }

    /// Whether it proves that the server relays.
    pub const fn is_proof(&self) -> bool {
        matches!(self, Self::Relayed { .. } | Self::RelayAttempted { .. })
    }
}

/// The outcome of every probe, by its number, as of a date.
pub fn outcomes(
    record: &RunRecord,
    transcript: &Transcript,
    receipts: &[Receipt],
    as_of: Date,
) -> Vec<Outcome> {
    of(&Evidence::new(record, transcript), receipts, as_of)
}

pub(crate) fn of(evidence: &Evidence<'_>, receipts: &[Receipt], as_of: Date) -> Vec<Outcome> {
    let record = evidence.record;
    let mut reader = Reader::default();
    let outcome = |probe| evidence.outcome(probe, &mut reader);
    let mut outcomes: Vec<Outcome> = record.probes.iter().map(outcome).collect();
    void_senders(record, &mut outcomes);
    void_banned(record, evidence, &mut outcomes);
    proof::settle(evidence, receipts, as_of, &mut outcomes);
    outcomes
}

impl Evidence<'_> {
    fn outcome(&self, probe: &Probe, reader: &mut Reader) -> Outcome {
        match (self.answer(probe.number), self.record.case(probe)) {
            (Some(sighting), Some(case)) => self.answered(sighting, case, reader),
            (None, Some(case)) => absent::reason(self, probe, case),
            (_, None) => Outcome::NotTested { reason: NotTested::Record },
        }
    }

    fn answered(&self, sighting: &Sighting, case: &Case, reader: &mut Reader) -> Outcome {
        let reply = self.reply(sighting).cloned().unwrap_or_default();
        let Answer { code, step: stage, .. } = sighting.answer;
        if code.is_positive() {
            return Outcome::Accepted { reply };
        }
        // A reply that was cut is read as far as it was kept.
        read_kept(&reply, |parsed| refused(self.record, stage, case, &reader.read(parsed), &reply))
            .unwrap_or(Outcome::Deferred { stage, reply })
    }
}

/// What a refusal in these words is.
fn refused(record: &RunRecord, stage: Step, case: &Case, words: &Wording<'_>, reply: &Octets) -> Outcome {
    let relaying = refuses_relaying(words, record);
    let passes = words.reply.code().is_transient()
        || stage == Step::Rcpt && lacks_room(&words.reply)
        || matches!(stage, Step::Rcpt | Step::Data) && words.puts_off();
    if passes && !relaying {
        return Outcome::Deferred { stage, reply: reply.clone() };
    }
    let why = Why::read(stage, words);
    let ours =
        || matches!(case.rcpt.argument.last_name(), Some(Name::ProbeDomain | Name::LureMx | Name::LureA));
    let looked_up =
        stage == Step::Rcpt && !relaying && cannot_find_domain(words, &record.identity.probe_domain);
    if looked_up && why != Why::SenderRefused && !case.is_control() && ours() {
        return Outcome::NotTested { reason: NotTested::ProbeDomainUnknown };
    }
    Outcome::Refused { stage, why, reply: reply.clone() }
}

/// Reads a reply that may have been cut: code and text of what is left.
pub(crate) fn read_kept<T>(reply: &Octets, read: impl FnOnce(Reply<'_>) -> T) -> Option<T> {
    let octets = reply.as_bytes();
    match Reply::parse(octets) {
        Ok(reply) => Some(read(reply)),
        Err(_) => Reply::parse(&made_whole(octets)).ok().map(read),
    }
}

/// A reply again of one that was cut in a line or between two.
fn made_whole(octets: &[u8]) -> Vec<u8> {
    let whole = octets.iter().rposition(|&octet| octet == b'\n').map_or(octets.len(), |at| at + 1);
    let mut text = octets.get(..whole).unwrap_or_default().to_vec();
    let last = text.split_inclusive(|&octet| octet == b'\n').next_back().map_or(0, <[u8]>::len);
    let separator = text.len() - last + 3;
    if let Some(separator) = text.get_mut(separator) {
        *separator = b' ';
    }
    if !text.ends_with(b"\r\n") {
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// A sender that the server does not even take for its own mailbox can relay nothing, and shows nothing.
fn void_senders(record: &RunRecord, outcomes: &mut [Outcome]) {
    let mut void = vec![];
    for probe in &record.probes {
        let control = record.case(probe).is_some_and(|case| case.id == matrix::EACH_SENDER);
        let refused = outcomes.get(usize::from(probe.number)).is_some_and(|outcome| match outcome {
            Outcome::Refused { .. } => true,
            outcome => is_deferred_for_sender(outcome),
        });
        void.extend(probe.beside.filter(|_| control && refused));
    }
    for number in void {
        if let Some(outcome) = outcomes.get_mut(usize::from(number)) {
            let at_recipient = matches!(outcome, Outcome::Refused { stage: Step::Rcpt | Step::Data, .. });
            if at_recipient || is_deferred_for_sender(outcome) {
                *outcome = Outcome::NotApplicable { reason: NotApplicable::SenderNotAccepted };
            }
        }
    }
}

/// Whether a temporary refusal names the sender's address (X.1.7, X.1.8). Any other may be greylisting, which passes.
fn is_deferred_for_sender(outcome: &Outcome) -> bool {
    let Outcome::Deferred { reply, .. } = outcome else { return false };
    let code = read_kept(reply, |reply| reply.enhanced()).flatten();
    code.is_some_and(|code| code.is(1, 7) || code.is(1, 8))
}

/// While a control that had worked is refused, other refusals are about us.
fn void_banned(record: &RunRecord, evidence: &Evidence<'_>, outcomes: &mut [Outcome]) {
    for path in 0..record.paths.len() {
        let windows = bans(evidence, path);
        for probe in record.probes.iter().filter(|probe| usize::from(probe.path) == path) {
            let order = evidence.answer(probe.number).map(|sighting| sighting.order);
            let banned = order.is_some_and(|order| windows.iter().any(|window| window.holds(order)));
            let relay = record.case(probe).is_some_and(|case| !case.is_control());
            if let Some(outcome @ Outcome::Refused { .. }) = outcomes.get_mut(usize::from(probe.number))
                && banned
                && relay
            {
                *outcome = Outcome::NotTested { reason: NotTested::ControlFailed };
            }
        }
    }
}

/// The time from a good control to the next good one, with a refused one between them.
pub(crate) struct Ban {
    after: Order,
    before: Option<Order>,
    /// The control was refused as out of sequence each time (503, RFC 5321 §4.2.2): this is about the session, not us.
    pub(crate) by_sequence: bool,
}

impl Ban {
    fn between(after: Option<Order>, refused: Option<bool>, before: Option<Order>) -> Option<Self> {
        after.zip(refused).map(|(after, by_sequence)| Self { after, before, by_sequence })
    }

    fn holds(&self, order: Order) -> bool {
        order > self.after && self.before.is_none_or(|before| order < before)
    }
}

/// When a path's server refused its own mailbox for good, after it had taken mail for it.
pub(crate) fn bans(evidence: &Evidence<'_>, path: usize) -> Vec<Ban> {
    let is_control = |sighting: &&Sighting| {
        evidence.record.probe(sighting.answer.probe).is_some_and(|probe| {
            let control = evidence.record.case(probe).map(|case| &*case.id);
            usize::from(probe.path) == path && matches!(control, Some(matrix::LOCAL_ACCEPT | matrix::END))
        })
    };
    let mut bans = Vec::new();
    let mut good = None;
    // Whether each refusal since then was about the sequence.
    let mut refused: Option<bool> = None;
    for sighting in evidence.sightings.iter().filter(is_control) {
        let Answer { code, .. } = sighting.answer;
        if code.is_positive() {
            bans.extend(Ban::between(good, refused.take(), Some(sighting.order)));
            good = Some(sighting.order);
        } else if code.is_permanent() {
            refused = Some(code.number() == 503 && refused.unwrap_or(true));
        }
    }
    bans.extend(Ban::between(good, refused, None));
    bans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_was_cut_is_read_as_far_as_it_was_kept() {
        for (left, whole) in [
            ("554-5.7.1 Relay access denied\r\n554-ask the po", "554 5.7.1 Relay access denied\r\n"),
            ("554-5.7.1 Relay access denied\r\n", "554 5.7.1 Relay access denied\r\n"),
            ("554-5.7.1 Relay acc", "554 5.7.1 Relay acc\r\n"),
            ("554 5.7.1 Relay access denied\r\n", "554 5.7.1 Relay access denied\r\n"),
        ] {
            let octets = Octets::from(left.as_bytes());
            let kept = read_kept(&octets, |reply| (reply.octets().to_vec(), reply.code().number()));
            assert_eq!(kept, Some((whole.into(), 554)), "{left:?}");
        }
    }
}
