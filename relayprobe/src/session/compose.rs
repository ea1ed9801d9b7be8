//! What a connection is given to ask.

use alloc::vec::Vec;
use core::mem;

use super::dialogue::Dialogue;
use super::group::{Group, Offer, oddity};
use super::queue::{Item, Stage, State};
use super::script::{Line, Window};
use super::{Event, Output, Proof, Session, proof};
use crate::address::Domain;
use crate::matrix::{self, Hello};
use crate::plan::{Grouping, Names, RunRecord};
use crate::wire::Extension;

impl Session {
    /// Gives introduced connections their commands.
    pub(super) fn feed(&mut self) {
        for at in 0..self.dialogues.len() {
            if self.dialogues.get(at).is_some_and(Dialogue::is_ready) {
                self.learn_host(at);
                self.compose(at);
            }
        }
    }

    fn learn_host(&mut self, at: usize) {
        // Our own receiving server says nothing about the target.
        let own = self.dialogues.get(at).is_some_and(|dialogue| self.record.is_way_in(dialogue.path()));
        if self.host.is_none() && !own {
            self.host = self.dialogues.get(at).and_then(Dialogue::host);
        }
    }

    fn compose(&mut self, at: usize) {
        let sharing = self.sharing(at);
        let Some(dialogue) = self.dialogues.get_mut(at) else { return };
        let path = dialogue.path();
        let Some(state) = self.paths.get_mut(usize::from(path)) else { return };
        let kin = dialogue.kin();
        let due: Vec<Item> = self.queue.due(self.now).filter(|item| item.kin == kin).copied().collect();
        if due.first().is_some_and(|item| item.stage == Stage::Prove) {
            return self.compose_messages(at, &due);
        }
        // What fell out of step is asked one by one, apart from the rest.
        let alone = due.first().is_some_and(|item| item.alone);
        let window = window(&self.record, dialogue, alone);
        let grouped = window == Window::Group;
        let mut budget = self.record.limits.budget.unwrap_or_else(|| state.budget(dialogue));
        if !grouped && sharing > 1 {
            // One by one takes time: connections that stand open beside this one do their part.
            let share = u16::try_from(due.len().div_ceil(sharing)).unwrap_or(u16::MAX);
            // A case, and the control that tells whether its answer is about us.
            budget.transactions = budget.transactions.min(share.max(2));
        }
        let limits = dialogue.ehlo().limits();
        let own = *dialogue.hello() == Hello::Own;
        let watched: Vec<&str> = state.watch.on().filter(|_| own).collect();
        let mut group = Group::new(due.len(), budget, limits, window, state.mail_refused && grouped);
        for _ in &watched {
            group.reserve();
        }
        state.scouted |= own;
        let is_end = |item: &&Item| item.kin == kin && item.stage == Stage::End;
        let ends: Vec<Item> = self.queue.iter().filter(is_end).copied().collect();
        for item in due.iter().filter(|item| item.alone == alone) {
            match offer(&self.record, self.host.as_ref(), &mut group, item, dialogue) {
                Offer::Taken => {}
                Offer::Full if item.writable => {}
                Offer::Full => self.queue.set_writable(item.probe),
                Offer::Unfit => self.queue.settle(item.probe),
            }
        }
        for control in watched {
            check(&self.record, self.host.as_ref(), &mut group, path, control);
        }
        // The last control rides on the last group; on any other, the first control is asked again.
        let last = self.queue.is_ending(path, &group.taken);
        let end = ends.iter().find(|item| {
            last && matches!(item.state, State::Waiting(_)) && !group.taken.contains(&item.probe)
        });
        match end {
            Some(item) => drop(offer(&self.record, self.host.as_ref(), &mut group, item, dialogue)),
            None if own
                && group.asks_relays()
                && !ends.iter().any(|item| group.taken.contains(&item.probe)) =>
            {
                check(&self.record, self.host.as_ref(), &mut group, path, matrix::LOCAL_ACCEPT);
            }
            None => {}
        }
        for &probe in &group.taken {
            if let Some(item) = self.queue.get_mut(probe) {
                item.state = State::Taken;
            }
        }
        dialogue.taken = mem::take(&mut group.taken);
        group.give(dialogue);
    }

