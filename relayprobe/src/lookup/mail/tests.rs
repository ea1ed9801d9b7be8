use alloc::string::ToString as _;

use super::*;
use crate::lookup::Trouble;
use crate::lookup::tests::{Zone, run};

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn mail(zone: &Zone, name: &str) -> Result<MailDomain, Fault> {
    run(MailSearch::new(&domain(name), 7), zone)
}

fn hosts(found: &MailDomain) -> Vec<String> {
    let host = |host: &MailHost| alloc::format!("{} {} {:?}", host.preference, host.name, host.addresses);
    found.hosts.iter().map(host).collect()
}

#[test]
fn hosts_come_by_preference_with_both_families() {
    let zone = Zone::read(
        "d.example MX 20 b.example
         d.example MX 10 a.example
         a.example AAAA 2001:db8::a
         a.example A 192.0.2.1
         b.example A 192.0.2.2
         b.example A 192.0.2.1",
    );
    let found = mail(&zone, "d.example").unwrap();
    assert_eq!(found.service, MailService::Mx);
    assert_eq!(
        hosts(&found),
        ["10 a.example [192.0.2.1, 2001:db8::a]", "20 b.example [192.0.2.2, 192.0.2.1]"]
    );
    assert!(found.notes.is_empty() && !found.is_incomplete());
    let targets = found.targets(25);
    let shown: Vec<String> = targets.iter().map(|target| target.address.to_string()).collect();
    assert_eq!(shown, ["192.0.2.1", "2001:db8::a", "192.0.2.2"], "an address is one target");
    assert_eq!(targets[0].other_address, Some("2001:db8::a".parse().unwrap()));
    assert_eq!(targets[0].name, Some(domain("a.example")));
    assert_eq!(targets[0].domains, [domain("d.example")]);
}

#[test]
fn a_name_that_does_not_exist_has_no_mail_hosts() {
    assert_eq!(mail(&Zone::read(""), "d.example"), Err(Fault::NoSuchName));
}

#[test]
fn without_mx_the_domain_is_its_own_host() {
    let found = mail(&Zone::read("d.example A 192.0.2.1"), "d.example").unwrap();
    assert_eq!(found.service, MailService::Implicit);
    assert_eq!(hosts(&found), ["0 d.example [192.0.2.1]"]);
    assert_eq!(found.notes, [Note::ImplicitMx]);
}

#[test]
fn a_null_mx_is_no_reason_to_ask_the_domain_itself() {
    let found = mail(&Zone::read("d.example MX 0 .\nd.example A 192.0.2.1"), "d.example").unwrap();
    assert_eq!(found.service, MailService::None);
    assert!(found.targets(25).is_empty());
}

#[test]
fn a_null_mx_beside_others_means_nothing() {
    let zone = Zone::read("d.example MX 0 .\nd.example MX 10 a.example\na.example A 192.0.2.1");
    let found = mail(&zone, "d.example").unwrap();
    assert_eq!((found.service, found.targets(25).len()), (MailService::Mx, 1));
    assert_eq!(found.notes, [Note::NullBesideOthers]);
}

#[test]
fn an_address_in_the_form_of_a_name_is_no_host() {
    let zone = Zone::read("d.example MX 5 127.0.0.1.\nd.example MX 10 a.example\na.example A 192.0.2.1");
    let found = mail(&zone, "d.example").unwrap();
    assert_eq!(hosts(&found), ["10 a.example [192.0.2.1]"]);
    assert_eq!(found.notes, [Note::NotAHost { text: "127.0.0.1".into() }]);
    let alone = mail(&Zone::read("d.example MX 5 127.0.0.1.\nd.example A 192.0.2.1"), "d.example").unwrap();
    assert_eq!((alone.service, alone.hosts.len()), (MailService::Mx, 0), "no falling back to the domain");
}

#[test]
fn an_alias_is_followed_with_a_warning() {
    let zone = Zone::read("d.example MX 5 a.example\na.example CNAME b.example\nb.example A 192.0.2.1");
    let found = mail(&zone, "d.example").unwrap();
    assert_eq!(hosts(&found), ["5 a.example [192.0.2.1]"]);
    assert_eq!(found.notes, [Note::Alias { name: domain("a.example"), to: "b.example".into() }]);
    let zone = Zone::read("d.example CNAME e.example\ne.example MX 5 a.example\na.example A 192.0.2.1");
    assert_eq!(mail(&zone, "d.example").unwrap().targets(25).len(), 1);
}

#[test]
fn alias_loops_end() {
    for (zone, back) in [
        ("d.example CNAME d.example", "d.example"),
        ("d.example CNAME e.example\ne.example CNAME d.example", "d.example"),
        ("d.example CNAME x.test\nx.test CNAME y.example\ny.example CNAME x.test", "x.test"),
    ] {
        let zone = Zone::read(zone);
        assert_eq!(mail(&zone, "d.example"), Err(Fault::AliasLoop { name: back.into() }));
        assert!(zone.asked() <= 24);
    }
    let zone = Zone::read(
        "d.example MX 5 a.example\na.example CNAME a.example\nd.example MX 9 b.example\nb.example A 192.0.2.1",
    );
    let found = mail(&zone, "d.example").unwrap();
    assert_eq!(found.targets(25).len(), 1, "one host's loop does not hide the others");
    assert_eq!(found.hosts[0].faults, [Fault::AliasLoop { name: "a.example".into() }]);
}

