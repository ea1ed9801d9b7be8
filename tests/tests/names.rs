//! The resolver against a real DNS server, and against one that lies. Nothing leaves loopback.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use relayprobe::address::Domain;
use relayprobe::dns::{Resolver, ResolverError, blocking};
use relayprobe::lookup::{
    Answer, Confirmed, Data, Doubt, Fault, InboundPath, Kind, List, ListAnswer, MailService, Note, Question,
    Trouble,
};
use relayprobe_tests::liar::{Liar, Tcp};
use relayprobe_tests::servers::unbound;

fn name(text: &str) -> Domain {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn resolver(server: SocketAddr) -> blocking::Resolver {
    blocking::Resolver::with_servers(&[server]).unwrap()
}

fn ask(server: SocketAddr, text: &str, kind: Kind) -> Answer {
    resolver(server).ask(&Question { name: name(text), kind })
}

/// Asks for the addresses of all these names at once.
fn ask_all(server: SocketAddr, labels: &[&str]) -> Vec<Answer> {
    resolver(server)
        .run(async |resolver: Resolver| {
            let mut set = tokio::task::JoinSet::new();
            for (at, label) in labels.iter().enumerate() {
                let (resolver, name) = (resolver.clone(), name(&format!("{label}.liar.example")));
                set.spawn(async move { (at, resolver.ask(&Question { name, kind: Kind::A }).await) });
            }
            let mut answers = set.join_all().await;
            answers.sort_by_key(|(at, _)| *at);
            answers.into_iter().map(|(_, answer)| answer).collect()
        })
        .unwrap()
}

#[test]
fn zones_of_a_real_server_are_read() {
    let server = unbound::start(&[
        (
            "example.",
            "/instance-example.zone",
            "d MX 20 b.example.\nd MX 10 a.example.\na A 127.9.1.1\na AAAA ::1\nb A 127.9.2.1\n\
             null MX 0 .\nimplicit A 127.9.3.1\n\
             alias MX 5 c.example.\nc CNAME a.example.\nwhole CNAME d.example.\n\
             l MX 5 l1.example.\nl1 CNAME l2.example.\nl2 CNAME l1.example.\n\
             mixed MX 0 .\nmixed MX 5 a.example.\nliteral MX 5 127.0.0.1.\n\
             2.0.0.127.bl A 127.0.0.2\n1.1.9.127.bl A 127.0.0.5\n1.1.9.127.bl TXT \"see https://bl.example/\"\n",
        ),
        ("127.in-addr.arpa.", "/instance-reverse.zone", "1.1.9 PTR a.example.\n1.2.9 PTR other.example.\n"),
    ]);
    let resolver = resolver(server.addr);
    let mail = |text: &str| resolver.mail_domain(&name(text), 1);

    let found = mail("d.example").unwrap_or_else(|fault| panic!("{fault}: {}", server.log()));
    let hosts: Vec<(&str, &[IpAddr])> =
        found.hosts.iter().map(|host| (host.name.as_str(), &*host.addresses)).collect();
    let expected: [(&str, &[IpAddr]); 2] =
        [("a.example", &[ip("127.9.1.1"), ip("::1")]), ("b.example", &[ip("127.9.2.1")])];
    assert_eq!(hosts, expected, "{}", server.log());
    assert_eq!(found.inbound_path(&["127.9.2.0/24".parse().unwrap()]), Some(InboundPath::Both));
    assert_eq!(mail("null.example").unwrap().service, MailService::None);
    let implicit = mail("implicit.example").unwrap();
    assert_eq!((implicit.service, implicit.targets(25).len()), (MailService::Implicit, 1));
    let alias = mail("alias.example").unwrap();
    assert_eq!(alias.hosts[0].addresses, [ip("127.9.1.1"), ip("::1")]);
    assert!(matches!(alias.notes[..], [Note::Alias { .. }]), "{:?}", alias.notes);
    assert_eq!(mail("whole.example").unwrap().targets(25).len(), 3);
    assert_eq!(mail("mixed.example").unwrap().notes, [Note::NullBesideOthers]);
    assert_eq!(mail("literal.example").unwrap().targets(25), []);
    assert_eq!(mail("nowhere.example"), Err(Fault::NoSuchName));
    // A resolver may follow the loop itself and fail, or show it.
    let looping = mail("l.example").unwrap();
    assert!(looping.targets(25).is_empty() && !looping.hosts[0].faults.is_empty(), "{looping:?}");
    // Outside its zones there is nobody to ask.
    assert_eq!(mail("elsewhere.test"), Err(Fault::Failed { trouble: Trouble::Refused }));

    let reverse = resolver.reverse(ip("127.9.1.1")).unwrap();
    assert_eq!(reverse.confirmed(), Some(name("a.example")), "{reverse:?}");
    let reverse = resolver.reverse(ip("127.9.2.1")).unwrap();
    assert_eq!((reverse.names[0].confirmed, reverse.confirmed()), (Confirmed::No, None));
    assert!(resolver.reverse(ip("127.9.3.1")).unwrap().names.is_empty());

    let lists = [List::new(name("bl.example")), List::new(name("gone.example"))];
    let found = resolver.listings(&lists, &[ip("127.9.1.1"), ip("127.9.2.1")]).unwrap();
    let ListAnswer::Listed { codes, texts, .. } = &found[0].answer else { panic!("{found:?}") };
    assert_eq!(
        (codes[0].to_string(), texts[0].to_string()),
        ("127.0.0.5".into(), "see https://bl.example/".into())
    );
    assert_eq!(found[1].answer, ListAnswer::NotListed);
    let dead = ListAnswer::Unknown { why: Doubt::Dead { entry: ip("127.0.0.2") } };
    assert_eq!((&found[2].answer, &found[3].answer), (&dead, &dead));
}

#[test]
fn refusals_of_a_resolver_are_doubt() {
    let liar = Liar::start(Tcp::Answers);
    let failed = |trouble| Answer::Failed(trouble);
    let answers = ask_all(liar.addr, &["servfail", "refused", "formerr", "notimp", "gone", "nothing"]);
    assert_eq!(
        answers,
        [
            failed(Trouble::ServerFailure),
            failed(Trouble::Refused),
            failed(Trouble::Malformed),
            failed(Trouble::ServerFailure),
            Answer::NoSuchName,
            Answer::NoRecords,
        ]
    );
}

#[test]
fn whoever_does_not_answer_is_not_waited_for_without_end() {
    let liar = Liar::start(Tcp::Answers);
    let begin = Instant::now();
    let answers = ask_all(liar.addr, &["silent", "late", "wrong-id", "wrong-question", "wrong-source"]);
    for answer in answers {
        // What comes beside the question is nothing, or no answer to it.
        assert!(
            matches!(answer, Answer::Failed(Trouble::Silence | Trouble::Malformed | Trouble::ServerFailure)),
            "{answer:?}"
        );
    }
    let span = begin.elapsed();
    assert!(span < Duration::from_secs(13), "{span:?}");
}

#[test]
fn a_server_that_is_dead_or_does_not_know_keeps_no_other_from_answering() {
    let liar = Liar::start(Tcp::Answers);
    // What it is asked, it never answers.
    let dead = UdpSocket::bind("127.0.0.1:0").and_then(|socket| Ok((socket.local_addr()?, socket))).unwrap();
    let closed = "127.255.255.254:9".parse().unwrap();
    for servers in [[dead.0, closed, liar.addr], [closed, liar.addr, dead.0]] {
        let resolver = blocking::Resolver::with_servers(&servers).unwrap();
        let begin = Instant::now();
        let found = resolver.mail_domain(&name("host.liar.example"), 1).unwrap();
        assert_eq!(found.hosts[0].addresses, [ip("127.9.1.1")], "{found:?}");
        assert!(begin.elapsed() < Duration::from_secs(9), "{:?}", begin.elapsed());
    }
    // A refusal is no answer, so the next one is asked; if nobody answers, what was said is told.
    let zone = unbound::start(&[("example.", "/instance-example.zone", "host.liar A 127.9.3.1\n")]);
    let ask = |servers: &[SocketAddr], text: &str| {
        let resolver = blocking::Resolver::with_servers(servers).unwrap();
        resolver.host(&name(text))
    };
    assert_eq!(ask(&[liar.addr, zone.addr], "host.liar.example"), Ok([ip("127.9.1.1")].into()));
    assert_eq!(ask(&[zone.addr, liar.addr], "host.liar.example"), Ok([ip("127.9.3.1")].into()));
    assert_eq!(ask(&[zone.addr, liar.addr], "host.test"), Ok([ip("127.9.1.1")].into()));
    assert_eq!(ask(&[zone.addr, closed], "host.test"), Err(Fault::Failed { trouble: Trouble::Refused }));
}

#[test]
fn an_answer_that_is_cut_and_not_to_be_had_is_doubt() {
    let begin = Instant::now();
    for tcp in [Tcp::Refused, Tcp::Silent] {
        let liar = Liar::start(tcp);
        let answer = ask(liar.addr, "truncated.liar.example", Kind::A);
        assert!(matches!(answer, Answer::Failed(_)), "{tcp:?}: {answer:?}");
    }
    assert!(begin.elapsed() < Duration::from_secs(23));
}

#[test]
fn broken_messages_are_faults_and_no_more() {
    let liar = Liar::start(Tcp::Answers);
    let begin = Instant::now();
    for answer in ask_all(liar.addr, &["pointer-loop", "long-label", "long-name", "bad-length"]) {
        assert!(matches!(answer, Answer::Failed(_)), "{answer:?}");
    }
    assert!(begin.elapsed() < Duration::from_secs(13));
}

#[test]
fn records_of_other_names_are_not_used() {
    let liar = Liar::start(Tcp::Answers);
    let found = resolver(liar.addr).mail_domain(&name("poison.liar.example"), 1).unwrap();
    assert_eq!(found.hosts[0].addresses, [ip("127.9.1.1")]);
    for label in ["ttl-0", "ttl-negative"] {
        let found = resolver(liar.addr).mail_domain(&name(&format!("{label}.liar.example")), 1).unwrap();
        assert_eq!(found.hosts[0].addresses, [ip("127.9.1.1")], "{label}");
    }
}

#[test]
fn aliases_without_end_are_given_up() {
    let liar = Liar::start(Tcp::Answers);
    let mail = |text: &str| resolver(liar.addr).mail_domain(&name(text), 1);
    assert!(matches!(mail("loop.liar.example"), Err(Fault::AliasLoop { .. })));
    assert_eq!(mail("chain.0.liar.example"), Err(Fault::ManyAliases));
    assert!(liar.names().len() <= 24, "{:?}", liar.names());
}

#[test]
fn two_hundred_hosts_come_over_tcp_and_ten_are_taken() {
    let liar = Liar::start(Tcp::Answers);
    let found = resolver(liar.addr).mail_domain(&name("many.liar.example"), 1).unwrap();
    assert_eq!(found.hosts.len(), 10);
    assert_eq!(found.notes, [Note::ManyHosts { left_out: 190 }]);
    assert_eq!(found.targets(25).len(), 1, "they share an address");
}

#[test]
fn texts_are_escaped_wherever_they_are_shown() {
    let liar = Liar::start(Tcp::Answers);
    let Answer::Records(records) = ask(liar.addr, "escape.liar.example", Kind::Txt) else { panic!() };
    let Data::Text(text) = &records[0].data else { panic!("{records:?}") };
    assert_eq!(text.to_string(), "<b>\\x1b[2J\\x0a\"");
}

#[test]
fn lists_that_lie_list_nobody() {
    let liar = Liar::start(Tcp::Answers);
    let zones = ["good", "wildcard", "parked", "refusing", "dead", "quota", "shy", "silent"];
    let lists: Vec<List> = zones.iter().map(|zone| List::new(name(&format!("{zone}.list")))).collect();
    let begin = Instant::now();
    let found =
        resolver(liar.addr).listings(&lists, &[ip("192.0.2.9"), ip("192.0.2.8"), ip("2001:db8::1")]).unwrap();
    let span = begin.elapsed();
    assert!(span < Duration::from_secs(7), "one that is silent is waited for for 5 s: {span:?}");
    let states: Vec<&str> = found.iter().map(|listing| listing.answer.as_str()).collect();
    assert_eq!(states.len(), zones.len() * 3);
    assert_eq!(states[..3], ["listed", "not-listed", "not-applicable"]);
    for (zone, states) in zones.iter().zip(states.chunks(3)).skip(1) {
        assert_eq!(states, ["unknown", "unknown", "not-applicable"], "{zone}");
    }
    let why = |at: usize| match &found[at * 3].answer {
        ListAnswer::Unknown { why } => why.clone(),
        other => panic!("{other:?}"),
    };
    assert!(matches!(why(1), Doubt::ListsAll { .. }));
    assert!(matches!(why(2), Doubt::NoCode { .. }));
    assert!(matches!(why(3), Doubt::Refused { .. }));
    assert!(matches!(why(4), Doubt::Dead { .. }));
    assert!(matches!(why(5), Doubt::Refused { .. }));
    assert!(matches!(why(6), Doubt::Refused { .. }));
    assert!(matches!(why(7), Doubt::Unanswered { trouble: Trouble::Silence }));
    assert!(found[0].to_string().ends_with(": \\x1b[2J"), "{}", found[0]);
}

#[test]
fn a_resolver_without_servers_says_so() {
    assert_eq!(blocking::Resolver::with_servers(&[]).unwrap_err(), ResolverError::NoServer);
    // Nobody listens there.
    let answer = ask("127.255.255.254:9".parse().unwrap(), "a.example", Kind::A);
    assert!(matches!(answer, Answer::Failed(_)), "{answer:?}");
}

#[test]
fn names_in_other_scripts_are_asked_for_in_ascii_and_masks_are_refused() {
    let read = relayprobe::dns::domain;
    assert_eq!(read("bücher.example").unwrap().as_str(), "xn--bcher-kva.example");
    assert_eq!(read("Example.ORG.").unwrap().as_str(), "example.org");
    for text in [
        "xn--example-.org",
        "xn--a.example",
        "a_b.example",
        "a\u{202e}b.example",
        "",
        ".",
        "127.0.0.1",
        "xn--zn7c.com",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}
