//! The run against one target address, without a socket.

mod budget;
mod dialogue;
mod group;
mod io;
mod path;
mod proof;
mod queue;

pub use io::{Event, Input, Output};

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use crate::address::Domain;
use crate::link::{ConnId, Endpoint};
use crate::matrix::{self, Hello};
use crate::moment::Moment;
use crate::plan::{DriverTls, Grouping, Names, Plan, Probe, RunRecord, host_name, millis};
use crate::target::Tls;
use crate::token::Keyring;
use crate::transcript::{Class, Connection, End, Ledger, Step, Transcript};
use crate::wire::{Extension, Reply, asks_for_tls, names_relaying};

use dialogue::{Dialogue, Line, Opening, Window};
use group::{Group, Offer, oddity};
use path::{Health, PathState};
use queue::{Item, Queue, Stage, State};

/// A run: hands its probes out to connections, counts what they may ask, decides on reconnects and retries.
///
/// It never reads a clock and never opens a socket: [`poll_output`](Self::poll_output) says what to start,
/// [`handle_input`](Self::handle_input) takes what came of it.
#[derive(Debug)]
pub struct Session {
    record: RunRecord,
    transcript: Transcript,
    queue: Queue,
    dialogues: Vec<Dialogue>,
    paths: Vec<PathState>,
    outputs: VecDeque<Output>,
    host: Option<Domain>,
    origin: Origin,
    now: Moment,
    next_connect: Moment,
    opened: u32,
    received: u64,
    proof: Proof,
    end: Option<End>,
}

/// Where the times of a transcript count from.
#[derive(Clone, Copy, Debug)]
struct Origin {
    start: Moment,
    /// How old the run was at the start.
    age: Duration,
}

impl Origin {
    fn at(self, now: Moment) -> Moment {
        Moment::ZERO.after(now.since(self.start).saturating_add(self.age))
    }
}

/// Whether messages are still to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    ToCome,
    Chosen,
}

impl Session {
    /// A session for `plan`; `now` is the caller's clock, and the run's times count from it.
    pub fn new(plan: Plan, now: Moment) -> Self {
        Self::of(plan.into_record(), now)
    }

    fn of(record: RunRecord, now: Moment) -> Self {
        let health = |tls: Tls| match (tls, record.tls) {
            (Tls::None, _) | (Tls::StartTls | Tls::Implicit, DriverTls::Able) => Health::Open,
            (Tls::StartTlsIfAsked, DriverTls::Able) => Health::Asleep,
            (Tls::StartTls | Tls::StartTlsIfAsked | Tls::Implicit, DriverTls::Unable) => Health::Dead,
        };
        let paths: Vec<PathState> =
            record.paths.iter().map(|path| PathState::new(health(path.tls))).collect();
        let mut queue = Queue::new(&record, now);
        for (path, state) in (0..).zip(&paths) {
            if state.health == Health::Dead {
                queue.settle_path(path);
            }
        }
        Self {
            paths,
            queue,
            record,
            transcript: Transcript::default(),
            dialogues: Vec::new(),
            outputs: VecDeque::new(),
            host: None,
            origin: Origin { start: now, age: Duration::ZERO },
            now,
            next_connect: now,
            opened: 0,
            received: 0,
            proof: Proof::ToCome,
            end: None,
        }
    }

    /// A session that only sees once more whether our own receiving server is there. `age` is the time since the run was
    /// planned.
    ///
    /// A stored record is no plan: whoever could write to it could send mail in our name. So there is no session if the run
    /// named no way in, or if `keys` did not make the token that stands in the record. What it records is to be added to
    /// the run's transcript.
    pub fn check_way_in(
        report: &RunRecord,
        keys: &Keyring,
        transcript: &Transcript,
        age: Duration,
        now: Moment,
    ) -> Option<Self> {
        let is_control = |probe: &&Probe| {
            report.is_way_in(probe.path) && report.case(probe).is_some_and(|case| case.id == matrix::PATH)
        };
        let probe = report.probes.iter().find(is_control)?;
        let genuine =
            report.case(probe).is_some_and(|case| matrix::built_in().any(|built_in| built_in == *case));
        let token = probe.user.parse().ok()?;
        if !genuine || !keys.verify(&token, &report.binding(probe)?) {
            return None;
        }
        let control = probe.number;
        let mut session = Self::of(report.clone(), now);
        session.queue.keep_only(control);
        session.proof = Proof::Chosen;
        session.origin.age = age;
        session.opened =
            transcript.connections.iter().map(|connection| connection.id.0.saturating_add(1)).max()?;
        Some(session)
    }

