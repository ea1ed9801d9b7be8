//! Proof against real servers: what comes back decides, and nothing else does.

use std::time::Duration;

use relayprobe::plan::{Measure, PlanBuilder};
use relayprobe::receipt::{EgressKind, Receipt, ReceiptKind};
use relayprobe::sink::Mode;
use relayprobe::{Report, Verdict};
use relayprobe_tests::proof::{Bench, afterwards, of_kind, saw_ourselves, shown, with_outcome};
use relayprobe_tests::servers::{HOST, SMARTHOST, Server, exim, opensmtpd, postfix, sendmail};

/// The usual wishes.
const fn plainly(builder: PlanBuilder) -> PlanBuilder {
    builder
}

fn relayed(report: &Report) -> Vec<&Receipt> {
    of_kind(report, ReceiptKind::Relayed).collect()
}

/// What an open server must show: proof, for exactly what arrived, by the server itself.
fn assert_open(bench: &Bench, server: &Server, least: usize) {
    let report = bench.prove(server, plainly);
    assert_eq!((report.verdict, report.exit_code), (Verdict::OpenRelay, 2), "{}", shown(&report));
    assert!(report.settled && saw_ourselves(&report), "{}", shown(&report));
    let receipts = relayed(&report);
    assert!(receipts.len() >= least, "{}", shown(&report));
    let mut arrived: Vec<&str> = receipts.iter().map(|receipt| case(&report, receipt)).collect();
    arrived.sort_unstable();
    arrived.dedup();
    let mut found = with_outcome(&report, "relayed");
    found.sort_unstable();
    assert_eq!(found, arrived, "{}", shown(&report));
    for receipt in receipts {
        let egress = receipt.egress.as_ref().expect("the handover was seen");
        assert_eq!(egress.kind, EgressKind::Direct, "{}", shown(&report));
        assert_eq!(receipt.input.as_ref().expect("a Received line").as_bytes(), HOST.as_bytes());
        assert_queue_id(&report, receipt);
    }
    assert!(report.text().contains("the server itself"), "{}", shown(&report));
}

/// The second proof: the id that the server gave us is the id in the line it wrote about us.
fn assert_queue_id(report: &Report, receipt: &Receipt) {
    let probe = &report.probes[usize::from(receipt.probe)];
    let lowest = receipt.trace.hops.last().expect("a Received line");
    assert_eq!(lowest.id, probe.queue_id, "{}", shown(report));
    assert!(probe.confirmed, "{}", shown(report));
    assert_eq!(lowest.peer, Some("127.0.0.2".parse().expect("an address")), "{}", shown(report));
}

fn case<'a>(report: &'a Report, receipt: &Receipt) -> &'a str {
    &report.probes[usize::from(receipt.probe)].case
}

#[test]
fn an_open_postfix_is_proven_by_what_it_hands_over() {
    let bench = Bench::open(Mode::Accept);
    assert_open(&bench, &postfix::start(postfix::Flavour::Open, Some(bench.address)), 15);
}

#[test]
fn an_open_exim_is_proven_by_what_it_hands_over() {
    let bench = Bench::open(Mode::Accept);
    assert_open(&bench, &exim::start(exim::Flavour::Open, Some(bench.address)), 5);
}

#[test]
fn an_open_opensmtpd_is_proven_by_what_it_hands_over() {
    let bench = Bench::open(Mode::Accept);
    assert_open(&bench, &opensmtpd::start(opensmtpd::Flavour::Open, Some(bench.address)), 5);
}

#[test]
fn an_open_sendmail_is_proven_by_what_it_hands_over() {
    let bench = Bench::open(Mode::Accept);
    assert_open(&bench, &sendmail::start(sendmail::Flavour::Open, Some(bench.address)), 5);
}

#[test]
fn a_relay_for_its_own_senders_is_proven_for_these_and_no_others() {
    let bench = Bench::open(Mode::Accept);
    let server = postfix::start(postfix::Flavour::TrustsOwnSenders, Some(bench.address));
    let report = bench.prove(&server, plainly);
    assert_eq!(report.verdict, Verdict::OpenRelay, "{}", shown(&report));
    let expected =
        ["snd-own-domain", "snd-own-host", "snd-own-postmaster", "snd-own-user", "helo-own-sender-own"];
    assert_eq!(with_outcome(&report, "relayed"), expected, "{}", shown(&report));
}

