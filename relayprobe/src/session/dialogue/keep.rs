//! What is kept as evidence.

use alloc::boxed::Box;

use super::Dialogue;
use crate::moment::Moment;
use crate::octets::Octets;
use crate::plan::Limits;
use crate::transcript::{Astray, Cut, Entry, What, keep};
use crate::wire::ReplyFault;

/// Octets of a peer that are kept as evidence of a fault.
pub(super) const EVIDENCE: usize = 1_024;

impl Dialogue {
    /// Room for commands with their replies and for the end of the connection, once and no more than it takes: thousands
    /// of connections may wait for their answers.
    pub(super) fn make_room(&mut self, commands: usize) {
        self.record.entries.reserve_exact(2 * commands + 3);
        self.ledger.make_room(commands);
    }

    pub(super) fn note(&mut self, now: Moment, what: What) {
        self.record.entries.push(Entry { at: self.origin.at(now), what });
    }

    pub(super) fn note_fault(&mut self, fault: ReplyFault, now: Moment) {
        let (octets, cut) = keep(self.decoder.pending().into(), EVIDENCE);
        self.note(now, What::Fault { fault, octets, cut });
        self.ledger.lose_step(Astray::NotAReply);
    }

    pub(super) fn note_unfinished(&mut self, now: Moment) {
        if self.decoder.is_midway() {
            self.note_fault(self.decoder.fault(), now);
        }
    }

    /// Keeps a reply as far as the plan allows; a full transcript keeps the first line's beginning.
    pub(super) fn keep_reply(&mut self, octets: Octets, limits: &Limits) -> (Octets, Option<Box<Cut>>) {
        let room = if self.kept < limits.kept_per_connection { limits.kept_per_reply } else { 128 };
        let (kept, cut) = keep(octets, usize::try_from(room).unwrap_or(usize::MAX));
        self.kept = self.kept.saturating_add(u64::try_from(kept.as_bytes().len()).unwrap_or(u64::MAX));
        (kept, cut)
    }
}
