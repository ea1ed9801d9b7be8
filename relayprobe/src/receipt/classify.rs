//! What an arrival is.
//!
//! A receipt is proof of relaying only if it is the test message itself, in its own envelope. Everything else that
//! carries a good token is something less, and doubt never makes it more.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::mail::Mail;
use super::report::{self, Report};
use super::search::{Found, carries, is_sender, original, search};
use super::sent;
use super::{
    Arrival, Classified, Egress, EgressKind, Envelope, EnvelopeRecipient, Handover, Receipt, ReceiptKind,
};
use crate::octets::{Octets, sha256};
use crate::plan::RunRecord;
use crate::token::{self, Keyring, Token};
use crate::trace::Trace;
use crate::trace::fields::begins;

/// Says what an arrival is, by the token in it that is hardest to come by. `runs` finds a run record by the name of the run.
pub fn classify(arrival: &Arrival, keys: &Keyring, runs: &dyn Fn(&str) -> Option<RunRecord>) -> Classified {
    classify_tokens(arrival, keys, runs, 1).pop().unwrap_or(Classified::NotOurs)
}

/// Says what an arrival is to each probe whose token it carries, what [`classify`] says first.
///
/// Lists and gateways merge messages, and a relay may hand one over to the recipients of several. A token that does not decide
/// what the arrival is may prove or raise a suspicion, but never ends one: what is said beside it may be about another.
pub fn classify_each(
    arrival: &Arrival,
    keys: &Keyring,
    runs: &dyn Fn(&str) -> Option<RunRecord>,
) -> Vec<Classified> {
    classify_tokens(arrival, keys, runs, TOKENS)
}

/// Tokens of one arrival that are looked at.
const TOKENS: usize = 16;

fn classify_tokens(
    arrival: &Arrival,
    keys: &Keyring,
    runs: &dyn Fn(&str) -> Option<RunRecord>,
    most: usize,
) -> Vec<Classified> {
    let mail = Mail::read(arrival.message.as_bytes());
    let found = match search(arrival, &mail, keys, runs, most) {
        Found::Ours(found) => found,
        Found::Forged(run) => return [Classified::Forged { run }].into(),
        Found::Unknown(run) => return [Classified::UnknownRun { run }].into(),
        Found::Nothing => return [Classified::NotOurs].into(),
    };
    let trace = Trace::read(mail.octets);
    let receipt = |(rank, (token, record)): (usize, &(Token, RunRecord))| {
        let mut receipt = Seen { arrival, mail: &mail, token, record }.receipt(&trace);
        if rank > 0 && matches!(receipt.kind, ReceiptKind::Bounced | ReceiptKind::DeliveredLocally) {
            receipt.kind = ReceiptKind::Forwarded;
        }
        Classified::Receipt(Box::new(receipt))
    };
    found.iter().enumerate().map(receipt).collect()
}

/// An arrival with a good token.
#[derive(Clone, Copy)]
struct Seen<'a> {
    arrival: &'a Arrival,
    mail: &'a Mail<'a>,
    token: &'a Token,
    record: &'a RunRecord,
}

impl<'a> Seen<'a> {
    fn receipt(self, trace: &Trace) -> Receipt {
        let report = report::read(self.mail, self.has_null_sender(), self.token);
        let recipient = self.recipient();
        Receipt {
            kind: self.kind(report.as_ref(), trace),
            at: self.arrival.at,
            run: self.token.run(),
            probe: self.token.probe(),
            egress: self.egress(trace, report.as_ref()),
            input: self.input(trace),
            sender: self.arrival.envelope.as_ref().map(|envelope| envelope.sender.clone()),
            recipient: recipient.map(|recipient| recipient.address.clone()),
            original_recipient: recipient.and_then(|recipient| recipient.original.clone()),
            reported: report.map(|report| report.reported),
            trace: trace.clone(),
            sha256: sha256(self.mail.octets),
        }
    }

