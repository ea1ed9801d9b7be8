//! Why a probe has no answer.

use alloc::string::String;

use super::{Evidence, Outcome, Seen};
use crate::link::Loss;
use crate::matrix::{self, Case, Hello, Name, Need};
use crate::plan::{DriverTls, Names, Probe, Unfit};
use crate::target::Tls;
use crate::transcript::{Astray, Class, End, Step, What};
use crate::wire::Extension;

/// Why a case makes no sense here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "reason", rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum NotApplicable {
    /// A name in its envelope is not known.
    NameUnknown {
        /// The name.
        name: Name,
    },
    /// The server does not offer the extension it needs.
    NotOffered {
        /// The extension.
        need: Need,
    },
    /// The server announces that it takes fewer recipients, or recipient domains, than it names (RFC 9422 §4).
    TooManyRecipients,
    /// The server does not offer STARTTLS.
    NoStartTls,
    /// The server does not ask for TLS, and this selection does not try it unasked.
    TlsNotAsked,
    /// Nothing listens on the port.
    PortClosed,
    /// Only one domain is ours; a second one would show more.
    SecondDomainMissing,
    /// Our receiving server takes no part in the run.
    NoSink,
    /// With the names of this run the command would be too long.
    TooLong,
    /// The server does not take this sender for its own mailbox either, so a refusal says nothing about relaying.
    SenderNotAccepted,
    /// The case it repeats was not accepted.
    NothingToRepeat,
    /// Its token is never sent, so that it can be seen that it never comes.
    NeverSent,
}

/// Why a probe that makes sense was not tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum NotTested {
    /// The server could not be reached on this path.
    Unreachable,
    /// The server turned us away before the envelope.
    TurnedAway,
    /// The server ended the connection, or did not answer in time, each time it was asked.
    CutOff,
    /// Commands and replies no longer belonged together, each time it was asked.
    OutOfStep,
    /// The TLS handshake failed.
    TlsFailed,
    /// The driver cannot do TLS.
    DriverWithoutTls,
    /// A control that had worked was refused later: the answer may be about us.
    ControlFailed,
    /// The server looked for our probe domain before it thought of relaying, and did not find it.
    ProbeDomainUnknown,
    /// The run was stopped.
    Stopped,
    /// The run reached one of its limits.
    Limit,
    /// The run record does not fit the transcript.
    Record,
}

impl NotApplicable {
    /// The stored word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NameUnknown { .. } => "name-unknown",
            Self::NotOffered { .. } => "not-offered",
            Self::TooManyRecipients => "too-many-recipients",
            Self::NoStartTls => "no-start-tls",
            Self::TlsNotAsked => "tls-not-asked",
            Self::PortClosed => "port-closed",
            Self::SecondDomainMissing => "second-domain-missing",
            Self::NoSink => "no-sink",
            Self::TooLong => "too-long",
            Self::SenderNotAccepted => "sender-not-accepted",
            Self::NothingToRepeat => "nothing-to-repeat",
            Self::NeverSent => "never-sent",
        }
    }
}

impl NotTested {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TurnedAway => "turned-away",
            Self::CutOff => "cut-off",
            Self::OutOfStep => "out-of-step",
            Self::TlsFailed => "tls-failed",
            Self::DriverWithoutTls => "driver-without-tls",
            Self::ControlFailed => "control-failed",
            Self::ProbeDomainUnknown => "probe-domain-unknown",
            Self::Stopped => "stopped",
            Self::Limit => "limit",
            Self::Record => "record",
        }
    }
}

pub(super) fn reason(evidence: &Evidence<'_>, probe: &Probe, case: &Case) -> Outcome {
    // The path first: most of what is never asked is of one that never woke, and needs no names for it.
    let applicable = path_missing(evidence, probe)
        .or_else(|| names_missing(evidence, probe, case))
        .or_else(|| offer_missing(evidence, probe, case));
    match applicable {
        Some(reason) => Outcome::NotApplicable { reason },
        None => Outcome::NotTested { reason: not_tested(evidence, probe) },
    }
}

