//! What a run says of its target: a pure function of the run record, the transcript, the receipts and the outcomes.

mod doubt;
mod effect;
mod path;
mod reason;
mod sink;

pub use effect::{Effect, NoReceipt, Shows, effect};
pub use path::PathVerdict;
pub use reason::{How, Reason};

use alloc::vec::Vec;
use core::fmt;

use crate::matrix::Selection;
use crate::moment::Date;
use crate::outcome::{Evidence, Outcome};
use crate::plan::RunRecord;
use crate::receipt::Receipt;
use crate::target::Tls;
use crate::transcript::End;

use path::Standing;
use sink::SinkHealth;

/// Goes up whenever the same transcript may be judged differently; stored in every report.
pub const JUDGE_VERSION: u32 = 1;

/// The result of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Verdict {
    /// A message of ours came back through it, or was being handed to us: it relays.
    OpenRelay,
    /// Something that a correct server refuses was accepted; whether it is relayed is not proven yet.
    Suspected,
    /// It accepts what a correct server refuses, and relays nothing of it.
    AcceptsWithoutRelaying,
    /// Every relay case was refused, for a reason about relaying, the recipient or login.
    Closed,
    /// The domain says that it takes no mail (RFC 7505): there is no server to ask. A domain's alone, never a run's.
    NoMailService,
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
    /// All verdicts.
    pub const ALL: [Self; 9] = [
        Self::OpenRelay,
        Self::Suspected,
        Self::AcceptsWithoutRelaying,
        Self::Closed,
        Self::NoMailService,
        Self::TesterBlocked,
        Self::Unreachable,
        Self::NotSmtp,
        Self::Undetermined,
    ];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenRelay => "open-relay",
            Self::Suspected => "suspected",
            Self::AcceptsWithoutRelaying => "accepts-without-relaying",
            Self::Closed => "closed",
            Self::NoMailService => "no-mail-service",
            Self::TesterBlocked => "tester-blocked",
            Self::Unreachable => "unreachable",
            Self::NotSmtp => "not-smtp",
            Self::Undetermined => "undetermined",
        }
    }

    /// The exit status of a program that says it: 0 it does not relay, 1 suspected, 2 open relay, 3 nothing known.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Closed | Self::AcceptsWithoutRelaying | Self::NoMailService => 0,
            Self::Suspected => 1,
            Self::OpenRelay => 2,
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
pub(crate) fn judge(
    evidence: &Evidence<'_>,
    receipts: &[Receipt],
    outcomes: &[Outcome],
    as_of: Date,
) -> Judgement {
    let (record, transcript) = (evidence.record, evidence.transcript);
    let sink = SinkHealth::new(evidence, receipts);
    let standings: Vec<Standing> = (0..record.target_paths().len())
        .map(|at| path::stand(evidence, outcomes, receipts, &sink, as_of, at))
        .collect();
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
    if expected.is_some_and(|expected| evidence.host.as_ref().is_some_and(|host| host != expected)) {
        add(Reason::IdentityChanged);
    }
    let blocked =
        |&&measure: &&crate::plan::Measure| effect(Some(measure), record.vantage).shows == Shows::TheBlock;
    if let Some(&measure) = record.measures.iter().find(blocked) {
        add(Reason::MeasureInForce { measure });
    }
    // No doubt lowers a proof or a suspicion, and none lets a server be called closed.
    let identity = judgement.reasons.contains(&Reason::IdentityChanged);
    let harmless = matches!(judgement.verdict, Verdict::Closed | Verdict::AcceptsWithoutRelaying);
    let doubtful = !judgement.reasons.is_empty() && harmless;
    let found = matches!(judgement.verdict, Verdict::Suspected | Verdict::OpenRelay);
    if doubtful || (identity && !found) {
        judgement.verdict = Verdict::Undetermined;
    }
    judgement
}

/// One verdict from those of the paths: the main path's, unless another is worse than closed.
fn combine(record: &RunRecord, standings: &[Standing]) -> Judgement {
    let paths = record.target_paths().iter().zip(standings).enumerate();
    let listed = paths.map(|(at, (&path, standing))| PathVerdict::new(at, path, standing)).collect();
    let judgement = |verdict, how, reasons| Judgement { verdict, how, reasons, paths: listed };
    let of = |wanted: Verdict| {
        standings.iter().filter_map(move |standing| match standing {
            Standing::Judged { verdict, reasons, .. } if *verdict == wanted => Some(reasons),
            _ => None,
        })
    };
    if of(Verdict::OpenRelay).next().is_some() {
        return judgement(Verdict::OpenRelay, None, Vec::new());
    }
    if of(Verdict::Suspected).next().is_some() {
        return judgement(Verdict::Suspected, None, of(Verdict::Suspected).flatten().cloned().collect());
    }
    let swallows = of(Verdict::AcceptsWithoutRelaying).next().is_some();
    let mut reasons = Vec::new();
    let mut closed = false;
    for (at, standing) in standings.iter().enumerate() {
        match standing {
            Standing::Skipped => {}
            Standing::Judged { verdict: Verdict::Closed | Verdict::AcceptsWithoutRelaying, .. } => {
                closed = true;
            }
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
    let verdict = match (closed && reasons.is_empty(), swallows) {
        (true, true) => Verdict::AcceptsWithoutRelaying,
        (true, false) => Verdict::Closed,
        (false, _) => Verdict::Undetermined,
    };
    judgement(verdict, None, reasons)
}

fn is_closed_inside_tls(record: &RunRecord, standings: &[Standing], at: usize) -> bool {
    let port = record.paths.get(at).map(|path| path.port);
    record.paths.iter().zip(standings).any(|(path, standing)| {
        let closed = matches!(standing, Standing::Judged { verdict: Verdict::Closed, .. });
        Some(path.port) == port && path.tls != Tls::None && closed
    })
}
