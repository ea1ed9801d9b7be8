//! The receiving server over sockets: tested as a relay, by hostile clients, and as the end of real relays.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use relayprobe::address::Domain;
use relayprobe::driver::{self, Stop};
use relayprobe::plan::Prove;
use relayprobe::receipt::Handover;
use relayprobe::sink::{Mode, Sink, SinkOptions};
use relayprobe::token::Token;
use relayprobe::transcript::{Step, What};
use relayprobe::{Identity, Keyring, Matrix, Plan, Report, Selection, Target, Verdict};
use relayprobe_tests::receiving::{Client, Receiving, TOKEN, options};
use relayprobe_tests::servers::{Server, exim, opensmtpd, postfix, sendmail};
use relayprobe_tests::survey::{accepted, shown, survey_with};

/// The relay matrix against a sink that receives for `domain`.
fn survey(domain: &str) -> Report {
    let receiving = Receiving::start(SinkOptions::new(&Identity::new(domain.parse().unwrap())));
    let mut target = Target::new(receiving.sink.address().ip(), receiving.sink.address().port());
    target.domains.push("target.example".parse().unwrap());
    let mut identity = Identity::new("probe.example".parse().unwrap());
    identity.sender_domain = "tester.example".parse().unwrap();
    identity.sink_ipv4 = Some("192.0.2.1".parse().unwrap());
    identity.sink_ipv6 = Some("2001:db8::1".parse().unwrap());
    let plan = Plan::builder(target, identity, "own-server:tests".parse().unwrap())
        .allow_private()
        .matrix(Matrix::select(Selection::Full))
        .profile(relayprobe::plan::Profile::Lab)
        .tls(driver::TLS)
        .build(driver::now(), driver::seed())
        .unwrap();
    driver::blocking::run(plan, &Stop::new(), |_| {})
}

/// The recipients of the relay cases that were accepted.
fn taken(report: &Report) -> Vec<String> {
    let accepted = accepted(report);
    let probes = report.probes.iter().filter(|probe| accepted.contains(&&*probe.case));
    let numbers: Vec<u16> = probes.map(|probe| probe.number).collect();
    let entries = report.transcript.connections.iter().flat_map(|connection| &connection.entries);
    let recipient = |what: &What| match what {
        What::Command { step: Step::Rcpt, probe: Some(probe), octets } if numbers.contains(probe) => {
            Some(octets.to_string())
        }
        _ => None,
    };
    entries.filter_map(|entry| recipient(&entry.what)).collect()
}

#[test]
fn the_relay_matrix_finds_no_way_to_strangers_through_a_sink() {
    for domain in ["sink.example", "target.example"] {
        let zone = domain.parse().unwrap();
        let report = survey(domain);
        let taken = taken(&report);
        assert!(taken.len() > 3, "forms at its own name are taken\n{}", shown(&report));
        for command in taken {
            let (_, end) = command.rsplit_once('@').unwrap();
            let end: Option<Domain> =
                end.split_once(['>', ' ']).and_then(|(end, _)| end.trim_end_matches('.').parse().ok());
            assert!(end.is_some_and(|end| end.is_within(&zone)), "{command}");
        }
        assert!(matches!(report.verdict, Verdict::Closed | Verdict::Suspected), "{}", shown(&report));
    }
}

#[test]
fn refusing_and_accepting() {
    let recipient = format!("{TOKEN}@probe.example");
    for (mode, code, handover) in
        [(Mode::Accept, "250", Handover::Taken), (Mode::Refuse, "550", Handover::Refused)]
    {
        let mut options = options();
        options.mode = mode;
        let receiving = Receiving::start(options);
        let mut client = receiving.client();
        client.ask("EHLO relay.example");
        assert_eq!(client.send("probe@tester.example", &recipient, "x"), code);
        assert_eq!(client.send("alice@target.example", &recipient, "y"), "250");
        assert_eq!(client.send("anna@other.example", "postmaster@probe.example", "please stop"), "550");
        assert_eq!(client.ask("QUIT"), "221");
        assert_eq!(receiving.next().handover, handover);
        assert_eq!(receiving.next().message.as_bytes(), b"y\r\n");
        let counts = receiving.sink.stop();
        assert_eq!((counts.connections, counts.taken + counts.refused, counts.not_ours), (1, 2, 1));
    }
}

#[test]
fn a_message_that_cannot_be_kept_is_not_confirmed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let sink = Sink::start(listener, options(), |_| Err(std::io::Error::other("the disk is full"))).unwrap();
    let (mut client, _) = Client::connect(sink.address());
    client.ask("EHLO relay.example");
    assert_eq!(client.send("", &format!("{TOKEN}@probe.example"), "x"), "451");
    assert_eq!((sink.counts().not_kept, sink.counts().taken), (1, 0));
}

