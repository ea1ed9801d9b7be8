//! What must be true of a report, whatever the server did.

use relayprobe::outcome::Outcome;
use relayprobe::plan::RunRecord;
use relayprobe::transcript::{Connection, Step, What};
use relayprobe::{Report, Verdict};

use super::server::Peer;

pub(super) fn check(report: &Report, peers: &[Peer]) {
    let run = &report.run;
    assert!(report.verdict != Verdict::OpenRelay, "nothing came back:\n{}", shown(report));
    let limits = &run.limits;
    let connections = &report.transcript.connections;
    assert!(connections.len() <= limits.connections as usize, "too many connections:\n{}", shown(report));
    let end = report.transcript.ended.as_micros();
    assert!(end <= (limits.deadlines.run + limits.deadlines.connection) * 1_000, "it took {end} us");
    let mut messages = 0;
    for connection in connections {
        check_writes(connection, report);
        check_size(connection, run);
        messages += steps(connection).filter(|step| *step == Step::Message).count();
    }
    let most = if run.prove.is_some() { usize::from(limits.messages) } else { 0 };
    assert!(messages <= most, "{messages} messages:\n{}", shown(report));
    if peers.iter().all(|peer| is_traceable(peer) && !hides_a_gap(peer, connections)) {
        let all = peers.iter().all(|peer| !(peer.extra && ends_early(peer, connections)));
        check_answers(report, peers, all);
    }
}

/// Whether not every command was answered, so that the number of replies tells nothing. A 421 ends the connection too.
fn ends_early(peer: &Peer, connections: &[Connection]) -> bool {
    let closes = || peer.answered.iter().flatten().any(|code| *code == 421);
    peer.cut || closes() || is_waited_out(peer, connections)
}

/// Whether it can be known which reply answered which command.
///
/// Whoever leaves out the three replies to a whole transaction and then falls silent cannot be told from a server that
/// answered the one after it and then fell silent. Nor can one that doubles a reply and leaves another out.
fn is_traceable(peer: &Peer) -> bool {
    !peer.wild && peer.dropped < 3 && !(peer.extra && peer.dropped > 0)
}

/// Whether a reply is missing and no 221 to QUIT was seen to show it: what followed stands where the missing one would.
fn hides_a_gap(peer: &Peer, connections: &[Connection]) -> bool {
    let mut answers = of_peer(peer, connections).flat_map(steps).zip(&peer.answered);
    let is_shown = answers.any(|(step, codes)| step == Step::Quit && *codes == [221]);
    peer.dropped > 0 && (!is_shown || is_waited_out(peer, connections))
}

/// Whether we gave up waiting. What was still on its way was never seen, a reply too many included.
fn is_waited_out(peer: &Peer, connections: &[Connection]) -> bool {
    of_peer(peer, connections)
        .flat_map(|connection| &connection.entries)
        .any(|entry| matches!(entry.what, What::Deadline { .. }))
}

fn of_peer<'a>(peer: &Peer, connections: &'a [Connection]) -> impl Iterator<Item = &'a Connection> {
    let id = peer.id;
    connections.iter().filter(move |connection| connection.id == id)
}

fn steps(connection: &Connection) -> impl Iterator<Item = Step> {
    connection.entries.iter().filter_map(|entry| match &entry.what {
        What::Command { step, .. } => Some(*step),
        _ => None,
    })
}

/// Nothing is written after an error, a message only after its 354, and every line can be read as one command only.
fn check_writes(connection: &Connection, report: &Report) {
    let mut broken = false;
    let mut goes_on = false;
    for entry in &connection.entries {
        match &entry.what {
            What::Command { step, octets, .. } => {
                assert!(!broken, "written after an error:\n{}", shown(report));
                let is_message = *step == Step::Message;
                let chunk = octets.as_bytes().starts_with(b"BDAT ");
                assert!(is_message == goes_on || (is_message && chunk), "{step:?}:\n{}", shown(report));
                goes_on = false;
                let lines = octets.as_bytes().split_inclusive(|&octet| octet == b'\n');
                for line in lines.clone() {
                    let text = line.strip_suffix(b"\r\n").expect("every line ends in CRLF");
                    assert!(text.iter().all(|octet| *octet >= b' ' && *octet != 0x7f), "{octets:?}");
                    assert!(text.len() <= 510, "a line of {} octets", text.len());
                }
                assert!(is_message || lines.count() == 1, "{octets:?}");
            }
            What::Reply { octets, .. } => goes_on = octets.as_bytes().starts_with(b"354"),
            What::Fault { .. }
            | What::OutOfStep { .. }
            | What::ClearAfterStartTls { .. }
            | What::Flood
            | What::Lost { .. }
            | What::Closed => broken = true,
            // Whoever never spoke is left with QUIT.
            What::Deadline { step } => broken = *step != Step::Greeting,
            _ => {}
        }
    }
}

/// What is kept has a limit. A last piece may go beyond it: a read, and a reply.
fn check_size(connection: &Connection, run: &RunRecord) {
    let kept: usize = connection
        .entries
        .iter()
        .map(|entry| match &entry.what {
            What::Reply { octets, .. } | What::Fault { octets, .. } => octets.as_bytes().len(),
            _ => 0,
        })
        .sum();
    let most = run.limits.kept_per_connection + u64::from(run.limits.kept_per_reply);
    assert!(kept as u64 <= most, "{kept} octets are kept");
}

/// An acceptance was said in answer to the case's own commands, and so was what nobody asks again, refusals and the
/// answers to controls, where `all` can be known.
fn check_answers(report: &Report, peers: &[Peer], all: bool) {
    for probe in &report.probes {
        let (classes, said): (&[u16], _) = match &probe.outcome {
            Outcome::Accepted { .. }
            | Outcome::AcceptedPending { .. }
            | Outcome::AcceptedNoReceipt { .. }
                if all || !probe.case.starts_with("ctl-") =>
            {
                (&[2], "accepted")
            }
            Outcome::Refused { .. } if all => (&[4, 5], "refused"),
            Outcome::Deferred { .. } if all => (&[4, 5], "deferred"),
            _ => continue,
        };
        let steps = |step: Step| match said {
            "accepted" => step == Step::Rcpt,
            _ => matches!(step, Step::Hello | Step::Mail | Step::Rcpt | Step::Data | Step::Message),
        };
        let was_said = report.transcript.connections.iter().any(|connection| {
            let peer = peers.iter().find(|peer| peer.id == connection.id);
            let commands = connection.entries.iter().filter_map(|entry| match &entry.what {
                What::Command { step, probe, .. } => Some((*step, *probe)),
                _ => None,
            });
            commands.zip(peer.map(|peer| &*peer.answered).unwrap_or_default()).any(|((step, of), codes)| {
                let its_own = of == Some(probe.number) || (of.is_none() && step == Step::Hello);
                its_own && steps(step) && codes.iter().any(|code| classes.contains(&(code / 100)))
            })
        });
        assert!(was_said, "{} is {said}, and that was never said\n{peers:#?}\n{}", probe.case, shown(report));
    }
}

fn shown(report: &Report) -> String {
    format!("{}\n{}", report.text(), report.transcript_text())
}
