//! What the client calls itself, with a plain envelope (RFC 5321 §4.1.1.1).
//!
//! The name is the client's own claim and must not decide about relaying (RFC 2505 §2.1).

use super::case::{Odd, Tier};
use super::row::{Greet, PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "helo-own-domain",
        tier: Tier::Quick,
        hello: Greet::Name("{target-domain}"),
        why: "A client that calls itself by the server's domain may relay.",
        source: "OpenSMTPD match helo",
        ..PLAIN
    },
    Row {
        id: "helo-own-host",
        tier: Tier::Standard,
        hello: Greet::Name("{target-host}"),
        why: "A client that calls itself by the server's host name may relay.",
        source: "Postfix check_helo_access",
        ..PLAIN
    },
    Row {
        id: "helo-own-rdns",
        tier: Tier::Full,
        hello: Greet::Name("{target-rdns}"),
        why: "A client that calls itself by the server's reverse name may relay.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "helo-localhost",
        tier: Tier::Quick,
        hello: Greet::Name("localhost"),
        why: "A client that calls itself localhost may relay.",
        source: "Postfix check_helo_access",
        ..PLAIN
    },
    Row {
        id: "helo-loopback-literal",
        tier: Tier::Standard,
        hello: Greet::Name("[127.0.0.1]"),
        why: "A client that calls itself by the loopback literal may relay.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "helo-own-literal",
        tier: Tier::Full,
        hello: Greet::Name("[{target-ip}]"),
        why: "A client that calls itself by the server's IPv4 literal may relay.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "helo-own-bareip",
        tier: Tier::Full,
        hello: Greet::Name("{target-ip}"),
        why: "A client that calls itself by the server's address without brackets may relay.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "helo-bare-word",
        tier: Tier::Standard,
        hello: Greet::Name("{token}"),
        why: "A client name of one label is given the server's own domain and then trusted.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "helo-unresolvable",
        tier: Tier::Full,
        hello: Greet::Name("{token}.invalid"),
        why: "A client name that cannot be looked up switches the relay check off.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "helo-provider",
        tier: Tier::Full,
        hello: Greet::Name("{isp-domain}"),
        why: "A client that calls itself by the provider's domain may relay.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "helo-probe-mx",
        tier: Tier::Full,
        hello: Greet::Name("{sink-host}"),
        why: "A client that calls itself by the name of the recipient's MX may relay.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "helo-old-verb",
        tier: Tier::Standard,
        hello: Greet::OldVerb,
        why: "The relay check runs only in sessions that began with EHLO.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "helo-none",
        tier: Tier::Standard,
        hello: Greet::None,
        odd: Odd::Recipient,
        why: "Without a greeting the relay check has no name to look at and lets the client pass.",
        source: "RFC 5321 §4.1.4",
        ..PLAIN
    },
    Row {
        id: "helo-own-sender-own",
        tier: Tier::Quick,
        hello: Greet::Name("{target-domain}"),
        mail: "<{sender-user}@{target-domain}>",
        why: "A client may relay when its name and its sender both claim the server's domain.",
        source: "OpenSMTPD match helo",
        ..PLAIN
    },
];
