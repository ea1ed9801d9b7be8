//! The percent hack, `user%domain@server` (RFC 1123 §5.2.16).
//!
//! The outer domain is the server's own: the forms show whether the local part is routed on after the check.

use super::case::{Odd, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "pct-domain",
        tier: Tier::Quick,
        rcpt: "<{probe-user}%{probe-domain}@{target-domain}>",
        why: "The local part is split at the percent sign and the mail routed on to the inner domain.",
        source: "RFC 1123 §5.2.16",
        ..PLAIN
    },
    Row {
        id: "pct-host",
        tier: Tier::Standard,
        rcpt: "<{probe-user}%{probe-domain}@{target-host}>",
        why: "A percent address at the server's host name is routed on to the inner domain.",
        source: "Exim percent_hack_domains",
        ..PLAIN
    },
    Row {
        id: "pct-rdns",
        tier: Tier::Standard,
        rcpt: "<{probe-user}%{probe-domain}@{target-rdns}>",
        why: "A percent address at the server's reverse name is routed on to the inner domain.",
        source: "RFC 1123 §5.2.16",
        ..PLAIN
    },
    Row {
        id: "pct-ip",
        tier: Tier::Quick,
        rcpt: "<{probe-user}%{probe-domain}@[{target-ip}]>",
        odd: Odd::Recipient,
        why: "A percent address at the server's IPv4 literal is routed on to the inner domain.",
        source: "qmail percenthack",
        ..PLAIN
    },
    Row {
        id: "pct-bareip",
        tier: Tier::Full,
        rcpt: "<{probe-user}%{probe-domain}@{target-ip}>",
        why: "A percent address at the server's unbracketed address is routed on to the inner domain.",
        source: "RFC 1123 §5.2.16",
        ..PLAIN
    },
    Row {
        id: "pct-localhost",
        tier: Tier::Full,
        rcpt: "<{probe-user}%{probe-domain}@localhost>",
        why: "A percent address at localhost is taken as local and routed on to the inner domain.",
        source: "qmail percenthack",
        ..PLAIN
    },
    Row {
        id: "pct-loopback",
        tier: Tier::Full,
        rcpt: "<{probe-user}%{probe-domain}@[127.0.0.1]>",
        odd: Odd::Recipient,
        why: "A percent address at the loopback literal is taken as local and routed on.",
        source: "qmail percenthack",
        ..PLAIN
    },
    Row {
        id: "pct-ip6",
        tier: Tier::Full,
        rcpt: "<{probe-user}%{probe-domain}@[IPv6:{target-ip6}]>",
        odd: Odd::Recipient,
        why: "A percent address at the server's IPv6 literal is routed on to the inner domain.",
        source: "RFC 1123 §5.2.16",
        ..PLAIN
    },
    Row {
        id: "pct-empty",
        tier: Tier::Full,
        rcpt: "<{probe-user}%{probe-domain}@>",
        odd: Odd::Recipient,
        why: "Nothing after the at-sign means the server itself, which then routes by the percent sign.",
        source: "Postfix resolve_null_domain",
        ..PLAIN
    },
    Row {
        id: "pct-nohost",
        tier: Tier::Standard,
        rcpt: "<{probe-user}%{probe-domain}>",
        odd: Odd::Recipient,
        why: "An address without at-sign passes as a local user, then the percent sign routes it.",
        source: "qmail percenthack",
        ..PLAIN
    },
    Row {
        id: "pct-quoted-nohost",
        tier: Tier::Standard,
        rcpt: r#"<"{probe-user}%{probe-domain}">"#,
        odd: Odd::Recipient,
        why: "A quoted percent address passes as a local user and is routed once the quotes are off.",
        source: "qmail percenthack",
        ..PLAIN
    },
    Row {
        id: "pct-quoted-domain",
        tier: Tier::Full,
        rcpt: r#"<"{probe-user}%{probe-domain}"@{target-domain}>"#,
        why: "Quotes keep the percent sign from the check but not from the router.",
        source: "Exim percent_hack_domains",
        ..PLAIN
    },
    Row {
        id: "pct-nested",
        tier: Tier::Full,
        rcpt: "<{probe-user}%{probe-domain}%{target-domain}@{target-host}>",
        why: "Of two percent levels only one is undone before the check.",
        source: "Exim percent_hack_domains",
        ..PLAIN
    },
    Row {
        id: "pct-local-last",
        tier: Tier::Full,
        rcpt: "<{probe-user}%{probe-domain}%{target-domain}>",
        odd: Odd::Recipient,
        why: "With the own domain behind a percent sign the address passes and the other level is routed.",
        source: "qmail percenthack",
        ..PLAIN
    },
];
