//! The listener, and a thread for each connection.

use core::fmt;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use mio::{Events, Interest, Poll, Token, Waker};

use crate::driver;
use crate::receipt::{Arrival, Handover};
use crate::sink::count::{Counter, Counters};
use crate::sink::{Counts, End, Kept, Output, SinkOptions, SinkSession};

/// How long a connection waits at most before it looks whether the sink was stopped.
const SLICE: Duration = Duration::from_millis(250);
/// How long stopping waits for the connections: long enough for all but a disk that hangs.
const PATIENCE: Duration = Duration::from_secs(1);
/// Octets read at once.
const READ: usize = 8_192;
/// Reads after the goodbye, so that the client sees it before it hears that we are gone.
const FAREWELL: u32 = 8;
/// No limit on time is longer; clocks do not reach further than they must.
const LONGEST: Duration = Duration::from_hours(24);
const LISTENER: Token = Token(0);
const STOP: Token = Token(1);

/// A running receiving server. Dropping it stops it.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    waker: Waker,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    options: Arc<SinkOptions>,
    on_arrival: OnArrival,
    counters: Counters,
    stopped: AtomicBool,
    /// Connections of each peer.
    present: Mutex<BTreeMap<IpAddr, usize>>,
    left: Condvar,
}

type OnArrival = Box<dyn Fn(Arrival) -> io::Result<()> + Send + Sync>;

/// One connection's place among those that are served; it ends with the thread, even with one that panics.
struct Place {
    shared: Arc<Shared>,
    peer: IpAddr,
}

