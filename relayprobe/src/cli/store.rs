//! The store: keys, run records, reports, what came back, and what was done to each target.

use core::time::Duration;
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::thread;

use relayprobe::moment::Date;
use relayprobe::plan::{History, RunRecord};
use relayprobe::report::ReportError;
use relayprobe::sink::private::{self, DirectoryFault};
use relayprobe::sink::{Spool, SpoolError};
use relayprobe::transcript::End;
use relayprobe::{Keyring, Report, Verdict};
use serde::{Deserialize, Serialize};

use crate::cli::keys::{self, KeysError};
use crate::cli::output::tell;
use crate::octets::json;

const RUNS: &str = "runs";
const REPORTS: &str = "reports";
const TARGETS: &str = "targets";
const RECEIPTS: &str = "receipts";
const KEYS: &str = "keys";
/// Days of refusals and messages that are kept; only today's count.
const DAYS: usize = 31;
/// Tries to get the lock, a twentieth of a second apart: whoever holds it only writes two small files.
const TRIES: u32 = 100;

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store {} cannot be used: {fault}", path.display())]
    Directory { path: PathBuf, fault: DirectoryFault },
    #[error("cannot write {}: {fault}", path.display())]
    Write { path: PathBuf, fault: io::Error },
    #[error("cannot read {}: {fault}", path.display())]
    Read { path: PathBuf, fault: io::Error },
    #[error("{} is no store; one is made by `relayprobe probe --store DIR`", path.display())]
    Missing { path: PathBuf },
    #[error("{} is damaged ({fault}); mend it, or take it away if its target may be tested again", path.display())]
    Damaged { path: PathBuf, fault: serde_json::Error },
    #[error("{}: {fault}; take it away if its run no longer matters", path.display())]
    Report { path: PathBuf, fault: ReportError },
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("the lock {} cannot be had: {fault}", path.display())]
    Lock { path: PathBuf, fault: io::Error },
    #[error("another run has held the lock {} for five seconds", path.display())]
    Busy { path: PathBuf },
    #[error("another sweep is under way with the store {}", path.display())]
    Sweeping { path: PathBuf },
}

impl StoreError {
    /// Whether it is about one target, and not about the others.
    pub(crate) const fn is_of_one_target(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

/// A directory with the memory of all runs.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// What was done to one target address, as stored.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Index {
    address: Option<IpAddr>,
    last_run: Option<Date>,
    /// The name of that run.
    #[serde(default)]
    run: Option<String>,
    #[serde(default)]
    made_by: MadeBy,
    /// Refusals that the runs of a day planned to collect.
    refusals: BTreeMap<String, u32>,
    /// Messages that the runs of a day planned to send.
    #[serde(default)]
    messages: BTreeMap<String, u32>,
}

/// What a run is a part of.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MadeBy {
    /// Nothing: somebody asked for this target.
    #[default]
    Person,
    /// A sweep, and only one at a time is under way: if there is no report when the next one comes, it was killed.
    Sweep,
    /// A sweep, in the place of a run that was killed, or stopped before it came to a verdict.
    SweepAgain,
}

/// What a stored report says to whoever does not judge it again.
#[derive(Deserialize)]
struct Stored {
    exit_code: u8,
    verdict: String,
    transcript: Ending,
}

#[derive(Deserialize)]
struct Ending {
    end: Option<End>,
}

impl Stored {
    /// Whether the run was stopped before it came to a verdict.
    fn was_cut_short(&self) -> bool {
        self.transcript.end == Some(End::Stopped) && self.verdict == Verdict::Undetermined.as_str()
    }
}

/// The stored report of a target's last run.
#[derive(Debug)]
pub(crate) struct Last {
    pub(crate) run: String,
    pub(crate) exit_code: u8,
    pub(crate) json: String,
}

/// One target's place in the store; no other run can plan against this store meanwhile.
#[derive(Debug)]
pub struct Slot<'a> {
    store: &'a Store,
    address: IpAddr,
    index: Index,
    /// Dropping it ends the lock.
    _lock: File,
}

