//! Names of people in texts, and what stands for them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::Range;

use super::guard;
use crate::octets::Octets;
use crate::plan::RunRecord;
use crate::refusal::names_asked_for;
use crate::transcript::{Cut, Step, Transcript, What};
use crate::wire::{Reply, queue_id};

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A command or a message of ours.
    Sent,
    /// A greeting.
    Greeting,
    /// A reply to EHLO or HELO.
    Hello,
    /// Another reply.
    Reply,
    /// Other words of somebody else.
    Text,
    /// An address and nothing else, perhaps with its type before it.
    Address,
    /// A Received line.
    Line,
}

/// Names that were given, and words that need none.
pub(super) struct Names {
    /// Words that are nobody's name, in lower case.
    known: BTreeSet<Vec<u8>>,
    /// Local part of the mailbox that the operator named.
    mailbox: Vec<u8>,
    /// Telephone number by which the tester is reached (RFC 9511 §3).
    phone: Vec<u8>,
    /// Names of the run that a refusal may quote.
    asked: Vec<String>,
    given: BTreeMap<Vec<u8>, u32>,
    last: u32,
}

/// What a name begins with. The mark after it cannot stand in a queue id, so no name is taken for one.
const PREFIX: &str = "redacted~";

/// Offices, not people (RFC 2142; RFC 5321 §4.5.1).
const OFFICES: [&str; 11] = [
    "abuse",
    "hostmaster",
    "info",
    "mailer-daemon",
    "marketing",
    "noc",
    "postmaster",
    "sales",
    "security",
    "support",
    "webmaster",
];

/// Before a user's name in a Received line.
const LABELS: [&[u8]; 4] = [b"sender: ", b"envelope-from ", b"envelope-sender ", b"for "];

impl Names {
    pub(super) fn new(run: &RunRecord, transcript: &Transcript) -> Self {
        let mut known: BTreeSet<Vec<u8>> = OFFICES.iter().map(|office| office.as_bytes().to_vec()).collect();
        for probe in &run.probes {
            let case = run.case(probe).map_or("", |case| &*case.id);
            for own in
                [String::from(probe.user()), format!("b{}", probe.user), format!("{}.{case}", probe.user)]
            {
                known.insert(own.to_ascii_lowercase().into_bytes());
            }
        }
        let entries = transcript.connections.iter().flat_map(|connection| &connection.entries);
        for entry in entries {
            if let What::Command { step: Step::Mail | Step::OwnRcpt | Step::Rcpt, octets, .. } = &entry.what {
                let path = octets.as_bytes().splitn(2, |&octet| octet == b':').last().unwrap_or_default();
                known.extend(path.split(|&octet| !is_word(octet)).map(<[u8]>::to_ascii_lowercase));
            }
        }
        let nobody = |name: &str| is_office(name) || number(name.as_bytes()).is_some();
        let contact = run.identity.contact.local();
        let mailbox = run.target.mailbox.as_ref().map_or("", |mailbox| mailbox.local());
        let mailbox = if nobody(mailbox) { "" } else { mailbox };
        for name in [mailbox, contact].into_iter().filter(|name| !nobody(name)) {
            for word in name.to_ascii_lowercase().as_bytes().split(|&octet| !is_word(octet)) {
                known.remove(word);
            }
        }
        let phone = run.identity.probe_uri.as_str().strip_prefix("tel:").unwrap_or_default();
        let phone = if nobody(phone) { "" } else { phone };
        let (mailbox, phone) = (mailbox.as_bytes().to_vec(), phone.as_bytes().to_vec());
        let asked = names_asked_for(run).into_iter().map(String::from).collect();
        Self { known, mailbox, phone, asked, given: BTreeMap::new(), last: 0 }
    }

    /// Keeps the names in a text from being given again.
    pub(super) fn reserve(&mut self, octets: &[u8]) {
        for at in places(octets, PREFIX.as_bytes()) {
            let rest = octets.get(at..).unwrap_or_default();
            let digits = rest.iter().skip(PREFIX.len()).take_while(|octet| octet.is_ascii_digit()).count();
            let name = rest.get(..PREFIX.len() + digits).unwrap_or_default();
            self.last = self.last.max(number(name).unwrap_or(0));
        }
    }

