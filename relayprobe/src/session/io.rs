//! What goes into a session, and what comes out.

use alloc::string::String;
use alloc::vec::Vec;

use crate::link::{ConnId, Endpoint, Loss, TlsFacts};
use crate::moment::Moment;
use crate::wire::Code;

/// Something that happened outside.
///
/// Input for a connection that has ended is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The connection was made.
    Connected(ConnId),
    /// Everything of the last [`Output::Send`] was written.
    Sent(ConnId),
    /// Octets came; inside TLS once it is on.
    Received(ConnId, &'a [u8]),
    /// The TLS handshake is done.
    Secured(ConnId, TlsFacts),
    /// The connection could not be made, or has ended, or its handshake failed.
    Lost(ConnId, Loss),
    /// Time has passed, and everything that has arrived has been handed over.
    Tick,
}

/// Something that the driver starts. It answers with an [`Input`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Open a TCP connection; then `Connected` or `Lost`.
    Connect(ConnId, Endpoint),
    /// Write all octets; then `Sent` or `Lost`.
    Send(ConnId, Vec<u8>),
    /// Do a TLS handshake as a client for this server name; then `Secured` or `Lost`. Whatever certificate the server
    /// has is recorded and taken.
    StartTls(ConnId, String),
    /// Close the connection. It needs no answer.
    Close(ConnId),
    /// Show progress.
    Event(Event),
    /// Nothing to do until octets arrive, a connection changes, or this moment comes; then `Tick`.
    ///
    /// The moment may already have come: then hand over what has arrived, by one non-blocking read of each
    /// connection, and `Tick`. The session asks for this before it writes, so that nothing unread is ever overtaken.
    Wait(Moment),
    /// The run is over.
    Finished,
}

/// Progress, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A connection is begun.
    Connecting {
        /// The connection.
        connection: ConnId,
        /// Index of its path in the run record.
        path: u16,
    },
    /// A probe was answered, for now.
    Answered {
        /// The probe.
        probe: u16,
        /// The code that settles it.
        code: Code,
    },
    /// So many probes are settled.
    Progress {
        /// Settled, whatever came of them.
        settled: u16,
        /// All of them.
        all: u16,
    },
    /// The survey is done, and messages are sent for what was accepted.
    Proving {
        /// How many.
        messages: u16,
    },
    /// Deferred probes will be asked again.
    Retrying {
        /// How many.
        probes: u16,
        /// When.
        at: Moment,
    },
}
