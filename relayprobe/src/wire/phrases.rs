//! Phrases in which servers say why they refuse, by what they are about.
//!
//! Each is a phrase rather than a word, so that neither our own addresses, which servers quote, nor the name of a block
//! list is taken for one.

/// Relaying is refused, as the servers' own sources say it.
pub(super) const RELAYING: &[&str] = &[
    "relay access denied",
    "relaying denied",
    "relay denied",
    "relaying is denied",
    "relay not permitted",
    "relaying not permitted",
    "relaying is not permitted",
    "relay not allowed",
    "relaying not allowed",
    "relaying is not allowed",
    "relay is not allowed",
    "not allowed to relay",
    "not permitted to relay",
    "not authorized to relay",
    "not configured to relay",
    "unable to relay",
    "cannot relay",
    "won't relay",
    "will not relay",
    "do not relay",
    "does not relay",
    "no relaying",
    "relaying prohibited",
    "relay prohibited",
    "relay rejected",
    "relaying rejected",
    "allowed rcpthosts",
    "delivery is not allowed to this address",
    "cannot deliver mail for",
    "allowed to be relayed",
    "to other domains",
    "to external domains",
    "non-accepted domain",
    "non-local domain",
    "not a local domain",
    "not local host",
    "not a gateway",
];

/// Not now: greylisting, or trouble of the server's own.
pub(super) const PASSING: &[&str] = &[
    "greylist",
    "graylist",
    "grey-list",
    "try again later",
    "try again in",
    "try later",
    "come back",
    "retry later",
    "retry in",
    "tomorrow",
    "maintenance",
    "postponed",
    "temporar",
    "internal error",
    "internal server error",
    "system error",
    "configuration error",
    "queue is full",
    "queue full",
    "disk full",
    "overloaded",
    "too busy",
];

/// A name was looked up, and is not there.
pub(super) const LOOKED_UP: &[&str] = &[
    "domain not found",
    "host not found",
    "no such domain",
    "unrouteable address",
    "no mx",
    "nxdomain",
    "does not resolve",
    "domain does not exist",
    "unknown domain",
    "cannot resolve",
    "undeliverable address",
    "unverified address",
];

/// Where a client comes from, what is thought of it, and how much it asks.
pub(super) const STANDING: &[&str] = &[
    "blocked",
    "blacklist",
    "black list",
    "block list",
    "blocklist",
    "blackhole",
    "dnsbl",
    " rbl",
    "listed at",
    "listed in",
    "listed by",
    "listed on",
    "is on the",
    "spamhaus",
    "spamcop",
    "spam relay",
    "spam source",
    "spammer",
    "spam suspected",
    "banned",
    "sending ip",
    "sender ip",
    "sender's ip",
    "connections from",
    "from this network",
    "client host rejected",
    "reverse dns",
    "reverse lookup",
    "host name lookup",
    "hostname lookup",
    "ptr record",
    "no ptr",
    "generic hostname",
    "dynamic ip",
    "dynamic address",
    "dynamic host",
    "dynamic range",
    "dynamically assigned",
    "dial-up",
    "dialup",
    "helo command rejected",
    "helo name",
    "helo invalid",
    "invalid helo",
    "bad helo",
    "qualified helo",
    "fully qualified host",
    "fully-qualified host",
    "reputation",
    "whitelist",
    "allowlist",
    "your country",
    "your isp",
    "your provider",
    "your own mail relay",
    "service provider",
    "not welcome",
    "relay test",
    "too many",
    "too much",
    "too fast",
    "too often",
    "rate limit",
    "limit exceeded",
    "quota",
];

/// Whether a sender may be who it says.
pub(super) const FORGERY: &[&str] = &["spf", "dmarc", "sender verify", "sender verification"];

/// The client is named, and nothing is said of its standing.
pub(super) const CLIENT: &[&str] = &["your hostname", "your ip", "your address", "your host"];

/// We are spoken to.
pub(super) const YOU: &[&str] = &["your ", "you are ", "you're ", "you have "];

pub(super) const TLS: &[&str] =
    &["starttls", "tls required", "must use tls", "requires tls", "encryption required"];

pub(super) const LOGIN: &[&str] = &[
    "authentication required",
    "authentication is required",
    "authentication needed",
    "requires authentication",
    "auth required",
    "must authenticate",
    "must be authenticated",
    "please authenticate",
    "login required",
    "must log in",
    "not logged in",
    "not authenticated",
    "authorization required",
];

pub(super) const SENDER: &[&str] = &[
    "sender address rejected",
    "sender rejected",
    "sender domain",
    "sender-domain",
    "domain of sender",
    "envelope sender",
    "unregistered sender",
    "sender is not",
    "as this sender",
    "invalid sender",
    "bad sender",
];

pub(super) const SYNTAX: &[&str] = &[
    "syntax",
    "restricted characters",
    "illegal character",
    "malformed",
    "invalid address",
    "address must contain a domain",
    "domain missing",
    "bad address",
    "badly formed",
];

pub(super) const UNKNOWN: &[&str] = &[
    "user unknown",
    "unknown user",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "unknown recipient",
    "recipient unknown",
    "invalid recipient",
    "unrouteable address",
    "does not exist",
    "doesn't exist",
    "not a valid",
    "no mailbox",
    "mailbox unavailable",
    "mailbox not found",
    "user not found",
    "not found in",
];

pub(super) const RELAY: &[&str] = &["relay"];

/// Every phrase that is looked for.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    [RELAYING, PASSING, LOOKED_UP, STANDING, FORGERY, CLIENT, YOU, TLS, LOGIN, SENDER, SYNTAX, UNKNOWN, RELAY]
        .into_iter()
        .flatten()
        .copied()
}
