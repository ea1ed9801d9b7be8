//! What the words of a refusal say, as far as a session must know.
//!
//! Codes come first everywhere; words decide only where the standards leave several meanings to one code.

use alloc::vec::Vec;

use memchr::memchr_iter;

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

/// A reply whose words can be looked up.
pub(crate) struct Wording<'a> {
    pub(crate) reply: Reply<'a>,
    /// The text of all lines in lower case.
    text: Vec<u8>,
}

impl<'a> Wording<'a> {
    pub(crate) fn of(reply: Reply<'a>) -> Self {
        let mut text = Vec::with_capacity(reply.octets().len());
        for line in reply.lines() {
            text.extend_from_slice(line);
            // A phrase may go on in the next line.
            text.push(b' ');
        }
        text.make_ascii_lowercase();
        Self { reply, text }
    }

    pub(crate) fn holds(&self, phrase: &str) -> bool {
        holds(&self.text, phrase)
    }

    pub(crate) fn holds_one_of(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.holds(phrase))
    }

    /// Whether a refusal says in words that it is about relaying.
    ///
    /// A temporary code counts as a refusal of relaying by its words alone: a default Postfix says
    /// `454 4.7.1 … Relay access denied`.
    pub(crate) fn names_relaying(&self) -> bool {
        // A greylisting server may say what it does not do, and will still take the mail later.
        let later = self.reply.code().is_transient() && self.holds_one_of(&GREYLISTING);
        !later && self.holds_one_of(&RELAYING)
    }

    /// Whether a refusal wants TLS first (RFC 3207 §4).
    pub(crate) fn asks_for_tls(&self) -> bool {
        self.reply.code().is_permanent() && self.holds_one_of(&TLS)
    }
}

/// Whether `phrase` stands in `text`.
pub(crate) fn holds(text: &[u8], phrase: &str) -> bool {
    let Some((&first, rest)) = phrase.as_bytes().split_first() else { return true };
    memchr_iter(first, text).any(|at| text.get(at + 1..).is_some_and(|text| text.starts_with(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> bool {
        Wording::of(Reply::parse(text.as_bytes()).unwrap()).names_relaying()
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
        let asks = |text: &str| Wording::of(Reply::parse(text.as_bytes()).unwrap()).asks_for_tls();
        assert!(asks("530 5.7.0 Must issue a STARTTLS command first\r\n"));
        assert!(!asks("530 5.7.0 Authentication required\r\n"));
        assert!(!asks("454 4.7.0 STARTTLS not available\r\n"));
    }
}