#[test]
fn a_closed_server_gets_no_message_and_is_closed() {
    let bench = Bench::open(Mode::Accept);
    let report = bench.prove(&postfix::start(postfix::Flavour::Closed, Some(bench.address)), plainly);
    assert_eq!(report.verdict, Verdict::Closed, "{}", shown(&report));
    let others: Vec<&Receipt> =
        report.receipts.iter().filter(|receipt| case(&report, receipt) != "ctl-path").collect();
    assert!(others.is_empty() && saw_ourselves(&report), "{}", shown(&report));
}

#[test]
fn a_relay_through_a_smarthost_names_both_machines() {
    let bench = Bench::open(Mode::Accept);
    let output = postfix::start(postfix::Flavour::Smarthost, Some(bench.address));
    let input = exim::start(exim::Flavour::Open, Some(output.addr));
    let report = bench.prove(&input, plainly);
    assert_eq!(report.verdict, Verdict::OpenRelay, "{}", shown(&report));
    for receipt in relayed(&report) {
        let egress = receipt.egress.as_ref().expect("the handover was seen");
        assert_eq!(egress.kind, EgressKind::Smarthost, "{}", shown(&report));
        assert_eq!(egress.address, Some(output.addr.ip()), "{}", shown(&report));
        assert_eq!(egress.helo.as_bytes(), SMARTHOST.as_bytes(), "{}", shown(&report));
        assert_eq!(receipt.input.as_ref().expect("a Received line").as_bytes(), HOST.as_bytes());
        assert_queue_id(&report, receipt);
    }
    let text = report.text();
    assert!(text.contains(SMARTHOST) && text.contains(HOST), "{text}");
}

#[test]
fn who_swallows_everything_is_suspected_and_then_accepts_without_relaying() {
    let bench = Bench::open(Mode::Accept);
    let server = postfix::start(postfix::Flavour::Swallows, Some(bench.address));
    let mut report = bench.prove(&server, |builder| builder.window(Duration::from_secs(5)));
    assert_eq!((report.verdict, report.exit_code), (Verdict::Suspected, 1), "{}", shown(&report));
    assert!(!report.settled && report.pending_until.is_some(), "{}", shown(&report));
    // The window ends, and nobody has seen our own server alive after it.
    std::thread::sleep(Duration::from_secs(6));
    report.judge(relayprobe::driver::now());
    assert_eq!(report.verdict, Verdict::Suspected, "{}", shown(&report));
    bench.check_way_in(&mut report);
    assert_eq!(
        (report.verdict, report.exit_code),
        (Verdict::AcceptsWithoutRelaying, 0),
        "{}",
        shown(&report)
    );
    assert!(report.settled, "{}", shown(&report));
}

#[test]
fn a_hidden_way_out_settles_nothing() {
    let bench = Bench::open(Mode::Accept);
    let server = postfix::start(postfix::Flavour::Swallows, Some(bench.address));
    let mut report = bench
        .prove(&server, |builder| builder.window(Duration::from_secs(2)).measure(Measure::SmarthostBlock));
    std::thread::sleep(Duration::from_secs(3));
    bench.check_way_in(&mut report);
    assert_eq!((report.verdict, report.exit_code), (Verdict::Undetermined, 3), "{}", shown(&report));
}

#[test]
fn who_accepts_and_bounces_is_never_open() {
    for bouncer in ["exim", "postfix"] {
        let bench = Bench::open(Mode::Accept);
        let server = match bouncer {
            "exim" => exim::start(exim::Flavour::AcceptsThenBounces, Some(bench.address)),
            _ => postfix::start(postfix::Flavour::AcceptsThenBounces, Some(bench.address)),
        };
        let mut report = bench.prove(&server, plainly);
        bench.await_kind(&mut report, ReceiptKind::Bounced);
        bench.collect(&mut report);
        assert!(!with_outcome(&report, "accepted-then-bounced").is_empty(), "{}", shown(&report));
        assert!(relayed(&report).is_empty(), "{}", shown(&report));
        assert!(
            matches!(report.verdict, Verdict::Suspected | Verdict::AcceptsWithoutRelaying),
            "{bouncer}: {}",
            shown(&report)
        );
        let later = afterwards(&report);
        report.judge(later);
        assert_ne!(report.verdict, Verdict::OpenRelay, "{}", shown(&report));
    }
}

