//! Domains, mailboxes and networks as the caller writes them; and addresses at which nobody is tested.

mod range;
mod scope;

pub use range::{Range, carried, special_range, special_ranges};
pub use scope::{Scope, ScopeError};

use alloc::string::String;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

/// A host or mail domain in the preferred form (RFC 5321 §2.3.5), ASCII, kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct Domain(String);

/// A text is no domain, mailbox or network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not letters, digits and hyphens in labels of 1 to 63 characters, 253 in all.
    #[error(
        "\"{text}\" is not a domain name in ASCII letters, digits and hyphens, like mail.example.org (write other scripts as xn-- labels)"
    )]
    Domain {
        /// What was given, escaped.
        text: String,
    },
    /// Not `local@domain` with a local part of letters, digits and `!#$&'*+-/=?^_.~`.
    #[error("\"{text}\" is not a mailbox like postmaster@example.org")]
    Mailbox {
        /// What was given, escaped.
        text: String,
    },
    /// Not an address with a prefix length.
    #[error("\"{text}\" is not a network like 192.0.2.0/24 or 2001:db8::/32")]
    Network {
        /// What was given, escaped.
        text: String,
    },
}

impl Domain {
    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is `zone` or lies in it.
    pub fn is_within(&self, zone: &Self) -> bool {
        self.0.strip_suffix(&zone.0).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl FromStr for Domain {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // A name whose last label is a number is an address that somebody mistyped (RFC 1123 §2.1).
        let last = text.rsplit('.').next().unwrap_or_default();
        let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
        let numeric = last.bytes().all(|b| b.is_ascii_digit())
            || hexadecimal.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        if text.len() <= 253 && text.split('.').all(label) && !numeric {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(AddressError::Domain { text: crate::octets::escape(text.as_bytes()) })
        }
    }
}

impl TryFrom<String> for Domain {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `local@domain`, without quotes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct Mailbox {
    local: String,
    domain: Domain,
}

impl Mailbox {
    /// The mailbox that every domain must have (RFC 5321 §4.5.1).
    pub fn postmaster(domain: &Domain) -> Self {
        Self { local: "postmaster".into(), domain: domain.clone() }
    }

    /// A mailbox of the same domain.
    ///
    /// `local` must be letters, digits and the marks that a mailbox may have.
    pub(crate) fn with_local(&self, local: &str) -> Self {
        Self { local: local.into(), domain: self.domain.clone() }
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The part after the `@`.
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let fault = || AddressError::Mailbox { text: crate::octets::escape(text.as_bytes()) };
        let (local, domain) = text.split_once('@').ok_or_else(fault)?;
        // No percent and no bar: an address of the caller's own must not be a route or a command.
        let atom = |atom: &str| {
            !atom.is_empty()
                && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"#$&'*+-/=?^_~".contains(&b))
        };
        if local.len() > 64 || local.starts_with(['/', '-']) || !local.split('.').all(atom) {
            return Err(fault());
        }
        Ok(Self { local: local.into(), domain: domain.parse().map_err(|_| fault())? })
    }
}

impl TryFrom<String> for Mailbox {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Mailbox> for String {
    fn from(mailbox: Mailbox) -> Self {
        alloc::format!("{mailbox}")
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// An address block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// The address, as it was written.
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// Length of the prefix.
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether `address` lies in the block. An IPv4-mapped IPv6 address counts as the IPv4 address it is.
    pub fn contains(self, address: IpAddr) -> bool {
        let shift = |width: u8| u32::from(width.saturating_sub(self.prefix));
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(shift(32)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(shift(128)).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = AddressError;

    /// Reads `192.0.2.0/24`; an address alone is a block of one.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let fault = || AddressError::Network { text: crate::octets::escape(text.as_bytes()) };
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| fault())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(width), |p| p.parse().map_err(|_| fault()))?;
        if prefix > width { Err(fault()) } else { Ok(Self { address, prefix }) }
    }
}

impl TryFrom<String> for Network {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        alloc::format!("{network}")
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_hosts_in_ascii() {
        assert_eq!("Mail.Example.ORG".parse::<Domain>().unwrap().as_str(), "mail.example.org");
        for text in [
            "",
            ".",
            "a..b",
            "-a.example",
            "a-.example",
            "a_b.example",
            "1.2.3.4",
            "0x7f000001",
            "0X7f.0x1",
            "a.example.",
            "bücher.example",
            "a b",
            "a\r\nb",
        ] {
            assert!(text.parse::<Domain>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_lies_in_its_own_zone_only() {
        let domain = |text: &str| text.parse::<Domain>().unwrap();
        assert!(domain("a.probe.example").is_within(&domain("probe.example")));
        assert!(domain("probe.example").is_within(&domain("probe.example")));
        assert!(!domain("xprobe.example").is_within(&domain("probe.example")));
    }

    #[test]
    fn a_mailbox_is_neither_route_nor_command() {
        assert!("alice.b+c@target.example".parse::<Mailbox>().is_ok());
        for text in [
            "alice",
            "a%b@c.example",
            "a!b@c.example",
            "|x@c.example",
            "/x@c.example",
            "a@b@c.example",
            "a..b@c.example",
            "\"a\"@c.example",
            "a@c.example\r\n",
        ] {
            assert!(text.parse::<Mailbox>().is_err(), "{text}");
        }
    }

    #[test]
    fn networks_hold_what_they_say() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(network("192.0.2.0/24").contains(ip("192.0.2.255")));
        assert!(!network("192.0.2.0/24").contains(ip("192.0.3.0")));
        assert!(network("192.0.2.1").contains(ip("::ffff:192.0.2.1")));
        assert!(network("0.0.0.0/0").contains(ip("203.0.113.1")));
        assert!(!network("0.0.0.0/0").contains(ip("2001:db8::1")));
        assert!(network("2001:db8::/32").contains(ip("2001:db8:ffff::1")));
        for text in ["192.0.2.0/33", "192.0.2.0/", "192.0.2/24", "x"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
