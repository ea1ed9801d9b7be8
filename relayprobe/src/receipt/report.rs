//! Delivery reports, in the forms that servers write (RFC 3464, and before it).
//!
//! Postfix, Exim and Sendmail write `multipart/report`. `OpenSMTPD` writes its status part into `multipart/mixed` and names
//! no remote host. qmail writes plain text.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::mail::Mail;
use super::search::carries;
use super::{ReceiptKind, Reported};
use crate::address::Domain;
use crate::octets::Octets;
use crate::plan::RunRecord;
use crate::token::Token;
use crate::trace::fields::{Field, fields};
use crate::wire::holds;

/// A report, and the recipient it is about.
pub(super) struct Report {
    pub(super) reported: Reported,
    recipient: Option<Octets>,
}

/// What our receiving server says when it refuses a message that it has seen.
const OUR_WORDS: &[u8] = b"relayprobe:";

/// Words by which servers say that a mailbox does not exist.
const UNKNOWN_USER: [&str; 10] = [
    "user unknown",
    "unknown user",
    "no such user",
    "no such mailbox",
    "no such recipient",
    "unknown recipient",
    "recipient unknown",
    "unrouteable address",
    "no mailbox here",
    "user not found",
];

/// Reads the report that a message is; `None` if it is none. Signs in the order of their weight.
pub(super) fn read(mail: &Mail<'_>, null_sender: bool, token: &Token) -> Option<Report> {
    if let Some(part) = mail.part(&["message/delivery-status", "message/global-delivery-status"]) {
        return Some(status(&part.text, token));
    }
    if let Some(text) = mail.own_parts().find_map(|part| qmail_text(&part.text)) {
        return Some(qmail(text, token));
    }
    let declared = mail.own_parts().any(|part| part.reports.as_deref() == Some("delivery-status"));
    let daemon = mail.all("From").any(|from| holds(from, b"mailer-daemon"));
    let about = mail.returned().is_some() || mail.all("X-Failed-Recipients").next().is_some();
    if !declared && !((null_sender || daemon) && about) {
        return None;
    }
    // Nothing but its words, of which no form is known.
    let words = mail.own_parts().find(|part| part.kind == "text/plain" && !part.text.is_empty());
    let reported = Reported {
        action: Some(b"failed".as_slice().into()),
        diagnostic: words.map(|part| part.text.trim_ascii().into()),
        ..Reported::default()
    };
    let recipient = mail.all("X-Failed-Recipients").next().map(Octets::from);
    Some(Report { reported, recipient })
}

impl Report {
    /// What the report means for the run.
    pub(super) fn kind(&self, record: &RunRecord) -> ReceiptKind {
        let action = self.reported.action.as_ref().map(Octets::as_bytes).unwrap_or_default();
        let is = |word: &[u8]| action.eq_ignore_ascii_case(word);
        if is(b"delivered") || is(b"expanded") {
            ReceiptKind::DeliveredLocally
        } else if is(b"relayed") || self.names_us(record) {
            ReceiptKind::Reported
        } else if is(b"delayed") || (self.is_for_us(record) && !self.is_unknown_here()) {
            // Some servers name no remote host: it may have been ours. Doubt is no proof that mail stays inside.
            ReceiptKind::Delayed
        } else {
            ReceiptKind::Bounced
        }
    }

    /// Whether it says that our receiving server was asked.
    fn names_us(&self, record: &RunRecord) -> bool {
        let remote = self.reported.remote.as_ref().map(Octets::as_bytes).unwrap_or_default();
        let diagnostic = self.reported.diagnostic.as_ref().map(Octets::as_bytes).unwrap_or_default();
        holds(diagnostic, OUR_WORDS)
            || hosts(remote).any(|host| is_our_host(host, record) || is_in_our_zone(host, record))
            || hosts(diagnostic).any(|host| is_our_host(host, record))
    }

    /// Whether its recipient is one of ours; so it may be, if it is not named.
    fn is_for_us(&self, record: &RunRecord) -> bool {
        let Some(recipient) = &self.recipient else { return true };
        let at = recipient.as_bytes().rsplit(|&b| b == b'@').next().unwrap_or_default();
        hosts(at).any(|host| is_our_host(host, record) || is_in_our_zone(host, record))
    }

    /// Whether the reporter itself did not know the recipient. Another host that did not was handed the message, and may be
    /// a mail server of ours under a name that is not known here.
    fn is_unknown_here(&self) -> bool {
        let remote = self.reported.remote.as_ref().map(Octets::as_bytes).unwrap_or_default();
        let reporter = self.reported.reporter.as_ref().map(Octets::as_bytes).unwrap_or_default();
        self.is_unknown_user() && (remote.is_empty() || remote.eq_ignore_ascii_case(reporter))
    }

    fn is_unknown_user(&self) -> bool {
        let status = self.reported.status.as_ref().map(Octets::as_bytes).unwrap_or_default();
        let diagnostic = self.reported.diagnostic.as_ref().map(Octets::as_bytes).unwrap_or_default();
        // Bad destination mailbox address (RFC 3463 §3.2).
        status.ends_with(b".1.1") || UNKNOWN_USER.iter().any(|words| holds(diagnostic, words.as_bytes()))
    }
}

