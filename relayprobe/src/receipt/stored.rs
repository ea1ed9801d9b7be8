//! A message that another server received for us and put into a mailbox.

use alloc::vec::Vec;

use super::classify::same;
use super::{Arrival, Envelope, EnvelopeRecipient, Handover};
use crate::moment::Date;
use crate::octets::Octets;
use crate::trace::fields::{Field, begins, fields};
use crate::trace::{Hop, Quality};

impl Arrival {
    /// The arrival of a message that another server received for us, at `at`.
    ///
    /// That server put its Received line on top, and above it what it knew of the envelope (`Return-Path`, RFC 5321 §4.4;
    /// `X-Original-To`, `Envelope-To` or `Delivered-To`). These are believed, and taken away: the message that remains is
    /// as it was handed over, so nothing in it was written by our side. Without a `Return-Path` there is no envelope.
    pub fn from_message(octets: &[u8], at: Date) -> Self {
        let header = fields(octets);
        let Some((line, hop)) = handover(&header) else {
            return Self { at, handover: Handover::Taken, envelope: None, message: octets.into() };
        };
        let above = header.get(..line).unwrap_or_default();
        let message = header.get(line).and_then(|field| octets.get(field.end..)).unwrap_or_default();
        Self { at, handover: Handover::Taken, envelope: envelope(above, hop), message: message.into() }
    }
}

/// The line of the handover to the receiving server: the topmost that is not of its own delivery to the mailbox, of a
/// program that fetched it from there, or of its way through a filter on the same machine.
///
/// A filter hands the message back to the server that it has it from: the lines of both have a client on their own machine,
/// and the next one is of that server again. If it is not, the server is behind a proxy on its machine, or all of them are
/// on one, and what is below the topmost was written by others.
fn handover(header: &[Field]) -> Option<(usize, Hop)> {
    let lines = header.iter().enumerate().filter(|(_, field)| field.is("Received"));
    let hops = lines.map(|(at, field)| (at, Hop::read(&field.value)));
    let mut hops = hops.filter(|(_, hop)| !is_delivery(hop));
    let is_inside = |hop: &Hop| hop.peer.is_some_and(|peer| peer.to_canonical().is_loopback());
    let top = hops.next()?;
    if !is_inside(&top.1) {
        return Some(top);
    }
    let outer = hops.find(|(_, hop)| !is_inside(hop));
    let is_own = |(_, hop): &(usize, Hop)| same(hop.by.as_ref(), top.1.by.as_ref());
    Some(outer.filter(is_own).unwrap_or(top))
}

fn is_delivery(hop: &Hop) -> bool {
    let protocol = hop.with.as_ref().map(Octets::as_bytes).unwrap_or_default();
    let is_to_a_mailbox = || ["LMTP", "IMAP", "POP"].iter().any(|start| begins(protocol, start));
    hop.quality == Quality::LocalHandover || is_to_a_mailbox()
}

fn envelope(above: &[Field], hop: Hop) -> Option<Envelope> {
    let named = |name: &str| {
        let values = above.iter().filter(|field| field.is(name)).flat_map(|field| addresses(&field.value));
        values.collect::<Vec<Octets>>()
    };
    let sender = above.iter().find(|field| field.is("Return-Path")).map(|field| bare(&field.value))?;
    let fields = ["X-Original-To", "Envelope-To", "Delivered-To"];
    let recipients = fields.iter().map(|name| named(name)).find(|found| !found.is_empty());
    let recipients = recipients.unwrap_or_else(|| hop.recipient.into_iter().collect());
    let recipient = |address| EnvelopeRecipient { address, original: None };
    Some(Envelope {
        by: hop.by,
        peer: hop.peer,
        helo: hop.helo.unwrap_or_default(),
        sender: sender.into(),
        recipients: recipients.into_iter().map(recipient).collect(),
    })
}

/// Exim names all recipients in one field. A comma in quotes is part of an address.
fn addresses(value: &[u8]) -> Vec<Octets> {
    let mut quoted = false;
    let pieces = value.split(|&b| {
        quoted ^= b == b'"';
        b == b',' && !quoted
    });
    pieces.map(bare).filter(|address| !address.is_empty()).map(Octets::from).collect()
}

fn bare(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    value.strip_prefix(b"<").and_then(|inner| inner.strip_suffix(b">")).unwrap_or(value)
}
