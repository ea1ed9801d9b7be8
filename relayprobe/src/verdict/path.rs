//! What one way in says.

use alloc::vec::Vec;

use super::doubt::Doubt;
use super::sink::SinkHealth;
use super::{How, NoReceipt, Reason, Verdict, effect};
use crate::link::Loss;
use crate::matrix::{self, Acceptance, Case};
use crate::moment::{Date, Moment};
use crate::outcome::{Evidence, NotApplicable, NotTested, Outcome, Seen, bans, open_until, until};
use crate::plan::{Measure, Probe};
use crate::receipt::Receipt;
use crate::refusal::Why;
use crate::target::Path;
use crate::transcript::{Class, Step, What};
use crate::wire::ReplyFault;

/// What was found over one path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PathVerdict {
    /// Index of the path in the run record.
    pub path: u16,
    /// The path.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub way: Path,
    /// What was found; absent if the path makes no sense here, or only leads to TLS.
    pub verdict: Option<Verdict>,
    /// Why it is not a better one.
    pub reasons: Vec<Reason>,
}

/// Where a path stands.
pub(super) enum Standing {
    /// It makes no sense here: closed port, no STARTTLS.
    Skipped,
    /// Its server wants TLS before anything else.
    WantsTls,
    Judged {
        verdict: Verdict,
        how: Option<How>,
        reasons: Vec<Reason>,
    },
}

impl PathVerdict {
    pub(super) fn new(at: usize, way: Path, standing: &Standing) -> Self {
        let (verdict, reasons) = match standing {
            Standing::Skipped | Standing::WantsTls => (None, Vec::new()),
            Standing::Judged { verdict, reasons, .. } => (Some(*verdict), reasons.clone()),
        };
        Self { path: u16::try_from(at).unwrap_or(u16::MAX), way, verdict, reasons }
    }
}

impl Standing {
    const fn plain(verdict: Verdict) -> Self {
        Self::Judged { verdict, how: None, reasons: Vec::new() }
    }

    fn undetermined(reason: Reason) -> Self {
        Self::Judged { verdict: Verdict::Undetermined, how: None, reasons: [reason].into() }
    }

    const fn unreachable(how: How) -> Self {
        Self::Judged { verdict: Verdict::Unreachable, how: Some(how), reasons: Vec::new() }
    }
}

/// The probes of one path with their cases and outcomes.
struct View<'a> {
    evidence: &'a Evidence<'a>,
    receipts: &'a [Receipt],
    sink: &'a SinkHealth,
    as_of: Date,
    rows: Vec<(&'a Probe, &'a Case, &'a Outcome)>,
    path: usize,
}

pub(super) fn stand(
    evidence: &Evidence<'_>,
    outcomes: &[Outcome],
    receipts: &[Receipt],
    sink: &SinkHealth,
    as_of: Date,
    path: usize,
) -> Standing {
    let rows =
        evidence.record.probes.iter().zip(outcomes).filter(|(probe, _)| usize::from(probe.path) == path);
    let rows =
        rows.filter_map(|(probe, outcome)| Some((probe, evidence.record.case(probe)?, outcome))).collect();
    let view = View { evidence, receipts, sink, as_of, rows, path };
    if view.is_proven() {
        return Standing::plain(Verdict::OpenRelay);
    }
    if view.is_suspected() {
        return Standing::Judged { verdict: Verdict::Suspected, how: None, reasons: view.open_questions() };
    }
    if view.is_skipped() {
        return Standing::Skipped;
    }
    if view.wants_tls() {
        return Standing::WantsTls;
    }
    view.not_met().unwrap_or_else(|| view.judged())
}

impl<'a> View<'a> {
    fn relay(&self) -> impl Iterator<Item = &(&'a Probe, &'a Case, &'a Outcome)> {
        self.rows.iter().filter(|(_, case, _)| !case.is_control())
    }

