//! The way by which a domain's mail comes in: whether a filter would cut it off.

use super::mail::{MailDomain, MailService};
use crate::address::Network;

/// By which way mail for a domain arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum InboundPath {
    /// Through mail servers of the provider alone: it still arrives when a filter keeps out all others.
    ViaProvider,
    /// From the internet alone: a filter cuts it off.
    Direct,
    /// By both: what a filter cuts off comes later, by the provider.
    Both,
    /// Not at all: the domain takes no mail, or none of its mail hosts has an address.
    None,
}

impl InboundPath {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ViaProvider => "via-provider",
            Self::Direct => "direct",
            Self::Both => "both",
            Self::None => "none",
        }
    }
}

impl MailDomain {
    /// By which way mail for it arrives, given the networks of its provider's mail servers. Not the provider's whole
    /// network: its customers are in there too. Nothing if it depends on a host that could not be looked up.
    pub fn inbound_path(&self, provider: &[Network]) -> Option<InboundPath> {
        if self.service == MailService::None {
            return Some(InboundPath::None);
        }
        let addresses = || self.hosts.iter().flat_map(|host| &host.addresses);
        let is_providers =
            |address: core::net::IpAddr| provider.iter().any(|network| network.contains(address));
        let via = addresses().any(|&address| is_providers(address));
        let direct = addresses().any(|&address| !is_providers(address));
        match (via, direct) {
            (true, true) => Some(InboundPath::Both),
            _ if self.is_incomplete() => None,
            (true, false) => Some(InboundPath::ViaProvider),
            (false, true) => Some(InboundPath::Direct),
            (false, false) => Some(InboundPath::None),
        }
    }
}
