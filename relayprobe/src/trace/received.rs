//! One Received line (RFC 5321 §4.4), in the forms that servers write.
//!
//! The name a client gives is its own choice, and may be an address in brackets. Postfix, Sendmail and `OpenSMTPD` write it
//! outside the comment and the peer inside; Exim writes `helo=` inside, and the peer outside or in front of it. So:
//! nothing behind `helo=`, `HELO` or `EHLO` is the peer; else the address in the comment is; else the one outside.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::{Hop, Quality};

/// Octets in which the end of a path is looked for; the longest has 256 (RFC 5321 §4.5.3.1.3).
const PATH: usize = 512;

impl Hop {
    /// Reads the value of a Received field that has been unfolded.
    pub fn read(value: &[u8]) -> Self {
        let mut clauses = Clauses::default();
        clauses.read(value);
        clauses.into_hop(value)
    }
}

/// The clauses of the line, each the first time it comes.
#[derive(Default)]
struct Clauses<'a> {
    from: Option<&'a [u8]>,
    client: Client<'a>,
    by: Option<&'a [u8]>,
    with: Vec<u8>,
    id: Option<&'a [u8]>,
    recipient: Option<&'a [u8]>,
    /// A comment says that no client was involved.
    inside: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Clause {
    From,
    By,
    With,
    Id,
    For,
    /// Before the first one, and in those that say nothing of use.
    Other,
}

impl<'a> Clauses<'a> {
    fn read(&mut self, line: &'a [u8]) {
        let mut rest = line;
        let mut clause = Clause::Other;
        // What follows a keyword is its value, even if it looks like one: a client may call itself `by`.
        let mut wants_value = false;
        let mut first = true;
        while let Some(word) = next(&mut rest) {
            match word {
                Word::Comment(comment) => {
                    self.comment(clause, comment);
                    if clause == Clause::With {
                        clause = Clause::Other;
                    }
                    wants_value = false;
                }
                Word::Atom(atom) => {
                    let ended = atom.strip_suffix(b";").filter(|_| clause != Clause::From);
                    let text = ended.unwrap_or(atom);
                    let begins = |&next: &Clause| !wants_value && (first || next != Clause::From);
                    if let Some(next) = keyword(text).filter(begins) {
                        clause = next;
                        wants_value = true;
                    } else {
                        self.value(clause, text);
                        wants_value = false;
                    }
                    // The date follows.
                    if ended.is_some() && self.by.is_some() {
                        return;
                    }
                }
            }
            first = false;
        }
    }

    fn value(&mut self, clause: Clause, text: &'a [u8]) {
        let place = match clause {
            Clause::From => &mut self.from,
            Clause::By => &mut self.by,
            Clause::Id => &mut self.id,
            Clause::For => &mut self.recipient,
            Clause::With => {
                // Some protocols are several words.
                if !self.with.is_empty() {
                    self.with.push(b' ');
                }
                return self.with.extend_from_slice(text);
            }
            Clause::Other => return,
        };
        if place.is_none() && !text.is_empty() {
            *place = Some(text);
        }
    }

    fn comment(&mut self, clause: Clause, comment: &'a [u8]) {
        let words = || comment.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        match clause {
            // Only the writer's own comment holds what the writer saw: it is the last one with an address in it.
            Clause::From => {
                let client = Client::read(comment);
                let certain = self.client.helo.is_some() && self.client.peer.is_some();
                if !certain && (client.peer.is_some() || client.helo.is_some()) {
                    let helo = client.helo.or(self.client.helo);
                    self.client = Client { helo, ..client };
                }
            }
            // `(qmail 123 invoked by uid 0)`, `(from user@host)`: the line begins with it.
            Clause::Other if self.by.is_none() => {
                let told = words().any(|word| word == b"invoked") || comment.starts_with(b"from ");
                self.inside |= told;
            }
            // `(Postfix, from userid 0)`, `(8.17.1/8.17.1/Submit)`.
            Clause::By => {
                self.inside |= words().any(|word| word == b"userid") || comment.ends_with(b"/Submit");
            }
            Clause::With | Clause::Id | Clause::For | Clause::Other => {}
        }
    }

    fn into_hop(self, line: &[u8]) -> Hop {
        let outside = self.from.and_then(literal);
        let program = |word: &[u8]| self.with.eq_ignore_ascii_case(word);
        let inside = self.inside || program(b"local") || program(b"mapi") || program(b"stdio");
        let some = |text: &[u8]| Some(text.into());
        let mut hop = Hop {
            quality: match (self.by, self.from) {
                _ if inside => Quality::LocalHandover,
                (None, _) => Quality::Unparseable,
                (Some(_), Some(_)) => Quality::Parsed,
                (Some(_), None) => Quality::LocalHandover,
            },
            by: self.by.and_then(some),
            with: Some(&*self.with).filter(|with| !with.is_empty()).and_then(some),
            id: self.id.map(bare).and_then(some),
            recipient: self.recipient.map(bare).and_then(some),
            raw: line.into(),
            ..Hop::default()
        };
        // Who handed it over inside the machine has neither address nor name.
        if inside {
            return hop;
        }
        let from = self.from.filter(|_| outside.is_none()).filter(|name| !is_unknown(name));
        (hop.peer, hop.helo, hop.reverse_name) = match (self.client.helo, self.client.peer) {
            (Some(helo), Some(peer)) => (Some(peer), some(helo), from.and_then(some)),
            (Some(helo), None) => (outside, some(helo), from.and_then(some)),
            (None, Some(peer)) => (Some(peer), self.from.and_then(some), self.client.name.and_then(some)),
            (None, None) => (outside, from.and_then(some), None),
        };
        hop
    }
}

