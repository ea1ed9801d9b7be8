//! Address literals and numbers as recipient domain (RFC 5321 §4.1.3).
//!
//! They name our own receiving server, which the target must not take for itself.

use super::case::{Odd, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "lit-probe-ip",
        tier: Tier::Standard,
        rcpt: "<{probe-user}@[{probe-ip}]>",
        odd: Odd::Recipient,
        why: "Any IPv4 literal counts as the server's own, so mail for another host's is taken.",
        source: "Exim allow_domain_literals",
        ..PLAIN
    },
    Row {
        id: "lit-probe-bareip",
        tier: Tier::Full,
        rcpt: "<{probe-user}@{probe-ip}>",
        why: "A recipient at a bare foreign address is treated like a literal and relayed.",
        source: "Postfix resolve_numeric_domain",
        ..PLAIN
    },
    Row {
        id: "lit-probe-ip6",
        tier: Tier::Full,
        rcpt: "<{probe-user}@[IPv6:{probe-ip6}]>",
        odd: Odd::Recipient,
        why: "Any IPv6 literal counts as the server's own, so mail for another host's is taken.",
        source: "RFC 5321 §4.1.3",
        ..PLAIN
    },
    Row {
        id: "lit-probe-mapped",
        tier: Tier::Full,
        rcpt: "<{probe-user}@[IPv6:::ffff:{probe-ip}]>",
        odd: Odd::Recipient,
        why: "A foreign IPv4 address in its IPv6-mapped form slips past the literal rule.",
        source: "RFC 5321 §4.1.3",
        ..PLAIN
    },
    Row {
        id: "lit-probe-hash",
        tier: Tier::Full,
        rcpt: "<{probe-user}@#{probe-ip-decimal}>",
        odd: Odd::Recipient,
        why: "A host written as one number, long obsolete, is understood by the router alone.",
        source: "RFC 5321 appendix F.4",
        ..PLAIN
    },
];
