//! What a run says of its target: a pure function of the run record, the transcript and the outcomes.

mod effect;
mod path;
mod reason;

pub use effect::{Effect, NoReceipt, Shows, effect};
pub use path::PathVerdict;
pub use reason::{How, Reason};

use alloc::vec::Vec;
use core::fmt;

use crate::matrix::Selection;
use crate::outcome::{Evidence, Outcome, learnt_host};
use crate::plan::RunRecord;
use crate::target::Tls;
use crate::transcript::{End, Transcript};

use path::Standing;

/// Goes up whenever the same transcript may be judged differently; stored in every report.
pub const JUDGE_VERSION: u32 = 1;

/// The result of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Verdict {
    /// Something that a correct server refuses was accepted; whether it is relayed is not proven yet.
    Suspected,
    /// Every relay case was refused, for a reason about relaying, the recipient or login.
    Closed,
    /// The server turns us away, whatever we ask.
    TesterBlocked,
    /// There was nothing to talk to.
    Unreachable,
    /// Something answered that is no mail server.
    NotSmtp,
    /// Anything else.
    Undetermined,
}

impl Verdict {
    /// All verdicts a survey can have.
    pub const ALL: [Self; 6] = [
        Self::Suspected,
        Self::Closed,
        Self::TesterBlocked,
        Self::Unreachable,
        Self::NotSmtp,
        Self::Undetermined,
    ];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Closed => "closed",
            Self::TesterBlocked => "tester-blocked",
            Self::Unreachable => "unreachable",
            Self::NotSmtp => "not-smtp",
            Self::Undetermined => "undetermined",
        }
    }

    /// The exit status of a program that says it: 0 nothing found, 1 suspected, 3 nothing known.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Suspected => 1,
            Self::TesterBlocked | Self::Unreachable | Self::NotSmtp | Self::Undetermined => 3,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A verdict with what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) how: Option<How>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) paths: Vec<PathVerdict>,
}

/// Judges a run.
pub(crate) fn judge(record: &RunRecord, transcript: &Transcript, outcomes: &[Outcome]) -> Judgement {
    let evidence = Evidence::new(record, transcript);
    let standings: Vec<Standing> =
        (0..record.paths.len()).map(|at| path::stand(&evidence, outcomes, at)).collect();
    let mut judgement = combine(record, &standings);
    let mut add = |reason: Reason| {
        if !judgement.reasons.contains(&reason) {
            judgement.reasons.push(reason);
        }
    };
    match transcript.end {
        None | Some(End::Stopped) => add(Reason::Stopped),
        Some(End::Limit) => add(Reason::Limit),
        Some(End::Complete | End::NoService) => {}
    }
    if record.selection < Selection::Quick {
        add(Reason::PartialMatrix);
    }
    let expected = record.target.expected_host.as_ref();
    if expected.is_some_and(|expected| learnt_host(&evidence).is_some_and(|host| host != *expected)) {
        add(Reason::IdentityChanged);
    }
    let blocked =
        |&&measure: &&crate::plan::Measure| effect(Some(measure), record.vantage).shows == Shows::TheBlock;
    if let Some(&measure) = record.measures.iter().find(blocked) {
        add(Reason::MeasureInForce { measure });
    }
    // No doubt lowers a suspicion, and none lets a server be called closed.
    let identity = judgement.reasons.contains(&Reason::IdentityChanged);
    let doubtful = !judgement.reasons.is_empty() && judgement.verdict == Verdict::Closed;
    if doubtful || (identity && judgement.verdict != Verdict::Suspected) {
        judgement.verdict = Verdict::Undetermined;
    }
    judgement
}

/// One verdict from those of the paths: the main path's, unless another is worse than closed.
fn combine(record: &RunRecord, standings: &[Standing]) -> Judgement {
    let paths = record.paths.iter().zip(standings).enumerate();
    let listed = paths.map(|(at, (&path, standing))| PathVerdict::new(at, path, standing)).collect();
    let judgement = |verdict, how, reasons| Judgement { verdict, how, reasons, paths: listed };
    if standings
        .iter()
        .any(|standing| matches!(standing, Standing::Judged { verdict: Verdict::Suspected, .. }))
    {
        return judgement(Verdict::Suspected, None, Vec::new());
    }
    let mut reasons = Vec::new();
    let mut closed = false;
    for (at, standing) in standings.iter().enumerate() {
        match standing {
            Standing::Skipped => {}
            Standing::Judged { verdict: Verdict::Closed, .. } => closed = true,
            // A port that wants TLS first is as closed as it is behind TLS.
            Standing::WantsTls if is_closed_inside_tls(record, standings, at) => {}
            Standing::WantsTls => reasons.push(Reason::TlsRequired),
            // What the main path lacks, the others cannot make up for.
            Standing::Judged { verdict, how, reasons } if at == 0 && *verdict != Verdict::Undetermined => {
                return judgement(*verdict, *how, reasons.clone());
            }
            Standing::Judged { reasons: more, verdict, .. } => {
                reasons.extend(more.iter().cloned());
                if more.is_empty() {
                    reasons.push(Reason::PathNotTested {
                        path: u16::try_from(at).unwrap_or(u16::MAX),
                        verdict: *verdict,
                    });
                }
            }
        }
    }
    let verdict = if closed && reasons.is_empty() { Verdict::Closed } else { Verdict::Undetermined };
    judgement(verdict, None, reasons)
}

fn is_closed_inside_tls(record: &RunRecord, standings: &[Standing], at: usize) -> bool {
    let port = record.paths.get(at).map(|path| path.port);
    record.paths.iter().zip(standings).any(|(path, standing)| {
        let closed = matches!(standing, Standing::Judged { verdict: Verdict::Closed, .. });
        Some(path.port) == port && path.tls != Tls::None && closed
    })
}
