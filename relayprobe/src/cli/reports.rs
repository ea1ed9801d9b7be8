//! `--output`: a file with a report a line, whole whatever became of the program that wrote it.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// How each report begins.
const BEGINNING: &[u8] = br#"{"format":"#;
/// Octets of a line: more than the limits of a run let a report have.
const LINE: u64 = 64 << 20;

/// The file cannot be added to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportsError {
    #[error("cannot use {}: {fault}", path.display())]
    File { path: PathBuf, fault: io::Error },
    #[error("another sweep writes to {}", path.display())]
    Busy { path: PathBuf },
    #[error("{}, line {line}: this is no report of a sweep; nothing was written", path.display())]
    Foreign { path: PathBuf, line: u64 },
}

impl ReportsError {
    /// Whether this machine is at fault, not what was asked for.
    pub(crate) const fn is_local(&self) -> bool {
        match self {
            Self::File { .. } | Self::Busy { .. } => true,
            Self::Foreign { .. } => false,
        }
    }
}

/// The name of a run: so many letters and digits.
type Name = [u8; 8];

/// A file of reports, held against other sweeps.
#[derive(Debug)]
pub(crate) struct Reports {
    path: PathBuf,
    file: File,
    /// Octets of whole lines.
    length: u64,
    /// The runs that were in it when it was opened.
    runs: HashSet<Name>,
}

/// What of a line tells its run.
#[derive(Deserialize)]
struct Line {
    run: Run,
}

#[derive(Deserialize)]
struct Run {
    run: String,
}

impl Reports {
    /// Opens the file, makes it if it is missing, and cuts off a last line that a killed sweep left unfinished: its
    /// report is in the store. A file that holds anything else is left alone.
    pub(crate) fn open(path: &Path) -> Result<Self, ReportsError> {
        let fault = |fault| ReportsError::File { path: path.into(), fault };
        let file = File::options().read(true).append(true).create(true).open(path).map_err(fault)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ReportsError::Busy { path: path.into() }),
            Err(TryLockError::Error(error)) => return Err(fault(error)),
        }
        let mut reports = Self { path: path.into(), file, length: 0, runs: HashSet::new() };
        if reports.read()? == End::Torn {
            reports.file.set_len(reports.length).map_err(fault)?;
        }
        Ok(reports)
    }

    /// Learns what stands in the file.
    fn read(&mut self) -> Result<End, ReportsError> {
        let mut reader = BufReader::new(&self.file);
        let mut octets = Vec::new();
        for line in 1.. {
            octets.clear();
            let read = reader.by_ref().take(LINE).read_until(b'\n', &mut octets);
            if read.map_err(|fault| ReportsError::File { path: self.path.clone(), fault })? == 0 {
                break;
            }
            if octets.ends_with(b"\n") {
                let Some(run) = run_of(&octets) else {
                    return Err(ReportsError::Foreign { path: self.path.clone(), line });
                };
                self.runs.insert(run);
                self.length += octets.len() as u64;
            } else if octets.iter().zip(BEGINNING).all(|(have, want)| have == want)
                && (octets.len() as u64) < LINE
            {
                return Ok(End::Torn);
            } else {
                return Err(ReportsError::Foreign { path: self.path.clone(), line });
            }
        }
        Ok(End::Whole)
    }

    /// Whether the report of this run was in the file when it was opened.
    pub(crate) fn holds(&self, run: &str) -> bool {
        run.as_bytes().try_into().is_ok_and(|run: Name| self.runs.contains(&run))
    }

    /// Adds a report.
    pub(crate) fn add(&mut self, json: &str) -> Result<(), ReportsError> {
        let line = format!("{json}\n");
        if let Err(fault) = self.file.write_all(line.as_bytes()) {
            // What comes after half a line would be lost with it.
            let _cut = self.file.set_len(self.length);
            return Err(ReportsError::File { path: self.path.clone(), fault });
        }
        self.length += line.len() as u64;
        Ok(())
    }
}

/// How the file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// With a part of a line.
    Torn,
}

fn run_of(line: &[u8]) -> Option<Name> {
    let Line { run: Run { run } } = serde_json::from_slice(line).ok()?;
    run.as_bytes().try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn line(run: &str) -> String {
        format!(r#"{{"format":1,"verdict":"closed","run":{{"run":"{run}","date":"now"}}}}"#)
    }

    #[test]
    fn what_was_torn_anywhere_is_cut_off_and_nothing_else() {
        let room = TempDir::new().unwrap();
        let path = room.path().join("reports");
        let (first, second) = (line("aaaaaaa1") + "\n", line("aaaaaaa2") + "\n");
        for cut in 0..=second.len() {
            fs::write(&path, first.clone() + &second[..cut]).unwrap();
            let mut reports = Reports::open(&path).unwrap();
            assert!(reports.holds("aaaaaaa1"));
            assert_eq!(reports.holds("aaaaaaa2"), cut == second.len(), "{cut}");
            if !reports.holds("aaaaaaa2") {
                reports.add(second.trim_end()).unwrap();
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), first.clone() + &second, "{cut}");
        }
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let room = TempDir::new().unwrap();
        let path = room.path().join("reports");
        let report = line("aaaaaaa1");
        for (text, at) in [
            ("192.0.2.1\n".to_owned(), 1),
            ("192.0.2.1".to_owned(), 1),
            (format!("{report}\nroot"), 2),
            (format!("{report}\n\n"), 2),
            (format!("{report}{report}\n"), 1),
            (format!("{}\n", line("short")), 1),
        ] {
            fs::write(&path, &text).unwrap();
            let opened = Reports::open(&path);
            assert!(
                matches!(opened, Err(ReportsError::Foreign { line, .. }) if line == at),
                "{text}: {opened:?}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn one_file_has_one_writer() {
        let room = TempDir::new().unwrap();
        let path = room.path().join("reports");
        let first = Reports::open(&path).unwrap();
        assert!(matches!(Reports::open(&path), Err(ReportsError::Busy { .. })));
        drop(first);
        assert!(Reports::open(&path).is_ok());
    }
}