    /// The plan's record.
    pub const fn record(&self) -> &RunRecord {
        &self.record
    }

    /// Takes in what happened. Never fails; input for a connection that has ended is ignored, and earlier time counts
    /// as no time.
    #[expect(clippy::needless_pass_by_value, reason = "an input happened once and is used up")]
    pub fn handle_input(&mut self, input: Input<'_>, now: Moment) {
        self.now = self.now.max(now);
        let (limits, now, out) = (&self.record.limits, self.now, &mut self.outputs);
        let id = match &input {
            Input::Tick => None,
            Input::Connected(id)
            | Input::Sent(id)
            | Input::Received(id, _)
            | Input::Secured(id, _)
            | Input::Lost(id, _) => Some(*id),
        };
        for dialogue in self.dialogues.iter_mut().filter(|dialogue| id.is_none_or(|id| dialogue.id() == id)) {
            dialogue.expire(now, out);
            match &input {
                Input::Tick => dialogue.on_tick(limits, now, out),
                Input::Connected(_) => dialogue.on_connected(limits, now, out),
                Input::Sent(_) => dialogue.on_sent(limits, now),
                Input::Received(_, octets) => {
                    self.received =
                        self.received.saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
                    dialogue.on_received(octets, limits, now, out);
                }
                Input::Secured(_, facts) => dialogue.on_secured(facts.clone(), limits, now),
                Input::Lost(_, loss) => dialogue.on_lost(*loss, now),
            }
        }
        self.reap();
    }

