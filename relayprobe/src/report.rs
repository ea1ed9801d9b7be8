//! The report: plan facts, outcomes, verdict and transcript of one run.

mod advice;
mod domain;
#[cfg(feature = "serde")]
mod json;
mod redact;
mod text;

#[cfg(feature = "serde")]
pub use json::ReportError;

pub use domain::{DomainReport, HostReport};

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::address::{Domain, special_range};
use crate::lookup::Listing;
use crate::matrix::{Acceptance, Family};
use crate::moment::Date;
use crate::octets::Octets;
use crate::outcome::{self, Evidence, Outcome};
use crate::plan::{Probe, Redaction, RunRecord};
use crate::receipt::{Receipt, ReceiptKind};
use crate::transcript::{Step, Transcript};
use crate::verdict::{self, How, JUDGE_VERSION, PathVerdict, Reason, Verdict};

/// Receipts of one kind that are kept for one probe.
const ALIKE: usize = 100;
/// Receipts that are looked at for addresses.
const EGRESSES: usize = 1_000;

/// What a run found, with all its evidence.
///
/// It follows from run record, transcript and receipts alone, so a stored one can be judged again. Receipts that come
/// later are [added](Self::add).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// Version of this form; see the schema in docs.
    pub format: u32,
    /// The result.
    pub verdict: Verdict,
    /// The exit status that says the same.
    pub exit_code: u8,
    /// How the server was unreachable, if it was.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub how: Option<How>,
    /// Why the verdict is not a better one.
    pub reasons: Vec<Reason>,
    /// Whether nothing that is still to come can change the verdict.
    pub settled: bool,
    /// The moment as of which it was judged.
    pub as_of: Date,
    /// Until when messages are waited for, if some are.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub pending_until: Option<Date>,
    /// Version of the judgement.
    pub judge_version: u32,
    /// Version of the library.
    pub library: Cow<'static, str>,
    /// What the server says of itself.
    pub server: Server,
    /// What was found over each path.
    pub paths: Vec<PathVerdict>,
    /// What came of each probe.
    pub probes: Vec<ProbeReport>,
    /// What came back.
    pub receipts: Vec<Receipt>,
    /// What block lists say of the [addresses](Self::addresses) of this report. No verdict depends on it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub listings: Vec<Listing>,
    /// The plan.
    pub run: RunRecord,
    /// Every octet both ways.
    pub transcript: Transcript,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Server {
    /// The name in its EHLO reply.
    pub name: Option<Domain>,
    /// Its first greeting.
    pub greeting: Option<Octets>,
}

/// What came of one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ProbeReport {
    /// Its number in the run.
    pub number: u16,
    /// Id of its case.
    pub case: Cow<'static, str>,
    /// Family of its case.
    pub family: Family,
    /// Index of its path.
    pub path: u16,
    /// The probe that this control stands beside or repeats.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub beside: Option<u16>,
    /// The queue id that the target gave to its message: what to look for in its logs.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub queue_id: Option<Octets>,
    /// Whether a message came back with this queue id in the line that its first receiver wrote: a proof beside the token.
    pub confirmed: bool,
    /// What an acceptance says; nothing about relaying for a control.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub acceptance: Option<Acceptance>,
    /// What came of it.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub outcome: Outcome,
}

impl Report {
    /// Version of the JSON form.
    pub const FORMAT: u32 = 1;

    /// Judges a run as of its end.
    pub fn new(run: RunRecord, transcript: Transcript) -> Self {
        let as_of = run.date_at(transcript.ended);
        Self::judged(run, transcript, Vec::new(), as_of)
    }

    /// Judges a run with what came back, as of a date.
    pub fn judged(run: RunRecord, transcript: Transcript, receipts: Vec<Receipt>, as_of: Date) -> Self {
        let found = Findings::of(&run, &transcript, &receipts, as_of);
        Self {
            format: Self::FORMAT,
            verdict: found.verdict,
            exit_code: found.verdict.exit_code(),
            how: found.how,
            reasons: found.reasons,
            settled: found.settled,
            as_of,
            pending_until: found.pending_until,
            judge_version: JUDGE_VERSION,
            library: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            server: found.server,
            paths: found.paths,
            probes: found.probes,
            receipts,
            listings: Vec::new(),
            run,
            transcript,
        }
    }

