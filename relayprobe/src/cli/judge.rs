//! `relayprobe judge`: a stored report, judged anew.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use relayprobe::driver::{self, Stop};
use relayprobe::moment::{Date, Moment};
use relayprobe::receipt::{Classified, classify_each};
use relayprobe::report::ReportError;
use relayprobe::{Keyring, Report, Session};
use serde::Deserialize;

use crate::cli::Failure;
use crate::cli::keys;
use crate::cli::output::{show, tell};
use crate::cli::read::{ReadError, read_text};
use crate::cli::sources::Sources;
use crate::cli::store::Store;
use crate::cli::wait::{self, Forged, tell_notes};

/// Many times what the limits of a run let a report grow to.
pub(crate) const LIMIT: u64 = 256 << 20;

/// Judge a stored report again, from its run record, its transcript and what came back
#[derive(Args, Debug)]
pub(crate) struct JudgeOptions {
    /// The report as --json or the store has written it; - for standard input
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// Add what came back since, from a Maildir or an mbox file; repeatable
    #[arg(long, value_name = "MAILBOX")]
    receipts: Vec<PathBuf>,
    /// Add what came back since, from a store; its keys check it
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// The keys that check it, if there is no store
    #[arg(long, value_name = "FILE", conflicts_with = "store")]
    keys: Option<PathBuf>,
    /// Judge as of a later date, or as of now; as of the report's own date or the last receipt unless given
    #[arg(long, value_name = "DATE|now", value_parser = as_of)]
    as_of: Option<Date>,
    /// See once more whether our own receiving server is there, before silence is taken for an answer
    #[arg(long)]
    check_sink: bool,
    /// Print the report as JSON and nothing else
    #[arg(long)]
    json: bool,
}

/// A report cannot be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JudgeError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{}: {fault}", path.display())]
    Report { path: PathBuf, fault: ReportError },
    #[error("receipts are checked with the keys that made their tokens: name --store DIR or --keys FILE")]
    NoKeys,
    #[error("the run named no way in to the receiving server, so it cannot be seen whether it is there")]
    NoWayIn,
    #[error("these are not the keys of the run, or its record was changed: no message is sent for it")]
    Foreign,
}

/// What was said when the report was made.
#[derive(Deserialize)]
struct Stored {
    verdict: String,
}

pub(crate) fn judge(options: &JudgeOptions) -> Result<u8, Failure> {
    let text = read_text(&options.report, LIMIT).map_err(JudgeError::Read)?;
    let mut report = read(&text, &options.report)?;
    let verdict = report.verdict.as_str();
    match serde_json::from_str::<Stored>(&text) {
        Ok(stored) if stored.verdict == verdict => {}
        Ok(stored) => tell(format_args!(
            "note: the stored verdict is {}, by an earlier or later version; this one says {verdict}",
            stored.verdict
        )),
        Err(_) => tell("note: the stored report has no verdict to compare with"),
    }
    options.add(&mut report)?;
    if let Some(date) = options.as_of {
        report.judge(date);
    }
    show(&if options.json { report.to_json() + "\n" } else { report.text() })?;
    Ok(report.exit_code)
}

/// Reads a report from its JSON.
pub(crate) fn read(text: &str, path: &std::path::Path) -> Result<Report, JudgeError> {
    Report::from_json(text).map_err(|fault| JudgeError::Report { path: path.into(), fault })
}

impl JudgeOptions {
    fn add(&self, report: &mut Report) -> Result<(), Failure> {
        let store = self.store.as_deref().map(Store::open_old).transpose()?;
        let mut sources = Sources::default();
        if let Some(store) = &store {
            sources.follow(store.spool()?);
        }
        for mailbox in &self.receipts {
            sources.watch(mailbox)?;
        }
        let keys = match (&store, &self.keys) {
            (Some(store), _) => store.keys()?,
            (None, Some(path)) => keys::read(path)?,
            (None, None) if self.receipts.is_empty() && !self.check_sink => return Ok(()),
            (None, None) => return Err(JudgeError::NoKeys.into()),
        };
        take(report, &mut sources, &keys)?;
        if self.check_sink {
            if report.run.way_in.is_none() {
                return Err(JudgeError::NoWayIn.into());
            }
            let (run, transcript) = (&report.run, &report.transcript);
            if Session::check_way_in(run, &keys, transcript, Duration::ZERO, Moment::ZERO).is_none() {
                return Err(JudgeError::Foreign.into());
            }
            wait::see_way_in(report, &mut sources, &keys, &Stop::new())?;
        }
        Ok(())
    }
}

fn take(report: &mut Report, sources: &mut Sources, keys: &Keyring) -> Result<(), Failure> {
    let arrivals = sources.next(Duration::ZERO)?;
    tell_notes(sources);
    for arrival in arrivals {
        let run = report.run.clone();
        for classified in classify_each(&arrival, keys, &|name| (name == run.run).then(|| run.clone())) {
            match classified {
                Classified::Receipt(receipt) => drop(report.add(*receipt)),
                Classified::Forged { run } => tell(Forged(&run)),
                _ => {}
            }
        }
    }
    Ok(())
}

fn as_of(text: &str) -> Result<Date, String> {
    if text == "now" { Ok(driver::now()) } else { text.parse().map_err(|fault| format!("{fault}")) }
}
