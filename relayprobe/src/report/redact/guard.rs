//! What a reply is judged by, and so has to stay.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::names::Role;
use crate::wire::{EnhancedCode, Reply, gives_no_ground, is_common, phrases};

/// For each octet of a reply whether its judgement may depend on it.
pub(super) fn judged(role: Role, reply: &[u8], asked: &[String]) -> Vec<bool> {
    let mut kept = vec![false; reply.len()];
    let by_words = is_judged_by_its_words(reply, asked);
    // The text as phrases are looked up in it: lines joined by blanks, each octet with its place.
    let mut text: Vec<(u8, Option<usize>)> = Vec::with_capacity(reply.len());
    let mut start = 0;
    for line in reply.split_inclusive(|&octet| octet == b'\n') {
        let whole = line.strip_suffix(b"\r\n").unwrap_or(line);
        let words = whole.get(4..).unwrap_or_default();
        keep(&mut kept, start, 4);
        let first = start + 4;
        for (at, length) in codes(words) {
            keep(&mut kept, first + at, length);
        }
        let (at, length) = match role {
            Role::Greeting | Role::Hello if start == 0 => host(words),
            Role::Hello => (0, keyword(words)),
            _ => (0, 0),
        };
        keep(&mut kept, first + at, length);
        let mut begin = first;
        for word in words.split(u8::is_ascii_whitespace) {
            // Whether all words are known decides what a vague refusal shows.
            if by_words && !word.contains(&b'@') && is_common(word) {
                keep(&mut kept, begin, word.len());
            }
            begin += word.len() + 1;
        }
        text.extend(
            words.iter().enumerate().map(|(at, octet)| (octet.to_ascii_lowercase(), Some(first + at))),
        );
        text.push((b' ', None));
        start += line.len();
    }
    for phrase in phrases::all() {
        let says = |window: &[(u8, Option<usize>)]| window.iter().map(|&(octet, _)| octet).eq(phrase.bytes());
        for window in text.windows(phrase.len()).filter(|window| says(window)) {
            for at in window.iter().filter_map(|&(_, at)| at) {
                keep(&mut kept, at, 1);
            }
        }
    }
    kept
}

/// Whether it is a refusal whose words are all known. In any other reply they may be somebody's name: `will`, `may`.
fn is_judged_by_its_words(reply: &[u8], asked: &[String]) -> bool {
    let names: Vec<&str> = asked.iter().map(String::as_str).collect();
    let reply = Reply::parse(reply).ok().filter(|reply| !reply.code().is_positive());
    reply.is_some_and(|reply| gives_no_ground(&reply, &names))
}

fn keep(kept: &mut [bool], start: usize, length: usize) {
    kept.iter_mut().skip(start).take(length).for_each(|octet| *octet = true);
}

/// Where the enhanced code of a line may be, with what must not follow it: at its start, or behind its first `#`.
fn codes(words: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let behind = words.iter().position(|&octet| octet == b'#').map(|at| at + 1);
    [Some(0), behind].into_iter().flatten().filter_map(|at| {
        let rest = words.get(at..)?;
        EnhancedCode::at_start(rest)?;
        let mut dots = 0;
        let length = rest.iter().take_while(|&&octet| {
            dots += usize::from(octet == b'.');
            octet.is_ascii_digit() || octet == b'.' && dots <= 2
        });
        let length = length.count();
        // The octet behind it decides whether it is one.
        (length > 0).then_some((at, length + 1))
    })
}

/// The first word, if it can be the name of a host: one without a dot is none.
fn host(words: &[u8]) -> (usize, usize) {
    let start = words.iter().take_while(|octet| octet.is_ascii_whitespace()).count();
    let rest = words.get(start..).unwrap_or_default();
    let length = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
    let word = rest.get(..length).unwrap_or_default();
    if word.contains(&b'.') && !word.contains(&b'@') { (start, length) } else { (0, 0) }
}

/// Octets of the keyword of an extension.
fn keyword(words: &[u8]) -> usize {
    words.iter().take_while(|octet| octet.is_ascii_alphanumeric()).count()
}