fn names_missing(evidence: &Evidence<'_>, probe: &Probe, case: &Case) -> Option<NotApplicable> {
    let repeats = |beside| evidence.answers(beside).next_back().is_some_and(|s| s.answer.code.is_positive());
    if case.id == matrix::REPEAT && !probe.beside.is_some_and(repeats) {
        return Some(NotApplicable::NothingToRepeat);
    }
    if case.id == matrix::SILENCE && evidence.record.way_in.is_some() {
        return Some(NotApplicable::NeverSent);
    }
    let names = Names::new(evidence.record, probe, evidence.host.as_ref());
    let unfit = names.unmet().or_else(|| names.hello(&case.hello).err());
    let unfit = unfit.or_else(|| names.mail().err()).or_else(|| names.rcpt().err());
    let own = || names.write_own_rcpt(&mut String::new()).err();
    let unfit = unfit.or_else(|| (case.shape == matrix::Shape::LocalFirst).then(own).flatten());
    Some(match unfit? {
        // The server's own name is not missing if the server was never met.
        Unfit::Name(Name::TargetHost | Name::OwnDomain) if !was_met(evidence) => return None,
        Unfit::Name(name) => NotApplicable::NameUnknown { name },
        Unfit::Need(Need::SecondDomain) => NotApplicable::SecondDomainMissing,
        Unfit::Need(Need::Sink) => NotApplicable::NoSink,
        Unfit::Need(need) => NotApplicable::NotOffered { need },
        Unfit::Line => NotApplicable::TooLong,
    })
}

fn was_met(evidence: &Evidence<'_>) -> bool {
    evidence.target_connections().any(|seen| !seen.hellos.is_empty())
}

fn path_missing(evidence: &Evidence<'_>, probe: &Probe) -> Option<NotApplicable> {
    let path = evidence.record.path(probe)?;
    let mut here = evidence.connections(probe.path).peekable();
    let asleep = path.tls == Tls::StartTlsIfAsked && here.peek().is_none();
    if asleep && matches!(evidence.transcript.end, Some(End::Complete | End::NoService)) {
        return Some(NotApplicable::TlsNotAsked);
    }
    let closed = |seen: &Seen<'_>| {
        seen.connection.entries.iter().any(|entry| matches!(entry.what, What::Lost { loss: Loss::Refused }))
    };
    if probe.path > 0 && here.peek().is_some() && evidence.connections(probe.path).all(closed) {
        return Some(NotApplicable::PortClosed);
    }
    let clear = evidence.connections(probe.path).flat_map(|seen| &seen.hellos).find(|(_, secured)| !secured);
    let upgrades = matches!(path.tls, Tls::StartTls | Tls::StartTlsIfAsked);
    (upgrades && clear.is_some_and(|(ehlo, _)| !ehlo.offers(Extension::StartTls)))
        .then_some(NotApplicable::NoStartTls)
}

fn offer_missing(evidence: &Evidence<'_>, probe: &Probe, case: &Case) -> Option<NotApplicable> {
    let path = evidence.record.path(probe)?;
    let wants_secured = path.tls != Tls::None;
    let (ehlo, _) = evidence
        .connections(probe.path)
        .filter(|seen| seen.connection.hello == Hello::Own)
        .flat_map(|seen| &seen.hellos)
        .find(|(_, secured)| *secured == wants_secured)?;
    let unmet = case.needs.iter().find(|need| !need.is_met_by(ehlo));
    let within = case.shape.is_within(ehlo.limits());
    unmet
        .map(|&need| NotApplicable::NotOffered { need })
        .or_else(|| (!within).then_some(NotApplicable::TooManyRecipients))
}

fn not_tested(evidence: &Evidence<'_>, probe: &Probe) -> NotTested {
    let tls = evidence.record.path(probe).map_or(Tls::None, |path| path.tls);
    if tls != Tls::None && evidence.record.tls == DriverTls::Unable {
        return NotTested::DriverWithoutTls;
    }
    let asked = |seen: &&Seen<'_>| {
        seen.connection
            .entries
            .iter()
            .any(|entry| matches!(&entry.what, What::Command { probe: Some(of), .. } if *of == probe.number))
    };
    if let Some(seen) = evidence.connections(probe.path).rfind(asked) {
        return if seen.ledger.astray().is_some() { NotTested::OutOfStep } else { NotTested::CutOff };
    }
    match evidence.transcript.end {
        Some(End::Stopped) | None => return NotTested::Stopped,
        Some(End::Limit) => return NotTested::Limit,
        Some(End::Complete | End::NoService) => {}
    }
    let Some(Seen { connection: last, ledger, .. }) = evidence.connections(probe.path).next_back() else {
        // Its port does not answer in the clear, so TLS was not tried there.
        return NotTested::Unreachable;
    };
    match ledger.turns().iter().find(|turn| turn.class == Class::Refused).map(|turn| turn.asked.step) {
        _ if last.began_tls() && !last.is_secured() => NotTested::TlsFailed,
        Some(Step::StartTls) => NotTested::TlsFailed,
        Some(Step::Greeting | Step::Hello) => NotTested::TurnedAway,
        _ if ledger.turns().is_empty() && ledger.astray() != Some(Astray::NotAReply) => {
            NotTested::Unreachable
        }
        _ => NotTested::CutOff,
    }
}