    /// What stands for a word.
    pub(super) fn word(&mut self, word: &str) -> String {
        String::from_utf8_lossy(&self.name(word.as_bytes())).into_owned()
    }

    /// Replaces the names of people in a text.
    pub(super) fn hide(&mut self, role: Role, octets: &mut Octets, cut: Option<&Cut>) {
        let old = octets.as_bytes();
        let mut ranges = self.people(role, old);
        ranges.extend(cut.map(|_| tail(old)));
        if ranges.iter().all(Range::is_empty) {
            return;
        }
        let kept = match role {
            Role::Greeting | Role::Hello | Role::Reply => guard::judged(role, old, &self.asked),
            Role::Sent | Role::Text | Role::Address | Role::Line => vec![false; old.len()],
        };
        let mut new = Vec::with_capacity(old.len());
        let mut at = 0;
        for range in merged(ranges) {
            new.extend_from_slice(old.get(at..range.start).unwrap_or_default());
            at = range.end;
            let mut rest = old.get(range.clone()).unwrap_or_default();
            for run in kept.get(range).unwrap_or_default().chunk_by(|a, b| a == b) {
                let (piece, after) = rest.split_at_checked(run.len()).unwrap_or_default();
                rest = after;
                if run.first() == Some(&true) {
                    new.extend_from_slice(piece);
                } else {
                    new.extend(self.name(piece));
                }
            }
        }
        new.extend_from_slice(old.get(at..).unwrap_or_default());
        *octets = Octets::from(new);
    }

    fn name(&mut self, word: &[u8]) -> Vec<u8> {
        let says_something = word.iter().any(|&octet| octet.is_ascii_alphanumeric() || !octet.is_ascii());
        if !says_something || self.is_known(word) {
            return word.to_vec();
        }
        let number = *self.given.entry(word.to_vec()).or_insert_with(|| {
            self.last += 1;
            self.last
        });
        format!("{PREFIX}{number}").into_bytes()
    }

    fn is_known(&self, word: &[u8]) -> bool {
        number(word).is_some() || self.known.contains(&word.to_ascii_lowercase())
    }

    /// Where a text names people.
    fn people(&self, role: Role, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for at in places(text, b"@") {
            self.unknown(text, local_part(text, at), &mut found);
        }
        let names_alone = match role {
            // What looks like the mailbox may be one of our own words.
            Role::Sent => false,
            // The words around a queue id are those by which it is known.
            Role::Greeting | Role::Hello | Role::Reply => {
                Reply::parse(text).map_or(true, |reply| queue_id(&reply).is_none())
            }
            Role::Text | Role::Address | Role::Line => true,
        };
        for at in places(text, &self.mailbox) {
            let range = at..at + self.mailbox.len();
            let (before, rest) = (before(role, text, at), text.get(range.end..).unwrap_or_default());
            let wanted = rest.starts_with(b"@") || names_alone;
            found.extend((wanted && is_whole(before, rest)).then_some(range));
        }
        for at in places(text, &self.phone) {
            found.push(at..at + self.phone.len());
        }
        match role {
            Role::Sent | Role::Greeting | Role::Hello | Role::Reply | Role::Text => {}
            Role::Address => {
                let start = text.iter().position(|&octet| octet == b';').map_or(0, |at| at + 1);
                let domain = text.iter().rposition(|&octet| octet == b'@').filter(|&at| !is_route(text, at));
                let end = domain.unwrap_or(text.len());
                self.unknown(text, start..end, &mut found);
            }
            Role::Line => self.in_line(text, &mut found),
        }
        found
    }

