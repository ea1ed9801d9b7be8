//! Addresses that carry another one for a gateway, inside a local part (RFC 2505 §2.1).
//!
//! The target owns the outer domain; undoing the encapsulation makes the recipient foreign.

use super::case::{Acceptance, Odd, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "gw-imceasmtp",
        tier: Tier::Standard,
        rcpt: "<IMCEASMTP-{probe-user}+40{probe-domain-imcea}@{target-domain}>",
        why: "An encapsulated SMTP address is unpacked after the check and the foreign address mailed.",
        source: "CVE-1999-0682",
        ..PLAIN
    },
    Row {
        id: "gw-imcea-quoted",
        tier: Tier::Full,
        rcpt: r#"<"IMCEASMTP-{probe-user}+40{probe-domain-imcea}"@{target-domain}>"#,
        why: "An encapsulated SMTP address in quotes is unpacked after the check and mailed.",
        source: "CVE-2002-1790",
        ..PLAIN
    },
    Row {
        id: "gw-x400",
        tier: Tier::Full,
        rcpt: r#"<"/c=us/admd= /prmd=test/dd.rfc-822={probe-user}(a){probe-domain}/"@{target-domain}>"#,
        why: "An X.400 address with an Internet one in it is unpacked by the gateway and sent on.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "gw-mail11",
        tier: Tier::Full,
        rcpt: r#"<"gateway::smtp%\"{probe-user}@{probe-domain}\""@{target-domain}>"#,
        odd: Odd::Recipient,
        why: "A DECnet MAIL-11 address with an Internet one in it is unpacked and sent on.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "gw-srs0",
        tier: Tier::Standard,
        rcpt: "<SRS0=AAAA=AA={probe-domain}={probe-user}@{target-domain}>",
        why: "A rewritten sender is turned back without a look at its hash: anyone can forge one.",
        source: "Sender Rewriting Scheme",
        ..PLAIN
    },
    Row {
        id: "gw-srs1",
        tier: Tier::Full,
        rcpt: "<SRS1=AAAA={sender-domain}==AAAA=AA={probe-domain}={probe-user}@{target-domain}>",
        why: "A sender rewritten twice is turned back without a look at its hash.",
        source: "Sender Rewriting Scheme",
        ..PLAIN
    },
    Row {
        id: "gw-verp",
        tier: Tier::Full,
        rcpt: "<{probe-user}={probe-domain}@{target-domain}>",
        why: "An equals sign in the local part is turned into the at-sign of a foreign address.",
        source: "VERP",
        ..PLAIN
    },
    Row {
        id: "gw-plus",
        tier: Tier::Full,
        rcpt: "<{local-user}+{probe-user}={probe-domain}@{target-domain}>",
        acceptance: Acceptance::Uninformative,
        why: "A forwarder or list manager mails the foreign address in the detail after the plus.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
];
