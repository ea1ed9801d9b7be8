//! Questions and answers, as far as a relay test needs them.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use crate::address::Domain;
use crate::octets::Octets;

/// A question. Its name is whole: no search list is to be applied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// The name.
    pub name: Domain,
    /// The type of record.
    pub kind: Kind,
}

/// A type of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// A mail host.
    Mx,
    /// The name of an address.
    Ptr,
    /// Text.
    Txt,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Records of the answer section, aliases among them.
    Records(Vec<Record>),
    /// The name exists and has no such record.
    NoRecords,
    /// There is no such name.
    NoSuchName,
    /// Nothing is known.
    Failed(Trouble),
}

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name that it belongs to, without the full stop at its end.
    pub owner: String,
    /// What it says.
    pub data: Data,
}

/// What a record says. Names are as they came, without the full stop at their end; they need not be names of hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Data {
    /// An address.
    Address(IpAddr),
    /// The name is another name for this one.
    Alias(String),
    /// A mail host.
    Mail {
        /// The lower, the better.
        preference: u16,
        /// Its name; empty for the root.
        host: String,
    },
    /// The name of an address.
    Name(String),
    /// Text.
    Text(Octets),
}

impl Data {
    /// The address that it says, if it says one.
    pub(super) const fn address(&self) -> Option<IpAddr> {
        if let Self::Address(address) = self { Some(*address) } else { None }
    }
}

/// Why nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Trouble {
    /// Nothing came in time.
    Silence,
    /// The resolver failed (`SERVFAIL`).
    ServerFailure,
    /// The resolver does not answer us (`REFUSED`).
    Refused,
    /// What came is no answer.
    Malformed,
    /// There is no resolver, or no way to it.
    NoResolver,
}

impl Trouble {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::ServerFailure => "server-failure",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::NoResolver => "no-resolver",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silence => "the resolver did not answer in time",
            Self::ServerFailure => "the resolver failed (SERVFAIL)",
            Self::Refused => "the resolver refused to answer",
            Self::Malformed => "the resolver's answer makes no sense",
            Self::NoResolver => "no resolver can be reached",
        })
    }
}
