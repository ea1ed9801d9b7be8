//! The name under which a server keeps a message that it took.

use super::{EnhancedCode, Reply};

/// Octets of an id at most; the longest known are UUIDs with a suffix.
const LONGEST: usize = 128;

/// How a server writes the id into its answer to the final dot.
struct Form {
    at: Place,
    /// Directly before the id, in any case of letters.
    before: &'static str,
    after: After,
}

enum Place {
    /// The line begins with it, or it follows the enhanced code.
    Start,
    /// Filters put words of their own before those of the server behind them.
    Anywhere,
}

enum After {
    /// Nothing more.
    End,
    /// Something that ends a word, or nothing.
    Word,
    /// These words.
    Phrase(&'static str),
}

#[rustfmt::skip]
const FORMS: [Form; 9] = [
    // Postfix: `2.0.0 Ok: queued as 4XyZ12`
    Form { at: Place::Anywhere, before: "queued as ", after: After::Word },
    // Exim: `OK id=1tABCD-000000012Ab-3cDe`
    Form { at: Place::Anywhere, before: "ok id=", after: After::Word },
    // Sendmail, OpenSMTPD: `2.0.0 5ANMhsX1 Message accepted for delivery`
    Form { at: Place::Start, before: "", after: After::Phrase(" message accepted for delivery") },
    // Courier: `Ok. 00000000000401E5.0000000067F1E0D9.00001F3E`
    Form { at: Place::Start, before: "ok. ", after: After::End },
    // qmail: `ok 1795473834 qp 812`. The second number is the process that its Received line names; the first is a time.
    Form { at: Place::Anywhere, before: " qp ", after: After::Word },
    // Exchange: `2.6.0 <message-id> [InternalId=95992519094146, Hostname=…] … Queued mail for delivery`
    Form { at: Place::Anywhere, before: "[internalid=", after: After::Word },
    // Stalwart: `2.0.0 Message queued with id 1a2b3c.`
    Form { at: Place::Anywhere, before: "queued with id ", after: After::Word },
    // Haraka: `Message Queued (6F9619FF-8B86-D011-B42D-00CF4FC964FF.1)`
    Form { at: Place::Anywhere, before: "message queued (", after: After::Phrase(")") },
    // IceWarp: `2.6.0 2804 bytes received in 00:00:01; Message id YAR93710 accepted for delivery`
    Form { at: Place::Anywhere, before: "message id ", after: After::Phrase(" accepted for delivery") },
];

/// The id that a 250 after the final dot gives to the message, by which its operator finds it in logs and queue.
///
/// The first Received line of what comes back has the same, so it ties a receipt to our session without any token. RFC
/// 5321 says nothing of it: the forms are those that servers are known to write. Several write none, and the Message-ID
/// that some repeat is our own, so `None` says nothing.
///
/// An id is at most 128 letters, digits, dots, hyphens and underscores, begins with a letter or digit and has a digit,
/// so that it is safe on a command line.
pub fn queue_id<'a>(reply: &Reply<'a>) -> Option<&'a str> {
    if reply.code().number() != 250 {
        return None;
    }
    reply.lines().map(without_enhanced).find_map(|line| FORMS.iter().find_map(|form| form.find(line)))
}

impl Form {
    fn find<'a>(&self, line: &'a [u8]) -> Option<&'a str> {
        let places = match self.at {
            Place::Start => 1,
            Place::Anywhere => line.len(),
        };
        (0..places).find_map(|at| self.read(line.get(at..)?))
    }

    fn read<'a>(&self, text: &'a [u8]) -> Option<&'a str> {
        let text = strip(text, self.before)?;
        let length = text.iter().take_while(|&&octet| is_part(octet)).count();
        let (word, rest) = text.split_at_checked(length)?;
        // A full stop ends the sentence, not the id.
        let id = word.strip_suffix(b".").unwrap_or(word);
        let ends = match self.after {
            After::End => rest.is_empty(),
            After::Word => matches!(rest, [] | [b' ' | b',' | b';' | b')' | b']', ..]),
            After::Phrase(phrase) => strip(rest, phrase).is_some(),
        };
        (ends && is_id(id)).then(|| core::str::from_utf8(id).ok()).flatten()
    }
}

fn is_id(word: &[u8]) -> bool {
    word.len() <= LONGEST
        && word.first().is_some_and(u8::is_ascii_alphanumeric)
        // A word of letters alone is a word: "Your message accepted for delivery".
        && word.iter().any(u8::is_ascii_digit)
        && EnhancedCode::at_start(word).is_none()
}

const fn is_part(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.')
}

/// What follows `phrase`, written in any case of letters.
fn strip<'a>(text: &'a [u8], phrase: &str) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(phrase.len())?;
    start.eq_ignore_ascii_case(phrase.as_bytes()).then_some(rest)
}

