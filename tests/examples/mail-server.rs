//! A real mail server on loopback to try the command line on, until standard input ends.
//!
//! `cargo run -p relayprobe-tests --example mail-server -- postfix-closed` (as root, on Debian). With a second argument,
//! such as `127.0.0.1:2525`, mail for outside goes there; otherwise it is thrown away.

use std::io::Read as _;

use relayprobe_tests::servers::{Server, Sink, exim, opensmtpd, postfix, sendmail};

type Start = fn(Sink) -> Server;

const SERVERS: &[(&str, Start)] = &[
    ("postfix-closed", |sink| postfix::start(postfix::Flavour::Closed, sink)),
    ("postfix-default", |sink| postfix::start(postfix::Flavour::ClosedDefault, sink)),
    ("postfix-open", |sink| postfix::start(postfix::Flavour::Open, sink)),
    ("postfix-trusts-own-senders", |sink| postfix::start(postfix::Flavour::TrustsOwnSenders, sink)),
    ("exim-closed", |sink| exim::start(exim::Flavour::Closed, sink)),
    ("exim-open", |sink| exim::start(exim::Flavour::Open, sink)),
    ("opensmtpd-open", |sink| opensmtpd::start(opensmtpd::Flavour::Open, sink)),
    ("opensmtpd-closed", |sink| opensmtpd::start(opensmtpd::Flavour::Closed, sink)),
    ("sendmail-open", |sink| sendmail::start(sendmail::Flavour::Open, sink)),
    ("sendmail-closed", |sink| sendmail::start(sendmail::Flavour::Closed, sink)),
];

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let Some((_, start)) = SERVERS.iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = SERVERS.iter().map(|(known, _)| *known).collect();
        eprintln!("mail-server: name one of {}", names.join(", "));
        std::process::exit(64);
    };
    let sink = std::env::args().nth(2).map(|text| text.parse().expect("the sink is ADDR:PORT"));
    let server = start(sink);
    println!("{}", server.addr);
    // Ends with its caller.
    let _ended = std::io::stdin().read_to_end(&mut Vec::new());
}
