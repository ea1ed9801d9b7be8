//! A message taken apart: its header, its parts decoded, what is attached to it.

use alloc::string::String;
use alloc::vec::Vec;

use mail_parser::{MessagePart, MimeHeaders as _};

use super::search::carries;
use crate::token::Token;
use crate::trace::fields::{self, Field};

/// A message, which may be broken off anywhere.
pub(super) struct Mail<'a> {
    /// The fields of its header.
    pub(super) fields: Vec<Field>,
    /// Its parts, and those of the messages attached to it.
    pub(super) parts: Vec<Part>,
    /// All of it.
    pub(super) octets: &'a [u8],
}

/// A part of a message.
pub(super) struct Part {
    /// Its type, such as `text/plain`.
    pub(super) kind: String,
    /// What a `multipart/report` reports (RFC 6522 §3).
    pub(super) reports: Option<String>,
    /// Its content, decoded.
    pub(super) text: Vec<u8>,
    /// Attached messages that it is in.
    pub(super) depth: usize,
}

impl<'a> Mail<'a> {
    /// Octets whose parts are looked for. Our own message has less than 2 kB, and reports begin with what they say.
    const LIMIT: usize = 65_536;
    /// Messages within messages that are opened.
    const DEPTH: usize = 8;

    pub(super) fn read(octets: &'a [u8]) -> Self {
        let mut mail = Self { fields: fields::fields(octets), parts: Vec::new(), octets };
        let beginning = octets.get(..Self::LIMIT).unwrap_or(octets);
        collect(beginning, 0, &mut mail.parts);
        mail
    }

    /// The fields of this name, the topmost first.
    pub(super) fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b [u8]> {
        self.fields.iter().filter(move |field| field.is(name)).map(|field| field.value.as_slice())
    }

    /// The parts of the message itself, not of what is attached.
    pub(super) fn own_parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.depth == 0)
    }

    /// A part of the message itself that has one of these types.
    pub(super) fn part(&self, kinds: &[&str]) -> Option<&Part> {
        self.own_parts().find(|part| kinds.contains(&&*part.kind))
    }

    /// What a report returns of the message it is about: its header at least.
    pub(super) fn returned(&self) -> Option<&Part> {
        self.part(&["message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"])
    }

    /// Whether its own header says that it is the test message with this token.
    pub(super) fn is_test_message(&self, token: &Token) -> bool {
        ["Message-ID", "Relayprobe-Test"].iter().any(|name| self.all(name).any(|value| carries(value, token)))
    }

    /// Whether the token is anywhere in it.
    pub(super) fn carries(&self, token: &Token) -> bool {
        carries(self.octets, token) || self.parts.iter().any(|part| carries(&part.text, token))
    }
}

/// Adds the parts of a message, and those of the messages attached to it.
fn collect(octets: &[u8], depth: usize, parts: &mut Vec<Part>) {
    let closed = closed(octets);
    let Some(message) = fields::parser().parse(&closed) else { return };
    if let Some(subject) = message.subject() {
        parts.push(Part { kind: "subject".into(), reports: None, text: opened(subject.as_bytes()), depth });
    }
    for part in &message.parts {
        let text = opened(part.contents());
        let kind = kind(part);
        let is_message = matches!(&*kind, "message/rfc822" | "message/global");
        let report_type = part.content_type().and_then(|kind| kind.attribute("report-type"));
        let reports = report_type.map(str::to_ascii_lowercase);
        if is_message && depth < Mail::DEPTH {
            collect(&text, depth + 1, parts);
        }
        parts.push(Part { kind, reports, text, depth });
    }
}

fn kind(part: &MessagePart<'_>) -> String {
    let Some(kind) = part.content_type() else { return "text/plain".into() };
    let text = alloc::format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default());
    String::from_utf8_lossy(&opened(text.as_bytes())).to_ascii_lowercase()
}

/// Words without which the library sees no message in a message. It opens them without end, and each costs stack: so
/// they are hidden from it, by a mark at this place, and we open what we want.
const HIDDEN: [(&[u8], usize); 3] = [(b"rfc822", 4), (b"global", 3), (b"digest", 3)];
const MARK: u8 = b'~';

fn closed(text: &[u8]) -> Vec<u8> {
    let mut closed = text.to_vec();
    for (word, mark) in HIDDEN {
        replace(&mut closed, word, mark, MARK);
    }
    closed
}

fn opened(text: &[u8]) -> Vec<u8> {
    let mut opened = text.to_vec();
    for (word, mark) in HIDDEN {
        let mut marked = word.to_vec();
        let octet = marked.get_mut(mark).map(|octet| core::mem::replace(octet, MARK));
        replace(&mut opened, &marked, mark, octet.unwrap_or(MARK));
    }
    opened
}

/// Puts `octet` into each place at which `word` stands, in whatever case.
fn replace(text: &mut [u8], word: &[u8], place: usize, octet: u8) {
    for at in 0..text.len() {
        let Some(found) = text.get_mut(at..at + word.len()) else { return };
        if found.eq_ignore_ascii_case(word)
            && let Some(changed) = found.get_mut(place)
        {
            *changed = octet;
        }
    }
}
