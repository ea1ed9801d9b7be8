//! What the caller knows of the world around a run.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::address::{AddressError, Domain, Network};
use crate::moment::Date;

/// From where a run looks at its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Vantage {
    /// From outside every network of the target's operator and provider.
    #[default]
    Outside,
    /// From the provider's own network.
    ProviderNetwork,
    /// From the target's own network.
    TargetNetwork,
    /// From the same machine.
    Loopback,
}

impl Vantage {
    /// All vantages.
    pub const ALL: [Self; 4] = [Self::Outside, Self::ProviderNetwork, Self::TargetNetwork, Self::Loopback];

    /// From where one looks if nobody says otherwise: at a loopback address nobody looks from outside.
    pub fn usual(target: IpAddr) -> Self {
        if target.to_canonical().is_loopback() { Self::Loopback } else { Self::Outside }
    }

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::ProviderNetwork => "provider-network",
            Self::TargetNetwork => "target-network",
            Self::Loopback => "loopback",
        }
    }
}

/// A block in force around the target. It changes what a run can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Measure {
    /// A filter keeps out connections from the internet; the provider still gets through.
    InboundFilter,
    /// Connections from the internet are blocked.
    InboundBlock,
    /// The target may not use its provider's smarthost.
    SmarthostBlock,
    /// The target may not connect to port 25 elsewhere.
    OutboundPortBlock,
}

impl Measure {
    /// All measures.
    pub const ALL: [Self; 4] =
        [Self::InboundFilter, Self::InboundBlock, Self::SmarthostBlock, Self::OutboundPortBlock];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InboundFilter => "inbound-filter",
            Self::InboundBlock => "inbound-block",
            Self::SmarthostBlock => "smarthost-block",
            Self::OutboundPortBlock => "outbound-port-block",
        }
    }
}

/// Networks and domains that asked not to be tested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeverTest {
    // Long lists are shared by the plans of many targets.
    networks: Arc<[Network]>,
    domains: Arc<[Domain]>,
}

/// A line of a never-test list is neither network nor domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the never-test list: {fault}")]
pub struct NeverTestError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong with it.
    #[source]
    pub fault: AddressError,
}

impl NeverTest {
    /// Reads a list: a network, an address or a domain on each line, `#` begins a comment.
    pub fn parse(text: &str) -> Result<Self, NeverTestError> {
        let (mut networks, mut domains) = (Vec::new(), Vec::new());
        for (at, line) in text.lines().enumerate() {
            let entry = line.split('#').next().unwrap_or_default().trim();
            if entry.is_empty() {
                continue;
            }
            match (entry.parse::<Network>(), entry.parse::<Domain>()) {
                (Ok(network), _) => networks.push(network),
                (_, Ok(domain)) => domains.push(domain),
                (Err(network), Err(domain)) => {
                    let fault = if entry.contains('/') { network } else { domain };
                    return Err(NeverTestError { line: at + 1, fault });
                }
            }
        }
        Ok(Self { networks: networks.into(), domains: domains.into() })
    }

    /// Whether the owner of this address asked not to be tested.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Whether the owner of this domain asked not to be tested.
    pub fn has_domain(&self, domain: &Domain) -> bool {
        self.domains.iter().any(|zone| domain.is_within(zone))
    }
}

/// What earlier runs did to the same target address; a store knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When the last run began.
    pub last_run: Option<Date>,
    /// Refusals that runs of the same day collected, or planned to.
    pub refusals_today: u32,
    /// Messages that runs of the same day sent, or might have sent.
    pub messages_today: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_networks_and_domains() {
        let list =
            NeverTest::parse("# opted out\n192.0.2.0/24\n\nquiet.example # asked by mail\n2001:db8::1\n")
                .unwrap();
        assert!(list.has_address("192.0.2.7".parse().unwrap()));
        assert!(list.has_address("2001:db8::1".parse().unwrap()));
        assert!(list.has_domain(&"mail.quiet.example".parse().unwrap()));
        assert!(!list.has_domain(&"loud.example".parse().unwrap()));
    }

    #[test]
    fn a_line_that_is_neither_is_told_by_number() {
        assert_eq!(NeverTest::parse("ok.example\n\n!!\n").unwrap_err().line, 3);
        assert_eq!(NeverTest::parse("192.0.2.0/99\n").unwrap_err().line, 1);
    }
}
