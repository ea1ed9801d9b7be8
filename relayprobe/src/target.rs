//! The server under test.

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use crate::address::{Domain, Mailbox};

/// One address of a mail server, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Target {
    /// The address. A second address of the same host is another target.
    pub address: IpAddr,
    /// The port of the first path.
    pub port: u16,
    /// The name the caller knows it by; used for TLS only.
    pub name: Option<Domain>,
    /// Mail domains of its own, the main one first.
    pub domains: Vec<Domain>,
    /// A real mailbox that its operator named for controls.
    pub mailbox: Option<Mailbox>,
    /// Reverse name of the address.
    pub reverse_name: Option<Domain>,
    /// Another address of the same host in the other family, for forms that hold it.
    pub other_address: Option<IpAddr>,
    /// What it called itself when it was last tested; another name now makes the verdict undetermined.
    pub expected_host: Option<Domain>,
    /// Domain of its internet provider.
    pub provider_domain: Option<Domain>,
    /// The name that an MX record has for it: what it may call itself, as long as it does not say how it does.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub mail_host: Option<Domain>,
}

impl Target {
    /// A target of which only the address is known.
    pub const fn new(address: IpAddr, port: u16) -> Self {
        Self {
            address,
            port,
            name: None,
            domains: Vec::new(),
            mailbox: None,
            reverse_name: None,
            other_address: None,
            expected_host: None,
            provider_domain: None,
            mail_host: None,
        }
    }

    /// Whether the caller knows it by this name, or knows the name's domain to be its own. A name that only the server itself
    /// gives may be anybody's.
    pub fn is_known_as(&self, host: &Domain) -> bool {
        let names = [&self.name, &self.mail_host, &self.reverse_name];
        names.into_iter().flatten().any(|name| name == host)
            || self.domains.iter().any(|domain| host.is_within(domain))
    }

    /// Its IPv4 address, if one is known.
    pub fn ipv4(&self) -> Option<IpAddr> {
        [Some(self.address), self.other_address].into_iter().flatten().find(IpAddr::is_ipv4)
    }

    /// Its IPv6 address, if one is known.
    pub fn ipv6(&self) -> Option<IpAddr> {
        [Some(self.address), self.other_address].into_iter().flatten().find(IpAddr::is_ipv6)
    }
}

/// How a server is reached: one way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Path {
    /// TCP port.
    pub port: u16,
    /// Whether and when TLS begins.
    pub tls: Tls,
}

/// Whether and when TLS begins on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Tls {
    /// Never.
    None,
    /// After `STARTTLS` (RFC 3207).
    StartTls,
    /// `STARTTLS`, but only if the server asks for it in the clear.
    StartTlsIfAsked,
    /// From the first octet (RFC 8314 §3.3).
    Implicit,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tls {
            Tls::None => write!(f, "port {}", self.port),
            Tls::StartTls | Tls::StartTlsIfAsked => write!(f, "port {} with STARTTLS", self.port),
            Tls::Implicit => write!(f, "port {} with TLS", self.port),
        }
    }
}
