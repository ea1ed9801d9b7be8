//! Open connections, counted and ended from outside.

use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Loopback answers at once, or not at all.
pub(super) const CONNECT: Duration = Duration::from_millis(250);

/// Connections that are open, up to a limit.
#[derive(Debug)]
pub(super) struct Links {
    limit: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    closed: bool,
    next: u64,
    streams: BTreeMap<u64, TcpStream>,
}

/// One of them, for as long as this lives.
#[derive(Debug)]
pub(super) struct Link<'a> {
    links: &'a Links,
    number: u64,
}

impl Links {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, open: Mutex::default() }
    }

    /// Takes in a connection, unless there are too many, or it is over.
    pub(super) fn add(&self, stream: &TcpStream) -> Option<Link<'_>> {
        let stream = stream.try_clone().ok()?;
        let mut open = self.lock();
        if open.closed || open.streams.len() >= self.limit {
            return None;
        }
        let number = open.next;
        open.next += 1;
        open.streams.insert(number, stream);
        Some(Link { links: self, number })
    }

    /// Ends every connection and lets no more in.
    pub(super) fn close(&self) {
        let mut open = self.lock();
        open.closed = true;
        for stream in open.streams.values() {
            // It may have ended by itself.
            let _ended = stream.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn are_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing is left half done under this lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Link<'_> {
    fn drop(&mut self) {
        self.links.lock().streams.remove(&self.number);
    }
}

/// Gives every read and write of a connection an end.
pub(super) fn limit(stream: &TcpStream, patience: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    stream.set_nodelay(true)
}
