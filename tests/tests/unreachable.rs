//! A server that is not there, or not now.

use std::time::Duration;

use relayprobe::link::Loss;
use relayprobe::moment::{Date, Moment};
use relayprobe::outcome::{NotTested, Outcome};
use relayprobe::session::{Input, Output};
use relayprobe::transcript::{End, What};
use relayprobe::verdict::How;
use relayprobe::{Identity, Matrix, Plan, Report, Session, Target, Verdict};
use relayprobe_tests::{dialogue, virtual_time};

/// A run of which no connect succeeds.
fn lost(loss: Loss, ports: &[u16]) -> Report {
    let target = Target::new([127, 0, 0, 1].into(), ports[0]);
    let identity = Identity::new("probe.example".parse().expect("a domain"));
    let plan = Plan::builder(target, identity, "own-server:x".parse().expect("a leave"))
        .matrix(Matrix::named(["snd-probe-domain"]).expect("a case"))
        .allow_private()
        .ports(ports)
        .build(Date::from_unix(1_795_000_000), 7)
        .expect("a plan");
    let mut now = Moment::from_micros(0);
    let mut session = Session::new(plan, now);
    loop {
        match session.poll_output() {
            Output::Connect(id, _) => session.handle_input(Input::Lost(id, loss), now),
            Output::Wait(until) => {
                now = until;
                session.handle_input(Input::Tick, now);
            }
            Output::Finished => break,
            _ => {}
        }
    }
    let (record, transcript) = session.into_parts();
    Report::new(record, transcript)
}

#[test]
fn how_a_server_is_out_of_reach_is_told() {
    for (loss, how) in [
        (Loss::Refused, "refused"),
        (Loss::TimedOut, "timed-out"),
        (Loss::NoRoute, "no-route"),
        (Loss::Prohibited, "prohibited"),
        (Loss::NoAddress, "no-address"),
        (Loss::Reset, "dropped"),
        (Loss::Other, "other"),
    ] {
        let report = lost(loss, &[25]);
        assert_eq!(report.verdict, Verdict::Unreachable, "{loss:?}");
        assert_eq!(report.transcript.end, Some(End::NoService));
        assert_eq!(report.how.map(How::as_str), Some(how));
    }
}

#[test]
fn a_main_port_that_is_closed_is_out_of_reach_and_another_makes_no_sense() {
    let report = lost(Loss::Refused, &[25, 587]);
    let on_main = |outcome: &Outcome| *outcome == Outcome::NotTested { reason: NotTested::Unreachable };
    let mut main = report.probes.iter().filter(|probe| probe.path == 0 && probe.case == "snd-probe-domain");
    assert!(main.all(|probe| on_main(&probe.outcome)), "{}", report.text());
    let text = report.to_json();
    assert!(text.contains("\"port-closed\""), "{text}");
}

#[test]
fn a_busy_server_is_left_alone_for_longer_each_time() {
    for greeting in ["421 4.3.2 busy|!close", "450 4.3.2 busy|!close"] {
        let dialogue =
            format!("@ profile brisk\n@ virtual\non greeting: {greeting}\n= verdict undetermined\n");
        let report = virtual_time::run(&dialogue::parse("busy", &dialogue), usize::MAX).report;
        let connects: Vec<Moment> = report
            .transcript
            .connections
            .iter()
            .flat_map(|connection| &connection.entries)
            .filter(|entry| entry.what == What::Connected)
            .map(|entry| entry.at)
            .collect();
        let pauses: Vec<Duration> = connects.windows(2).map(|pair| pair[1].since(pair[0])).collect();
        assert!(pauses.len() > 1, "{}", report.transcript_text());
        assert!(pauses[0] >= Duration::from_secs(5) && pauses.is_sorted(), "{greeting}: {pauses:?}");
        assert!(pauses.last() > pauses.first(), "{greeting}: {pauses:?}");
    }
}

#[test]
fn a_server_that_refuses_for_good_is_not_asked_again() {
    let dialogue = "@ profile brisk\n@ virtual\non greeting: 554 no service\n= verdict tester-blocked\n";
    let report = virtual_time::run(&dialogue::parse("no", dialogue), usize::MAX).report;
    assert_eq!((report.verdict, report.transcript.connections.len()), (Verdict::TesterBlocked, 1));
}
