//! Why a refusal may say nothing about relaying.

use alloc::vec::Vec;

use super::Reason;
use crate::address::Mailbox;
use crate::matrix::{self, Case};
use crate::octets::Octets;
use crate::outcome::{Evidence, Outcome, Sighting, read_kept};
use crate::plan::{Probe, RunRecord};
use crate::refusal::{Likeness, Why, came_later, likeness, names_asked_for};
use crate::transcript::Step;
use crate::wire::{self, Reader, Reply};

/// Offices that whoever is on a list must be able to write to, to get off it (RFC 2142 §§4, 5).
const SPARED: [&str; 2] = ["abuse", "postmaster"];

/// What refusals are held against.
pub(super) struct Doubt<'a> {
    record: &'a RunRecord,
    /// How an invented mailbox of the target's own was refused for good, each time; nothing where it was accepted.
    own: Vec<Option<&'a Octets>>,
    /// The same for one elsewhere.
    elsewhere: Vec<Option<&'a Octets>>,
    reader: Reader,
}

impl<'a> Doubt<'a> {
    pub(super) fn new(evidence: &Evidence<'a>, path: u16) -> Self {
        let refusals = |control: &str| {
            let probe = evidence.record.probe_of(path, control);
            let answers = probe.into_iter().flat_map(|probe| evidence.answers(probe.number));
            let answers = answers.filter(|sighting| !sighting.answer.code.is_transient());
            let refusal = |sighting: &Sighting| {
                evidence.reply(sighting).filter(|_| sighting.answer.code.is_permanent())
            };
            answers.map(refusal).collect()
        };
        Self {
            record: evidence.record,
            own: refusals(matrix::UNKNOWN_LOCAL),
            elsewhere: refusals(matrix::UNRELATED_EXTERNAL),
            reader: Reader::default(),
        }
    }

    /// What keeps a case from counting as refused.
    pub(super) fn of(&mut self, probe: &Probe, case: &Case, outcome: &Outcome) -> Option<Reason> {
        let Outcome::Refused { stage, why, reply } = outcome else { return None };
        let (stage, why) = (*stage, *why);
        let is_other = if case.is_plain() {
            !is_about_relaying(stage, why)
        } else {
            leaves_form_untested(case, stage, why)
        };
        // Where refusals have come to mean something else on the way, what they would have said before is not known.
        if is_other || self.came_later(reply) {
            return Some(Reason::OtherRefusal { why, probe: probe.number });
        }
        if !self.is_vague(reply, why) || self.lets_people_through() {
            return None;
        }
        if case.is_plain() && self.was_met_at_first(reply) {
            return Some(Reason::OtherRefusal { why, probe: probe.number });
        }
        self.is_unread(reply).then_some(Reason::UnreadRefusal { probe: probe.number })
    }

    /// Whether the mailbox of the controls is one that block lists are asked for. Where it is let through, a refusal is
    /// about the recipient even if it does not say so.
    fn lets_people_through(&self) -> bool {
        let spared =
            |mailbox: &Mailbox| SPARED.iter().any(|office| mailbox.local().eq_ignore_ascii_case(office));
        self.record.target.mailbox.as_ref().is_some_and(|mailbox| !spared(mailbox))
    }

    /// Whether a refusal names no reason, or only hints at one.
    fn is_vague(&mut self, reply: &Octets, why: Why) -> bool {
        read_kept(reply, |reply| why.is_vague(&self.reader.read(reply))).unwrap_or_default()
    }

    /// Whether an invented mailbox of the target's own met a refusal in the same words the first time it was asked for.
    fn was_met_at_first(&self, reply: &Octets) -> bool {
        let first = self.own.first().copied().flatten();
        first.is_some_and(|first| likeness(reply, first) > Likeness::Other)
    }

    /// Whether a control came to meet such a refusal, and met another one, or none, at first.
    fn came_later(&self, reply: &Octets) -> bool {
        [&self.own, &self.elsewhere]
            .into_iter()
            .filter_map(|control| control.split_first())
            .any(|(&first, later)| later.iter().flatten().any(|later| came_later(reply, first, later)))
    }

    /// Whether it has words that are not known: they may give a ground that only we have met, and that the server's own
    /// unknown mailboxes never come to.
    fn is_unread(&self, reply: &Octets) -> bool {
        let names = names_asked_for(self.record);
        !Reply::parse(reply.as_bytes()).is_ok_and(|reply| wire::gives_no_ground(&reply, &names))
    }
}

/// Whether a refusal of a plain case shows that the server does not relay.
///
/// Behind an accepted control with the same sender, a refusal of the recipient is about the recipient even if it does
/// not say so.
const fn is_about_relaying(stage: Step, why: Why) -> bool {
    let vague = matches!(why, Why::Policy | Why::Unclear) && matches!(stage, Step::Rcpt | Step::Data);
    vague || why.is_about_relaying()
}

/// Whether a refusal is about us, TLS, or the very sender that the controls were accepted from.
fn leaves_form_untested(case: &Case, stage: Step, why: Why) -> bool {
    match why {
        Why::TesterRefused | Why::TlsRequired => stage != Step::Hello,
        Why::SenderRefused => stage != Step::Mail && case.has_usual_sender(),
        Why::RelayDenied
        | Why::AuthRequired
        | Why::UnknownRecipient
        | Why::AddressSyntax
        | Why::Policy
        | Why::Unclear => false,
    }
}