/// Reads a status part: the fields of the message, then those of each recipient (RFC 3464 §2.1).
fn status(text: &[u8], token: &Token) -> Report {
    let groups: Vec<Vec<Field>> = groups(text).map(fields).filter(|group| !group.is_empty()).collect();
    let has = |group: &&Vec<Field>, names: [&str; 2]| names.iter().any(|name| find(group, name).is_some());
    let recipients = || groups.iter().filter(|group| has(group, ["Action", "Final-Recipient"]));
    let about = |group: &&Vec<Field>| group.iter().any(|field| carries(&field.value, token));
    let group = recipients().find(about).or_else(|| recipients().next());
    let field = |name: &str| group.and_then(|group| find(group, name));
    let reporter = groups.iter().find_map(|group| find(group, "Reporting-MTA"));
    let kept = |value: Option<&[u8]>| value.map(|value| untyped(value).into());
    Report {
        reported: Reported {
            reporter: kept(reporter),
            remote: kept(field("Remote-MTA")),
            action: field("Action").map(Octets::from),
            status: field("Status").map(Octets::from),
            diagnostic: kept(field("Diagnostic-Code")),
        },
        recipient: kept(field("Final-Recipient").or_else(|| field("Original-Recipient"))),
    }
}

fn find<'a>(group: &'a [Field], name: &str) -> Option<&'a [u8]> {
    group.iter().find(|field| field.is(name)).map(|field| field.value.as_slice())
}

/// The groups of lines that empty lines keep apart.
fn groups(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let lines = rest.split_inclusive(|&b| b == b'\n');
        let length = lines.take_while(|line| !line.trim_ascii().is_empty()).map(<[u8]>::len).sum();
        let (group, after) = rest.split_at_checked(length)?;
        let empty = after.iter().position(|&b| b == b'\n').map_or(after.len(), |end| end + 1);
        rest = after.get(empty..).unwrap_or_default();
        Some(group)
    })
}

/// What stands behind a type such as `dns;` or `rfc822;`.
fn untyped(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'-').unwrap_or(0);
    let rest = value.get(end..).unwrap_or_default().trim_ascii_start();
    rest.strip_prefix(b";").unwrap_or(value).trim_ascii()
}

fn qmail_text(text: &[u8]) -> Option<&[u8]> {
    let text = text.trim_ascii_start();
    text.starts_with(b"Hi. This is the qmail-send program").then_some(text)
}

/// Reads qmail's form: an address in brackets and a colon, then what was said, for each recipient.
fn qmail(text: &[u8], token: &Token) -> Report {
    let report = text.split(|&b| b == b'\n').take_while(|line| !line.starts_with(b"--- Below this line"));
    let length = report.map(|line| line.len() + 1).sum::<usize>().min(text.len());
    let report = text.get(..length).unwrap_or(text);
    let recipients = || groups(report).filter(|group| group.starts_with(b"<"));
    let group = recipients().find(|group| carries(group, token)).or_else(|| recipients().next());
    let line = group.and_then(|group| group.split(|&b| b == b'\n').next()).map(<[u8]>::trim_ascii);
    let greeting = report.split(|&b| b == b'\n').next().unwrap_or_default().trim_ascii();
    let said = group.and_then(|group| group.get(line?.len()..)).map(<[u8]>::trim_ascii).unwrap_or_default();
    let remote = words(said).find(|word| address(word).is_some());
    // `(#5.1.1)`.
    let status = words(said).find_map(|word| word.strip_prefix(b"(#")?.split(|&b| b == b')').next());
    let warning = holds(report, b"will keep trying");
    Report {
        reported: Reported {
            reporter: words(greeting).last().map(|host| host.strip_suffix(b".").unwrap_or(host).into()),
            remote: remote.map(Octets::from),
            action: Some(if warning { b"delayed".as_slice() } else { b"failed" }.into()),
            status: status.map(Octets::from),
            diagnostic: Some(said.into()),
        },
        recipient: line.map(|line| line.strip_suffix(b":").unwrap_or(line).trim_ascii().into()),
    }
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// The host names and addresses in a text; a name behind `@` is part of an address.
fn hosts(text: &[u8]) -> impl Iterator<Item = &str> {
    let other = |b: &u8| !b.is_ascii_alphanumeric() && !matches!(b, b'.' | b'-' | b':' | b'@' | b'_');
    text.split(other).filter_map(|word| {
        let word = core::str::from_utf8(word).ok()?.trim_matches('.');
        let word = word.strip_suffix(':').filter(|rest| !rest.ends_with(':')).unwrap_or(word);
        Some(word.trim_matches('.')).filter(|word| !word.is_empty())
    })
}

/// Whether a name or address is that of our receiving server.
fn is_our_host(host: &str, record: &RunRecord) -> bool {
    let identity = &record.identity;
    if identity.sink_host.as_ref().is_some_and(|sink| host.eq_ignore_ascii_case(sink.as_str())) {
        return true;
    }
    let Some(host) = address(host.as_bytes()) else { return false };
    // Many servers hand mail to a filter of their own over loopback.
    let way_in = record.way_in.map(|way_in| way_in.ip().to_canonical());
    let way_in = way_in.filter(|ip| !ip.is_loopback() || record.target.address.to_canonical().is_loopback());
    let (v4, v6) = (identity.sink_ipv4.map(IpAddr::V4), identity.sink_ipv6.map(IpAddr::V6));
    [v4, v6, way_in].contains(&Some(host))
}

/// Whether a name lies in the probe domain. The lures do too, and lead to the target.
fn is_in_our_zone(host: &str, record: &RunRecord) -> bool {
    let identity = &record.identity;
    let Ok(host) = host.parse::<Domain>() else { return false };
    let lures = [&identity.lure_mx, &identity.lure_a];
    host.is_within(&identity.probe_domain) && !lures.iter().any(|lure| lure.as_ref() == Some(&host))
}

fn address(text: &[u8]) -> Option<IpAddr> {
    let text: String = core::str::from_utf8(text).ok()?.trim_matches(['[', ']', '.']).to_ascii_lowercase();
    let address: IpAddr = text.strip_prefix("ipv6:").unwrap_or(&text).parse().ok()?;
    Some(address.to_canonical())
}
