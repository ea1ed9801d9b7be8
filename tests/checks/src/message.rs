//! What we send: one message for every receiver.

use relayprobe::message::encode;

/// What receivers take for the end of a message: the standard's form, and those that lenient ones know.
const ENDS: [&[u8]; 5] = [b"\r\n.\r\n", b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n"];

/// Any content, as it goes over the wire: it ends once, at its end, for strict receivers and lenient ones.
pub(crate) fn check(octets: &[u8]) {
    let stream = encode(octets);
    assert!(stream.ends_with(b"\r\n.\r\n"));
    // The content may be a line without a line before it.
    let whole = [b"\r\n", stream.as_slice()].concat();
    for end in ENDS {
        let found = whole.windows(end.len()).position(|window| window == end);
        assert!(found.is_none_or(|at| at + 5 >= whole.len()), "an end at {found:?}");
    }
    let mut last = 0;
    for &octet in &stream {
        assert!(octet != b'\n' || last == b'\r', "a bare LF");
        assert!(last != b'\r' || octet == b'\n', "a bare CR");
        last = octet;
    }
    assert_eq!(decode(&stream), plain(octets));
}

/// The lines that a strict receiver gets.
fn decode(stream: &[u8]) -> Vec<Vec<u8>> {
    let text = stream.strip_suffix(b".\r\n").unwrap_or_default();
    let lines = text.split_inclusive(|&octet| octet == b'\n');
    lines
        .map(|line| {
            let line = line.strip_suffix(b"\r\n").unwrap_or_default();
            line.strip_prefix(b".").unwrap_or(line).to_vec()
        })
        .collect()
}

/// The lines of the content, whatever ends them.
fn plain(content: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = vec![Vec::new()];
    let mut octets = content.iter().peekable();
    let mut ended = false;
    while let Some(&octet) = octets.next() {
        if ended {
            lines.push(Vec::new());
        }
        ended = matches!(octet, b'\r' | b'\n');
        if octet == b'\r' {
            octets.next_if_eq(&&b'\n');
        }
        if !ended && let Some(line) = lines.last_mut() {
            line.push(octet);
        }
    }
    lines
}