impl Store {
    /// Opens a store, and makes it if it is missing.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        // With a slash at its end, a symbolic link would pass for its directory.
        let root: PathBuf = root.components().collect();
        for path in [root.clone(), root.join(RUNS), root.join(REPORTS), root.join(TARGETS)] {
            private::directory(&path).map_err(|fault| StoreError::Directory { path, fault })?;
        }
        Ok(Self { root })
    }

    /// Opens a store that must be there.
    pub fn open_old(root: &Path) -> Result<Self, StoreError> {
        if root.join(REPORTS).is_dir() {
            Self::open(root)
        } else {
            Err(StoreError::Missing { path: root.into() })
        }
    }

    /// Locks the store and reads what was done to `address`.
    pub fn slot(&self, address: IpAddr) -> Result<Slot<'_>, StoreError> {
        let lock = self.lock()?;
        let address = address.to_canonical();
        let index = self.index(address)?;
        Ok(Slot { store: self, address, index, _lock: lock })
    }

    /// Takes the store for a sweep, until what is returned is dropped or the program ends, however it ends.
    pub fn begin_sweep(&self) -> Result<File, StoreError> {
        let path = self.root.join("sweep");
        let fault = |fault| StoreError::Lock { path: path.clone(), fault };
        let file = private::lock_file(&path).map_err(fault)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreError::Sweeping { path: self.root.clone() }),
            Err(TryLockError::Error(error)) => Err(fault(error)),
        }
    }

    /// Counts the messages that a run could have sent and did not as not sent.
    pub fn count_messages(&self, report: &Report) -> Result<(), StoreError> {
        if report.run.prove.is_none() {
            return Ok(());
        }
        let mut slot = self.slot(report.run.target.address)?;
        let unsent = u32::from(report.run.limits.messages).saturating_sub(report.messages());
        if let Some(today) = slot.index.messages.get_mut(&day(report.run.date)) {
            *today = today.saturating_sub(unsent);
        }
        self.write(TARGETS, &index_name(slot.address), &json(&slot.index))?;
        Ok(())
    }

    /// Keeps a report, and tells where.
    pub fn keep_report(&self, report: &Report) -> Result<PathBuf, StoreError> {
        self.write(REPORTS, &file_name(report.run.date, &report.run.run), &report.to_json())
    }

    /// The keys; the first one is made now if there is none yet.
    pub fn keys(&self) -> Result<Keyring, StoreError> {
        let _lock = self.lock()?;
        let path = self.root.join(KEYS);
        if path.exists() {
            return Ok(keys::read(&path)?);
        }
        let ring = keys::fresh()?;
        self.keep_keys(&ring)?;
        Ok(ring)
    }

    /// Puts a new key into use.
    pub(crate) fn roll_keys(&self) -> Result<Keyring, StoreError> {
        let mut ring = self.keys()?;
        keys::roll(&mut ring)?;
        let _lock = self.lock()?;
        self.keep_keys(&ring)?;
        Ok(ring)
    }

    fn keep_keys(&self, ring: &Keyring) -> Result<(), StoreError> {
        let fault = |fault| StoreError::Write { path: self.root.join(KEYS), fault };
        private::write(&self.root, KEYS, &ring.to_text()).map_err(fault)
    }

    /// Where what comes back is kept.
    pub fn spool(&self) -> Result<Spool, StoreError> {
        Ok(Spool::open(&self.root.join(RECEIPTS))?)
    }

    /// The record of a run, if it is of this store.
    pub fn run(&self, run: &str) -> Result<Option<RunRecord>, StoreError> {
        let Some(path) = self.find(RUNS, run)? else { return Ok(None) };
        let text = fs::read(&path).map_err(|fault| StoreError::Read { path: path.clone(), fault })?;
        serde_json::from_slice(&text).map(Some).map_err(|fault| StoreError::Damaged { path, fault })
    }

    /// Changes the stored report of a run; `None` if there is none yet. No other program changes it meanwhile.
    pub(crate) fn change_report<T>(
        &self,
        run: &str,
        change: impl FnOnce(&mut Report) -> T,
    ) -> Result<Option<(PathBuf, Report, T)>, StoreError> {
        let _lock = self.lock()?;
        let Some(path) = self.find(REPORTS, run)? else { return Ok(None) };
        let text =
            fs::read_to_string(&path).map_err(|fault| StoreError::Read { path: path.clone(), fault })?;
        let report = Report::from_json(&text);
        let mut report = report.map_err(|fault| StoreError::Report { path: path.clone(), fault })?;
        let changed = change(&mut report);
        let path = self.keep_report(&report)?;
        Ok(Some((path, report, changed)))
    }

    /// Takes away runs, reports and receipts that are older than `limit`, and tells how many files went.
    pub(crate) fn purge(&self, limit: Date) -> Result<usize, StoreError> {
        let _lock = self.lock()?;
        let mut gone = 0;
        for room in [RUNS, REPORTS] {
            for path in self.files(room)? {
                if dated(&path).is_some_and(|date| date < limit) {
                    fs::remove_file(&path).map_err(|fault| StoreError::Write { path, fault })?;
                    gone += 1;
                }
            }
        }
        for spooled in self.spool()?.arrivals()? {
            let spooled = match spooled {
                Ok(spooled) => spooled,
                // One bad file must not keep the others for ever.
                Err(fault) => {
                    tell(format_args!("note: {fault}"));
                    continue;
                }
            };
            if spooled.arrival.at < limit {
                let path = spooled.path;
                fs::remove_file(&path).map_err(|fault| StoreError::Write { path, fault })?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// The file of a run in one of the rooms: its name ends with the name of the run.
    fn find(&self, room: &str, run: &str) -> Result<Option<PathBuf>, StoreError> {
        let is_name = run.len() == 8 && run.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let ending = format!("-{run}.json");
        let mut files = if is_name { self.files(room)? } else { Vec::new() }.into_iter();
        Ok(files.find(|path| {
            let name = path.file_name().unwrap_or_default();
            name.as_encoded_bytes().ends_with(ending.as_bytes())
        }))
    }

    fn files(&self, room: &str) -> Result<Vec<PathBuf>, StoreError> {
        let directory = self.root.join(room);
        let fault = |fault| StoreError::Read { path: directory.clone(), fault };
        let entries = fs::read_dir(&directory).map_err(fault)?;
        entries.map(|entry| entry.map(|entry| entry.path()).map_err(fault)).collect()
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
    pub fn history(&self, today: Date) -> History {
        History {
            last_run: self.index.last_run,
            refusals_today: self.index.refusals.get(&day(today)).copied().unwrap_or_default(),
            messages_today: self.index.messages.get(&day(today)).copied().unwrap_or_default(),
        }
    }

    /// The same for a sweep, and what its run is to be kept as. A run of a sweep that was killed, or stopped before it
    /// came to a verdict, is made again, as if it had not been, and once: the run in its place counts, however it ends.
    pub fn history_for_sweep(&self, today: Date) -> Result<(History, MadeBy), StoreError> {
        let mut history = self.history(today);
        let Some(name) = self.last_name().filter(|_| self.index.made_by == MadeBy::Sweep) else {
            return Ok((history, MadeBy::Sweep));
        };
        let report = self.read(REPORTS, &name)?;
        let is_done = report.is_some_and(|json| {
            // What is damaged now was done then.
            serde_json::from_slice(&json).map_or(true, |stored: Stored| !stored.was_cut_short())
        });
        // A run whose record is gone, too, was purged, not killed.
        let record = if is_done { None } else { self.read(RUNS, &name)? };
        let record: Option<RunRecord> = record.and_then(|text| serde_json::from_slice(&text).ok());
        let Some(record) = record else { return Ok((history, MadeBy::Sweep)) };
        history.last_run = None;
        if day(record.date) == day(today) {
            history.refusals_today = history.refusals_today.saturating_sub(record.expected_refusals());
        }
        Ok((history, MadeBy::SweepAgain))
    }

    /// The report of the last run, if it is there and can be read.
    pub(crate) fn last_report(&self) -> Result<Option<Last>, StoreError> {
        let (Some(name), Some(run)) = (self.last_name(), self.index.run.clone()) else { return Ok(None) };
        let text = self.read(REPORTS, &name)?.and_then(|text| String::from_utf8(text).ok());
        Ok(text.and_then(|mut json| {
            json.truncate(json.trim_end().len());
            let Stored { exit_code, .. } = serde_json::from_str(&json).ok()?;
            Some(Last { run, exit_code, json })
        }))
    }

    /// The name of the last run's files.
    fn last_name(&self) -> Option<String> {
        Some(file_name(self.index.last_run?, self.index.run.as_deref()?))
    }

    fn read(&self, room: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.store.root.join(room).join(name);
        match fs::read(&path) {
            Ok(text) => Ok(Some(text)),
            Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(StoreError::Read { path, fault }),
        }
    }

    /// Keeps the record of a run that is about to begin, and counts it: even a run that is killed was one.
    pub fn keep_run(mut self, run: &RunRecord, made_by: MadeBy) -> Result<(), StoreError> {
        self.store.write(RUNS, &file_name(run.date, &run.run), &json(run))?;
        self.index.address = Some(self.address);
        self.index.last_run = Some(run.date);
        self.index.run = Some(run.run.clone());
        self.index.made_by = made_by;
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

/// Names sort by time, and hold no colon, which not every file system takes.
fn file_name(date: Date, run: &str) -> String {
    format!("{}-{run}.json", date.to_string().replace(':', ""))
}

/// The date that a file's name begins with.
fn dated(path: &Path) -> Option<Date> {
    let name = path.file_name()?.to_str()?;
    let (day, rest) = name.split_at_checked(10)?;
    let [hour, minute, second] = [rest.get(1..3)?, rest.get(3..5)?, rest.get(5..7)?];
    format!("{day}T{hour}:{minute}:{second}Z").parse().ok()
}

fn index_name(address: IpAddr) -> String {
    format!("{}.json", address.to_string().replace(':', "_"))
}

fn day(date: Date) -> String {
    date.to_string().chars().take_while(|&character| character != 'T').collect()
}
