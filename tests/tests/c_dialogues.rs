//! Every dialogue file through the C interface: the same octets give the same report, byte for byte.

use relayprobe::moment::Date;
use relayprobe::plan::Plan;
use relayprobe::{Report, Verdict};
use relayprobe_tests::c_session::{CKeyring, CPlan, CReport, CSession};
use relayprobe_tests::dialogue::{self, Dialogue, keyring};
use relayprobe_tests::script::Server;
use relayprobe_tests::sockets::Listening;
use relayprobe_tests::virtual_time::{self, ADDRESS};

fn each(check: impl Fn(&Dialogue)) {
    let only = std::env::var("DIALOGUE").ok();
    let all = dialogue::all();
    let chosen: Vec<&Dialogue> =
        all.iter().filter(|dialogue| only.as_ref().is_none_or(|name| *name == dialogue.name)).collect();
    assert!(!chosen.is_empty(), "no dialogue is called {only:?}");
    chosen.into_iter().for_each(check);
}

fn plan(dialogue: &Dialogue) -> Plan {
    dialogue.plan(ADDRESS.parse().expect("an address"))
}

#[test]
fn a_session_in_c_gives_the_report_of_the_session_in_rust() {
    each(|dialogue| {
        let rust = virtual_time::drive(plan(dialogue), Server::new(dialogue), usize::MAX);
        for piece in [usize::MAX, 5] {
            let plan = CPlan::of(dialogue, ADDRESS.parse().expect("an address"));
            let mut session = CSession::new(&plan);
            let talk = virtual_time::converse(&mut session, Server::new(dialogue), piece);
            let report = session.report();
            assert_eq!(report.json(), rust.report.to_json(), "{}", dialogue.name);
            assert_eq!(talk.writes, rust.writes, "{}", dialogue.name);
            assert_eq!(report.verdict(), rust.report.verdict.as_str(), "{}", dialogue.name);
            assert_eq!(report.exit_code(), i32::from(rust.report.exit_code), "{}", dialogue.name);
            let probes = rust.report.probes.iter();
            let probes =
                probes.map(|probe| (probe.case.clone().into_owned(), probe.outcome.as_str().to_owned()));
            assert_eq!(report.probes(), probes.collect::<Vec<_>>(), "{}", dialogue.name);
        }
    });
}

#[test]
fn a_stored_report_is_judged_in_c_as_in_rust() {
    each(|dialogue| {
        let mut rust = virtual_time::run(dialogue, usize::MAX).report;
        let stored = CReport::from_json(&rust.to_json());
        assert_eq!(stored.json(), rust.to_json(), "{}", dialogue.name);
        let later = rust.as_of.unix() + 30 * 86_400;
        rust.judge(Date::from_unix(later));
        stored.judge(later);
        assert_eq!(stored.json(), rust.to_json(), "{}", dialogue.name);
    });
}

#[test]
fn the_driver_in_c_finds_what_the_dialogue_expects() {
    for name in ["closed-pipelined", "closed-lockstep", "open", "starttls-standard", "implicit-tls"] {
        let dialogue = dialogue::named(name);
        let server = Listening::start(&dialogue);
        let report = CPlan::of(&dialogue, server.address).run();
        let read = Report::from_json(&report.json()).expect("a report");
        relayprobe_tests::expect::check(&dialogue, &read, Some(&server.server()), "the driver in C");
    }
}

/// A message that the server relayed, stored by a receiving server of ours.
#[test]
fn a_message_that_comes_back_makes_an_open_relay() {
    let dialogue = dialogue::named("prove-open");
    let plan = CPlan::of(&dialogue, ADDRESS.parse().expect("an address"));
    let mut session = CSession::new(&plan);
    let talk = virtual_time::converse(&mut session, Server::new(&dialogue), usize::MAX);
    let report = session.report();
    assert_eq!(report.verdict(), "suspected");
    let mut rust = Report::from_json(&report.json()).expect("a report");

    let message = talk.server.messages.first().expect("a message was sent");
    let envelope = envelope(&talk.server.commands);
    let stored = stored(message, &envelope.0, &envelope.1);
    let (keys, at) = (CKeyring::new(), rust.as_of.unix() + 60);
    assert_eq!(report.add_message(&keys, b"Subject: hello\r\n\r\nnot ours\r\n", at), 1);
    assert_eq!(report.verdict(), "suspected");
    assert_eq!(report.add_message(&keys, &stored, at), 4, "relayed");
    assert_eq!((report.verdict(), report.exit_code()), ("open-relay".to_owned(), 2));
    let once = report.json();
    assert_eq!(report.add_message(&keys, &stored, at), 4);
    assert_eq!(report.json(), once, "the same message counts once");

    let arrival = relayprobe::receipt::Arrival::from_message(&stored, Date::from_unix(at));
    let record = rust.run.clone();
    match relayprobe::receipt::classify(&arrival, &keyring(), &|_| Some(record.clone())) {
        relayprobe::receipt::Classified::Receipt(receipt) => {
            rust.add(*receipt).expect("a receipt of this run")
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(rust.verdict, Verdict::OpenRelay);
    assert_eq!(once, rust.to_json());
}

/// Sender and recipient of the first transaction with a message.
fn envelope(commands: &[String]) -> (String, String) {
    let data = commands.iter().position(|command| command.starts_with("data") || command.starts_with("DATA"));
    let data = data.or_else(|| commands.iter().position(|command| command.starts_with("bdat")));
    let before = &commands[..data.expect("a message was begun")];
    let last = |verb: &str| {
        let line = before.iter().rev().find(|line| line.to_ascii_uppercase().starts_with(verb)).expect(verb);
        let path = line.split_once('<').expect("a path").1;
        path.split_once('>').expect("a path").0.to_owned()
    };
    (last("MAIL"), last("RCPT"))
}

/// The message as a receiving server keeps it, with the target's own line below its own.
fn stored(message: &[u8], sender: &str, recipient: &str) -> Vec<u8> {
    let message = message.strip_suffix(b".\r\n").unwrap_or(message);
    let mut stored = format!(
        "Return-Path: <{sender}>\r\nX-Original-To: {recipient}\r\n\
         Received: from mx.target.example (mx.target.example [127.0.0.1])\r\n\tby sink.probe.example with ESMTP id 1;\r\n\
         \tMon, 23 Nov 2026 22:44:54 +0000\r\n\
         Received: from probe.example (probe.example [192.0.2.1])\r\n\tby mx.target.example with ESMTP id 2;\r\n\
         \tMon, 23 Nov 2026 22:44:53 +0000\r\n"
    )
    .into_bytes();
    stored.extend_from_slice(message);
    stored
}
