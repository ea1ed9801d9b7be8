//! What the real servers do with mail they have taken, seen from a stub sink.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use relayprobe_tests::servers::{
    Server, Sink, exim, free_address, opensmtpd, postfix, probe_domain, sendmail,
};
use relayprobe_tests::stub_sink::{Manners, REFUSAL, StubSink, Visit};
use socket2::{Domain, Socket, Type};

/// Our sender.
const FROM: &str = "bounce+t00@tester.example";

/// Our recipient outside.
const TO: &str = "rp+t00@probe.example";

/// A program that relays for everybody.
struct Open {
    start: fn(Sink) -> Server,
    deferred: &'static str,
    flush: &'static str,
}

/// The four programs, open.
const OPEN: [Open; 4] = [
    Open {
        start: |sink| postfix::start(postfix::Flavour::Open, sink),
        deferred: postfix::DEFERRED,
        flush: postfix::FLUSH,
    },
    Open {
        start: |sink| exim::start(exim::Flavour::Open, sink),
        deferred: exim::DEFERRED,
        flush: exim::FLUSH,
    },
    Open {
        start: |sink| opensmtpd::start(opensmtpd::Flavour::Open, sink),
        deferred: opensmtpd::DEFERRED,
        flush: opensmtpd::FLUSH,
    },
    Open {
        start: |sink| sendmail::start(sendmail::Flavour::Open, sink),
        deferred: sendmail::DEFERRED,
        flush: sendmail::FLUSH,
    },
];

#[test]
fn every_open_server_hands_on_at_once_from_its_own_address() {
    for program in OPEN {
        let sink = StubSink::start(Manners::Takes, &["DSN"]);
        let server = (program.start)(Some(sink.addr));
        let begin = Instant::now();
        submit(&server, FROM, TO);
        let visit = next(&sink, &server);
        assert!(begin.elapsed() < Duration::from_secs(5), "{visit:?}\n{}", server.log());
        assert_eq!(visit.peer.ip(), server.addr.ip(), "{visit:?}");
        assert!(visit.helo.ends_with(" mail.target.example"), "{visit:?}");
        assert_eq!(visit.sender(), FROM, "{visit:?}");
        assert_eq!(visit.recipients(), [TO], "{visit:?}");
        assert!(visit.text().contains("by mail.target.example"), "{visit:?}");
        assert!(visit.text().ends_with("\nA test.\n.dot\n"), "{visit:?}");
    }
}

#[test]
fn every_open_server_reports_a_refusal_of_the_sink_to_the_sender() {
    for program in OPEN {
        for manners in [Manners::RefusesRecipients, Manners::RefusesMessages] {
            let sink = StubSink::start(manners, &[]);
            let server = (program.start)(Some(sink.addr));
            submit(&server, FROM, TO);
            assert_eq!(next(&sink, &server).recipients(), [TO]);
            let report = next(&sink, &server);
            assert_eq!(report.sender(), "", "{report:?}\n{}", server.log());
            assert_eq!(report.recipients(), [FROM], "{report:?}");
        }
    }
}

#[test]
fn mail_waits_for_a_sink_that_is_down() {
    for program in OPEN {
        let addr = free_address();
        let server = (program.start)(Some(addr));
        submit(&server, FROM, TO);
        server.wait_for_log(program.deferred);
        let sink = StubSink::start_at(addr, Manners::Takes, &[]);
        assert_eq!(sink.rest().len(), 0);
        server.run(program.flush);
        let visit = next(&sink, &server);
        assert_eq!(visit.recipients(), [TO], "{visit:?}");
        assert!(visit.content.is_some(), "{visit:?}");
    }
}

#[test]
fn a_chain_ends_at_the_smarthost_whose_line_names_the_first_server() {
    let sink = StubSink::start(Manners::Takes, &[]);
    let smarthost = postfix::start(postfix::Flavour::Smarthost, Some(sink.addr));
    for program in OPEN {
        let server = (program.start)(Some(smarthost.addr));
        submit(&server, FROM, TO);
        let visit = next(&sink, &server);
        assert_eq!(visit.peer.ip(), smarthost.addr.ip(), "{visit:?}");
        assert_eq!(visit.helo, "EHLO smarthost.isp.example");
        let trace: Vec<&str> = visit.text().split("Received: ").skip(1).collect();
        assert!(trace[0].starts_with("from mail.target.example ("), "{visit:?}");
        assert!(trace[0].contains(&format!("[{}]", server.addr.ip())), "{visit:?}");
        assert!(trace[0].contains("by smarthost.isp.example (Postfix)"), "{visit:?}");
        assert!(trace[1].contains("by mail.target.example"), "{visit:?}");
    }
}

