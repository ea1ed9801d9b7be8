//! The report: plan facts, outcomes, verdict and transcript of one run.

mod advice;
#[cfg(feature = "serde")]
mod json;
mod text;

#[cfg(feature = "serde")]
pub use json::ReportError;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::address::Domain;
use crate::matrix::{Acceptance, Family};
use crate::moment::Date;
use crate::octets::Octets;
use crate::outcome::{self, Evidence, Outcome};
use crate::plan::RunRecord;
use crate::transcript::{Step, Transcript};
use crate::verdict::{self, How, JUDGE_VERSION, PathVerdict, Reason, Verdict};

/// What a run found, with all its evidence.
///
/// It follows from run record and transcript alone, so a stored one can be judged again.
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
    pub case: String,
    /// Family of its case.
    pub family: Family,
    /// Index of its path.
    pub path: u16,
    /// The probe that this control stands beside or repeats.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub beside: Option<u16>,
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

    /// Judges a run.
    pub fn new(run: RunRecord, transcript: Transcript) -> Self {
        let outcomes = outcome::outcomes(&run, &transcript);
        let judgement = verdict::judge(&run, &transcript, &outcomes);
        let server = server(&run, &transcript);
        let probes = run.probes.iter().zip(outcomes).filter_map(|(probe, outcome)| {
            let case = run.case(probe)?;
            Some(ProbeReport {
                number: probe.number,
                case: case.id.clone().into_owned(),
                family: case.family,
                path: probe.path,
                beside: probe.beside,
                acceptance: (!case.is_control()).then_some(case.acceptance),
                outcome,
            })
        });
        Self {
            format: Self::FORMAT,
            verdict: judgement.verdict,
            exit_code: judgement.verdict.exit_code(),
            how: judgement.how,
            reasons: judgement.reasons,
            // A suspicion waits for proof; a survey has nothing else to wait for.
            settled: judgement.verdict != Verdict::Suspected,
            as_of: run.date,
            judge_version: JUDGE_VERSION,
            library: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            server,
            paths: judgement.paths,
            probes: probes.collect(),
            run,
            transcript,
        }
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

fn server(run: &RunRecord, transcript: &Transcript) -> Server {
    let evidence = Evidence::new(run, transcript);
    let greeting = transcript.connections.iter().find_map(|connection| {
        let ledger = connection.ledger();
        let turn = ledger.turns().iter().find(|turn| turn.asked.step == Step::Greeting)?;
        connection.reply(turn.entry).cloned()
    });
    Server { name: outcome::learnt_host(&evidence), greeting }
}