    /// The address of the target, and those of the machines that handed its messages on: whom block lists may name.
    ///
    /// Behind a target of the internet there may be machines with private addresses; those are nobody's business.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let own = |receipt: &&Receipt| {
            self.run.probe(receipt.probe).is_some_and(|probe| self.run.is_way_in(probe.path))
        };
        let egresses =
            self.receipts.iter().filter(|receipt| receipt.kind != ReceiptKind::Hint && !own(receipt));
        let egresses = egresses.filter_map(|receipt| receipt.egress.as_ref()?.address);
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in core::iter::once(self.run.target.address).chain(egresses).take(EGRESSES) {
            let address = address.to_canonical();
            let hidden = special_range(address).is_some() && special_range(self.run.target.address).is_none();
            if !hidden && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses
    }

    /// How many messages were begun for the target.
    pub fn messages(&self) -> u32 {
        let evidence = Evidence::new(&self.run, &self.transcript);
        let of_target =
            |probe: u16| self.run.probe(probe).is_some_and(|probe| !self.run.is_way_in(probe.path));
        let count = evidence.messages.iter().filter(|&&(probe, _)| of_target(probe)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Takes in something that came back, and judges anew as of its coming if that is later than the report's date.
    ///
    /// The same thing twice counts once, and of one kind for one probe no more than a hundred are kept: a server that calls
    /// on us without end must not fill the disk. A settled verdict moves towards `open-relay` only. A redacted report stays
    /// one, but it knows its mailbox no longer where that is named without a domain: better add to the full one and redact
    /// that.
    pub fn add(&mut self, receipt: Receipt) -> Result<Change, ReceiptError> {
        if receipt.run != self.run.run {
            return Err(ReceiptError::OtherRun { run: receipt.run, report: self.run.run.clone() });
        }
        if self.run.probe(receipt.probe).is_none() {
            return Err(ReceiptError::NoProbe { probe: receipt.probe, probes: self.run.probes.len() });
        }
        let own = self.run.probe(receipt.probe).is_some_and(|probe| self.run.is_way_in(probe.path));
        let alike =
            self.receipts.iter().filter(|other| (other.probe, other.kind) == (receipt.probe, receipt.kind));
        let redacted = self.run.redaction == Redaction::People;
        let same = |kept: &Receipt| *kept == receipt || (redacted && redact::is_same(kept, &receipt));
        // Nobody but us knows the token of our own control, and its last message counts as much as its first.
        if (!own && alike.count() >= ALIKE) || self.receipts.iter().any(same) {
            return Ok(Change::None);
        }
        let as_of = receipt.at;
        self.receipts.push(receipt);
        let change = self.judge(as_of);
        if redacted {
            *self = self.redacted();
        }
        Ok(change)
    }

    /// Adds what a later session recorded, such as one of [`Session::check_way_in`](crate::Session::check_way_in).
    pub fn append(&mut self, later: Transcript) {
        self.transcript.connections.extend(later.connections);
        self.judge(self.as_of);
    }

    /// Judges anew as of a later date: windows may have ended since. An earlier date changes nothing.
    pub fn judge(&mut self, as_of: Date) -> Change {
        self.as_of = as_of.max(self.as_of);
        let found = Findings::of(&self.run, &self.transcript, &self.receipts, self.as_of);
        let from = core::mem::replace(&mut self.verdict, found.verdict);
        self.exit_code = found.verdict.exit_code();
        self.how = found.how;
        self.reasons = found.reasons;
        self.settled = found.settled;
        self.pending_until = found.pending_until;
        self.server = found.server;
        self.paths = found.paths;
        self.probes = found.probes;
        if from == self.verdict { Change::None } else { Change::Verdict { from } }
    }

    /// The dialogue as a person reads it: `S:` and `C:` lines, escaped.
    pub fn transcript_text(&self) -> String {
        text::transcript(self)
    }

    /// The report as a person reads it in a terminal: verdict first, then per family what was accepted and what
    /// refused, then what to do next.
    pub fn text(&self) -> String {
        text::report(self)
    }
}

/// What a receipt or the passing of time did to a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The verdict is the same.
    None,
    /// The verdict is another one.
    Verdict {
        /// What it was.
        from: Verdict,
    },
}

/// A receipt does not belong to a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// It is of another run.
    #[error("the receipt is of run {run}, the report of run {report}")]
    OtherRun {
        /// The run of the receipt.
        run: String,
        /// The run of the report.
        report: String,
    },
    /// The run has no such probe.
    #[error("the receipt is of probe {probe}; the run has {probes}, counted from 0")]
    NoProbe {
        /// Its number.
        probe: u16,
        /// How many there are.
        probes: usize,
    },
}

/// What follows from the evidence.
struct Findings {
    verdict: Verdict,
    how: Option<How>,
    reasons: Vec<Reason>,
    settled: bool,
    pending_until: Option<Date>,
    server: Server,
    paths: Vec<PathVerdict>,
    probes: Vec<ProbeReport>,
}

