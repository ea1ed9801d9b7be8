//! A run on the calling thread.

use core::fmt;
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::thread;
use std::time::Instant;

use mio::event::Event as Readiness;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::loss::loss;
use super::run::{Clock, Run, Turn};
use super::socket::{Transport, open};
use super::{SLICE, Stop};
use crate::link::{ConnId, Endpoint};
use crate::plan::Plan;
use crate::report::Report;
use crate::session::{Event, Session};
use crate::token::Keyring;
use crate::transcript::Transcript;

/// Runs a plan to its end, and returns what it found with everything that was said.
///
/// `stop` ends it early and politely. `observe` is shown progress, on this thread. No thread is started, and nothing is
/// left behind.
pub fn run(plan: Plan, stop: &Stop, observe: impl FnMut(&Event)) -> Report {
    let mut steps = Steps::new(plan, stop, observe);
    while steps.step(Duration::MAX) == Step::Waited {}
    steps.into_report()
}

/// Sees once more whether our own receiving server is there, and adds what was said to the report.
///
/// A message of our own goes by the run's way in, if it has one. Its receipt is to be [added](Report::add) as any other:
/// with one after the window has ended, silence means that nothing was relayed. Nothing is sent if these are not the keys
/// that the run was planned with; see [`Session::check_way_in`].
pub fn check_way_in(report: &mut Report, keys: &Keyring, stop: &Stop) {
    let Some(mut steps) = Steps::check_way_in(report, keys, stop) else { return };
    while steps.step(Duration::MAX) == Step::Waited {}
    report.append(steps.into_transcript());
}

/// A run on the calling thread, a step at a time: for a caller who has something else to look after.
///
/// Dropping it closes the connections at once, and the record is lost; [`Stop`] keeps it.
pub struct Steps<F> {
    run: Run<TcpStream, F>,
    poller: Poller,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It went as far as it could, and waited for more.
    Waited,
    /// The run is over.
    Over,
}

impl<F> fmt::Debug for Steps<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps").finish_non_exhaustive()
    }
}

impl<F: FnMut(&Event)> Steps<F> {
    /// Begins a run; see [`run`]. Nothing is done before the first step.
    pub fn new(plan: Plan, stop: &Stop, observe: F) -> Self {
        let clock = Clock::new(Instant::now);
        Self::of(Session::new(plan, clock.now()), stop, observe, clock)
    }

    fn of(session: Session, stop: &Stop, observe: F, clock: Clock) -> Self {
        let poller = Poller { poll: None, events: Events::with_capacity(8) };
        Self { run: Run::new(session, stop, observe, clock, SLICE), poller }
    }

    /// Goes as far as possible, then waits until something happens; at most so long, and never longer than a tenth of a
    /// second unless the run is being stopped.
    pub fn step(&mut self, most: Duration) -> Step {
        match self.run.turn(|id, endpoint| self.poller.open(id, endpoint)) {
            Turn::Wait(span) => {
                self.poller.wait(&mut self.run, span.min(most));
                Step::Waited
            }
            Turn::Finished => Step::Over,
        }
    }

    /// What was found, and everything that was said.
    pub fn into_report(self) -> Report {
        self.run.into_report()
    }

    /// What was said.
    pub fn into_transcript(self) -> Transcript {
        self.run.into_transcript()
    }
}

impl Steps<fn(&Event)> {
    /// Begins to see once more whether our own receiving server is there; nothing if the run named no way in to it, or was
    /// planned with other keys. See [`check_way_in`].
    pub fn check_way_in(report: &Report, keys: &Keyring, stop: &Stop) -> Option<Self> {
        let clock = Clock::new(Instant::now);
        let age = report.run.age(super::now());
        let session = Session::check_way_in(&report.run, keys, &report.transcript, age, clock.now())?;
        Some(Self::of(session, stop, |_| {}, clock))
    }
}

struct Poller {
    /// Made for the first connection, so that a system without one to spare shows as a connection that failed.
    poll: Option<Poll>,
    events: Events,
}

impl Poller {
    fn open(&mut self, id: ConnId, endpoint: &Endpoint) -> io::Result<TcpStream> {
        let mut socket = TcpStream::from_std(open(endpoint)?);
        let poll = match &mut self.poll {
            Some(poll) => poll,
            none => none.insert(Poll::new()?),
        };
        // Once for all: readiness is told by edges, and closing the socket ends it.
        poll.registry().register(&mut socket, token(id), Interest::READABLE | Interest::WRITABLE)?;
        Ok(socket)
    }

    fn wait<F: FnMut(&Event)>(&mut self, run: &mut Run<TcpStream, F>, span: Duration) {
        let Some(poll) = &mut self.poll else { return thread::park_timeout(span) };
        match poll.poll(&mut self.events, Some(span)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            Err(error) => {
                // Without notice nothing would ever end but by its deadline.
                self.poll = None;
                return run.connections.iter_mut().for_each(|connection| connection.fail(loss(&error)));
            }
        }
        for event in &self.events {
            let found = run.connections.iter_mut().find(|connection| token(connection.id) == event.token());
            if let Some(connection) = found {
                connection.socket.ended |= is_end(event);
                connection.socket.readable |= event.is_readable() || is_end(event);
                connection.socket.writable |=
                    event.is_writable() || event.is_write_closed() || event.is_error();
            }
        }
    }
}

fn token(id: ConnId) -> Token {
    Token(usize::try_from(id.0).unwrap_or(usize::MAX))
}

fn is_end(event: &Readiness) -> bool {
    event.is_read_closed() || event.is_write_closed() || event.is_error()
}

impl Transport for TcpStream {
    fn take_error(&self) -> io::Result<Option<io::Error>> {
        Self::take_error(self)
    }

    fn set_nodelay(&self) -> io::Result<()> {
        Self::set_nodelay(self, true)
    }

    /// Nobody but the poller hears, and it is not asked between two reads.
    fn is_silent(&self) -> bool {
        true
    }
}
