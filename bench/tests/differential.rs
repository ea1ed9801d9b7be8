//! The same octets, read as replies by us and by others: what differs is explained, and stands in docs/replies.md.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use lettre::transport::smtp::response::Response;
use relayprobe::octets::Octets;
use relayprobe::wire::{ReplyDecoder, ReplyLimits};
use smtp_proto::Error;
use smtp_proto::response::parser::ResponseReceiver;

/// Octets as a dialogue writes them, and why we read them otherwise than others do; empty where all agree.
const REPLIES: &[(&str, &str)] = &[
    (r"250 2.1.0 Ok\x0d\x0a", ""),
    (r"250-mx.example\x0d\x0a250-PIPELINING\x0d\x0a250 DSN\x0d\x0a", ""),
    (r"554 5.7.1 Relay access denied\x0d\x0a", ""),
    (r"250\x0d\x0a", "the text is optional"),
    (r"250 \x0d\x0a", ""),
    (r"250-first\x0d\x0a", ""),
    (r"550", "a line without its end is no reply: the connection was cut"),
    (r"OK\x0d\x0a", ""),
    (r"\x0d\x0a250 ok\x0d\x0a", "an empty line is no reply, and is not skipped"),
    (
        r"250 ok\x0a",
        "a line ends in CRLF alone; whoever takes a bare LF can be made to see a reply within a text",
    ),
    (r"250-a\x0a250 b\x0d\x0a", "the same within a reply"),
    (r"250 a\x0d550 b\x0d\x0a", "a lone CR is text and ends nothing"),
    (r"2500 ok\x0d\x0a", "after the code stands a blank, a hyphen or the line end"),
    (r"250+ok\x0d\x0a", "the same"),
    (r"250\x09ok\x0d\x0a", "the same; a tab is no blank"),
    (r"+25 ok\x0d\x0a", "three digits make a code; a number that a lenient reader takes does not"),
    (r" 25 ok\x0d\x0a", "the same"),
    (r"2_5 ok\x0d\x0a", "the same"),
    (r"999 ok\x0d\x0a", "the first digit is from 1 to 5"),
    (r"099 ok\x0d\x0a", "the same"),
    (r"250-a\x0d\x0a550 b\x0d\x0a", "one reply has one code; neither of two is believed"),
    (r"550-a\x0d\x0a250 b\x0d\x0a", "the same: here others see an acceptance"),
    (r"250-a\x0d\x0alog line\x0d\x0a250 b\x0d\x0a", "a line that is no part of a reply is not skipped"),
    (r"250 a\x00b\x0d\x0a", "a NUL is text"),
    (r"550 \xff\xfe\x0d\x0a", "octets that are no UTF-8 are text"),
    (r"299 ok\x0d\x0a", "a code that nobody knows is one all the same; its class says what it is"),
    (r"SSH-2.0-OpenSSH_9.2\x0d\x0a", ""),
    (r"\x16\x03\x01\x00\x05hello\x0d\x0a", ""),
];

/// The readers, in the order of the columns.
const READERS: [&str; 5] = ["relayprobe", "smtp-proto", "lettre", "smtplib", "aiosmtplib"];

fn ours(octets: &[u8]) -> String {
    let mut rest = octets;
    match ReplyDecoder::new(ReplyLimits::default()).read(&mut rest) {
        Some(Ok(reply)) => reply.code().to_string(),
        Some(Err(_)) => "error".into(),
        None => "more".into(),
    }
}

fn by_smtp_proto(octets: &[u8]) -> String {
    match ResponseReceiver::default().parse(&mut octets.iter()) {
        Ok(response) => response.code.to_string(),
        Err(Error::NeedsMoreData { .. }) => "more".into(),
        Err(_) => "error".into(),
    }
}

fn by_lettre(octets: &[u8]) -> String {
    // Its client reads lines of text, and parses what it has after each.
    let Ok(text) = std::str::from_utf8(octets) else { return "error".into() };
    match text.parse::<Response>() {
        Ok(response) => response.code().to_string(),
        Err(error) if format!("{error:?}").contains("Incomplete") => "more".into(),
        Err(_) => "error".into(),
    }
}

/// What smtplib and aiosmtplib read.
fn by_python(all: &[Vec<u8>]) -> Vec<[String; 2]> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("read_replies.py");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let mut command = Command::new(python);
    let mut child =
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3");
    let mut lines = String::new();
    for octets in all {
        for octet in octets {
            write!(lines, "{octet:02x}").expect("a string takes all");
        }
        lines.push('\n');
    }
    child.stdin.take().expect("its input").write_all(lines.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("its output");
    let told = String::from_utf8(output.stdout).expect("text");
    let words = |line: &str| line.split_once(' ').map(|(one, other)| [one.to_owned(), other.to_owned()]);
    told.lines().map(|line| words(line).expect("two words")).collect()
}

#[test]
fn what_others_read_otherwise_is_explained() {
    let octets: Vec<Vec<u8>> = REPLIES
        .iter()
        .map(|(text, _)| Octets::from_escaped(text).expect("an escaped text").as_bytes().to_vec())
        .collect();
    let python = by_python(&octets);
    assert_eq!(python.len(), octets.len());
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/replies.md");
    let mut wrong = Vec::new();
    let known = std::fs::read_to_string(&page).unwrap_or_default();
    let mut table =
        format!("| octets | {} | why |\n|{}\n", READERS.join(" | "), "---|".repeat(READERS.len() + 2));
    for (((text, why), octets), [smtplib, aiosmtplib]) in REPLIES.iter().zip(&octets).zip(python) {
        let others = [by_smtp_proto(octets), by_lettre(octets), smtplib, aiosmtplib];
        let mine = ours(octets);
        let present: Vec<&String> = others.iter().filter(|found| *found != "absent").collect();
        let differs = present.iter().any(|found| **found != mine);
        if differs && why.is_empty() {
            wrong.push(format!("{text}: {mine}, and others {others:?}, unexplained"));
        }
        writeln!(table, "| `{text}` | {mine} | {} | {why} |", others.join(" | "))
            .expect("a string takes all");
        // Without aiosmtplib its column cannot be checked.
        let row = known.lines().find(|line| line.starts_with(&format!("| `{text}` |")));
        let same = row.is_some_and(|row| {
            let cells: Vec<&str> = row.split(" | ").skip(1).take(READERS.len()).collect();
            let found = std::iter::once(&mine).chain(&others);
            cells.len() == READERS.len()
                && cells.iter().zip(found).all(|(cell, found)| cell == found || found == "absent")
        });
        if !same && std::env::var_os("UPDATE").is_none() {
            wrong.push(format!("docs/replies.md says something else of {text}: {mine} {others:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if std::env::var_os("UPDATE").is_some() {
        let head = known.split("| octets |").next().unwrap_or_default();
        std::fs::write(&page, format!("{head}{table}")).expect("the page");
    }
}