impl Findings {
    fn of(run: &RunRecord, transcript: &Transcript, receipts: &[Receipt], as_of: Date) -> Self {
        let evidence = Evidence::new(run, transcript);
        let outcomes = outcome::of(&evidence, receipts, as_of);
        let judgement = verdict::judge(&evidence, receipts, &outcomes, as_of);
        let judged = run.probes.iter().zip(&outcomes);
        let open = |(probe, outcome): (&Probe, _)| {
            outcome::open_until(&evidence, receipts, probe.number, outcome, as_of)
        };
        let pending_until = judged.filter_map(open).max();
        let queue_ids = outcome::queue_ids(&evidence);
        let mut probes = Vec::with_capacity(outcomes.len());
        probes.extend(run.probes.iter().zip(outcomes).filter_map(|(probe, outcome)| {
            let case = run.case(probe)?;
            let queue_id = queue_ids.get(&probe.number).cloned();
            Some(ProbeReport {
                number: probe.number,
                case: case.id.clone(),
                family: case.family,
                path: probe.path,
                beside: probe.beside,
                confirmed: receipts
                    .iter()
                    .any(|receipt| receipt.probe == probe.number && shows(receipt, queue_id.as_ref())),
                queue_id,
                acceptance: (!case.is_control()).then_some(case.acceptance),
                outcome,
            })
        }));
        Self {
            verdict: judgement.verdict,
            how: judgement.how,
            reasons: judgement.reasons,
            // A suspicion waits for proof, and nothing lowers a proof.
            settled: judgement.verdict == Verdict::OpenRelay
                || judgement.verdict != Verdict::Suspected && pending_until.is_none(),
            pending_until,
            server: server(&evidence),
            paths: judgement.paths,
            probes,
        }
    }
}

/// Whether the machine that took the message from us wrote the queue id that it gave us into the message.
fn shows(receipt: &Receipt, queue_id: Option<&Octets>) -> bool {
    let lowest = receipt.trace.hops.last().and_then(|hop| hop.id.as_ref());
    let ours = matches!(receipt.kind, ReceiptKind::Relayed | ReceiptKind::Attempted);
    ours && queue_id.is_some() && lowest == queue_id
}

fn server(evidence: &Evidence<'_>) -> Server {
    let greeting = evidence.target_connections().find_map(|seen| {
        let turn = seen.ledger.turns().iter().find(|turn| turn.asked.step == Step::Greeting)?;
        seen.connection.reply(turn.entry).cloned()
    });
    Server { name: evidence.host.clone(), greeting }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::plan::Plan;
    use crate::receipt::{Egress, EgressKind};
    use crate::trace::Trace;
    use crate::{Authorization, Identity, Target};

    fn report(target: &str, egresses: &[(&str, ReceiptKind)]) -> Report {
        let leave: Authorization = "own-server:test".parse().unwrap();
        let identity = Identity::new("probe.example".parse().unwrap());
        let builder = Plan::builder(Target::new(target.parse().unwrap(), 25), identity, leave);
        let run = builder.allow_private().build(Date::from_unix(1_795_473_834), 7).unwrap().into_record();
        let receipt = |(address, kind): &(&str, ReceiptKind)| Receipt {
            kind: *kind,
            at: run.date,
            run: run.run.clone(),
            probe: 0,
            egress: Some(Egress {
                address: Some(address.parse().unwrap()),
                helo: Octets::default(),
                kind: EgressKind::Unknown,
            }),
            input: None,
            sender: None,
            recipient: None,
            original_recipient: None,
            reported: None,
            trace: Trace::default(),
            sha256: String::new(),
        };
        let receipts = egresses.iter().map(receipt).collect();
        let as_of = run.date;
        Report::judged(run, Transcript::default(), receipts, as_of)
    }

    #[test]
    fn lists_are_asked_for_the_target_and_for_whoever_handed_its_messages_on() {
        use ReceiptKind::{Hint, Relayed};
        let shown = |target: &str, egresses: &[(&str, ReceiptKind)]| {
            let addresses = report(target, egresses).addresses();
            addresses.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let egresses =
            [("8.8.4.4", Relayed), ("::ffff:8.8.8.8", Relayed), ("10.0.0.1", Relayed), ("9.9.9.9", Hint)];
        assert_eq!(shown("8.8.8.8", &egresses), ["8.8.8.8", "8.8.4.4"]);
        assert_eq!(shown("10.0.0.2", &egresses), ["10.0.0.2", "8.8.4.4", "8.8.8.8", "10.0.0.1"]);
    }

    #[test]
    fn what_lists_say_changes_no_judgement() {
        use crate::lookup::{ListAnswer, Listing};
        let mut report = report("10.0.0.2", &[]);
        let before = report.clone();
        let answer = ListAnswer::Listed { codes: Vec::new(), meanings: Vec::new(), texts: Vec::new() };
        report.listings =
            [Listing { zone: "bl.example".parse().unwrap(), address: report.run.target.address, answer }]
                .into();
        assert_eq!(report.judge(report.as_of), Change::None);
        report.listings.clear();
        assert_eq!(report, before);
    }
}
