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
    limits: SessionLimits,
}

/// What a server announces to take in one session (RFC 9422 §4); `u16::MAX` where it names no limit, or a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionLimits {
    /// `MAILMAX`: transactions of a session, the refused ones too.
    pub transactions: u16,
    /// `RCPTMAX`: recipients of a transaction, the refused ones too.
    pub recipients: u16,
    /// `RCPTDOMAINMAX`: different recipient domains of a session.
    pub domains: u16,
}

impl Ehlo {
    /// Reads the lines of a positive reply to EHLO or HELO.
    pub fn read(reply: &Reply<'_>) -> Self {
        let mut lines = reply.lines();
        let name = first_word(lines.next().unwrap_or_default());
        let mut offered = Vec::new();
        let mut limits = SessionLimits::default();
        for line in lines {
            let (keyword, parameters) = split(line);
            if keyword.eq_ignore_ascii_case(b"LIMITS") {
                limits.read(parameters);
            }
            if let Some(extension) = extension(keyword).filter(|extension| !offered.contains(extension)) {
                offered.push(extension);
            }
        }
        Self { name, offered, limits }
    }

    /// First word of the first line, as sent.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the server offers an extension.
    pub fn offers(&self, extension: Extension) -> bool {
        self.offered.contains(&extension)
    }

    /// What the server announces to take in this session.
    pub const fn limits(&self) -> SessionLimits {
        self.limits
    }
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { transactions: u16::MAX, recipients: u16::MAX, domains: u16::MAX }
    }
}

impl SessionLimits {
    /// Reads the parameters of `LIMITS`. Unknown limits and values that are none are ignored; of several the lowest holds.
    fn read(&mut self, parameters: &[u8]) {
        for parameter in parameters.split(u8::is_ascii_whitespace) {
            let mut parts = parameter.splitn(2, |octet| *octet == b'=');
            let (name, value) = (parts.next().unwrap_or_default(), parts.next().and_then(limit));
            let known = [
                ("MAILMAX", &mut self.transactions),
                ("RCPTMAX", &mut self.recipients),
                ("RCPTDOMAINMAX", &mut self.domains),
            ];
            let field = known.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
            if let (Some((_, field)), Some(value)) = (field, value) {
                *field = (*field).min(value);
            }
        }
    }
}

/// One to six digits, the first of which is not zero (RFC 9422 §4).
fn limit(value: &[u8]) -> Option<u16> {
    let digits = value.len() <= 6 && value.iter().all(u8::is_ascii_digit) && !value.starts_with(b"0");
    let number: u32 = core::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()?;
    Some(u16::try_from(number).unwrap_or(u16::MAX))
}

/// The keyword of a line, and what stands behind it.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|octet| !octet.is_ascii_alphanumeric()).unwrap_or(line.len());
    line.split_at_checked(end).unwrap_or_default()
}

fn extension(keyword: &[u8]) -> Option<Extension> {
    let known = KEYWORDS.iter().find(|(known, _)| keyword.eq_ignore_ascii_case(known.as_bytes()));
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

    #[test]
    fn announced_limits_are_read_and_broken_ones_ignored() {
        const MAX: u16 = u16::MAX;
        let limits = |line: &str| {
            let found = read(&alloc::format!("250-mx.example\r\n{line}\r\n250 DSN\r\n")).limits();
            (found.transactions, found.recipients, found.domains)
        };
        assert_eq!(limits("250-LIMITS MAILMAX=20 RCPTMAX=100 RCPTDOMAINMAX=1"), (20, 100, 1));
        assert_eq!(limits("250-limits rcptmax=2  OTHER=3 MAILMAX=4"), (4, 2, MAX));
        assert_eq!(limits("250-LIMITS MAILMAX=9 MAILMAX=3 MAILMAX=7"), (3, MAX, MAX));
        assert_eq!(limits("250-LIMITS MAILMAX=999999"), (MAX, MAX, MAX));
        for none in
            ["", "=", "=0", "=01", "=-1", "=+1", "=1.5", "=0x1", "=1000000", "=1=2", "= 1", "=\u{661}"]
        {
            assert_eq!(limits(&alloc::format!("250-LIMITS MAILMAX{none}")), (MAX, MAX, MAX), "{none}");
        }
        for other in ["250-LIMITS", "250-XLIMITS MAILMAX=1", "250-MAILMAX=1", "250-SIZE MAILMAX=1"] {
            assert_eq!(limits(other), (MAX, MAX, MAX), "{other}");
        }
    }
}
