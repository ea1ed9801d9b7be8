//! Phrases in which servers say why they refuse, by what they are about.
//!
//! Each is a phrase rather than a word, so that neither our own addresses, which servers quote, nor the name of a block
//! list is taken for one.

mod table;

use core::ops::BitOr;

use table::PHRASES;

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
    /// Something is not there, whatever it is.
    pub(super) const MISSING: Self = Self(1 << 14);
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
///
/// Of the phrases that begin at one place the longest tells: `no such domain at this location` is no lookup. A short one
/// must begin its word: within one it is chance, in the letters of a token that a server quotes.
pub(super) fn topics(text: &[u8]) -> Topics {
    let mut said = Topics::default();
    let mut rest = text;
    let mut in_word = false;
    while let Some((&first, behind)) = rest.split_first() {
        let goes_on = |begun: &&Begun| behind.first().is_some_and(|&second| begun.seconds & bit(second) != 0);
        let begun = BEGUN.get(usize::from(first)).filter(goes_on);
        let phrases = begun.and_then(|begun| SORTED.get(begun.from..begun.to)).unwrap_or_default();
        let within = in_word && first.is_ascii_alphanumeric();
        let stands = |phrase: &str| (phrase.len() > SHORT || !within) && rest.starts_with(phrase.as_bytes());
        let (mut here, mut longest) = (Topics::default(), 0);
        for &(phrase, topic) in phrases.iter().filter(|(phrase, _)| stands(phrase)) {
            if phrase.len() > longest {
                (here, longest) = (topic, phrase.len());
            } else if phrase.len() == longest {
                here = here | topic;
            }
        }
        said = said | here;
        in_word = first.is_ascii_alphanumeric();
        rest = behind;
    }
    said
}

/// The longest phrase that chance brings about: a token holds one of three letters once in a thousand runs, one of five
/// once in a hundred thousand.
const SHORT: usize = 4;

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

    #[test]
    fn a_short_phrase_tells_only_where_its_word_begins() {
        let is_a_word = |phrase: &&&str| phrase.starts_with(|first: char| first.is_ascii_alphanumeric());
        for (topic, phrases) in PHRASES {
            for phrase in phrases.iter().filter(is_a_word) {
                let within = alloc::format!("zz{phrase}");
                assert_eq!(topics(within.as_bytes()).has(topic), phrase.len() > SHORT, "{within}");
            }
        }
    }

    #[test]
    fn no_phrase_stands_within_another_of_its_topic() {
        for (_, phrases) in PHRASES {
            for phrase in phrases {
                let within = phrases.iter().find(|other| *other != phrase && phrase.contains(**other));
                assert_eq!(within, None, "{phrase} is never what tells");
            }
        }
    }
}
