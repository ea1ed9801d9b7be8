//! Reports without the names of people.

mod guard;
mod names;

use alloc::string::ToString as _;

use super::Report;
use crate::address::Mailbox;
use crate::identity::HeaderText;
use crate::octets::Octets;
use crate::plan::{Redaction, RunRecord};
use crate::receipt::{Receipt, Reported};
use crate::trace::Hop;
use crate::transcript::{Connection, Cut, Step, Transcript, What};

use names::{Names, Role};

impl Report {
    /// The same report without the names of people, for those who need the finding and not the names.
    ///
    /// A local part of an address becomes `redacted~1`, `redacted~2` and so on: the same local part is the same name
    /// everywhere, and nothing leads from the name back to it, as a hash of something so short would. The mailbox that the
    /// operator named is found in the server's words without its domain too. The reference of the authorization becomes
    /// `redacted`. What stays: domains and addresses of machines; what we sent ourselves, with our tokens, unless it is
    /// that mailbox; offices such as `postmaster`, which are nobody's name; the words by which replies are judged, even
    /// inside an address; the certificates that the server shows to everybody; and the hash of a reply that was cut.
    ///
    /// It is judged the same: every outcome and every reason are those of this report. Redacting it again changes nothing.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let (mut run, mut transcript, mut receipts) =
            (self.run.clone(), self.transcript.clone(), self.receipts.clone());
        let mut names = Names::new(&run, &transcript);
        for text in [run.target.mailbox.as_ref().unwrap_or(&run.identity.contact), &run.identity.contact] {
            names.reserve(text.local().as_bytes());
        }
        each(&mut transcript, &mut receipts, |_, octets, _| names.reserve(octets.as_bytes()));
        people(&mut run, &mut names);
        each(&mut transcript, &mut receipts, |role, octets, cut| names.hide(role, octets, cut));
        let mut report = Self::judged(run, transcript, receipts, self.as_of);
        report.listings.clone_from(&self.listings);
        report
    }
}

/// Whether something that came back is in a redacted report already, under other names.
pub(super) fn is_same(kept: &Receipt, receipt: &Receipt) -> bool {
    (kept.kind, kept.at, kept.probe, &kept.sha256)
        == (receipt.kind, receipt.at, receipt.probe, &receipt.sha256)
}

fn people(run: &mut RunRecord, names: &mut Names) {
    let mut mailbox = |mailbox: &Mailbox| mailbox.with_local(&names.word(mailbox.local()));
    run.target.mailbox = run.target.mailbox.as_ref().map(&mut mailbox);
    run.identity.contact = mailbox(&run.identity.contact);
    for text in [&mut run.identity.organisation, &mut run.identity.probe_uri] {
        let mut octets = Octets::from(text.as_str().as_bytes());
        names.hide(Role::Sent, &mut octets, None);
        *text = octets.to_string().parse().unwrap_or_else(|_| HeaderText::redacted());
    }
    run.authorization.reference = HeaderText::redacted();
    run.redaction = Redaction::People;
}

/// Shows every text in which people may be named.
fn each(
    transcript: &mut Transcript,
    receipts: &mut [Receipt],
    mut visit: impl FnMut(Role, &mut Octets, Option<&Cut>),
) {
    for connection in &mut transcript.connections {
        exchange(connection, &mut visit);
    }
    for receipt in receipts {
        came_back(receipt, |role, octets| visit(role, octets, None));
    }
}

fn exchange(connection: &mut Connection, visit: &mut impl FnMut(Role, &mut Octets, Option<&Cut>)) {
    let ledger = connection.ledger();
    let role =
        |at: usize| match ledger.turns().iter().find(|turn| turn.entry == at).map(|turn| turn.asked.step) {
            Some(Step::Greeting) => Role::Greeting,
            Some(Step::Hello) => Role::Hello,
            _ => Role::Reply,
        };
    for (at, entry) in connection.entries.iter_mut().enumerate() {
        match &mut entry.what {
            What::Command { octets, .. } => visit(Role::Sent, octets, None),
            What::Reply { octets, cut } => {
                visit(role(at), octets, cut.as_deref());
            }
            What::Fault { octets, cut, .. } => visit(Role::Text, octets, cut.as_deref()),
            What::ClearAfterStartTls { octets } => visit(Role::Text, octets, None),
            What::Connected
            | What::OutOfStep { .. }
            | What::TlsBegun
            | What::Secured { .. }
            | What::Deadline { .. }
            | What::Flood
            | What::Lost { .. }
            | What::Closed => {}
        }
    }
}

fn came_back(receipt: &mut Receipt, mut visit: impl FnMut(Role, &mut Octets)) {
    let Receipt { egress, input, sender, recipient, original_recipient, reported, trace, .. } = receipt;
    for address in [sender, recipient, original_recipient].into_iter().flatten() {
        visit(Role::Address, address);
    }
    let mut text = |text: &mut Option<Octets>| text.iter_mut().for_each(|octets| visit(Role::Text, octets));
    text(input);
    if let Some(reported) = reported {
        let Reported { reporter, remote, action, status, diagnostic } = reported;
        [reporter, remote, action, status, diagnostic].into_iter().for_each(&mut text);
    }
    for hop in &mut trace.hops {
        let Hop { helo, reverse_name, by, with, id, .. } = hop;
        [helo, reverse_name, by, with, id].into_iter().for_each(&mut text);
    }
    if let Some(egress) = egress {
        visit(Role::Text, &mut egress.helo);
    }
    for hop in &mut trace.hops {
        hop.recipient.iter_mut().for_each(|address| visit(Role::Address, address));
        visit(Role::Line, &mut hop.raw);
    }
}

#[cfg(test)]
mod tests;
