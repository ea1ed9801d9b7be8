//! What comes out of a session.

use core::ffi::c_char;
use core::mem::offset_of;
use core::ptr;

use relayprobe::link::{ConnId, Endpoint};
use relayprobe::session::{Event, Output};

use super::{Running, relayprobe_session};
use crate::guard::guard;
use crate::handle::handle;
use crate::status::{Fault, relayprobe_status};

/// What to do: the field kind of relayprobe_output. Ignore a number that you do not know, and poll again.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_output_kind {
    /// Begin a TCP connection to text and port, from source if that is not NULL; then relayprobe_session_connected() or
    /// _lost().
    Connect = 1,
    /// Begin to write all of octets; then relayprobe_session_sent() or _lost().
    Send = 2,
    /// Begin a TLS handshake as a client for the server name in text; then relayprobe_session_secured() or _lost().
    StartTls = 3,
    /// Close the connection. It needs no answer.
    Close = 4,
    /// Progress, to be shown or ignored: see the field event.
    Event = 5,
    /// Nothing to do until octets arrive, a connection changes, or the moment until comes; then relayprobe_session_tick().
    ///
    /// The moment may already have come: then read once from each connection without waiting, hand over what there was,
    /// and tick. The session asks for this before it writes, so that nothing unread is ever overtaken.
    Wait = 6,
    /// The run is over: relayprobe_session_report().
    Finished = 7,
}

/// What progress was made: the field event of relayprobe_output.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_event {
    /// No event.
    None = 0,
    /// A connection is begun: connection, path.
    Connecting = 1,
    /// A probe was answered, for now: probe, and the reply code in count.
    Answered = 2,
    /// So many probes are settled: count of total.
    Progress = 3,
    /// The survey is done, and messages are sent for what was accepted: count of them.
    Proving = 4,
    /// Deferred probes will be asked again: count of them, at the moment until.
    Retrying = 5,
    /// Something that this version of the library has no number for.
    Other = 6,
}

/// What to do next. Fields that do not belong to the kind are 0 or NULL.
///
/// Set struct_size to sizeof(relayprobe_output) before the first call. The struct grows at its end; a library never writes
/// more than struct_size octets, and leaves those alone that it does not know, so set all of it to 0 at first. A struct
/// that ends before the field event is too small.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct relayprobe_output {
    /// Size of this struct in the caller's program. Never written.
    pub struct_size: usize,
    /// One of relayprobe_output_kind.
    pub kind: i32,
    /// The connection, by the number that the session gave it. Numbers are not used twice.
    pub connection: u32,
    /// What to write. It stays until relayprobe_session_sent() or _lost() for the connection, until the poll after
    /// RELAYPROBE_OUTPUT_KIND_CLOSE, or until the session gives its report or is freed.
    pub octets: *const u8,
    /// How many octets.
    pub length: usize,
    /// An address or a name. It stays until the next poll.
    pub text: *const c_char,
    /// The local address to connect from, or NULL for any. It stays until the next poll.
    pub source: *const c_char,
    /// The moment at which to tick at the latest, in microseconds.
    pub until: u64,
    /// The port to connect to.
    pub port: u32,
    /// One of relayprobe_event.
    pub event: i32,
    /// Index of the path, as in the report.
    pub path: u32,
    /// Number of the probe, as in the report.
    pub probe: u32,
    /// See the event.
    pub count: u32,
    /// See the event.
    pub total: u32,
}

/// The least that a caller's struct must have.
const LEAST: usize = offset_of!(relayprobe_output, event);

const NOTHING: relayprobe_output = relayprobe_output {
    struct_size: 0,
    kind: 0,
    connection: 0,
    octets: ptr::null(),
    length: 0,
    text: ptr::null(),
    source: ptr::null(),
    until: 0,
    port: 0,
    event: relayprobe_event::None as i32,
    path: 0,
    probe: 0,
    count: 0,
    total: 0,
};

