//! One connection: plain or in TLS, never waiting.

use core::mem;
use std::io::{Read as _, Write};

use super::loss::{Halt, loss};
use super::socket::{Socket, Transport};
use super::tls::Tls;
use crate::link::{ConnId, Endpoint, Loss, TlsFacts};
use crate::session::Input;

/// A connection of a run.
///
/// Every step does what can be done now and tells at most one thing. After it tells a loss the connection is to be
/// dropped.
#[derive(Debug)]
pub(super) struct Connection<S> {
    pub(super) id: ConnId,
    pub(super) socket: Socket<S>,
    endpoint: Endpoint,
    layer: Layer,
    outgoing: Outgoing,
    /// Why nothing more can be written. It is told after everything was read that the server sent before.
    broken: Option<Loss>,
}

#[derive(Debug)]
enum Layer {
    Connecting,
    Clear,
    Shaking(Tls),
    Secure(Tls),
}

#[derive(Debug)]
enum Outgoing {
    Nothing,
    /// These octets, from this place on.
    Clear(Vec<u8>, usize),
    /// What TLS keeps.
    Records,
}

impl<S: Transport> Connection<S> {
    pub(super) const fn new(id: ConnId, endpoint: Endpoint, socket: S) -> Self {
        Self {
            id,
            socket: Socket::new(socket),
            endpoint,
            layer: Layer::Connecting,
            outgoing: Outgoing::Nothing,
            broken: None,
        }
    }

    /// Whether it waits for room to write, or for the connect, which shows in the same way.
    pub(super) fn is_writing(&self) -> bool {
        match &self.layer {
            Layer::Connecting => true,
            Layer::Shaking(tls) => tls.is_writing(),
            Layer::Clear | Layer::Secure(_) => !matches!(self.outgoing, Outgoing::Nothing),
        }
    }

    /// Whether the system said that a step may bring something.
    pub(super) fn is_ready(&self) -> bool {
        let can_read = match &self.layer {
            // A handshake that cannot write would not read either.
            Layer::Shaking(tls) => self.socket.readable && !tls.is_writing(),
            Layer::Connecting | Layer::Clear | Layer::Secure(_) => self.socket.readable,
        };
        can_read || self.socket.writable && self.is_writing() || self.broken.is_some()
    }

    /// Whether something may have arrived that was not read. A read that has just found the socket empty is as good as
    /// another one.
    pub(super) const fn may_have_more(&self) -> bool {
        !(self.socket.drained && matches!(self.layer, Layer::Clear) && self.broken.is_none())
    }

    /// Time has passed since the last read.
    pub(super) const fn distrust(&mut self) {
        self.socket.drained = false;
    }

    /// Ends the connection when everything that came before was read.
    pub(super) fn fail(&mut self, loss: Loss) {
        self.broken.get_or_insert(loss);
        self.outgoing = Outgoing::Nothing;
    }

