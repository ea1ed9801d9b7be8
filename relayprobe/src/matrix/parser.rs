//! Addresses that a check and a router read differently (RFC 5321 §4.1.2).
//!
//! Each has one reading that the check lets pass and another one in our domain.

use super::case::{Need, Odd, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "pd-backslash-at",
        tier: Tier::Full,
        rcpt: r"<{probe-domain}!{probe-user}\@{target-domain}>",
        odd: Odd::Recipient,
        why: "An escaped at-sign leaves a bang path behind, which is routed to its first hop.",
        source: "sendmail 8.15",
        ..PLAIN
    },
    Row {
        id: "pd-open-paren",
        tier: Tier::Full,
        rcpt: "<{probe-user}%{probe-domain}(@{target-domain}>",
        odd: Odd::Recipient,
        why: "An unclosed comment swallows the own domain and leaves a percent address to route.",
        source: "Postfix 3.6",
        ..PLAIN
    },
    Row {
        id: "pd-encoded-word",
        tier: Tier::Full,
        rcpt: "<=?utf-8?q?{probe-user}=40{probe-domain}=3e?={probe-user}@{target-domain}>",
        why: "A library decodes the encoded word after the check, and a foreign address comes out.",
        source: "RFC 2047 §5",
        ..PLAIN
    },
    Row {
        id: "pd-fullwidth-at",
        tier: Tier::Full,
        mail_parameters: " SMTPUTF8",
        rcpt: "<{probe-user}\u{ff20}{probe-domain}@{target-domain}>",
        needs: &[Need::SmtpUtf8],
        odd: Odd::Recipient,
        why: "A full-width at-sign becomes a real one after the check.",
        source: "RFC 6531",
        ..PLAIN
    },
    Row {
        id: "pd-ideographic-dot",
        tier: Tier::Full,
        mail_parameters: " SMTPUTF8",
        rcpt: "<{probe-user}@{probe-domain-u3002}>",
        needs: &[Need::SmtpUtf8],
        odd: Odd::Recipient,
        why: "Ideographic full stops become the dots of a foreign domain after the check.",
        source: "RFC 6531",
        ..PLAIN
    },
];
