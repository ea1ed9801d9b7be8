//! The reply parser (RFC 5321 §4.2).

use alloc::vec::Vec;
use core::{fmt, iter};

use memchr::memchr;

use super::EnhancedCode;

/// Three digits, the first from 1 to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Code(u16);

impl Code {
    /// The code as a number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// 2yz: done.
    pub const fn is_positive(self) -> bool {
        self.0 / 100 == 2
    }

    /// 4yz: not now.
    pub const fn is_transient(self) -> bool {
        self.0 / 100 == 4
    }

    /// 5yz: no.
    pub const fn is_permanent(self) -> bool {
        self.0 / 100 == 5
    }

    /// The code that a reply or a piece of one begins with.
    pub fn at_start(octets: &[u8]) -> Option<Self> {
        octets.first_chunk().and_then(|&digits| Self::parse(digits))
    }

    fn parse(digits: [u8; 3]) -> Option<Self> {
        let [first @ b'1'..=b'5', second @ b'0'..=b'9', third @ b'0'..=b'9'] = digits else { return None };
        let digit = |byte: u8| u16::from(byte & 0x0f);
        Some(Self(digit(first) * 100 + digit(second) * 10 + digit(third)))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

/// A whole reply, as long as its octets are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    code: Code,
    octets: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Reads one whole reply that fills `octets`.
    pub fn parse(octets: &'a [u8]) -> Result<Self, ReplyFault> {
        if let Some((code, length)) = whole(octets, ReplyLimits::LARGEST) {
            return if length == octets.len() { Ok(Self { code, octets }) } else { Err(ReplyFault::Surplus) };
        }
        let mut decoder = ReplyDecoder::new(ReplyLimits::LARGEST);
        match decoder.read(&mut { octets }) {
            Some(Err(fault)) => Err(fault),
            Some(Ok(_)) | None => Err(ReplyFault::Unfinished),
        }
    }

    /// The one code of all its lines.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Every octet as it came, line ends included.
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The text of each line, without code, separator and line end.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.octets;
        iter::from_fn(move || {
            let (line, behind) = rest.split_at_checked(memchr(b'\n', rest)? + 1)?;
            rest = behind;
            Some(line.get(4..line.len().saturating_sub(2)).unwrap_or_default())
        })
    }

    /// The enhanced status code of the first line that has one (RFC 2034 §4).
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.lines().find_map(EnhancedCode::at_start)
    }
}

/// What a peer sent is not a reply. The connection is of no use after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum ReplyFault {
    /// A line does not begin with three digits, the first from 1 to 5.
    #[error("a line does not begin with a reply code")]
    NoCode,
    /// After the code stands neither blank, hyphen nor line end.
    #[error("the code is followed by neither blank, hyphen nor line end")]
    Separator,
    /// A line ends in a bare LF.
    #[error("a line ends in LF without CR")]
    BareLf,
    /// The lines of one reply carry different codes.
    #[error("the lines of one reply carry different codes")]
    MixedCodes,
    /// A line is longer than the limit.
    #[error("a line is too long")]
    LongLine,
    /// A reply has more lines than the limit.
    #[error("a reply has too many lines")]
    ManyLines,
    /// A reply has more octets than the limit.
    #[error("a reply is too long")]
    LongReply,
    /// The octets end before the reply does.
    #[error("the reply is not finished")]
    Unfinished,
    /// Octets follow the reply.
    #[error("octets follow the reply")]
    Surplus,
}

/// How much of a reply is read before it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReplyLimits {
    /// Octets in a line, CRLF included.
    pub line: u32,
    /// Lines in a reply.
    pub lines: u32,
    /// Octets in a reply.
    pub reply: u32,
}

impl ReplyLimits {
    const LARGEST: Self = Self { line: u32::MAX, lines: u32::MAX, reply: u32::MAX };
}

