//! What a connection is to say.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::replace;

use crate::octets::Octets;
use crate::plan::Unfit;
use crate::target::Tls;
use crate::transcript::Step;
use crate::wire::CommandLine;

/// A command, or a message, to be sent.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) step: Step,
    pub(super) probe: Option<u16>,
    pub(super) octets: Octets,
}

impl Line {
    pub(super) fn command(step: Step, probe: Option<u16>, command: &CommandLine) -> Self {
        Self { step, probe, octets: command.as_bytes().into() }
    }

    pub(super) fn reset() -> Self {
        Self::command(Step::Reset, None, &CommandLine::RSET)
    }

    /// The last command of every connection.
    pub(super) fn quit() -> Self {
        Self::command(Step::Quit, None, &CommandLine::QUIT)
    }

    /// A message in the form in which it is written, its end included.
    pub(super) fn message(probe: u16, octets: Vec<u8>) -> Self {
        Self { step: Step::Message, probe: Some(probe), octets: octets.into() }
    }
}

/// Commands being put together, their octets in one piece.
#[derive(Debug)]
pub(super) struct Draft {
    text: String,
    /// Each with the place at which it ends.
    lines: Vec<(Step, Option<u16>, usize)>,
}

/// What a draft held at some time.
pub(super) struct Mark {
    text: usize,
    lines: usize,
}

impl Draft {
    /// With room for so many transactions, and for what stands around them.
    pub(super) fn with_room(transactions: usize) -> Self {
        let lines = 3 * (transactions + 2);
        Self { text: String::with_capacity(32 * lines), lines: Vec::with_capacity(lines) }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) const fn mark(&self) -> Mark {
        Mark { text: self.text.len(), lines: self.lines.len() }
    }

    /// Takes away what was written since.
    pub(super) fn back_to(&mut self, mark: &Mark) {
        self.text.truncate(mark.text);
        self.lines.truncate(mark.lines);
    }

    /// Adds the line that `write` puts behind the others.
    pub(super) fn push(
        &mut self,
        step: Step,
        probe: u16,
        write: impl FnOnce(&mut String) -> Result<(), Unfit>,
    ) -> Result<(), Unfit> {
        let from = self.text.len();
        write(&mut self.text)?;
        CommandLine::end(&mut self.text, from)?;
        self.lines.push((step, Some(probe), self.text.len()));
        Ok(())
    }

    pub(super) fn reset(&mut self) {
        self.push_fixed(Step::Reset, None, &CommandLine::RSET);
    }

    pub(super) fn data(&mut self, probe: u16) {
        self.push_fixed(Step::Data, Some(probe), &CommandLine::DATA);
    }

    pub(super) fn quit(&mut self) {
        self.push_fixed(Step::Quit, None, &CommandLine::QUIT);
    }

    fn push_fixed(&mut self, step: Step, probe: Option<u16>, command: &CommandLine) {
        self.text.extend([command.text(), "\r\n"]);
        self.lines.push((step, probe, self.text.len()));
    }

    pub(super) fn into_lines(self) -> VecDeque<Line> {
        let whole = Octets::from(self.text.into_bytes());
        let mut from = 0;
        let line = |(step, probe, to)| Line { step, probe, octets: whole.part(replace(&mut from, to)..to) };
        self.lines.into_iter().map(line).collect()
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
