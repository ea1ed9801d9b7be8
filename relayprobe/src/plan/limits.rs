//! How long, how much, how many.

use alloc::vec::Vec;
use core::time::Duration;

use crate::token;
use crate::wire::ReplyLimits;

/// A set of deadlines and paces for one kind of run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Profile {
    /// At least what RFC 5321 §4.5.3.2 asks for, with retries over hours.
    Patient,
    /// A run that ends while somebody waits.
    #[default]
    Brisk,
    /// For servers of one's own on the same machine.
    Lab,
}

impl Profile {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Brisk => "brisk",
            Self::Lab => "lab",
        }
    }
}

/// What a run may take. Every wait and every count of a session has its limit here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Limits {
    /// Deadlines of the steps, in milliseconds.
    pub deadlines: Deadlines,
    /// Limits on a reply.
    pub reply: ReplyLimits,
    /// Octets received on one connection.
    pub received_per_connection: u64,
    /// Octets received in the run.
    pub received_per_run: u64,
    /// Octets of a reply kept in the transcript.
    pub kept_per_reply: u32,
    /// Octets kept in the transcript for one connection.
    pub kept_per_connection: u64,
    /// Connections open at once: 1 to 3.
    pub connections_at_once: u8,
    /// Connections in the run.
    pub connections: u32,
    /// Times that one probe may be asked after its connection was cut or fell out of step.
    pub attempts: u8,
    /// Milliseconds between the end of one connection and the start of the next.
    pub pause: u64,
    /// Milliseconds to wait after a 421 before the next connection; doubled each time.
    pub backoff: u64,
    /// When deferred probes are asked again: seconds after the run began to wait, one entry a try.
    pub retries: Vec<u32>,
    /// What one connection may ask, instead of what the server's kind allows.
    pub budget: Option<Budget>,
    /// Whether commands are sent in groups where the server offers PIPELINING.
    pub grouping: Grouping,
    /// Messages that a run may send to its target.
    pub messages: u16,
    /// Seconds after which a message that was accepted and has not come back is taken for not relayed.
    pub window: u64,
}

/// Deadlines for whole steps, in milliseconds: from entering a step to the last octet of its reply (RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Deadlines {
    /// TCP connect.
    pub connect: u64,
    /// Greeting.
    pub greeting: u64,
    /// EHLO, HELO, STARTTLS.
    pub hello: u64,
    /// TLS handshake.
    pub handshake: u64,
    /// MAIL, RCPT, and a DATA that must be refused.
    pub envelope: u64,
    /// The reply to the end of a message.
    pub message: u64,
    /// RSET.
    pub reset: u64,
    /// Writing a block.
    pub write: u64,
    /// QUIT and close.
    pub quit: u64,
    /// A connection from connect to close.
    pub connection: u64,
    /// The run.
    pub run: u64,
}

/// What one connection may ask before the server would punish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Budget {
    /// Refusals to be expected.
    pub refusals: u16,
    /// Forms that strict servers call a syntax error.
    pub odd: u16,
    /// Transactions.
    pub transactions: u16,
}

impl Budget {
    /// No limit of the server's is known or feared: for measurements against one's own stub.
    pub const LIFTED: Self = Self { refusals: u16::MAX, odd: u16::MAX, transactions: u16::MAX };
}

/// Whether commands are sent in groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Grouping {
    /// In groups where PIPELINING is offered (RFC 2920).
    Offered,
    /// One command at a time, always.
    Never,
}

impl Limits {
    /// Messages of a run unless the caller asks for more.
    pub const MESSAGES: u16 = 12;
    /// Seconds of the longest window: a day less than a token lives, for the sign of life that must come after it.
    pub const LONGEST_WINDOW: u64 = token::LIFE - 86_400;
    /// Messages of a run at the most.
    pub const MOST_MESSAGES: u16 = 64;
    /// Retries of what was deferred at the most: each sends a message once more that was put off.
    pub const MOST_RETRIES: usize = 8;

    /// The limits of a profile.
    pub fn of(profile: Profile) -> Self {
        let common = Self {
            deadlines: Deadlines::of(profile),
            reply: ReplyLimits::default(),
            received_per_connection: 1 << 20,
            received_per_run: 8 << 20,
            kept_per_reply: 16_384,
            kept_per_connection: 256 << 10,
            connections_at_once: 1,
            connections: 0,
            attempts: 3,
            pause: 1_000,
            backoff: 10_000,
            retries: Vec::new(),
            budget: None,
            grouping: Grouping::Offered,
            messages: Self::MESSAGES,
            window: 6 * 3_600,
        };
        match profile {
            Profile::Brisk => common,
            Profile::Lab => Self { pause: 0, backoff: 100, ..common },
            Profile::Patient => Self {
                pause: 5_000,
                backoff: 60_000,
                retries: [6, 35, 120].map(|minutes| minutes * 60).to_vec(),
                grouping: Grouping::Never,
                ..common
            },
        }
    }
}

impl Deadlines {
    const fn of(profile: Profile) -> Self {
        let seconds = match profile {
            Profile::Patient => [60, 300, 300, 60, 300, 600, 60, 180, 5, 3_600, 12 * 3_600],
            Profile::Brisk => [30, 60, 60, 30, 60, 300, 20, 60, 5, 900, 3_600],
            Profile::Lab => [3, 3, 3, 3, 3, 8, 3, 3, 1, 15, 300],
        };
        let [connect, greeting, hello, handshake, envelope, message, reset, write, quit, connection, run] =
            seconds;
        Self {
            connect: connect * 1_000,
            greeting: greeting * 1_000,
            hello: hello * 1_000,
            handshake: handshake * 1_000,
            envelope: envelope * 1_000,
            message: message * 1_000,
            reset: reset * 1_000,
            write: write * 1_000,
            quit: quit * 1_000,
            connection: connection * 1_000,
            run: run * 1_000,
        }
    }
}

/// Milliseconds as a span of time.
pub(crate) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}
