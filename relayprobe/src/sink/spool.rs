//! Arrivals on disk.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

use crate::driver;
use crate::receipt::Arrival;
use crate::sink::private::{self, DirectoryFault};

const DRAFTS: &str = "tmp";
const NEW: &str = "new";
const READ: &str = "cur";
const SUFFIX: &str = ".json";
/// A draft that is older was left by a killed process; the age is that of Maildir.
const STALE: Duration = Duration::from_hours(36);
/// No arrival within the default limits is longer: five octets of JSON for one of the message at worst.
const LONGEST: u64 = 4 << 20;

/// A directory of arrivals, in the manner of Maildir: whole files only, whatever is killed.
#[derive(Debug)]
pub struct Spool {
    root: PathBuf,
    kept: AtomicU64,
}

/// An arrival of the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spooled {
    /// Its file.
    pub path: PathBuf,
    /// What arrived.
    pub arrival: Arrival,
}

/// Something is wrong with the spool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// A directory of it is not good enough.
    #[error("the spool {} cannot be used: {fault}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        fault: DirectoryFault,
    },
    /// It cannot be read.
    #[error("cannot read {}: {fault}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        fault: io::Error,
    },
    /// A file holds no arrival. The others can be read all the same.
    #[error("{} holds no arrival: {fault}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        fault: serde_json::Error,
    },
    /// A file is no plain file, or is far too long.
    #[error("{} is not a file of the spool", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

/// The arrivals of a spool, the oldest first. Files are read as they are asked for.
#[derive(Debug)]
pub struct Arrivals {
    files: std::collections::btree_map::IntoIter<OsString, PathBuf>,
}

impl Spool {
    /// Opens a spool, and makes it if it is missing.
    pub fn open(root: &Path) -> Result<Self, SpoolError> {
        // With a slash at its end, a symbolic link would pass for its directory.
        let root: PathBuf = root.components().collect();
        for path in [root.clone(), root.join(DRAFTS), root.join(NEW), root.join(READ)] {
            private::directory(&path).map_err(|fault| SpoolError::Directory { path, fault })?;
        }
        private::sync(&root).map_err(|fault| SpoolError::Read { path: root.clone(), fault })?;
        sweep(&root.join(DRAFTS));
        Ok(Self { root, kept: AtomicU64::new(0) })
    }

    /// Keeps an arrival, and tells where. When it returns, the arrival outlives a crash.
    pub fn keep(&self, arrival: &Arrival) -> io::Result<PathBuf> {
        let name = self.name();
        let text = format!("{}\n", serde_json::to_string(arrival).map_err(io::Error::other)?);
        let directory = self.root.join(NEW);
        private::write_by(&self.root.join(DRAFTS).join(&name), &directory, &name, &text)?;
        Ok(directory.join(name))
    }

    /// All arrivals, new and read, the oldest first. What comes later is not among them.
    pub fn arrivals(&self) -> Result<Arrivals, SpoolError> {
        let mut files = BTreeMap::new();
        // New ones first: one that is marked meanwhile is then found in its new place.
        for path in [self.root.join(NEW), self.root.join(READ)] {
            let listed = list(&path).map_err(|fault| SpoolError::Read { path: path.clone(), fault })?;
            files.extend(listed.into_iter().map(|name| (name.clone(), path.join(name))));
        }
        Ok(Arrivals { files: files.into_iter() })
    }

    /// The arrivals that are not marked as read, the oldest first.
    pub fn new_arrivals(&self) -> Result<Arrivals, SpoolError> {
        let path = self.root.join(NEW);
        let listed = list(&path).map_err(|fault| SpoolError::Read { path: path.clone(), fault })?;
        let files: BTreeMap<OsString, PathBuf> =
            listed.into_iter().map(|name| (name.clone(), path.join(name))).collect();
        Ok(Arrivals { files: files.into_iter() })
    }

    /// Marks an arrival as read, and tells where it is now. One that is marked already stays where it is.
    pub fn mark_read(&self, path: &Path) -> io::Result<PathBuf> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
        let directory = self.root.join(READ);
        let marked = directory.join(name);
        match fs::rename(self.root.join(NEW).join(name), &marked) {
            Err(error) if error.kind() == ErrorKind::NotFound && marked.exists() => return Ok(marked),
            renamed => renamed?,
        }
        private::sync(&directory)?;
        Ok(marked)
    }

    /// Sorts by time, and is nobody else's: one process has one counter, and the rest tells processes apart, on other
    /// machines too.
    fn name(&self) -> String {
        let count = self.kept.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (seconds, micros) = (now.as_secs(), now.subsec_micros());
        format!("{seconds:011}.{micros:06}-{count:08}-{}-{:016x}{SUFFIX}", process::id(), driver::seed())
    }
}

impl Arrivals {
    /// Leaves out those whose file has a name that is known: it need not be read again.
    #[must_use]
    pub fn without(self, is_known: impl Fn(&OsStr) -> bool) -> Self {
        let files: BTreeMap<OsString, PathBuf> = self.files.filter(|(name, _)| !is_known(name)).collect();
        Self { files: files.into_iter() }
    }
}

impl Iterator for Arrivals {
    type Item = Result<Spooled, SpoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.files.next().map(|(_, path)| read(path))
    }
}

fn read(path: PathBuf) -> Result<Spooled, SpoolError> {
    let text = match read_text(&path) {
        // It was marked while the others were read.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            moved(&path).map_or(Err(error), |path| read_text(&path))
        }
        text => text,
    };
    let Some(text) = text.map_err(|fault| SpoolError::Read { path: path.clone(), fault })? else {
        return Err(SpoolError::Foreign { path });
    };
    match serde_json::from_slice(&text) {
        Ok(arrival) => Ok(Spooled { path: moved(&path).filter(|_| !path.exists()).unwrap_or(path), arrival }),
        Err(fault) => Err(SpoolError::Damaged { path, fault }),
    }
}

/// `None` if it is nothing that we write: a link, a pipe, a giant.
fn read_text(path: &Path) -> io::Result<Option<Vec<u8>>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut text)?;
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    Ok((length <= LONGEST).then_some(text))
}

/// Where a file is after it was marked as read.
fn moved(path: &Path) -> Option<PathBuf> {
    Some(path.parent()?.parent()?.join(READ).join(path.file_name()?))
}

fn list(directory: &Path) -> io::Result<Vec<OsString>> {
    let names = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name()));
    names.filter(|name| name.as_ref().map_or(true, |name| !is_hidden(name))).collect()
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Removes what killed processes left half written. That it cannot be removed harms nobody.
fn sweep(drafts: &Path) {
    let Ok(entries) = fs::read_dir(drafts) else { return };
    let is_stale = |modified: SystemTime| modified.elapsed().is_ok_and(|age| age > STALE);
    for entry in entries.flatten() {
        if entry.metadata().and_then(|found| found.modified()).is_ok_and(is_stale) {
            let _gone = fs::remove_file(entry.path());
        }
    }
}
