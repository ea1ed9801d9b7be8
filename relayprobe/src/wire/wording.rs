//! What the words of a refusal say.
//!
//! Codes come first everywhere; words decide only where the standards leave several meanings to one code.

use alloc::vec::Vec;
use core::iter;

use memchr::{memchr, memchr_iter};

use super::Reply;
use super::phrases::{Topics, topics};

/// A reply whose words can be looked up.
pub(crate) struct Wording<'a> {
    pub(crate) reply: Reply<'a>,
    said: Topics,
}

impl<'a> Wording<'a> {
    pub(crate) fn of(reply: Reply<'a>) -> Self {
        let mut text = Vec::with_capacity(reply.octets().len());
        for line in reply.lines() {
            spoken(line).for_each(|piece| text.extend_from_slice(piece));
            // A phrase may go on in the next line.
            text.push(b' ');
        }
        text.make_ascii_lowercase();
        Self { reply, said: topics(&text) }
    }

    /// Whether a refusal says in words that it is about relaying, and gives no ground that only we may have met.
    ///
    /// A server that relays for others may refuse us, or this moment, in words that name relaying too. What sendmail
    /// adds about the client to a refusal to relay (`IP name lookup failed`) is no such ground.
    ///
    /// A temporary code counts as a refusal of relaying by its words alone: a default Postfix says
    /// `454 4.7.1 … Relay access denied`.
    pub(crate) fn names_relaying(&self) -> bool {
        self.said.has(Topics::RELAYING) && !self.gives_other_ground()
    }

    /// Whether a refusal is about relaying as far as its words go that do not name it as the reason.
    pub(crate) fn touches_relaying(&self) -> bool {
        self.said.has(Topics::RELAY) && !self.gives_other_ground()
    }

    /// Whether there are words about us, a sender, a name, or the moment.
    pub(crate) fn gives_other_ground(&self) -> bool {
        self.said.has(Topics::PASSING | Topics::LOOKED_UP | Topics::STANDING | Topics::FORGERY)
    }

    /// Whether it is only not now.
    pub(crate) fn puts_off(&self) -> bool {
        self.said.has(Topics::PASSING)
    }

    /// Whether a domain was looked up and not found.
    pub(crate) fn says_not_found(&self) -> bool {
        self.said.has(Topics::LOOKED_UP)
    }

    /// Whether it is about our standing, or how much we ask.
    pub(crate) fn judges_tester(&self) -> bool {
        self.said.has(Topics::STANDING)
    }

    /// Whether it doubts that the sender is who it says.
    pub(crate) fn doubts_sender(&self) -> bool {
        self.said.has(Topics::FORGERY)
    }

    /// Whether it names our host or its address.
    pub(crate) fn names_client(&self) -> bool {
        self.said.has(Topics::CLIENT)
    }

    /// Whether it speaks to us.
    pub(crate) fn speaks_to_us(&self) -> bool {
        self.said.has(Topics::YOU)
    }

    /// Whether a refusal wants TLS first (RFC 3207 §4).
    pub(crate) fn asks_for_tls(&self) -> bool {
        self.reply.code().is_permanent() && self.said.has(Topics::TLS)
    }

    /// Whether it wants a login.
    pub(crate) fn asks_for_login(&self) -> bool {
        self.said.has(Topics::LOGIN)
    }

    /// Whether it is about the sender.
    pub(crate) fn names_sender(&self) -> bool {
        self.said.has(Topics::SENDER)
    }

    /// Whether it is about the form of an address.
    pub(crate) fn names_syntax(&self) -> bool {
        self.said.has(Topics::SYNTAX)
    }

    /// Whether the recipient is none that the server knows.
    pub(crate) fn knows_no_recipient(&self) -> bool {
        self.said.has(Topics::UNKNOWN)
    }
}

/// A line without the addresses in it, which are ours: what they are called gives no reason.
fn spoken(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = line;
    iter::from_fn(move || {
        let (&first, _) = rest.split_first()?;
        let end = match first {
            b'<' => memchr(b'>', rest).map_or(rest.len(), |at| at + 1),
            _ => memchr(b'<', rest).unwrap_or(rest.len()),
        };
        let (piece, behind) = rest.split_at_checked(end)?;
        rest = behind;
        Some(if first == b'<' && piece.contains(&b'@') && piece.ends_with(b">") { b"<>" } else { piece })
    })
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
            "550 5.7.1 <\"relay denied\"@probe.example>: no\r\n",
            "554 5.7.1 Client blocked using relays.list.example\r\n",
        ] {
            assert!(!says(text), "{text}");
        }
    }

    #[test]
    fn what_our_addresses_are_called_gives_no_reason() {
        for text in [
            "554 5.7.1 <x@spf.example>: Relay access denied\r\n",
            "550 5.7.1 <Relay tests <x@greylist.example>>... Relaying denied\r\n",
            "550-<x@banned.example> to <y@quota.example>:\r\n550 relay not permitted\r\n",
        ] {
            assert!(says(text), "{text}");
        }
        for text in ["550 <unclosed@spf.example relay denied\r\n", "550 <spf> relay denied\r\n"] {
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