    fn kind(self, report: Option<&Report>, trace: &Trace) -> ReceiptKind {
        let proof = match self.arrival.handover {
            // Servers verify recipients so before they accept or refuse: nothing is handed over.
            Handover::Recipient => return ReceiptKind::Hint,
            Handover::Interrupted if !self.mail.carries(self.token) => return ReceiptKind::Hint,
            Handover::Interrupted | Handover::Refused => ReceiptKind::Attempted,
            Handover::Taken => ReceiptKind::Relayed,
        };
        let kind = match report {
            Some(report) => report.kind(self.record),
            None if self.is_automatic() => return ReceiptKind::DeliveredLocally,
            // A gateway or a filter on the way out adds such fields too: no proof, and not somebody's doing either.
            None if self.is_as_sent() && (self.has(&MARKED) || self.is_from_us(trace)) => {
                ReceiptKind::Reported
            }
            None if self.is_as_sent() => proof,
            // Whoever sent it on may do so at any time: no queue was let go.
            None => return ReceiptKind::Forwarded,
        };
        let end = self.record.date.unix().saturating_add(token::LIFE);
        // Only what was handed on shows that a queue was let go.
        let handed_on = matches!(kind, ReceiptKind::Relayed | ReceiptKind::Attempted | ReceiptKind::Reported);
        if handed_on && self.arrival.at.unix() > end { ReceiptKind::Late } else { kind }
    }

    /// Whether it is the test message itself, in the envelope that was sent.
    fn is_as_sent(self) -> bool {
        self.mail.is_test_message(self.token)
            && !self.has(&FOREIGN)
            && self.own_recipients().next().is_some()
            && self
                .arrival
                .envelope
                .as_ref()
                .is_some_and(|envelope| sent::is_as_sent(&envelope.sender, self.record, self.token))
    }

    /// Whether we seem to have handed it over ourselves: so it is if the target is our own receiving server, which takes
    /// mail for the probe domain as it should.
    fn is_from_us(self, trace: &Trace) -> bool {
        let Some(probe) = self.record.probe(self.token.probe()) else { return false };
        let Some(envelope) = &self.arrival.envelope else { return false };
        let by = envelope.by.as_ref();
        let handed_over = match trace.hops.last() {
            // Whoever relays adds a line (RFC 5321 §4.4). Of a client without one, what another server writes is often its
            // reverse name.
            None => {
                sent::is_our_name(&envelope.helo, self.record, probe)
                    || by.is_some() && !envelope.peer.is_some_and(|peer| self.is_target(peer))
            }
            // It went through a filter, or another machine of that server's.
            Some(lowest) => same(lowest.by.as_ref(), by),
        };
        handed_over && !self.record.is_way_in(probe.path)
    }

    /// Whether this is an address of the target.
    fn is_target(self, address: IpAddr) -> bool {
        let target = &self.record.target;
        let known = [Some(target.address), target.other_address];
        known.iter().flatten().any(|known| known.to_canonical() == address.to_canonical())
    }

    /// Whether its header has a field that begins so.
    fn has(self, starts: &[&str]) -> bool {
        starts.iter().any(|start| self.mail.fields.iter().any(|field| field.begins(start)))
    }

    /// Whether a program at the target's side answered.
    fn is_automatic(self) -> bool {
        let says = |name: &str, words: &[&str]| {
            self.mail.all(name).any(|value| words.iter().any(|word| begins(value, word)))
        };
        // Our own message says `auto-generated` (RFC 3834 §5).
        says("Auto-Submitted", &["auto-replied", "auto-notified"])
            || says("Precedence", &["auto_reply", "auto-reply"])
            || ANSWERS.iter().any(|name| self.mail.all(name).next().is_some())
            || self.mail.own_parts().any(|part| {
                part.reports.as_deref() == Some("disposition-notification")
                    || part.kind == "message/disposition-notification"
            })
            // People answer whom `From` names; only programs write to the envelope's sender.
            || (self.is_to_sender() && !self.mail.is_test_message(self.token))
            || (self.is_to_sender() && self.mail.all("In-Reply-To").any(|id| carries(id, self.token)))
    }

