use alloc::string::{String, ToString};
use core::fmt::Write as _;

use mail_parser::{HeaderValue, Host, parsers::MessageStream};
use proptest::prelude::*;

use super::*;

/// Quality, peer, HELO, reverse name, by, with, id, recipient; `-` for none.
type Row = (&'static str, [&'static str; 8]);

/// As written by four servers that we measured.
const MEASURED: [Row; 8] = [
    (
        "from probe.example (unknown [203.0.113.5]) by relay.probe-target.example (Postfix) with ESMTP id ED56F99E059 for <rp+t00@sink.example>; Mon, 23 Nov 2026 20:59:36 +0000 (UTC)",
        [
            "parsed",
            "203.0.113.5",
            "probe.example",
            "-",
            "relay.probe-target.example",
            "ESMTP",
            "ED56F99E059",
            "rp+t00@sink.example",
        ],
    ),
    (
        "from [203.0.113.5] (helo=probe.example) by relay.probe-target.example with esmtp (Exim 4.96) (envelope-from <bounce+t00@probe.example>) id 1xVb9G-00001z-0V for rp+t00@sink.example; Mon, 23 Nov 2026 21:00:26 +0000",
        [
            "parsed",
            "203.0.113.5",
            "probe.example",
            "-",
            "relay.probe-target.example",
            "esmtp",
            "1xVb9G-00001z-0V",
            "rp+t00@sink.example",
        ],
    ),
    (
        "from probe.example (probe.example [203.0.113.5]) by relay.probe-target.example (8.17.1.9/8.17.1.9/Debian-2+deb12u2) with ESMTP id 6ANL5rgp000138 for <rp+t00@sink.example>; Mon, 23 Nov 2026 21:05:53 GMT",
        [
            "parsed",
            "203.0.113.5",
            "probe.example",
            "probe.example",
            "relay.probe-target.example",
            "ESMTP",
            "6ANL5rgp000138",
            "rp+t00@sink.example",
        ],
    ),
    (
        "from probe.example (probe.example [203.0.113.5]) by relay.probe-target.example (OpenSMTPD) with ESMTP id 5e237829 for <rp+t00@sink.example>; Mon, 23 Nov 2026 21:05:07 +0000 (UTC)",
        [
            "parsed",
            "203.0.113.5",
            "probe.example",
            "probe.example",
            "relay.probe-target.example",
            "ESMTP",
            "5e237829",
            "rp+t00@sink.example",
        ],
    ),
    (
        "from [203.0.113.99] (unknown [203.0.113.5]) by relay.probe-target.example (Postfix) with ESMTP id X",
        ["parsed", "203.0.113.5", "[203.0.113.99]", "-", "relay.probe-target.example", "ESMTP", "X", "-"],
    ),
    (
        "from [203.0.113.5] (helo=[203.0.113.99]) by relay.probe-target.example with esmtp (Exim 4.96)",
        ["parsed", "203.0.113.5", "[203.0.113.99]", "-", "relay.probe-target.example", "esmtp", "-", "-"],
    ),
    (
        "from relay.probe-target.example (unknown [192.0.2.10]) by smarthost.isp.example (Postfix) with ESMTP id 1215A99E0B8 for <rp+t00@sink.example>; Mon, 23 Nov 2026 21:38:39 +0000 (UTC)",
        [
            "parsed",
            "192.0.2.10",
            "relay.probe-target.example",
            "-",
            "smarthost.isp.example",
            "ESMTP",
            "1215A99E0B8",
            "rp+t00@sink.example",
        ],
    ),
    (
        "from evil.example??by?fake.example??x (unknown [203.0.113.5]) by relay.probe-target.example (Postfix)",
        [
            "parsed",
            "203.0.113.5",
            "evil.example??by?fake.example??x",
            "-",
            "relay.probe-target.example",
            "-",
            "-",
            "-",
        ],
    ),
];