    fn control(&self, id: &str) -> Option<&'a Outcome> {
        self.rows.iter().find(|(_, case, _)| case.id == id).map(|&(.., outcome)| outcome)
    }

    fn is_proven(&self) -> bool {
        self.relay().any(|(.., outcome)| outcome.is_proof())
    }

    fn is_suspected(&self) -> bool {
        self.telling().any(|(.., outcome)| outcome.is_open_question())
            || (self.is_swallower() && !self.sink_is_proven())
    }

    /// The acceptance of an uninformative case is no suspicion, but a report that it was relayed is.
    fn telling(&self) -> impl Iterator<Item = &(&'a Probe, &'a Case, &'a Outcome)> {
        self.relay().filter(|(_, case, outcome)| {
            case.acceptance == Acceptance::Telling || matches!(outcome, Outcome::RelayReported { .. })
        })
    }

    /// What keeps a suspicion from being settled, where messages were meant to settle it.
    fn open_questions(&self) -> Vec<Reason> {
        if self.evidence.record.prove.is_none() {
            return Vec::new();
        }
        let numbers = |wanted: &dyn Fn(u16, &Outcome) -> bool| -> Vec<u16> {
            let found = self.telling().filter(|(probe, _, outcome)| wanted(probe.number, outcome));
            found.map(|(probe, ..)| probe.number).collect()
        };
        let mut reasons = Vec::new();
        let pending = numbers(&|probe, outcome| {
            open_until(self.evidence, self.receipts, probe, outcome, self.as_of).is_some()
        });
        let unproven = numbers(&|_, outcome| {
            let has_no_message =
                !matches!(outcome, Outcome::AcceptedPending { .. } | Outcome::RelayReported { .. });
            outcome.is_open_question() && has_no_message
        });
        let is_over = pending.is_empty();
        if !is_over {
            reasons.push(Reason::Pending { probes: pending });
        }
        if !unproven.is_empty() {
            reasons.push(Reason::Unproven { probes: unproven });
        }
        if is_over && self.is_swallower() && !self.sink_is_proven() {
            reasons.push(Reason::SinkUnproven);
        }
        reasons
    }

    /// Whether a message of a telling case was accepted and nothing says that it was relayed.
    fn is_swallower(&self) -> bool {
        self.telling().any(|(.., outcome)| outcome.is_not_relayed())
    }

    fn sink_is_proven(&self) -> bool {
        let record = self.evidence.record;
        let here = |number: u16| self.rows.iter().any(|(probe, ..)| probe.number == number);
        let sent = || self.evidence.messages.iter().filter(|&&(of, _)| here(of));
        let first = sent().map(|&(_, at)| at).min();
        let last = sent().map(|&(of, at)| until(record, self.receipts, of, at)).max();
        first.zip(last).is_some_and(|(first, last)| self.sink.covers(record.date_at(first), last))
    }

    /// A measure under which a message that does not arrive means nothing.
    fn hidden_way_out(&self) -> Option<Reason> {
        let record = self.evidence.record;
        let hides =
            |&&measure: &&Measure| effect(Some(measure), record.vantage).no_receipt == NoReceipt::Nothing;
        record.measures.iter().find(hides).map(|&measure| Reason::MeasureInForce { measure })
    }

    fn is_skipped(&self) -> bool {
        let skips = |outcome: &Outcome| {
            matches!(
                outcome,
                Outcome::NotApplicable {
                    reason: NotApplicable::NoStartTls
                        | NotApplicable::TlsNotAsked
                        | NotApplicable::PortClosed
                }
            )
        };
        self.relay().any(|(.., outcome)| skips(outcome))
    }

    /// Whether every plain case was refused because TLS must come first.
    fn wants_tls(&self) -> bool {
        let mut plain =
            self.relay().filter(|(_, case, outcome)| case.is_plain() && !is_absent(outcome)).peekable();
        plain.peek().is_some() && plain.all(|(.., outcome)| refused_for(outcome) == Some(Why::TlsRequired))
    }

    /// What stands if no envelope was ever asked: the first connection tells.
    fn not_met(&self) -> Option<Standing> {
        let asked = |seen: &Seen<'_>| seen.ledger.turns().iter().any(|turn| turn.asked.step == Step::Mail);
        if self.connections().any(asked) {
            return None;
        }
        // The last connection counts: an earlier one may have met a busy server.
        let Some(last @ Seen { connection, ledger, .. }) = self.connections().next_back() else {
            return Some(self.never_tried());
        };
        if connection.began_tls() && !connection.is_secured() {
            return Some(Standing::undetermined(self.not_tested(NotTested::TlsFailed)));
        }
        let refusal =
            ledger.turns().iter().find(|turn| matches!(turn.class, Class::Refused | Class::Closing));
        Some(match (ledger.turns().first(), refusal) {
            (None, _) => first_words(last),
            (Some(_), Some(turn)) if !turn.code.is_permanent() => Standing::undetermined(Reason::Busy),
            (Some(_), Some(turn)) if turn.asked.step == Step::StartTls => {
                Standing::undetermined(self.not_tested(NotTested::TlsFailed))
            }
            (Some(_), Some(_)) => Standing::plain(Verdict::TesterBlocked),
            (Some(_), None) if ledger.astray().is_some() => Standing::undetermined(Reason::OutOfStep),
            (Some(_), None) => Standing::undetermined(Reason::CutOff),
        })
    }

    fn connections(&self) -> impl DoubleEndedIterator<Item = &Seen<'_>> {
        self.evidence.connections(u16::try_from(self.path).unwrap_or(u16::MAX))
    }

    fn never_tried(&self) -> Standing {
        let reason = self.relay().find_map(|(.., outcome)| match outcome {
            Outcome::NotTested { reason } => Some(*reason),
            _ => None,
        });
        Standing::undetermined(self.not_tested(reason.unwrap_or(NotTested::Stopped)))
    }

    fn not_tested(&self, why: NotTested) -> Reason {
        let probes = self
            .relay()
            .filter(|(.., o)| matches!(o, Outcome::NotTested { .. }))
            .map(|(p, ..)| p.number)
            .collect();
        Reason::NotTested { why, probes }
    }

    /// What stands once envelopes were asked and nothing telling was accepted.
    fn judged(&self) -> Standing {
        if self.is_blocked() {
            return Standing::plain(Verdict::TesterBlocked);
        }
        let mut reasons = self.untested();
        reasons.extend(self.control_faults());
        reasons.extend(self.doubts());
        let swallows = self.is_swallower();
        if swallows {
            // That it accepts everything is what it is found to do.
            reasons.retain(|reason| *reason != Reason::AcceptsEverything);
            reasons.extend(self.hidden_way_out());
        }
        let verdict = match (reasons.is_empty(), swallows) {
            (true, true) => Verdict::AcceptsWithoutRelaying,
            (true, false) => Verdict::Closed,
            (false, _) => Verdict::Undetermined,
        };
        Standing::Judged { verdict, how: None, reasons }
    }

    /// Whether refusals are about us: from the beginning, or since a control that had worked was refused.
    fn is_blocked(&self) -> bool {
        let local = self.control(matrix::LOCAL_ACCEPT).and_then(refused_for);
        let mut plain = self
            .relay()
            .filter(|(_, case, _)| case.is_plain())
            .filter_map(|(.., outcome)| refused_for(outcome))
            .peekable();
        let all_plain = plain.peek().is_some() && plain.all(|why| why == Why::TesterRefused);
        local == Some(Why::TesterRefused)
            || all_plain
            || bans(self.evidence, self.path).iter().any(|ban| !ban.by_sequence)
            || self.is_shut_out()
    }

    /// Whether a server that had let us in greeted us with a refusal later. Where another connection of ours was open just
    /// then, it only took no more at once.
    fn is_shut_out(&self) -> bool {
        let is_refused = |seen: &Seen<'_>| {
            let first = seen.ledger.turns().first();
            first.is_some_and(|turn| turn.class == Class::Refused && turn.code.is_permanent())
        };
        let span = |seen: &Seen<'_>| {
            let entries = &seen.connection.entries;
            entries.first().zip(entries.last()).map(|(first, last)| (first.at, last.at))
        };
        let is_beside = |end: Moment| {
            let mut others = self.connections().filter(|other| !is_refused(other)).filter_map(span);
            others.any(|(from, to)| from <= end && end < to)
        };
        self.connections()
            .filter(|seen| is_refused(seen))
            .any(|seen| !span(seen).is_some_and(|(_, end)| is_beside(end)))
    }

    fn untested(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let deferred: Vec<u16> = self
            .relay()
            .filter(|(.., o)| matches!(o, Outcome::Deferred { .. }))
            .map(|(p, ..)| p.number)
            .collect();
        if !deferred.is_empty() {
            reasons.push(Reason::Deferred { probes: deferred });
        }
        let mut whys: Vec<NotTested> = Vec::new();
        for (.., outcome) in self.relay() {
            if let Outcome::NotTested { reason } = outcome
                && !whys.contains(reason)
            {
                whys.push(*reason);
            }
        }
        for why in whys {
            let same = |outcome: &Outcome| *outcome == Outcome::NotTested { reason: why };
            let probes =
                self.relay().filter(|(.., outcome)| same(outcome)).map(|(probe, ..)| probe.number).collect();
            reasons.push(Reason::NotTested { why, probes });
        }
        reasons
    }

    fn control_faults(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        // A server that asks everyone to log in cannot be told from a closed one, and is one.
        if !self.wants_login() {
            match self.control(matrix::LOCAL_ACCEPT) {
                Some(Outcome::Accepted { .. }) => {}
                other => reasons.push(Reason::LocalNotAccepted { why: other.and_then(refused_for) }),
            }
            if reasons.is_empty() && !self.control(matrix::END).is_some_and(Outcome::is_accepted) {
                reasons.push(Reason::ControlMissing);
            }
        }
        let others = [matrix::UNKNOWN_LOCAL, matrix::UNRELATED_EXTERNAL].map(|id| self.control(id));
        let untested = |outcome: &&Outcome| matches!(outcome, Outcome::NotTested { .. });
        if reasons.is_empty() && others.iter().flatten().any(untested) {
            reasons.push(Reason::ControlMissing);
        }
        if self.control(matrix::UNRELATED_EXTERNAL).is_some_and(Outcome::is_accepted) {
            reasons.push(Reason::AcceptsEverything);
        }
        reasons
    }

    fn wants_login(&self) -> bool {
        let local = self.control(matrix::LOCAL_ACCEPT).and_then(refused_for) == Some(Why::AuthRequired);
        let mut plain = self.relay().filter(|(_, case, outcome)| case.is_plain() && !is_absent(outcome));
        local && plain.all(|(.., outcome)| refused_for(outcome) == Some(Why::AuthRequired))
    }

    fn doubts(&self) -> Vec<Reason> {
        let plain = self.relay().filter(|(_, case, outcome)| case.is_plain() && !is_absent(outcome));
        if plain.count() == 0 {
            return [Reason::NoPlainCase].into();
        }
        let mut doubt = Doubt::new(self.evidence, u16::try_from(self.path).unwrap_or(u16::MAX));
        self.relay().find_map(|(probe, case, outcome)| doubt.of(probe, case, outcome)).into_iter().collect()
    }
}

