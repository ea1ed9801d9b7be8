//! A real mail server on loopback to try the command line on, until standard input ends.
//!
//! `cargo run -p relayprobe-tests --example mail-server -- postfix-closed` (as root, on Debian). With a second argument,
//! such as `127.0.0.1:2525`, mail for outside goes there; otherwise it is thrown away.

use std::io::Read as _;

use relayprobe_tests::servers;

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let sink = std::env::args().nth(2).map(|text| text.parse().expect("the sink is ADDR:PORT"));
    let server = servers::start(&name, sink).unwrap_or_else(|known| {
        eprintln!("mail-server: name one of {known}");
        std::process::exit(64);
    });
    println!("{}", server.addr);
    // Ends with its caller.
    let _ended = std::io::stdin().read_to_end(&mut Vec::new());
}
