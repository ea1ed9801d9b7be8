//! A small mail server with three flaws, for a demonstration on loopback.
//!
//! It passes on what bounces send to anybody, and what the percent hack sends anywhere; bang paths it accepts and loses.
//! Everything else it does as a server should.

mod command;
mod conversation;
mod link;
mod onward;
mod route;

use std::io::{self, ErrorKind, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Builder, JoinHandle, Scope};
use std::time::Duration;

use conversation::Conversation;
use link::Links;
use onward::Letter;

/// What it calls itself.
const HOST: &str = "mx.target.example";
/// Its mail domain.
const DOMAIN: &str = "target.example";
/// Clients at once.
const CLIENTS: usize = 8;
/// Messages that wait to be sent on.
const QUEUE: usize = 64;
/// How long it waits for whoever is silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// After a client that could not be taken in.
const PAUSE: Duration = Duration::from_millis(20);

/// The running server. It ends when this is dropped, whatever it is doing.
#[derive(Debug)]
pub(crate) struct Flawed {
    address: SocketAddr,
    links: Arc<Ends>,
    thread: Option<JoinHandle<()>>,
}

/// Every connection that has to be ended.
#[derive(Debug)]
struct Ends {
    clients: Links,
    onward: Links,
}

impl Flawed {
    /// Starts it on a free port of loopback. Whatever it passes on goes to `relay_to`, which must be on loopback too, so
    /// that nobody can reach the world through it.
    pub(crate) fn start(relay_to: SocketAddr) -> io::Result<Self> {
        if !relay_to.ip().to_canonical().is_loopback() {
            let words = format!("a demonstration passes mail on to loopback only, not to {relay_to}");
            return Err(io::Error::new(ErrorKind::InvalidInput, words));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let links = Arc::new(Ends { clients: Links::new(CLIENTS), onward: Links::new(1) });
        let ends = Arc::clone(&links);
        let thread =
            Builder::new().name("demo server".into()).spawn(move || serve(&listener, relay_to, &ends))?;
        Ok(Self { address, links, thread: Some(thread) })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Flawed {
    fn drop(&mut self) {
        self.links.clients.close();
        self.links.onward.close();
        // Whoever waits for a client gets one, and sees that it is over.
        let _woken = TcpStream::connect_timeout(&self.address, link::CONNECT);
        // If it panicked, the panic has been shown.
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

/// Serves until the links are closed, then waits for all that it began.
fn serve(listener: &TcpListener, relay_to: SocketAddr, ends: &Ends) {
    thread::scope(|scope| {
        let (queue, letters): (SyncSender<Letter>, Receiver<Letter>) = sync_channel(QUEUE);
        let deliver = move || onward::deliver(letters, relay_to, &ends.onward);
        if Builder::new().spawn_scoped(scope, deliver).is_err() {
            return;
        }
        while !ends.clients.are_closed() {
            match listener.accept() {
                Ok((stream, _)) => take_in(scope, stream, ends, &queue),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    });
}

/// Talks with a client in a thread of its own, or turns it away.
fn take_in<'scope>(
    scope: &'scope Scope<'scope, '_>,
    stream: TcpStream,
    ends: &'scope Ends,
    queue: &SyncSender<Letter>,
) {
    let Ok(()) = link::limit(&stream, PATIENCE) else { return };
    let Some(link) = ends.clients.add(&stream) else {
        // Whether it hears that or not.
        let _told = (&stream).write_all(b"421 4.3.2 mx.target.example Too many connections\r\n");
        return;
    };
    let queue = queue.clone();
    let talk = move || {
        // A client that went away is not missed.
        let _over = Conversation::new(&stream, &queue).and_then(Conversation::hold);
        drop(link);
    };
    // Without a thread, dropping the client is all that is left.
    let _begun = Builder::new().spawn_scoped(scope, talk);
}

#[cfg(test)]
mod tests;