impl Default for ReplyLimits {
    /// 4,096 octets a line, 512 lines, 64 KiB: eight times what RFC 5321 §4.5.3.1.5 asks for, and bounded.
    fn default() -> Self {
        Self { line: 4_096, lines: 512, reply: 65_536 }
    }
}

/// Reads replies from octets in pieces of any size.
///
/// A reply that comes in one piece is not copied. Its buffer is kept from reply to reply, so that no other one allocates
/// once the longest has been seen. It is strict: a
/// line ends in CRLF alone, and a lone CR or a NUL is text. A line that cannot be part of a reply is given up at its end,
/// or once there is enough of it to show what it was, so that the same octets in other pieces give the same evidence.
#[derive(Clone, Debug)]
pub struct ReplyDecoder {
    limits: ReplyLimits,
    octets: Vec<u8>,
    line_start: usize,
    lines: u32,
    code: Option<Code>,
    /// The current line is no part of a reply.
    broken: Option<ReplyFault>,
    done: bool,
}

/// Octets of a line that is no reply, kept as evidence.
const EVIDENCE: usize = 128;

impl ReplyDecoder {
    /// An empty decoder.
    pub const fn new(limits: ReplyLimits) -> Self {
        Self { limits, octets: Vec::new(), line_start: 0, lines: 0, code: None, broken: None, done: false }
    }

    /// Takes octets from the front of `input`, up to the end of one reply.
    ///
    /// `None` means that all of `input` was taken and the reply is not whole yet. After a fault the rest of `input` is
    /// left, and every further call begins anew: the caller ends the connection.
    pub fn read<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Result<Reply<'a>, ReplyFault>> {
        if self.done {
            self.clear();
        }
        if self.octets.is_empty()
            && let Some((code, length)) = whole(input, self.limits)
            && let Some((octets, rest)) = input.split_at_checked(length)
        {
            *input = rest;
            return Some(Ok(Reply { code, octets }));
        }
        while !input.is_empty() {
            let (piece, ends) = match memchr(b'\n', input) {
                Some(at) => (at + 1, true),
                None => (input.len(), false),
            };
            match self.take(input, piece, ends) {
                Ok(None) => {}
                Ok(Some(code)) => {
                    self.done = true;
                    return Some(Ok(Reply { code, octets: &self.octets }));
                }
                Err(fault) => {
                    self.done = true;
                    return Some(Err(fault));
                }
            }
        }
        None
    }

    /// What has been read of a reply that is not whole, or of the octets that were no reply.
    pub fn pending(&self) -> &[u8] {
        &self.octets
    }

    /// Whether a reply has begun and is not whole.
    pub const fn is_midway(&self) -> bool {
        !self.done && !self.octets.is_empty()
    }

    fn clear(&mut self) {
        self.octets.clear();
        self.line_start = 0;
        self.lines = 0;
        self.code = None;
        self.broken = None;
        self.done = false;
    }

    /// What is wrong with the octets that were read so far.
    pub fn fault(&self) -> ReplyFault {
        self.broken.unwrap_or(ReplyFault::Unfinished)
    }

    /// Takes the next `piece` octets, which are part of one line; `ends` if the line ends with them.
    fn take(&mut self, input: &mut &[u8], piece: usize, ends: bool) -> Result<Option<Code>, ReplyFault> {
        let length = self.octets.len() - self.line_start;
        let room = as_size(self.limits.line).saturating_sub(length);
        let left = as_size(self.limits.reply).saturating_sub(self.octets.len());
        if self.broken.is_none() {
            self.broken = self.head_fault(input.get(..room.min(left)).unwrap_or(input));
        }
        let evidence = if self.broken.is_some() { EVIDENCE.saturating_sub(length) } else { usize::MAX };
        let fits = piece.min(room).min(left).min(evidence);
        let (taken, rest) = input.split_at(fits.min(input.len()));
        self.octets.extend_from_slice(taken);
        *input = rest;
        match self.broken {
            // Where a limit leaves no room for more of it, what is there has to do.
            Some(fault) if ends || fits == evidence || fits < piece => return Err(fault),
            Some(_) => return Ok(None),
            None => {}
        }
        if fits < piece {
            return Err(if room <= left { ReplyFault::LongLine } else { ReplyFault::LongReply });
        }
        if ends { self.end_line() } else { Ok(None) }
    }

    /// What is wrong with code and separator of the current line, `input` being its next octets.
    fn head_fault(&self, input: &[u8]) -> Option<ReplyFault> {
        let mut line = self.line().iter().chain(input).take(4).enumerate();
        line.find_map(|(at, octet)| match (at, octet) {
            (0, b'1'..=b'5') | (1 | 2, b'0'..=b'9') | (3, b' ' | b'-' | b'\r') => None,
            (0..=2, _) => Some(ReplyFault::NoCode),
            (_, b'\n') => Some(ReplyFault::BareLf),
            (..) => Some(ReplyFault::Separator),
        })
    }

    /// Ends the current line; the code, if it was the last line of the reply.
    fn end_line(&mut self) -> Result<Option<Code>, ReplyFault> {
        let line = self.line();
        if !line.ends_with(b"\r\n") {
            return Err(ReplyFault::BareLf);
        }
        let [first, second, third, separator, ..] = *line else { return Err(ReplyFault::NoCode) };
        // A CR that does not belong to the line end, directly after the code, separates nothing.
        if separator == b'\r' && line.len() != 5 {
            return Err(ReplyFault::Separator);
        }
        let code = Code::parse([first, second, third]).ok_or(ReplyFault::NoCode)?;
        if self.code.is_some_and(|earlier| earlier != code) {
            return Err(ReplyFault::MixedCodes);
        }
        self.code = Some(code);
        self.lines += 1;
        self.line_start = self.octets.len();
        if separator != b'-' {
            return Ok(Some(code));
        }
        if self.lines >= self.limits.lines { Err(ReplyFault::ManyLines) } else { Ok(None) }
    }

    fn line(&self) -> &[u8] {
        self.octets.get(self.line_start..).unwrap_or_default()
    }
}

