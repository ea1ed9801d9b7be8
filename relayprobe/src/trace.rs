//! Received chains: the way that a message took.

#[cfg(feature = "mail")]
pub(crate) mod fields;
mod received;
#[cfg(all(test, feature = "mail"))]
mod tests;

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::octets::Octets;

/// The Received lines of a message, the last one written first (RFC 5321 §4.4).
///
/// Our own messages have none when we send them. So the lowest line is that of the machine which took the message from
/// us, unless somebody below forged it, and nobody can be below us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Trace {
    /// The lines, at most [`Trace::LIMIT`].
    pub hops: Vec<Hop>,
}

/// One Received line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Hop {
    /// How well it could be read.
    pub quality: Quality,
    /// Address of the client, as the writer saw it. What the client said of itself is never taken for it.
    pub peer: Option<IpAddr>,
    /// What the client called itself.
    pub helo: Option<Octets>,
    /// Reverse name of the client, as the writer found it.
    pub reverse_name: Option<Octets>,
    /// The writer.
    pub by: Option<Octets>,
    /// The protocol, such as `ESMTPS`.
    pub with: Option<Octets>,
    /// The writer's queue id.
    pub id: Option<Octets>,
    /// The recipient that the writer names.
    pub recipient: Option<Octets>,
    /// The line as it came, unfolded, without the field's name.
    pub raw: Octets,
}

/// How well a Received line could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Quality {
    /// A client handed the message over.
    Parsed,
    /// The message was handed over inside the machine.
    LocalHandover,
    /// It has a form that is not known.
    #[default]
    Unparseable,
}

impl Trace {
    /// Lines that are read: a message with more is in a loop (RFC 5321 §6.3).
    pub const LIMIT: usize = 100;

    /// Reads the Received lines of a message, which may be broken off anywhere.
    #[cfg(feature = "mail")]
    pub fn read(message: &[u8]) -> Self {
        let lines = fields::fields(message).into_iter().filter(|field| field.is("Received"));
        Self { hops: lines.take(Self::LIMIT).map(|line| Hop::read(&line.value)).collect() }
    }
}