#[test]
fn a_server_that_swallows_takes_everything_and_sends_nothing() {
    let sink = StubSink::start(Manners::Takes, &[]);
    let server = postfix::start(postfix::Flavour::Swallows, Some(sink.addr));
    for (to, understood) in [
        (TO, TO),
        ("stranger@target.example", "stranger@target.example"),
        ("\"rp@probe.example\"@target.example", "rp@probe.example"),
        ("rp%probe.example@[192.0.2.1]", "rp%probe.example@[192.0.2.1]"),
    ] {
        submit(&server, FROM, to);
        server.wait_for_log(&format!("to=<{understood}>, "));
    }
    server.wait_for_log("(swallowed)");
    assert_eq!(sink.rest().len(), 0);
}

#[test]
fn a_server_that_accepts_and_bounces_sends_the_sender_a_report_and_relays_nothing() {
    let programs: [fn(Sink) -> Server; 2] = [
        |sink| postfix::start(postfix::Flavour::AcceptsThenBounces, sink),
        |sink| exim::start(exim::Flavour::AcceptsThenBounces, sink),
    ];
    for start in programs {
        let sink = StubSink::start(Manners::Takes, &[]);
        let server = start(Some(sink.addr));
        for to in [
            "stranger@target.example",
            "rp%probe.example@target.example",
            "probe.example!rp@target.example",
            "\"rp@probe.example\"@target.example",
        ] {
            submit(&server, FROM, to);
            let report = next(&sink, &server);
            assert_eq!(report.sender(), "", "{to} {report:?}");
            assert_eq!(report.recipients(), [FROM], "{to} {report:?}");
            assert!(report.text().contains("multipart/report"), "{to} {report:?}");
        }
        refuse(&server, TO);
        assert_eq!(sink.rest().len(), 0);
    }
}

#[test]
fn a_callout_asks_the_sink_for_the_recipient_and_brings_no_message() {
    let programs: [fn(Sink) -> Server; 2] = [
        |sink| postfix::start(postfix::Flavour::CallsOut, sink),
        |sink| exim::start(exim::Flavour::CallsOut, sink),
    ];
    for start in programs {
        for manners in [Manners::Takes, Manners::RefusesRecipients] {
            let sink = StubSink::start(manners, &[]);
            let server = start(Some(sink.addr));
            let refusal = refuse(&server, TO);
            // Refused by the relay check, unless the sink had refused before.
            let from_sink = manners == Manners::RefusesRecipients;
            assert_eq!(refusal.contains(REFUSAL), from_sink, "{refusal}");
            let relay_words = ["Relay access denied", "relay not permitted"];
            assert_eq!(relay_words.iter().any(|words| refusal.contains(words)), !from_sink, "{refusal}");
            let visit = next(&sink, &server);
            assert_eq!(visit.peer.ip(), server.addr.ip(), "{visit:?}");
            assert_eq!(visit.sender(), "", "{visit:?}");
            assert_eq!(visit.recipients(), [TO], "{visit:?}");
            assert!(visit.content.is_none(), "{visit:?}");
            assert!(matches!(visit.commands.last().map(String::as_str), Some("QUIT" | "RSET")), "{visit:?}");
            assert!(!visit.commands.iter().any(|line| line == "DATA"), "{visit:?}");
        }
    }
}

#[test]
fn a_callout_that_finds_nobody_leaves_the_relay_check() {
    let nowhere = Some(free_address());
    let refusal = refuse(&postfix::start(postfix::Flavour::CallsOut, nowhere), TO);
    assert!(refusal.contains("Relay access denied"), "{refusal}");
    let refusal = refuse(&exim::start(exim::Flavour::CallsOut, nowhere), TO);
    assert!(refusal.contains("relay not permitted"), "{refusal}");
}

/// Local parts with everything that another server might take apart.
const LOCAL_PARTS: [&str; 7] = [
    "rp-t00",
    "RP+t00",
    "a%other.example",
    "other.example!a",
    "\"a b\"",
    "\"a@other.example\"",
    "\"\\\"\\\\\"",
];

