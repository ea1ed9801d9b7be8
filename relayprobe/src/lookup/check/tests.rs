use super::*;
use crate::lookup::Trouble;
use crate::lookup::tests::{Zone, run};

const GOOD: &str = "probe.example A 192.0.2.1
    1.2.0.192.in-addr.arpa PTR probe.example
    probe.example MX 10 mx.probe.example
    mx.probe.example A 192.0.2.2";

fn identity() -> Identity {
    let mut identity = Identity::new("probe.example".parse().unwrap());
    identity.sink_ipv4 = Some("192.0.2.2".parse().unwrap());
    identity
}

fn check(zone: &Zone, source: Option<&str>) -> SelfCheck {
    run(CheckSearch::new(&identity(), source.map(|text| text.parse().unwrap())), zone)
}

fn of(found: &SelfCheck, check: Check) -> &Finding {
    found.findings.iter().find(|finding| finding.check == check).unwrap()
}

#[test]
fn names_in_order_are_found_right() {
    for source in [None, Some("192.0.2.1"), Some("::ffff:192.0.2.1")] {
        let found = check(&Zone::read(GOOD), source);
        assert_eq!(found.state(), CheckState::Right, "{found:?}");
        assert_eq!(found.findings.len(), 4);
    }
}

#[test]
fn what_is_wrong_is_said_with_the_line_to_add() {
    for (from, to, what, line) in [
        ("probe.example A 192.0.2.1", "", Check::HeloAddress, Some("probe.example.\tIN\tA\t192.0.2.1")),
        (
            "PTR probe.example",
            "PTR dsl.example",
            Check::ReverseName,
            Some("1.2.0.192.in-addr.arpa.\tIN\tPTR\tprobe.example."),
        ),
        (
            "1.2.0.192.in-addr.arpa PTR probe.example",
            "",
            Check::ReverseName,
            Some("1.2.0.192.in-addr.arpa.\tIN\tPTR\tprobe.example."),
        ),
        (
            "probe.example MX 10 mx.probe.example",
            "",
            Check::ProbeDomainMx,
            Some("probe.example.\tIN\tMX\t10 mx.probe.example."),
        ),
        (
            "MX 10 mx.probe.example",
            "MX 0 .",
            Check::ProbeDomainMx,
            Some("probe.example.\tIN\tMX\t10 mx.probe.example."),
        ),
        (
            "MX 10 mx.probe.example",
            "MX 10 other.example",
            Check::ProbeDomainMx,
            Some("probe.example.\tIN\tMX\t10 mx.probe.example."),
        ),
        (
            "MX 10 mx.probe.example",
            "MX 10 mx.probe.example\nprobe.example MX 20 other.example",
            Check::ProbeDomainMx,
            None,
        ),
        (
            "mx.probe.example A 192.0.2.2",
            "mx.probe.example A 192.0.2.9",
            Check::SinkAddress,
            Some("mx.probe.example.\tIN\tA\t192.0.2.2"),
        ),
        (
            "mx.probe.example A 192.0.2.2",
            "mx.probe.example A 192.0.2.2\nmx.probe.example A 192.0.2.9",
            Check::SinkAddress,
            None,
        ),
    ] {
        let zone = GOOD.replacen(from, to, 1);
        assert_ne!(zone, GOOD);
        let found = check(&Zone::read(&zone), Some("192.0.2.1"));
        let finding = of(&found, what);
        assert_eq!(finding.state, CheckState::Wrong, "{from} -> {to}: {finding}");
        assert_eq!(finding.line.as_deref(), line, "{finding}");
        assert_eq!(found.state(), CheckState::Wrong);
    }
}

#[test]
fn a_mail_host_of_another_name_is_ours_by_its_address() {
    let zone = GOOD.replace("mx.probe.example", "host.example");
    assert_eq!(check(&Zone::read(&zone), None).state(), CheckState::Right);
}

#[test]
fn what_cannot_be_looked_up_is_neither_right_nor_wrong() {
    for (name, what) in [
        ("1.2.0.192.in-addr.arpa", Check::ReverseName),
        ("mx.probe.example", Check::SinkAddress),
        ("probe.example", Check::HeloAddress),
        ("probe.example", Check::ProbeDomainMx),
    ] {
        let zone = Zone::read(GOOD).failing(name, Trouble::Silence);
        let found = check(&zone, Some("192.0.2.1"));
        assert_eq!(of(&found, what).state, CheckState::Unknown, "{name}");
    }
}

#[test]
fn a_second_domain_is_looked_at_too() {
    let mut identity = identity();
    identity.sender_domain = "sender.test".parse().unwrap();
    let found = run(CheckSearch::new(&identity, None), &Zone::read(GOOD));
    let finding = of(&found, Check::SenderDomainMx);
    assert_eq!(finding.line.as_deref(), Some("sender.test.\tIN\tMX\t10 mx.probe.example."), "{finding}");
}
