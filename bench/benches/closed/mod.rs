//! A closed server with PIPELINING, without sockets.

use relayprobe::moment::Moment;
use relayprobe::plan::{Budget, Profile};
use relayprobe::session::{Input, Output};
use relayprobe::{Authorization, Identity, Matrix, Plan, Report, Selection, Session, Target};

pub fn plan(selection: Selection) -> Plan {
    let mut target = Target::new([127, 0, 0, 1].into(), 2_525);
    target.domains.push("target.example".parse().expect("a domain"));
    let identity = Identity::new("probe.example".parse().expect("a domain"));
    let authorization: Authorization = "own-server:bench".parse().expect("an authorization");
    Plan::builder(target, identity, authorization)
        .matrix(Matrix::select(selection))
        .profile(Profile::Lab)
        .budget(Budget::LIFTED)
        .allow_private()
        .build(relayprobe::driver::now(), 1)
        .expect("a plan")
}

pub fn replies(commands: &[u8]) -> Vec<u8> {
    let reply = |line: &[u8]| -> &[u8] {
        match line.get(..4) {
            Some(b"EHLO") => b"250-mx.target.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            Some(b"RCPT" | b"rcpt") => b"554 5.7.1 Relay access denied\r\n",
            Some(b"QUIT") => b"221 2.0.0 Bye\r\n",
            _ => b"250 2.0.0 Ok\r\n",
        }
    };
    commands.split_inclusive(|&octet| octet == b'\n').flat_map(reply).copied().collect()
}

pub fn run(plan: Plan) -> Report {
    let mut session = Session::new(plan, Moment::ZERO);
    let mut now = Moment::ZERO;
    loop {
        match session.poll_output() {
            Output::Connect(id, _) => {
                session.handle_input(Input::Connected(id), now);
                session.handle_input(Input::Received(id, b"220 mx.target.example ESMTP\r\n"), now);
            }
            Output::Send(id, octets) => {
                session.handle_input(Input::Sent(id), now);
                session.handle_input(Input::Received(id, &replies(&octets)), now);
            }
            Output::Wait(until) => {
                now = now.max(until);
                session.handle_input(Input::Tick, now);
            }
            Output::Finished => {
                let (record, transcript) = session.into_parts();
                return Report::new(record, transcript);
            }
            _ => {}
        }
    }
}
