//! A message as the octets that follow `DATA`.

use alloc::vec::Vec;

/// Makes any octets into a stream for `DATA` that every receiver reads as exactly one message, the last line included.
///
/// Each CR, LF and CRLF of the content becomes one CRLF, and the content ends in one even if it did not. Each line that
/// begins with a dot gets another (RFC 5321 §4.5.2). The line `.` ends the stream.
///
/// RFC 5321 §2.3.8 forbids a bare CR or LF, but servers differ in whether one ends a line. Were one sent before a dot,
/// a lenient server would end the message there and read the rest as commands: a message within the message, in the
/// name of whoever relays it.
pub fn encode(content: &[u8]) -> Vec<u8> {
    let mut stream = Vec::with_capacity(content.len() + content.len() / 32 + 5);
    let mut rest = content;
    loop {
        let line;
        (line, rest) = first_line(rest);
        if line.starts_with(b".") {
            stream.push(b'.');
        }
        stream.extend_from_slice(line);
        stream.extend_from_slice(b"\r\n");
        if rest.is_empty() {
            stream.extend_from_slice(b".\r\n");
            return stream;
        }
    }
}

/// The first line without its end, whatever that is, and what follows.
fn first_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|octet| matches!(octet, b'\r' | b'\n')).unwrap_or(text.len());
    let (line, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    (line, rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::*;

    /// What one kind of receiver takes for the end of a line.
    type Ends = &'static [&'static [u8]];

    /// Receivers from strict to reckless. Each takes the longest end that fits.
    const RECEIVERS: [Ends; 6] = [
        &[b"\r\n"],
        &[b"\r\n", b"\n"],
        &[b"\r\n", b"\r"],
        &[b"\r\n", b"\r", b"\n"],
        &[b"\n"],
        &[b"\r\r\n", b"\r\n", b"\n\r", b"\r", b"\n"],
    ];

    /// Marks that servers were found to take for the end of a message, in places where no line model puts one.
    const MARKS: [&[u8]; 8] =
        [b"\n.\n", b"\r.\r", b"\r.\n", b"\n.\r", b"\r\n.\n", b"\r\n.\r", b"\n.\r\n", b"\r.\r\n"];

    /// What a receiver that knows these line ends gets, with its lines ended by CRLF, and what it leaves unread.
    fn receive(mut stream: &[u8], ends: Ends) -> Option<(Vec<u8>, &[u8])> {
        let mut content = Vec::new();
        loop {
            let end_at = |at: usize| ends.iter().find(|end| stream[at..].starts_with(end));
            let (at, end) = (0..stream.len()).find_map(|at| end_at(at).map(|end| (at, end)))?;
            let line = &stream[..at];
            stream = &stream[at + end.len()..];
            // A receiver that ends lines at LF only keeps the CR, or drops it as mail stores do.
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line == b"." {
                return Some((content, stream));
            }
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
            content.extend_from_slice(b"\r\n");
        }
    }

    /// What must come out, by another way than the encoder's: each kind of line end in turn.
    fn normalised(content: &[u8]) -> Vec<u8> {
        let text: String = content.iter().map(|&octet| char::from(octet)).collect();
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.strip_suffix('\n').unwrap_or(&text).replace('\n', "\r\n") + "\r\n";
        text.chars().map(|c| u8::try_from(c).unwrap()).collect()
    }

    /// Octets in which line ends and dots are frequent.
    fn contents() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => prop::sample::select(b"\r\n.".to_vec()).prop_map(|octet| alloc::vec![octet]),
            1 => prop::sample::select(MARKS.to_vec()).prop_map(<[u8]>::to_vec),
            1 => any::<u8>().prop_map(|octet| alloc::vec![octet]),
            1 => Just(b"QUIT\r\n".to_vec()),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    fn smtp_proto(stream: &[u8]) -> (bool, Vec<u8>, usize) {
        let (mut octets, mut content) = (stream.iter(), Vec::new());
        let whole = smtp_proto::request::receiver::DataReceiver::new().ingest(&mut octets, &mut content);
        (whole, content, octets.len())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        #[test]
        fn every_receiver_reads_exactly_one_message(content in contents()) {
            let stream = encode(&content);
            for ends in RECEIVERS {
                let (read, rest) = receive(&stream, ends).expect("the end is found");
                prop_assert_eq!(&read, &normalised(&content));
                prop_assert!(rest.is_empty());
            }
        }

        #[test]
        fn no_bare_cr_or_lf_and_one_end(content in contents()) {
            let stream = encode(&content);
            let mut lines = stream.strip_suffix(b"\r\n").unwrap().split(|&octet| octet == b'\n');
            let last = lines.next_back();
            prop_assert_eq!(last, Some(&b"."[..]));
            for line in lines {
                prop_assert_eq!(line.iter().position(|&octet| octet == b'\r'), Some(line.len() - 1));
            }
            let ends = stream.windows(5).enumerate().filter(|(_, window)| window == b"\r\n.\r\n");
            prop_assert_eq!(ends.map(|(at, _)| at).collect::<Vec<_>>(), [stream.len() - 5]);
            for mark in MARKS {
                // They may be part of the true end, and nowhere else.
                let body = &stream[..stream.len() - 5];
                prop_assert!(!body.windows(mark.len()).any(|window| window == mark));
            }
        }

        #[test]
        fn smtp_proto_reads_the_same(content in contents()) {
            // It does not unstuff the first line of all, so that one is a header as in every message.
            let content = [b"Subject: x\r\n".to_vec(), content].concat();
            prop_assert_eq!(smtp_proto(&encode(&content)), (true, normalised(&content), 0));
        }
    }

    #[test]
    fn the_edges_are_as_written_down() {
        for (content, stream) in [
            (&b""[..], &b"\r\n.\r\n"[..]),
            (b"\r\n", b"\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b"a\r\n\r\n", b"a\r\n\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r.\r\r\n..", b"a\r\n..\r\n\r\n...\r\n.\r\n"),
            (b"a\n\rb", b"a\r\n\r\nb\r\n.\r\n"),
            (b"\0\xff", b"\0\xff\r\n.\r\n"),
        ] {
            assert_eq!(encode(content), stream, "{}", crate::octets::escape(content));
        }
    }
}