/// Code and length of the reply that `octets` begin with, if all of it is there and nothing is wrong with it.
fn whole(octets: &[u8], limits: ReplyLimits) -> Option<(Code, usize)> {
    let [first, second, third, ..] = *octets else { return None };
    let digits = [first, second, third];
    let code = Code::parse(digits)?;
    let mut length = 0;
    for _ in 0..limits.lines {
        let rest = octets.get(length..)?;
        let end = memchr(b'\n', rest)?;
        let line = rest.get(..end)?;
        length += end + 1;
        if line.len() >= as_size(limits.line) || length > as_size(limits.reply) {
            return None;
        }
        match *line {
            [a, b, c, separator, .., b'\r'] if [a, b, c] == digits => match separator {
                b'-' => {}
                b' ' => return Some((code, length)),
                _ => return None,
            },
            [a, b, c, b'\r'] if [a, b, c] == digits => return Some((code, length)),
            _ => return None,
        }
    }
    None
}

fn as_size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::*;

    fn all(input: &[u8]) -> Vec<Result<(u16, Vec<u8>), ReplyFault>> {
        let mut decoder = ReplyDecoder::new(ReplyLimits::default());
        let mut rest = input;
        let mut found = Vec::new();
        while let Some(reply) = decoder.read(&mut rest) {
            found.push(reply.map(|r| (r.code().number(), r.octets().to_vec())));
            if found.last().is_some_and(Result::is_err) {
                break;
            }
        }
        found
    }

    #[test]
    fn replies_are_read_whole_and_in_turn() {
        let found = all(b"220 mx.example ESMTP\r\n250-mx.example\r\n250-SIZE 10\r\n250 DSN\r\n250\r\n");
        let codes: Vec<_> = found.iter().map(|r| r.as_ref().map(|(code, _)| *code)).collect();
        assert_eq!(codes, [Ok(220), Ok(250), Ok(250)]);
    }

    #[test]
    fn what_is_no_reply_is_a_fault() {
        for (input, fault) in [
            (&b"SSH-2.0-x\r\n"[..], ReplyFault::NoCode),
            (b"2500 ok\r\n", ReplyFault::Separator),
            (b"OK\r\n", ReplyFault::NoCode),
            (b"+25 ok\r\n", ReplyFault::NoCode),
            (b"250+ok\r\n", ReplyFault::Separator),
            (b"999 x\r\n", ReplyFault::NoCode),
            (b"\r\n250 ok\r\n", ReplyFault::NoCode),
            (b"250 ok\n", ReplyFault::BareLf),
            (b"250\n", ReplyFault::BareLf),
            (b"250\rx\r\n", ReplyFault::Separator),
            (b"250-ok\r\n550 no\r\n", ReplyFault::MixedCodes),
            (b"550-no\r\n250 ok\r\n", ReplyFault::MixedCodes),
            (b"250-ok\r\nlog line\r\n", ReplyFault::NoCode),
            (&[0x16; 200], ReplyFault::NoCode),
        ] {
            assert_eq!(all(input), [Err(fault)], "{}", crate::octets::escape(input));
        }
    }

    #[test]
    fn a_lone_cr_and_a_nul_are_text() {
        let found = all(b"550 no\r250 ok\0\r\n");
        assert_eq!(found, [Ok((550, b"550 no\r250 ok\0\r\n".to_vec()))]);
    }

    #[test]
    fn limits_hold_while_reading() {
        let long = format!("250 {}", "x".repeat(5_000));
        assert_eq!(all(long.as_bytes()), [Err(ReplyFault::LongLine)]);
        assert_eq!(all("250-x\r\n".repeat(600).as_bytes()), [Err(ReplyFault::ManyLines)]);
        let wide: String = format!("250-{}\r\n", "x".repeat(4_000)).repeat(20);
        assert_eq!(all(wide.as_bytes()), [Err(ReplyFault::LongReply)]);
    }

    #[test]
    fn a_broken_line_ends_where_the_reply_may_not_grow_any_longer() {
        let line = format!("250-{}\r\n", "x".repeat(4_089));
        let full = [line.repeat(16).as_bytes(), &[b'x'; 200]].concat();
        assert_eq!(all(&full), [Err(ReplyFault::NoCode)]);
    }

    #[test]
    fn the_same_octets_in_any_pieces_give_the_same_replies() {
        let input = b"220-a\r\n220 b\r\n250 2.1.0 ok\r\n554 5.7.1 no\r\nx";
        let whole = all(input);
        for size in 1..input.len() {
            let mut decoder = ReplyDecoder::new(ReplyLimits::default());
            let mut found = Vec::new();
            for mut piece in input.chunks(size) {
                while let Some(reply) = decoder.read(&mut piece) {
                    let stop = reply.is_err();
                    found.push(reply.map(|r| (r.code().number(), r.octets().to_vec())));
                    if stop {
                        break;
                    }
                }
            }
            assert_eq!(found, whole, "pieces of {size}");
        }
    }

    #[test]
    fn one_reply_can_be_read_alone() {
        let reply = Reply::parse(b"554-5.7.1 no\r\n554 5.7.1 really\r\n").unwrap();
        assert_eq!(reply.code().number(), 554);
        assert_eq!(reply.lines().collect::<Vec<_>>(), [&b"5.7.1 no"[..], b"5.7.1 really"]);
        assert_eq!(Reply::parse(b"250 ok\r\n250 ok\r\n"), Err(ReplyFault::Surplus));
        assert_eq!(Reply::parse(b"250-ok\r\n"), Err(ReplyFault::Unfinished));
    }
}
