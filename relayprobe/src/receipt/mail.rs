//! A message taken apart: its header, its parts decoded, what is attached to it.

use alloc::string::String;
use alloc::vec::Vec;

use mail_parser::{Message, MessagePart, MimeHeaders as _, PartType};

use super::search::carries;
use crate::token::Token;
use crate::trace::fields::{self, Field};

/// A message, which may be broken off anywhere.
pub(super) struct Mail<'a> {
    /// The fields of its header.
    pub(super) fields: Vec<Field>,
    /// Its parts, each before those that are attached to it.
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
    /// Its content, decoded; of an attached message the header.
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
        // A library that opens messages within messages without end would use up the stack.
        if nested(beginning) <= Self::DEPTH
            && let Some(message) = fields::parser().parse(beginning)
        {
            collect(&message, 0, &mut mail.parts);
            let subject = message.subject().unwrap_or_default();
            mail.parts.push(Part::new("subject", subject.as_bytes(), 0));
        }
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

impl Part {
    fn new(kind: &str, text: &[u8], depth: usize) -> Self {
        Self { kind: kind.into(), reports: None, text: text.into(), depth }
    }
}

fn collect(message: &Message<'_>, depth: usize, parts: &mut Vec<Part>) {
    for part in &message.parts {
        let text: &[u8] = match &part.body {
            PartType::Text(text) | PartType::Html(text) => text.as_bytes(),
            PartType::Binary(octets) | PartType::InlineBinary(octets) => octets,
            PartType::Message(inner) => header(inner),
            PartType::Multipart(_) => b"",
        };
        let mut collected = Part::new(&kind(part), text, depth);
        let report_type = part.content_type().and_then(|kind| kind.attribute("report-type"));
        collected.reports = report_type.map(str::to_ascii_lowercase);
        parts.push(collected);
        if let PartType::Message(inner) = &part.body
            && depth < Mail::DEPTH
        {
            collect(inner, depth + 1, parts);
        }
    }
}

fn kind(part: &MessagePart<'_>) -> String {
    let Some(kind) = part.content_type() else {
        return if part.is_message() { "message/rfc822" } else { "text/plain" }.into();
    };
    let mut text = alloc::format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default());
    text.make_ascii_lowercase();
    text
}

fn header<'a>(message: &'a Message<'_>) -> &'a [u8] {
    let Some(root) = message.parts.first() else { return &[] };
    let place = fields::place(root.offset_header)..fields::place(root.offset_body);
    message.raw_message.get(place).unwrap_or_default()
}

/// How often a text, or something encoded in it, can open a message within a message.
fn nested(text: &[u8]) -> usize {
    let count = |word: &[u8]| {
        text.windows(word.len())
            .filter(|window| window.eq_ignore_ascii_case(word))
            .take(Mail::DEPTH + 1)
            .count()
    };
    count(b"message/rfc822") + count(b"message/global") + count(b"multipart/digest")
}
