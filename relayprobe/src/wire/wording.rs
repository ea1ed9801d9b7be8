//! What the words of a refusal say, as far as a session must know.
//!
//! Codes come first everywhere; words decide only where the standards leave several meanings to one code.

use alloc::vec::Vec;

use super::Reply;

/// Words that name relaying as the reason, as the servers' own sources write them.
///
/// Each is a phrase, so that neither our own addresses, which servers quote, nor the name of a block list can match.
const RELAYING: [&str; 25] = [
    "relay access denied",
    "relaying denied",
    "relay denied",
    "relay not permitted",
    "relaying not permitted",
    "relay not allowed",
    "relaying not allowed",
    "relaying is not allowed",
    "relay is not allowed",
    "not allowed to relay",
    "not permitted to relay",
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
];

const GREYLISTING: [&str; 3] = ["greylist", "graylist", "grey-list"];

const TLS: [&str; 5] = ["starttls", "tls required", "must use tls", "requires tls", "encryption required"];

/// Every phrase that is looked for here.
pub(crate) fn phrases() -> impl Iterator<Item = &'static str> {
    RELAYING.into_iter().chain(GREYLISTING).chain(TLS)
}

/// Whether a refusal says in words that it is about relaying.
///
/// A temporary code counts as a refusal of relaying by its words alone: a default Postfix says
/// `454 4.7.1 … Relay access denied`.
pub(crate) fn names_relaying(reply: &Reply<'_>) -> bool {
    let text = lower(reply);
    // A greylisting server may say what it does not do, and will still take the mail later.
    let later = reply.code().is_transient() && GREYLISTING.iter().any(|word| holds(&text, word));
    !later && RELAYING.iter().any(|phrase| holds(&text, phrase))
}

/// Whether a refusal wants TLS first (RFC 3207 §4).
pub(crate) fn asks_for_tls(reply: &Reply<'_>) -> bool {
    let text = lower(reply);
    reply.code().is_permanent() && TLS.iter().any(|phrase| holds(&text, phrase))
}

/// The text of all lines in lower case, for looking up phrases.
pub(crate) fn lower(reply: &Reply<'_>) -> Vec<u8> {
    let mut text = Vec::with_capacity(reply.octets().len());
    for line in reply.lines() {
        // A phrase may go on in the next line.
        text.extend(line.iter().map(u8::to_ascii_lowercase));
        text.push(b' ');
    }
    text
}

/// Whether `phrase` stands in `text`.
pub(crate) fn holds(text: &[u8], phrase: &str) -> bool {
    text.windows(phrase.len()).any(|window| window == phrase.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> bool {
        names_relaying(&Reply::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn relaying_is_named_in_words() {
        assert!(says("454 4.7.1 <x@y>: Relay access denied\r\n"));
        assert!(says("550-relay\r\n550 not permitted\r\n") == says("550 relay not permitted\r\n"));
        assert!(says("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n"));
    }

    #[test]
    fn other_words_are_not() {
        for text in [
            "451 4.7.1 Greylisting in action, please come back later\r\n",
            "451 4.7.1 <relay-test@relay.example>: try again\r\n",
            "554 5.7.1 Client blocked using relays.list.example\r\n",
        ] {
            assert!(!says(text), "{text}");
        }
    }

    #[test]
    fn tls_first_is_understood() {
        let asks = |text: &str| asks_for_tls(&Reply::parse(text.as_bytes()).unwrap());
        assert!(asks("530 5.7.0 Must issue a STARTTLS command first\r\n"));
        assert!(!asks("530 5.7.0 Authentication required\r\n"));
        assert!(!asks("454 4.7.0 STARTTLS not available\r\n"));
    }
}
