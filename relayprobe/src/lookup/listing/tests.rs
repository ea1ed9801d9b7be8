use alloc::string::ToString as _;

use super::*;
use crate::lookup::tests::{Zone, run};
use crate::lookup::{Codes, Meaning, Trouble};

const HEALTHY: &str = "2.0.0.127.bl.example A 127.0.0.2\n";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn list() -> List {
    let mut list = List::new("bl.example".parse().unwrap());
    let meaning = |codes: &str, name: &str| Meaning { codes: codes.parse().unwrap(), name: name.into() };
    list.meanings.push(meaning("127.0.0.2", "open relay"));
    list.meanings.push(meaning("127.0.0.4/30", "sublist"));
    list.meanings.push(meaning("&0.0.0.64", "bit"));
    list
}

fn ask(zone: &Zone, address: &str) -> ListAnswer {
    run(ListSearch::new(list(), &[ip(address)]), zone).remove(0).answer
}

fn doubt(zone: &str, address: &str) -> Doubt {
    match ask(&Zone::read(zone), address) {
        ListAnswer::Unknown { why } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_address_is_asked_for_by_its_reversed_octets_or_nibbles() {
    let name = |address: &str| query_name(ip(address), &"bl.example".parse().unwrap()).unwrap().to_string();
    assert_eq!(name("192.0.2.99"), "99.2.0.192.bl.example");
    assert_eq!(name("::ffff:192.0.2.99"), "99.2.0.192.bl.example");
    assert_eq!(
        name("2001:db8:1:2:3:4:567:89ab"),
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bl.example"
    );
    assert_eq!(
        test_name(Family::Ipv6.listed(), &"bl.example".parse().unwrap()).unwrap().to_string(),
        "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.bl.example",
        "RFC 5782 section 5"
    );
    let long = [&*"a".repeat(60), &"b".repeat(60), &"c".repeat(60), "example"].join(".");
    assert_eq!(query_name(ip("2001:db8::1"), &long.parse().unwrap()), None);
}

#[test]
fn a_listed_address_has_codes_meanings_and_texts() {
    let zone = Zone::read(
        &(HEALTHY.to_string()
            + "9.2.0.192.bl.example A 127.0.0.70\n9.2.0.192.bl.example A 127.0.0.2\n9.2.0.192.bl.example TXT see \u{1b}[31m"),
    );
    let ListAnswer::Listed { codes, meanings, texts } = ask(&zone, "192.0.2.9") else { panic!() };
    assert_eq!(codes, [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 70)]);
    assert_eq!(meanings, ["open relay", "bit"]);
    assert_eq!(texts[0].to_string(), "see \\x1b[31m");
    assert_eq!(ask(&zone, "192.0.2.8"), ListAnswer::NotListed);
    assert_eq!(zone.asked(), 7, "the text is asked for only if there is one to expect");
}

#[test]
fn a_list_is_tested_before_it_is_asked() {
    for (zone, why) in [
        ("x.example A 192.0.2.1", Doubt::Dead { entry: ip("127.0.0.2") }),
        (
            "2.0.0.127.bl.example A 127.0.0.2\n1.0.0.127.bl.example A 127.0.0.2\n9.2.0.192.bl.example A 127.0.0.2",
            Doubt::ListsAll { entry: ip("127.0.0.1") },
        ),
        (
            "2.0.0.127.bl.example A 203.0.113.9\n1.0.0.127.bl.example A 203.0.113.9",
            Doubt::NoCode { code: ip("203.0.113.9") },
        ),
        (
            "2.0.0.127.bl.example A 127.255.255.254",
            Doubt::Refused { code: Ipv4Addr::new(127, 255, 255, 254) },
        ),
    ] {
        assert_eq!(doubt(zone, "192.0.2.9"), why);
        let zone = Zone::read(zone);
        ask(&zone, "192.0.2.9");
        assert_eq!(zone.asked(), 2, "a list that does not work is not asked further");
    }
}

#[test]
fn refusals_and_strange_codes_are_no_listings() {
    for code in ["127.255.255.252", "127.255.255.254", "127.255.255.255", "127.0.0.1"] {
        let zone = alloc::format!("{HEALTHY}9.2.0.192.bl.example A {code}");
        assert_eq!(doubt(&zone, "192.0.2.9"), Doubt::Refused { code: code.parse().unwrap() });
    }
    let zone =
        alloc::format!("{HEALTHY}9.2.0.192.bl.example A 198.51.100.1\n9.2.0.192.bl.example A 127.0.0.2");
    assert_eq!(doubt(&zone, "192.0.2.9"), Doubt::NoCode { code: ip("198.51.100.1") });
}

#[test]
fn a_silent_list_is_unknown_wherever_it_falls_silent() {
    let trouble = Trouble::Silence;
    for name in ["2.0.0.127.bl.example", "1.0.0.127.bl.example", "9.2.0.192.bl.example"] {
        let zone = Zone::read(HEALTHY).failing(name, trouble);
        let why = Doubt::Unanswered { trouble };
        assert_eq!(ask(&zone, "192.0.2.9"), ListAnswer::Unknown { why }, "{name}");
    }
}

#[test]
fn a_list_is_not_asked_for_what_it_does_not_know() {
    let zone = Zone::read(HEALTHY);
    assert_eq!(ask(&zone, "2001:db8::1"), ListAnswer::NotApplicable);
    assert_eq!(zone.asked(), 0);
}

#[test]
fn each_family_has_its_own_health() {
    let mut list = list();
    list.families.push(Family::Ipv6);
    let zone = Zone::read(HEALTHY);
    let found = run(ListSearch::new(list, &[ip("192.0.2.9"), ip("2001:db8::1")]), &zone);
    assert_eq!(found[0].answer, ListAnswer::NotListed);
    let why = Doubt::Dead { entry: Family::Ipv6.listed() };
    assert_eq!(found[1].answer, ListAnswer::Unknown { why });
}

#[test]
fn codes_are_written_as_code_block_or_bits() {
    for text in ["127.0.0.2", "127.0.0.4/30", "&0.0.0.64"] {
        assert_eq!(text.parse::<Codes>().unwrap().to_string(), text);
    }
    for text in ["", "2", "10.0.0.1", "127.0.0.0/7", "::1", "&127.0.0.0", "&", "& 0.0.0.1"] {
        assert!(text.parse::<Codes>().is_err(), "{text}");
    }
}