#[test]
fn the_probe_domain_keeps_every_message_with_its_envelope() {
    let server = probe_domain::start(probe_domain::Store::Maildir);
    for local_part in LOCAL_PARTS {
        let to = format!("{local_part}@probe.example");
        submit(&server, FROM, &to);
        let text = take_file(&server.folder().join(probe_domain::MAILDIR).join("new"));
        let head = format!("Return-Path: <{FROM}>\nX-Original-To: {to}\nDelivered-To: {to}\nReceived: from ");
        assert!(text.starts_with(&head), "{to}\n{text}");
        assert!(text.ends_with("\nA test.\n.dot\n"), "{to}\n{text}");
    }
    submit(&server, "", TO);
    let text = take_file(&server.folder().join(probe_domain::MAILDIR).join("new"));
    assert!(text.starts_with("Return-Path: <>\n"), "{text}");
    for to in ["a@other.example", "a@probe.example@other.example", "@probe.example:a@other.example"] {
        refuse(&server, to);
    }
}

#[test]
fn the_probe_domain_can_be_piped_to_a_program() {
    let server = probe_domain::start(probe_domain::Store::Pipe);
    for local_part in LOCAL_PARTS {
        for from in [FROM, ""] {
            let to = format!("{local_part}@probe.example");
            submit(&server, from, &to);
            let text = take_file(&server.folder().join(probe_domain::PIPED));
            let head = format!(
                "{from}\n{to}\n127.0.0.2\n\nReturn-Path: <{from}>\nX-Original-To: {to}\nDelivered-To: {to}\n"
            );
            assert!(text.starts_with(&head), "{to}\n{text}");
            assert!(text.ends_with("\nA test.\n.dot\n"), "{to}\n{text}");
        }
    }
}

/// What comes to the sink next.
fn next(sink: &StubSink, server: &Server) -> Visit {
    sink.wait().unwrap_or_else(|| panic!("nothing comes to the sink:\n{}", server.log()))
}

/// Sends a message that the server takes.
fn submit(server: &Server, from: &str, to: &str) {
    let mut client = Client::connect(server.addr);
    for (line, code) in [
        ("EHLO client.tester.example".to_owned(), "250"),
        (format!("MAIL FROM:<{from}>"), "250"),
        (format!("RCPT TO:<{to}>"), "250"),
        ("DATA".to_owned(), "354"),
        (format!("From: <{FROM}>\r\nTo: <{TO}>\r\nSubject: Test\r\n\r\nA test.\r\n..dot\r\n."), "250"),
        ("QUIT".to_owned(), "221"),
    ] {
        let reply = client.say(&line);
        assert!(reply.starts_with(code), "{line}\n{reply}\n{}", server.log());
    }
}

/// The reply to a recipient that the server does not take.
fn refuse(server: &Server, to: &str) -> String {
    let mut client = Client::connect(server.addr);
    client.say("EHLO client.tester.example");
    client.say(&format!("MAIL FROM:<{FROM}>"));
    let reply = client.say(&format!("RCPT TO:<{to}>"));
    assert!(reply.starts_with('5'), "{to} {reply}\n{}", server.log());
    client.say("QUIT");
    reply
}

/// A client as another host on loopback.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn connect(to: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).expect("our own address");
        socket.connect(&to.into()).expect("the server listens");
        socket.set_read_timeout(Some(Duration::from_mins(1))).expect("a time limit");
        let mut client = Self { stream: BufReader::new(socket.into()) };
        client.reply();
        client
    }

    fn say(&mut self, line: &str) -> String {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).expect("the server reads");
        self.reply()
    }

    fn reply(&mut self) -> String {
        let mut text = String::new();
        loop {
            let begin = text.len();
            self.stream.read_line(&mut text).expect("the server answers");
            if text.as_bytes().get(begin + 3) != Some(&b'-') {
                return text;
            }
        }
    }
}

/// Takes the one file that comes into a folder.
fn take_file(folder: &Path) -> String {
    let begin = Instant::now();
    loop {
        let files: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
        if let [file] = &files[..] {
            let text = fs::read_to_string(file.path()).expect("a message can be read");
            fs::remove_file(file.path()).expect("a message can be removed");
            return text;
        }
        assert!(files.is_empty() && begin.elapsed() < Duration::from_secs(30), "{files:?}");
        thread::sleep(Duration::from_millis(10));
    }
}
