//! What callers and files say: parsed into a type or refused, and the same when written and read again.

use core::fmt::Display;
use core::str::FromStr;

use relayprobe::address::{Domain, Mailbox, Network};
use relayprobe::identity::HeaderText;
use relayprobe::octets::{Octets, escape};
use relayprobe::wire::CommandLine;
use relayprobe::{Authorization, Case, Keyring};

/// Domains, mailboxes, networks, leave, header texts: nothing with a control character is any of them.
pub(crate) fn check_address(octets: &[u8]) {
    let Ok(text) = core::str::from_utf8(octets) else { return };
    again::<Domain>(text);
    again::<Mailbox>(text);
    again::<Network>(text);
    again::<HeaderText>(text);
    if let Ok(mailbox) = text.parse::<Mailbox>() {
        assert!(mailbox.local().len() <= 64 && mailbox.domain().as_str().len() <= 255);
        assert!(mailbox.domain().is_within(mailbox.domain()));
    }
    if text.parse::<Authorization>().is_ok() {
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}

fn again<T: FromStr + Display + PartialEq>(text: &str) {
    let Ok(value) = text.parse::<T>() else { return };
    let shown = value.to_string();
    assert!(!shown.chars().any(char::is_control), "{text:?} became {shown:?}");
    assert!(shown.parse::<T>().is_ok_and(|other| other == value), "{text:?} became {shown:?}");
}

/// A command line is one line, and a case of the caller's own has only recipients of ours.
pub(crate) fn check_command(octets: &[u8]) {
    let Ok(text) = core::str::from_utf8(octets) else { return };
    if let Ok(line) = CommandLine::new(text) {
        assert_eq!(line.text(), text);
        assert!(line.as_bytes().len() <= CommandLine::LIMIT);
        let ends = line.as_bytes().iter().filter(|octet| matches!(octet, b'\r' | b'\n' | 0)).count();
        assert_eq!((ends, line.as_bytes().ends_with(b"\r\n")), (2, true), "{text:?}");
    }
    let mut words = text.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (id, sender, recipient) = (word(), word(), word());
    if Case::custom(id, sender, recipient).is_ok() {
        assert!(recipient.contains("{probe-domain}") && recipient.starts_with('<'), "{recipient:?}");
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}

/// Octets are shown without controls and read back as they were.
pub(crate) fn check_octets(octets: &[u8]) {
    let shown = escape(octets);
    assert!(shown.bytes().all(|octet| (b' '..=b'~').contains(&octet)));
    assert_eq!(Octets::from_escaped(&shown).as_ref().map(Octets::as_bytes), Ok(octets));
    if let Ok(text) = core::str::from_utf8(octets)
        && let Ok(read) = Octets::from_escaped(text)
    {
        assert_eq!(Octets::from_escaped(&read.escaped()), Ok(read));
    }
}

/// A keyring is read whole or not at all, and the same when it is written again.
pub(crate) fn check_keyring(octets: &[u8]) {
    let Ok(text) = core::str::from_utf8(octets) else { return };
    if let Ok(keys) = Keyring::from_text(text) {
        assert!(keys.keys().count() <= 8);
        assert!(Keyring::from_text(&keys.to_text()).is_ok_and(|again| again == keys));
    }
}
