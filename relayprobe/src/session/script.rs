//! What a connection is to say.

use alloc::string::String;
use alloc::vec::Vec;

use crate::target::Tls;
use crate::transcript::Step;
use crate::wire::CommandLine;

/// A command, or a message, to be sent.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) step: Step,
    pub(super) probe: Option<u16>,
    pub(super) octets: Vec<u8>,
}

impl Line {
    pub(super) fn command(step: Step, probe: Option<u16>, command: &CommandLine) -> Self {
        Self { step, probe, octets: command.as_bytes().to_vec() }
    }

    pub(super) fn reset() -> Self {
        Self::command(Step::Reset, None, &CommandLine::fixed("RSET"))
    }

    /// The last command of every connection.
    pub(super) fn quit() -> Self {
        Self::command(Step::Quit, None, &CommandLine::fixed("QUIT"))
    }

    /// A message in the form in which it is written, its end included.
    pub(super) const fn message(probe: u16, octets: Vec<u8>) -> Self {
        Self { step: Step::Message, probe: Some(probe), octets }
    }
}

/// How many commands may be in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// The whole script, in one write.
    Group,
    /// One command, then its reply.
    Lockstep,
}

/// How a connection is to begin.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub(super) tls: Tls,
    pub(super) server_name: String,
    /// The command that introduces us; none if the case wants none.
    pub(super) hello: Option<Line>,
    /// What to say if `EHLO` is not understood.
    pub(super) fallback: Option<Line>,
}
