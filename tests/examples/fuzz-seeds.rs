//! Writes the octets that the fuzzers begin with, made from the dialogues, into `fuzz/seeds/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use relayprobe::Report;
use relayprobe::octets::Octets;
use relayprobe::transcript::{Step, What};
use relayprobe_tests::dialogue::{self, Action};
use relayprobe_tests::{script, virtual_time};

/// Replies of real servers, as recorded in the tests of the servers.
const REAL: &[(&str, &str)] = &[
    (
        "postfix",
        "220 mx.target.example ESMTP Postfix (Debian/GNU)\r\n250-mx.target.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n250 2.1.0 Ok\r\n454 4.7.1 <x@probe.example>: Relay access denied\r\n250 2.0.0 Ok: queued as 4bCd51Tn3Dz1\r\n",
    ),
    (
        "exim",
        "220 mx.target.example ESMTP Exim 4.96 Thu, 26 Nov 2026 01:00:00 +0000\r\n250-mx.target.example Hello probe.example [127.0.0.2]\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-PIPELINING\r\n250-PIPECONNECT\r\n250-CHUNKING\r\n250-PRDR\r\n250 HELP\r\n501 <x>: domain literals not allowed\r\n550 relay not permitted\r\n250 OK id=1r6yQp-0003Ab-1C\r\n",
    ),
    (
        "sendmail",
        "220 mx.target.example ESMTP Sendmail 8.17.1.9/8.17.1.9/Debian-2; Thu, 26 Nov 2026 01:00:00 GMT; (No UCE/UBE) logging access from: [127.0.0.2](FAIL)-[127.0.0.2]\r\n250-mx.target.example Hello [127.0.0.2], pleased to meet you\r\n250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n250-EXPN\r\n250-VERB\r\n250 DELIVERBY\r\n550 5.7.1 <x@probe.example>... Relaying denied\r\n250 2.0.0 3AQ10000001234 Message accepted for delivery\r\n",
    ),
    (
        "opensmtpd",
        "220 mx.target.example ESMTP OpenSMTPD\r\n250-mx.target.example Hello probe.example [127.0.0.2], pleased to meet you\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-SIZE 36700160\r\n250-DSN\r\n250 HELP\r\n550 Invalid recipient: <x@probe.example>\r\n250 2.0.0 7d2a1c3e Message accepted for delivery\r\n",
    ),
];

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let write = |check: &str, name: &str, octets: &[u8]| {
        let folder = folder.join(check);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), octets)
    };
    for (name, replies) in REAL {
        write("reply", name, &[b"\0\x01", replies.as_bytes()].concat())?;
    }
    let mut commands = BTreeSet::new();
    for dialogue in dialogue::all() {
        let report = virtual_time::run(&dialogue, usize::MAX).report;
        let said = replies(&report);
        // The first octets choose limits and cuts.
        write("reply", &dialogue.name, &[&b"\0\x01"[..], &said[..said.len().min(1_000)]].concat())?;
        let first: Vec<u8> = dialogue.rules.iter().flat_map(|rule| scripted(&rule.actions)).collect();
        for check in ["session", "pairing"] {
            write(check, &dialogue.name, &choices(&dialogue, &first))?;
        }
        commands.extend(sent(&report));
        if ["starttls-injection", "reply-251", "prove-bounced", "custom-case"].contains(&&*dialogue.name) {
            write("report", &dialogue.name, report.to_json().as_bytes())?;
        }
    }
    for (at, command) in commands.iter().take(60).enumerate() {
        write("command", &format!("line-{at}"), command.as_bytes())?;
        let address = command.split(['<', '>']).nth(1).unwrap_or_default();
        write("address", &format!("path-{at}"), address.as_bytes())?;
    }
    Ok(())
}

/// All that a server said.
fn replies(report: &Report) -> Vec<u8> {
    let entries = report.transcript.connections.iter().flat_map(|connection| &connection.entries);
    let said = entries.filter_map(|entry| match &entry.what {
        What::Reply { octets, .. } | What::Fault { octets, .. } => Some(octets.as_bytes()),
        _ => None,
    });
    said.collect::<Vec<_>>().concat()
}

/// The command lines of a run.
fn sent(report: &Report) -> impl Iterator<Item = String> {
    let entries = report.transcript.connections.iter().flat_map(|connection| &connection.entries);
    let lines = entries.filter_map(|entry| match &entry.what {
        What::Command { step, octets, .. } if *step != Step::Message => Some(Octets::escaped(octets)),
        _ => None,
    });
    lines.map(|line| line.trim_end_matches("\\x0d\\x0a").to_owned())
}

/// What a rule's server sends.
fn scripted(actions: &[Action]) -> Vec<u8> {
    let octets = actions.iter().map(|action| match action {
        Action::Send(octets) => octets.get(..octets.len().min(60)).unwrap_or_default(),
        Action::Wait(_) | Action::Close | Action::Reset | Action::Tls => &[],
    });
    octets.collect::<Vec<_>>().concat()
}

/// Choices for a session: its plan, its server, and now and then what this dialogue's server says.
fn choices(dialogue: &dialogue::Dialogue, said: &[u8]) -> Vec<u8> {
    let proves = if dialogue.has("prove") { 0x28 } else { 0 };
    let offers = dialogue.settings.iter().any(|(_, value)| script::matches("*PIPELINING*", value));
    let sum = dialogue.name.bytes().fold(0_usize, |sum, octet| sum * 31 % 251 + usize::from(octet));
    let mut choices = vec![proves | 1, u8::from(offers) | (proves & 8)];
    choices.resize(sum % 40 + 4, 0);
    choices.push(0xe0);
    choices.push(u8::try_from(said.len()).unwrap_or(u8::MAX));
    choices.extend_from_slice(&said[..said.len().min(255)]);
    choices.resize(choices.len() + 64, 0);
    choices
}