/// What a comment behind `from` says of the client.
#[derive(Default)]
struct Client<'a> {
    peer: Option<IpAddr>,
    name: Option<&'a [u8]>,
    helo: Option<&'a [u8]>,
}

impl<'a> Client<'a> {
    fn read(comment: &'a [u8]) -> Self {
        let mut client = Self::default();
        let mut words = comment.split(|b| b.is_ascii_whitespace() || matches!(b, b'(' | b')'));
        while let Some(word) = words.next() {
            // All that follows is what the client says.
            if let Some(helo) = strip(word, b"helo=") {
                client.helo = Some(helo).filter(|helo| !helo.is_empty());
                break;
            }
            if word.eq_ignore_ascii_case(b"helo") || word.eq_ignore_ascii_case(b"ehlo") {
                client.helo = words.next().filter(|helo| !helo.is_empty());
                break;
            }
            // A user name may stand in front of both (RFC 1413).
            let host = word.rsplit(|&b| b == b'@').next().unwrap_or(word);
            if client.peer.is_none_or(|_| host.starts_with(b"[")) && literal(host).is_some() {
                client.peer = literal(host);
            } else if let Some(peer) = address(host) {
                client.peer = client.peer.or(Some(peer));
            } else if client.name.is_none() && client.peer.is_none() && is_name(host) {
                client.name = Some(host.strip_suffix(b".").unwrap_or(host));
            }
        }
        client
    }
}

/// A word of the line.
enum Word<'a> {
    /// Outside comments.
    Atom(&'a [u8]),
    /// What a comment holds, comments in it included.
    Comment(&'a [u8]),
}

/// Takes the next word.
fn next<'a>(rest: &mut &'a [u8]) -> Option<Word<'a>> {
    *rest = rest.trim_ascii_start();
    match rest.first()? {
        b'(' => {
            let mut depth = 0_usize;
            let end = rest.iter().position(|b| {
                match b {
                    b'(' => depth += 1,
                    b')' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            let (comment, after) = rest.split_at(end.unwrap_or(rest.len()));
            *rest = after.strip_prefix(b")").unwrap_or(after);
            Some(Word::Comment(comment.strip_prefix(b"(").unwrap_or(comment)))
        }
        first => {
            let path = if *first == b'<' { path_end(rest) } else { 0 };
            let blank = rest.iter().skip(path).position(u8::is_ascii_whitespace);
            let (atom, after) = rest.split_at(blank.map_or(rest.len(), |blank| path + blank));
            *rest = after;
            Some(Word::Atom(atom))
        }
    }
}

/// Where a path in angle brackets ends, whose local part may hold blanks in quotes; zero if it does not end.
fn path_end(text: &[u8]) -> usize {
    let mut quoted = false;
    let end = text.iter().take(PATH).position(|b| {
        quoted ^= *b == b'"';
        *b == b'>' && !quoted
    });
    end.unwrap_or(0)
}

fn keyword(text: &[u8]) -> Option<Clause> {
    let words: [(&[u8], Clause); 6] = [
        (b"from", Clause::From),
        (b"by", Clause::By),
        (b"with", Clause::With),
        (b"id", Clause::Id),
        (b"for", Clause::For),
        (b"via", Clause::Other),
    ];
    words.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|&(_, clause)| clause)
}

/// The address in brackets, with or without a port behind it.
fn literal(text: &[u8]) -> Option<IpAddr> {
    let inner = text.strip_prefix(b"[")?;
    let end = inner.iter().position(|&b| b == b']')?;
    address(inner.get(..end)?)
}

/// An address; one of IPv4 in the clothes of IPv6 is one of IPv4.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = strip(text, b"IPv6:").unwrap_or(text);
    let address: IpAddr = core::str::from_utf8(text).ok()?.parse().ok()?;
    Some(address.to_canonical())
}

fn strip<'a>(text: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    let (found, rest) = text.split_at_checked(start.len())?;
    found.eq_ignore_ascii_case(start).then_some(rest)
}

fn bare(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"<").and_then(|text| text.strip_suffix(b">")).unwrap_or(text)
}

fn is_unknown(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"unknown")
}

/// A host name, not one of the words that servers put in its place.
fn is_name(word: &[u8]) -> bool {
    let letters = word.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let dotted = word.contains(&b'.') && !word.starts_with(b".");
    letters && (dotted || word.eq_ignore_ascii_case(b"localhost"))
}
