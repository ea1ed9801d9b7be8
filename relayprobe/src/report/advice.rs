//! What words and verdicts mean for the person who reads them: tables of text.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Report;
use crate::link::Loss;
use crate::matrix;
use crate::octets::escape;
use crate::outcome::{NotApplicable, Outcome};
use crate::plan::{Prove, Vantage};
use crate::receipt::EgressKind;
use crate::transcript::Astray;
use crate::verdict::{NoReceipt, Reason, Verdict, effect};

/// One sentence for each verdict.
pub(super) const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::OpenRelay => {
            "The server relays: a test message of ours came back through it, or was being handed to us by it."
        }
        Verdict::AcceptsWithoutRelaying => {
            "The server accepts messages of strangers for strangers, and passed none of them on."
        }
        Verdict::Suspected => {
            "The server accepts envelopes that a correct server refuses. Acceptance is not relaying: nothing is proven yet."
        }
        Verdict::Closed => "The server refused every envelope of a stranger for a stranger.",
        Verdict::NoMailService => "The domain says that it takes no mail, so there is no server to ask.",
        Verdict::TesterBlocked => {
            "The server turns this tester away, so nothing is known of what it does for others."
        }
        Verdict::Unreachable => "There was nothing to talk to. That does not make a server closed.",
        Verdict::NotSmtp => "What answered there does not speak SMTP.",
        Verdict::Undetermined => "It is not known whether the server relays.",
    }
}

/// What the reader can do now.
pub(super) fn next_steps(report: &Report) -> Vec<String> {
    let mut steps: Vec<String> = match report.verdict {
        Verdict::OpenRelay => open_relay(report),
        Verdict::Suspected => suspected(report),
        Verdict::AcceptsWithoutRelaying => swallower(report),
        Verdict::Closed => closed(report),
        Verdict::NoMailService => Vec::new(),
        Verdict::TesterBlocked => [
            "Ask the operator to let this tester through to the mail server, without allowing it to relay.",
            "Or test from another address that the operator knows, and name it with --source.",
        ]
        .map(String::from)
        .into(),
        Verdict::Unreachable => [
            "Check address and port, and whether a filter stands between (--measure names one that you know of).",
            "Test again from a vantage that can reach the server.",
        ]
        .map(String::from)
        .into(),
        Verdict::NotSmtp => {
            ["Check address and port; a server that speaks TLS from the first octet is asked on port 465.".into()].into()
        }
        Verdict::Undetermined => undetermined(report),
    };
    if report.run.vantage != Vantage::Outside {
        steps.push("Seen from inside: a server may trust this network and refuse strangers, or the reverse. Test from outside too.".into());
    }
    if matches!(report.verdict, Verdict::Closed | Verdict::Suspected) && second_domain_missing(report) {
        steps.push("Only one domain is ours here: a sender in a second one of yours (--sender-domain) would show servers that only trust this sender.".into());
    }
    steps
}

fn open_relay(report: &Report) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let ids: Vec<String> = report
        .probes
        .iter()
        .filter(|probe| probe.outcome.is_proof())
        .filter_map(|probe| probe.queue_id.as_ref().map(|id| escape(id.as_bytes())))
        .collect();
    if !ids.is_empty() {
        steps.push(format!("In the server's logs these are our messages: {}.", ids.join(", ")));
    }
    let behind = report.receipts.iter().filter_map(|receipt| receipt.egress.as_ref());
    if behind.clone().any(|egress| egress.kind == EgressKind::Smarthost) {
        steps.push("The mail leaves by another machine: block lists will name that one, but it is the server tested here that must be closed.".into());
    }
    steps.push("Close it: relay for its own networks and for those who log in, and for nobody else.".into());
    steps.push(
        "Then empty its queue before a block is lifted: what strangers left there would go out.".into(),
    );
    steps.push("Then test again, with the standard matrix (--matrix standard).".into());
    steps
}

fn swallower(report: &Report) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    if report.probes.iter().any(|probe| matches!(probe.outcome, Outcome::AcceptedThenBounced { .. })) {
        steps.push("It accepts first and reports the failure later, to senders that anybody can invent: refuse unknown recipients at RCPT instead.".into());
    }
    steps.push("Nothing came back in time. A queue that is held now would still tell, as long as somebody listens at the probe domain.".into());
    steps
}

fn suspected(report: &Report) -> Vec<String> {
    let mut steps = Vec::new();
    if let Some(until) = report.pending_until {
        steps.push(format!("Judge it again after {until}, with what has come by then (relayprobe judge)."));
    }
    if report.reasons.contains(&Reason::SinkUnproven) {
        steps.push("See that our own receiving server can be reached (--way-in), then judge again with a sign of life from it (relayprobe judge --check-sink).".into());
    }
    if report.run.prove.is_none() {
        steps.push(
            "Send messages for what was accepted (--sink or --receipts): whether they come back decides."
                .into(),
        );
    }
    let unproven = report.reasons.iter().any(|reason| matches!(reason, Reason::Unproven { .. }));
    if unproven && report.run.prove == Some(Prove::Families) {
        steps.push("Some accepted cases had no message: --prove all sends one for each.".into());
    }
    if accepted(report, matrix::UNRELATED_EXTERNAL) {
        steps.push("It accepts even a recipient that cannot exist: it may be a trap or a catch-all that relays nothing.".into());
    } else if accepted(report, matrix::UNKNOWN_LOCAL) {
        steps.push(
            "It accepts unknown local recipients, so acceptance of forms at its own domain says little."
                .into(),
        );
    }
    let hidden = report
        .run
        .measures
        .iter()
        .find(|&&measure| effect(Some(measure), report.run.vantage).no_receipt == NoReceipt::Nothing);
    if let Some(measure) = hidden {
        steps.push(format!(
            "A measure hides the way out ({}): a message that does not arrive will prove nothing.",
            measure.as_str()
        ));
    }
    steps.push("Look at the accepted cases above and at the server's rules for them; the transcript (--transcript FILE) has every line.".into());
    steps.push("Do not block on this alone: only a message that comes back proves relaying.".into());
    steps
}

