//! What the system's errors mean for a connection.

use std::io::{Error, ErrorKind};

use crate::link::Loss;

/// The standard library has no kind for this one.
#[cfg(unix)]
const NO_SUCH_FAMILY: i32 = libc::EAFNOSUPPORT;
#[cfg(not(unix))]
const NO_SUCH_FAMILY: i32 = 10_047;

/// Why an operation on a connection did not go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// Not now; the system says when.
    Blocked,
    /// Never.
    Lost(Loss),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock => Self::Blocked,
            _ => Self::Lost(loss(&error)),
        }
    }
}

/// What an error of the system says about the connection.
///
/// A filter that answers with ICMP is seen as "no route", because Linux reports both alike; only a local rule is seen as
/// what it is.
pub fn loss(error: &Error) -> Loss {
    match error.kind() {
        ErrorKind::ConnectionRefused => Loss::Refused,
        ErrorKind::TimedOut => Loss::TimedOut,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => Loss::NoRoute,
        ErrorKind::PermissionDenied => Loss::Prohibited,
        ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse => Loss::NoAddress,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Loss::Reset,
        _ if error.raw_os_error() == Some(NO_SUCH_FAMILY) => Loss::NoAddress,
        _ => Loss::Other,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_errors_of_unix_have_their_meaning() {
        for (number, meaning) in [
            (libc::ECONNREFUSED, Loss::Refused),
            (libc::ETIMEDOUT, Loss::TimedOut),
            (libc::EHOSTUNREACH, Loss::NoRoute),
            (libc::ENETUNREACH, Loss::NoRoute),
            (libc::ENETDOWN, Loss::NoRoute),
            (libc::EACCES, Loss::Prohibited),
            (libc::EPERM, Loss::Prohibited),
            (libc::EADDRNOTAVAIL, Loss::NoAddress),
            (libc::EADDRINUSE, Loss::NoAddress),
            (libc::EAFNOSUPPORT, Loss::NoAddress),
            (libc::ECONNRESET, Loss::Reset),
            (libc::EPIPE, Loss::Reset),
            (libc::EMFILE, Loss::Other),
        ] {
            assert_eq!(Halt::from(Error::from_raw_os_error(number)), Halt::Lost(meaning), "errno {number}");
        }
        assert_eq!(Halt::from(Error::from_raw_os_error(libc::EAGAIN)), Halt::Blocked);
    }
}
