//! What must hold for any server, however it behaves.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use relayprobe::moment::Date;
use relayprobe::outcome::Outcome;
use relayprobe::transcript::{Connection, End, Step, What};
use relayprobe::{Report, Verdict};
use relayprobe_tests::dialogue::{self, Dialogue, Rule};
use relayprobe_tests::script::Server;
use relayprobe_tests::virtual_time::{self, ADDRESS};

/// What servers say to anything, good and bad.
const REPLIES: &[&str] = &[
    "220 mx.target.example ESMTP",
    "250 2.1.0 Ok",
    "250-mx.target.example|250-PIPELINING|250 STARTTLS",
    "250-two|250 lines",
    "221 2.0.0 Bye|!close",
    "251 will forward",
    "354 go on",
    "421 4.7.0 too many errors|!close",
    "450 4.2.0 Greylisted",
    "451 4.7.1 Greylisting in action",
    "454 4.7.1 Relay access denied",
    "500 5.5.2 what",
    "503 5.5.1 need MAIL",
    "530 5.7.0 Authentication required",
    "530 5.7.0 Must issue a STARTTLS command first",
    "550 5.1.1 User unknown",
    "550 5.1.2 Domain not found",
    "554 5.7.1 Relay access denied",
    "554 5.7.1 Client host blocked using bl.example",
    "550",
    "250-mixed|550 codes",
    "2500 ok",
    "150 wait",
    "999 what",
    "!raw 550 no\\x0a",
    "!raw 550",
    "!raw \\x00\\xff\\x1b[2J\\x0d\\x0a",
    "250 2.1.0 Ok|250 2.1.0 Ok",
    "!wait 2|250 2.1.0 Ok",
    "!wait 9|250 2.1.0 Ok",
    "!close",
    "!reset",
    "",
];

const EVENTS: &[&str] = &[
    "greeting",
    "ehlo*",
    "helo*",
    "mail*",
    "mail from:<>*",
    "rcpt*",
    "rcpt to:<postmaster@target*",
    "rcpt to:<*@probe.example>",
    "rcpt to:<*probe.example*>",
    "data",
    "message",
    "rset",
    "quit",
    "starttls",
    "*",
];

const OFFERS: &[&str] =
    &["", "PIPELINING", "PIPELINING STARTTLS", "STARTTLS AUTH DSN", "PIPELINING CHUNKING SMTPUTF8"];

prop_compose! {
    fn rule()(event in 0..EVENTS.len(), nth in proptest::option::of(1..9_usize), reply in 0..REPLIES.len()) -> Rule {
        let actions = dialogue::actions(REPLIES[reply]).expect("a reply");
        Rule { pattern: EVENTS[event].into(), nth, actions }
    }
}

prop_compose! {
    fn server()(
        rules in proptest::collection::vec(rule(), 0..5),
        offers in 0..OFFERS.len(),
        connections in 1..=3_u8,
        broken_tls in any::<bool>(),
        standard in proptest::bool::weighted(0.1),
        prove in 0..3_u8,
        open in any::<bool>(),
    ) -> Dialogue {
        let mut settings = vec![("connections".to_owned(), connections.to_string())];
        if !OFFERS[offers].is_empty() {
            settings.push(("offers".into(), OFFERS[offers].into()));
        }
        if broken_tls {
            settings.push(("broken-tls".into(), String::new()));
        }
        if standard {
            settings.push(("matrix".into(), "standard".into()));
        }
        if prove > 0 {
            settings.push(("prove".into(), if prove == 1 { "families" } else { "all" }.into()));
        }
        let mut rules = rules;
        if open {
            // Behind what breaks it, a server that takes everything, so that messages are sent.
            for (pattern, reply) in [("rcpt to:<*probe.example*>", "250 2.1.5 Ok"), ("data", "354 go on")] {
                let actions = dialogue::actions(reply).expect("a reply");
                rules.push(Rule { pattern: pattern.into(), nth: None, actions });
            }
        }
        Dialogue { name: "property".into(), settings, rules, expected: Vec::new() }
    }
}

/// Whether what it says does not hang on when it says it: it answers what it is asked, once.
fn answers_in_turn(dialogue: &Dialogue) -> bool {
    let once = |rule: &Rule| {
        let replies = rule.actions.iter().filter(|action| match action {
            dialogue::Action::Send(octets) => octets.get(3) != Some(&b'-'),
            dialogue::Action::Wait(_) => true,
            _ => false,
        });
        replies.count() <= 1
    };
    dialogue.rules.iter().all(once)
}