fn closed(report: &Report) -> Vec<String> {
    let mut steps = Vec::new();
    if report.run.selection < crate::Selection::Standard {
        steps.push("Before a block is lifted, run the standard matrix too (--matrix standard).".to_string());
    }
    let names: Vec<&str> = missing_names(report);
    if !names.is_empty() {
        steps.push(format!(
            "Some cases need names that were not given ({}); give them for a wider test.",
            names.join(", ")
        ));
    }
    if steps.is_empty() {
        steps.push("Nothing: keep the report.".into());
    }
    steps
}

fn undetermined(report: &Report) -> Vec<String> {
    let mut steps = Vec::new();
    for reason in &report.reasons {
        let step = match reason {
            // These stand beside a suspicion alone.
            Reason::Pending { .. } | Reason::Unproven { .. } | Reason::SinkUnproven => continue,
            Reason::Deferred { .. } | Reason::Busy => {
                "Test again later, or with --profile patient, which waits and asks again."
            }
            Reason::LocalNotAccepted { .. } => {
                "Name a mail domain of the server's own (--domain) or a real mailbox (--mailbox)."
            }
            Reason::UnreadRefusal { .. } => {
                "Read the refusal (--transcript FILE), or name a mailbox that exists there (--mailbox): if that is accepted, a refusal is about the recipient."
            }
            Reason::TlsRequired => "Use a build with TLS.",
            Reason::MeasureInForce { .. } => {
                "Test from a vantage behind the measure, and name it (--vantage)."
            }
            Reason::IdentityChanged => "Find out whose server this is now before anything else.",
            Reason::PartialMatrix => "Run the quick or standard matrix for a verdict.",
            Reason::AcceptsEverything
            | Reason::NotTested { .. }
            | Reason::ControlMissing
            | Reason::OtherRefusal { .. }
            | Reason::NoPlainCase
            | Reason::OutOfStep
            | Reason::CutOff
            | Reason::Stopped
            | Reason::Limit
            | Reason::PathNotTested { .. } => "Read the transcript (--transcript FILE), and test again.",
        };
        if !steps.iter().any(|known| known == step) {
            steps.push(step.to_string());
        }
    }
    steps
}

fn accepted(report: &Report, id: &str) -> bool {
    report.probes.iter().any(|probe| probe.case == id && probe.outcome.is_accepted())
}

fn second_domain_missing(report: &Report) -> bool {
    let missing = Outcome::NotApplicable { reason: NotApplicable::SecondDomainMissing };
    report.probes.iter().any(|probe| probe.outcome == missing)
}

/// Names that the caller could give.
fn missing_names(report: &Report) -> Vec<&'static str> {
    use crate::matrix::Name;
    let mut options = Vec::new();
    for probe in &report.probes {
        let Outcome::NotApplicable { reason: NotApplicable::NameUnknown { name } } = probe.outcome else {
            continue;
        };
        let option = match name {
            Name::TargetDomain => "--domain",
            Name::LocalUser => "--mailbox",
            _ => continue,
        };
        if !options.contains(&option) {
            options.push(option);
        }
    }
    options
}

/// What the acceptance of a control says, where it is worth saying.
pub(super) fn control_note(id: &str) -> Option<&'static str> {
    match id {
        matrix::UNKNOWN_LOCAL => Some("accepts unknown local recipients"),
        matrix::UNRELATED_EXTERNAL => Some("accepts a recipient that cannot exist"),
        matrix::HOSTED_SHAPE => Some("accepts unknown local parts with a percent sign"),
        _ => None,
    }
}

pub(super) const fn not_applicable(reason: NotApplicable) -> &'static str {
    match reason {
        NotApplicable::NameUnknown { .. } => "a name it needs is not known",
        NotApplicable::NotOffered { .. } => "the server does not offer what it needs",
        NotApplicable::TooManyRecipients => "the server announces that it takes fewer recipients",
        NotApplicable::NoStartTls => "the server does not offer STARTTLS",
        NotApplicable::TlsNotAsked => "the server does not ask for TLS",
        NotApplicable::PortClosed => "nothing listens there",
        NotApplicable::SecondDomainMissing => "it needs a second domain of ours",
        NotApplicable::NoSink => "our receiving server takes no part in this run",
        NotApplicable::TooLong => "the command would be too long",
        NotApplicable::SenderNotAccepted => "the server does not take this sender at all",
        NotApplicable::NeverSent => "its token is never sent",
        NotApplicable::NothingToRepeat => "the case was not accepted",
    }
}

pub(super) const fn astray(how: Astray) -> &'static str {
    match how {
        Astray::Surplus => "a reply that nothing had asked for",
        Astray::WrongCode => "a code that its command cannot have",
        Astray::Contradiction => "a recipient accepted without a sender",
        Astray::NotAReply => "octets that are no reply",
        Astray::Missing => "several commands without a reply",
        Astray::Early => "a message answered before its end",
    }
}

pub(super) const fn loss(loss: Loss) -> &'static str {
    match loss {
        Loss::Refused => "connection refused",
        Loss::TimedOut => "timed out",
        Loss::NoRoute => "no route",
        Loss::Prohibited => "prohibited by a filter",
        Loss::NoAddress => "no usable local address",
        Loss::Closed => "closed",
        Loss::Reset => "reset",
        Loss::Tls => "TLS failed",
        Loss::Other => "a fault of the system",
    }
}
