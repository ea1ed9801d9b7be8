//! UUCP bang paths, `domain!user`, which some servers turn round into `user@domain`.
//!
//! Like the percent hack they must be resolved before relaying is decided (RFC 2505 §2.1).

use super::case::{Odd, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "bang-nohost",
        tier: Tier::Quick,
        rcpt: "<{probe-domain}!{probe-user}>",
        odd: Odd::Recipient,
        why: "A UUCP path without at-sign passes as local and is then turned into a foreign address.",
        source: "Postfix swap_bangpath",
        ..PLAIN
    },
    Row {
        id: "bang-domain",
        tier: Tier::Quick,
        rcpt: "<{probe-domain}!{probe-user}@{target-domain}>",
        why: "A UUCP path in an own address is routed, here or at a hub that trusts this server.",
        source: "sendmail nouucp",
        ..PLAIN
    },
    Row {
        id: "bang-host",
        tier: Tier::Standard,
        rcpt: "<{probe-domain}!{probe-user}@{target-host}>",
        why: "A UUCP path at the server's host name is routed to its first hop.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "bang-ip",
        tier: Tier::Standard,
        rcpt: "<{probe-domain}!{probe-user}@[{target-ip}]>",
        odd: Odd::Recipient,
        why: "A UUCP path at the server's IPv4 literal is routed to its first hop.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "bang-localhost",
        tier: Tier::Full,
        rcpt: "<{probe-domain}!{probe-user}@localhost>",
        why: "A UUCP path at localhost is taken as local and routed to its first hop.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "bang-two",
        tier: Tier::Full,
        rcpt: "<{target-domain}!{probe-domain}!{probe-user}>",
        odd: Odd::Recipient,
        why: "The own domain as first hop satisfies the check, the second hop is foreign.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "bang-own-prefix",
        tier: Tier::Full,
        rcpt: "<{target-domain}!{probe-user}@{probe-domain}>",
        why: "The check binds the bang first and sees the own name, the router binds the at-sign first.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "bang-percent",
        tier: Tier::Full,
        rcpt: "<{probe-domain}!{probe-user}%{target-domain}@{target-host}>",
        why: "Bang and percent in one local part are undone in another order than they are checked.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
];