#[test]
fn a_smuggled_message_stays_inside_the_one_that_carries_it() {
    let receiving = Receiving::start(options());
    for dot in ["\n.\n", "\r\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r\r\n", "\n\n.\r\n", "\r\n.\0\r\n"] {
        let mut client = receiving.client();
        client.ask("EHLO relay.example");
        let second = format!("MAIL FROM:<>\r\nRCPT TO:<{TOKEN}@probe.example>\r\nDATA\r\nforged");
        let text = format!("{TOKEN}{dot}{second}");
        assert_eq!(client.send("a@b.example", "x@probe.example", &text), "250", "{dot:?}");
        assert_eq!(client.ask("QUIT"), "221");
        let arrival = receiving.next();
        assert_eq!(arrival.envelope.unwrap().sender.as_bytes(), b"a@b.example");
        assert!(arrival.message.as_bytes().ends_with(b"forged\r\n"));
    }
    assert_eq!(receiving.rest(), []);
}

#[test]
fn a_flood_of_connections_is_turned_away_and_leaves_no_trace() {
    let mut options = options();
    options.limits.connections_per_peer = 3;
    let receiving = Receiving::start(options);
    let mut served: Vec<Client> = (0..3).map(|_| receiving.client()).collect();
    for _ in 0..200 {
        let (mut turned_away, greeting) = Client::connect(receiving.sink.address());
        assert!(greeting.starts_with("421 4.3.2 "), "{greeting}");
        assert_eq!(turned_away.read_to_end(), "");
    }
    for client in &mut served {
        assert_eq!(client.ask("QUIT"), "221");
        assert_eq!(client.read_to_end(), "");
    }
    assert_eq!(receiving.sink.counts().turned_away, 200);
    // Their places are free as soon as their threads have ended.
    let begin = Instant::now();
    while !Client::connect(receiving.sink.address()).1.starts_with("220 ") {
        assert!(begin.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_client_that_dawdles_is_sent_away_in_time() {
    let mut options = options();
    options.limits.idle = Duration::from_millis(300);
    options.limits.session = Duration::from_millis(900);
    let receiving = Receiving::start(options);
    let begin = Instant::now();
    let mut silent = receiving.client();
    assert!(silent.reply().starts_with("421 4.4.2 "));
    assert!(begin.elapsed() < Duration::from_millis(900));

    // An octet now and then: never idle, and over all the same.
    let mut slow = receiving.client();
    let begin = Instant::now();
    while slow.say(b"x") && begin.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

#[test]
fn endless_data_ends() {
    let mut options = options();
    options.limits.session = Duration::from_millis(800);
    let receiving = Receiving::start(options);
    let mut client = receiving.client();
    client.ask("EHLO relay.example");
    client.ask("MAIL FROM:<>");
    client.ask(&format!("RCPT TO:<{TOKEN}@probe.example>"));
    client.ask("DATA");
    let begin = Instant::now();
    let piece = "x\r\n".repeat(20_000);
    while client.say(piece.as_bytes()) {
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
    let arrival = receiving.next();
    assert_eq!((arrival.handover, arrival.message.as_bytes().len()), (Handover::Interrupted, 65_536));
}

#[test]
fn giants_and_nulls_are_refused_and_the_talk_goes_on() {
    let receiving = Receiving::start(options());
    let mut client = receiving.client();
    assert_eq!(client.ask(&"x".repeat(5_000_000)), "500");
    assert_eq!(client.ask(&"\0".repeat(5_000)), "500");
    assert_eq!(client.ask("EHLO relay.example"), "250");
    assert_eq!(client.ask("MAIL FROM:<a\0b@c.example>"), "501");
    let recipient = format!("{TOKEN}@probe.example");
    assert_eq!(client.send("", &recipient, &"y\r\n".repeat(3_000_000)), "552");
    assert_eq!(receiving.next().message.as_bytes().len(), 65_536);
    assert_eq!(client.send("", &recipient, "\0\u{1}"), "250");
    assert_eq!(receiving.next().message.as_bytes(), b"\0\x01\r\n");
}

#[test]
fn stopping_ends_every_connection_within_a_second() {
    let receiving = Receiving::start(options());
    let mut clients: Vec<Client> = (0..8).map(|_| receiving.client()).collect();
    clients[0].ask("EHLO relay.example");
    clients[0].ask("MAIL FROM:<>");
    clients[0].ask(&format!("RCPT TO:<{TOKEN}@probe.example>"));
    let address = receiving.sink.address();
    let begin = Instant::now();
    drop(receiving.sink);
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    for client in &mut clients {
        assert!(client.reply().starts_with("421 4.3.2 "));
        assert_eq!(client.read_to_end(), "");
    }
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens");
}

/// Hands a message to a relay that sends to our sink.
fn relay(server: &Server, recipient: &str) {
    let (mut client, greeting) = Client::connect(server.addr);
    assert!(greeting.starts_with("220"), "{greeting}");
    client.ask("EHLO probe.example");
    let text = format!("Subject: Relay test\r\nMessage-ID: <{TOKEN}@probe.example>\r\n\r\nA test.");
    assert_eq!(client.send("probe@tester.example", recipient, &text), "250", "{}", server.log());
    client.ask("QUIT");
}

#[test]
fn what_postfix_relays_arrives_with_the_form_that_it_took() {
    let receiving = Receiving::start(options());
    let server = postfix::start(postfix::Flavour::Open, Some(receiving.sink.address()));
    relay(&server, &format!("{TOKEN}%probe.example@target.example"));
    let arrival = receiving.next();
    assert_eq!(arrival.handover, Handover::Taken);
    let envelope = arrival.envelope.unwrap();
    assert_eq!(envelope.peer, Some(server.addr.ip()));
    assert_eq!(envelope.helo.to_string(), "mail.target.example");
    assert_eq!(envelope.sender.to_string(), "probe@tester.example");
    assert_eq!(envelope.recipients[0].address.to_string(), format!("{TOKEN}@probe.example"));
    let original = envelope.recipients[0].original.as_ref().map(ToString::to_string);
    assert_eq!(original, Some(format!("rfc822;{TOKEN}%probe.example@target.example")));
    assert!(arrival.message.as_bytes().starts_with(b"Received: "), "{:?}", arrival.message);
    assert!(arrival.message.as_bytes().ends_with(b"\r\n\r\nA test.\r\n"));
}

#[test]
fn what_other_servers_relay_arrives() {
    let starts: [fn(Option<SocketAddr>) -> Server; 3] = [
        |sink| exim::start(exim::Flavour::Open, sink),
        |sink| sendmail::start(sendmail::Flavour::Open, sink),
        |sink| opensmtpd::start(opensmtpd::Flavour::Open, sink),
    ];
    for start in starts {
        let receiving = Receiving::start(options());
        let server = start(Some(receiving.sink.address()));
        relay(&server, &format!("{TOKEN}@probe.example"));
        let arrival = receiving.next();
        let envelope = arrival.envelope.unwrap();
        assert_eq!(envelope.sender.to_string(), "probe@tester.example", "{}", server.log());
        assert_eq!(envelope.recipients[0].address.to_string(), format!("{TOKEN}@probe.example"));
        assert!(arrival.message.as_bytes().starts_with(b"Received: "), "{:?}", arrival.message);
    }
}

/// The real test messages, whose tokens must be known for such.
#[test]
fn a_run_that_proves_finds_its_messages_in_the_sink() {
    let receiving = Receiving::start(options());
    let server = postfix::start(postfix::Flavour::Open, Some(receiving.sink.address()));
    let keys = Keyring::new([7; 32], driver::now());
    let report = survey_with(&server, |builder| {
        builder.matrix(Matrix::select(Selection::Quick)).prove(Prove::All, &keys)
    });
    let arrival = receiving.next();
    assert_eq!(arrival.handover, Handover::Taken);
    let recipient = arrival.envelope.as_ref().unwrap().recipients[0].address.to_string();
    let (token, _) = recipient.split_once('@').unwrap();
    let token: Token = token.parse().unwrap();
    assert_eq!(token.run(), report.run.run, "{}", shown(&report));
    let again = arrival
        .message
        .as_bytes()
        .windows(Token::LENGTH)
        .filter(|text| *text == token.to_string().as_bytes());
    assert!(again.count() >= 1, "{:?}", arrival.message);
}

#[test]
fn what_a_relay_could_not_deliver_comes_back_as_a_report() {
    let mut options = options();
    options.mode = Mode::Refuse;
    let receiving = Receiving::start(options);
    let server = postfix::start(postfix::Flavour::Open, Some(receiving.sink.address()));
    relay(&server, &format!("{TOKEN}@probe.example"));
    assert_eq!(receiving.next().handover, Handover::Refused);
    let report = receiving.next();
    assert_eq!(report.handover, Handover::Taken);
    assert_eq!(report.envelope.unwrap().sender.as_bytes(), b"");
    let text = String::from_utf8_lossy(report.message.as_bytes()).into_owned();
    assert!(text.contains("seen, not delivered"), "{text}");
}
