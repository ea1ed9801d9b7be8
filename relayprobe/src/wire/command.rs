//! Command lines that no server can read as two.

use alloc::borrow::Cow;
use alloc::string::String;

/// One command line with its CRLF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine(Cow<'static, [u8]>);

/// A text cannot be one command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// A control character would end the line, or steer whoever logs it.
    #[error("a command line cannot hold a control character; there is one at byte {at}")]
    Control {
        /// Offset of the character.
        at: usize,
    },
    /// Longer than RFC 5321 §4.5.3.1.4 lets a server refuse to take.
    #[error("a command line has at most {} octets without its CRLF; this has {length}", CommandLine::LIMIT - 2)]
    Long {
        /// Octets without CRLF.
        length: usize,
    },
}

impl CommandLine {
    /// Octets in a line, CRLF included (RFC 5321 §4.5.3.1.4).
    pub const LIMIT: usize = 512;

    pub(crate) const DATA: Self = Self(Cow::Borrowed(b"DATA\r\n"));
    pub(crate) const QUIT: Self = Self(Cow::Borrowed(b"QUIT\r\n"));
    pub(crate) const RSET: Self = Self(Cow::Borrowed(b"RSET\r\n"));
    pub(crate) const STARTTLS: Self = Self(Cow::Borrowed(b"STARTTLS\r\n"));

    /// A line of `text`, which must have neither control characters nor too many octets.
    pub fn new(text: &str) -> Result<Self, CommandError> {
        let mut line = String::with_capacity(text.len() + 2);
        line.push_str(text);
        Self::of(line)
    }

    /// The same, in place.
    pub(crate) fn of(mut text: String) -> Result<Self, CommandError> {
        Self::end(&mut text, 0)?;
        Ok(Self(text.into_bytes().into()))
    }

    /// Ends the line that begins at `from`, if it may be one.
    pub(crate) fn end(text: &mut String, from: usize) -> Result<(), CommandError> {
        let line = text.get(from..).unwrap_or_default();
        // Outside ASCII controls are rare and costly to find. To look at every octet, and not to the first that is none, is
        // quicker: the compiler takes many at once.
        let plain = line.bytes().fold(true, |plain, octet| plain & matches!(octet, b' '..=b'~'));
        let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        if !plain && let Some(at) = line.find(breaks) {
            return Err(CommandError::Control { at });
        }
        if line.len() + 2 > Self::LIMIT {
            return Err(CommandError::Long { length: line.len() });
        }
        text.push_str("\r\n");
        Ok(())
    }

    /// The line without its CRLF.
    pub fn text(&self) -> &str {
        // It was made from a text.
        core::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches("\r\n")
    }

    /// The octets to send, CRLF included.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_once_and_only_at_its_end() {
        assert_eq!(CommandLine::new("RSET").unwrap().as_bytes(), b"RSET\r\n");
        for text in ["a\r\nb", "a\rb", "a\nb", "a\0b", "a\tb", "a\u{7f}b", "a\u{85}b", "a\u{2028}b"] {
            assert_eq!(CommandLine::new(text), Err(CommandError::Control { at: 1 }));
        }
    }

    #[test]
    fn fixed_lines_are_lines() {
        for fixed in [CommandLine::DATA, CommandLine::QUIT, CommandLine::RSET, CommandLine::STARTTLS] {
            assert_eq!(CommandLine::new(fixed.text()), Ok(fixed));
        }
    }

    #[test]
    fn a_long_line_is_refused_with_its_length() {
        assert!(CommandLine::new(&"x".repeat(510)).is_ok());
        assert_eq!(CommandLine::new(&"x".repeat(511)), Err(CommandError::Long { length: 511 }));
    }
}
