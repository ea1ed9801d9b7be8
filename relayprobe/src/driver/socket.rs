//! A non-blocking socket that remembers what it is ready for.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::link::Endpoint;

/// What a driver's kind of socket can do.
pub(super) trait Transport: Read + Write {
    /// What became of the connect, once there is room to write.
    fn take_error(&self) -> io::Result<Option<io::Error>>;

    /// Sends small segments at once.
    fn set_nodelay(&self) -> io::Result<()>;

    /// Whether it has heard of nothing to read since the last read began: otherwise there is more, were it only the end.
    fn is_silent(&self) -> bool;
}

/// Whether a read that did not fill its buffer has emptied the socket, and whatever comes later is told anew: so it is
/// with epoll (epoll(7), "Questions and answers").
const SHORT_IS_ALL: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// A socket, and what the system said about it.
///
/// Readiness is told once and holds until an operation finds otherwise, as with edge-triggered notification. So the
/// socket is registered once, and nothing that was told is asked again.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that the system said")]
pub(super) struct Socket<S> {
    pub(super) inner: S,
    /// There may be something to read, or the end, or an error.
    pub(super) readable: bool,
    /// There may be room to write.
    pub(super) writable: bool,
    /// The system told of the end, or of an error: no read will wait any more.
    pub(super) ended: bool,
    /// The last read found that nothing more had arrived, and nothing else was done since.
    pub(super) drained: bool,
}

impl<S> Socket<S> {
    pub(super) const fn new(inner: S) -> Self {
        Self { inner, readable: false, writable: false, ended: false, drained: false }
    }
}

impl<S: Transport> Read for Socket<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = retry(|| self.inner.read(buffer));
        let is_all = || !self.ended && self.inner.is_silent();
        self.drained = is_blocked(&result) || is_short(&result, buffer.len()) && is_all();
        self.readable = !self.drained;
        result
    }
}

/// Never vectored: the standard library then writes without `MSG_NOSIGNAL`, and a C program may not ignore SIGPIPE.
impl<S: Write> Write for Socket<S> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let result = retry(|| self.inner.write(octets));
        self.writable = !is_blocked(&result);
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn retry(mut operation: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match operation() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Whether a read into a buffer of this length has emptied the socket.
pub(super) fn is_short(result: &io::Result<usize>, length: usize) -> bool {
    SHORT_IS_ALL && result.as_ref().is_ok_and(|&count| 0 < count && count < length)
}

pub(super) fn is_blocked(result: &io::Result<usize>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// Begins to connect without waiting.
///
/// Small segments may wait for acknowledgements: before a command is sent every reply has come, so nothing is
/// outstanding, and most connections do without a system call.
pub(super) fn open(endpoint: &Endpoint) -> io::Result<TcpStream> {
    let socket = non_blocking(socket2::Domain::for_address(endpoint.remote))?;
    if let Some(local) = endpoint.local {
        socket.bind(&std::net::SocketAddr::new(local, 0).into())?;
    }
    match socket.connect(&endpoint.remote.into()) {
        Err(error) if !is_begun(&error) => Err(error),
        _ => Ok(socket.into()),
    }
}

/// Linux makes a socket non-blocking in the call that makes the socket.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn non_blocking(domain: socket2::Domain) -> io::Result<socket2::Socket> {
    socket2::Socket::new(domain, socket2::Type::STREAM.nonblocking(), Some(socket2::Protocol::TCP))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn non_blocking(domain: socket2::Domain) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(unix)]
fn is_begun(error: &io::Error) -> bool {
    // An interrupted connect goes on by itself (POSIX, connect).
    matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR))
}

#[cfg(not(unix))]
fn is_begun(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}
