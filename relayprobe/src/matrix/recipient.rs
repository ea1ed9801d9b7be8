//! Recipient rules that match more than the server's own domains (RFC 2505 §2.1).
//!
//! All recipients end in our zones, so a correct server refuses every one of them.

use super::case::{Odd, Recipient, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "rcp-role-postmaster",
        tier: Tier::Quick,
        rcpt: "<postmaster@{probe-domain}>",
        why: "A rule that always takes mail for postmaster does so for every domain.",
        source: "RFC 5321 §4.5.1",
        ..PLAIN
    },
    Row {
        id: "rcp-role-abuse",
        tier: Tier::Standard,
        rcpt: "<abuse@{probe-domain}>",
        why: "A rule that always takes mail for the abuse desk does so for every domain.",
        source: "Postfix check_recipient_access",
        ..PLAIN
    },
    Row {
        id: "rcp-local-name",
        tier: Tier::Standard,
        rcpt: "<{local-user}@{probe-domain}>",
        why: "A local user's name is accepted as recipient whatever domain follows it.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "rcp-own-prefix",
        tier: Tier::Quick,
        rcpt: "<{probe-user}@{target-domain}.{probe-domain}>",
        why: "A pattern for the own domain is open at its end, so a longer foreign name matches.",
        source: "Postfix check_recipient_access",
        ..PLAIN
    },
    Row {
        id: "rcp-own-as-local",
        tier: Tier::Full,
        rcpt: "<{target-domain}@{probe-domain}>",
        why: "A pattern finds the own domain in the local part of a foreign address.",
        source: "Postfix check_recipient_access",
        ..PLAIN
    },
    Row {
        id: "rcp-own-in-quotes",
        tier: Tier::Full,
        rcpt: r#"<"{probe-user}@{target-domain}"@{probe-domain}>"#,
        why: "A pattern finds an own address in the quoted local part of a foreign one.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "rcp-own-percent-inside",
        tier: Tier::Full,
        rcpt: "<{probe-user}%{target-domain}@{probe-domain}>",
        why: "A pattern finds the own domain behind the percent sign of a foreign address.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "rcp-mx-backup",
        tier: Tier::Standard,
        to: Recipient::Lure,
        rcpt: "<{probe-user}@{lure-mx}>",
        why: "Whoever points an MX record at the server can have mail for that domain relayed.",
        source: "Postfix permit_mx_backup",
        ..PLAIN
    },
    Row {
        id: "rcp-mx-percent",
        tier: Tier::Full,
        to: Recipient::Lure,
        rcpt: "<{probe-user}%{probe-domain}@{lure-mx}>",
        why: "An MX record opens the server to a percent address, and with it to every domain.",
        source: "Postfix allow_untrusted_routing",
        ..PLAIN
    },
    Row {
        id: "rcp-mx-at",
        tier: Tier::Full,
        to: Recipient::Lure,
        rcpt: "<{probe-user}@{probe-domain}@{lure-mx}>",
        odd: Odd::Recipient,
        why: "An MX record opens the server to a second at-sign, and with it to every domain.",
        source: "Postfix allow_untrusted_routing",
        ..PLAIN
    },
    Row {
        id: "rcp-a-percent",
        tier: Tier::Full,
        to: Recipient::Lure,
        rcpt: "<{probe-user}%{probe-domain}@{lure-a}>",
        why: "Every name that points at the server counts as local, then the percent sign is routed.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "rcp-own-sub-percent",
        tier: Tier::Full,
        rcpt: "<{probe-user}%{probe-domain}@{token}.{target-domain}>",
        why: "An invented subdomain passes for the own domain, then the percent sign is routed.",
        source: "sendmail loose_relay_check",
        ..PLAIN
    },
];
