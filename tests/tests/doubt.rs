//! What came back and is no proof is no silence either: doubt never becomes a verdict that says all is well.

use std::net::SocketAddr;
use std::time::Duration;

use relayprobe::moment::Date;
use relayprobe::plan::{Profile, Prove};
use relayprobe::receipt::Receipt;
use relayprobe::{Identity, Plan, Report, Session, Target, Verdict};
use relayprobe_tests::script::Server;
use relayprobe_tests::{dialogue, virtual_time};
use serde_json::{Value, json};

/// A server that takes one form that a correct one refuses.
const SWALLOWS: &str = "\
@ offers PIPELINING
@ prove all
on RCPT TO:<*%probe.example@target.example>: 250 2.1.5 Ok
on DATA: 354 go on
= verdict suspected
";
/// Our own receiving server.
const UP: &str = "on RCPT*: 250 2.1.5 Ok\non DATA: 354 go on\n= verdict suspected\n";
const CASE: &str = "pct-domain";
const WINDOW: u64 = 6 * 3_600;
const DAY: u64 = 86_400;

/// A run against it, in which our own receiving server has a way in.
fn swallowed() -> Report {
    let report = virtual_time::run(&dialogue::parse("swallows", SWALLOWS), usize::MAX).report;
    let mut stored: Value = serde_json::from_str(&report.to_json()).expect("JSON");
    let run = &mut stored["run"];
    let path = run["paths"].as_array().expect("paths").len();
    run["way_in"] = json!("127.0.0.1:2525");
    run["paths"].as_array_mut().expect("paths").push(json!({ "port": 2525, "tls": "none" }));
    let control = run["cases"].as_array().expect("cases").iter().position(|case| case["id"] == "ctl-path");
    let probes = run["probes"].as_array_mut().expect("probes");
    let probe = probes.iter_mut().find(|probe| probe["case"] == json!(control)).expect("the control");
    probe["path"] = json!(path);
    Report::from_json(&stored.to_string()).expect("a report")
}

/// What came for a case, so many seconds after the run.
fn receipt(report: &Report, case: &str, kind: &str, seconds: u64, sha256: &str) -> Receipt {
    let probe = report.probes.iter().find(|probe| probe.case == case && probe.beside.is_none());
    let at = Date::from_unix(report.run.date_at(report.transcript.ended).unix() + seconds);
    let receipt = json!({
        "kind": kind, "at": at, "run": report.run.run, "probe": probe.expect("the case").number,
        "trace": { "hops": [] }, "sha256": sha256,
    });
    serde_json::from_value(receipt).expect("a receipt")
}

/// The run, with signs of life of our own receiving server before and after.
fn watched(last: u64) -> Report {
    let mut report = swallowed();
    for (seconds, message) in [(0, "first"), (last, "last")] {
        report.add(receipt(&report, "ctl-path", "relayed", seconds, message)).expect("of this run");
    }
    report
}

fn later(report: &mut Report, seconds: u64) {
    let at = report.run.date_at(report.transcript.ended).unix() + seconds;
    report.judge(Date::from_unix(at));
}

#[test]
fn silence_between_two_signs_of_life_is_believed() {
    let report = watched(WINDOW + 60);
    assert_eq!(report.verdict, Verdict::AcceptsWithoutRelaying, "{}", report.text());
}

#[test]
fn one_message_of_our_own_that_is_found_twice_is_one_sign_of_life() {
    // A mailbox that was copied shows a later date.
    let mut report = swallowed();
    for seconds in [0, WINDOW + 60] {
        report.add(receipt(&report, "ctl-path", "relayed", seconds, "first")).expect("of this run");
    }
    assert_eq!(report.verdict, Verdict::Suspected, "{}", report.text());
}

#[test]
fn a_sign_of_life_after_the_messages_does_not_stand_for_one_before() {
    let mut report = swallowed();
    for (seconds, message) in [(WINDOW / 2, "first"), (WINDOW + 60, "last")] {
        report.add(receipt(&report, "ctl-path", "relayed", seconds, message)).expect("of this run");
    }
    assert_eq!(report.verdict, Verdict::Suspected, "{}", report.text());
}

