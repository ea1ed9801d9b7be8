//! Domains and lists on the command line, as its users meet them. Nothing leaves loopback.

use std::fs;
use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;

use relayprobe::lookup::{Fault, InboundPath, Note, Trouble};
use relayprobe_tests::hosts::Hosts;
use relayprobe_tests::liar::{Liar, Tcp};
use relayprobe_tests::program::{
    IDENTITY, assert_fits_domain_schema, assert_fits_schema, closed_port, fits_domain_schema, json, run,
    schema, schema_of, text,
};
use relayprobe_tests::servers::{Server, postfix, unbound};
use serde_json::Value;
use tempfile::TempDir;

const OPEN: &str = "on RCPT TO:<*@probe.example>: 250 2.1.5 Ok";
/// The servers know one domain; this is another.
const OTHER: &str = "on RCPT TO:<postmaster@closed.example>: 250 2.1.5 Ok";
const LAB: [&str; 3] = ["--profile", "lab", "--allow-private"];

const ZONE: &str = "d MX 10 a.example.\nd MX 20 b.example.\ntarget MX 10 a.example.\ntarget MX 20 b.example.\na A 127.9.1.1\na A 127.9.1.9\nb A 127.9.2.1\n\
    null MX 0 .\nclosed MX 5 a1.example.\na1 A 127.9.1.1\n\
    inside MX 5 in.example.\nin A 10.0.0.1\nin A 169.254.169.254\n\
    carried MX 5 six.example.\nsix AAAA ::ffff:10.0.0.1\nsix AAAA 64:ff9b::a00:1\nsix AAAA 2002:a00:1::1\n\
    six AAAA 2001:0:0:0:0:0:f5ff:fffe\nsix AAAA 2606:4700::5efe:a00:1\n\
    misnamed MX 5 127.9.1.1.\nmisnamed MX 9 a1.example.\n\
    2.0.0.127.bl A 127.0.0.2\n1.1.9.127.bl A 127.0.0.5\n1.1.9.127.bl TXT \"why\"\n";
const REVERSE: &str = "1.1.9 PTR a.example.\n9.1.9 PTR other.example.\n";

/// The zones of these tests on a real server.
fn zones() -> (Server, String) {
    unbound::with_reverse(ZONE, REVERSE)
}

/// `--mx` with the usual options.
fn probe(domain: &str, port: u16, dns: &str, more: &[&str]) -> (i32, String, String) {
    let port = port.to_string();
    run(&[&["probe", "--mx", domain, "--ports", &port, "--dns", dns], &IDENTITY[..], &LAB, more].concat())
}

/// The reports, and the summary in the last line.
fn split(out: &str) -> (Vec<Value>, Value) {
    let mut lines: Vec<Value> = out.lines().map(json).collect();
    let summary = lines.pop().expect("a summary");
    lines.iter().for_each(assert_fits_schema);
    assert_fits_domain_schema(&summary);
    (lines, summary)
}

fn kind(address: IpAddr) -> usize {
    usize::from(address.to_string().ends_with(".9"))
}

