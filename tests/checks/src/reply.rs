//! The reply parser: the same replies however the octets are cut, limits exact, every octet accounted for.

use relayprobe::wire::{Ehlo, Reply, ReplyDecoder, ReplyFault, ReplyLimits, queue_id};

use crate::reader::Reader;

/// A reply, or why there is none, with its octets.
type Found = Result<Vec<u8>, (ReplyFault, Vec<u8>)>;

/// First limits and cuts, then what a server sends.
pub(crate) fn check(octets: &[u8]) {
    let mut choices = Reader(octets);
    let limits = match choices.octet() {
        size @ 1..=64 => {
            ReplyLimits { line: u32::from(size), lines: u32::from(size / 4 + 1), reply: u32::from(size) * 2 }
        }
        _ => ReplyLimits::default(),
    };
    let cut = choices.octet();
    let octets = choices.0;
    let (whole, left) = read(octets, limits, |rest| rest);
    let mut seed = u32::from(cut);
    let (pieces, _) = read(octets, limits, |rest| {
        // Any series does that visits short and long pieces, empty ones too.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = if cut == 0 { 1 } else { usize::from((seed >> 24) as u8 % cut) };
        &rest[..size.min(rest.len())]
    });
    assert_eq!(pieces, whole, "in other pieces");
    let wide = ReplyLimits { line: u32::MAX, lines: u32::MAX, reply: u32::MAX };
    let (widest, _) = read(octets, wide, |rest| rest);
    for (found, wide) in whole.iter().filter(|found| found.is_ok()).zip(&widest) {
        assert_eq!(found, wide, "a stricter limit makes no reply of what is none");
    }
    let mut rest = octets;
    for found in &whole {
        match found {
            Ok(reply) => {
                rest = rest.strip_prefix(&**reply).expect("replies come in turn, octet by octet");
                check_reply(reply, limits);
            }
            Err((fault, evidence)) => {
                assert!(rest.starts_with(evidence), "{fault}: evidence that was not sent");
                assert!(evidence.len() <= limits.reply as usize, "{fault}: more than the limit");
            }
        }
    }
    if whole.last().is_none_or(Result::is_ok) {
        assert_eq!(rest, left, "what is left is what belongs to no reply");
    }
}

/// Reads all replies up to the first fault, and what is left then.
fn read<'a>(
    octets: &'a [u8],
    limits: ReplyLimits,
    mut cut: impl FnMut(&'a [u8]) -> &'a [u8],
) -> (Vec<Found>, Vec<u8>) {
    let mut decoder = ReplyDecoder::new(limits);
    let mut found = Vec::new();
    let mut rest = octets;
    let mut empty = 0;
    while !rest.is_empty() {
        let mut piece = cut(rest);
        // Empty pieces change nothing, and must not go on for ever.
        empty = if piece.is_empty() { empty + 1 } else { 0 };
        if empty > 3 {
            piece = &rest[..1];
        }
        rest = &rest[piece.len()..];
        while let Some(reply) = decoder.read(&mut piece) {
            match reply {
                Ok(reply) => found.push(Ok(reply.octets().to_vec())),
                Err(fault) => {
                    let evidence = decoder.pending().to_vec();
                    found.push(Err((fault, evidence)));
                    return (found, Vec::new());
                }
            }
        }
        assert!(piece.is_empty(), "octets are left and no reply is told");
        assert!(decoder.pending().len() <= limits.reply as usize, "more than the limit is kept");
    }
    let left = if decoder.is_midway() { decoder.pending().to_vec() } else { Vec::new() };
    (found, left)
}

/// What the standard says of a reply (RFC 5321 §4.2), said once more and in other words.
fn check_reply(octets: &[u8], limits: ReplyLimits) {
    let lines: Vec<&[u8]> = octets.split_inclusive(|&octet| octet == b'\n').collect();
    assert!(octets.len() <= limits.reply as usize && lines.len() <= limits.lines as usize);
    for (at, line) in lines.iter().enumerate() {
        assert!(line.len() <= limits.line as usize);
        let text = line.strip_suffix(b"\r\n").expect("a line ends in CRLF");
        assert_eq!(text[..3], octets[..3], "one code");
        let last = at + 1 == lines.len();
        assert!(matches!((text.get(3), last), (Some(b'-'), false) | (Some(b' ') | None, true)));
    }
    assert!((b'1'..=b'5').contains(&octets[0]) && octets[1..3].iter().all(u8::is_ascii_digit));
    let reply = Reply::parse(octets).expect("a whole reply is one");
    let number: u16 = std::str::from_utf8(&octets[..3]).expect("digits").parse().expect("a number");
    assert_eq!(reply.code().number(), number);
    assert_eq!(reply.lines().count(), lines.len());
    let ehlo = Ehlo::read(&reply);
    for text in [ehlo.name(), queue_id(&reply).unwrap_or_default()] {
        let was_sent = |window: &[u8]| window == text.as_bytes();
        assert!(octets.windows(text.len().max(1)).any(was_sent) || text.is_empty(), "{text} was not sent");
    }
    let _whatever = reply.enhanced();
}