fn without_enhanced(line: &[u8]) -> &[u8] {
    let length = line.iter().position(|&octet| octet == b' ').unwrap_or(line.len());
    match line.split_at_checked(length) {
        Some((code, rest)) if EnhancedCode::at_start(code).is_some() => rest.trim_ascii_start(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn id(text: &[u8]) -> Option<String> {
        queue_id(&Reply::parse(&[text, b"\r\n"].concat()).unwrap()).map(String::from)
    }

    #[test]
    fn every_known_server_is_understood() {
        for (text, expected) in [
            ("250 2.0.0 Ok: queued as 0A1B2C3D4E", "0A1B2C3D4E"),
            ("250 2.0.0 Ok: queued as 4d5XyZ0fGhz9pqR", "4d5XyZ0fGhz9pqR"),
            ("250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 0A1B2C3D4E", "0A1B2C3D4E"),
            ("250 OK id=1tABCD-000Fgh-Ij", "1tABCD-000Fgh-Ij"),
            (
                "250- 500 byte chunk, total 500\r\n250 OK id=1tABCD-000000012Ab-3cDe",
                "1tABCD-000000012Ab-3cDe",
            ),
            ("250 2.0.0 5ANMhsX1001234 Message accepted for delivery", "5ANMhsX1001234"),
            ("250 2.0.0 1a2b3c4d Message accepted for delivery", "1a2b3c4d"),
            ("250 123456 message accepted for delivery", "123456"),
            (
                "250 Ok. 00000000000401E5.0000000067F1E0D9.00001F3E",
                "00000000000401E5.0000000067F1E0D9.00001F3E",
            ),
            ("250 ok 1795473834 qp 812", "812"),
            ("250 Queued! 1795473834 qp 4321 <x@probe.example>", "4321"),
            (
                "250 2.6.0 <x@probe.example> [InternalId=95992519094146, Hostname=mx.example] 500 bytes in 0.2, 2 KB/sec Queued mail for delivery",
                "95992519094146",
            ),
            ("250 2.0.0 Message queued with id 1a2b3c.", "1a2b3c"),
            (
                "250 Message Queued (6F9619FF-8B86-D011-B42D-00CF4FC964FF.1)",
                "6F9619FF-8B86-D011-B42D-00CF4FC964FF.1",
            ),
            (
                "250 2.6.0 2804 bytes received in 00:00:01; Message id YAR93710 accepted for delivery",
                "YAR93710",
            ),
        ] {
            assert_eq!(id(text.as_bytes()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_id_is_not_taken_for_one() {
        for text in [
            "250 2.0.0 Ok",
            "250 ok",
            "250 Ok.",
            "250",
            "250 2.0.0 OK: queued",
            // hMailServer, James, MDaemon, IIS, Domino, MailEnable
            "250 Queued (12.345 seconds)",
            "250 Message Queued (12.345 seconds)",
            "250 2.6.0 Message received",
            "250 Ok, message saved <Message-ID: 20261123.1@probe.example>",
            "250 2.6.0 <20261123.1@probe.example> Queued mail for delivery",
            "250 Message accepted for delivery",
            "250 2.0.0 Message accepted for delivery",
            "250 2.0.0 2.0.0 Message accepted for delivery",
            "250 Your message accepted for delivery",
            "250 Requested mail action okay, completed",
            "250 Ok. 3 recipients",
            "250 Mail queued as spam",
            "250 Ok: queued as",
            "250 Ok: queued as -d1",
            "250 Ok: queued as $(id)1",
            "250 Ok: queued as 1/../2",
            "250 Ok: queued as ..1",
            // Not an acceptance.
            "550 5.7.1 queued as 1A2B",
            "251 Ok: queued as 1A2B",
        ] {
            assert_eq!(id(text.as_bytes()), None, "{text}");
        }
        assert_eq!(id(b"250 Ok: queued as 1A\x1b[2J"), None);
        assert_eq!(id(b"250 Ok: queued as 1A\xff"), None);
    }

    #[test]
    fn a_long_id_is_none() {
        let with = |length: usize| id(format!("250 Ok: queued as {}", "1".repeat(length)).as_bytes());
        assert_eq!(with(128).map(|id| id.len()), Some(128));
        assert_eq!(with(129), None);
        assert_eq!(with(4_000), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_id_is_short_and_plain(form in 0..FORMS.len(), tail in prop::collection::vec(any::<u8>(), 0..300)) {
            let tail: Vec<u8> = tail.into_iter().filter(|octet| !b"\r\n".contains(octet)).collect();
            if let Some(id) = id(&[b"250 ", FORMS[form].before.as_bytes(), &tail].concat()) {
                prop_assert!((1..=LONGEST).contains(&id.len()));
                prop_assert!(id.bytes().all(is_part) && !id.starts_with(['-', '.', '_']));
            }
        }
    }
}
