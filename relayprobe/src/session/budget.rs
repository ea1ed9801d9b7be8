//! How much one connection may ask, by the kind of server.

use crate::plan::Budget;
use crate::wire::holds;

/// A server program, as its greeting or EHLO reply names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    Postfix,
    Exim,
    Sendmail,
    OpenSmtpd,
    #[default]
    Unknown,
}

impl Kind {
    /// Reads the kind from a greeting.
    pub(super) fn of(greeting: &[u8]) -> Self {
        let names = [
            ("postfix", Self::Postfix),
            ("exim", Self::Exim),
            ("opensmtpd", Self::OpenSmtpd),
            ("sendmail", Self::Sendmail),
        ];
        let found = names.into_iter().find(|(word, _)| holds(greeting, word.as_bytes()));
        found.map_or(Self::Unknown, |(_, kind)| kind)
    }

    /// What a server of this kind answers with default settings, without delay and without hanging up.
    pub(super) const fn budget(self) -> Budget {
        match self {
            // smtpd_soft_error_limit is 10: from the tenth error on, every reply is held back a second.
            Self::Postfix => Budget { refusals: 9, odd: 9, transactions: 50 },
            // smtp_max_synprot_errors is 3, smtp_accept_max_nonmail is 10.
            Self::Exim => Budget { refusals: 10, odd: 3, transactions: 10 },
            // MaxBadCommands is 25.
            Self::Sendmail => Budget { refusals: 8, odd: 8, transactions: 50 },
            Self::OpenSmtpd => Budget { refusals: 8, odd: 8, transactions: 50 },
            // Stalwart and Exchange hang up at 5, and delay each of them.
            Self::Unknown => Budget { refusals: 4, odd: 2, transactions: 8 },
        }
    }
}

/// The first connection of a path: a server that refuses at `MAIL` counts each case of a group twice.
pub(super) const SCOUT_REFUSALS: u16 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_from_greetings() {
        assert_eq!(Kind::of(b"220 mx.example ESMTP Postfix (Debian/GNU)\r\n"), Kind::Postfix);
        assert_eq!(Kind::of(b"220 mx ESMTP Exim 4.96 Mon\r\n"), Kind::Exim);
        assert_eq!(Kind::of(b"220 mx ESMTP OpenSMTPD\r\n"), Kind::OpenSmtpd);
        assert_eq!(Kind::of(b"220 mx ESMTP Sendmail 8.17.1.9\r\n"), Kind::Sendmail);
        assert_eq!(Kind::of(b"220 *********\r\n"), Kind::Unknown);
    }
}
