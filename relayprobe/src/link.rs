//! What a session and its driver say to each other about connections.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::octets::Octets;

/// A connection of a session. Numbers are never used twice in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct ConnId(pub u32);

/// Where to connect, and from which local address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// Address and port of the server.
    pub remote: SocketAddr,
    /// Local address to connect from; the system's choice if `None`.
    pub local: Option<core::net::IpAddr>,
}

impl Endpoint {
    /// A place to connect to.
    pub const fn new(remote: SocketAddr, local: Option<core::net::IpAddr>) -> Self {
        Self { remote, local }
    }
}

/// Why a connection could not be made, or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Loss {
    /// Nothing listens there (TCP reset in answer to our SYN).
    Refused,
    /// No answer in time.
    TimedOut,
    /// No route to the network or the host.
    NoRoute,
    /// A filter says so (ICMP administratively prohibited, or a local firewall).
    Prohibited,
    /// The local address or the protocol family cannot be used here.
    NoAddress,
    /// The peer ended the connection in order.
    Closed,
    /// The peer reset the connection.
    Reset,
    /// The TLS handshake failed.
    Tls,
    /// Anything else the system reports.
    Other,
}

/// What a TLS handshake showed. Nothing here has to be valid for a test to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TlsFacts {
    /// Protocol version, such as `TLSv1_3`.
    pub version: String,
    /// Cipher suite, by its registered name.
    pub cipher: String,
    /// The certificates as sent, leaf first, in DER.
    pub certificates: Vec<Octets>,
}

impl TlsFacts {
    /// What a driver's TLS library reports after a handshake.
    pub const fn new(version: String, cipher: String, certificates: Vec<Octets>) -> Self {
        Self { version, cipher, certificates }
    }
}
