//! The run against one target address, without a socket.

mod budget;
mod compose;
mod dialogue;
mod group;
mod io;
mod learn;
mod opening;
mod path;
mod proof;
mod queue;
mod script;
mod watch;

pub use io::{Event, Input, Output};

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use crate::address::Domain;
use crate::matrix;
use crate::moment::Moment;
use crate::plan::{DriverTls, Plan, Probe, RunRecord, millis};
use crate::target::Tls;
use crate::token::Keyring;
use crate::transcript::{End, Transcript};

use dialogue::Dialogue;
use path::{Health, PathState};
use queue::{Item, Queue};

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
    /// Until when nothing is to be done, while nothing happens: whoever drives it asks often.
    idle: Option<Moment>,
    host: Option<Domain>,
    origin: Origin,
    now: Moment,
    next_connect: Moment,
    /// Connections that may be open at once: fewer than planned once the server has turned one away beside others.
    lanes: usize,
    opened: u32,
    received: u64,
    proof: Proof,
    end: Option<End>,
}

/// Where the times of a transcript count from.
#[derive(Clone, Copy, Debug)]
struct Origin {
    start: Moment,
    /// What the transcript calls the start; not zero if the run is older.
    called: Moment,
}

impl Origin {
    fn at(self, now: Moment) -> Moment {
        let passed = now.as_micros().saturating_sub(self.start.as_micros());
        Moment::from_micros(self.called.as_micros().saturating_add(passed))
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
            lanes: usize::from(record.limits.connections_at_once),
            record,
            transcript: Transcript::default(),
            dialogues: Vec::new(),
            outputs: VecDeque::new(),
            idle: None,
            host: None,
            origin: Origin { start: now, called: Moment::ZERO },
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
        let genuine = report.case(probe).is_some_and(|case| matrix::case(&case.id).as_ref() == Some(case));
        let token = probe.user.parse().ok()?;
        if !genuine || !keys.verify(&token, &report.binding(probe)?) {
            return None;
        }
        let control = probe.number;
        let mut session = Self::of(report.clone(), now);
        session.queue.keep_only(control);
        session.proof = Proof::Chosen;
        session.origin.called = Moment::ZERO.after(age);
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
        self.idle = None;
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
        if let Some(until) = self.idle {
            return Output::Wait(until);
        }
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            self.hold_limits();
            self.feed();
            // What is still to be asked changes only with a connection that is over, and that makes room.
            if self.has_room() {
                self.tidy();
                self.open();
            }
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
            let until = self.wake();
            self.idle = Some(until);
            return Output::Wait(until);
        }
    }

    /// Ends the run politely and keeps what was learnt. Go on until [`Output::Finished`].
    pub fn stop(&mut self, now: Moment) {
        self.now = self.now.max(now);
        self.idle = None;
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
        let idle = self.has_room();
        // What is due already waits for the pause between connections, or for one of them to end.
        let pause = Some(self.next_connect).filter(|&moment| idle && moment > self.now);
        let queue = idle.then(|| self.queue.next_moment(self.now)).flatten();
        [limit, dialogues, pause, queue].into_iter().flatten().min().unwrap_or(run)
    }

    /// Whether another connection may be open beside those that there are.
    fn has_room(&self) -> bool {
        self.dialogues.len() < self.lanes
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
}
