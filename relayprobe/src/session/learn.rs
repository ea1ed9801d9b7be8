//! What follows from a connection that is over.

use alloc::vec::Vec;
use core::time::Duration;

use super::dialogue::Dialogue;
use super::path::Health;
use super::queue::{Stage, State};
use super::watch;
use super::{Event, Output, Session};
use crate::matrix::{self, Hello, Shape};
use crate::plan::millis;
use crate::refusal::refuses_relaying;
use crate::target::Tls;
use crate::transcript::{Class, Connection, Ledger, Step};
use crate::wire::{Reply, Wording};

impl Session {
    /// Takes the answers of connections that are over.
    pub(super) fn reap(&mut self) {
        while let Some(at) = self.dialogues.iter().position(Dialogue::is_over) {
            let dialogue = self.dialogues.remove(at);
            let taken = dialogue.taken.clone();
            let (connection, ledger) = dialogue.into_parts();
            self.learn(&connection, &ledger, &taken);
            self.transcript.connections.push(connection);
            let (settled, all) = self.queue.progress();
            self.outputs.push_back(Output::Event(Event::Progress { settled, all }));
        }
    }

    fn learn(&mut self, connection: &Connection, ledger: &Ledger, taken: &[u16]) {
        if !self.record.is_way_in(connection.path) {
            self.next_connect = self.next_connect.max(self.now.after(millis(self.record.limits.pause)));
        }
        if !ledger.is_greeted() && !self.dialogues.is_empty() {
            // It says nothing but how many are too many: what it was for is asked by those that are open.
            self.lanes = self.dialogues.len();
            return;
        }
        self.outputs.reserve(ledger.answers().len());
        for answer in ledger.answers() {
            self.outputs.push_back(Output::Event(Event::Answered { probe: answer.probe, code: answer.code }));
        }
        self.learn_path(connection, ledger);
        let again = self.watch(connection, ledger);
        let mut retried = 0_u16;
        let mut retry_at = self.now;
        for &probe in taken {
            let answer = ledger.answers().iter().rev().find(|answer| answer.probe == probe);
            let deferred = answer.is_some_and(|answer| {
                let words = || words(connection, answer.entry);
                let relaying = || words().is_some_and(|words| refuses_relaying(&words, &self.record));
                answer.code.is_transient() && !relaying()
            });
            let accepted = answer.is_some_and(|answer| answer.code.is_positive());
            // A message that was begun is never sent again, unless the server put it off after its end.
            let begun = ledger.has_begun(probe);
            let deferred = deferred && (!begun || answer.is_some_and(|answer| answer.step == Step::Message));
            let proving = self.queue.get_mut(probe).is_some_and(|item| item.stage == Stage::Prove);
            let answered = if proving {
                begun || answer.is_some() && !accepted
            } else {
                answer.is_some() && !again.contains(&probe)
            };
            self.settle(probe, answered, deferred, ledger.astray().is_some());
            if accepted {
                self.paths
                    .get_mut(usize::from(connection.path))
                    .into_iter()
                    .for_each(|path| path.accepted.push(probe));
            }
            if let Some(State::Waiting(at)) =
                self.queue.get_mut(probe).map(|item| item.state).filter(|_| deferred)
            {
                retried += 1;
                retry_at = retry_at.max(at);
            }
        }
        if retried > 0 {
            self.outputs.push_back(Output::Event(Event::Retrying { probes: retried, at: retry_at }));
        }
    }

