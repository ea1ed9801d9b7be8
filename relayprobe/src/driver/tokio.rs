//! A run as a future on the caller's runtime, and sweeps of many.

mod schedule;
mod sweep;

pub use schedule::Pace;
pub use sweep::{Counts, Sweep, Swept};

use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::boxed::Box;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use ::tokio::io::Interest;
use ::tokio::net::TcpStream;
use ::tokio::sync::Notify;
use ::tokio::sync::futures::Notified;
use ::tokio::time::{Instant, Sleep, sleep};
use socket2::SockRef;

use super::connection::Connection;
use super::loss::loss;
use super::run::{Clock, Run, Turn};
use super::socket::{Transport, is_blocked, is_short, open};
use super::{SLICE, Stop};
use crate::plan::Plan;
use crate::report::Report;
use crate::session::{Event, Session};

/// Runs a plan to its end, and returns what it found with everything that was said.
///
/// `stop` ends it early and politely. `observe` is shown progress, in the task that polls the future. No task is
/// spawned. Dropping the future closes the connections at once, and the record is lost; [`Stop`] keeps it.
///
/// # Panics
///
/// The future panics outside a tokio runtime, and in one that was built without I/O or time.
pub fn run<F>(plan: Plan, stop: &Stop, observe: F) -> impl Future<Output = Report> + Send + use<F>
where
    F: FnMut(&Event) + Send,
{
    let stop = stop.clone();
    async move {
        let begun = begin(plan, &stop, observe, &Watch::Slices);
        drive(begun, Watch::Slices).await
    }
}

/// How a run notices that it was stopped.
enum Watch {
    /// It looks every now and then.
    Slices,
    /// Somebody who looks tells it: thousands of runs would do little else than look.
    Bell(Arc<Notify>),
}

/// In a box, since each future around it would have room for it once more.
fn begin<F: FnMut(&Event)>(plan: Plan, stop: &Stop, observe: F, watch: &Watch) -> Box<Run<Socket, F>> {
    let clock = Clock::new(clock);
    let slice = match watch {
        Watch::Slices => SLICE,
        Watch::Bell(_) => Duration::MAX,
    };
    Box::new(Run::new(Session::new(plan, clock.now()), stop, observe, clock, slice))
}

async fn drive<F: FnMut(&Event)>(mut run: Box<Run<Socket, F>>, watch: Watch) -> Report {
    // From here on no ringing is missed.
    let rung = match &watch {
        Watch::Bell(bell) => Some(bell.notified()),
        Watch::Slices => None,
    };
    // Both outlast a wait: to put a timer off is cheap, and to set one for each command is not.
    let mut rung = pin!(rung);
    let mut sleep = pin!(sleep(Duration::ZERO));
    while let Turn::Wait(span) = run.turn(|_, endpoint| Ok(Socket(TcpStream::from_std(open(endpoint)?)?))) {
        if run.knows_stop() {
            rung.set(None);
        }
        sleep.as_mut().reset(Instant::now() + span.min(LONGEST));
        wait(&mut run.connections, sleep.as_mut(), rung.as_mut()).await;
    }
    run.into_report()
}

/// The runtime's clock.
fn clock() -> std::time::Instant {
    Instant::now().into_std()
}

/// A wait is no longer, so that no clock runs out; the next one follows.
const LONGEST: Duration = Duration::from_hours(24);

async fn wait(
    connections: &mut [Connection<Socket>],
    mut sleep: Pin<&mut Sleep>,
    mut rung: Pin<&mut Option<Notified<'_>>>,
) {
    poll_fn(|context| {
        for connection in &mut *connections {
            poll_ready(connection, context);
        }
        let mut has_rung = || rung.as_mut().as_pin_mut().is_some_and(|rung| rung.poll(context).is_ready());
        if connections.iter().any(Connection::is_ready) || has_rung() {
            Poll::Ready(())
        } else {
            sleep.as_mut().poll(context)
        }
    })
    .await;
}

fn poll_ready(connection: &mut Connection<Socket>, context: &mut Context<'_>) {
    let Socket(stream) = &connection.socket.inner;
    let read = stream.poll_read_ready(context);
    // There is nearly always room to write: who does not need it must not ask.
    let write = if connection.is_writing() { stream.poll_write_ready(context) } else { Poll::Pending };
    connection.socket.readable |= read.is_ready();
    connection.socket.writable |= write.is_ready();
    // The runtime is shutting down.
    if let (Poll::Ready(Err(error)), _) | (_, Poll::Ready(Err(error))) = (read, write) {
        connection.fail(loss(&error));
    }
}

struct Socket(TcpStream);

impl Socket {
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut socket: &socket2::Socket = &SockRef::from(&self.0);
        socket.read(buffer)
    }
}

impl Read for Socket {
    /// Asks the system even where tokio knows of nothing to read: what tokio knows is as old as the last time it
    /// waited, and a session wants to know what has arrived by now.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut found = None;
        // What the closure returns is for tokio, which forgets what it knew when the socket is empty.
        let _told = self.0.try_io(Interest::READABLE, || {
            let result = found.insert(self.receive(buffer));
            let is_empty = is_blocked(result) || is_short(result, buffer.len());
            if is_empty { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        found.unwrap_or_else(|| self.receive(buffer))
    }
}

impl Write for Socket {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.try_write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Socket {
    fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    fn set_nodelay(&self) -> io::Result<()> {
        self.0.set_nodelay(true)
    }

    fn is_silent(&self) -> bool {
        self.0.try_io(Interest::READABLE, || Ok(())).is_err()
    }
}
