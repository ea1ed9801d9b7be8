//! What a server sees of our manners: how often we speak, and never out of turn.

use relayprobe::driver::{self, Stop};
use relayprobe::transcript::What;
use relayprobe_tests::dialogue::{self, Dialogue};
use relayprobe_tests::sockets::{Counts, Listening};
use relayprobe_tests::virtual_time;

fn counted(text: &str) -> Counts {
    let dialogue: Dialogue = dialogue::parse("counted", &format!("{text}\n= counted\n"));
    let server = Listening::start(&dialogue);
    let report = driver::blocking::run(dialogue.plan(server.address), &Stop::new(), |_| {});
    assert_eq!(report.verdict.as_str(), "closed", "{}", report.text());
    server.counts()
}

#[test]
fn a_pipelining_server_is_spoken_to_twice_a_connection() {
    for text in [
        "@ offers PIPELINING",
        "@ offers PIPELINING\n@ no-budget",
        "@ offers PIPELINING\n@ no-budget\n@ matrix full",
    ] {
        let counts = counted(text);
        // EHLO, then the whole group with its QUIT, whatever the number of cases in it. The full matrix also asks
        // without EHLO and without PIPELINING, one command at a time.
        let lockstep = counts.rounds.iter().filter(|&&rounds| rounds != 2).count();
        assert!(lockstep == 0 || (text.contains("full") && lockstep <= 4), "{text}: {:?}", counts.rounds);
    }
}

#[test]
fn without_pipelining_no_command_is_early() {
    for text in [
        "@ matrix standard",
        "@ matrix full\n@ offers AUTH DSN CHUNKING SMTPUTF8",
        "@ offers PIPELINING\n@ lockstep",
    ] {
        assert_eq!(counted(text).early, 0, "{text}");
    }
}

#[test]
fn without_pipelining_three_connections_share_the_work() {
    let rounds = |text: &str| counted(text).rounds.into_iter().max().unwrap_or_default();
    let alone = rounds("@ no-budget");
    let together = rounds("@ no-budget\n@ connections 3");
    // Each says EHLO, asks the first control again, and takes leave.
    assert!(together <= alone / 3 + 6, "{together} of {alone}");
}

#[test]
fn one_connection_takes_every_case_of_its_kind_when_its_limits_are_known() {
    let counts = counted("@ offers PIPELINING\n@ no-budget");
    // One for the plain introduction, two for other names, one for the last control after them.
    assert_eq!(counts.rounds.len(), 4, "{:?}", counts.rounds);
}

#[test]
fn the_first_connection_asks_less_until_it_is_known_who_answers() {
    let postfix = "@ offers PIPELINING\non greeting: 220 mx.target.example ESMTP Postfix\n= verdict closed\n";
    let report = virtual_time::run(&dialogue::parse("scout", postfix), usize::MAX).report;
    let refusals: Vec<usize> = report
        .transcript
        .connections
        .iter()
        .map(|connection| {
            let refused = |what: &What| matches!(what, What::Reply { octets, .. } if octets.as_bytes().starts_with(b"5"));
            connection.entries.iter().filter(|entry| refused(&entry.what)).count()
        })
        .collect();
    // A server that refuses at MAIL counts each case twice; a Postfix holds back its answers from the tenth error on.
    assert!(refusals[0] <= 5, "{refusals:?}");
    assert!(refusals[1..].iter().any(|&count| count > 5), "{refusals:?}");
    assert!(refusals.iter().all(|&count| count <= 9), "{refusals:?}");
}

#[test]
fn messages_take_one_round_more_than_there_are() {
    let dialogue = dialogue::parse(
        "messages",
        "@ offers PIPELINING\n@ no-budget\n@ cases snd-null snd-probe-domain pct-domain\n@ prove all\n\
         on RCPT TO:<*probe.example*>: 250 2.1.5 Ok\non DATA: 354 go on\n= counted\n",
    );
    let server = Listening::start(&dialogue);
    let report = driver::blocking::run(dialogue.plan(server.address), &Stop::new(), |_| {});
    let counts = server.counts();
    assert_eq!(server.server().messages.len(), 3, "{}", report.transcript_text());
    // EHLO comes first; each message but the last is in one piece with the envelope of the next.
    let rounds = counts.rounds.last().copied().unwrap_or_default();
    assert_eq!(rounds, 1 + 3 + 1, "{}", report.transcript_text());
}
