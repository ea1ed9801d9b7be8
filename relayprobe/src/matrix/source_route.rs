//! Source routes, `@server:user@domain`, deprecated (RFC 5321 appendix F.2).
//!
//! A server may refuse a route or ignore it; following one for a stranger is relaying.

use super::case::{Acceptance, Odd, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "rt-domain",
        tier: Tier::Quick,
        rcpt: "<@{target-domain}:{probe-user}@{probe-domain}>",
        why: "The own domain in the route satisfies the check, then the route's last address gets the mail.",
        source: "RFC 5321 appendix F.2",
        ..PLAIN
    },
    Row {
        id: "rt-host",
        tier: Tier::Standard,
        rcpt: "<@{target-host}:{probe-user}@{probe-domain}>",
        why: "The host name in the route satisfies the check, then the last address gets the mail.",
        source: "RFC 5321 appendix F.2",
        ..PLAIN
    },
    Row {
        id: "rt-ip",
        tier: Tier::Standard,
        rcpt: "<@[{target-ip}]:{probe-user}@{probe-domain}>",
        odd: Odd::Recipient,
        why: "The IPv4 literal in the route satisfies the check, then the last address gets the mail.",
        source: "RFC 5321 appendix F.2",
        ..PLAIN
    },
    Row {
        id: "rt-localhost",
        tier: Tier::Full,
        rcpt: "<@localhost:{probe-user}@{probe-domain}>",
        why: "Localhost in the route satisfies the check, then the last address gets the mail.",
        source: "RFC 5321 appendix F.2",
        ..PLAIN
    },
    Row {
        id: "rt-two-hops",
        tier: Tier::Full,
        rcpt: "<@{target-domain},@{target-host}:{probe-user}@{probe-domain}>",
        why: "Of two own hops one is removed before the check, which then sees the other.",
        source: "RFC 5321 appendix F.2",
        ..PLAIN
    },
    Row {
        id: "rt-probe-host",
        tier: Tier::Full,
        rcpt: "<@{probe-domain}:{local-user}@{target-domain}>",
        acceptance: Acceptance::Uninformative,
        why: "Mail for a local mailbox leaves to a foreign host because the route names it first.",
        source: "RFC 5321 appendix F.2",
        ..PLAIN
    },
    Row {
        id: "rt-percent",
        tier: Tier::Full,
        rcpt: "<@{target-host}:{probe-user}%{probe-domain}@{target-domain}>",
        why: "The route is stripped and the percent address in it is routed without a check.",
        source: "qmail percenthack",
        ..PLAIN
    },
    Row {
        id: "rt-no-at",
        tier: Tier::Full,
        rcpt: "<{target-host}:{probe-user}@{probe-domain}>",
        odd: Odd::Recipient,
        why: "A route without its first at-sign is followed, or satisfies a loose pattern.",
        source: "RFC 5321 appendix F.2",
        ..PLAIN
    },
];
