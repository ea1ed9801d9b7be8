//! Standard output for results, standard error for everything else.

use core::fmt::{self, Write as _};
use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;

/// A result cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    #[error("cannot write to standard output: {fault}")]
    Standard { fault: io::Error },
    #[error("cannot write {}: {fault}", path.display())]
    File { path: PathBuf, fault: io::Error },
}

/// Writes a result.
pub(crate) fn show(text: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What came of writing to standard output. A reader that has seen enough, such as `head`, is no fault.
pub(crate) fn written(done: io::Result<()>) -> Result<(), OutputError> {
    match done {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|fault| OutputError::Standard { fault }),
    }
}

/// Whether anybody reads standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    There,
    Gone,
}

/// Writes one of many results.
pub(crate) fn show_line(text: &str) -> Result<Reader, OutputError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(fault) => Err(OutputError::Standard { fault }),
    }
}

/// Tells the user something on standard error, on one line: it may go to a log.
pub(crate) fn tell(message: impl fmt::Display) {
    say(&harmless(&message.to_string()));
}

/// Tells the user something that shows lines of a file of theirs.
pub(crate) fn tell_lines(message: impl fmt::Display) {
    let lines: Vec<String> = message.to_string().split('\n').map(harmless).collect();
    say(&lines.join("\n"));
}

fn say(line: &str) {
    // Without standard error there is nobody to tell.
    let _told = writeln!(io::stderr().lock(), "{line}");
}

/// The text without anything that steers a terminal or begins a line: messages quote files, and files come from anywhere.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            // Writing to a string cannot fail.
            let _written = write!(shown, "\\x{:02x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_message_cannot_steer_a_terminal_nor_begin_a_line() {
        assert_eq!(harmless("a\u{1b}[2J\u{9b}b\r\nc"), "a\\x1b[2J\\x9bb\\x0d\\x0ac");
    }
}