#[test]
fn a_refusing_sink_proves_as_much_and_takes_nothing() {
    let bench = Bench::open(Mode::Refuse);
    let server = postfix::start(postfix::Flavour::Open, Some(bench.address));
    let report = bench.prove(&server, plainly);
    assert_eq!((report.verdict, report.exit_code), (Verdict::OpenRelay, 2), "{}", shown(&report));
    let attempted = with_outcome(&report, "relay-attempted");
    assert!(attempted.contains(&"snd-third-party"), "{}", shown(&report));
    // Only what our own senders sent is refused: the bounce of anything else would go to the server's people.
    for receipt in relayed(&report) {
        let sender = receipt.sender.as_ref().expect("an envelope").escaped();
        let ours = sender.ends_with("@tester.example") || sender.ends_with("@probe.example");
        assert!(!ours, "{}", shown(&report));
    }
}

#[test]
fn callouts_to_our_server_are_no_proof() {
    for caller in ["exim", "postfix"] {
        let bench = Bench::open(Mode::Accept);
        let server = match caller {
            "exim" => exim::start(exim::Flavour::CallsOut, Some(bench.address)),
            _ => postfix::start(postfix::Flavour::CallsOut, Some(bench.address)),
        };
        let report = bench.prove(&server, plainly);
        assert!(of_kind(&report, ReceiptKind::Hint).next().is_some(), "{caller}: {}", shown(&report));
        assert_ne!(report.verdict, Verdict::OpenRelay, "{caller}: {}", shown(&report));
        assert!(of_kind(&report, ReceiptKind::Attempted).next().is_none(), "{}", shown(&report));
        assert!(relayed(&report).is_empty(), "{caller}: {}", shown(&report));
    }
}

#[test]
fn a_dead_sink_settles_nothing() {
    let bench = Bench::dead();
    let server = postfix::start(postfix::Flavour::Swallows, None);
    let mut report = bench.prove(&server, |builder| builder.window(Duration::from_secs(1)));
    std::thread::sleep(Duration::from_secs(2));
    bench.check_way_in(&mut report);
    let later = afterwards(&report);
    report.judge(later);
    assert_eq!(report.verdict, Verdict::Suspected, "{}", shown(&report));
}

#[test]
fn mail_that_waited_in_the_queue_moves_a_settled_verdict() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let later = listener.local_addr().expect("its address");
    drop(listener);
    // Its way out is closed, and our own way in is not: it looks like one that swallows.
    let bench = Bench::open(Mode::Accept);
    let server = postfix::start(postfix::Flavour::Open, Some(later));
    let mut report = bench.prove(&server, |builder| builder.window(Duration::from_secs(2)));
    std::thread::sleep(Duration::from_secs(3));
    bench.check_way_in(&mut report);
    assert_eq!(report.verdict, Verdict::AcceptsWithoutRelaying, "{}", shown(&report));
    // Now it opens, and the queue is let go.
    let second = Bench::open_at(later);
    server.wait_for_log(postfix::DEFERRED);
    server.run(postfix::FLUSH);
    second.await_kind(&mut report, ReceiptKind::Relayed);
    assert_eq!((report.verdict, report.exit_code), (Verdict::OpenRelay, 2), "{}", shown(&report));
}

#[test]
fn another_targets_token_counts_for_nothing() {
    let bench = Bench::open(Mode::Accept);
    let open = postfix::start(postfix::Flavour::Open, Some(bench.address));
    let proven = bench.prove(&open, plainly);
    let closed = bench.prove(&postfix::start(postfix::Flavour::Closed, Some(bench.address)), plainly);
    let mut judged = closed.clone();
    for receipt in &proven.receipts {
        assert!(judged.add(receipt.clone()).is_err(), "{}", shown(&proven));
        // Not even under the other run's name: no message was sent there.
        let mut forged = receipt.clone();
        forged.run.clone_from(&closed.run.run);
        let _added = judged.add(forged);
    }
    assert_eq!(judged.verdict, Verdict::Closed, "{}", shown(&judged));
}
