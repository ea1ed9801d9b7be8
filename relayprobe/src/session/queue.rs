//! What is still to be asked.

use alloc::vec::Vec;

use super::proof::Place;
use crate::matrix::{self, Hello};
use crate::moment::Moment;
use crate::plan::{Probe, RunRecord};

/// When in a path's life a probe is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Ask,
    /// Accepted cases, once more.
    Repeat,
    /// The last control.
    End,
    /// A message, for what was accepted.
    Prove,
}

/// Where a probe stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// To be asked from this moment on.
    Waiting(Moment),
    /// A connection has it.
    Taken,
    /// Answered, or given up.
    Settled,
}

/// One probe on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) probe: u16,
    pub(super) path: u16,
    /// Those of one kin share connections: their path is the same, and so is how it is introduced.
    pub(super) kin: u16,
    pub(super) stage: Stage,
    /// Whose turn it is: our own way in, then each path's survey, then each path's messages.
    pub(super) turn: u16,
    pub(super) state: State,
    /// Which message of the run it is, for those that get one.
    pub(super) place: Place,
    /// Connections that had it and did not settle it.
    pub(super) attempts: u8,
    /// Times that it was deferred.
    pub(super) deferrals: u8,
    /// Its connection fell out of step: it is asked in lockstep now.
    pub(super) alone: bool,
    /// Its lines were written once, so nothing that they need is missing.
    pub(super) writable: bool,
    /// For a repeat: the probe that must have been accepted.
    pub(super) beside: Option<u16>,
}

/// The probes of a run in the order they are asked.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    items: Vec<Item>,
}

impl Queue {
    pub(super) fn new(record: &RunRecord, now: Moment) -> Self {
        let mut kins: Vec<(u16, &Hello)> = Vec::new();
        let item = |probe: &Probe| {
            let case = record.case(probe)?;
            let introduced = (probe.path, &case.hello);
            let kin = kins.iter().position(|&kin| kin == introduced).unwrap_or_else(|| {
                kins.push(introduced);
                kins.len() - 1
            });
            let stage = match &*case.id {
                matrix::REPEAT => Stage::Repeat,
                matrix::END => Stage::End,
                matrix::PATH => Stage::Prove,
                _ => Stage::Ask,
            };
            let is_way_in = record.is_way_in(probe.path);
            // A token that is never sent must never be seen; a message to ourselves needs a way in.
            let silent = case.id == matrix::SILENCE || (case.id == matrix::PATH && !is_way_in);
            let turn = if is_way_in { 0 } else { probe.path.saturating_add(1) };
            Some(Item {
                probe: probe.number,
                path: probe.path,
                kin: u16::try_from(kin).ok()?,
                stage,
                turn,
                state: if silent { State::Settled } else { State::Waiting(now) },
                place: Place { number: 1, of: 1 },
                attempts: 0,
                deferrals: 0,
                alone: false,
                writable: false,
                beside: probe.beside,
            })
        };
        let mut items = Vec::with_capacity(record.probes.len());
        items.extend(record.probes.iter().filter_map(item));
        Self { items }
    }

    pub(super) fn get_mut(&mut self, probe: u16) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.probe == probe)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.items.iter_mut()
    }

    pub(super) fn set_writable(&mut self, probe: u16) {
        if let Some(item) = self.get_mut(probe) {
            item.writable = true;
        }
    }

    pub(super) fn settle(&mut self, probe: u16) {
        if let Some(item) = self.get_mut(probe) {
            item.state = State::Settled;
        }
    }

    /// Gives up what a path still has.
    pub(super) fn settle_path(&mut self, path: u16) {
        for item in self.items.iter_mut().filter(|item| item.path == path && item.state != State::Taken) {
            item.state = State::Settled;
        }
    }

    /// Gives up everything that no connection has.
    pub(super) fn settle_waiting(&mut self) {
        for item in self.items.iter_mut().filter(|item| item.state != State::Taken) {
            item.state = State::Settled;
        }
    }

    /// Items that may be asked now, in order.
    ///
    /// A turn begins when the ones before it have nothing to ask now, a stage when the ones before it are settled.
    pub(super) fn due(&self, now: Moment) -> impl Iterator<Item = &Item> {
        let is_ripe = move |item: &&Item| match item.state {
            State::Waiting(from) => from <= now,
            State::Taken => true,
            State::Settled => false,
        };
        let turn = self.items.iter().filter(is_ripe).map(|item| item.turn).min();
        let of_turn = move |item: &&Item| Some(item.turn) == turn;
        let unsettled = |item: &&Item| item.state != State::Settled;
        let stage = self.items.iter().filter(of_turn).filter(unsettled).map(|item| item.stage).min();
        let waits = move |item: &&Item| matches!(item.state, State::Waiting(from) if from <= now);
        self.items.iter().filter(of_turn).filter(waits).filter(move |item| Some(item.stage) == stage)
    }

    /// The next moment at which something becomes due by time alone.
    pub(super) fn next_moment(&self, now: Moment) -> Option<Moment> {
        let later = |item: &Item| match item.state {
            State::Waiting(from) if from > now => Some(from),
            State::Waiting(_) | State::Taken | State::Settled => None,
        };
        self.items.iter().filter_map(later).min()
    }

    /// Whether every item of a path is settled.
    pub(super) fn is_path_settled(&self, path: u16) -> bool {
        self.items.iter().filter(|item| item.path == path).all(|item| item.state == State::Settled)
    }

    /// Whether a path has anything unsettled before its end, other than what `taken` lists.
    pub(super) fn is_ending(&self, path: u16, taken: &[u16]) -> bool {
        self.items
            .iter()
            .filter(|item| item.path == path && item.stage != Stage::End)
            .all(|item| item.state == State::Settled || taken.contains(&item.probe))
    }

    /// Asks for the last control of a path once more: something was asked after it.
    pub(super) fn reopen_end(&mut self, path: u16, now: Moment) {
        for item in self.items.iter_mut().filter(|item| item.path == path && item.stage == Stage::End) {
            if item.state == State::Settled {
                item.state = State::Waiting(now);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.iter().all(|item| item.state == State::Settled)
    }

    /// Hands probes whose survey is done back in, each for its message, in this order.
    pub(super) fn prove(&mut self, chosen: &[u16], paths: u16, now: Moment) {
        let of = u16::try_from(chosen.len()).unwrap_or(u16::MAX);
        for (number, &probe) in (1..).zip(chosen) {
            let Some(at) = self.items.iter().position(|item| item.probe == probe) else { continue };
            let mut item = self.items.remove(at);
            item.stage = Stage::Prove;
            item.turn = item.path.saturating_add(1).saturating_add(paths);
            item.place = Place { number, of };
            item.state = State::Waiting(now);
            (item.attempts, item.deferrals, item.alone) = (0, 0, false);
            self.items.push(item);
        }
    }

    /// Leaves nothing to be asked but one probe.
    pub(super) fn keep_only(&mut self, probe: u16) {
        for item in self.items.iter_mut().filter(|item| item.probe != probe) {
            item.state = State::Settled;
        }
    }

    /// How many are settled, of how many.
    pub(super) fn progress(&self) -> (u16, u16) {
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let settled = self.items.iter().filter(|item| item.state == State::Settled).count();
        (count(settled), count(self.items.len()))
    }
}
