//! The octets between DATA and the final dot.

use core::slice::Iter;

use smtp_proto::request::receiver::DataReceiver;

const LINE_END: &[u8] = b"\r\n";
/// Octets that the receiver may still take back, and those that show how it ended.
const TAIL: usize = 4;

/// A message that is coming in. Never holds more than its limit and one read.
pub(crate) struct Body {
    receiver: DataReceiver,
    /// The message after one line end that is not part of it; past the limit, only its last octets.
    octets: Vec<u8>,
    /// What is kept of a message that is too long.
    cut: Option<Vec<u8>>,
    limit: usize,
}

impl Body {
    pub(crate) fn new(limit: usize) -> Self {
        let mut body = Self { receiver: DataReceiver::new(), octets: Vec::new(), cut: None, limit };
        body.begin_line();
        body
    }

    /// Takes octets up to the final dot; whether that came.
    ///
    /// Only a dot between two CRLF ends a message (RFC 5321 §4.1.1.4): with anything laxer, one message becomes two.
    pub(crate) fn take(&mut self, input: &mut Iter<'_, u8>) -> bool {
        let mut ended = self.receiver.ingest(input, &mut self.octets);
        // The receiver lets `CRLF . CR CRLF` pass for the end; then the CR is still there.
        while ended && !self.octets.ends_with(LINE_END) {
            self.begin_line();
            ended = self.receiver.ingest(input, &mut self.octets);
        }
        self.bound();
        ended
    }

    /// The message, and whether it was cut at the limit.
    pub(crate) fn into_message(self) -> (Vec<u8>, bool) {
        if let Some(cut) = self.cut {
            return (cut, true);
        }
        let whole = self.octets.get(LINE_END.len()..).unwrap_or_default();
        let kept = whole.get(..self.limit).unwrap_or(whole);
        (kept.to_vec(), whole.len() > self.limit)
    }

    /// A dot at the very beginning ends a message too; the receiver only looks for it after a line end that it saw.
    fn begin_line(&mut self) {
        self.receiver = DataReceiver::new();
        self.receiver.ingest(&mut LINE_END.iter(), &mut self.octets);
    }

    fn bound(&mut self) {
        if self.cut.is_none() && self.octets.len() > LINE_END.len() + self.limit + TAIL {
            let message = self.octets.get(LINE_END.len()..).unwrap_or_default();
            self.cut = Some(message.get(..self.limit).unwrap_or_default().to_vec());
        }
        if self.cut.is_some() {
            self.octets.drain(..self.octets.len().saturating_sub(TAIL));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message, whether it was cut, and the octets after its end; `None` if it did not end.
    fn read(input: &[u8], size: usize, limit: usize) -> Option<(Vec<u8>, bool, usize)> {
        let mut body = Body::new(limit);
        let mut read = 0;
        for piece in input.chunks(size) {
            let mut octets = piece.iter();
            let ended = body.take(&mut octets);
            assert!(body.octets.len() <= LINE_END.len() + limit + TAIL, "more is held than the limit");
            read += piece.len() - octets.len();
            if ended {
                let (message, cut) = body.into_message();
                return Some((message, cut, input.len() - read));
            }
        }
        None
    }

    #[test]
    fn only_a_dot_between_two_line_ends_ends_a_message() {
        for (input, message) in [
            (&b".\r\n"[..], &b""[..]),
            (b"a\r\n.\r\n", b"a\r\n"),
            (b"..a\r\n..\r\n.\r\n", b".a\r\n.\r\n"),
            (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
            (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
            (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n"),
            (b"a\r.\rb\r\n.\r\n", b"a\r.\rb\r\n"),
            (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n"),
            (b"a\r\n.\r\r\nb\r\n.\r\n", b"a\r\n\r\r\nb\r\n"),
            (b"\0\r\n.\0\r\n.\r\n", b"\0\r\n\0\r\n"),
        ] {
            for size in 1..=input.len() {
                let read = read(input, size, 100).unwrap();
                assert_eq!(read, (message.to_vec(), false, 0), "{} by {size}", input.escape_ascii());
            }
        }
    }

    #[test]
    fn a_long_message_is_cut_and_its_end_is_found() {
        let mut input = b"0123456789".repeat(100);
        input.extend_from_slice(b"\r\n.\r\nQUIT\r\n");
        for size in [1, 2, 3, 7, 100, 2_000] {
            for limit in [0, 1, 500, 997, 998, 999, 1_001] {
                let (message, cut, rest) = read(&input, size, limit).unwrap();
                assert_eq!((message.len(), cut, rest), (limit, true, 6), "{size} {limit}");
            }
            assert_eq!(
                read(&input, size, 1_002).map(|(message, cut, _)| (message.len(), cut)),
                Some((1_002, false))
            );
        }
    }
}
