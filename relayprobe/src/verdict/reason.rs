//! Why a verdict is not a better one.

use alloc::vec::Vec;
use core::fmt;

use super::Verdict;
use crate::link::Loss;
use crate::outcome::NotTested;
use crate::plan::Measure;
use crate::refusal::Why;

/// How a server was unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum How {
    /// Nothing listens on the port.
    Refused,
    /// No answer in time: filtered, or silent.
    TimedOut,
    /// No route.
    NoRoute,
    /// A filter says so.
    Prohibited,
    /// No address of ours can reach it.
    NoAddress,
    /// It accepts connections and ends them without a word.
    Dropped,
    /// Anything else.
    Other,
}

impl How {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::TimedOut => "timed-out",
            Self::NoRoute => "no-route",
            Self::Prohibited => "prohibited",
            Self::NoAddress => "no-address",
            Self::Dropped => "dropped",
            Self::Other => "other",
        }
    }

    pub(super) const fn of(loss: Loss) -> Self {
        match loss {
            Loss::Refused => Self::Refused,
            Loss::TimedOut => Self::TimedOut,
            Loss::NoRoute => Self::NoRoute,
            Loss::Prohibited => Self::Prohibited,
            Loss::NoAddress => Self::NoAddress,
            Loss::Closed | Loss::Reset => Self::Dropped,
            Loss::Tls | Loss::Other => Self::Other,
        }
    }
}

/// Why a verdict is not a better one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "reason", rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Reason {
    /// Probes were deferred until the end.
    Deferred {
        /// Their numbers.
        probes: Vec<u16>,
    },
    /// Messages were accepted and may still come back.
    Pending {
        /// Numbers of their probes.
        probes: Vec<u16>,
    },
    /// Cases were accepted and no message of theirs was: none was sent, or it was refused or put off for its content.
    Unproven {
        /// Their numbers.
        probes: Vec<u16>,
    },
    /// Messages did not come back, and it is not shown that they would have been seen: no message of our own came by the
    /// same way before them and after their window.
    SinkUnproven,
    /// Probes were not tested.
    NotTested {
        /// Why not.
        why: NotTested,
        /// Their numbers.
        probes: Vec<u16>,
    },
    /// Mail for the target's own mailbox was not accepted: name a domain or a mailbox of its own.
    LocalNotAccepted {
        /// What its refusal is about; absent if it was not refused for good.
        why: Option<Why>,
    },
    /// A control was not answered, or mail for the target's own mailbox was not accepted to the end.
    ControlMissing,
    /// A case was refused for a reason that is not about relaying.
    OtherRefusal {
        /// What the refusal is about.
        why: Why,
        /// The probe.
        probe: u16,
    },
    /// A case was refused in words that are not known, which may give another reason.
    UnreadRefusal {
        /// The probe.
        probe: u16,
    },
    /// A name that cannot exist was accepted: the server accepts everything.
    AcceptsEverything,
    /// No plain case could be asked.
    NoPlainCase,
    /// TLS is required, and behind it the server was not found closed.
    TlsRequired,
    /// The server greeted with a temporary code.
    Busy,
    /// What the server sent on connecting, or to EHLO, cannot be read.
    OutOfStep,
    /// The connection ended before an envelope could be asked.
    CutOff,
    /// Cases were named one by one.
    PartialMatrix,
    /// The run was stopped.
    Stopped,
    /// The run reached one of its limits.
    Limit,
    /// The server calls itself otherwise than expected.
    IdentityChanged,
    /// A block stands between us and the server.
    MeasureInForce {
        /// Which.
        measure: Measure,
    },
    /// A further path was not found closed.
    PathNotTested {
        /// Index of the path.
        path: u16,
        /// What was found.
        verdict: Verdict,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deferred { probes } => {
                write!(f, "{} deferred to the end (greylisting, or trouble at the server)", cases(probes))
            }
            Self::Pending { probes } => write!(f, "{} accepted with a message that may still come back", cases(probes)),
            Self::Unproven { probes } => {
                write!(f, "{} accepted without a message that could prove anything", cases(probes))
            }
            Self::SinkUnproven => f.write_str("messages did not come back, and our own receiving server was not shown to work before and after"),
            Self::NotTested { why, probes } => write!(f, "{} not tested: {}", cases(probes), in_words(*why)),
            Self::LocalNotAccepted { why: Some(why) } => write!(
                f,
                "mail for the server's own mailbox was refused ({}): name its mail domain (--domain) or a mailbox (--mailbox)",
                why.as_str()
            ),
            Self::LocalNotAccepted { why: None } => f.write_str("mail for the server's own mailbox was not accepted now"),
            Self::ControlMissing => f.write_str("a control is missing, or the last one was not accepted, so the answers are uncertain"),
            Self::OtherRefusal { why, .. } => {
                write!(f, "a case was refused for another reason ({}), which says nothing about relaying", why.as_str())
            }
            Self::UnreadRefusal { .. } => f.write_str("a case was refused in words that are not known and may be about us: name a mailbox that exists there (--mailbox)"),
            Self::AcceptsEverything => f.write_str("the server accepts every recipient, even one that cannot exist"),
            Self::NoPlainCase => f.write_str("no plain case was asked"),
            Self::TlsRequired => f.write_str("the server wants TLS first, and behind TLS it was not found closed"),
            Self::Busy => f.write_str("the server was busy (a temporary code on connecting)"),
            Self::OutOfStep => f.write_str("what the server sent on connecting cannot be read as SMTP replies in turn"),
            Self::CutOff => f.write_str("the connection ended before any envelope"),
            Self::PartialMatrix => f.write_str("only named cases were asked; the quick, standard or full matrix can find a server closed"),
            Self::Stopped => f.write_str("the run was stopped"),
            Self::Limit => f.write_str("the run reached one of its limits"),
            Self::IdentityChanged => f.write_str("the server calls itself otherwise than expected: the address may belong to somebody else now"),
            Self::MeasureInForce { measure } => write!(f, "a measure is in force ({}): what answered may be the block, not the server", measure.as_str()),
            Self::PathNotTested { path, verdict } => write!(f, "path {path} was found {verdict}"),
        }
    }
}