    /// What to do next. Call it until it says [`Output::Wait`] or [`Output::Finished`].
    pub fn poll_output(&mut self) -> Output {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            self.hold_limits();
            self.feed();
            self.tidy();
            self.open();
            if !self.outputs.is_empty() {
                continue;
            }
            if self.dialogues.is_empty() && self.queue.is_empty() {
                if self.proof == Proof::ToCome {
                    self.prove();
                    continue;
                }
                self.finish();
                return Output::Finished;
            }
            return Output::Wait(self.wake());
        }
    }

    /// Ends the run politely and keeps what was learnt. Go on until [`Output::Finished`].
    pub fn stop(&mut self, now: Moment) {
        self.now = self.now.max(now);
        self.end_early(End::Stopped);
    }

    /// The plan and the transcript, whether or not the run is over.
    pub fn into_parts(mut self) -> (RunRecord, Transcript) {
        for dialogue in self.dialogues.drain(..) {
            self.transcript.connections.push(dialogue.into_parts().0);
        }
        self.transcript.connections.sort_by_key(|connection| connection.id);
        if self.transcript.end.is_none() {
            self.transcript.end = Some(End::Stopped);
            self.transcript.ended = self.origin.at(self.now);
        }
        (self.record, self.transcript)
    }

    fn finish(&mut self) {
        if self.transcript.end.is_none() {
            let dead = self.paths.first().is_some_and(|path| path.health == Health::Dead);
            let natural = if dead { End::NoService } else { End::Complete };
            self.transcript.end = Some(self.end.unwrap_or(natural));
            self.transcript.ended = self.origin.at(self.now);
            self.transcript.connections.sort_by_key(|connection| connection.id);
        }
    }

    fn end_early(&mut self, end: End) {
        if self.end.is_some() {
            return;
        }
        self.end = Some(end);
        self.queue.settle_waiting();
        for dialogue in &mut self.dialogues {
            dialogue.stop(&self.record.limits, self.now, &mut self.outputs);
        }
        self.reap();
    }

    fn hold_limits(&mut self) {
        let limits = &self.record.limits;
        let late = self.now >= self.origin.start.after(millis(limits.deadlines.run));
        if late || self.received > limits.received_per_run {
            self.end_early(End::Limit);
        }
    }

    /// The moment at which something must happen at the latest.
    fn wake(&self) -> Moment {
        let run = self.origin.start.after(millis(self.record.limits.deadlines.run));
        // A run that is ending waits for its connections alone.
        let limit = Some(run).filter(|_| self.end.is_none());
        let dialogues = self.dialogues.iter().map(Dialogue::due).min();
        let idle = usize::from(self.record.limits.connections_at_once) > self.dialogues.len();
        // What is due already waits for the pause between connections, or for one of them to end.
        let pause = Some(self.next_connect).filter(|&moment| idle && moment > self.now);
        let queue = self.queue.next_moment(self.now).filter(|_| idle);
        [limit, dialogues, pause, queue].into_iter().flatten().min().unwrap_or(run)
    }

    /// Settles what will not be asked: repeats of what was refused, and TLS that nobody wants.
    fn tidy(&mut self) {
        for path in 0..self.paths.len() {
            let number = u16::try_from(path).unwrap_or(u16::MAX);
            self.drop_idle_repeats(number);
            self.dismiss_asleep(path, number);
        }
        let open = |item: &Item| {
            self.paths.get(usize::from(item.path)).is_some_and(|path| path.health == Health::Open)
        };
        let due = self.queue.due(self.now).any(open);
        if self.dialogues.is_empty() && !due && self.queue.next_moment(self.now).is_none() {
            self.queue.settle_waiting();
        }
    }

    /// The path in the clear is done, and its server did not ask for TLS.
    fn dismiss_asleep(&mut self, path: usize, number: u16) {
        let asleep = self.paths.get(path).is_some_and(|state| state.health == Health::Asleep);
        let port = self.record.paths.get(path).map(|path| path.port);
        let clear =
            self.record.paths.iter().position(|other| Some(other.port) == port && other.tls == Tls::None);
        let done =
            clear.and_then(|at| u16::try_from(at).ok()).is_none_or(|at| self.queue.is_path_settled(at));
        if asleep && done {
            self.queue.settle_path(number);
        }
    }

    /// Opens a connection for what is due, if one may be opened.
    fn open(&mut self) {
        while let Some((item, key)) = self.next_to_open() {
            if self.opened >= self.record.limits.connections {
                self.end_early(End::Limit);
                return;
            }
            match self.opening(&item, &key) {
                Some(opening) => self.connect(&item, key, opening),
                // Its own HELO name is not known: it cannot be asked.
                None => self.queue.settle(item.probe),
            }
        }
    }

    fn next_to_open(&self) -> Option<(Item, Hello)> {
        let lanes = usize::from(self.record.limits.connections_at_once);
        if self.end.is_some() || self.dialogues.len() >= lanes || self.now < self.next_connect {
            return None;
        }
        let item = self.queue.due(self.now).find(|item| {
            let open = self.paths.get(usize::from(item.path)).is_some_and(|path| path.health == Health::Open);
            open && self.is_worth_a_connection(item)
        })?;
        Some((item.clone(), item.hello.clone()))
    }

    /// Connections that have still to be given a script will take what is due; only a surplus is worth another.
    fn is_worth_a_connection(&self, item: &Item) -> bool {
        let opening = self.dialogues.iter().filter(|dialogue| dialogue.wants_script());
        let same = opening.filter(|d| d.path() == item.path && *d.hello() == item.hello).count();
        // The first connection of a path learns what the server is; without one nothing is opened beside it.
        let due = self
            .queue
            .due(self.now)
            .filter(|other| other.path == item.path && other.hello == item.hello)
            .count();
        due > same * usize::from(budget::SCOUT_REFUSALS)
    }

    fn opening(&self, item: &Item, hello: &Hello) -> Option<Opening> {
        let probe = self.record.probe(item.probe)?;
        let path = self.record.path(probe)?;
        let names = Names::new(&self.record, probe, self.host.as_ref());
        let old = self.paths.get(usize::from(item.path)).is_some_and(|path| path.old_verb);
        let tag = (*hello != Hello::Own).then_some(item.probe);
        let line = |hello: &Hello| -> Result<Option<Line>, ()> {
            let command = names.hello(hello).map_err(|_| ())?;
            Ok(command.map(|command| Line::command(Step::Hello, tag, &command)))
        };
        let begin = if *hello == Hello::Own && old { &Hello::OldVerb } else { hello };
        let fallback = match begin {
            Hello::Own => line(&Hello::OldVerb).ok()?,
            Hello::Name(_) => {
                names.old_hello(begin).ok().map(|command| Line::command(Step::Hello, tag, &command))
            }
            Hello::OldVerb | Hello::None => None,
        };
        Some(Opening { tls: path.tls, server_name: self.server_name(), hello: line(begin).ok()?, fallback })
    }

    fn server_name(&self) -> String {
        self.record
            .target
            .name
            .as_ref()
            .map_or_else(|| self.record.target.address.to_string(), ToString::to_string)
    }

    fn connect(&mut self, item: &Item, hello: Hello, opening: Opening) {
        let Some(path) = self.record.paths.get(usize::from(item.path)) else { return };
        let id = ConnId(self.opened);
        self.opened += 1;
        let own = self.record.way_in.filter(|_| self.record.is_way_in(item.path));
        let remote = own.unwrap_or_else(|| SocketAddr::new(self.record.target.address, path.port));
        self.outputs.push_back(Output::Event(Event::Connecting { connection: id, path: item.path }));
        self.outputs.push_back(Output::Connect(id, Endpoint::new(remote, self.record.source)));
        let limits = &self.record.limits;
        let mut dialogue = Dialogue::new(id, item.path, hello, opening, limits, self.origin, self.now);
        // Until it is given its group, the connection is this probe's: it may be refused for its HELO name.
        dialogue.taken.push(item.probe);
        self.dialogues.push(dialogue);
    }

    /// Gives introduced connections their commands.
    fn feed(&mut self) {
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
            self.host = self.dialogues.get(at).and_then(|dialogue| host_name(dialogue.ehlo().name()));
        }
    }

    fn compose(&mut self, at: usize) {
        let Some(dialogue) = self.dialogues.get_mut(at) else { return };
        let path = dialogue.path();
        let Some(state) = self.paths.get_mut(usize::from(path)) else { return };
        let same = |item: &&Item| item.path == path && item.hello == *dialogue.hello();
        let due: Vec<Item> = self.queue.due(self.now).filter(same).cloned().collect();
        if due.first().is_some_and(|item| item.stage == Stage::Prove) {
            return self.compose_messages(at, &due);
        }
        // What fell out of step is asked one by one, apart from the rest.
        let alone = due.first().is_some_and(|item| item.alone);
        let window = window(&self.record, dialogue, alone);
        let grouped = window == Window::Group;
        let budget = self.record.limits.budget.unwrap_or_else(|| state.budget(dialogue));
        let mut group = Group::new(budget, window, state.mail_refused && grouped);
        state.scouted |= *dialogue.hello() == Hello::Own;
        let ends: Vec<Item> =
            self.queue.iter().filter(same).filter(|item| item.stage == Stage::End).cloned().collect();
        for item in due.iter().filter(|item| item.alone == alone) {
            if offer(&self.record, self.host.as_ref(), &mut group, item, dialogue) == Offer::Unfit {
                self.queue.settle(item.probe);
            }
        }
        // The last control rides on the last group; on any other, the first control is asked again.
        let last = self.queue.is_ending(path, &group.taken);
        let end = ends.iter().find(|item| {
            last && matches!(item.state, State::Waiting(_)) && !group.taken.contains(&item.probe)
        });
        match end {
            Some(item) => drop(offer(&self.record, self.host.as_ref(), &mut group, item, dialogue)),
            None if *dialogue.hello() == Hello::Own => {
                check(&self.record, self.host.as_ref(), &mut group, path, &ends);
            }
            None => {}
        }
        for &probe in &group.taken {
            if let Some(item) = self.queue.get_mut(probe) {
                item.state = State::Taken;
            }
        }
        dialogue.taken.clone_from(&group.taken);
        group.give(dialogue);
    }

    /// The survey is done: chooses what gets a message.
    fn prove(&mut self) {
        self.proof = Proof::Chosen;
        if self.end.is_some() {
            return;
        }
        let accepted: Vec<u16> = self.paths.iter().flat_map(|path| path.accepted.iter().copied()).collect();
        let chosen = proof::choose(&self.record, &accepted);
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
        for item in due.iter().filter(|item| item.alone == alone).take(proof::A_CONNECTION) {
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
        dialogue.give(script, window);
    }

    /// Takes the answers of connections that are over.
    fn reap(&mut self) {
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
        for answer in ledger.answers() {
            self.outputs.push_back(Output::Event(Event::Answered { probe: answer.probe, code: answer.code }));
        }
        self.learn_path(connection, ledger);
        let mut retried = 0_u16;
        let mut retry_at = self.now;
        for &probe in taken {
            let answer = ledger.answers().iter().rev().find(|answer| answer.probe == probe);
            let deferred = answer.is_some_and(|answer| {
                let reply =
                    connection.reply(answer.entry).and_then(|octets| Reply::parse(octets.as_bytes()).ok());
                answer.code.is_transient() && !reply.is_some_and(|reply| names_relaying(&reply))
            });
            let accepted = answer.is_some_and(|answer| answer.code.is_positive());
            // A message that was begun is never sent again, unless the server put it off after its end.
            let begun = ledger.has_begun(probe);
            let deferred = deferred && (!begun || answer.is_some_and(|answer| answer.step == Step::Message));
            let proving = self.queue.get_mut(probe).is_some_and(|item| item.stage == Stage::Prove);
            let answered = if proving { begun || answer.is_some() && !accepted } else { answer.is_some() };
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
    fn drop_idle_repeats(&mut self, path: u16) {
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
        if let Some(wait) = state.busy_wait(ledger, self.record.limits.backoff) {
            self.next_connect = self.next_connect.max(self.now.after(wait));
        }
        if state.health == Health::Dead {
            self.queue.settle_path(connection.path);
        }
        self.wake_tls(connection, ledger);
    }

    /// Opens the STARTTLS path of a port whose server wants TLS first, and gives up what needs no asking.
    fn wake_tls(&mut self, connection: &Connection, ledger: &Ledger) {
        let asks = ledger.turns().iter().any(|turn| {
            let reply = connection.reply(turn.entry).and_then(|octets| Reply::parse(octets.as_bytes()).ok());
            turn.class == Class::Refused && reply.is_some_and(|reply| asks_for_tls(&reply))
        });
        let port = self.record.paths.get(usize::from(connection.path)).map(|path| path.port);
        for (path, state) in self.record.paths.iter().zip(&mut self.paths) {
            if asks && Some(path.port) == port && state.health == Health::Asleep {
                state.health = Health::Open;
            }
        }
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

/// Asks the first control of a path again at the end of a group.
fn check(record: &RunRecord, host: Option<&Domain>, group: &mut Group, path: u16, ends: &[Item]) {
    let is_first = |probe: &&Probe| {
        probe.path == path && record.case(probe).is_some_and(|case| case.id == matrix::LOCAL_ACCEPT)
    };
    let Some(probe) = record.probes.iter().find(is_first) else { return };
    let asked_here = group.taken.contains(&probe.number) && group.taken.len() == 1;
    let ended = ends.iter().any(|item| group.taken.contains(&item.probe));
    if let (Some(case), false, false) = (record.case(probe), asked_here, ended) {
        group.check(probe.number, case, &Names::new(record, probe, host));
    }
}