/// What to do next. Call it until it says RELAYPROBE_OUTPUT_KIND_WAIT or RELAYPROBE_OUTPUT_KIND_FINISHED. `session` and
/// `output` must not be NULL; the field struct_size of `output` must be set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_poll(
    session: *mut relayprobe_session,
    output: *mut relayprobe_output,
) -> relayprobe_status {
    guard(|| {
        if output.is_null() {
            return Err(Fault::null("output"));
        }
        // SAFETY: it is not NULL, and this much every caller's struct has.
        let size = unsafe { (&raw const (*output).struct_size).read_unaligned() };
        if size < LEAST {
            return Err(Fault::new(
                relayprobe_status::StructSize,
                format_args!("output.struct_size is {size}: set it to sizeof(relayprobe_output)"),
            ));
        }
        // SAFETY: passed on to the caller.
        let mut running = unsafe { handle(session, "session")? };
        let mut next = running.poll()?;
        next.struct_size = size;
        let known = size.min(size_of::<relayprobe_output>());
        // SAFETY: the caller says that `size` octets are there; the struct has no more than `known`.
        unsafe { ptr::copy_nonoverlapping((&raw const next).cast::<u8>(), output.cast::<u8>(), known) };
        Ok(())
    })
}

impl Running {
    fn poll(&mut self) -> Result<relayprobe_output, Fault> {
        let output = self.session()?.poll_output();
        let closed = core::mem::take(&mut self.closed);
        self.sending.retain(|(id, _)| !closed.contains(id));
        Ok(match output {
            Output::Connect(id, endpoint) => self.connect(id, &endpoint),
            Output::Send(id, octets) => self.send(id, octets),
            Output::StartTls(id, name) => relayprobe_output {
                text: self.text.lend(name),
                ..asked(relayprobe_output_kind::StartTls, id)
            },
            Output::Close(id) => {
                self.closed.push(id);
                self.certificates.retain(|(of, _)| *of != id);
                asked(relayprobe_output_kind::Close, id)
            }
            Output::Event(event) => told(&event),
            Output::Wait(until) => {
                relayprobe_output { until: until.as_micros(), ..of(relayprobe_output_kind::Wait) }
            }
            Output::Finished => of(relayprobe_output_kind::Finished),
            // Whatever a later engine asks for: nobody waits for it here.
            _ => of(relayprobe_output_kind::Event),
        })
    }

    fn connect(&mut self, id: ConnId, endpoint: &Endpoint) -> relayprobe_output {
        relayprobe_output {
            text: self.text.lend(endpoint.remote.ip().to_string()),
            source: endpoint.local.map_or(ptr::null(), |local| self.source.lend(local.to_string())),
            port: endpoint.remote.port().into(),
            ..asked(relayprobe_output_kind::Connect, id)
        }
    }

    fn send(&mut self, id: ConnId, octets: Vec<u8>) -> relayprobe_output {
        let (place, length) = (octets.as_ptr(), octets.len());
        self.sending.retain(|(sending, _)| *sending != id);
        // Moving the vector leaves its octets where they are.
        self.sending.push((id, octets));
        relayprobe_output { octets: place, length, ..asked(relayprobe_output_kind::Send, id) }
    }
}

fn of(kind: relayprobe_output_kind) -> relayprobe_output {
    relayprobe_output { kind: kind as i32, ..NOTHING }
}

fn asked(kind: relayprobe_output_kind, id: ConnId) -> relayprobe_output {
    relayprobe_output { connection: id.0, ..of(kind) }
}

fn told(event: &Event) -> relayprobe_output {
    let as_event = |event: relayprobe_event| relayprobe_output {
        event: event as i32,
        ..of(relayprobe_output_kind::Event)
    };
    match event {
        Event::Connecting { connection, path } => relayprobe_output {
            connection: connection.0,
            path: (*path).into(),
            ..as_event(relayprobe_event::Connecting)
        },
        Event::Answered { probe, code } => relayprobe_output {
            probe: (*probe).into(),
            count: code.number().into(),
            ..as_event(relayprobe_event::Answered)
        },
        Event::Progress { settled, all } => relayprobe_output {
            count: (*settled).into(),
            total: (*all).into(),
            ..as_event(relayprobe_event::Progress)
        },
        Event::Proving { messages } => {
            relayprobe_output { count: (*messages).into(), ..as_event(relayprobe_event::Proving) }
        }
        Event::Retrying { probes, at } => relayprobe_output {
            count: (*probes).into(),
            until: at.as_micros(),
            ..as_event(relayprobe_event::Retrying)
        },
        _ => as_event(relayprobe_event::Other),
    }
}
