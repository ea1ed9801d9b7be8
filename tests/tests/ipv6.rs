//! An IPv6 target is a target like any other.

use std::net::TcpListener;

use relayprobe::driver::{self, Stop};
use relayprobe_tests::dialogue;
use relayprobe_tests::sockets::Listening;

#[test]
fn a_server_on_ipv6_is_asked_with_its_own_literal() {
    let dialogue = dialogue::parse("ipv6", "@ offers PIPELINING\n@ matrix full\n= asked\n");
    let server = Listening::start_on(&dialogue, TcpListener::bind("[::1]:0").expect("loopback has IPv6"));
    let report = driver::blocking::run(dialogue.plan(server.address), &Stop::new(), |_| {});
    assert_eq!(report.verdict.as_str(), "closed", "{}", report.text());
    let sent = server.server().commands;
    for line in ["@[IPv6:::1]>", "%probe.example@[IPv6:::1]>"] {
        assert!(sent.iter().any(|command| command.contains(line)), "{line}\n{sent:#?}");
    }
}