/// In the forms of other servers, written by us.
const WRITTEN: [Row; 24] = [
    // Exim that knows the reverse name, with a port, with another HELO, and with one that is an IPv6 literal.
    (
        "from mail.probe.example ([203.0.113.5]:52114 helo=probe.example) by mx.target.example with esmtps  (TLS1.3) tls TLS_AES_256_GCM_SHA384 (Exim 4.96) id 1xVb9G-00001z-0V for t@sink.example; Mon, 23 Nov 2026 21:00:26 +0000",
        [
            "parsed",
            "203.0.113.5",
            "probe.example",
            "mail.probe.example",
            "mx.target.example",
            "esmtps",
            "1xVb9G-00001z-0V",
            "t@sink.example",
        ],
    ),
    (
        "from mail.probe.example ([2001:db8::5] helo=[IPv6:2001:db8::99]) by mx.target.example with esmtp (Exim 4.96) id X; Mon, 23 Nov 2026 21:00:26 +0000",
        [
            "parsed",
            "2001:db8::5",
            "[IPv6:2001:db8::99]",
            "mail.probe.example",
            "mx.target.example",
            "esmtp",
            "X",
            "-",
        ],
    ),
    (
        "from mail.probe.example ([203.0.113.5]) by mx.target.example with esmtp (Exim 4.96) id X",
        ["parsed", "203.0.113.5", "mail.probe.example", "-", "mx.target.example", "esmtp", "X", "-"],
    ),
    (
        "from [203.0.113.5] by mx.target.example with esmtp (Exim 4.96) id X",
        ["parsed", "203.0.113.5", "-", "-", "mx.target.example", "esmtp", "X", "-"],
    ),
    (
        "from root by mx.target.example with local (Exim 4.96) (envelope-from <root@target.example>) id X for a@target.example; Mon, 23 Nov 2026 21:00:26 +0000",
        ["local", "-", "-", "-", "mx.target.example", "local", "X", "a@target.example"],
    ),
    // Postfix with TLS, over IPv6, with a quoted recipient, from a program, and from its own content filter.
    (
        "from probe.example (mail.probe.example [IPv6:2001:db8::5]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519) (No client certificate requested) by mx.target.example (Postfix) with ESMTPS id 4Xy for <\"a b;c\"@sink.example>; Mon, 23 Nov 2026 20:59:36 +0000 (UTC)",
        [
            "parsed",
            "2001:db8::5",
            "probe.example",
            "mail.probe.example",
            "mx.target.example",
            "ESMTPS",
            "4Xy",
            "\"a b;c\"@sink.example",
        ],
    ),
    (
        "by mx.target.example (Postfix, from userid 0) id ED56F99E059; Mon, 23 Nov 2026 20:59:36 +0000 (UTC)",
        ["local", "-", "-", "-", "mx.target.example", "-", "ED56F99E059", "-"],
    ),
    (
        "from localhost (localhost [127.0.0.1]) by mx.target.example (Postfix) with ESMTP id X",
        ["parsed", "127.0.0.1", "localhost", "localhost", "mx.target.example", "ESMTP", "X", "-"],
    ),
    // Sendmail with a doubtful reverse name and a user name, and from a program.
    (
        "from probe.example (user@mail.probe.example [203.0.113.5] (may be forged)) (authenticated bits=0) by mx.target.example (8.17.1/8.17.1) with ESMTPSA id X for <t@sink.example>; Mon, 23 Nov 2026 21:05:53 GMT",
        [
            "parsed",
            "203.0.113.5",
            "probe.example",
            "mail.probe.example",
            "mx.target.example",
            "ESMTPSA",
            "X",
            "t@sink.example",
        ],
    ),
    (
        "(from root@localhost) by mx.target.example (8.17.1/8.17.1/Submit) id 6ANL5rgp000138; Mon, 23 Nov 2026 21:05:53 GMT",
        ["local", "-", "-", "-", "mx.target.example", "-", "6ANL5rgp000138", "-"],
    ),
    // qmail.
    (
        "from unknown (HELO probe.example) (203.0.113.5)  by 0 with SMTP; 23 Nov 2026 21:05:53 -0000",
        ["parsed", "203.0.113.5", "probe.example", "-", "0", "SMTP", "-", "-"],
    ),
    (
        "from mail.probe.example (HELO [203.0.113.99]) (user@203.0.113.5)  by mx.target.example with ESMTP; 23 Nov 2026 21:05:53 -0000",
        [
            "parsed",
            "203.0.113.5",
            "[203.0.113.99]",
            "mail.probe.example",
            "mx.target.example",
            "ESMTP",
            "-",
            "-",
        ],
    ),
    (
        "(qmail 1234 invoked from network); 23 Nov 2026 21:05:53 -0000",
        ["local", "-", "-", "-", "-", "-", "-", "-"],
    ),
    (
        "(qmail 1234 invoked by uid 0); 23 Nov 2026 21:05:53 -0000",
        ["local", "-", "-", "-", "-", "-", "-", "-"],
    ),
    // Exchange, from outside and from inside.
    (
        "from probe.example (203.0.113.5) by EX1.target.example (10.0.0.1) with Microsoft SMTP Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.1.2507.39 via Frontend Transport; Mon, 23 Nov 2026 21:05:53 +0100",
        [
            "parsed",
            "203.0.113.5",
            "probe.example",
            "-",
            "EX1.target.example",
            "Microsoft SMTP Server",
            "15.1.2507.39",
            "-",
        ],
    ),
    (
        "from EX1.target.example ([fe80::1]) by EX1.target.example ([fe80::1]) with mapi id 15.20.8158.018; Mon, 23 Nov 2026 21:05:53 +0000",
        ["local", "-", "-", "-", "EX1.target.example", "mapi", "15.20.8158.018", "-"],
    ),
    // Gmail's form.
    (
        "from mail.probe.example (mail.probe.example. [203.0.113.5]) by mx.big.example with ESMTPS id a640c23a62f3a-b9f4si123.45.2026.11.23.12.00.00 for <t@sink.example> (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256); Mon, 23 Nov 2026 12:00:00 -0800 (PST)",
        [
            "parsed",
            "203.0.113.5",
            "mail.probe.example",
            "mail.probe.example",
            "mx.big.example",
            "ESMTPS",
            "a640c23a62f3a-b9f4si123.45.2026.11.23.12.00.00",
            "t@sink.example",
        ],
    ),
    (
        "by 2002:a05:6402:35cb:b0:5cf:c9e4 with SMTP id z11csp123; Mon, 23 Nov 2026 12:00:00 -0800 (PST)",
        ["local", "-", "-", "-", "2002:a05:6402:35cb:b0:5cf:c9e4", "SMTP", "z11csp123", "-"],
    ),
    // Courier, Domino, CommuniGate, MDaemon, Dovecot's local delivery.
    (
        "from probe.example (mail.probe.example [::ffff:203.0.113.5]) (AUTH: LOGIN u@target.example) by mx.target.example with ESMTPA; Mon, 23 Nov 2026 21:05:53 +0000 id 00000000001A2B3C",
        [
            "parsed",
            "203.0.113.5",
            "probe.example",
            "mail.probe.example",
            "mx.target.example",
            "ESMTPA",
            "-",
            "-",
        ],
    ),
    (
        "from probe.example ([203.0.113.5]) by mx.target.example (Lotus Domino Release 8.5.3) with ESMTP id 2026112321055312-1; Mon, 23 Nov 2026 21:05:53 +0100",
        [
            "parsed",
            "203.0.113.5",
            "probe.example",
            "-",
            "mx.target.example",
            "ESMTP",
            "2026112321055312-1",
            "-",
        ],
    ),
    (
        "from [203.0.113.5] (account u@target.example HELO [203.0.113.99]) by mx.target.example (CommuniGate Pro SMTP 6.3) with ESMTPA id 77",
        ["parsed", "203.0.113.5", "[203.0.113.99]", "-", "mx.target.example", "ESMTPA", "77", "-"],
    ),
    (
        "from probe.example by mx.target.example (MDaemon PRO v24) with ESMTP id md5001.msg for <t@sink.example>; Mon, 23 Nov 2026 21:05:53 +0000",
        ["parsed", "-", "probe.example", "-", "mx.target.example", "ESMTP", "md5001.msg", "t@sink.example"],
    ),
    (
        "from mx.sink.example ([127.0.0.1]) by mx.sink.example with LMTP id 8M5bCqXYZ/abc=1 (envelope-from <a@b.example>) for <t@sink.example>; Mon, 23 Nov 2026 21:05:53 +0000",
        [
            "parsed",
            "127.0.0.1",
            "mx.sink.example",
            "-",
            "mx.sink.example",
            "LMTP",
            "8M5bCqXYZ/abc=1",
            "t@sink.example",
        ],
    ),
    // No server's.
    ("who knows what this is", ["unparseable", "-", "-", "-", "-", "-", "-", "-"]),
];

