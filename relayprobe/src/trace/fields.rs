//! The fields of a message's header, in their order.

use alloc::string::String;
use alloc::vec::Vec;

use mail_parser::{Header, MessageParser};

/// One field of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its name, as it came.
    pub(crate) name: String,
    /// Its value, unfolded (RFC 5322 §2.2.3).
    pub(crate) value: Vec<u8>,
    /// The octet after it.
    pub(crate) end: usize,
}

impl Field {
    /// Whether it has this name, in whatever case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether its name begins so, in whatever case.
    pub(crate) fn begins(&self, start: &str) -> bool {
        begins(self.name.as_bytes(), start)
    }
}

/// Whether a text begins so, in whatever case.
pub(crate) fn begins(text: &[u8], start: &str) -> bool {
    text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start.as_bytes()))
}

/// The fields at the beginning of a text, the first one first, each as often as it is there.
pub(crate) fn fields(text: &[u8]) -> Vec<Field> {
    let message = parser().parse_headers(text);
    let headers =
        message.as_ref().and_then(|message| message.parts.first()).map(|part| part.headers.as_slice());
    let field = |header: &Header<'_>| {
        let (start, end) = (place(header.offset_start), place(header.offset_end));
        let value = text.get(start..end).unwrap_or_default();
        Field { name: header.name().trim().into(), value: unfold(value), end }
    };
    headers.unwrap_or_default().iter().map(field).collect()
}

/// Fields are needed as they came; what tells the parts of a body apart is read.
pub(crate) fn parser() -> MessageParser {
    MessageParser::new().with_mime_headers().header_text("Subject")
}

fn place(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn unfold(value: &[u8]) -> Vec<u8> {
    let line: Vec<u8> = value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    line.trim_ascii().to_vec()
}
