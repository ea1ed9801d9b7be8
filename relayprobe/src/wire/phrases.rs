//! Phrases in which servers say why they refuse, by what they are about.
//!
//! Each is a phrase rather than a word, so that neither our own addresses, which servers quote, nor the name of a block
//! list is taken for one.

use core::ops::BitOr;

/// What words are about; several things at once are usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Topics(u16);

impl Topics {
    /// Relaying is refused.
    pub(super) const RELAYING: Self = Self(1 << 0);
    /// Not now: greylisting, or trouble of the server's own.
    pub(super) const PASSING: Self = Self(1 << 1);
    /// A name was looked up, and is not there.
    pub(super) const LOOKED_UP: Self = Self(1 << 2);
    /// Where a client comes from, what is thought of it, and how much it asks.
    pub(super) const STANDING: Self = Self(1 << 3);
    /// Whether a sender may be who it says.
    pub(super) const FORGERY: Self = Self(1 << 4);
    /// The client is named, and nothing is said of its standing.
    pub(super) const CLIENT: Self = Self(1 << 5);
    /// We are spoken to.
    pub(super) const YOU: Self = Self(1 << 6);
    /// TLS first.
    pub(super) const TLS: Self = Self(1 << 7);
    /// A login first.
    pub(super) const LOGIN: Self = Self(1 << 8);
    /// The sender.
    pub(super) const SENDER: Self = Self(1 << 9);
    /// The form of an address.
    pub(super) const SYNTAX: Self = Self(1 << 10);
    /// The recipient is none that the server knows.
    pub(super) const UNKNOWN: Self = Self(1 << 11);
    /// The word alone.
    pub(super) const RELAY: Self = Self(1 << 12);
    /// An IP address: it can only be ours, or that of a host we named.
    pub(super) const ADDRESS: Self = Self(1 << 13);