fn shown(hop: &Hop) -> [String; 8] {
    let text = |octets: &Option<Octets>| octets.as_ref().map_or_else(|| "-".into(), Octets::escaped);
    [
        match hop.quality {
            Quality::Parsed => "parsed".into(),
            Quality::LocalHandover => "local".into(),
            Quality::Unparseable => "unparseable".into(),
        },
        hop.peer.map_or_else(|| "-".into(), |peer| peer.to_string()),
        text(&hop.helo),
        text(&hop.reverse_name),
        text(&hop.by),
        text(&hop.with),
        text(&hop.id),
        text(&hop.recipient),
    ]
}

#[test]
fn the_forms_of_many_servers_are_read() {
    for (line, expected) in MEASURED.iter().chain(&WRITTEN) {
        assert_eq!(shown(&Hop::read(line.as_bytes())), *expected, "{line}");
    }
}

#[test]
fn a_library_sees_the_same_client_where_it_sees_one() {
    for (line, _) in &MEASURED {
        let text = std::format!("{line}\n");
        let HeaderValue::Received(theirs) = MessageStream::new(text.as_bytes()).parse_received() else {
            panic!("{line}")
        };
        let ours = Hop::read(line.as_bytes());
        // It leaves the address of Exim's literal form in `from`, and takes a HELO in brackets there for the peer.
        let exim = line.contains("(helo=");
        let peer = if exim { None } else { theirs.from_ip };
        assert!(exim || peer == ours.peer, "{line}");
        let by = match theirs.by {
            Some(Host::Name(name)) => Some(name.into_owned()),
            Some(Host::IpAddr(address)) => Some(address.to_string()),
            None => None,
        };
        assert_eq!(by, ours.by.map(|by| by.escaped()), "{line}");
    }
}

