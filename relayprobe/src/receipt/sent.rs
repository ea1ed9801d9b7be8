//! Whether the envelope of a handover is the one that was sent.

use alloc::string::String;
use alloc::vec::Vec;

use super::search::carries;
use crate::matrix::Hello;
use crate::octets::Octets;
use crate::plan::{Names, Probe, RunRecord};
use crate::token::Token;

/// A sender of a case that cannot be written here, since a name is not known.
pub(super) enum Unwritable {
    /// It has the token in it.
    Carrying,
    /// It has not.
    Tokenless,
}

/// Names of forms that hold the token.
const CARRYING: [&str; 5] = ["{sender}", "{sender-user}", "{probe-user}", "{token}", "{case-sender}"];

pub(super) fn is_null(sender: &Octets) -> bool {
    matches!(sender.as_bytes(), b"" | b"<>")
}

/// Whether the sender is the one that was sent for the token's probe, wrapped or not.
pub(super) fn is_as_sent(given: &Octets, record: &RunRecord, token: &Token) -> bool {
    // Some servers put the null sender in the place of their own daemons.
    if is_null(given) || carries(given.as_bytes(), token) {
        return true;
    }
    match sender(record, token) {
        Ok(sent) => unwrapped(given.as_bytes()).eq_ignore_ascii_case(sent.as_bytes()),
        // Nothing is left to compare.
        Err(Unwritable::Tokenless) => true,
        Err(Unwritable::Carrying) => false,
    }
}

/// The sender that the plan wrote for the token's probe, without brackets.
pub(super) fn sender(record: &RunRecord, token: &Token) -> Result<String, Unwritable> {
    let probe = record.probe(token.probe()).ok_or(Unwritable::Carrying)?;
    let form = record.case(probe).ok_or(Unwritable::Carrying)?.mail.argument.as_str();
    let line = Names::new(record, probe, None).mail().map_err(|_| {
        let carrying = CARRYING.iter().any(|name| form.contains(name));
        if carrying { Unwritable::Carrying } else { Unwritable::Tokenless }
    })?;
    Ok(path(line.text()).into())
}

/// Whether this is what we called ourselves for a probe. A name that only the server itself told is not known here, and may
/// be.
pub(super) fn is_our_name(helo: &Octets, record: &RunRecord, probe: &Probe) -> bool {
    let Some(case) = record.case(probe) else { return false };
    let given = |hello| match Names::new(record, probe, None).hello(hello) {
        Ok(Some(line)) => line
            .text()
            .split_once(' ')
            .is_some_and(|(_, name)| name.as_bytes().eq_ignore_ascii_case(helo.as_bytes())),
        Ok(None) => helo.as_bytes().is_empty(),
        Err(_) => true,
    };
    // Messages may be sent on a connection with our own name.
    [&Hello::Own, &case.hello].into_iter().any(given)
}

/// The recipient that the plan wrote for the token's probe, if its form has no token in it: only then can it be told by
/// nothing but its address.
pub(super) fn tokenless_recipient(record: &RunRecord, token: &Token) -> Option<String> {
    let probe = record.probe(token.probe())?;
    let form = record.case(probe)?.rcpt.argument.as_str();
    if CARRYING.iter().any(|name| form.contains(name)) {
        return None;
    }
    let line = Names::new(record, probe, None).rcpt().ok()?;
    Some(path(line.text()).into())
}

/// The address of a command line, without brackets.
fn path(line: &str) -> &str {
    let bracketed = line.split_once('<').and_then(|(_, rest)| Some(rest.rsplit_once('>')?.0));
    let argument = || Some(line.split_once(':')?.1.trim());
    bracketed.or_else(argument).unwrap_or_default()
}

/// The address within one that a forwarder (SRS) or a signer (BATV) made of it.
fn unwrapped(sender: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(sender);
    let local = text.rsplit_once('@').map_or(&*text, |(local, _)| local);
    let pieces: Vec<&str> = local.splitn(5, '=').collect();
    match *pieces.as_slice() {
        [scheme, _hash, _day, domain, user] if scheme.eq_ignore_ascii_case("SRS0") => {
            alloc::format!("{user}@{domain}").into()
        }
        [scheme, tag, ..] if scheme.eq_ignore_ascii_case("prvs") => {
            text.get(scheme.len() + tag.len() + 2..).unwrap_or_default().into()
        }
        _ => sender.into(),
    }
}
