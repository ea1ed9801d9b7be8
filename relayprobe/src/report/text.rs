//! The report as a person reads it.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use super::advice;
use super::{ProbeReport, Report};
use crate::lookup::{ListAnswer, Listing};
use crate::matrix::{Acceptance, Family};
use crate::octets::escape;
use crate::outcome::{NotApplicable, Outcome};
use crate::plan::Redaction;
use crate::receipt::{EgressKind, Receipt};
use crate::target::Tls;
use crate::transcript::{Connection, Step, What};
use crate::verdict::Verdict;

/// Octets of a reply line that are shown.
const SHOWN: usize = 200;

pub(super) fn report(report: &Report) -> String {
    let mut text = head(report);
    for path in 0..report.run.target_paths().len() {
        text.push_str(&section(report, path));
    }
    text.push_str(&came_back(report));
    text.push_str(&listings(&report.listings));
    text.push_str("\nWhat next\n");
    for line in advice::next_steps(report) {
        put(&mut text, format_args!("  - {line}\n"));
    }
    text
}

fn head(report: &Report) -> String {
    let run = &report.run;
    let name = report.server.name.as_ref().map_or(String::new(), |name| format!(" ({name})"));
    let how = report.how.map_or(String::new(), |how| format!(" ({})", how.as_str()));
    let mut text = format!(
        "{}{how}: {} port {}{name}\n\n  {}\n",
        report.verdict,
        run.target.address,
        run.target.port,
        advice::meaning(report.verdict)
    );
    for reason in &report.reasons {
        put(&mut text, format_args!("  Because: {reason}.\n"));
    }
    put(
        &mut text,
        format_args!(
            "  Run {} of {}, {} matrix (version {}), seen from {}, by leave of {}:{}.\n",
            escape(run.run.as_bytes()),
            run.date,
            selection(report),
            run.matrix_version,
            run.vantage.as_str(),
            run.authorization.kind.as_str(),
            run.authorization.reference
        ),
    );
    match run.redaction {
        Redaction::None => {}
        Redaction::People => text.push_str("  Redacted: names of people were taken out.\n"),
    }
    if let Some(greeting) = &report.server.greeting {
        put(&mut text, format_args!("  It greeted with: {}\n", line(greeting.as_bytes())));
    }
    text
}

/// What block lists say; an address that they do not name is counted only.
fn listings(listings: &[Listing]) -> String {
    if listings.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nBlock lists (no verdict depends on them)\n");
    let clear = listings.iter().filter(|listing| listing.answer == ListAnswer::NotListed).count();
    if clear > 0 {
        put(&mut text, format_args!("  not listed: {clear} of {} asked\n", listings.len()));
    }
    for listing in listings.iter().filter(|listing| listing.answer != ListAnswer::NotListed) {
        put(&mut text, format_args!("  {listing}\n"));
    }
    text
}

fn put(text: &mut String, piece: fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _written = text.write_fmt(piece);
}

fn selection(report: &Report) -> &'static str {
    match report.run.selection {
        crate::Selection::Named => "named",
        crate::Selection::Quick => "quick",
        crate::Selection::Standard => "standard",
        crate::Selection::Full => "full",
    }
}

fn section(report: &Report, path: usize) -> String {
    let Some(way) = report.run.paths.get(path) else { return String::new() };
    let rows: Vec<&ProbeReport> =
        report.probes.iter().filter(|probe| usize::from(probe.path) == path).collect();
    if let Some(reason) = rows.iter().find_map(|row| whole_path(&row.outcome)) {
        // A path that was only there in case it was asked for is not worth a line.
        return match (way.tls, reason) {
            (Tls::StartTlsIfAsked, NotApplicable::TlsNotAsked) => String::new(),
            (_, reason) => format!("\n{way}: not asked, {}\n", advice::not_applicable(reason)),
        };
    }
    let verdict = report.paths.get(path).and_then(|found| found.verdict);
    let verdict = verdict.map_or("wants TLS first", Verdict::as_str);
    let mut text = format!("\n{way}: {verdict}\n");
    for family in Family::ALL {
        let of_family: Vec<&&ProbeReport> = rows.iter().filter(|row| row.family == family).collect();
        if !of_family.is_empty() {
            put(&mut text, format_args!("  {:<22}{}\n", family.title(), counts(&of_family)));
            text.push_str(&accepted(family, &of_family));
        }
    }
    text
}

