//! A run: a session, its connections and its clock. How to wait is the driver's own.

use core::time::Duration;
use std::io;
use std::time::Instant;

use super::Stop;
use super::connection::Connection;
use super::loss::loss;
use super::socket::Transport;
use crate::link::{ConnId, Endpoint};
use crate::moment::Moment;
use crate::report::Report;
use crate::session::{Event, Input, Output, Session};
use crate::transcript::Transcript;

/// Octets taken by one read. A run waits most of its time, so the buffer is not part of it.
const READ: usize = 4 * 1024;

pub(super) struct Run<S, F> {
    session: Session,
    pub(super) connections: Vec<Connection<S>>,
    observe: F,
    clock: Clock,
    stop: Stop,
    /// How long it waits at most before it looks whether it was stopped.
    slice: Duration,
    stopping: Stopping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    No,
    /// The session was told, once.
    Yes,
}

/// What a driver is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Wait until a socket is ready, at most so long.
    Wait(Duration),
    /// Everything is done.
    Finished,
}

/// Time since the start of the run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
    /// A runtime may have a clock of its own, for the same waits to end by.
    read: fn() -> Instant,
}

impl Clock {
    pub(super) fn new(read: fn() -> Instant) -> Self {
        Self { start: read(), read }
    }

    pub(super) fn now(self) -> Moment {
        Moment::ZERO.after((self.read)().saturating_duration_since(self.start))
    }
}

impl<S: Transport, F: FnMut(&Event)> Run<S, F> {
    pub(super) fn new(session: Session, stop: &Stop, observe: F, clock: Clock, slice: Duration) -> Self {
        let (connections, stop) = (Vec::new(), stop.clone());
        Self { session, connections, observe, clock, stop, slice, stopping: Stopping::No }
    }

    /// Goes as far as possible without waiting. `open` begins a connection.
    pub(super) fn turn(&mut self, mut open: impl FnMut(ConnId, &Endpoint) -> io::Result<S>) -> Turn {
        loop {
            self.heed_stop();
            let output = self.session.poll_output();
            if !matches!(output, Output::Wait(_)) {
                // Whatever it asks for takes time in which octets may arrive.
                self.connections.iter_mut().for_each(Connection::distrust);
            }
            match output {
                Output::Connect(id, endpoint) => match open(id, &endpoint) {
                    Ok(socket) => self.connections.push(Connection::new(id, endpoint, socket)),
                    Err(error) => self.hand(Some(Input::Lost(id, loss(&error)))),
                },
                Output::Send(id, octets) => {
                    let input = self.connection(id).and_then(|connection| connection.send(octets));
                    self.hand(input);
                }
                Output::StartTls(id, name) => {
                    let input = self.connection(id).and_then(|connection| connection.start_tls(name));
                    self.hand(input);
                }
                Output::Close(id) => {
                    if let Some(connection) = self.forget(id) {
                        connection.close();
                    }
                }
                Output::Event(event) => (self.observe)(&event),
                Output::Wait(until) => {
                    let left = until.since(self.clock.now());
                    if left.is_zero() {
                        self.each(Connection::may_have_more, Connection::receive);
                        self.hand(Some(Input::Tick));
                    } else if self.connections.iter().any(Connection::is_ready) {
                        self.each(Connection::is_ready, Connection::step);
                    } else {
                        self.connections.iter_mut().for_each(Connection::distrust);
                        return Turn::Wait(self.slice(left));
                    }
                }
                Output::Finished => return Turn::Finished,
            }
        }
    }

    /// What is left when everything is done.
    pub(super) fn into_report(self) -> Report {
        let (record, transcript) = self.session.into_parts();
        Report::new(record, transcript)
    }

    /// What was recorded.
    pub(super) fn into_transcript(self) -> Transcript {
        self.session.into_parts().1
    }

    /// Whether the session was told of the stop.
    #[cfg(feature = "tokio")]
    pub(super) fn knows_stop(&self) -> bool {
        self.stopping == Stopping::Yes
    }

    /// The connection of this number, unless it has ended.
    pub(super) fn connection(&mut self, id: ConnId) -> Option<&mut Connection<S>> {
        self.connections.iter_mut().find(|connection| connection.id == id)
    }

    fn forget(&mut self, id: ConnId) -> Option<Connection<S>> {
        let at = self.connections.iter().position(|connection| connection.id == id)?;
        Some(self.connections.swap_remove(at))
    }

    fn heed_stop(&mut self) {
        if self.stopping == Stopping::No && self.stop.is_stopped() {
            self.stopping = Stopping::Yes;
            self.session.stop(self.clock.now());
        }
    }

    fn slice(&self, left: Duration) -> Duration {
        match self.stopping {
            Stopping::No => left.min(self.slice),
            Stopping::Yes => left,
        }
    }

    fn each(
        &mut self,
        choose: impl Fn(&Connection<S>) -> bool,
        act: impl for<'a> Fn(&mut Connection<S>, &'a mut [u8]) -> Option<Input<'a>>,
    ) {
        // Backwards, because a connection that is lost gives its place to one that was seen.
        for at in (0..self.connections.len()).rev() {
            let Some(connection) = self.connections.get_mut(at) else { continue };
            if choose(connection) {
                let mut buffer = [0; READ];
                let input = act(connection, &mut buffer);
                self.hand(input);
            }
        }
    }

    fn hand(&mut self, input: Option<Input<'_>>) {
        let Some(input) = input else { return };
        if let Input::Lost(id, _) = input {
            drop(self.forget(id));
        }
        self.session.handle_input(input, self.clock.now());
    }
}
