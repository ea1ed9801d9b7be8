//! Where tokens are looked for, and which one decides.

use alloc::string::String;
use alloc::vec::Vec;

use super::mail::Mail;
use super::{Arrival, Envelope};
use crate::plan::RunRecord;
use crate::token::{Keyring, Token};

/// Runs that are asked for on behalf of one arrival: text full of look-alikes may not cost more.
const RUNS: usize = 64;

/// What was found.
pub(super) enum Found {
    /// Tokens that are good, each once, with their runs; the first decides.
    Ours(Vec<(Token, RunRecord)>),
    /// None that is good, and one that belongs to a known run, by its name.
    Forged(String),
    /// None that is good, and one of another run, by its name.
    Unknown(String),
    /// Nothing that looks like one.
    Nothing,
}

/// Looks for good tokens, up to `most`. The place that is hardest to come by decides: the recipient, then the Message-ID,
/// then the rest.
pub(super) fn search(
    arrival: &Arrival,
    mail: &Mail<'_>,
    keys: &Keyring,
    runs: &dyn Fn(&str) -> Option<RunRecord>,
    most: usize,
) -> Found {
    let mut finder =
        Finder { keys, runs, most, known: Vec::new(), good: Vec::new(), forged: None, unknown: None };
    let recipients = arrival.envelope.iter().flat_map(|envelope| &envelope.recipients);
    let addresses = recipients.clone().map(|recipient| recipient.address.as_bytes());
    let originals: Vec<Vec<u8>> =
        recipients.filter_map(|to| Some(original(to.original.as_ref()?.as_bytes()))).collect();
    let sender = arrival.envelope.iter().map(|envelope: &Envelope| envelope.sender.as_bytes());
    let texts = addresses
        .chain(mail.all("Message-ID"))
        .chain(originals.iter().map(Vec::as_slice))
        .chain(mail.all("Relayprobe-Test"))
        .chain(sender)
        .chain(mail.fields.iter().map(|field| field.value.as_slice()))
        .chain(mail.parts.iter().map(|part| part.text.as_slice()));
    for text in texts {
        finder.look(text);
        if finder.is_done() {
            break;
        }
        if finder.good.is_empty() {
            finder.note_claims(text);
        }
    }
    // What nobody could decode may hold a token as it is, but says nothing by holding something like one.
    finder.look(mail.octets);
    match (finder.good, finder.forged, finder.unknown) {
        (good, ..) if !good.is_empty() => Found::Ours(good),
        (_, Some(run), _) => Found::Forged(run),
        (_, None, Some(run)) => Found::Unknown(run),
        (_, None, None) => Found::Nothing,
    }
}

/// Whether a text holds the token.
pub(super) fn carries(text: &[u8], token: &Token) -> bool {
    Token::find(text).any(|found| found == *token)
}

/// Whether an address is one of our senders for the token: `b` and the token, so that no recipient is like it.
pub(super) fn is_sender(address: &[u8], token: &Token) -> bool {
    words(address).any(|word| sender_token(word) == Some(*token))
}

/// An address in an `ORCPT` parameter, without type, decoded (RFC 3461 §4).
pub(super) fn original(text: &[u8]) -> Vec<u8> {
    let start = text.iter().position(|&b| b == b';').map_or(0, |semicolon| semicolon + 1);
    let mut rest = text.get(start..).unwrap_or_default();
    let mut address = Vec::with_capacity(rest.len());
    while let Some((&first, after)) = rest.split_first() {
        let coded = rest.get(1..3).filter(|_| first == b'+');
        let octet = coded.and_then(|hex| u8::from_str_radix(core::str::from_utf8(hex).ok()?, 16).ok());
        address.push(octet.unwrap_or(first));
        rest = octet.and_then(|_| rest.get(3..)).unwrap_or(after);
    }
    address
}

struct Finder<'a> {
    keys: &'a Keyring,
    runs: &'a dyn Fn(&str) -> Option<RunRecord>,
    most: usize,
    good: Vec<(Token, RunRecord)>,
    known: Vec<(String, Option<RunRecord>)>,
    forged: Option<String>,
    unknown: Option<String>,
}

impl Finder<'_> {
    const fn is_done(&self) -> bool {
        self.good.len() >= self.most
    }

    /// Takes the good tokens of a text.
    fn look(&mut self, text: &[u8]) {
        let keys = self.keys;
        for token in Token::find(text) {
            if self.is_done() {
                return;
            }
            if self.good.iter().any(|(known, _)| *known == token) {
                continue;
            }
            let Some(record) = self.run(&token) else { continue };
            let binding = record.probe(token.probe()).and_then(|probe| record.binding(probe));
            if binding.is_some_and(|binding| keys.verify(&token, &binding)) {
                let record = record.clone();
                self.good.push((token, record));
            }
        }
    }

    /// Much that is no token looks like one in part; only what is one as a whole word claims to be one.
    fn note_claims(&mut self, text: &[u8]) {
        for word in words(text) {
            let whole = || core::str::from_utf8(word).ok()?.parse().ok();
            let Some(token) = whole().or_else(|| sender_token(word)) else { continue };
            let claim = if self.run(&token).is_some() { &mut self.forged } else { &mut self.unknown };
            claim.get_or_insert_with(|| token.run());
        }
    }

    fn run(&mut self, token: &Token) -> Option<&RunRecord> {
        let name = token.run();
        let at = self.known.iter().position(|(known, _)| *known == name).or_else(|| {
            if self.known.len() == RUNS {
                return None;
            }
            let record = (self.runs)(&name);
            self.known.push((name, record));
            Some(self.known.len() - 1)
        })?;
        self.known.get(at)?.1.as_ref()
    }
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| !b.is_ascii_alphanumeric()).filter(|word| word.len() >= Token::LENGTH)
}

fn sender_token(word: &[u8]) -> Option<Token> {
    let token = word.strip_prefix(b"b").or_else(|| word.strip_prefix(b"B"))?;
    core::str::from_utf8(token).ok()?.parse().ok()
}
