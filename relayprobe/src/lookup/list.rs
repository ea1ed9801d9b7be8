//! Block lists in the DNS (RFC 5782): what is asked, and what an answer means. No list is built in.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use super::question::Trouble;
use super::reverse::reversed;
use crate::address::{Domain, Network};
use crate::octets::{Octets, escape};

/// A block list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct List {
    /// Its zone.
    pub zone: Domain,
    /// The families of addresses that it knows.
    #[cfg_attr(feature = "serde", serde(default = "List::ipv4_only"))]
    pub families: Vec<Family>,
    /// What its codes mean, as its operator says.
    #[cfg_attr(feature = "serde", serde(default))]
    pub meanings: Vec<Meaning>,
    /// Where its operator takes an address off it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub removal: Option<String>,
}

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Family {
    /// Version 4.
    Ipv4,
    /// Version 6.
    Ipv6,
}

impl Family {
    /// The family of an address. An IPv4-mapped one is IPv4.
    pub const fn of(address: IpAddr) -> Self {
        if address.to_canonical().is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }

    /// The entry that every list of the family has (RFC 5782 §5).
    pub const fn listed(self) -> IpAddr {
        match self {
            Self::Ipv4 => IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)),
            // In the form of an IPv6 address it is not taken for an IPv4 one.
            Self::Ipv6 => IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 2)),
        }
    }

    /// The entry that no list of the family has (RFC 5782 §5).
    pub const fn unlisted(self) -> IpAddr {
        match self {
            Self::Ipv4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Self::Ipv6 => IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1)),
        }
    }
}

/// What codes of a list mean.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, rename_all = "kebab-case")
)]
pub struct Meaning {
    /// The codes.
    pub codes: Codes,
    /// What they mean, such as the name of a sublist.
    pub name: String,
}

/// Codes of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub enum Codes {
    /// A code, or all in a block.
    In(Network),
    /// All that have these bits set (RFC 5782 §2.3).
    Bits(Ipv4Addr),
}

/// A text is neither code, block nor bits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is neither a code like 127.0.0.2, a block of them like 127.0.0.4/30, nor bits like &0.0.0.8"
)]
pub struct CodesError {
    /// What was given, escaped.
    pub text: String,
}

impl Codes {
    /// Whether a code is one of them.
    pub fn contains(self, code: Ipv4Addr) -> bool {
        match self {
            Self::In(network) => network.contains(IpAddr::V4(code)),
            Self::Bits(bits) => code.to_bits() & bits.to_bits() == bits.to_bits(),
        }
    }
}

impl FromStr for Codes {
    type Err = CodesError;

    fn from_str(text: &str) -> Result<Self, CodesError> {
        let read = match text.strip_prefix('&') {
            // No bits would be in every code, and the first octet is the same in all.
            Some(bits) => {
                bits.parse().ok().filter(|bits: &Ipv4Addr| bits.to_bits() & 0x00ff_ffff != 0).map(Self::Bits)
            }
            None => text.parse().ok().filter(|network| is_within_loopback(*network)).map(Self::In),
        };
        read.ok_or_else(|| CodesError { text: escape(text.as_bytes()) })
    }
}

/// Codes are loopback addresses (RFC 5782 §2.1).
fn is_within_loopback(network: Network) -> bool {
    network.prefix() >= 8 && matches!(network.address(), IpAddr::V4(v4) if v4.is_loopback())
}

impl TryFrom<String> for Codes {
    type Error = CodesError;

    fn try_from(text: String) -> Result<Self, CodesError> {
        text.parse()
    }
}

impl From<Codes> for String {
    fn from(codes: Codes) -> Self {
        alloc::format!("{codes}")
    }
}

impl fmt::Display for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(network) if network.prefix() == 32 => network.address().fmt(f),
            Self::In(network) => network.fmt(f),
            Self::Bits(bits) => write!(f, "&{bits}"),
        }
    }
}

impl List {
    /// A list of IPv4 addresses whose codes have no meaning of their own.
    pub fn new(zone: Domain) -> Self {
        Self { zone, families: Self::ipv4_only(), meanings: Vec::new(), removal: None }
    }

    fn ipv4_only() -> Vec<Family> {
        [Family::Ipv4].into()
    }

