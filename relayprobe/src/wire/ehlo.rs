//! What a server offers (RFC 5321 §4.1.1.1).

use alloc::string::String;
use alloc::vec::Vec;

use super::Reply;

/// A service extension that this library acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extension {
    /// PIPELINING (RFC 2920).
    Pipelining,
    /// STARTTLS (RFC 3207).
    StartTls,
    /// AUTH (RFC 4954), with the `AUTH=` of old servers.
    Auth,
    /// CHUNKING (RFC 3030).
    Chunking,
    /// DSN (RFC 3461).
    Dsn,
    /// SMTPUTF8 (RFC 6531).
    SmtpUtf8,
}

const KEYWORDS: [(&str, Extension); 6] = [
    ("PIPELINING", Extension::Pipelining),
    ("STARTTLS", Extension::StartTls),
    ("AUTH", Extension::Auth),
    ("CHUNKING", Extension::Chunking),
    ("DSN", Extension::Dsn),
    ("SMTPUTF8", Extension::SmtpUtf8),
];

/// What an EHLO reply says: the name the server gives itself, and the extensions it offers.
///
/// Everything a server says before TLS is forgotten after it, so this is made anew for each EHLO (RFC 3207 §4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ehlo {
    name: String,
    offered: Vec<Extension>,
}

impl Ehlo {
    /// Reads the lines of a positive reply to EHLO or HELO.
    pub fn read(reply: &Reply<'_>) -> Self {
        let mut lines = reply.lines();
        let name = first_word(lines.next().unwrap_or_default());
        let mut offered = Vec::new();
        for extension in lines.filter_map(keyword) {
            if !offered.contains(&extension) {
                offered.push(extension);
            }
        }
        Self { name, offered }
    }

    /// First word of the first line, as sent.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the server offers an extension.
    pub fn offers(&self, extension: Extension) -> bool {
        self.offered.contains(&extension)
    }
}

fn keyword(line: &[u8]) -> Option<Extension> {
    let end = line.iter().position(|octet| !octet.is_ascii_alphanumeric()).unwrap_or(line.len());
    let word = line.get(..end)?;
    let known = KEYWORDS.iter().find(|(keyword, _)| word.eq_ignore_ascii_case(keyword.as_bytes()));
    known.map(|&(_, extension)| extension)
}

/// The first word of a greeting or EHLO line, if it is text at all.
fn first_word(line: &[u8]) -> String {
    let word = line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty()).unwrap_or_default();
    core::str::from_utf8(word).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Ehlo {
        Ehlo::read(&Reply::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn keywords_are_read_in_any_case() {
        let found =
            read("250-mx.example Hello\r\n250-pipelining\r\n250-AUTH=LOGIN\r\n250-Size 10\r\n250 DSN\r\n");
        assert_eq!(found.name(), "mx.example");
        assert_eq!(found.offered, [Extension::Pipelining, Extension::Auth, Extension::Dsn]);
    }

    #[test]
    fn a_bare_or_blank_reply_offers_nothing() {
        assert_eq!(read("250\r\n"), Ehlo::default());
        assert_eq!(read("250-mx\r\n250-   \r\n250-\t\r\n250 \r\n").offered, []);
    }

    #[test]
    fn a_keyword_is_a_whole_word_and_never_the_first_line() {
        let found = read("250-PIPELINING\r\n250-XPIPELINING\r\n250 PIPELINING2\r\n");
        assert!(!found.offers(Extension::Pipelining));
    }
}
