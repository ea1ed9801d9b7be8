//! What is still to be asked.

use alloc::vec::Vec;

use crate::matrix::{self, Hello};
use crate::moment::Moment;
use crate::plan::RunRecord;

/// When in a path's life a probe is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Ask,
    /// Accepted cases, once more.
    Repeat,
    /// The last control.
    End,
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
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) probe: u16,
    pub(super) path: u16,
    pub(super) hello: Hello,
    pub(super) stage: Stage,
    pub(super) state: State,
    /// Connections that had it and did not settle it.
    pub(super) attempts: u8,
    /// Times that it was deferred.
    pub(super) deferrals: u8,
    /// Its connection fell out of step: it is asked in lockstep now.
    pub(super) alone: bool,
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
        let item = |probe: &crate::plan::Probe| {
            let case = record.case(probe)?;
            let stage = match &*case.id {
                matrix::REPEAT => Stage::Repeat,
                matrix::END => Stage::End,
                _ => Stage::Ask,
            };
            Some(Item {
                probe: probe.number,
                path: probe.path,
                hello: case.hello.clone(),
                stage,
                state: State::Waiting(now),
                attempts: 0,
                deferrals: 0,
                alone: false,
                beside: probe.beside,
            })
        };
        Self { items: record.probes.iter().filter_map(item).collect() }
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
    /// A path begins when the ones before it have nothing to ask now, a stage when the ones before it are settled.
    pub(super) fn due(&self, now: Moment) -> impl Iterator<Item = &Item> {
        let is_ripe = move |item: &&Item| match item.state {
            State::Waiting(from) => from <= now,
            State::Taken => true,
            State::Settled => false,
        };
        let path = self.items.iter().filter(is_ripe).map(|item| item.path).min();
        let on_path = move |item: &&Item| Some(item.path) == path;
        let unsettled = |item: &&Item| item.state != State::Settled;
        let stage = self.items.iter().filter(on_path).filter(unsettled).map(|item| item.stage).min();
        let waits = move |item: &&Item| matches!(item.state, State::Waiting(from) if from <= now);
        self.items.iter().filter(on_path).filter(waits).filter(move |item| Some(item.stage) == stage)
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

    /// How many are settled, of how many.
    pub(super) fn progress(&self) -> (u16, u16) {
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let settled = self.items.iter().filter(|item| item.state == State::Settled).count();
        (count(settled), count(self.items.len()))
    }
}