    /// How many connections of its kind have still to be given commands, itself among them.
    fn sharing(&self, at: usize) -> usize {
        let Some(dialogue) = self.dialogues.get(at) else { return 1 };
        let alike = |other: &&Dialogue| other.wants_script() && other.kin() == dialogue.kin();
        self.dialogues.iter().filter(alike).count().max(1)
    }

    /// The survey is done: chooses what gets a message.
    pub(super) fn prove(&mut self) {
        self.proof = Proof::Chosen;
        if self.end.is_some() {
            return;
        }
        let accepted: Vec<u16> = self.paths.iter().flat_map(|path| path.accepted.iter().copied()).collect();
        let chosen = proof::choose(&self.record, self.host.as_ref(), &accepted);
        if !chosen.is_empty() {
            let paths = u16::try_from(self.record.paths.len()).unwrap_or(u16::MAX);
            self.queue.prove(&chosen, paths, self.now);
            let messages = u16::try_from(chosen.len()).unwrap_or(u16::MAX);
            self.outputs.push_back(Output::Event(Event::Proving { messages }));
        }
    }

    fn compose_messages(&mut self, at: usize, due: &[Item]) {
        let Some(dialogue) = self.dialogues.get_mut(at) else { return };
        let alone = due.first().is_some_and(|item| item.alone);
        let date = self.record.date_at(self.origin.at(self.now));
        let mut script = Vec::new();
        let mut taken = Vec::new();
        let limits = dialogue.ehlo().limits();
        let most = usize::from(limits.transactions.min(limits.domains)).min(proof::A_CONNECTION);
        for item in due.iter().filter(|item| item.alone == alone).take(most) {
            let lines = self.record.probe(item.probe).and_then(|probe| {
                let names = Names::new(&self.record, probe, self.host.as_ref());
                let case = self.record.case(probe)?;
                proof::lines(probe, case, &names, dialogue.ehlo(), item.place, date).ok()
            });
            let Some(queued) = self.queue.get_mut(item.probe) else { continue };
            match lines {
                Some(lines) => {
                    queued.state = State::Taken;
                    taken.push(item.probe);
                    script.extend(lines);
                }
                None => queued.state = State::Settled,
            }
        }
        script.push(Line::quit());
        let window = window(&self.record, dialogue, alone);
        dialogue.taken = taken;
        dialogue.give(script.into(), window);
    }
}

/// What fell out of step is asked one by one, and so is a server that does not offer PIPELINING.
fn window(record: &RunRecord, dialogue: &Dialogue, alone: bool) -> Window {
    let offered = dialogue.ehlo().offers(Extension::Pipelining);
    if offered && !alone && record.limits.grouping == Grouping::Offered {
        Window::Group
    } else {
        Window::Lockstep
    }
}

fn offer(
    record: &RunRecord,
    host: Option<&Domain>,
    group: &mut Group,
    item: &Item,
    dialogue: &Dialogue,
) -> Offer {
    let Some(probe) = record.probe(item.probe) else { return Offer::Unfit };
    let Some(case) = record.case(probe) else { return Offer::Unfit };
    let beside = item.beside.and_then(|number| record.probe(number)).and_then(|other| record.case(other));
    let names = Names::new(record, probe, host);
    group.offer(item, case, oddity(case, beside, item.stage), &names, dialogue.ehlo())
}

/// Asks a control of a path again at the end of a group.
fn check(record: &RunRecord, host: Option<&Domain>, group: &mut Group, path: u16, control: &str) {
    if let Some(probe) = record.probe_of(path, control)
        && let Some(case) = record.case(probe)
    {
        group.check(probe.number, case, &Names::new(record, probe, host));
    }
}
