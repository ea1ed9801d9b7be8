//! What may be connected to at all.

use core::net::IpAddr;

use super::range::{carried, never_a_host, special_range};

/// Cloud metadata services answer here; they are never a mail server, and what they tell is secret.
const METADATA: [&str; 6] =
    ["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"];

/// How far a test may reach. The address decides, never the name that led to it: names can be made to lead anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// Hosts of the internet.
    #[default]
    Internet,
    /// Hosts at special-purpose addresses too: loopback, private, link-local and the like.
    Private,
}

/// An address must not be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// It is a metadata service.
    #[error("{address} is a metadata service and is never tested")]
    Metadata {
        /// The address.
        address: IpAddr,
    },
    /// No single server can be there.
    #[error("{address} is {range}: no server can be there")]
    NoHost {
        /// The address.
        address: IpAddr,
        /// The range it is in.
        range: &'static str,
    },
    /// It is no server on the internet.
    #[error("{address} is {range}: such an address is only tested when private targets are allowed")]
    Special {
        /// The address.
        address: IpAddr,
        /// The range it is in.
        range: &'static str,
    },
}

impl Scope {
    /// Whether an address may be connected to, seen through every spelling that it has.
    pub fn check(self, address: IpAddr) -> Result<(), ScopeError> {
        let inner = carried(address);
        if METADATA.iter().any(|text| text.parse() == Ok(inner)) {
            return Err(ScopeError::Metadata { address });
        }
        if let Some(range) = never_a_host(address) {
            return Err(ScopeError::NoHost { address, range });
        }
        match (self, special_range(address)) {
            (Self::Internet, Some(range)) => Err(ScopeError::Special { address, range }),
            (Self::Internet, None) | (Self::Private, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scope: Scope, text: &str) -> Result<(), ScopeError> {
        scope.check(text.parse().unwrap())
    }

    #[test]
    fn private_hosts_are_tested_by_leave_only() {
        for text in ["127.0.0.1", "10.0.0.1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"] {
            assert!(matches!(check(Scope::Internet, text), Err(ScopeError::Special { .. })), "{text}");
            assert_eq!(check(Scope::Private, text), Ok(()), "{text}");
        }
        assert_eq!(check(Scope::Internet, "8.8.8.8"), Ok(()));
    }

    #[test]
    fn metadata_services_are_never_tested_however_they_are_written() {
        for text in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::ffff:0:169.254.169.254",
            "2001:0:0:0:0:0:5601:5601",
            "168.63.129.16",
            "fd00:ec2::254",
        ] {
            assert!(matches!(check(Scope::Private, text), Err(ScopeError::Metadata { .. })), "{text}");
        }
    }

    #[test]
    fn nothing_is_where_no_host_can_be() {
        for text in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "::ffff:0.0.0.0"] {
            assert!(matches!(check(Scope::Private, text), Err(ScopeError::NoHost { .. })), "{text}");
        }
    }
}