/// The reason why a whole path was not asked, if there is one.
const fn whole_path(outcome: &Outcome) -> Option<NotApplicable> {
    match outcome {
        Outcome::NotApplicable {
            reason:
                reason @ (NotApplicable::NoStartTls | NotApplicable::TlsNotAsked | NotApplicable::PortClosed),
        } => Some(*reason),
        Outcome::NotApplicable { .. }
        | Outcome::Refused { .. }
        | Outcome::Deferred { .. }
        | Outcome::Accepted { .. }
        | Outcome::AcceptedPending { .. }
        | Outcome::AcceptedNoReceipt { .. }
        | Outcome::AcceptedThenBounced { .. }
        | Outcome::DeliveredLocally { .. }
        | Outcome::RelayAttempted { .. }
        | Outcome::RelayReported { .. }
        | Outcome::Relayed { .. }
        | Outcome::NotTested { .. } => None,
    }
}

/// Outcomes in the order in which they are counted.
const KINDS: [&str; 12] = [
    "relayed",
    "relay-attempted",
    "relay-reported",
    "accepted",
    "accepted-pending",
    "accepted-no-receipt",
    "accepted-then-bounced",
    "delivered-locally",
    "refused",
    "deferred",
    "not-tested",
    "not-applicable",
];

/// `6 refused (relay-denied 5, unclear 1), 2 not applicable`.
fn counts(rows: &[&&ProbeReport]) -> String {
    let mut whys: BTreeMap<&str, usize> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *kinds.entry(row.outcome.as_str()).or_default() += 1;
        if let Outcome::Refused { why, .. } = &row.outcome {
            *whys.entry(why.as_str()).or_default() += 1;
        }
    }
    let parts = KINDS.iter().filter_map(|&kind| {
        let count = kinds.get(kind)?;
        let kind_in_words = kind.replace('-', " ");
        let detail: Vec<String> = whys.iter().map(|(why, count)| format!("{why} {count}")).collect();
        Some(if kind == "refused" {
            format!("{count} {kind_in_words} ({})", detail.join(", "))
        } else {
            format!("{count} {kind_in_words}")
        })
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What was accepted, each with its reply; for controls, what was not as it should be.
fn accepted(family: Family, rows: &[&&ProbeReport]) -> String {
    let mut text = String::new();
    for row in rows {
        let shown = match (&row.outcome, family) {
            (Outcome::Accepted { reply }, Family::Control) => {
                advice::control_note(&row.case).map(|note| (reply, note))
            }
            (Outcome::Accepted { reply }, _) => Some((
                reply,
                if row.acceptance == Some(Acceptance::Uninformative) {
                    "a correct server may accept it"
                } else {
                    "accepted"
                },
            )),
            _ => None,
        };
        let id = escape(row.case.as_bytes());
        if let Some((reply, note)) = shown {
            put(&mut text, format_args!("    {id:<24}{note}: {}\n", line(reply.as_bytes())));
        } else if let Some(fate) = fate(&row.outcome).filter(|_| family != Family::Control) {
            let own = if row.confirmed { ", which its own line says too" } else { "" };
            let queue = row.queue_id.as_ref().map(|id| format!(", queued there as {id}{own}"));
            put(&mut text, format_args!("    {id:<24}{fate}{}\n", queue.unwrap_or_default()));
        }
    }
    text
}

/// What became of a message, in words.
fn fate(outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Relayed { .. } => "RELAYED: our message came back".into(),
        Outcome::RelayAttempted { .. } => "RELAYED: it was handed to us, and we refused it".into(),
        Outcome::RelayReported { .. } => "it seems to have been passed on; what came back is no proof".into(),
        Outcome::AcceptedPending { until, .. } => format!("message accepted, waited for until {until}"),
        Outcome::AcceptedNoReceipt { .. } => "message accepted, and it did not come back".into(),
        Outcome::AcceptedThenBounced { .. } => "message accepted, and then reported as failed".into(),
        Outcome::DeliveredLocally { .. } => "message delivered to a mailbox there".into(),
        Outcome::Refused { stage: Step::Message, why, .. } => {
            format!("envelope accepted, message refused ({})", why.as_str())
        }
        Outcome::Deferred { stage: Step::Data | Step::Message, .. } => {
            "envelope accepted, message put off".into()
        }
        Outcome::Refused { .. }
        | Outcome::Deferred { .. }
        | Outcome::Accepted { .. }
        | Outcome::NotApplicable { .. }
        | Outcome::NotTested { .. } => return None,
    })
}