/// The verdict, and the outcome of each probe, without the date until which its message is waited for.
fn findings(report: &Report) -> (Verdict, Vec<Outcome>) {
    let dateless = |outcome: &Outcome| match outcome {
        Outcome::AcceptedPending { reply, .. } => {
            Outcome::AcceptedPending { until: Date::from_unix(0), reply: reply.clone() }
        }
        other => other.clone(),
    };
    (report.verdict, report.probes.iter().map(|probe| dateless(&probe.outcome)).collect())
}

/// The replies and commands of a connection, in order.
fn talk(connection: &Connection) -> impl Iterator<Item = &What> {
    let said = connection.entries.iter().map(|entry| &entry.what);
    said.filter(|what| matches!(what, What::Command { .. } | What::Reply { .. }))
}

fn announces(connection: &Connection) -> bool {
    talk(connection)
        .any(|what| matches!(what, What::Reply { octets, .. } if octets.escaped().contains("LIMITS")))
}

/// The transactions of a connection, the most recipients of one, and the different domains of all recipients.
fn asked_of(connection: &Connection) -> (usize, usize, usize) {
    let mut recipients = Vec::new();
    let mut domains = BTreeSet::new();
    for what in talk(connection) {
        let What::Command { step, octets, .. } = what else { continue };
        let line = octets.escaped().to_lowercase();
        match step {
            Step::Mail => recipients.push(0),
            Step::Rcpt | Step::OwnRcpt => {
                *recipients.last_mut().expect("a transaction") += 1;
                domains.insert(line.rsplit_once('@').map_or(String::new(), |(_, domain)| domain.into()));
            }
            _ => {}
        }
    }
    (recipients.len(), recipients.into_iter().max().unwrap_or(0), domains.len())
}