    fn recipients(self) -> impl Iterator<Item = &'a EnvelopeRecipient> {
        self.arrival.envelope.iter().flat_map(|envelope| &envelope.recipients)
    }

    /// Recipients as the plan wrote them: with the token, unless the case is about a name like postmaster's; not our
    /// senders.
    fn own_recipients(self) -> impl Iterator<Item = &'a EnvelopeRecipient> {
        let named = sent::tokenless_recipient(self.record, self.token);
        self.recipients().filter(move |recipient| {
            let address = recipient.address.as_bytes();
            let is_named = named.as_ref().is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(address));
            is_named || (carries(address, self.token) && !is_sender(address, self.token))
        })
    }

    /// The recipient that the receipt is about.
    fn recipient(self) -> Option<&'a EnvelopeRecipient> {
        let carrying = |recipient: &&EnvelopeRecipient| {
            let first = recipient.original.as_ref().map(|text| original(text.as_bytes())).unwrap_or_default();
            carries(recipient.address.as_bytes(), self.token) || carries(&first, self.token)
        };
        self.recipients().find(carrying).or_else(|| self.recipients().next())
    }

    fn has_null_sender(self) -> bool {
        self.arrival.envelope.as_ref().is_some_and(|envelope| sent::is_null(&envelope.sender))
    }

    /// Whether it was sent to the sender of the probe.
    fn is_to_sender(self) -> bool {
        let sent = sent::sender(self.record, self.token);
        self.recipients().map(|recipient| recipient.address.as_bytes()).any(|address| {
            // A case may have the same sender and recipient: then the address tells nothing.
            let same = || sent.as_ref().is_ok_and(|sent| sent.as_bytes().eq_ignore_ascii_case(address));
            is_sender(address, self.token) || (same() && !carries(address, self.token))
        })
    }

    fn egress(self, trace: &Trace, report: Option<&Report>) -> Option<Egress> {
        let Envelope { peer, helo, .. } = self.arrival.envelope.as_ref()?;
        let lines: Vec<_> = trace.hops.iter().map(|hop| hop.by.as_ref()).collect();
        let kind = match &*lines {
            _ if peer.is_some_and(|peer| self.is_target(peer)) => EgressKind::Direct,
            // The way of a report is not that of the message.
            _ if report.is_some() => EgressKind::Unknown,
            [_] => EgressKind::Direct,
            [top, .., lowest] if same(*top, *lowest) => EgressKind::Direct,
            [Some(_), .., Some(_)] => EgressKind::Smarthost,
            _ => EgressKind::Unknown,
        };
        Some(Egress { address: *peer, helo: helo.clone(), kind })
    }

    /// The machine that took the message from us: it wrote the lowest line, in a report that of the message returned.
    fn input(self, trace: &Trace) -> Option<Octets> {
        let lowest = |trace: &Trace| trace.hops.last()?.by.clone();
        if self.mail.is_test_message(self.token) {
            lowest(trace)
        } else {
            lowest(&Trace::read(&self.mail.returned()?.text))
        }
    }
}

/// Beginnings of fields that people add when they send a message on.
const FOREIGN: [&str; 3] = ["Resent-", "X-Forwarded-", "In-Reply-To"];

/// Beginnings of fields that lists and aliases add, and servers that pass a message through a program of theirs.
const MARKED: [&str; 3] = ["List-", "Delivered-To", "X-Original-To"];

/// Fields that only automatic answers have.
const ANSWERS: [&str; 4] = ["X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Autoresponse"];

/// Whether two names are known, and the same.
pub(super) fn same(one: Option<&Octets>, other: Option<&Octets>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.as_bytes().eq_ignore_ascii_case(other.as_bytes()))
}
