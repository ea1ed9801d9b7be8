//! Transaction state and verbs around a plain envelope (RFC 5321 §4.1.4).
//!
//! They show checks that hang on one command, one parameter or one order of things.

use super::case::{Need, Odd, Shape, Tier, Transfer};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "ses-local-first",
        tier: Tier::Standard,
        shape: Shape::LocalFirst,
        why: "Once a local recipient is accepted, the rest of the transaction goes unchecked.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "ses-verb-send",
        tier: Tier::Full,
        mail_verb: "SEND FROM:",
        odd: Odd::Sender,
        why: "A transaction that begins with SEND escapes the check tied to MAIL.",
        source: "RFC 5321 appendix F.6",
        ..PLAIN
    },
    Row {
        id: "ses-verb-soml",
        tier: Tier::Full,
        mail_verb: "SOML FROM:",
        odd: Odd::Sender,
        why: "A transaction that begins with SOML escapes the check tied to MAIL.",
        source: "RFC 5321 appendix F.6",
        ..PLAIN
    },
    Row {
        id: "ses-verb-saml",
        tier: Tier::Full,
        mail_verb: "SAML FROM:",
        odd: Odd::Sender,
        why: "A transaction that begins with SAML escapes the check tied to MAIL.",
        source: "RFC 5321 appendix F.6",
        ..PLAIN
    },
    Row {
        id: "ses-mail-auth-null",
        tier: Tier::Full,
        mail_parameters: " AUTH=<>",
        needs: &[Need::Auth],
        why: "An empty AUTH parameter on MAIL passes for a login.",
        source: "RFC 4954 §5",
        ..PLAIN
    },
    Row {
        id: "ses-mail-auth-own",
        tier: Tier::Full,
        mail_parameters: " AUTH=postmaster@{target-domain}",
        needs: &[Need::Auth],
        why: "An AUTH parameter on MAIL that names an own mailbox passes for a login.",
        source: "RFC 4954 §5",
        ..PLAIN
    },
    Row {
        id: "ses-orcpt-own",
        tier: Tier::Full,
        rcpt_parameters: " ORCPT=rfc822;postmaster@{target-domain}",
        needs: &[Need::Dsn],
        odd: Odd::Recipient,
        why: "The check reads the original recipient in ORCPT, delivery the one in RCPT.",
        source: "RFC 3461 §4.2",
        ..PLAIN
    },
    Row {
        id: "ses-bdat",
        tier: Tier::Full,
        transfer: Transfer::Bdat,
        needs: &[Need::Chunking],
        why: "Relaying is refused only at DATA, so a message sent with BDAT gets through.",
        source: "RFC 3030",
        ..PLAIN
    },
    Row {
        id: "ses-pipelined",
        tier: Tier::Full,
        shape: Shape::EarlyData,
        needs: &[Need::Pipelining],
        why: "A DATA command sent ahead makes the server lose track of the refused recipient.",
        source: "RFC 2920",
        ..PLAIN
    },
];
