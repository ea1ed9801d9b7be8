//! What comes back to the probe domain, and what it says.

#[cfg(feature = "mail")]
mod classify;
#[cfg(feature = "mail")]
mod mail;
#[cfg(feature = "mail")]
mod report;
#[cfg(feature = "mail")]
mod search;
#[cfg(feature = "mail")]
mod sent;
#[cfg(feature = "mail")]
mod stored;
#[cfg(all(test, feature = "mail"))]
mod tests;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

#[cfg(feature = "mail")]
pub use classify::{classify, classify_each};

use crate::moment::Date;
use crate::octets::Octets;
use crate::trace::Trace;

/// Something that arrived, before anybody knows what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Arrival {
    /// When.
    pub at: Date,
    /// How far the handover went.
    pub handover: Handover,
    /// What was seen of the envelope; absent if somebody else received it and left no trace of it.
    pub envelope: Option<Envelope>,
    /// The message as far as it came; empty if none was begun.
    pub message: Octets,
}

/// How far the handover to our receiving server went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Handover {
    /// A recipient was named and no message begun: servers verify recipients so (a callout).
    Recipient,
    /// A message was begun and not finished.
    Interrupted,
    /// The whole message was seen, and refused after its end.
    Refused,
    /// The message was taken.
    Taken,
}

/// The envelope of a handover.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Envelope {
    /// What the server that received it for us calls itself; nothing if that was our own.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub by: Option<Octets>,
    /// Who handed it over.
    pub peer: Option<IpAddr>,
    /// What it called itself.
    pub helo: Octets,
    /// The sender, without brackets; empty for the null sender.
    pub sender: Octets,
    /// The recipients.
    pub recipients: Vec<EnvelopeRecipient>,
}

/// A recipient of a handover.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct EnvelopeRecipient {
    /// The address, without brackets.
    pub address: Octets,
    /// The original recipient (`ORCPT`, RFC 3461 §4.2), with its type.
    pub original: Option<Octets>,
}

/// Something that came back for one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Receipt {
    /// What it is.
    pub kind: ReceiptKind,
    /// When it came.
    pub at: Date,
    /// Name of the run.
    pub run: String,
    /// Number of the probe.
    pub probe: u16,
    /// The machine that handed it over.
    pub egress: Option<Egress>,
    /// What the machine calls itself that took the message from us: the `by` of the lowest Received line.
    pub input: Option<Octets>,
    /// The sender at the handover.
    pub sender: Option<Octets>,
    /// The recipient at the handover.
    pub recipient: Option<Octets>,
    /// The original recipient at the handover.
    pub original_recipient: Option<Octets>,
    /// What a report says: its reporter, the remote host, action, status and diagnostic, in its own words.
    pub reported: Option<Reported>,
    /// The way it took.
    pub trace: Trace,
    /// SHA-256 of the message, in hexadecimal; of nothing if there was none.
    pub sha256: String,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum ReceiptKind {
    /// Our message came by SMTP with its own envelope: the target relays.
    Relayed,
    /// Our message was handed to us with its own envelope, and we refused it or it broke off.
    Attempted,
    /// A report says that the target tried to hand it to us, or handed it on; or our message came with its own envelope
    /// and with marks of a list or an alias. A strong hint, no proof.
    Reported,
    /// A report says that it is still being tried.
    Delayed,
    /// A report says that it failed at the target's own side.
    Bounced,
    /// An automatic answer, or a report of success, from the target's own side.
    DeliveredLocally,
    /// A person, a list or an alias sent it on.
    Forwarded,
    /// Only a recipient was named.
    Hint,
    /// It came after the token's life: an old queue was let go.
    Late,
}

/// The machine that handed a message over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Egress {
    /// Its address.
    pub address: Option<IpAddr>,
    /// What it calls itself.
    pub helo: Octets,
    /// Whether it is the target.
    pub kind: EgressKind,
}

/// Whether the machine that handed a message over is the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum EgressKind {
    /// The target itself.
    Direct,
    /// Another machine, behind the target.
    Smarthost,
    /// Nothing tells.
    Unknown,
}

/// What a delivery report says (RFC 3464 §2), in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Reported {
    /// Who reports.
    pub reporter: Option<Octets>,
    /// The host that answered the reporter.
    pub remote: Option<Octets>,
    /// `failed`, `delayed`, `delivered`, `relayed` or `expanded`.
    pub action: Option<Octets>,
    /// The enhanced code.
    pub status: Option<Octets>,
    /// The words of the remote host.
    pub diagnostic: Option<Octets>,
}

/// What an arrival turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Classified {
    /// Something of a run of ours.
    Receipt(Box<Receipt>),
    /// It carries the token of a run that is not known here.
    UnknownRun {
        /// Name of the run.
        run: String,
    },
    /// It carries what looks like a token and is none of ours, or is one for another target.
    Forged {
        /// The run that it claims.
        run: String,
    },
    /// It carries no token.
    NotOurs,
}

impl ReceiptKind {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relayed => "relayed",
            Self::Attempted => "attempted",
            Self::Reported => "reported",
            Self::Delayed => "delayed",
            Self::Bounced => "bounced",
            Self::DeliveredLocally => "delivered-locally",
            Self::Forwarded => "forwarded",
            Self::Hint => "hint",
            Self::Late => "late",
        }
    }
}
