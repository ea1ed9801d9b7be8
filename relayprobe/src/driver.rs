//! The sockets and the clock.
//!
//! A driver does what a [`Session`](crate::Session) asks for and decides nothing. Both drivers here run the same code
//! over non-blocking sockets, one task or thread for all connections of a run; they differ in how they wait. Whoever
//! has an event loop already needs neither: the session is all there is to drive.
//!
//! STARTTLS and implicit TLS need the feature `tls`; [`TLS`] tells a plan whether they are there. TLS here shows how
//! the server protects its mail; no certificate is checked against a name or an authority, because a relay test needs
//! to know what the server does, not who it is.

pub mod blocking;
mod connection;
mod loss;
mod run;
mod socket;
#[cfg_attr(not(feature = "tls"), path = "driver/no_tls.rs")]
mod tls;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use loss::loss;

use core::hash::{BuildHasher as _, Hasher as _};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::hash::RandomState;
use std::sync::Arc;
use std::time::SystemTime;

use crate::moment::Date;
use crate::plan::DriverTls;

/// Whether these drivers can do TLS: what [`PlanBuilder::tls`](crate::plan::PlanBuilder::tls) is to be told.
pub const TLS: DriverTls = if cfg!(feature = "tls") { DriverTls::Able } else { DriverTls::Unable };

/// How long a driver waits at most before it looks whether it was stopped.
const SLICE: Duration = Duration::from_millis(100);

/// Ends a run from elsewhere: a signal handler, another thread, another task.
///
/// The run notices within a tenth of a second, ends politely and keeps its record: what was asked already has as long to be
/// answered as a QUIT. All clones are one handle, and it stays stopped.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A handle that lets runs go on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the runs that were given this handle.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`stop`](Self::stop) was called.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Today by the system's clock, for [`PlanBuilder::build`](crate::plan::PlanBuilder::build).
pub fn now() -> Date {
    Date::from_unix(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |span| span.as_secs()))
}

/// A number that names a run, for [`PlanBuilder::build`](crate::plan::PlanBuilder::build).
///
/// It must not repeat, and need not be secret: it stands in every message. So the randomness that the standard library
/// has for its hash maps is good enough.
pub fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests;
