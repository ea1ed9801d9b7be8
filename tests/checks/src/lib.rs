//! What must hold for any octets.
//!
//! Each check takes octets that nobody vouches for and panics if something does not hold. Fuzzers look for octets that
//! break one (`fuzz/`); an ordinary test runs each on all octets that ever did, and on those that the fuzzers begin with.

#![allow(clippy::missing_panics_doc, reason = "a check panics when something does not hold")]

mod lookup;
mod message;
mod plans;
mod reader;
mod receipt;
mod reply;
mod report;
mod session;
mod sink;
mod text;

/// A check, by the name of its fuzz target.
pub type Check = fn(&[u8]);

/// Every check.
pub const CHECKS: &[(&str, Check)] = &[
    ("address", text::check_address),
    ("command", text::check_command),
    ("keyring", text::check_keyring),
    ("lookup", lookup::check),
    ("message", message::check),
    ("octets", text::check_octets),
    ("pairing", session::check_pairing),
    ("receipt", receipt::check),
    ("reply", reply::check),
    ("report", report::check),
    ("session", session::check),
    ("sink", sink::check),
    ("stored", receipt::check_stored),
    ("token", receipt::check_token),
    ("trace", receipt::check_trace),
];

/// Runs the check of this name.
///
/// # Panics
/// If there is none, or if something does not hold.
pub fn run(name: &str, octets: &[u8]) {
    let (_, check) = CHECKS.iter().find(|(known, _)| *known == name).expect("a check of this name");
    check(octets);
}