const fn refused_for(outcome: &Outcome) -> Option<Why> {
    if let Outcome::Refused { why, .. } = outcome { Some(*why) } else { None }
}

const fn is_absent(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::NotApplicable { .. })
}

/// A connection on which the server never said a whole reply.
fn first_words(seen: &Seen<'_>) -> Standing {
    let connection = seen.connection;
    let connected = connection.entries.iter().any(|entry| entry.what == What::Connected);
    let fault = connection.entries.iter().find_map(|entry| match &entry.what {
        What::Fault { fault, .. } => Some(*fault),
        _ => None,
    });
    let loss = connection.entries.iter().find_map(|entry| match entry.what {
        What::Lost { loss } => Some(loss),
        What::Deadline { .. } => Some(Loss::TimedOut),
        _ => None,
    });
    match (fault, loss) {
        (Some(ReplyFault::NoCode | ReplyFault::Separator), _) => Standing::plain(Verdict::NotSmtp),
        // It spoke SMTP, badly, or too late.
        (Some(_), _) => Standing::undetermined(Reason::OutOfStep),
        (None, Some(Loss::TimedOut)) => Standing::unreachable(How::TimedOut),
        (None, Some(loss)) if !connected || matches!(loss, Loss::Closed | Loss::Reset) => {
            Standing::unreachable(How::of(loss))
        }
        (None, Some(_)) => Standing::unreachable(How::Other),
        (None, None) => Standing::undetermined(Reason::Stopped),
    }
}
