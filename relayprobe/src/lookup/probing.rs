//! The text that tells whoever is tested who tests, and why (RFC 9511).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::check::{Check, CheckState, Finding};
use crate::identity::Identity;
use crate::moment::Date;
use crate::octets::escape;

/// What the tests are, for whoever finds them in a log.
const DESCRIPTION: &str = "Tests whether a mail server relays mail of strangers to strangers, by leave of whoever is responsible for \
     it. Recipients are in our own domain only; each message says who tests and why.";

/// The text to put at the probe URI, good until `expires` (RFC 9511 §2.2, in the form of RFC 9116).
pub fn probing_text(identity: &Identity, expires: Date) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _written = writeln!(text, "{name}: {value}");
    };
    if is_page(identity.probe_uri.as_str()) {
        field("Canonical", identity.probe_uri.as_str());
    }
    field("Contact", &contact(identity));
    field("Expires", &alloc::format!("{expires}"));
    field("Preferred-Languages", "en");
    field("Description", &alloc::format!("{}: {DESCRIPTION}", identity.organisation));
    text
}

/// What stands at the probe URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbingText<'a> {
    /// This text.
    There(&'a str),
    /// Nothing.
    Missing,
    /// That could not be found out, and why.
    Unknown(&'a str),
}

/// Looks at the text that stands at the probe URI.
pub fn check_probing_text(identity: &Identity, text: ProbingText<'_>, today: Date) -> Finding {
    let uri = identity.probe_uri.as_str();
    let finding = |state, text| Finding::new(Check::ProbeUri, state, text);
    let own = contact(identity);
    if !is_page(uri) {
        // The URI is the contact itself.
        let same = uri.eq_ignore_ascii_case(&own);
        return if same {
            finding(CheckState::Right, alloc::format!("the probe URI is our contact, {own}"))
        } else {
            finding(CheckState::Wrong, alloc::format!("the probe URI is {uri}, and our contact is {own}"))
        };
    }
    let text = match text {
        ProbingText::There(text) => text,
        ProbingText::Missing => {
            return finding(CheckState::Wrong, alloc::format!("there is no text at {uri}"));
        }
        ProbingText::Unknown(fault) => {
            let fault = escape(fault.as_bytes());
            return finding(CheckState::Unknown, alloc::format!("the text at {uri} is not known: {fault}"));
        }
    };
    let values = |name: &'static str| {
        fields(text).filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let contacts: Vec<&str> = values("Contact").collect();
    if !contacts.iter().any(|contact| contact.eq_ignore_ascii_case(&own)) {
        let named =
            if contacts.is_empty() { "no contact".into() } else { escape(contacts.join(", ").as_bytes()) };
        return finding(CheckState::Wrong, alloc::format!("the text at {uri} names {named}"))
            .with_line(alloc::format!("Contact: {own}"));
    }
    match values("Expires").next().map(str::parse::<Date>) {
        Some(Ok(expires)) if expires < today => {
            finding(CheckState::Wrong, alloc::format!("the text at {uri} ended on {expires}"))
        }
        None => finding(
            CheckState::Wrong,
            alloc::format!("the text at {uri} does not say until when it is good (Expires)"),
        ),
        Some(Err(_)) => finding(
            CheckState::Wrong,
            alloc::format!("the text at {uri} has an Expires that is no date of RFC 3339 in UTC"),
        ),
        Some(Ok(_)) => match values("Canonical").next() {
            Some(canonical) if !values("Canonical").any(|named| named == uri) => finding(
                CheckState::Wrong,
                alloc::format!("the text at {uri} says that it stands at {}", escape(canonical.as_bytes())),
            )
            .with_line(alloc::format!("Canonical: {uri}")),
            _ => finding(CheckState::Right, alloc::format!("the text at {uri} names our contact")),
        },
    }
}

fn contact(identity: &Identity) -> String {
    alloc::format!("mailto:{}", identity.contact)
}

/// Whether something can stand there.
fn is_page(uri: &str) -> bool {
    let scheme = uri.split(':').next().unwrap_or_default();
    !["mailto", "tel"].iter().any(|other| scheme.eq_ignore_ascii_case(other))
}

/// `Name: value`, comments and signatures left out.
fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().filter(|line| !line.starts_with(['#', '-']));
    lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    fn identity() -> Identity {
        Identity::new("probe.example".parse().unwrap())
    }

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_written_is_found_right() {
        let text = probing_text(&identity(), date("2027-01-01T00:00:00Z"));
        assert_eq!(
            text.lines().take(3).collect::<Vec<_>>(),
            [
                "Canonical: https://probe.example/.well-known/probing.txt",
                "Contact: mailto:postmaster@probe.example",
                "Expires: 2027-01-01T00:00:00Z",
            ]
        );
        assert_eq!(text.lines().count(), 5);
        let found = check_probing_text(&identity(), ProbingText::There(&text), date("2026-12-31"));
        assert_eq!(found.state, CheckState::Right, "{found}");
    }

    #[test]
    fn a_text_of_somebody_else_or_of_the_past_is_wrong() {
        let good = probing_text(&identity(), date("2027-01-01T00:00:00Z"));
        for (text, says) in [
            (None, "there is no text"),
            (Some(String::new()), "names no contact"),
            (Some(good.replace("postmaster@", "nobody@")), "names mailto:nobody@probe.example"),
            (Some(good.replace("2027", "2025")), "ended on 2025-01-01"),
            (Some(good.replace("2027-01-01T00:00:00Z", "soon")), "no date"),
            (Some(good.replace("Expires", "Expired")), "until when"),
            (
                Some(good.replace("Canonical: https://probe", "Canonical: https://other")),
                "stands at https://other",
            ),
            (Some("Contact: \u{1b}[2J\n".to_string()), "names \\x1b[2J"),
        ] {
            let found = check_probing_text(
                &identity(),
                text.as_deref().map_or(ProbingText::Missing, ProbingText::There),
                date("2026-12-31"),
            );
            assert_eq!(found.state, CheckState::Wrong, "{found}");
            assert!(found.text.contains(says), "{found}");
        }
    }

    #[test]
    fn what_cannot_be_fetched_is_not_known() {
        let found = check_probing_text(&identity(), ProbingText::Unknown("timed out"), date("2026-12-31"));
        assert_eq!(found.state, CheckState::Unknown);
    }

    #[test]
    fn a_mailbox_can_be_the_probe_uri() {
        let mut identity = identity();
        identity.probe_uri = "mailto:postmaster@probe.example".parse().unwrap();
        assert_eq!(
            check_probing_text(&identity, ProbingText::Missing, date("2026-12-31")).state,
            CheckState::Right
        );
        identity.probe_uri = "tel:+1-201-555-0123".parse().unwrap();
        assert_eq!(
            check_probing_text(&identity, ProbingText::Missing, date("2026-12-31")).state,
            CheckState::Wrong
        );
        assert!(!probing_text(&identity, date("2027-01-01")).contains("Canonical"));
    }
}