    /// Names of users in a Received line, which may have no domain.
    fn in_line(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        for start in places(text, b"<").map(|at| at + 1) {
            let inner = text.get(start..).unwrap_or_default();
            let end = inner.iter().position(|octet| b"@>".contains(octet)).unwrap_or(inner.len());
            self.unknown(text, start..start + end, found);
        }
        for (at, label) in LABELS.iter().flat_map(|&label| places(text, label).map(move |at| (at, label))) {
            let start = at + label.len();
            let rest = text.get(start..).unwrap_or_default();
            let length = rest.iter().take_while(|&&octet| is_local(octet)).count();
            self.unknown(text, start..start + length, found);
        }
    }

    /// The words within a range that are not known.
    fn unknown(&self, text: &[u8], range: Range<usize>, found: &mut Vec<Range<usize>>) {
        let mut start = range.start;
        for word in text.get(range).unwrap_or_default().split(|&octet| !is_word(octet)) {
            let end = start + word.len();
            if !self.is_known(word) {
                found.push(start..end);
            }
            start = end + 1;
        }
    }
}

/// The local part before the at-sign at `at`, quoted or not.
fn local_part(text: &[u8], at: usize) -> Range<usize> {
    let before = text.get(..at).unwrap_or_default();
    let quoted = before.strip_suffix(b"\"").and_then(|inner| {
        let line = inner.iter().rposition(|&octet| octet == b'\n').map_or(0, |end| end + 1);
        inner.iter().rposition(|&octet| octet == b'"').filter(|&start| start >= line)
    });
    let length = before.iter().rev().take_while(|&&octet| is_local(octet)).count();
    quoted.unwrap_or(at - length)..at
}

/// Whether the at-sign at `at` begins a source route, and no domain.
fn is_route(text: &[u8], at: usize) -> bool {
    let behind = text.get(at + 1..).unwrap_or_default();
    !behind.starts_with(b"[") && behind.contains(&b':')
}

/// The word at the end of a text that was cut: it may have been about to become an address.
fn tail(text: &[u8]) -> Range<usize> {
    let length = text.iter().rev().take_while(|&&octet| is_local(octet)).count();
    text.len() - length..text.len()
}

/// What stands before a place in its line; the code of a reply and the hyphen after it are no part of any word.
fn before(role: Role, text: &[u8], at: usize) -> &[u8] {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit(|&octet| octet == b'\n').next().unwrap_or_default();
    match role {
        Role::Greeting | Role::Hello | Role::Reply => line.get(4..).unwrap_or_default(),
        Role::Sent | Role::Text | Role::Address | Role::Line => line,
    }
}

/// Whether what stands between these is a word of its own. A dot may end a sentence.
fn is_whole(before: &[u8], after: &[u8]) -> bool {
    let mark = |octet: &&u8| matches!(octet, b'.' | b'-');
    let goes_on = |octet: Option<&u8>| octet.is_some_and(|&octet| is_word(octet));
    !goes_on(before.iter().rev().find(|octet| !mark(octet)))
        && !goes_on(after.iter().find(|octet| !mark(octet)))
}

/// The ranges in order, none within another.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, Reverse(range.end)));
    let mut end = 0;
    ranges.retain_mut(|range| {
        range.start = range.start.max(end);
        end = end.max(range.end);
        range.start < range.end
    });
    ranges
}

/// Where `part` stands in `text`, in any case of letters; an empty one nowhere.
fn places<'a>(text: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = text.windows(part.len().max(1)).enumerate();
    windows.filter(move |(_, window)| window.eq_ignore_ascii_case(part)).map(|(at, _)| at)
}

fn is_office(word: &str) -> bool {
    OFFICES.iter().any(|office| office.eq_ignore_ascii_case(word))
}

/// The number of a name that was given. One with more digits than we write is a name like any other.
fn number(word: &[u8]) -> Option<u32> {
    let digits = core::str::from_utf8(word.strip_prefix(PREFIX.as_bytes())?).ok()?;
    let plain = (1..=7).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// Whether an octet is part of a word: what else stands in local parts joins words.
const fn is_word(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_' | b'~') || !octet.is_ascii()
}

/// Whether an octet can stand in a local part without quotes (RFC 5322 §3.2.3, RFC 6532 §3.2).
const fn is_local(octet: u8) -> bool {
    is_word(octet)
        || matches!(
            octet,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
        )
}