fn config() -> ProptestConfig {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("PROPTEST_CASES").and_then(|count| u32::try_from(count).ok()).unwrap_or(1_000);
    // The same servers each time, so that a failure can be looked at; another seed meets others.
    let rng_seed = RngSeed::Fixed(number("PROPTEST_SEED").unwrap_or(1));
    ProptestConfig {
        cases,
        rng_seed,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_same_octets_cut_anywhere_give_the_same_report(dialogue in server(), piece in 1..40_usize) {
        let whole = virtual_time::run(&dialogue, usize::MAX).report;
        let cut = virtual_time::run(&dialogue, piece).report;
        prop_assert!(whole == cut, "{}\ninstead of\n{}", cut.transcript_text(), whole.transcript_text());
    }

    #[test]
    fn every_run_ends_within_its_limits(dialogue in server()) {
        let run = virtual_time::run(&dialogue, usize::MAX);
        let report = &run.report;
        let limits = &report.run.limits;
        prop_assert!(report.transcript.end.is_some_and(|end| end != End::Stopped));
        prop_assert!(report.transcript.connections.len() <= limits.connections as usize);
        let end = report.transcript.ended.as_micros();
        prop_assert!(end <= (limits.deadlines.run + limits.deadlines.connection) * 1_000, "{end}");
        for connection in &report.transcript.connections {
            let last = connection.entries.last().map_or(0, |entry| entry.at.as_micros());
            let span = last - connection.begun.as_micros();
            let limit = (limits.deadlines.connection + limits.deadlines.quit) * 1_000;
            prop_assert!(span <= limit, "{span}\n{}", report.transcript_text());
        }
    }

    #[test]
    fn no_sequence_of_replies_is_proof(dialogue in server()) {
        let report = virtual_time::run(&dialogue, usize::MAX).report;
        let stored = serde_json::from_str::<serde_json::Value>(&report.to_json()).expect("JSON");
        let verdict = stored["verdict"].as_str().unwrap_or_default();
        prop_assert!(Verdict::ALL.iter().any(|known| known.as_str() == verdict) && verdict != "open-relay");
        prop_assert!(report.exit_code != 2);
    }

    #[test]
    fn a_prefix_never_yields_a_verdict_that_the_whole_does_not(dialogue in server(), octets in 0..4_000_usize) {
        let address = ADDRESS.parse().expect("an address");
        let whole = virtual_time::run(&dialogue, usize::MAX).report;
        let mut server = Server::new(&dialogue);
        server.falls_silent_after = Some(octets);
        let prefix = virtual_time::drive(dialogue.plan(address), server, usize::MAX).report;
        // What DATA or a message is answered later may clear a suspicion; in a survey nothing comes later.
        let survey = prefix.run.prove.is_none();
        let telling = prefix.verdict == Verdict::Closed || (survey && prefix.verdict == Verdict::Suspected);
        // A QUIT without an answer changes nothing, so a prefix that ends there is as good as whole.
        let ends_at_quit = prefix.transcript.connections.iter().any(|connection| {
            let commands = connection.entries.iter().filter(|entry| matches!(entry.what, What::Command { .. }));
            let replies = connection.entries.iter().filter(|entry| matches!(entry.what, What::Reply { .. })).count();
            let quits = matches!(commands.clone().next_back().map(|entry| &entry.what), Some(What::Command { step: Step::Quit, .. }));
            // The greeting is a reply too, so as many replies as commands leave one command open.
            quits && commands.count() == replies && replies > 2
        });
        prop_assert!(
            !telling || ends_at_quit || prefix.verdict == whole.verdict,
            "{}\n{}\ninstead of\n{}\n{}", prefix.text(), prefix.transcript_text(), whole.text(), whole.transcript_text()
        );
    }

    #[test]
    fn no_sent_line_can_be_read_as_two_commands(dialogue in server(), name in "[ -~\u{80}-\u{100}]{0,40}") {
        let mut dialogue = dialogue;
        let reply = dialogue::actions(&format!("250-{}|250 PIPELINING", name.replace('|', ""))).expect("a reply");
        dialogue.rules.insert(0, Rule { pattern: "ehlo*".into(), nth: None, actions: reply });
        for write in virtual_time::run(&dialogue, usize::MAX).writes {
            prop_assert!(write.ends_with(b"\r\n"));
            let lines: Vec<&[u8]> = write[..write.len() - 2].split(|&octet| octet == b'\n').collect();
            for (at, line) in lines.iter().enumerate() {
                let text = if at + 1 < lines.len() { line.strip_suffix(b"\r") } else { Some(*line) };
                let text = text.expect("every LF follows a CR");
                prop_assert!(text.iter().all(|octet| *octet >= b' ' && *octet != 0x7f), "{text:?}");
                prop_assert!(text.len() <= 510);
            }
        }
    }

    #[test]
    fn a_stored_report_is_judged_the_same(dialogue in server()) {
        let report = virtual_time::run(&dialogue, usize::MAX).report;
        let again = Report::from_json(&report.to_json()).expect("a report");
        prop_assert!(again == report);
    }

    #[test]
    fn no_text_holds_a_control_character(dialogue in server(), octets in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mut dialogue = dialogue;
        let greeting = [b"220 ".as_slice(), &octets, b"\r\n"].concat();
        let actions = vec![dialogue::Action::Send(greeting), dialogue::Action::Wait(Duration::ZERO)];
        dialogue.rules.insert(0, Rule { pattern: "greeting".into(), nth: None, actions });
        let report = virtual_time::run(&dialogue, usize::MAX).report;
        for text in [report.text(), report.transcript_text(), report.to_json()] {
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        }
    }

    #[test]
    fn a_message_only_follows_its_own_354(dialogue in server()) {
        let report = virtual_time::run(&dialogue, usize::MAX).report;
        for connection in &report.transcript.connections {
            let mut goes_on = false;
            for what in talk(connection) {
                match what {
                    What::Reply { octets, .. } => goes_on = octets.as_bytes().starts_with(b"354"),
                    What::Command { step: Step::Message, .. } => {
                        prop_assert!(goes_on && report.run.prove.is_some(), "{}", report.transcript_text());
                        goes_on = false;
                    }
                    // After a 354 anything else would be content.
                    _ => prop_assert!(!goes_on, "{}", report.transcript_text()),
                }
            }
        }
    }

    #[test]
    fn no_message_is_sent_twice_or_beyond_the_limit(dialogue in server()) {
        let run = virtual_time::run(&dialogue, usize::MAX);
        let connections = &run.report.transcript.connections;
        let mut sent: Vec<u16> = connections.iter().flat_map(talk).filter_map(|what| match what {
            What::Command { step: Step::Message, probe, .. } => *probe,
            _ => None,
        }).collect();
        prop_assert!(sent.len() <= usize::from(run.report.run.limits.messages), "{}", run.report.transcript_text());
        let count = sent.len();
        sent.sort_unstable();
        sent.dedup();
        prop_assert_eq!(sent.len(), count, "{}", run.report.transcript_text());
    }

    #[test]
    fn no_limit_that_a_server_announces_is_passed(dialogue in server(), limits in (1..8_usize, 1..4_usize, 1..6_usize)) {
        let mut dialogue = dialogue;
        let (transactions, recipients, domains) = limits;
        let reply = format!(
            "250-mx.target.example|250-PIPELINING|\
            250 LIMITS MAILMAX={transactions} RCPTMAX={recipients} RCPTDOMAINMAX={domains}"
        );
        let actions = dialogue::actions(&reply).expect("a reply");
        dialogue.rules.insert(0, Rule { pattern: "ehlo*".into(), nth: None, actions });
        dialogue.settings.push(("mailbox".into(), "alice@target.example".into()));
        let report = virtual_time::run(&dialogue, usize::MAX).report;
        for connection in report.transcript.connections.iter().filter(|connection| announces(connection)) {
            let found = asked_of(connection);
            prop_assert!(
                found.0 <= transactions && found.1 <= recipients && found.2 <= domains,
                "{found:?} of {limits:?}\n{}", report.transcript_text()
            );
        }
    }

    #[test]
    fn the_same_plan_against_the_same_server_gives_the_same_report(dialogue in server()) {
        let one = virtual_time::run(&dialogue, usize::MAX);
        let other = virtual_time::run(&dialogue, usize::MAX);
        prop_assert!(one.report == other.report && one.writes == other.writes);
    }

    #[test]
    fn a_server_that_takes_its_time_is_judged_the_same(dialogue in server(), thinks in 1..3_000_u64) {
        prop_assume!(answers_in_turn(&dialogue));
        let mut dialogue = dialogue;
        // Which cases share a connection is a matter of time where several are open.
        dialogue.settings.retain(|(key, _)| key != "connections");
        dialogue.settings.push(("profile".into(), "brisk".into()));
        let plan = || dialogue.plan(ADDRESS.parse().expect("an address"));
        let at_once = virtual_time::drive(plan(), Server::new(&dialogue), usize::MAX).report;
        let mut server = Server::new(&dialogue);
        server.thinks = Duration::from_millis(thinks);
        let late = virtual_time::drive(plan(), server, usize::MAX).report;
        // Unless it takes so much that the run has no time left.
        prop_assume!(late.transcript.end == at_once.transcript.end);
        prop_assert!(
            findings(&late) == findings(&at_once),
            "{}\n{}\ninstead of\n{}\n{}", late.text(), late.transcript_text(), at_once.text(), at_once.transcript_text()
        );
    }

    #[test]
    fn the_case_of_keywords_changes_nothing(dialogue in server(), case in any::<u64>()) {
        let plain = virtual_time::run(&dialogue, usize::MAX);
        let mut dialogue = dialogue;
        for (_, value) in dialogue.settings.iter_mut().filter(|(key, _)| key == "offers") {
            let lower = |(at, letter): (usize, char)| {
                if case >> (at % 64) & 1 == 1 { letter.to_ascii_lowercase() } else { letter }
            };
            *value = value.chars().enumerate().map(lower).collect();
        }
        let other = virtual_time::run(&dialogue, usize::MAX);
        prop_assert!(other.writes == plain.writes, "{}", other.report.transcript_text());
        prop_assert!(findings(&other.report) == findings(&plain.report), "{}", other.report.text());
    }

    #[test]
    fn a_reply_that_nobody_asked_for_never_makes_an_acceptance(
        (event, usual) in prop::sample::select(vec![
            ("greeting", "220 mx.target.example ESMTP"),
            ("helo*", "250 mx.target.example"),
            ("mail*", "250 2.1.0 Ok"),
            ("rcpt to:<*probe.example*", "554 5.7.1 Relay access denied"),
            ("rset", "250 2.0.0 Ok"),
            ("quit", "221 2.0.0 Bye"),
        ]),
        nth in 1..12_usize,
        surplus in prop::sample::select(vec![
            "220 x", "221 x", "250 2.1.5 Ok", "250-two|250 lines", "251 x", "354 x", "421 x", "450 x", "550 x", "999 x", "x",
        ]),
        pause in prop::sample::select(vec!["", "!wait 0.1|", "!wait 2|"]),
        pipelining in any::<bool>(),
        prove in any::<bool>(),
    ) {
        let offers = if pipelining { "@ offers PIPELINING\n" } else { "" };
        let proves = if prove { "@ prove all\n" } else { "" };
        let text = format!("{offers}{proves}on {event} #{nth}: {usual}|{pause}{surplus}\n= verdict closed\n");
        let run = virtual_time::run(&dialogue::parse("surplus", &text), usize::MAX);
        prop_assert!(run.server.messages.is_empty());
        let accepted = run.report.probes.iter().find(|probe| !probe.case.starts_with("ctl-") && probe.outcome.is_accepted());
        prop_assert!(accepted.is_none(), "{text}\n{}\n{}", run.report.text(), run.report.transcript_text());
    }
}
