//! Counts what a survey costs the four real servers, and what it leaves unanswered.
//!
//! `cargo run -p relayprobe-tests --example figures` (as root, on Debian)

use relayprobe::Selection;
use relayprobe_tests::servers::{Server, exim, opensmtpd, postfix, sendmail};
use relayprobe_tests::survey::{errors, longest_wait, rounds, survey, unanswered};

type Start = fn() -> Server;

const SERVERS: &[(&str, Start)] = &[
    ("Postfix", || postfix::start(postfix::Flavour::ClosedDefault, None)),
    ("Exim", || exim::start(exim::Flavour::Closed, None)),
    ("OpenSMTPD", || opensmtpd::start(opensmtpd::Flavour::Closed, None)),
    ("Sendmail", || sendmail::start(sendmail::Flavour::Closed, None)),
];

fn main() {
    println!(
        "server     matrix    verdict  connections  rounds  errors  unanswered  longest wait ms  run ms"
    );
    for (name, start) in SERVERS {
        let server = start();
        for (matrix, selection) in
            [("quick", Selection::Quick), ("standard", Selection::Standard), ("full", Selection::Full)]
        {
            let report = survey(&server, selection);
            let connections = &report.transcript.connections;
            // Rounds and errors of the connection that has most of them.
            println!(
                "{name:<10} {matrix:<9} {:<8} {:>11} {:>7} {:>7} {:>11} {:>16} {:>7}",
                report.verdict.as_str(),
                connections.len(),
                connections.iter().map(rounds).max().unwrap_or_default(),
                connections.iter().map(errors).max().unwrap_or_default(),
                unanswered(&report).len(),
                connections.iter().map(longest_wait).max().unwrap_or_default().as_millis(),
                report.transcript.ended.as_micros() / 1_000,
            );
        }
    }
}