#[test]
fn folded_lines_are_one_and_keep_their_order() {
    let message = b"Return-Path: <>\r\nReceived: from a.example (unknown [192.0.2.1])\r\n\tby b.example (Postfix)\r\n \
        with SMTP id 2\r\nSubject: x\r\nreceived: by a.example with HTTP id 1\r\n\r\nReceived: by body.example id 0\r\n";
    let trace = Trace::read(message);
    let ids: Vec<String> =
        trace.hops.iter().map(|hop| hop.id.clone().unwrap_or_default().escaped()).collect();
    assert_eq!(ids, ["2", "1"]);
    assert_eq!(
        trace.hops[0].raw.as_bytes(),
        b"from a.example (unknown [192.0.2.1])\tby b.example (Postfix) with SMTP id 2"
    );
    // Broken off within the header.
    assert_eq!(Trace::read(&message[..100]).hops.len(), 1);
}

#[test]
fn a_loop_is_cut() {
    let message = "Received: by a.example id 1\r\n".repeat(300);
    assert_eq!(Trace::read(message.as_bytes()).hops.len(), Trace::LIMIT);
}

proptest! {
    #[test]
    fn any_octets_are_read_and_no_hop_is_invented(
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..120),
    ) {
        let mut message = Vec::new();
        for value in &values {
            message.extend_from_slice(b"Received: x");
            message.extend(value.iter().filter(|b| !matches!(b, b'\r' | b'\n')));
            message.extend_from_slice(b"\r\n");
        }
        prop_assert_eq!(Trace::read(&message).hops.len(), values.len().min(Trace::LIMIT));
    }

    #[test]
    fn any_words_are_read(text in r#"(from|by|with|id|for|helo=|HELO|[(]|[)]|\[|\]|<|>|"|;|1[.]2[.]3[.]4|x| ){0,60}"#) {
        let hop = Hop::read(text.as_bytes());
        prop_assert_eq!(hop.raw.as_bytes(), text.as_bytes());
    }

    #[test]
    fn what_a_client_calls_itself_is_never_its_address(
        helo in r"(\[203[.]0[.]113[.]99\]|203[.]0[.]113[.]99|\[IPv6:2001:db8::99\]|by|from|[!-'*-~]{1,30})([!-'*-~]{0,10})",
    ) {
        let mut lines = Vec::new();
        for form in [
            "from {} (unknown [192.0.2.1]) by r.example (Postfix) with SMTP id 1",
            "from {} (x.example [192.0.2.1] (may be forged)) by r.example (8.17.1/8.17.1) with ESMTP id 1",
            "from [192.0.2.1] (helo={}) by r.example with esmtp (Exim 4.96) id 1",
            "from x.example ([192.0.2.1] helo={}) by r.example with esmtp (Exim 4.96) id 1",
            "from unknown (HELO {}) (192.0.2.1) by r.example with SMTP",
        ] {
            let mut line = String::new();
            write!(line, "{}", form.replace("{}", &helo)).unwrap();
            lines.push(line);
        }
        for line in lines {
            let hop = Hop::read(line.as_bytes());
            prop_assert_eq!(hop.peer, Some("192.0.2.1".parse().unwrap()), "{}", line);
            prop_assert_eq!(hop.helo, Some(helo.as_bytes().into()));
        }
    }
}
