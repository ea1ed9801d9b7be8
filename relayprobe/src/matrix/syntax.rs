//! Broken command syntax that a server forgives (RFC 5321 §4.1.2).
//!
//! What a tolerant parser makes of it may be an address that the relay check never saw.

use super::case::{Acceptance, Odd, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "syn-no-brackets",
        tier: Tier::Quick,
        rcpt: "{probe-user}@{probe-domain}",
        why: "An address without angle brackets takes a path through the parser that skips the check.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-space-after-colon",
        tier: Tier::Standard,
        rcpt: " <{probe-user}@{probe-domain}>",
        why: "A blank after the colon keeps the recipient from the check.",
        source: "RFC 5321 §3.3",
        ..PLAIN
    },
    Row {
        id: "syn-mail-space",
        tier: Tier::Full,
        mail: " <{sender}>",
        why: "A blank after the colon of MAIL keeps the sender from the check.",
        source: "RFC 5321 §3.3",
        ..PLAIN
    },
    Row {
        id: "syn-space-before-colon",
        tier: Tier::Full,
        rcpt_verb: "RCPT TO :",
        odd: Odd::Recipient,
        why: "A blank before the colon keeps the recipient from the check.",
        source: "RFC 5321 §3.3",
        ..PLAIN
    },
    Row {
        id: "syn-lower-case",
        tier: Tier::Full,
        mail_verb: "mail from:",
        rcpt_verb: "rcpt to:",
        why: "A filter in front knows only upper-case verbs, and the server behind takes the others.",
        source: "RFC 5321 §2.4",
        ..PLAIN
    },
    Row {
        id: "syn-inner-space",
        tier: Tier::Full,
        rcpt: "< {probe-user}@{probe-domain} >",
        odd: Odd::Recipient,
        why: "Blanks within the angle brackets keep the address from the pattern that would refuse it.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-double-brackets",
        tier: Tier::Full,
        rcpt: "<<{probe-user}@{probe-domain}>>",
        odd: Odd::Recipient,
        why: "Doubled angle brackets are removed after the check instead of before it.",
        source: "Exim strip_excess_angle_brackets",
        ..PLAIN
    },
    Row {
        id: "syn-phrase-outside",
        tier: Tier::Full,
        rcpt: "Relay Test <{probe-user}@{probe-domain}>",
        odd: Odd::Recipient,
        why: "A display name before the brackets distracts the check from the address.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-phrase-inside",
        tier: Tier::Full,
        rcpt: "<Relay Test <{probe-user}@{probe-domain}>>",
        odd: Odd::Recipient,
        why: "A display name within the brackets is dropped and the inner address used unchecked.",
        source: "Postfix strict_rfc821_envelopes",
        ..PLAIN
    },
    Row {
        id: "syn-comment-local",
        tier: Tier::Full,
        rcpt: "<{probe-user}(test)@{probe-domain}>",
        why: "A comment in the local part makes the foreign recipient miss a pattern.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-comment-own",
        tier: Tier::Full,
        rcpt: "<{probe-user}@{probe-domain}(@{target-domain})>",
        why: "The own domain in a trailing comment satisfies a pattern, and the parser then drops it.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-missing-close",
        tier: Tier::Full,
        rcpt: "<{probe-user}@{probe-domain}",
        odd: Odd::Recipient,
        why: "Without its closing bracket the address is used but not checked.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-trailing-dot",
        tier: Tier::Standard,
        rcpt: "<{probe-user}@{probe-domain}.>",
        odd: Odd::Recipient,
        why: "A dot at its end makes the foreign domain miss the pattern that would refuse it.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-own-trailing-dot",
        tier: Tier::Full,
        rcpt: "<{probe-user}%{probe-domain}@{target-domain}.>",
        odd: Odd::Recipient,
        why: "A dot after the own domain changes how it is checked, and the percent sign is routed.",
        source: "RFC 1123 §5.2.16",
        ..PLAIN
    },
    Row {
        id: "syn-upper-case",
        tier: Tier::Full,
        rcpt: "<{probe-user}@{PROBE-DOMAIN}>",
        why: "Upper case makes the foreign domain miss the pattern that would refuse it.",
        source: "RFC 5321 §2.4",
        ..PLAIN
    },
    Row {
        id: "syn-list-comma",
        tier: Tier::Full,
        rcpt: "<{local-user}@{target-domain},{probe-user}@{probe-domain}>",
        odd: Odd::Recipient,
        why: "Of two addresses with a comma between them the first is checked and both are used.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-list-semicolon",
        tier: Tier::Full,
        rcpt: "<{local-user}@{target-domain};{probe-user}@{probe-domain}>",
        odd: Odd::Recipient,
        why: "Of two addresses with a semicolon between them the first is checked and both are used.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-list-space",
        tier: Tier::Full,
        rcpt: "<{local-user}@{target-domain} {probe-user}@{probe-domain}>",
        odd: Odd::Recipient,
        why: "Of two addresses with a blank between them the first is checked and both are used.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-two-paths",
        tier: Tier::Full,
        rcpt: "<{local-user}@{target-domain}><{probe-user}@{probe-domain}>",
        odd: Odd::Recipient,
        acceptance: Acceptance::Uninformative,
        why: "Of two paths in one command the first is checked and both are used.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-bar",
        tier: Tier::Full,
        rcpt: "<{probe-user}@{probe-domain}|{local-user}@{target-domain}>",
        odd: Odd::Recipient,
        why: "A bar separates two addresses for the router, while the check sees only the local one.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "syn-scheme",
        tier: Tier::Full,
        rcpt: "<smtp:{probe-user}@{probe-domain}>",
        odd: Odd::Recipient,
        why: "An address type in front hides the recipient from the check and is cut off later.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
];