    /// Whether one of these is among them.
    pub(super) const fn has(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

impl BitOr for Topics {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a text in lower case is about, in one pass: a server is asked dozens of times, and each refusal is read.
pub(super) fn topics(text: &[u8]) -> Topics {
    let mut said = Topics::default();
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        let goes_on = |begun: &&Begun| behind.first().is_some_and(|&second| begun.seconds & bit(second) != 0);
        let begun = BEGUN.get(usize::from(first)).filter(goes_on);
        for &(phrase, topic) in begun.and_then(|begun| SORTED.get(begun.from..begun.to)).unwrap_or_default() {
            if rest.starts_with(phrase.as_bytes()) {
                said = said | topic;
            }
        }
        rest = behind;
    }
    said
}

/// Every phrase that is looked for.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    SORTED.iter().map(|&(phrase, _)| phrase)
}

/// The phrases that begin with an octet.
#[derive(Clone, Copy)]
struct Begun {
    from: usize,
    to: usize,
    /// A bit for each of their second octets: most texts part there.
    seconds: u32,
}

const fn bit(octet: u8) -> u32 {
    1 << (octet % 32)
}

/// The phrases in the order of their first octets.
static SORTED: [(&str, Topics); COUNT] = TABLES.0;
/// Where those of each octet are.
static BEGUN: [Begun; 256] = TABLES.1;

#[expect(clippy::indexing_slicing, reason = "the compiler runs this, and would say so")]
const TABLES: ([(&str, Topics); COUNT], [Begun; 256]) = {
    let mut sorted = [("", Topics(0)); COUNT];
    let mut begun = [Begun { from: 0, to: 0, seconds: 0 }; 256];
    let mut filled = 0;
    let mut octet = 0;
    while octet < begun.len() {
        begun[octet].from = filled;
        let mut table = 0;
        while table < PHRASES.len() {
            let (topic, phrases) = PHRASES[table];
            let mut at = 0;
            while at < phrases.len() {
                let phrase = phrases[at].as_bytes();
                if phrase[0] as usize == octet {
                    sorted[filled] = (phrases[at], topic);
                    begun[octet].seconds |= bit(phrase[1]);
                    filled += 1;
                }
                at += 1;
            }
            table += 1;
        }
        begun[octet].to = filled;
        octet += 1;
    }
    (sorted, begun)
};

#[expect(clippy::indexing_slicing, reason = "the compiler runs this, and would say so")]
const COUNT: usize = {
    let mut count = 0;
    let mut table = 0;
    while table < PHRASES.len() {
        count += PHRASES[table].1.len();
        table += 1;
    }
    count
};

const PHRASES: [(Topics, &[&str]); 13] = [
    (
        Topics::RELAYING,
        &[
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
        ],
    ),
    (
        Topics::PASSING,
        &[
            "business hours",
            "not accepting messages",
            "name server failure",
            "stoerung",
            "temporair",
            "tijdelijk",
            "tls not available",
            "grey list",
            "gray list",
            "grey-listing",
            "gray-list",
            "graylisting",
            "throttl",
            "database unavailable",
            "database error",
            "ldap lookup",
            "server busy",
            "heavy load",
            "at the moment",
            "for now",
            "this time",
            "please wait",
            "connect again",
            "out of memory",
            "out of service",
            "shutting down",
            "not responding",
            "policy server",
            "timeout",
            "time out",
            "spaeter",
            "plus tard",
            "later opnieuw",
            "mas tarde",
            "piu tardi",
            "pozzhe",
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
        ],
    ),
    (
        Topics::LOOKED_UP,
        &[
            "find a valid mx",
            "host unknown",
            "introuvable",
            "no encontrado",
            "nicht gefunden",
            "ne nayden",
            "mx lookup",
            "servfail",
            "no mail exchanger",
            "could not be looked up",
            "unresolvable",
            "parked domain",
            "bogus recipient",
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
        ],
    ),
    (
        Topics::STANDING,
        &[
            "as spam",
            "backscatter",
            "psbl",
            "invaluement",
            "you are on a",
            "tarpit",
            "known partners",
            "only from the gateway",
            "direct delivery",
            "direct connections",
            "our mx",
            "primary mx",
            "published mx",
            "use the mx",
            "client certificate",
            "karma",
            "helo should",
            "synchronization",
            "protocol error",
            "for ips",
            "foreign ip",
            "is rejected, smtp",
            "schlechten ruf",
            "ihres providers",
            "reverse-dns",
            "ptr-",
            "votre pays",
            "resolution inverse",
            "uw provider",
            "uw land",
            "mala reputac",
            "dinamica",
            "su pais",
            "chernom",
            "dinamich",
            "czarnej",
            "svartlist",
            "cerne listine",
            "kara liste",
            "rbl)",
            "pbl",
            "(xbl",
            "(cbl",
            "surbl",
            "sorbs",
            "barracuda",
            "blackholes",
            "njabl",
            "listed as",
            "deny list",
            "denylist",
            "black-list",
            "quarantin",
            "abuse",
            "spamtrap",
            "hacking",
            "poor rep",
            "broadband",
            "residential",
            "hosting range",
            "cloud provider",
            "for your region",
            "country",
            "dynamic",
            "dhcp",
            "tor exit",
            "vpn",
            "open proxy",
            "rdns",
            "no reverse",
            "forged helo",
            "invalid ehlo",
            "hostname mismatch",
            "earlytalker",
            "protocol violation",
            "ratelimit",
            "rate control",
            "maximum number",
            "limit reached",
            "exceeded",
            "frequency",
            "sender score",
            "for spam",
            "of spam",
            "spam trap",
            "not allowed to connect",
            "allow list",
            "intrusion",
            "sending host",
            "sending server",
            "sperrliste",
            "schwarze",
            "gesperrt",
            "dynamisch",
            "geblockt",
            "liste noire",
            "bloque",
            "dynamique",
            "zwarte lijst",
            "geblokkeerd",
            "lista negra",
            "bloquead",
            "bloccat",
            "lista nera",
            "zablokirovan",
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
            "relay tests",
            "relay testing",
            "too many",
            "too much",
            "too fast",
            "too often",
            "rate limit",
            "limit exceeded",
            "quota",
        ],
    ),
    (
        Topics::FORGERY,
        &[
            "softfail",
            "dkim",
            "callout",
            "callback",
            "verify sender",
            "sender id ",
            "spf",
            "dmarc",
            "sender verify",
            "sender verification",
        ],
    ),
    (Topics::CLIENT, &["your hostname", "your ip", "your address", "your host"]),
    (Topics::YOU, &["your ", "you are ", "you're ", "you have "]),
    (Topics::TLS, &["starttls", "tls required", "must use tls", "requires tls", "encryption required"]),
    (
        Topics::LOGIN,
        &[
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
        ],
    ),
    (
        Topics::SENDER,
        &[
            "sender denied",
            "absenderadresse",
            "absender unbekannt",
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
        ],
    ),
    (
        Topics::SYNTAX,
        &[
            "syntax",
            "restricted characters",
            "illegal character",
            "malformed",
            "invalid address",
            "address must contain a domain",
            "domain missing",
            "bad address",
            "badly formed",
        ],
    ),
    (
        Topics::UNKNOWN,
        &[
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
        ],
    ),
    (Topics::RELAY, &["relay"]),
];

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    #[test]
    fn every_phrase_is_found_wherever_it_stands() {
        for (topic, phrases) in PHRASES {
            for phrase in phrases {
                assert_eq!(*phrase, phrase.to_ascii_lowercase(), "{phrase}");
                for text in [String::from(*phrase), alloc::format!("<x@y>: {phrase}s")] {
                    assert!(topics(text.as_bytes()).has(topic), "{text}");
                }
            }
        }
        assert_eq!(all().count(), COUNT);
        assert_eq!(topics(b"550 5.1.1 <x@y>: no"), Topics::default());
    }
}
