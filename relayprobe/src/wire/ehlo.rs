//! What a server offers (RFC 5321 §4.1.1.1).

use alloc::string::String;

use super::Reply;

/// The keywords of an EHLO reply that this library acts on, and the name the server gives itself.
///
/// Everything a server says before TLS is forgotten after it, so this is made anew for each EHLO (RFC 3207 §4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ehlo {
    /// First word of the first line, as sent.
    pub name: String,
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// AUTH (RFC 4954), with the `AUTH=` of old servers.
    pub auth: bool,
    /// CHUNKING (RFC 3030).
    pub chunking: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
}

impl Ehlo {
    /// Reads the lines of a positive reply to EHLO or HELO.
    pub fn read(reply: &Reply<'_>) -> Self {
        let mut lines = reply.lines();
        let mut found = Self { name: first_word(lines.next().unwrap_or_default()), ..Self::default() };
        for line in lines {
            found.keyword(line);
        }
        found
    }

    fn keyword(&mut self, line: &[u8]) {
        let end = line.iter().position(|octet| !octet.is_ascii_alphanumeric()).unwrap_or(line.len());
        let word = line.get(..end).unwrap_or_default();
        let offers = |keyword: &str| word.eq_ignore_ascii_case(keyword.as_bytes());
        self.pipelining |= offers("PIPELINING");
        self.starttls |= offers("STARTTLS");
        self.auth |= offers("AUTH");
        self.chunking |= offers("CHUNKING");
        self.dsn |= offers("DSN");
        self.smtputf8 |= offers("SMTPUTF8");
    }
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
        assert_eq!(found.name, "mx.example");
        assert!(found.pipelining && found.auth && found.dsn);
        assert!(!found.starttls && !found.chunking && !found.smtputf8);
    }

    #[test]
    fn a_bare_or_blank_reply_offers_nothing() {
        assert_eq!(read("250\r\n"), Ehlo::default());
        assert_eq!(
            read("250-mx\r\n250-   \r\n250-\t\r\n250 \r\n"),
            Ehlo { name: "mx".into(), ..Ehlo::default() }
        );
    }

    #[test]
    fn a_keyword_is_a_whole_word_and_never_the_first_line() {
        let found = read("250-PIPELINING\r\n250-XPIPELINING\r\n250 PIPELINING2\r\n");
        assert!(!found.pipelining);
    }
}