#[test]
fn a_slow_clock_does_not_put_a_sign_of_life_before_its_own_message() {
    // Our own server cannot be reached when the run begins, and can two hours later.
    let down = format!("on greeting #1: !close\n{SWALLOWS}");
    let address = virtual_time::ADDRESS.parse::<SocketAddr>().expect("an address");
    let mut target = Target::new(address.ip(), address.port());
    target.domains.push("target.example".parse().expect("a domain"));
    let identity = Identity::new("probe.example".parse().expect("a domain"));
    let plan = Plan::builder(target, identity, "own-server:tests".parse().expect("a leave"))
        .allow_private()
        .profile(Profile::Lab)
        .prove(Prove::All, &dialogue::keyring())
        .way_in("127.0.0.1:2526".parse().expect("an address"))
        .build(Date::from_unix(1_795_473_834), 1)
        .expect("a plan");
    let run = virtual_time::drive(plan, Server::new(&dialogue::parse("down", &down)), usize::MAX);
    let (mut report, record) = (run.report.clone(), run.report.run.clone());
    let control = report.probes.iter().find(|probe| probe.case == "ctl-path").expect("the control");
    assert_eq!(control.outcome.as_str(), "not-tested", "{}", report.transcript_text());
    for hours in [2, 10] {
        let age = Duration::from_secs(hours * 3_600);
        let session = Session::check_way_in(
            &record,
            &dialogue::keyring(),
            &report.transcript,
            age,
            virtual_time::START,
        );
        let mut session = session.expect("it is our own run");
        let up = Server::new(&dialogue::parse("up", UP));
        assert_eq!(virtual_time::converse(&mut session, up, usize::MAX).server.messages.len(), 1);
        report.append(session.into_parts().1);
        // Its clock is two hours slow.
        let at = (hours - 2) * 3_600;
        report.add(receipt(&report, "ctl-path", "relayed", at, &hours.to_string())).expect("of this run");
    }
    later(&mut report, 12 * 3_600);
    assert_eq!(report.verdict, Verdict::Suspected, "{}", report.text());
}

#[test]
fn a_message_that_is_still_being_tried_is_waited_for_as_long_as_queues_live() {
    let mut report = watched(WINDOW + 60);
    report.add(receipt(&report, CASE, "delayed", 3_600, "")).expect("of this run");
    assert_eq!(report.verdict, Verdict::Suspected, "{}", report.text());
    assert!(report.pending_until.is_some());
    later(&mut report, 6 * DAY);
    assert_eq!(report.verdict, Verdict::Suspected, "our own server was not seen since: {}", report.text());
    report.add(receipt(&report, "ctl-path", "relayed", 6 * DAY, "much later")).expect("of this run");
    assert_eq!(report.verdict, Verdict::AcceptsWithoutRelaying, "{}", report.text());
}

#[test]
fn a_message_that_comes_after_its_tokens_life_is_no_silence() {
    let mut report = watched(WINDOW + 60);
    report.add(receipt(&report, CASE, "late", 9 * DAY, "")).expect("of this run");
    assert_eq!(report.verdict, Verdict::Suspected, "{}", report.text());
}

#[test]
fn what_another_run_got_back_proves_nothing_here() {
    let report = swallowed();
    let mut foreign = receipt(&report, CASE, "relayed", 5, "");
    foreign.run = "aaaaaaaa".into();
    let receipts = vec![foreign];
    let judged = Report::judged(report.run.clone(), report.transcript.clone(), receipts, report.as_of);
    assert_eq!(judged.verdict, Verdict::Suspected, "{}", judged.text());
}

#[test]
fn a_flood_of_hints_does_not_hide_a_proof() {
    let report = swallowed();
    let mut receipts = vec![receipt(&report, CASE, "hint", 5, ""); 70_000];
    receipts.push(receipt(&report, CASE, "relayed", 6, ""));
    let judged = Report::judged(report.run.clone(), report.transcript.clone(), receipts, report.as_of);
    assert_eq!(judged.verdict, Verdict::OpenRelay);
}

#[test]
fn a_server_that_calls_without_end_does_not_fill_the_report() {
    let mut report = swallowed();
    for caller in 0..300 {
        report.add(receipt(&report, CASE, "hint", 5, &format!("{caller}"))).expect("of this run");
    }
    assert_eq!(report.receipts.len(), 100);
    report.add(receipt(&report, CASE, "relayed", 6, "")).expect("of this run");
    assert_eq!(report.verdict, Verdict::OpenRelay);
}
