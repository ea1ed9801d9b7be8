//! What the words of a refusal say.
//!
//! Codes come first everywhere; words decide only where the standards leave several meanings to one code.

use alloc::vec::Vec;
use core::iter;
use core::net::Ipv4Addr;

use memchr::{memchr, memchr2};

use super::phrases::{Topics, topics};
use super::{Reply, vocabulary};

/// A reply whose words can be looked up.
pub(crate) struct Wording<'a> {
    pub(crate) reply: Reply<'a>,
    said: Topics,
}

/// Reads replies one after another. Most of a server's are the same but for the addresses in them, and looked up once.
#[derive(Default)]
pub(crate) struct Reader {
    last: Vec<u8>,
    said: Topics,
}

impl Reader {
    pub(crate) fn read<'a>(&mut self, reply: Reply<'a>) -> Wording<'a> {
        if !is_made_of(&self.last, pieces(reply)) {
            self.last.clear();
            pieces(reply).for_each(|piece| self.last.extend_from_slice(piece));
            self.said = about(&self.last.to_ascii_lowercase());
        }
        Wording { reply, said: self.said }
    }
}

/// What a reply says, without our addresses. A phrase may go on in the next line.
fn pieces(reply: Reply<'_>) -> impl Iterator<Item = &[u8]> {
    reply.lines().flat_map(|line| spoken(line).chain([&b" "[..]]))
}

fn is_made_of<'a>(text: &[u8], mut pieces: impl Iterator<Item = &'a [u8]>) -> bool {
    let rest = pieces.try_fold(text, |rest, piece| rest.strip_prefix(piece));
    rest.is_some_and(<[u8]>::is_empty)
}

fn about(text: &[u8]) -> Topics {
    let address = text.split(u8::is_ascii_whitespace).any(is_address);
    topics(text) | if address { Topics::ADDRESS } else { Topics::default() }
}

impl<'a> Wording<'a> {
    pub(crate) fn of(reply: Reply<'a>) -> Self {
        Reader::default().read(reply)
    }

    /// Whether a refusal says in words that it is about relaying, and gives no ground that only we may have met.
    ///
    /// A server that relays for others may refuse us, or this moment, in words that name relaying too. What sendmail
    /// adds about the client to a refusal to relay (`IP name lookup failed`) is no such ground.
    pub(crate) fn names_relaying(&self) -> bool {
        self.said.has(Topics::RELAYING) && !self.gives_other_ground()
    }

    /// Whether the word stands there, which alone does not name it as the reason.
    pub(crate) fn touches_relaying(&self) -> bool {
        self.said.has(Topics::RELAY)
    }

    /// Whether there are words about us, a sender, a name, or the moment.
    pub(crate) fn gives_other_ground(&self) -> bool {
        self.said.has(
            Topics::PASSING
                | Topics::LOOKED_UP
                | Topics::STANDING
                | Topics::FORGERY
                | Topics::SENDER
                | Topics::TLS,
        )
    }

    /// Whether it is only not now.
    pub(crate) fn puts_off(&self) -> bool {
        self.said.has(Topics::PASSING)
    }

    /// Whether a domain was looked up and not found.
    pub(crate) fn says_not_found(&self) -> bool {
        self.said.has(Topics::LOOKED_UP)
    }

    /// Whether something is not there, whatever it is.
    pub(crate) fn says_missing(&self) -> bool {
        self.said.has(Topics::MISSING)
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

    /// Whether it speaks to us, or of an IP address.
    pub(crate) fn speaks_to_us(&self) -> bool {
        self.said.has(Topics::YOU | Topics::ADDRESS)
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

/// Whether two replies say the same, but for addresses, names, numbers, codes and punctuation.
pub(crate) fn are_in_the_same_words(one: &Reply<'_>, other: &Reply<'_>) -> bool {
    let mut others = words(other);
    words(one).all(|word| others.next().is_some_and(|other| word.eq_ignore_ascii_case(other)))
        && others.next().is_none()
}

/// Whether every word of a refusal is known, and none gives a ground; `names` are those that we asked for.
pub(crate) fn gives_no_ground(reply: &Reply<'_>, names: &[&str]) -> bool {
    tokens(reply).all(|token| vocabulary::gives_no_ground(token, names))
}

/// Whether a name or another word stands in a reply by itself, not in an address.
pub(crate) fn holds_word(reply: &Reply<'_>, word: &str) -> bool {
    tokens(reply).any(|token| {
        trimmed(token, u8::is_ascii_alphanumeric).unwrap_or_default().eq_ignore_ascii_case(word.as_bytes())
    })
}

fn words<'a>(reply: &Reply<'a>) -> impl Iterator<Item = &'a [u8]> {
    tokens(reply).filter_map(word)
}

/// What stands between blanks, our addresses aside.
fn tokens<'a>(reply: &Reply<'a>) -> impl Iterator<Item = &'a [u8]> {
    reply.lines().flat_map(spoken).flat_map(|piece| piece.split(u8::is_ascii_whitespace))
}

