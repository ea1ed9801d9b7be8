//! Quoted local parts, `"user@domain"@server`: quotes that come off between the check and the router.
//!
//! Quoting does not change which mailbox is meant (RFC 5321 §4.1.2).

use super::case::{Odd, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "q-nohost",
        tier: Tier::Quick,
        rcpt: r#"<"{probe-user}@{probe-domain}">"#,
        odd: Odd::Recipient,
        why: "A whole address in quotes passes as a local user and is routed once the quotes are off.",
        source: "sendmail 8.8",
        ..PLAIN
    },
    Row {
        id: "q-domain",
        tier: Tier::Quick,
        rcpt: r#"<"{probe-user}@{probe-domain}"@{target-domain}>"#,
        why: "The own domain outside satisfies the check, the foreign address in quotes gets the mail.",
        source: "Postfix resolve_dequoted_address",
        ..PLAIN
    },
    Row {
        id: "q-host",
        tier: Tier::Standard,
        rcpt: r#"<"{probe-user}@{probe-domain}"@{target-host}>"#,
        why: "The host name outside satisfies the check, the foreign address in quotes gets the mail.",
        source: "Postfix resolve_dequoted_address",
        ..PLAIN
    },
    Row {
        id: "q-ip",
        tier: Tier::Standard,
        rcpt: r#"<"{probe-user}@{probe-domain}"@[{target-ip}]>"#,
        odd: Odd::Recipient,
        why: "The IPv4 literal outside satisfies the check, the foreign address in quotes gets the mail.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "q-localhost",
        tier: Tier::Full,
        rcpt: r#"<"{probe-user}@{probe-domain}"@localhost>"#,
        why: "Localhost outside satisfies the check, the foreign address in quotes gets the mail.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "q-localpart",
        tier: Tier::Standard,
        rcpt: r#"<"{probe-user}"@{probe-domain}>"#,
        why: "A quoted local part makes the foreign recipient miss the pattern that would refuse it.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "q-nested",
        tier: Tier::Full,
        rcpt: r#"<"\"{probe-user}@{probe-domain}\""@{target-domain}>"#,
        odd: Odd::Recipient,
        why: "Each hop takes off one of two layers of quotes, and the last one finds a foreign address.",
        source: "Postfix resolve_dequoted_address",
        ..PLAIN
    },
    Row {
        id: "q-pair",
        tier: Tier::Full,
        rcpt: r"<{probe-user}\@{probe-domain}@{target-domain}>",
        why: "A backslash hides the first at-sign from the check only.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "q-single",
        tier: Tier::Full,
        rcpt: "<'{probe-user}@{probe-domain}'>",
        odd: Odd::Recipient,
        why: "Apostrophes around the address hide its domain from the check and are removed later.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "q-space-after",
        tier: Tier::Full,
        rcpt: r#"<"{probe-user}@{probe-domain} "@{target-domain}>"#,
        why: "A blank within the quotes cuts the address short after the check.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
];
