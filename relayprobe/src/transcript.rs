//! The complete record of a run, and what it answers.

pub(crate) mod host;
mod ledger;

pub use ledger::{Answer, Astray};
pub(crate) use ledger::{Class, Ledger, Turn};

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::link::{ConnId, Loss, TlsFacts};
use crate::matrix::Hello;
use crate::moment::Moment;
use crate::octets::{Octets, sha256};
use crate::wire::{Code, ReplyFault};

/// Every octet both ways, with times that count from the start of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Transcript {
    /// The connections in the order they were begun.
    pub connections: Vec<Connection>,
    /// How the run ended; absent while it goes on.
    pub end: Option<End>,
    /// When it ended.
    pub ended: Moment,
}

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Connection {
    /// Its number.
    pub id: ConnId,
    /// Index of its path in the run record.
    pub path: u16,
    /// How it introduces itself.
    pub hello: Hello,
    /// When the connect began.
    pub begun: Moment,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

/// Something that happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Entry {
    /// When.
    pub at: Moment,
    /// What.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "what", rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum What {
    /// The connection was made.
    Connected,
    /// We sent a command or a message. What was written at once has the same time.
    Command {
        /// What the command is for.
        step: Step,
        /// The probe it belongs to.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        probe: Option<u16>,
        /// The line with its CRLF; for a message all its lines, as written.
        octets: Octets,
    },
    /// The server sent a whole reply.
    Reply {
        /// The octets that are kept.
        octets: Octets,
        /// What was cut off, if the reply is longer than what is kept.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        cut: Option<Box<Cut>>,
    },
    /// The server sent octets that are no reply, or began one and did not end it.
    Fault {
        /// What is wrong with them.
        fault: ReplyFault,
        /// The octets that are kept.
        octets: Octets,
        /// What was cut off.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        cut: Option<Box<Cut>>,
    },
    /// Replies and commands no longer belong together.
    OutOfStep {
        /// How that showed.
        how: Astray,
    },
    /// TLS begins.
    TlsBegun,
    /// The TLS handshake is done.
    Secured {
        /// What it showed.
        tls: Box<TlsFacts>,
    },
    /// Octets came in the clear after STARTTLS was agreed: somebody tried to inject them, or the server is broken.
    ClearAfterStartTls {
        /// The octets that are kept.
        octets: Octets,
    },
    /// A step was not done in time.
    Deadline {
        /// The step.
        step: Step,
    },
    /// The server sent more than the limits of the plan allow.
    Flood,
    /// The peer ended the connection, or it could not be made.
    Lost {
        /// Why.
        loss: Loss,
    },
    /// We closed the connection.
    Closed,
}

/// What a command, or a wait, is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Step {
    /// TCP connect.
    Connect,
    /// The greeting.
    Greeting,
    /// EHLO or HELO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// The TLS handshake.
    Handshake,
    /// MAIL.
    Mail,
    /// RCPT for the target's own mailbox, before the recipient of the case.
    OwnRcpt,
    /// RCPT.
    Rcpt,
    /// DATA.
    Data,
    /// The message, to its end.
    Message,
    /// RSET.
    Reset,
    /// QUIT.
    Quit,
}

impl Step {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Hello => "hello",
            Self::StartTls => "start-tls",
            Self::Handshake => "handshake",
            Self::Mail => "mail",
            Self::OwnRcpt => "own-rcpt",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Message => "message",
            Self::Reset => "reset",
            Self::Quit => "quit",
        }
    }
}

/// What is left of octets that were not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Cut {
    /// How many octets there were.
    pub length: u64,
    /// SHA-256 of all of them, in hexadecimal.
    pub sha256: String,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum End {
    /// Nothing was left to ask.
    Complete,
    /// The caller stopped it.
    Stopped,
    /// The server could not be reached, or turned us away.
    NoService,
    /// The run reached its limit of connections, octets or time.
    Limit,
}

/// Keeps at most `limit` octets; what is cut is told by length and hash.
pub(crate) fn keep(octets: Octets, limit: usize) -> (Octets, Option<Box<Cut>>) {
    match octets.as_bytes().get(..limit) {
        // What is cut must not be kept by those that share it.
        Some(kept) if kept.len() < octets.as_bytes().len() => {
            (kept.into(), Some(cut(octets.as_bytes()).into()))
        }
        _ => (octets, None),
    }
}

fn cut(octets: &[u8]) -> Cut {
    Cut { length: u64::try_from(octets.len()).unwrap_or(u64::MAX), sha256: sha256(octets) }
}

impl Connection {
    /// Whether a TLS handshake was begun on it.
    pub(crate) fn began_tls(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.what, What::TlsBegun))
    }

    /// Whether a TLS handshake was done on it.
    pub(crate) fn is_secured(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.what, What::Secured { .. }))
    }

    /// What the server answered on this connection, by replaying its entries.
    pub(crate) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::new();
        let commands = self.entries.len() / 2;
        ledger.make_room(commands);
        ledger.expect(commands);
        for (at, entry) in self.entries.iter().enumerate() {
            match &entry.what {
                What::Connected => ledger.connected(),
                What::Command { step, probe, .. } => ledger.asked(*step, *probe),
                What::Reply { octets, .. } => {
                    // A kept reply may be cut after its first line.
                    if let Some(code) = Code::at_start(octets.as_bytes()) {
                        // Out of step is remembered by the ledger itself.
                        let _paired = ledger.answered(code, at);
                    }
                }
                What::Fault { .. } => drop(ledger.lose_step(Astray::NotAReply)),
                What::OutOfStep { how } => drop(ledger.lose_step(*how)),
                What::ClearAfterStartTls { .. } => drop(ledger.lose_step(Astray::Surplus)),
                What::Deadline { .. } | What::Flood | What::Lost { .. } => ledger.cut_off(),
                What::TlsBegun | What::Secured { .. } | What::Closed => {}
            }
        }
        ledger
    }

    /// The octets of the reply at this place.
    pub(crate) fn reply(&self, at: usize) -> Option<&Octets> {
        match &self.entries.get(at)?.what {
            What::Reply { octets, .. } => Some(octets),
            _ => None,
        }
    }
}
