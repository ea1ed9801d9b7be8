//! A real mail server on loopback to try the command line on, until standard input ends.
//!
//! `cargo run -p relayprobe-tests --example mail-server -- postfix-closed` (as root, on Debian)

use std::io::Read as _;

use relayprobe_tests::servers::{Server, exim, opensmtpd, postfix, sendmail};

type Start = fn() -> Server;

const SERVERS: &[(&str, Start)] = &[
    ("postfix-closed", || postfix::start(postfix::Flavour::Closed, None)),
    ("postfix-default", || postfix::start(postfix::Flavour::ClosedDefault, None)),
    ("postfix-open", || postfix::start(postfix::Flavour::Open, None)),
    ("postfix-trusts-own-senders", || postfix::start(postfix::Flavour::TrustsOwnSenders, None)),
    ("exim-closed", || exim::start(exim::Flavour::Closed, None)),
    ("exim-open", || exim::start(exim::Flavour::Open, None)),
    ("opensmtpd-closed", || opensmtpd::start(opensmtpd::Flavour::Closed, None)),
    ("sendmail-closed", || sendmail::start(sendmail::Flavour::Closed, None)),
];

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let Some((_, start)) = SERVERS.iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = SERVERS.iter().map(|(known, _)| *known).collect();
        eprintln!("mail-server: name one of {}", names.join(", "));
        std::process::exit(64);
    };
    let server = start();
    println!("{}", server.addr);
    // Ends with its caller.
    let _ended = std::io::stdin().read_to_end(&mut Vec::new());
}