/// What came back, and by which machine.
fn came_back(report: &Report) -> String {
    let of_target = |receipt: &&Receipt| {
        report.run.probe(receipt.probe).is_some_and(|probe| !report.run.is_way_in(probe.path))
    };
    let mut ways: BTreeMap<String, usize> = BTreeMap::new();
    for receipt in report.receipts.iter().filter(of_target) {
        *ways.entry(way(receipt)).or_default() += 1;
    }
    if ways.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nWhat came back\n");
    for (way, count) in ways {
        put(&mut text, format_args!("  {count} {way}\n"));
    }
    text
}

/// `relayed, handed over by 192.0.2.10 (mail.target.example), the server itself`.
fn way(receipt: &Receipt) -> String {
    let mut text = String::from(receipt.kind.as_str());
    if let Some(egress) = &receipt.egress {
        let address = egress.address.map_or_else(|| "an unknown address".into(), |ip| ip.to_string());
        put(&mut text, format_args!(", handed over by {address} ({})", egress.helo));
        match egress.kind {
            EgressKind::Direct => text.push_str(", the server itself"),
            EgressKind::Smarthost => text.push_str(", another machine behind the server"),
            EgressKind::Unknown => {}
        }
    }
    if let Some(input) = &receipt.input {
        put(&mut text, format_args!("; taken from us by {input}"));
    }
    text
}

/// The first line of a reply, escaped and cut to what a person reads.
fn line(octets: &[u8]) -> String {
    let end = octets.iter().position(|&octet| octet == b'\r' || octet == b'\n').unwrap_or(octets.len());
    let more = if end + 2 < octets.len() { " …" } else { "" };
    format!("{}{more}", cut(octets.get(..end).unwrap_or_default(), SHOWN))
}

fn cut(octets: &[u8], limit: usize) -> String {
    match octets.get(..limit) {
        Some(kept) if kept.len() < octets.len() => format!("{}… ({} octets)", escape(kept), octets.len()),
        _ => escape(octets),
    }
}

pub(super) fn transcript(report: &Report) -> String {
    report.transcript.connections.iter().map(|connection| dialogue(report, connection)).collect()
}

fn dialogue(report: &Report, connection: &Connection) -> String {
    let way = report.run.paths.get(usize::from(connection.path)).map_or(String::new(), ToString::to_string);
    let mut text = format!("# connection {} to {} {way}\n", connection.id.0, report.run.target.address);
    for entry in &connection.entries {
        let at = format!("{:>10.6} ", entry.at.since(crate::moment::Moment::ZERO).as_secs_f64());
        let lines: Vec<String> = match &entry.what {
            What::Connected => ["* connected".into()].into(),
            What::Command { octets, .. } => {
                ["C: ".to_string() + &shown_lines(octets.as_bytes()).join("")].into()
            }
            What::Reply { octets, cut } => {
                let mut lines: Vec<String> =
                    shown_lines(octets.as_bytes()).iter().map(|line| format!("S: {line}")).collect();
                lines.extend(cut.as_ref().map(|cut| {
                    format!("* cut: {} octets, SHA-256 {}", cut.length, escape(cut.sha256.as_bytes()))
                }));
                lines
            }
            What::Fault { fault, octets, .. } => {
                let mut lines: Vec<String> =
                    shown_lines(octets.as_bytes()).iter().map(|line| format!("S: {line}")).collect();
                lines.push(format!("* not a reply: {fault}"));
                lines
            }
            What::OutOfStep { how } => [format!("* out of step: {}", advice::astray(*how))].into(),
            What::TlsBegun => ["* TLS begins".into()].into(),
            What::Secured { tls } => [format!(
                "* TLS is on: {} {}, {} certificates",
                escape(tls.version.as_bytes()),
                escape(tls.cipher.as_bytes()),
                tls.certificates.len()
            )]
            .into(),
            What::ClearAfterStartTls { octets } => {
                [format!("* octets in the clear after STARTTLS: {octets}")].into()
            }
            What::Deadline { step } => [format!("* no answer in time: {}", step.as_str())].into(),
            What::Flood => ["* more octets than the plan allows".into()].into(),
            What::Lost { loss } => [format!("* ended by the other side: {}", advice::loss(*loss))].into(),
            What::Closed => ["* closed by us".into()].into(),
        };
        for line in lines {
            text.push_str(&at);
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The lines of octets, escaped, without their CRLF.
fn shown_lines(octets: &[u8]) -> Vec<String> {
    octets
        .split_inclusive(|&octet| octet == b'\n')
        .map(|line| cut(line.strip_suffix(b"\r\n").unwrap_or(line), 1_024))
        .collect()
}