/// What is left of a word without the marks around it; nothing of a name or a number, which may be of one answer alone.
fn word(text: &[u8]) -> Option<&[u8]> {
    let word = trimmed(text, |octet| octet.is_ascii_alphabetic() || !octet.is_ascii())?;
    let varies = |octet: &u8| octet.is_ascii_digit() || matches!(octet, b'.' | b'@' | b':' | b'/');
    (!word.iter().any(varies) && !text.contains(&b'@')).then_some(word)
}

/// Whether a word is an IP address, whatever marks are around it.
fn is_address(word: &[u8]) -> bool {
    let word = trimmed(word, u8::is_ascii_hexdigit).unwrap_or_default();
    // Few words have to be read for it.
    word.contains(&b'.')
        && word.first().is_some_and(u8::is_ascii_digit)
        && str::from_utf8(word).is_ok_and(|word| word.parse::<Ipv4Addr>().is_ok())
}

/// From the first octet that is part of it to the last.
pub(super) fn trimmed(text: &[u8], is_part: impl Fn(&u8) -> bool) -> Option<&[u8]> {
    let (first, last) = (text.iter().position(&is_part)?, text.iter().rposition(&is_part)?);
    text.get(first..=last)
}

/// A line without the addresses in it, which are ours: what they are called gives no reason.
fn spoken(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = line;
    // Most lines hold no address, and are one piece.
    let whole = memchr2(b'<', b'@', line).is_none();
    iter::from_fn(move || {
        let (&first, _) = rest.split_first()?;
        let end = match first {
            _ if whole => None,
            b'<' => memchr(b'>', rest).map(|at| at + 1),
            b' ' => Some(1),
            _ => memchr2(b'<', b' ', rest),
        };
        let (piece, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        rest = behind;
        // What is not closed is read to its end: it may be anything.
        let open = first == b'<' && !piece.ends_with(b">");
        Some(if piece.contains(&b'@') && !open { b"<>" } else { piece })
    })
}

/// Whether a text holds words, in whatever case.
pub(crate) fn holds(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words))
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
    fn what_was_read_before_changes_nothing() {
        let mut reader = Reader::default();
        for text in [
            "550 relay not",
            "550 relay not permitted",
            "550-relay not\r\n550 permitted",
            "550 relay not permitted",
            "550 relay not permitted today, try later",
            "550 Relay <a@b.example> Not Permitted",
            "550 relay <c@d.example> not",
            "550",
            "550 relay",
        ] {
            let octets = alloc::format!("{text}\r\n");
            let reply = Reply::parse(octets.as_bytes()).unwrap();
            assert_eq!(reader.read(reply).said, Wording::of(reply).said, "{text}");
        }
    }

    #[test]
    fn what_our_addresses_are_called_gives_no_reason() {
        for text in [
            "554 5.7.1 <x@spf.example>: Relay access denied\r\n",
            "550 5.7.1 <Relay tests <x@greylist.example>>... Relaying denied\r\n",
            "550-<x@banned.example> to <y@quota.example>:\r\n550 relay not permitted\r\n",
            "550 5.7.1 <probe.example!rpbltc474v017>... Relaying denied\r\n",
        ] {
            assert!(says(text), "{text}");
        }
        for text in ["550 <unclosed@spf.example relay denied\r\n", "550 <spf> relay denied\r\n"] {
            assert!(!says(text), "{text}");
        }
    }

    #[test]
    fn the_same_words_are_the_same_whatever_stands_among_them() {
        let same = |one: &str, other: &str| {
            let octets = [alloc::format!("{one}\r\n"), alloc::format!("{other}\r\n")];
            let [one, other] = octets.each_ref().map(|octets| Reply::parse(octets.as_bytes()).unwrap());
            are_in_the_same_words(&one, &other)
        };
        for (one, other) in [
            ("550 5.7.1 <a@b.example>... Access denied", "554 <c@d.example>: access denied."),
            ("550 Rejected (ref 4711)", "550 5.7.1 rejected (ref 4712)"),
            ("550-Rejected\r\n550 a@b.example", "550 Rejected c@d.example"),
            ("550 no mail for b.example here", "550 no mail for d.example here"),
            ("550 no", "550 No"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("550 5.1.1 <a@b.example>... User unknown", "550 5.7.1 <c@d.example>... Relaying denied"),
            ("550 no", "550 no relaying"),
            ("550 5.7.1", "550 5.1.1 unknown"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn words_that_are_not_known_may_be_a_ground() {
        let silent = |text: &str| {
            let octets = alloc::format!("{text}\r\n");
            gives_no_ground(
                &Reply::parse(octets.as_bytes()).unwrap(),
                &["probe.example", "mx.target.example"],
            )
        };
        for text in [
            "550",
            "550 5.7.1 <x@y>: denied (#5.7.1)",
            "550-mx.target.example:\r\n550 mail for probe.example isn't accepted here.",
            "550 5.7.1 Relay niet toegestaan",
        ] {
            assert!(silent(text), "{text}");
        }
        for text in [
            "550 5.7.1 RLY:B1",
            "550-denied\r\n550 see bl.example",
            "550 5.7.1 Denied (4711)",
            "550 Pripojenie zamietnute",
        ] {
            assert!(!silent(text), "{text}");
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