    /// Begins to write. Only what is written whole at once is told at once.
    pub(super) fn send(&mut self, octets: Vec<u8>) -> Option<Input<'static>> {
        self.outgoing = match &mut self.layer {
            Layer::Connecting | Layer::Shaking(_) => return None,
            Layer::Clear => Outgoing::Clear(octets, 0),
            Layer::Secure(tls) => {
                tls.queue(&octets);
                Outgoing::Records
            }
        };
        self.transmit()
    }

    /// Begins a TLS handshake. From here on only TLS takes octets from the socket.
    pub(super) fn start_tls(&mut self, name: String) -> Option<Input<'static>> {
        match Tls::new(name, self.endpoint.remote.ip()) {
            Ok(tls) => self.layer = Layer::Shaking(tls),
            Err(loss) => return Some(self.lost(loss)),
        }
        // The end of a handshake and the first command follow each other without a reply between them. If it fails it
        // costs time, no more.
        drop(self.socket.inner.set_nodelay());
        self.shake()
    }

    /// Says goodbye where the protocol has a word for it. Dropping the connection closes it.
    pub(super) fn close(mut self) {
        if let Layer::Secure(tls) = &mut self.layer {
            tls.close(&mut self.socket);
        }
    }

    /// Does what readiness allows.
    pub(super) fn step<'a>(&mut self, buffer: &'a mut [u8]) -> Option<Input<'a>> {
        match &self.layer {
            Layer::Connecting => Some(self.establish()),
            Layer::Shaking(_) => self.shake(),
            Layer::Clear | Layer::Secure(_) => {
                let written = if self.socket.writable { self.transmit() } else { None };
                let may_read = self.socket.readable || self.broken.is_some();
                if written.is_none() && may_read { self.receive(buffer) } else { written }
            }
        }
    }

    /// Reads once, whatever the system said about readiness.
    pub(super) fn receive<'a>(&mut self, buffer: &'a mut [u8]) -> Option<Input<'a>> {
        let result = match &mut self.layer {
            Layer::Connecting => return None,
            Layer::Shaking(_) => return self.shake(),
            Layer::Clear => self.socket.read(buffer).map_err(Halt::from),
            Layer::Secure(tls) => tls.receive(&mut self.socket, buffer),
        };
        match result {
            Ok(0) => Some(self.lost(Loss::Closed)),
            Ok(count) => Some(Input::Received(self.id, buffer.get(..count).unwrap_or_default())),
            Err(Halt::Lost(loss)) => Some(self.lost(loss)),
            // TLS may pause before the socket has given everything.
            Err(Halt::Blocked) if self.socket.readable => None,
            Err(Halt::Blocked) => self.broken.map(|loss| self.lost(loss)),
        }
    }

    fn establish(&mut self) -> Input<'static> {
        if let Some(loss) = self.broken {
            return self.lost(loss);
        }
        // With epoll a connect that failed shows more than room to write. Elsewhere the system is always asked.
        if self.socket.readable || cfg!(not(any(target_os = "linux", target_os = "android"))) {
            match self.socket.inner.take_error() {
                Ok(None) => {}
                Ok(Some(error)) | Err(error) => return self.lost(loss(&error)),
            }
        }
        self.layer = Layer::Clear;
        Input::Connected(self.id)
    }

    fn shake(&mut self) -> Option<Input<'static>> {
        if let Some(loss) = self.broken {
            return Some(self.lost(loss));
        }
        let Layer::Shaking(tls) = &mut self.layer else { return None };
        match tls.shake(&mut self.socket) {
            Ok(facts) => Some(self.secured(facts)),
            Err(Halt::Blocked) => None,
            Err(Halt::Lost(loss)) => Some(self.lost(loss)),
        }
    }

    fn secured(&mut self, facts: TlsFacts) -> Input<'static> {
        self.layer = match mem::replace(&mut self.layer, Layer::Clear) {
            Layer::Shaking(tls) => Layer::Secure(tls),
            layer => layer,
        };
        Input::Secured(self.id, facts)
    }

    fn transmit(&mut self) -> Option<Input<'static>> {
        let result = match (&mut self.outgoing, &mut self.layer) {
            (Outgoing::Clear(octets, from), _) => write(&mut self.socket, octets, from),
            (Outgoing::Records, Layer::Secure(tls)) => tls.flush(&mut self.socket),
            (Outgoing::Nothing | Outgoing::Records, _) => return None,
        };
        match result {
            Ok(()) => {
                self.outgoing = Outgoing::Nothing;
                Some(Input::Sent(self.id))
            }
            Err(Halt::Blocked) => None,
            Err(Halt::Lost(loss)) => {
                self.fail(loss);
                None
            }
        }
    }

    fn lost(&self, loss: Loss) -> Input<'static> {
        Input::Lost(self.id, self.broken.unwrap_or(loss))
    }
}

/// Writes `octets` from the place `from` on, as far as there is room.
fn write(socket: &mut impl Write, octets: &[u8], from: &mut usize) -> Result<(), Halt> {
    while let Some(rest) = octets.get(*from..).filter(|rest| !rest.is_empty()) {
        match socket.write(rest)? {
            0 => return Err(Halt::Lost(Loss::Reset)),
            count => *from += count,
        }
    }
    Ok(())
}