    fn settle(&mut self, probe: u16, answered: bool, deferred: bool, astray: bool) {
        let now = self.now;
        let limits = &self.record.limits;
        let stopped = self.end.is_some();
        let Some(item) = self.queue.get_mut(probe) else { return };
        let path = item.path;
        let retry = limits.retries.get(usize::from(item.deferrals)).filter(|_| deferred);
        item.state = match (answered, retry) {
            _ if stopped => State::Settled,
            (true, Some(&seconds)) => {
                item.deferrals += 1;
                State::Waiting(now.after(Duration::from_secs(u64::from(seconds))))
            }
            (true, None) => State::Settled,
            (false, _) => {
                item.attempts += 1;
                item.alone |= astray;
                if item.attempts < limits.attempts { State::Waiting(now) } else { State::Settled }
            }
        };
        let again = item.state != State::Settled && matches!(item.stage, Stage::Ask | Stage::Repeat);
        if self.paths.get(usize::from(path)).is_some_and(|path| path.health == Health::Dead) {
            self.queue.settle_path(path);
        } else if again {
            self.queue.reopen_end(path, now);
        }
    }

    /// A repeat is only asked of what was accepted.
    pub(super) fn drop_idle_repeats(&mut self, path: u16) {
        let asked = self
            .queue
            .iter()
            .filter(|item| item.path == path && item.stage == Stage::Ask)
            .all(|item| item.state == State::Settled);
        let Some(state) = self.paths.get(usize::from(path)).filter(|_| asked) else { return };
        for item in self.queue.iter_mut().filter(|item| item.path == path && item.stage == Stage::Repeat) {
            if matches!(item.state, State::Waiting(_))
                && !item.beside.is_some_and(|beside| state.accepted.contains(&beside))
            {
                item.state = State::Settled;
            }
        }
    }

    fn learn_path(&mut self, connection: &Connection, ledger: &Ledger) {
        let Some(state) = self.paths.get_mut(usize::from(connection.path)) else { return };
        let tls = self.record.paths.get(usize::from(connection.path)).map_or(Tls::None, |path| path.tls);
        let is_control = |probe: u16| {
            let case = self.record.probe(probe).and_then(|probe| self.record.case(probe));
            case.is_some_and(|case| case.id == matrix::LOCAL_ACCEPT)
        };
        state.learn(connection, ledger, tls, is_control);
        if let Some(wait) = state.busy_wait(connection, ledger, self.record.limits.backoff) {
            self.next_connect = self.next_connect.max(self.now.after(wait));
        }
        if state.health == Health::Dead {
            self.queue.settle_path(connection.path);
        }
        self.wake_tls(connection, ledger);
    }

    /// The probes of a connection whose refusals have to be asked again.
    fn watch(&mut self, connection: &Connection, ledger: &Ledger) -> Vec<u16> {
        let record = &self.record;
        let Some(state) = self.paths.get_mut(usize::from(connection.path)) else { return Vec::new() };
        let controls = watch::CONTROLS
            .map(|control| record.probe_of(connection.path, control).map(|probe| probe.number));
        let relay = |probe: u16| {
            let case = record.probe(probe).and_then(|probe| record.case(probe))?;
            // Behind an early DATA nothing can be asked.
            (!case.is_control() && case.shape != Shape::EarlyData).then_some(case)
        };
        let again = state.watch.learn(connection, ledger, controls, relay);
        // Under another name nothing is asked again: what that name meets shows behind all of them, under our own.
        if connection.hello == Hello::Own { again } else { Vec::new() }
    }

    /// Opens the STARTTLS path of a port whose server wants TLS first, and gives up what needs no asking.
    fn wake_tls(&mut self, connection: &Connection, ledger: &Ledger) {
        let asks = || {
            ledger.turns().iter().any(|turn| {
                turn.class == Class::Refused
                    && words(connection, turn.entry).is_some_and(|words| words.asks_for_tls())
            })
        };
        let port = self.record.paths.get(usize::from(connection.path)).map(|path| path.port);
        for (path, state) in self.record.paths.iter().zip(&mut self.paths) {
            if Some(path.port) == port && state.health == Health::Asleep && asks() {
                state.health = Health::Open;
            }
        }
    }
}

fn words(connection: &Connection, entry: usize) -> Option<Wording<'_>> {
    let reply = Reply::parse(connection.reply(entry)?.as_bytes()).ok()?;
    Some(Wording::of(reply))
}
