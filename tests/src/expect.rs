//! What a dialogue expects of a report.

use relayprobe::outcome::{NotTested, Outcome};
use relayprobe::transcript::{Step, What};
use relayprobe::{Report, Transcript};

use crate::dialogue::Dialogue;
use crate::script::Server;

/// Checks every `=` line of a dialogue.
///
/// # Panics
/// If one does not hold; the message has the transcript.
pub fn check(dialogue: &Dialogue, report: &Report, server: Option<&Server>, consumer: &str) {
    for expected in &dialogue.expected {
        let found = actual(expected, report, server);
        assert_eq!(
            found.as_deref().unwrap_or("nothing of the kind"),
            expected.as_str(),
            "{} ({consumer})\n{}\n{}",
            dialogue.name,
            report.text(),
            report.transcript_text()
        );
    }
}

/// The line that holds, in the words of the one that was expected.
fn actual(expected: &str, report: &Report, server: Option<&Server>) -> Option<String> {
    let words: Vec<&str> = expected.split(' ').collect();
    let key = *words.first()?;
    Some(match key {
        "verdict" => format!("verdict {}", report.verdict),
        "exit" => format!("exit {}", report.exit_code),
        "how" => format!("how {}", report.how?.as_str()),
        "connections" => format!("connections {}", report.transcript.connections.len()),
        "at-most-connections" => at_most(expected, report.transcript.connections.len())?,
        "at-most-refusals" => match server {
            Some(server) => at_most(expected, server.refusals())?,
            None => expected.into(),
        },
        "reason" => {
            let reasons = serde_json::to_value(&report.reasons).ok()?;
            let names: Vec<&str> =
                reasons.as_array()?.iter().filter_map(|reason| reason["reason"].as_str()).collect();
            let wanted = words.get(1)?;
            if names.contains(wanted) { expected.into() } else { format!("reasons {names:?}") }
        }
        "no-reason" => format!("no-reason{}", if report.reasons.is_empty() { "" } else { " but some" }),
        "found" => {
            let wanted = *words.get(1)?;
            let found = report
                .transcript
                .connections
                .iter()
                .flat_map(|c| &c.entries)
                .any(|entry| word(&entry.what) == wanted);
            if found { expected.into() } else { format!("not found {wanted}") }
        }
        "never-sent" => {
            let wanted = expected.strip_prefix("never-sent ")?.to_ascii_lowercase();
            let Some(server) = server else { return Some(expected.into()) };
            match server.commands.iter().find(|line| line.to_ascii_lowercase().starts_with(&wanted)) {
                Some(line) => format!("sent {line}"),
                None => expected.into(),
            }
        }
        "sent" => {
            let wanted = expected.strip_prefix("sent ")?.to_ascii_lowercase();
            let Some(server) = server else { return Some(expected.into()) };
            let sent = server.commands.iter().any(|line| line.to_ascii_lowercase().starts_with(&wanted));
            if sent { expected.into() } else { "never sent".into() }
        }
        "settled" => format!("settled {}", if report.settled { "yes" } else { "no" }),
        "messages" => {
            let Some(server) = server else { return Some(expected.into()) };
            format!("messages {}", server.messages.len())
        }
        "queue-id" => {
            let id = words.get(1)?;
            let probe = report.probes.iter().find(|probe| probe.case == *id && probe.beside.is_none())?;
            format!("queue-id {id} {}", probe.queue_id.as_ref()?)
        }
        "all" => all(report, words.get(1)?),
        _ => {
            let (id, path) = key.split_once('/').unwrap_or((key, "0"));
            let path: u16 = path.parse().ok()?;
            let probe = report
                .probes
                .iter()
                .find(|probe| probe.case == id && probe.path == path && probe.beside.is_none())?;
            let full = format!("{key} {}", outcome(&probe.outcome));
            // An expectation may stop after the outcome's name.
            if full.starts_with(&format!("{expected} ")) { expected.into() } else { full }
        }
    })
}

/// `at-most-connections 3`, where there were so many.
fn at_most(expected: &str, count: usize) -> Option<String> {
    let (what, limit) = expected.strip_prefix("at-most-")?.split_once(' ')?;
    let limit: usize = limit.parse().ok()?;
    Some(if count <= limit { expected.into() } else { format!("{count} {what}") })
}

/// `all refused`: every relay case that applies has this outcome.
fn all(report: &Report, wanted: &str) -> String {
    let other = report.probes.iter().find(|probe| {
        let relay = !probe.case.starts_with("ctl-");
        relay && probe.outcome.as_str() != wanted && !matches!(probe.outcome, Outcome::NotApplicable { .. })
    });
    other.map_or_else(
        || format!("all {wanted}"),
        |probe| format!("{} {}", probe.case, outcome(&probe.outcome)),
    )
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused { why, stage, .. } => format!("refused {} at {}", why.as_str(), stage.as_str()),
        Outcome::Deferred { stage, .. } => format!("deferred at {}", stage.as_str()),
        Outcome::NotApplicable { reason } => format!("not-applicable {}", reason.as_str()),
        Outcome::NotTested { reason } => format!("not-tested {}", tested(*reason)),
        other => other.as_str().into(),
    }
}

fn tested(reason: NotTested) -> &'static str {
    reason.as_str()
}

fn word(what: &What) -> String {
    serde_json::to_value(what)
        .ok()
        .and_then(|value| value["what"].as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// What happened, a line each, without what differs from run to run: times, also in messages, and the keys of TLS.
#[must_use]
pub fn timeless(transcript: &Transcript) -> Vec<String> {
    let lines = transcript.connections.iter().flat_map(|connection| {
        let begin =
            format!("connection {} on path {} as {:?}", connection.id.0, connection.path, connection.hello);
        let entries = connection.entries.iter().map(|entry| match &entry.what {
            What::Secured { .. } => "secured".to_owned(),
            // It tells when it was sent.
            What::Command { step: Step::Message, probe, .. } => format!("message {probe:?}"),
            what => format!("{what:?}"),
        });
        std::iter::once(begin).chain(entries).collect::<Vec<String>>()
    });
    lines.collect()
}

/// Two lists are the same, or the first place where they differ is told.
///
/// # Panics
/// If they differ.
pub fn assert_same(found: &[String], expected: &[String], whose: &str) {
    let differs = found.iter().zip(expected).position(|(a, b)| a != b);
    let at = differs.unwrap_or(found.len().min(expected.len()));
    let from = at.saturating_sub(3);
    assert!(
        found == expected,
        "{whose}, line {at}:\n{:#?}\ninstead of\n{:#?}",
        &found[from..(at + 2).min(found.len())],
        &expected[from..(at + 2).min(expected.len())]
    );
}
