//! Controls: they tell a closed server from one that refuses us, or that accepts everything.
//!
//! None of them says anything about relaying by itself, and none sends the target a message. The target must
//! take mail for its postmaster (RFC 5321 §4.5.1) and cannot deliver to a name under `.invalid` (RFC 2606 §2).

use super::case::{Need, Recipient, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "ctl-local-accept",
        tier: Tier::Quick,
        to: Recipient::OwnMailbox,
        rcpt: "<{own-mailbox}>",
        why: "The session works and we are not blocked: mail for a local mailbox is accepted.",
        source: "RFC 5321 §4.5.1",
        ..PLAIN
    },
    Row {
        id: "ctl-unknown-local",
        tier: Tier::Quick,
        to: Recipient::OwnMailbox,
        rcpt: "<{token}@{own-domain}>",
        why: "Acceptance at RCPT means something only if an invented local mailbox is refused.",
        source: "RFC 5321 §3.3",
        ..PLAIN
    },
    Row {
        id: "ctl-hosted-shape",
        tier: Tier::Standard,
        to: Recipient::OwnMailbox,
        rcpt: "<{token}%{token}@{own-domain}>",
        why: "Shows how an unknown local part with a percent sign is answered when nothing is to route.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "ctl-unrelated-external",
        tier: Tier::Quick,
        to: Recipient::Nowhere,
        rcpt: "<{token}@{token}.invalid>",
        why: "If even an address that cannot exist is accepted, the server accepts everything.",
        source: "RFC 2606 §2",
        ..PLAIN
    },
    Row {
        id: "ctl-nxdomain-sender",
        tier: Tier::Standard,
        to: Recipient::OwnMailbox,
        mail: "<{sender-user}@{token}.invalid>",
        rcpt: "<{own-mailbox}>",
        why: "Tells a check of the sender's domain from a check of relaying.",
        source: "RFC 2606 §2",
        ..PLAIN
    },
    Row {
        id: "ctl-null-local",
        tier: Tier::Standard,
        to: Recipient::OwnMailbox,
        mail: "<>",
        rcpt: "<{own-mailbox}>",
        why: "A bounce must be accepted for a local mailbox, or a refused empty sender says nothing.",
        source: "RFC 5321 §4.5.5",
        ..PLAIN
    },
    Row {
        id: "ctl-literal-local",
        tier: Tier::Standard,
        to: Recipient::OwnMailbox,
        mail: "<{sender-user}@[{target-ip}]>",
        rcpt: "<{own-mailbox}>",
        why: "Tells whether a sender at the server's own literal is accepted at all.",
        source: "RFC 5321 §4.1.3",
        ..PLAIN
    },
    Row {
        id: "ctl-each-sender",
        tier: Tier::Standard,
        to: Recipient::OwnMailbox,
        mail: "{case-sender}",
        rcpt: "<{own-mailbox}>",
        why: "If the sender of a case is good for local mail, its refusal there is about relaying.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "ctl-path",
        tier: Tier::Quick,
        needs: &[Need::Sink],
        why: "Our receiving server works, takes any local part and finds the token.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "ctl-sink-silence",
        tier: Tier::Quick,
        needs: &[Need::Sink],
        why: "A token that was never sent is never seen, so matching is strict.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "ctl-repeat",
        tier: Tier::Standard,
        mail: "{case-sender}",
        rcpt: "{case-recipient}",
        why: "An accepted case is accepted again with a new token, so the answer was not chance.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "ctl-end",
        tier: Tier::Quick,
        to: Recipient::OwnMailbox,
        rcpt: "<{own-mailbox}>",
        why: "Local mail is still accepted after the last case: we were not shut out on the way.",
        source: "RFC 5321 §4.5.1",
        ..PLAIN
    },
];
