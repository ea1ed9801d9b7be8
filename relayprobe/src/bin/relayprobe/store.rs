//! The store: run records, reports, and what was done to each target.

use core::time::Duration;
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::thread;

use relayprobe::Report;
use relayprobe::moment::Date;
use relayprobe::plan::{History, RunRecord};
use relayprobe::sink::private::{self, DirectoryFault};
use serde::{Deserialize, Serialize};

const RUNS: &str = "runs";
const REPORTS: &str = "reports";
const TARGETS: &str = "targets";
/// Days of refusals and messages that are kept; only today's count.
const DAYS: usize = 31;
/// Tries to get the lock, a twentieth of a second apart: whoever holds it only writes two small files.
const TRIES: u32 = 100;

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the store {} cannot be used: {fault}", path.display())]
    Directory { path: PathBuf, fault: DirectoryFault },
    #[error("cannot write {}: {fault}", path.display())]
    Write { path: PathBuf, fault: io::Error },
    #[error("cannot read {}: {fault}", path.display())]
    Read { path: PathBuf, fault: io::Error },
    #[error("{} is damaged ({fault}); mend it, or take it away if its target may be tested again", path.display())]
    Damaged { path: PathBuf, fault: serde_json::Error },
    #[error("the lock {} cannot be had: {fault}", path.display())]
    Lock { path: PathBuf, fault: io::Error },
    #[error("another run has held the lock {} for five seconds", path.display())]
    Busy { path: PathBuf },
}

/// A directory with the memory of all runs.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
}

/// What was done to one target address, as stored.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Index {
    address: Option<IpAddr>,
    last_run: Option<Date>,
    /// Refusals that the runs of a day planned to collect.
    refusals: BTreeMap<String, u32>,
    /// Messages that the runs of a day planned to send.
    #[serde(default)]
    messages: BTreeMap<String, u32>,
}

/// One target's place in the store; no other run can plan against this store meanwhile.
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    store: &'a Store,
    address: IpAddr,
    index: Index,
    /// Dropping it ends the lock.
    _lock: File,
}

impl Store {
    /// Opens a store, and makes it if it is missing.
    pub(crate) fn open(root: &Path) -> Result<Self, StoreError> {
        // With a slash at its end, a symbolic link would pass for its directory.
        let root: PathBuf = root.components().collect();
        for path in [root.clone(), root.join(RUNS), root.join(REPORTS), root.join(TARGETS)] {
            private::directory(&path).map_err(|fault| StoreError::Directory { path, fault })?;
        }
        Ok(Self { root })
    }

    /// Locks the store and reads what was done to `address`.
    pub(crate) fn slot(&self, address: IpAddr) -> Result<Slot<'_>, StoreError> {
        let lock = self.lock()?;
        let address = address.to_canonical();
        let index = self.index(address)?;
        Ok(Slot { store: self, address, index, _lock: lock })
    }

    /// Keeps a report, and tells where.
    pub(crate) fn keep_report(&self, report: &Report) -> Result<PathBuf, StoreError> {
        self.write(REPORTS, &file_name(&report.run), &report.to_json())
    }

    fn lock(&self) -> Result<File, StoreError> {
        let path = self.root.join("lock");
        let file =
            private::lock_file(&path).map_err(|fault| StoreError::Lock { path: path.clone(), fault })?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(50)),
                Err(TryLockError::Error(fault)) => return Err(StoreError::Lock { path, fault }),
            }
        }
        Err(StoreError::Busy { path })
    }

    fn index(&self, address: IpAddr) -> Result<Index, StoreError> {
        let path = self.root.join(TARGETS).join(index_name(address));
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|fault| StoreError::Damaged { path, fault }),
            Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(Index::default()),
            Err(fault) => Err(StoreError::Read { path, fault }),
        }
    }

    fn write(&self, room: &str, name: &str, json: &str) -> Result<PathBuf, StoreError> {
        let directory = self.root.join(room);
        let path = directory.join(name);
        match private::write(&directory, name, &format!("{json}\n")) {
            Ok(()) => Ok(path),
            Err(fault) => Err(StoreError::Write { path, fault }),
        }
    }
}

impl Slot<'_> {
    /// What earlier runs did to the target.
    pub(crate) fn history(&self, today: Date) -> History {
        History {
            last_run: self.index.last_run,
            refusals_today: self.index.refusals.get(&day(today)).copied().unwrap_or_default(),
            messages_today: self.index.messages.get(&day(today)).copied().unwrap_or_default(),
        }
    }

    /// Keeps the record of a run that is about to begin, and counts it: even a run that is killed was one.
    pub(crate) fn keep_run(mut self, run: &RunRecord) -> Result<(), StoreError> {
        self.store.write(RUNS, &file_name(run), &json(run))?;
        self.index.address = Some(self.address);
        self.index.last_run = Some(run.date);
        let messages = run.prove.map_or(0, |_| run.limits.messages);
        count(&mut self.index.refusals, run.date, run.expected_refusals());
        count(&mut self.index.messages, run.date, u32::from(messages));
        self.store.write(TARGETS, &index_name(self.address), &json(&self.index))?;
        Ok(())
    }
}

fn count(days: &mut BTreeMap<String, u32>, date: Date, more: u32) {
    let today = days.entry(day(date)).or_default();
    *today = today.saturating_add(more);
    while days.len() > DAYS {
        days.pop_first();
    }
}

/// Neither a run record nor an index holds odd keys or floats, so both can always be written.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Names sort by time, and hold no colon, which not every file system takes.
fn file_name(run: &RunRecord) -> String {
    format!("{}-{}.json", run.date.to_string().replace(':', ""), run.run)
}

fn index_name(address: IpAddr) -> String {
    format!("{}.json", address.to_string().replace(':', "_"))
}

fn day(date: Date) -> String {
    date.to_string().chars().take_while(|&character| character != 'T').collect()
}