    /// What codes mean, each meaning once.
    pub fn meanings_of(&self, codes: &[Ipv4Addr]) -> Vec<String> {
        let meant = |meaning: &&Meaning| codes.iter().any(|&code| meaning.codes.contains(code));
        self.meanings.iter().filter(meant).map(|meaning| meaning.name.clone()).collect()
    }
}

/// What a list is asked for an address: its octets or nibbles, the last one first, and the zone (RFC 5782 §2.1, §2.4).
///
/// Nothing if the name would be too long.
pub fn query_name(address: IpAddr, zone: &Domain) -> Option<Domain> {
    alloc::format!("{}.{zone}", reversed(address)).parse().ok()
}

/// What a list is asked for a test entry: the same as [`query_name`], but that IPv6 test entries are IPv4-mapped and asked
/// for as IPv6 addresses all the same (RFC 5782 §5). Nothing if the name would be too long.
pub fn test_name(entry: IpAddr, zone: &Domain) -> Option<Domain> {
    let IpAddr::V6(v6) = entry else { return query_name(entry, zone) };
    // The nibbles before the mapped part are the same in both.
    let tail = alloc::format!("{:032x}", v6.to_bits());
    let mut name = String::with_capacity(64 + zone.as_str().len());
    for nibble in tail.chars().rev() {
        name.push(nibble);
        name.push('.');
    }
    name.push_str(zone.as_str());
    name.parse().ok()
}

/// What a list says of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "state", rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ListAnswer {
    /// It is on the list.
    Listed {
        /// The codes.
        codes: Vec<Ipv4Addr>,
        /// What they mean, as the configuration says.
        meanings: Vec<String>,
        /// What the list says for people.
        texts: Vec<Octets>,
    },
    /// It is not.
    NotListed,
    /// That could not be found out.
    Unknown {
        /// Why.
        why: Doubt,
    },
    /// The list knows no addresses of this family.
    NotApplicable,
}

impl ListAnswer {
    /// The stored word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Listed { .. } => "listed",
            Self::NotListed => "not-listed",
            Self::Unknown { .. } => "unknown",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// Why a list's answer is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "doubt", rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Doubt {
    /// It does not answer us: wrong name, public resolver, too many queries.
    #[error("the list refuses to answer ({code})")]
    Refused {
        /// The code that says so.
        code: Ipv4Addr,
    },
    /// It answers what is no code.
    #[error("the list answers {code}, which is no code of a list")]
    NoCode {
        /// What it answers.
        code: IpAddr,
    },
    /// It does not know its own test entry: its zone is gone, or something between takes such answers away.
    #[error(
        "the list does not have its own test entry {entry}: it is dead, or the resolver drops such answers"
    )]
    Dead {
        /// The entry.
        entry: IpAddr,
    },
    /// It has what no list has: it lists the world.
    #[error("the list has {entry}, which no list has: it lists everything")]
    ListsAll {
        /// The entry.
        entry: IpAddr,
    },
    /// It did not answer.
    #[error("{trouble}")]
    Unanswered {
        /// Why.
        trouble: Trouble,
    },
    /// It cannot be asked: the name would be too long, or its answer leads astray.
    #[error("the list cannot be asked for this address")]
    Unasked,
}

/// Reads the addresses that a list answered; none if it has no record. A code that is a refusal or none at all makes the
/// whole answer one that is worth nothing.
pub fn decode(answers: &[IpAddr]) -> Result<Vec<Ipv4Addr>, Doubt> {
    let mut codes = Vec::new();
    for &answer in answers {
        match answer {
            // What lists answer to those whom they do not serve, by custom. The error codes of 127.255.255.0/24 and the
            // address that no list has (RFC 5782 §5), which stands for a refusal at some.
            IpAddr::V4(code) if matches!(code.octets(), [127, 255, 255, _] | [127, 0, 0, 0 | 1]) => {
                return Err(Doubt::Refused { code });
            }
            IpAddr::V4(code) if code.is_loopback() => codes.push(code),
            IpAddr::V4(_) | IpAddr::V6(_) => return Err(Doubt::NoCode { code: answer }),
        }
    }
    codes.sort_unstable();
    codes.dedup();
    Ok(codes)
}
