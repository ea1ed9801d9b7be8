//! A transcript with its replies paired, once for all who judge by it.

use alloc::vec;
use alloc::vec::Vec;

use super::read_kept;
use crate::address::Domain;
use crate::moment::Moment;
use crate::octets::Octets;
use crate::plan::RunRecord;
use crate::transcript::{Answer, Class, Connection, Entry, Ledger, Step, Transcript, What};
use crate::wire::Ehlo;

/// An answer with its place in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting {
    pub(crate) connection: usize,
    pub(crate) answer: Answer,
    pub(crate) order: Order,
}

/// Orders answers by time, then by connection and place: those of a group come at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order {
    at: Moment,
    connection: usize,
    entry: usize,
}

/// A connection, and what its replies belong to.
pub(crate) struct Seen<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) ledger: Ledger,
    /// The positive replies to EHLO or HELO, and whether each came inside TLS.
    pub(crate) hellos: Vec<(Ehlo, bool)>,
}

/// A transcript with its replies paired.
pub(crate) struct Evidence<'a> {
    pub(crate) record: &'a RunRecord,
    pub(crate) transcript: &'a Transcript,
    seen: Vec<Seen<'a>>,
    /// What the server called itself on the first connection on which it did.
    pub(crate) host: Option<Domain>,
    pub(crate) sightings: Vec<Sighting>,
    /// For each probe, the place of the answer that counts among them.
    counting: Vec<Option<usize>>,
    /// Messages that were begun: the probe, and when.
    pub(crate) messages: Vec<(u16, Moment)>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(record: &'a RunRecord, transcript: &'a Transcript) -> Self {
        let seen: Vec<Seen<'_>> = transcript.connections.iter().map(Seen::new).collect();
        let mut sightings = Vec::with_capacity(seen.iter().map(|seen| seen.ledger.answers().len()).sum());
        for (at, Seen { connection, ledger, .. }) in seen.iter().enumerate() {
            for &answer in ledger.answers() {
                let Some(reply) = connection.entries.get(answer.entry) else { continue };
                let order = Order { at: reply.at, connection: at, entry: answer.entry };
                sightings.push(Sighting { connection: at, answer, order });
            }
        }
        sightings.sort_by_key(|sighting| sighting.order);
        let counting = counting(record.probes.len(), &sightings);
        let entries = transcript.connections.iter().flat_map(|connection| &connection.entries);
        let message = |entry: &Entry| match entry.what {
            What::Command { step: Step::Message, probe: Some(probe), .. } => Some((probe, entry.at)),
            _ => None,
        };
        let messages = entries.filter_map(message).collect();
        let evidence = Self { record, transcript, seen, host: None, sightings, counting, messages };
        let host = evidence.target_connections().find_map(|seen| seen.connection.host(&seen.ledger));
        Self { host, ..evidence }
    }

    /// The connections to the target; our own receiving server says nothing about it.
    pub(crate) fn target_connections(&self) -> impl Iterator<Item = &Seen<'a>> {
        self.seen.iter().filter(|seen| !self.record.is_way_in(seen.connection.path))
    }

    /// The connections of one path.
    pub(crate) fn connections(&self, path: u16) -> impl DoubleEndedIterator<Item = &Seen<'a>> {
        self.seen.iter().filter(move |seen| seen.connection.path == path)
    }

    /// When the message of a probe was last begun.
    pub(crate) fn message(&self, probe: u16) -> Option<Moment> {
        self.messages.iter().filter(|(of, _)| *of == probe).map(|&(_, at)| at).max()
    }

    /// The answer that counts: the last one to DATA or a message, else to an envelope. A server that accepted an
    /// envelope has accepted it, whatever it says when it is asked again.
    pub(super) fn answer(&self, probe: u16) -> Option<&Sighting> {
        self.sightings.get((*self.counting.get(usize::from(probe))?)?)
    }

    /// The answers to one probe, in order of time.
    pub(crate) fn answers(&self, probe: u16) -> impl DoubleEndedIterator<Item = &Sighting> {
        self.sightings.iter().filter(move |sighting| sighting.answer.probe == probe)
    }

    /// The reply of an answer, as kept.
    pub(crate) fn reply(&self, sighting: &Sighting) -> Option<&'a Octets> {
        self.transcript.connections.get(sighting.connection)?.reply(sighting.answer.entry)
    }
}

impl<'a> Seen<'a> {
    fn new(connection: &'a Connection) -> Self {
        let ledger = connection.ledger();
        let secured = connection.entries.iter().position(|entry| matches!(entry.what, What::Secured { .. }));
        let done = |step: Step, class: Class| step == Step::Hello && class == Class::Done;
        let turns = ledger.turns().iter().filter(|turn| done(turn.asked.step, turn.class));
        let hellos = turns.filter_map(|turn| {
            let ehlo = read_kept(connection.reply(turn.entry)?, |reply| Ehlo::read(&reply))?;
            Some((ehlo, secured.is_some_and(|place| place < turn.entry)))
        });
        Self { connection, hellos: hellos.collect(), ledger }
    }
}

/// The place of the answer that counts for each probe.
fn counting(probes: usize, sightings: &[Sighting]) -> Vec<Option<usize>> {
    let weight = |answer: &Answer| match answer.step {
        Step::Data | Step::Message => 2,
        _ => u8::from(answer.code.is_positive()),
    };
    let mut counting = vec![None; probes];
    for (place, Sighting { answer, .. }) in sightings.iter().enumerate() {
        let Some(counts) = counting.get_mut(usize::from(answer.probe)) else { continue };
        let other = counts.and_then(|place: usize| sightings.get(place));
        if other.is_none_or(|other| weight(&other.answer) <= weight(answer)) {
            *counts = Some(place);
        }
    }
    counting
}
