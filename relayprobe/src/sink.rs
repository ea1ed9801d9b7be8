//! A receiving server for the probe domain.
//!
//! It takes mail for the tester's own domains, keeps what carries a token, and sends nothing anywhere. [`Sink`] brings
//! sockets and threads; [`SinkSession`] is one connection without either; [`Spool`] keeps what came on disk.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use relayprobe::Identity;
//! use relayprobe::sink::{Sink, SinkOptions, Spool};
//!
//! let spool = Spool::open("/var/lib/relayprobe/spool".as_ref())?;
//! let options = SinkOptions::new(&Identity::new("probe.example".parse()?));
//! let listener = std::net::TcpListener::bind("[::]:25")?;
//! let sink = Sink::start(listener, options, move |arrival| spool.keep(&arrival).map(drop))?;
//! # Ok(())
//! # }
//! ```

mod body;
mod command;
mod count;
mod ours;
#[doc(hidden)]
pub mod private;
mod server;
mod session;
mod spool;

use core::net::IpAddr;
use core::time::Duration;

use crate::address::{Domain, Mailbox};
use crate::identity::Identity;

pub use self::count::{Count, Counts};
pub use self::server::Sink;
pub use self::session::{End, Kept, Output, SinkSession};
pub use self::spool::{Arrivals, Spool, SpoolError, Spooled};

/// What a receiving server is, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkOptions {
    /// What it calls itself.
    pub host: Domain,
    /// Domains that it takes mail for, with all that lies in them.
    pub domains: Vec<Domain>,
    /// Addresses of its own, for recipients like `[192.0.2.1]`.
    pub addresses: Vec<IpAddr>,
    /// Domains of our own senders, with all that lies in them. Only their mail is refused in [`Mode::Refuse`].
    pub our_senders: Vec<Domain>,
    /// Where people reach us. Told to whoever writes something that is no test message; so it must not lie in
    /// [`domains`](Self::domains), or nobody is reached there either.
    pub contact: Mailbox,
    /// What becomes of test messages.
    pub mode: Mode,
    /// Its limits.
    pub limits: SinkLimits,
}

/// What becomes of test messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// They are taken.
    #[default]
    Accept,
    /// They are looked at and then refused, so that nothing is delivered. The relay's report of that goes to the
    /// sender; so a message whose sender is not ours is taken all the same, and so is a report.
    Refuse,
}

/// What a receiving server stands at most.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkLimits {
    /// Octets of a message; more are neither taken nor held in memory.
    pub message: usize,
    /// Octets of a command line.
    pub line: usize,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one peer: an IPv4 address, or the first 64 bits of an IPv6 address.
    pub connections_per_peer: usize,
    /// How long a client may say nothing; a day at most.
    pub idle: Duration,
    /// How long a connection may last; a day at most.
    pub session: Duration,
    /// Refusals on a connection.
    pub errors: u32,
    /// Transactions on a connection.
    pub transactions: u32,
    /// Recipients of a transaction (RFC 5321 §4.5.3.1.8 asks for a hundred).
    pub recipients: usize,
}

impl SinkOptions {
    /// The receiving server of a tester.
    pub fn new(identity: &Identity) -> Self {
        let domains = [identity.probe_domain.clone(), identity.sender_domain.clone()];
        let v4 = identity.sink_ipv4.map(IpAddr::from);
        let v6 = identity.sink_ipv6.map(IpAddr::from);
        Self {
            host: identity.sink_host.clone().unwrap_or_else(|| identity.probe_domain.clone()),
            our_senders: domains.to_vec(),
            domains: domains.to_vec(),
            addresses: v4.into_iter().chain(v6).collect(),
            contact: identity.contact.clone(),
            mode: Mode::default(),
            limits: SinkLimits::default(),
        }
    }
}

impl Default for SinkLimits {
    fn default() -> Self {
        Self {
            message: 65_536,
            line: 4_096,
            connections: 100,
            connections_per_peer: 10,
            idle: Duration::from_mins(1),
            session: Duration::from_mins(10),
            errors: 20,
            transactions: 1_000,
            recipients: 100,
        }
    }
}