impl Sink {
    /// Serves the connections of a listener.
    ///
    /// `on_arrival` gets everything that carries a token. A message is confirmed to its client only after it has
    /// returned; if it fails, the client is told to come again. It is called by many threads at once.
    pub fn start(
        listener: TcpListener,
        options: SinkOptions,
        on_arrival: impl Fn(Arrival) -> io::Result<()> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let mut listener = mio::net::TcpListener::from_std(listener);
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Waker::new(poll.registry(), STOP)?;
        let shared = Arc::new(Shared {
            options: Arc::new(options),
            on_arrival: Box::new(on_arrival),
            counters: Counters::default(),
            stopped: AtomicBool::new(false),
            present: Mutex::default(),
            left: Condvar::new(),
        });
        let serving = Arc::clone(&shared);
        let listening = thread::Builder::new()
            .name("relayprobe-sink".into())
            .spawn(move || listen(poll, &listener, &serving))?;
        Ok(Self { address, shared, waker, listening: Some(listening) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What came so far.
    pub fn counts(&self) -> Counts {
        self.shared.counters.read()
    }

    /// Ends all connections, with a word to their clients, and returns what came. It waits a second at most.
    pub fn stop(mut self) -> Counts {
        self.end();
        self.counts()
    }

    fn end(&mut self) {
        let Some(listening) = self.listening.take() else { return };
        self.shared.stopped.store(true, Ordering::Relaxed);
        if self.waker.wake().is_ok() {
            let _ended = listening.join();
        }
        let present = self.shared.present();
        let _in_time = self.shared.left.wait_timeout_while(present, PATIENCE, |present| !present.is_empty());
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Shared {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// A thread that panicked has left the numbers whole.
    fn present(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for a connection, if there is any.
    fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let limits = &self.options.limits;
        let peer = group(peer);
        let mut present = self.present();
        let all: usize = present.values().sum();
        let own = present.get(&peer).copied().unwrap_or_default();
        if all >= limits.connections || own >= limits.connections_per_peer {
            return None;
        }
        present.insert(peer, own + 1);
        Some(Place { shared: Arc::clone(self), peer })
    }

    fn keep(&self, arrival: Arrival) -> Kept {
        let counter = match arrival.handover {
            Handover::Recipient => Counter::Hints,
            Handover::Interrupted => Counter::Interrupted,
            Handover::Refused => Counter::Refused,
            Handover::Taken => Counter::Taken,
        };
        let kept = (self.on_arrival)(arrival).map_or(Kept::Failed, |()| Kept::Safe);
        self.counters.add(if kept == Kept::Safe { counter } else { Counter::NotKept });
        kept
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut present = self.shared.present();
        let own = present.remove(&self.peer).unwrap_or_default();
        if own > 1 {
            present.insert(self.peer, own - 1);
        }
        drop(present);
        self.shared.left.notify_all();
    }
}

/// Whoever has one address of a /64 has them all.
fn group(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

fn listen(mut poll: Poll, listener: &mio::net::TcpListener, shared: &Arc<Shared>) {
    let mut events = Events::with_capacity(2);
    while !shared.is_stopped() {
        // A wait that fails or is interrupted is only a look too early. Its end makes up for a connection that could
        // not be taken for want of file descriptors, of which no event will tell again.
        if poll.poll(&mut events, Some(SLICE)).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        while !shared.is_stopped()
            && let Ok((stream, peer)) = listener.accept()
        {
            receive(TcpStream::from(stream), peer.ip(), shared);
        }
    }
}

/// Gives a connection its thread, or turns it away.
fn receive(stream: TcpStream, peer: IpAddr, shared: &Arc<Shared>) {
    let Some(place) = shared.admit(peer) else { return turn_away(stream, shared) };
    let spare = stream.try_clone();
    let thread = thread::Builder::new().name("relayprobe-sink-connection".into());
    let spawned = thread.spawn(move || {
        let Place { shared, .. } = &place;
        let peer = peer.to_canonical();
        converse(&stream, peer, shared);
        // The place is given up last: stopping waits for it.
        drop(stream);
        drop(place);
    });
    match (spawned, spare) {
        (Ok(_), _) => shared.counters.add(Counter::Connections),
        (Err(_), Ok(stream)) => turn_away(stream, shared),
        (Err(_), Err(_)) => shared.counters.add(Counter::TurnedAway),
    }
}

/// The socket does not block yet, so this cannot take long.
fn turn_away(mut stream: TcpStream, shared: &Shared) {
    shared.counters.add(Counter::TurnedAway);
    let _said = stream.write(format!("421 4.3.2 {} has no room now\r\n", shared.options.host).as_bytes());
}

fn converse(stream: &TcpStream, peer: IpAddr, shared: &Shared) {
    let mut session = SinkSession::new(Arc::clone(&shared.options), Some(peer), driver::now());
    let mut line = Line { stream, shared, end: after(shared.options.limits.session) };
    let mut buffer = vec![0; READ];
    if let Err(end) = line.prepare() {
        session.handle_end(end, driver::now());
    }
    loop {
        let met = match session.poll_output() {
            Output::Send(octets) => line.send(&octets),
            Output::Arrived(arrival) => {
                session.handle_kept(shared.keep(arrival));
                Ok(())
            }
            Output::Count(count) => {
                shared.counters.add(count.into());
                Ok(())
            }
            Output::Wait => {
                line.receive(&mut buffer).map(|octets| session.handle_received(octets, driver::now()))
            }
            Output::Close => break,
        };
        if let Err(end) = met {
            session.handle_end(end, driver::now());
        }
    }
    line.close(&mut buffer);
}

fn after(span: Duration) -> Instant {
    Instant::now() + span.min(LONGEST)
}

/// A connection's socket and time.
struct Line<'a> {
    stream: &'a TcpStream,
    shared: &'a Shared,
    end: Instant,
}

impl Line<'_> {
    fn prepare(&self) -> Result<(), End> {
        self.stream
            .set_nonblocking(false)
            .and_then(|()| self.stream.set_nodelay(true))
            .and_then(|()| self.stream.set_read_timeout(Some(SLICE)))
            .and_then(|()| self.stream.set_write_timeout(Some(SLICE)))
            .map_err(|_| End::Lost)
    }

    fn send(&mut self, mut octets: &[u8]) -> Result<(), End> {
        let idle = after(self.shared.options.limits.idle);
        while !octets.is_empty() {
            match self.stream.write(octets) {
                Ok(0) => return Err(End::Lost),
                Ok(count) => octets = octets.get(count..).unwrap_or_default(),
                // A client that reads nothing would not read a farewell either.
                Err(error) => self.go_on(&error, idle).map_err(|_| End::Lost)?,
            }
        }
        Ok(())
    }

    fn receive<'b>(&mut self, buffer: &'b mut [u8]) -> Result<&'b [u8], End> {
        let idle = after(self.shared.options.limits.idle);
        loop {
            // A client that never pauses must not outlast its time.
            self.check(self.end)?;
            match self.stream.read(buffer) {
                Ok(0) => return Err(End::Lost),
                Ok(count) => return Ok(buffer.get(..count).unwrap_or_default()),
                Err(error) => self.go_on(&error, idle)?,
            }
        }
    }

    fn go_on(&self, error: &io::Error, idle: Instant) -> Result<(), End> {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
                self.check(idle.min(self.end))
            }
            _ => Err(End::Lost),
        }
    }

    fn check(&self, end: Instant) -> Result<(), End> {
        if self.shared.is_stopped() {
            Err(End::Stopped)
        } else if Instant::now() >= end {
            Err(End::TooSlow)
        } else {
            Ok(())
        }
    }

    /// Closing with octets unread makes the system take back what the client has not read (RFC 1122 §4.2.2.13).
    fn close(&mut self, buffer: &mut [u8]) {
        if self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        for _ in 0..FAREWELL {
            match self.stream.read(buffer) {
                Ok(1..) if !self.shared.is_stopped() => {}
                Ok(_) | Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn peers_are_told_apart_by_what_one_of_them_can_have() {
        let group = |text: &str| super::group(text.parse().unwrap());
        assert_eq!(group("2001:db8::1"), group("2001:db8::ffff:1"));
        assert_ne!(group("2001:db8::1"), group("2001:db8:0:1::1"));
        assert_eq!(group("::ffff:192.0.2.1"), group("192.0.2.1"));
        assert_ne!(group("192.0.2.1"), group("192.0.2.2"));
    }
}
