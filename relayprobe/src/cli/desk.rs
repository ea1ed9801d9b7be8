//! What comes back meets the stored reports.

use core::cell::RefCell;
use core::fmt;
use std::path::Path;
use std::process::Command;

use relayprobe::receipt::{Arrival, Classified, Receipt, classify_each};
use relayprobe::report::Change;
use relayprobe::{Report, Verdict};

use crate::cli::output::tell;
use crate::cli::store::{Store, StoreError};
use crate::cli::wait::Forged;

/// A store, and what is to be done when a verdict of it moves.
pub(crate) struct Desk<'a> {
    pub(crate) store: &'a Store,
    /// A command of the shell.
    pub(crate) on_change: Option<&'a str>,
}

/// What became of an arrival. One that is several things is the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Met {
    /// It carries no token.
    NotOurs,
    /// It was added to its report, or belongs to none here.
    Settled,
    /// Its run is known and has no report yet: it is to be offered again.
    Early,
}

impl Desk<'_> {
    /// Adds an arrival to its report.
    pub(crate) fn take(&self, arrival: &Arrival) -> Result<Met, StoreError> {
        // A key may have been put into use since the last one.
        let keys = self.store.keys()?;
        let fault = RefCell::new(None);
        let run =
            |run: &str| self.store.run(run).unwrap_or_else(|error| fault.replace(Some(error)).and(None));
        let found = classify_each(arrival, &keys, &run);
        let is_receipt = matches!(found.first(), Some(Classified::Receipt(_)));
        if let Some(fault) = fault.into_inner().filter(|_| !is_receipt) {
            // It may be what it is about: it is to be offered again.
            return Err(fault);
        }
        let mut met = Met::NotOurs;
        for classified in found {
            met = met.max(match classified {
                Classified::Receipt(receipt) => self.add(*receipt)?,
                Classified::Forged { run } => {
                    tell(Forged(&run));
                    Met::Settled
                }
                Classified::UnknownRun { run } => {
                    tell(format_args!("note: something came for run {run}, which is not in this store"));
                    Met::Settled
                }
                _ => Met::NotOurs,
            });
        }
        Ok(met)
    }

    fn add(&self, receipt: Receipt) -> Result<Met, StoreError> {
        let line = Line { kind: receipt.kind.as_str(), run: receipt.run.clone(), probe: receipt.probe };
        let changed = self.store.change_report(&receipt.run.clone(), |report| {
            // It was classified by the record of this run.
            report.add(receipt).unwrap_or(Change::None)
        })?;
        let Some((path, report, change)) = changed else { return Ok(Met::Early) };
        tell(line);
        if let Change::Verdict { from } = change {
            tell(format_args!("{}: {from} is now {}", path.display(), report.verdict));
            self.announce(&path, &report, from);
        }
        Ok(Met::Settled)
    }

    fn announce(&self, path: &Path, report: &Report, from: Verdict) {
        let Some(command) = self.on_change else { return };
        let done = Command::new("sh")
            .args(["-c", command])
            .env("RELAYPROBE_REPORT", path)
            .env("RELAYPROBE_RUN", &report.run.run)
            .env("RELAYPROBE_TARGET", report.run.target.address.to_string())
            .env("RELAYPROBE_VERDICT", report.verdict.as_str())
            .env("RELAYPROBE_WAS", from.as_str())
            .status();
        match done {
            Ok(status) if status.success() => {}
            Ok(status) => tell(format_args!("note: the command of --on-change ended with {status}")),
            Err(fault) => tell(format_args!("note: the command of --on-change cannot be run: {fault}")),
        }
    }
}

/// What came, in a line.
struct Line {
    kind: &'static str,
    run: String,
    probe: u16,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for probe {} of run {}", self.kind, self.probe, self.run)
    }
}
