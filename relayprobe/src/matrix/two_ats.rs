//! Two at-signs, `user@domain@server`: the check and the router may split at different ones.
//!
//! A path has one domain (RFC 5321 §4.1.2); what it holds must be resolved before deciding (RFC 2505 §2.1).

use super::case::{Odd, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "at-domain",
        tier: Tier::Quick,
        rcpt: "<{probe-user}@{probe-domain}@{target-domain}>",
        odd: Odd::Recipient,
        why: "The check reads the last domain, the router the first.",
        source: "Postfix allow_untrusted_routing",
        ..PLAIN
    },
    Row {
        id: "at-host",
        tier: Tier::Standard,
        rcpt: "<{probe-user}@{probe-domain}@{target-host}>",
        odd: Odd::Recipient,
        why: "The check reads the host name at the end, the router the foreign domain before it.",
        source: "Postfix allow_untrusted_routing",
        ..PLAIN
    },
    Row {
        id: "at-rdns",
        tier: Tier::Standard,
        rcpt: "<{probe-user}@{probe-domain}@{target-rdns}>",
        odd: Odd::Recipient,
        why: "The check reads the reverse name at the end, the router the foreign domain before it.",
        source: "Postfix allow_untrusted_routing",
        ..PLAIN
    },
    Row {
        id: "at-ip",
        tier: Tier::Standard,
        rcpt: "<{probe-user}@{probe-domain}@[{target-ip}]>",
        odd: Odd::Recipient,
        why: "The check reads the IPv4 literal at the end, the router the foreign domain before it.",
        source: "Postfix allow_untrusted_routing",
        ..PLAIN
    },
    Row {
        id: "at-bareip",
        tier: Tier::Full,
        rcpt: "<{probe-user}@{probe-domain}@{target-ip}>",
        odd: Odd::Recipient,
        why: "The check reads the bare address at the end, the router the foreign domain before it.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "at-localhost",
        tier: Tier::Full,
        rcpt: "<{probe-user}@{probe-domain}@localhost>",
        odd: Odd::Recipient,
        why: "The check reads localhost at the end, the router the foreign domain before it.",
        source: "Postfix allow_untrusted_routing",
        ..PLAIN
    },
    Row {
        id: "at-empty",
        tier: Tier::Full,
        rcpt: "<{probe-user}@{probe-domain}@>",
        odd: Odd::Recipient,
        why: "A trailing at-sign makes the address local for the check; the router drops it.",
        source: "Postfix resolve_null_domain",
        ..PLAIN
    },
    Row {
        id: "at-triple",
        tier: Tier::Full,
        rcpt: "<{probe-user}@{probe-domain}@{target-host}@{target-domain}>",
        odd: Odd::Recipient,
        why: "Of two own names at the end one is stripped, and what remains is never checked again.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
];