struct Cases(usize);

fn cases(probes: &[u16]) -> Cases {
    Cases(probes.len())
}

impl fmt::Display for Cases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 case was"),
            count => write!(f, "{count} cases were"),
        }
    }
}

const fn in_words(why: NotTested) -> &'static str {
    match why {
        NotTested::Unreachable => "the server could not be reached",
        NotTested::TurnedAway => "the server turned us away",
        NotTested::CutOff => "the server ended the connection or did not answer in time",
        NotTested::OutOfStep => "replies and commands no longer belonged together",
        NotTested::TlsFailed => "the TLS handshake failed",
        NotTested::DriverWithoutTls => "this program was built without TLS",
        NotTested::ControlFailed => "the server began to refuse its own mailbox on the way",
        NotTested::ProbeDomainUnknown => "the server could not find our probe domain in the DNS",
        NotTested::Stopped => "the run was stopped",
        NotTested::Limit => "the run reached one of its limits",
        NotTested::Record => "the run record does not fit the transcript",
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::string::{String, ToString};

    use super::*;

    #[test]
    fn every_reason_not_to_test_has_words_of_its_own() {
        let all = [
            NotTested::Unreachable,
            NotTested::TurnedAway,
            NotTested::CutOff,
            NotTested::OutOfStep,
            NotTested::TlsFailed,
            NotTested::DriverWithoutTls,
            NotTested::ControlFailed,
            NotTested::ProbeDomainUnknown,
            NotTested::Stopped,
            NotTested::Limit,
            NotTested::Record,
        ];
        let told = |why| Reason::NotTested { why, probes: [3, 4].into() }.to_string();
        let texts: BTreeSet<String> = all.into_iter().map(told).collect();
        assert_eq!(texts.len(), all.len());
        for text in texts {
            let words = text.strip_prefix("2 cases were not tested: ").unwrap();
            assert!(words.len() > 15, "{text}");
        }
        let one = Reason::Pending { probes: [3].into() }.to_string();
        assert!(one.starts_with("1 case was accepted"), "{one}");
    }
}