#[test]
fn every_address_of_a_domain_is_a_target_and_one_report_sums_up() {
    let (_server, dns) = zones();
    let hosts = Hosts::start(&["", OPEN], kind);
    let (code, out, err) = probe("target.example", hosts.port, &dns, &["--json"]);
    let (reports, summary) = split(&out);
    assert_eq!(reports.len(), 3, "{err}");
    assert_eq!((code, summary["verdict"].as_str()), (1, Some("suspected")), "{err}");
    let found: Vec<(&str, &str, &str)> = summary["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| ["address", "host", "verdict"].map(|key| host[key].as_str().unwrap()))
        .map(|[address, host, verdict]| (address, host, verdict))
        .collect();
    assert_eq!(
        found,
        [
            ("127.9.1.1", "a.example", "closed"),
            ("127.9.1.9", "a.example", "suspected"),
            ("127.9.2.1", "b.example", "closed"),
        ]
    );
    for report in &reports {
        let target = &report["run"]["target"];
        assert_eq!(target["domains"], serde_json::json!(["target.example"]));
        assert_eq!(target["mail_host"], target["name"]);
        let leads_back = target["address"] == "127.9.1.1";
        assert_eq!(target["reverse_name"].as_str(), leads_back.then_some("a.example"), "{target}");
        let run =
            summary["hosts"].as_array().unwrap().iter().find(|host| host["address"] == target["address"]);
        assert_eq!(run.unwrap()["run"], report["run"]["run"]);
    }
    assert_eq!(hosts.seen().most_in_a_network, 1);
    let hosts = Hosts::start(&[OTHER], |_| 0);
    let (code, out, _) = probe("closed.example", hosts.port, &dns, &[]);
    assert!(code == 0 && out.contains("\nclosed: the mail of closed.example"), "{out}");
}

#[test]
fn a_relay_among_the_hosts_of_a_domain_is_proven() {
    let sink = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let open = postfix::start(postfix::Flavour::Open, Some(sink));
    let (address, port) = (open.addr.ip(), open.addr.port());
    let zone = format!("target MX 5 nobody.example.\ntarget MX 9 relay.example.\nrelay A {address}\n");
    let server = unbound::start(&[("example.", "/instance-example.zone", &zone)]);
    let (dns, sink) = (server.addr.to_string(), sink.to_string());
    let more = ["--json", "--sink", &sink, "--source", "127.0.0.2", "--mailbox", "alice@target.example"];
    let (code, out, err) = probe("target.example", port, &dns, &more);
    let (reports, summary) = split(&out);
    assert_eq!((code, summary["verdict"].as_str()), (2, Some("open-relay")), "{err}");
    assert_eq!((reports.len(), reports[0]["verdict"].as_str()), (1, Some("open-relay")));
    assert_eq!(summary["mail"]["hosts"][0]["faults"][0]["fault"], "no-such-name");
}

#[test]
fn a_domain_that_takes_no_mail_has_nobody_to_ask() {
    let (_server, dns) = zones();
    let (code, out, _) = probe("null.example", 25, &dns, &["--json"]);
    let (reports, summary) = split(&out);
    assert_eq!((code, reports.len(), &summary["verdict"]), (0, 0, &"no-mail-service".into()));
    let (code, out, err) = probe("nowhere.example", 25, &dns, &[]);
    assert!(code == 64 && out.is_empty() && err.contains("nowhere.example"), "{err}");
    // Whoever does not answer says nothing of the domain.
    let (code, out, err) = probe("d.test", 25, &dns, &[]);
    assert!(code == 74 && out.is_empty() && err.contains("says nothing about its servers"), "{err}");
}

#[test]
fn no_domain_turns_the_tester_against_inside_hosts() {
    let (_server, dns) = zones();
    let arguments = [&["probe", "--mx", "inside.example", "--dns", &dns, "--json"], &IDENTITY[..]].concat();
    let (code, out, err) = run(&arguments);
    let (reports, summary) = split(&out);
    assert_eq!((code, reports.len(), &summary["verdict"]), (3, 0, &"undetermined".into()), "{err}");
    assert!(
        err.contains("10.0.0.1 is private") && err.contains("169.254.169.254 is a metadata service"),
        "{err}"
    );
    // Private hosts may be allowed, metadata services never.
    let (code, out, _) =
        run(&[&arguments[..], &["--allow-private", "--never-test", "/dev/null", "--source", "127.0.0.1"]]
            .concat());
    let (_, summary) = split(&out);
    let untested = &summary["hosts"][1]["untested"];
    assert!(code == 3 && untested.as_str().unwrap().contains("metadata"), "{summary}");
}

#[test]
fn inside_hosts_are_seen_in_every_address_that_carries_one() {
    let (_server, dns) = zones();
    let (code, out, err) =
        run(&[&["probe", "--mx", "carried.example", "--dns", &dns, "--json"], &IDENTITY[..]].concat());
    let (reports, summary) = split(&out);
    let hosts = summary["hosts"].as_array().unwrap();
    assert_eq!((code, reports.len(), hosts.len()), (3, 0, 5), "{err}");
    for host in hosts {
        assert!(host["untested"].as_str().unwrap().contains("is private (10.0.0.0/8)"), "{host}");
    }
}

#[test]
fn a_domain_with_an_mx_that_names_no_host_is_not_closed() {
    let (_server, dns) = zones();
    let closed = Hosts::start(&["on RCPT TO:<postmaster@misnamed.example>: 250 2.1.5 Ok"], |_| 0);
    let (code, out, err) = probe("misnamed.example", closed.port, &dns, &["--json"]);
    let (reports, summary) = split(&out);
    assert_eq!((reports.len(), reports[0]["verdict"].as_str()), (1, Some("closed")), "{err}");
    assert_eq!((code, summary["verdict"].as_str()), (3, Some("undetermined")), "{summary}");
}

#[test]
fn whoever_asked_not_to_be_tested_is_not_looked_up() {
    let liar = Liar::start(Tcp::Answers);
    let room = TempDir::new().unwrap();
    let list = room.path().join("never");
    fs::write(&list, "liar.example\n").unwrap();
    let dns = liar.addr.to_string();
    let (code, _, err) = probe("host.liar.example", 25, &dns, &["--never-test", text(&list)]);
    assert!(code == 64 && err.contains("never-test"), "{err}");
    let (code, _, err) = probe("host.liar.example", 25, &dns, &["--scope", "other.example"]);
    assert!(code == 64 && err.contains("scope"), "{err}");
    assert!(liar.names().is_empty(), "{:?}", liar.names());
}

#[test]
fn a_name_is_looked_up_once_whatever_it_says_later() {
    let liar = Liar::start(Tcp::Answers);
    let hosts = Hosts::start(&[""], |_| 0);
    let dns = liar.addr.to_string();
    let (code, out, err) =
        probe("rebinding.liar.example", hosts.port, &dns, &["--json", "--matrix", "standard"]);
    let (reports, _) = split(&out);
    // The server does not know the domain as its own.
    assert_eq!((code, reports.len()), (3, 1), "{err}");
    assert_eq!(reports[0]["run"]["target"]["address"], "127.9.1.1");
    let seen = hosts.seen().connections;
    assert!(seen.len() > 1 && seen.iter().all(|address| address.to_string() == "127.9.1.1"), "{seen:?}");
    // Once for each family.
    assert_eq!(liar.asked("rebind.liar.example"), 2);
}

#[test]
fn a_host_is_looked_up_once_of_the_servers_that_are_named() {
    let liar = Liar::start(Tcp::Answers);
    let hosts = Hosts::start(&[""], |_| 0);
    let room = TempDir::new().unwrap();
    let dns = liar.addr.to_string();
    let (config, list) = (configuration(&room, &dns), room.path().join("list"));
    // What it answers later is another address.
    for (at, how) in ["--dns", "--config", "--targets"].into_iter().enumerate() {
        let label = if at == 0 { "rebind" } else { "host" };
        let target = format!("{label}.liar.example:{}", hosts.port);
        fs::write(&list, &target).unwrap();
        let given = if how == "--dns" { &*dns } else { text(&config) };
        let whom = if how == "--targets" { ["--targets", text(&list)] } else { [&*target, "--json"] };
        let options = [if how == "--dns" { how } else { "--config" }, given, "--matrix", "standard"];
        let (code, out, err) = run(&[&["probe"], &whom[..], &options, &IDENTITY, &LAB].concat());
        assert_eq!(code, 0, "{how}: {err}");
        let target = &json(&out)["run"]["target"];
        assert_eq!(
            (&target["address"], &target["name"]),
            (&"127.9.1.1".into(), &format!("{label}.liar.example").into())
        );
    }
    let seen = hosts.seen().connections;
    assert!(seen.len() > 3 && seen.iter().all(|address| address.to_string() == "127.9.1.1"), "{seen:?}");
    // Once for each family.
    assert_eq!(liar.asked("rebind.liar.example"), 2);
}

#[test]
fn a_host_without_an_address_is_told_from_one_that_is_not_known() {
    let liar = Liar::start(Tcp::Answers);
    let dns = liar.addr.to_string();
    for (label, status, says) in [
        ("gone", 64, "the name gone.liar.example has no address (there is no such name)"),
        ("nothing", 64, "the name nothing.liar.example has no address (the name has no such record)"),
        ("loop", 64, "its aliases (CNAME) lead back to loop.liar.example"),
        ("servfail", 74, "servfail.liar.example could not be looked up, and that is the resolver's fault"),
        ("refused", 74, "the resolver refused to answer"),
    ] {
        let host = format!("{label}.liar.example");
        let (code, out, err) = run(&[&["probe", &host, "--dns", &dns], &IDENTITY[..], &LAB].concat());
        assert!(code == status && out.is_empty() && err.contains(says), "{label}: {code} {err}");
    }
    // Nobody is asked for names of nowhere.
    let before = liar.names().len();
    let (code, _, err) = run(&[&["probe", "a.invalid", "--dns", &dns], &IDENTITY[..]].concat());
    assert!(code == 64 && err.contains("a.invalid has no address"), "{err}");
    assert_eq!(liar.names().len(), before);
}

/// A configuration with one list.
fn configuration(room: &TempDir, dns: &str) -> PathBuf {
    let path = room.path().join("desk.toml");
    let text = format!(
        "[identity]\nprobe-domain = \"probe.example\"\nsink-ip = [\"127.9.8.1\"]\nprobe-uri = \"https://probe.example/\"\n\
         [authorization]\nkind = \"own-server\"\nreference = \"demo\"\n\
         [dns]\nservers = [\"{dns}\"]\nprovider-networks = [\"127.9.2.0/24\"]\n\
         [[lists]]\nzone = \"bl.example\"\nmeanings = [{{ codes = \"127.0.0.5\", name = \"open relay\" }}]\n\
         [[lists]]\nzone = \"gone.example\"\n"
    );
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn lists_stand_in_the_report_and_change_no_verdict() {
    let (_server, dns) = zones();
    let hosts = Hosts::start(&[""], |_| 0);
    let room = TempDir::new().unwrap();
    let config = configuration(&room, &dns);
    let target = format!("127.9.1.1:{}", hosts.port);
    let options = ["--config", text(&config), "--domain", "target.example"];
    let (code, out, err) = run(&[&["probe", &target, "--json"], &options[..], &LAB].concat());
    let report = json(&out);
    assert_fits_schema(&report);
    assert_eq!((code, report["verdict"].as_str()), (0, Some("closed")), "{err}");
    let listings = report["listings"].as_array().unwrap();
    assert_eq!(listings.len(), 2);
    assert_eq!(listings[0]["state"], "listed");
    assert_eq!(listings[0]["meanings"], serde_json::json!(["open relay"]));
    assert_eq!(listings[0]["texts"], serde_json::json!(["why"]));
    assert_eq!((&listings[1]["state"], &listings[1]["why"]["doubt"]), (&"unknown".into(), &"dead".into()));
    // A stored report keeps them, judged again and redacted.
    let path = room.path().join("report.json");
    fs::write(&path, &out).unwrap();
    for command in [&["judge", text(&path), "--json"][..], &["redact", text(&path)]] {
        let (_, again, err) = run(command);
        assert_eq!(json(&again)["listings"], report["listings"], "{err}");
    }
    let (_, shown, _) = run(&["judge", text(&path)]);
    assert!(shown.contains("127.9.1.1 is listed by bl.example 127.0.0.5, open relay: why"), "{shown}");
    // The same by hand.
    let (code, out, _) = run(&["listings", "--report", text(&path), "--config", text(&config), "--json"]);
    let lines: Vec<Value> = out.lines().map(json).collect();
    assert_eq!((code, &Value::Array(lines)), (1, &report["listings"]));
    let (code, out, _) = run(&["listings", "127.9.1.9", "--list", "bl.example", "--config", text(&config)]);
    assert_eq!((code, &*out), (0, "127.9.1.9 is not listed by bl.example\n"));
    // A list that has no addresses of a family says nothing of one.
    for addresses in [&["2001:db8::1"][..], &["127.9.1.9", "2001:db8::1"]] {
        let options = ["--list", "bl.example", "--config", text(&config)];
        let (code, out, _) = run(&[&["listings"], addresses, &options].concat());
        assert!(code == 3 && out.contains("bl.example lists no addresses like 2001:db8::1"), "{code}: {out}");
    }
    let (code, _, err) = run(&["listings", "127.9.1.9", "--dns", &dns]);
    assert!(code == 64 && err.contains("[[lists]]"), "{err}");
    // All of a domain, in the summary too.
    let port = hosts.port.to_string();
    let arguments =
        ["probe", "--mx", "closed.example", "--ports", &port, "--config", text(&config), "--json"];
    let (_, out, _) = run(&[&arguments, &LAB[..]].concat());
    let (reports, summary) = split(&out);
    assert_eq!(reports[0]["listings"], summary["hosts"][0]["listings"]);
    assert_eq!(summary["inbound"], "direct");
}

#[test]
fn the_schema_of_a_domain_knows_every_word() {
    let domain = schema_of("domain");
    let (ours, reports) = (domain["$defs"].as_object().unwrap(), schema());
    let shared: Vec<&String> = ours
        .iter()
        .filter(|(name, ours)| reports["$defs"].get(name) == Some(ours))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(shared, ["address", "count", "domain", "domain_or_null", "listing", "octets", "verdict"]);
    let (_server, dns) = zones();
    // Private addresses, so nobody is asked.
    let (_, out, _) =
        run(&[&["probe", "--mx", "inside.example", "--dns", &dns, "--json"], &IDENTITY[..]].concat());
    let (_, mut summary) = split(&out);
    let name = || "a\\x1b".to_string();
    let faults = [
        Fault::NoSuchName,
        Fault::NoRecords,
        Fault::AliasLoop { name: name() },
        Fault::ManyAliases,
        Fault::NotAHost { text: name() },
        Fault::ManyQuestions,
        Fault::Failed { trouble: Trouble::Silence },
        Fault::Failed { trouble: Trouble::ServerFailure },
        Fault::Failed { trouble: Trouble::Refused },
        Fault::Failed { trouble: Trouble::Malformed },
        Fault::Failed { trouble: Trouble::NoResolver },
    ];
    let notes = [
        Note::ImplicitMx,
        Note::NullBesideOthers,
        Note::NotAHost { text: name() },
        Note::Alias { name: "a.example".parse().unwrap(), to: name() },
        Note::ManyHosts { left_out: 1 },
        Note::ManyAddresses { left_out: 1 },
    ];
    summary["mail"]["hosts"][0]["faults"] = serde_json::to_value(faults).unwrap();
    summary["mail"]["notes"] = serde_json::to_value(notes).unwrap();
    for inbound in [InboundPath::ViaProvider, InboundPath::Direct, InboundPath::Both, InboundPath::None] {
        summary["inbound"] = serde_json::to_value(inbound).unwrap();
        assert_fits_domain_schema(&summary);
    }
    for (pointer, other) in [
        ("/mail/notes/0/note", "other"),
        ("/mail/notes/2/text", "\u{1b}"),
        ("/mail/hosts/0/faults/0/fault", "failed"),
        ("/hosts/0/verdict", "closed"),
        ("/mail/service", "other"),
    ] {
        let mut wrong = summary.clone();
        *wrong.pointer_mut(pointer).unwrap() = other.into();
        assert!(!fits_domain_schema(&wrong), "{pointer} may be {other}");
    }
}

#[test]
fn a_domain_is_shown_with_the_names_of_its_addresses() {
    let (_server, dns) = zones();
    let (code, out, err) =
        run(&["resolve", "d.example", "--dns", &dns, "--provider-network", "127.9.2.0/24"]);
    assert_eq!(code, 0, "{err}");
    for line in [
        "10 a.example",
        "  127.9.1.1, a.example: 127.9.1.1 is loopback",
        "  127.9.1.9, reverse name other.example not confirmed",
        "  127.9.2.1, no reverse name",
        "mail arrives: both",
    ] {
        assert!(out.lines().any(|shown| shown.starts_with(line)), "{line}: {out}");
    }
    let (_, out, _) = run(&["resolve", "D.example.", "--dns", &dns, "--json"]);
    assert_eq!(json(&out)["mail"]["hosts"][0]["name"], "a.example");
}

#[test]
fn whatever_a_zone_says_is_shown_harmless() {
    let liar = Liar::start(Tcp::Answers);
    let room = TempDir::new().unwrap();
    let (dns, config, port) =
        (liar.addr.to_string(), room.path().join("desk.toml"), closed_port().to_string());
    fs::write(&config, "[[lists]]\nzone = \"good.list\"\n").unwrap();
    let own = ["--probe-domain", "hostile.liar.example", "--probe-uri", "mailto:a@hostile.liar.example"];
    let ask = [&["probe", "--ports", &port], &IDENTITY[..], &LAB].concat();
    for (arguments, says) in [
        (&["resolve", "hostile.liar.example"][..], "not confirmed"),
        (&[&ask[..], &["--mx", "hostile.liar.example"]].concat(), "no name of a host"),
        (&[&ask[..], &["masked.liar.example"]].concat(), "no name of a host"),
        (&["listings", "192.0.2.9", "--config", text(&config)], "listed"),
        (&[&["self-check"], &own[..]].concat(), "leads back to"),
    ] {
        for form in [&[][..], &["--json"]] {
            let (_, out, err) = run(&[arguments, &["--dns", &dns], form].concat());
            let shown = out + &err;
            assert!(form == ["--json"] || shown.contains(says), "{says}: {shown}");
            assert!(shown.contains("\\x1b") || shown.contains("\\\\0"), "it is shown: {shown}");
            // The sign for a section is our own.
            let harmful = |shown: char| !matches!(shown, ' '..='~' | '\n' | '\t' | '§');
            assert!(!shown.contains(harmful), "{shown:?}");
        }
    }
}

#[test]
fn what_names_a_server_or_a_list_wrongly_is_told() {
    for (arguments, says) in [
        (&["resolve", "d.example", "--dns", "x"][..], "DNS server"),
        (&["resolve", "xn--a.example"], "domain name"),
        (&["probe", "--mx", "d.example", "127.0.0.1"], "cannot be used with"),
    ] {
        let (code, _, err) = run(arguments);
        assert!(code == 64 && err.contains(says), "{err}");
    }
}
