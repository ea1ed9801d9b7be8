//! Finds out whether a mail server is an open relay, and shows the evidence.
//!
//! Data flows one way: a [`Plan`] says what may be asked, a [`Session`] asks it without touching a socket, its
//! [`Transcript`] holds every octet, and [`Report`] judges the transcript. A driver brings the sockets and the clock.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented
    )
)]

extern crate alloc;
/// The command line uses the library by the names that others use.
#[cfg(feature = "cli")]
extern crate self as relayprobe;

pub mod address;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "dns")]
pub mod dns;
#[cfg(feature = "std")]
pub mod driver;
pub mod identity;
pub mod link;
pub mod lookup;
#[cfg(feature = "mail")]
pub mod mailbox;
pub mod matrix;
pub mod message;
pub mod moment;
pub mod octets;
pub mod outcome;
pub mod plan;
pub mod receipt;
pub mod refusal;
pub mod report;
pub mod session;
#[cfg(feature = "sink")]
pub mod sink;
pub mod target;
pub mod token;
pub mod trace;
pub mod transcript;
pub mod verdict;
pub mod wire;

pub use identity::{Authorization, Identity};
pub use matrix::{Case, Matrix, Selection};
pub use plan::{Plan, PlanError};
pub use report::Report;
pub use session::Session;
pub use target::Target;
pub use token::Keyring;
pub use transcript::Transcript;
pub use verdict::Verdict;