#[test]
fn a_chain_of_twenty_aliases_is_given_up_at_eight() {
    let chain = |count: usize| {
        let links = (0..count).map(|at| alloc::format!("n{at}.example CNAME n{}.example\n", at + 1));
        let end = alloc::format!("n{count}.example MX 5 a.example\na.example A 192.0.2.1");
        Zone::read(&(links.collect::<String>() + &end))
    };
    assert!(mail(&chain(8), "n0.example").is_ok());
    let long = chain(20);
    assert_eq!(mail(&long, "n0.example"), Err(Fault::ManyAliases));
    assert!(long.asked() <= 9, "{}", long.asked());
}

#[test]
fn two_hundred_hosts_are_bounded() {
    let host = |at: u32| {
        let mx = alloc::format!("d.example MX {at} h{at}.example");
        let address = |last: u32| alloc::format!("h{at}.example A 192.0.2.{}", at % 40 * 5 + last);
        (1..=5).map(address).chain([mx]).collect::<Vec<_>>().join("\n")
    };
    let zone = Zone::read(&(0..200).map(host).collect::<Vec<_>>().join("\n"));
    let found = mail(&zone, "d.example").unwrap();
    assert_eq!((found.hosts.len(), found.targets(25).len()), (10, 20));
    assert_eq!(found.notes, [Note::ManyHosts { left_out: 190 }, Note::ManyAddresses { left_out: 30 }]);
    assert_eq!(found.hosts[0].name, domain("h0.example"));
    assert!(zone.asked() <= 24, "{}", zone.asked());
}

#[test]
fn too_many_questions_are_told_and_leave_doubt() {
    let host = |at: u32| alloc::format!("d.example MX {at} h{at}.example\nh{at}.example CNAME g{at}.example");
    let zone = Zone::read(&(0..10).map(host).collect::<Vec<_>>().join("\n"));
    let found = mail(&zone, "d.example").unwrap();
    assert_eq!(zone.asked(), 24);
    assert!(found.is_incomplete());
    assert!(found.hosts.iter().any(|host| host.faults.contains(&Fault::ManyQuestions)));
    assert_eq!(found.inbound_path(&[]), None);
}

#[test]
fn equal_preferences_are_shuffled_by_the_seed_that_is_kept() {
    let zone = Zone::read(
        "d.example MX 10 a.example\nd.example MX 10 b.example\nd.example MX 10 c.example\nd.example MX 5 z.example",
    );
    let order = |seed: u64| {
        let found = run(MailSearch::new(&domain("d.example"), seed), &zone).unwrap();
        assert_eq!(found.seed, seed);
        found.hosts.iter().map(|host| host.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(order(1), order(1));
    let orders: alloc::collections::BTreeSet<_> = (0..64).map(order).collect();
    assert_eq!(orders.len(), 6, "every order comes up");
    assert!(orders.iter().all(|order| order[0] == "z.example"));
}

#[test]
fn a_resolver_that_fails_says_nothing_of_the_domain() {
    for trouble in [Trouble::ServerFailure, Trouble::Refused, Trouble::Malformed, Trouble::Silence] {
        let zone = Zone::read("").failing("d.example", trouble);
        let fault = mail(&zone, "d.example").unwrap_err();
        assert_eq!(fault, Fault::Failed { trouble });
        assert!(!fault.is_certain());
        let zone = Zone::read("d.example MX 5 a.example").failing("a.example", trouble);
        assert!(mail(&zone, "d.example").unwrap().is_incomplete());
    }
}

#[test]
fn records_of_other_names_are_nobodys() {
    let zone = Zone::read("d.example MX 5 a.example\na.example A 192.0.2.1")
        .poisoned("a.example", "evil.example A 192.0.2.66\nd.example A 192.0.2.67");
    assert_eq!(hosts(&mail(&zone, "d.example").unwrap()), ["5 a.example [192.0.2.1]"]);
}

#[test]
fn the_way_in_depends_on_whose_servers_the_mail_hosts_are() {
    use super::super::InboundPath;
    let provider = ["192.0.2.0/28".parse().unwrap(), "2001:db8::/64".parse().unwrap()];
    for (zone, path) in [
        (
            "d.example MX 5 a.example\na.example A 192.0.2.1\na.example AAAA 2001:db8::1",
            InboundPath::ViaProvider,
        ),
        ("d.example MX 5 a.example\na.example A 192.0.2.99", InboundPath::Direct),
        (
            "d.example MX 5 a.example\na.example A 192.0.2.99\nd.example MX 9 b.example\nb.example A 192.0.2.1",
            InboundPath::Both,
        ),
        ("d.example MX 0 .", InboundPath::None),
        ("d.example MX 5 nowhere.example", InboundPath::None),
        ("d.example A 192.0.2.99", InboundPath::Direct),
    ] {
        assert_eq!(
            mail(&Zone::read(zone), "d.example").unwrap().inbound_path(&provider),
            Some(path),
            "{zone}"
        );
    }
    let zone = Zone::read("d.example MX 5 a.example\nd.example MX 9 b.example\na.example A 192.0.2.1");
    let found = mail(&zone.failing("b.example", Trouble::Silence), "d.example").unwrap();
    assert_eq!(found.inbound_path(&provider), None, "the other host may be anywhere");
}
