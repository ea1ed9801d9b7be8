//! A polite stop.

use std::time::Duration;

use relayprobe::link::ConnId;
use relayprobe::moment::{Date, Moment};
use relayprobe::session::{Input, Output, Session};
use relayprobe::{Identity, Plan, Target};

/// Answers what is to be done at once, and each command that is sent with what is next in `answers`; says whether the
/// session waits.
fn go_on(
    session: &mut Session,
    now: Moment,
    answers: &mut impl Iterator<Item = &'static str>,
) -> Option<ConnId> {
    let mut last = None;
    loop {
        match session.poll_output() {
            Output::Connect(id, _) => {
                session.handle_input(Input::Connected(id), now);
                session.handle_input(Input::Received(id, b"220 mx.target.example ESMTP\r\n"), now);
            }
            Output::Send(id, _) => {
                last = Some(id);
                session.handle_input(Input::Sent(id), now);
                if let Some(answer) = answers.next() {
                    session.handle_input(Input::Received(id, answer.as_bytes()), now);
                }
            }
            // What has arrived is read before anything is written.
            Output::Wait(until) if until <= now => session.handle_input(Input::Tick, now),
            Output::Wait(_) => return last,
            Output::Finished => return None,
            _ => {}
        }
    }
}

#[test]
fn a_stop_waits_for_all_answers_together_no_longer_than_for_one() {
    let target = Target::new("127.0.0.1".parse().expect("an address"), 25);
    let identity = Identity::new("probe.example".parse().expect("a domain"));
    let builder = Plan::builder(target, identity, "own-server:test".parse().expect("a leave"));
    let plan = builder.allow_private().build(Date::from_unix(1_795_473_834), 7).expect("a plan");
    let quit = plan.record().limits.deadlines.quit;
    let mut session = Session::new(plan, Moment::ZERO);
    let hello = "250-mx.target.example\r\n250 PIPELINING\r\n";
    let id = go_on(&mut session, Moment::ZERO, &mut [hello].into_iter()).expect("a group is sent");
    session.stop(Moment::ZERO);
    for second in 1..=60 {
        let now = Moment::ZERO.after(Duration::from_secs(second));
        session.handle_input(Input::Received(id, b"250 2.0.0 Ok\r\n"), now);
        session.handle_input(Input::Tick, now);
        let waits = go_on(&mut session, now, &mut std::iter::empty());
        if waits.is_none() && matches!(session.poll_output(), Output::Finished) {
            assert!(second * 1_000 <= quit, "it took {second} s, and QUIT may take {quit} ms");
            return;
        }
    }
    panic!("it goes on as long as the server answers");
}
