//! Waiting for what comes back to a run.

use core::fmt;
use std::time::{Duration, Instant};

use relayprobe::driver::{self, Stop, blocking};
use relayprobe::receipt::{Classified, Receipt, classify};
use relayprobe::{Keyring, Report, Verdict};

use crate::output::tell;
use crate::sources::{SourceError, Sources};

/// How long to wait for a first proof if nobody says otherwise.
const USUAL: Duration = Duration::from_mins(2);
/// After a proof, others that are on their way are let in as long as they come one after the other.
const GRACE: Duration = Duration::from_secs(1);
/// How long our own message may take by the way in.
const OWN: Duration = Duration::from_secs(15);
/// How often a stop is noticed.
const SLICE: Duration = Duration::from_millis(100);

/// How long receipts are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Until the first proof, or two minutes.
    Usual,
    /// So long, unless everything is known before.
    For(Duration),
}

/// Waits for what comes back, and adds it to the report.
pub(crate) fn wait(
    report: &mut Report,
    sources: &mut Sources,
    keys: &Keyring,
    patience: Patience,
    stop: &Stop,
) -> Result<(), SourceError> {
    let begin = Instant::now();
    let limit = match patience {
        Patience::Usual => USUAL,
        Patience::For(limit) => limit,
    };
    let mut last = Instant::now();
    loop {
        if take(report, sources, keys)? {
            last = Instant::now();
        }
        if report.pending_until.is_some_and(|until| until <= driver::now()) {
            report.judge(driver::now());
        }
        let proven = report.verdict == Verdict::OpenRelay && patience == Patience::Usual;
        let enough = report.pending_until.is_none() || proven;
        let over = begin.elapsed() >= limit || stop.is_stopped();
        if over || (enough && last.elapsed() >= GRACE) {
            break;
        }
    }
    report.judge(driver::now());
    if report.run.way_in.is_some() && waits_for_silence(report) && !stop.is_stopped() {
        see_way_in(report, sources, keys, stop)?;
    }
    Ok(())
}

/// Sends a message of our own by the way in, and waits until it comes.
pub(crate) fn see_way_in(
    report: &mut Report,
    sources: &mut Sources,
    keys: &Keyring,
    stop: &Stop,
) -> Result<(), SourceError> {
    let own = |report: &Report| report.receipts.iter().filter(|receipt| is_own(report, receipt)).count();
    let before = own(report);
    blocking::check_way_in(report, keys, stop);
    let begin = Instant::now();
    while own(report) == before && begin.elapsed() < OWN && !stop.is_stopped() {
        take(report, sources, keys)?;
    }
    report.judge(driver::now());
    Ok(())
}

/// Whether the windows are over and nothing came, so that only a sign of life of our own server is missing.
fn waits_for_silence(report: &Report) -> bool {
    let silent = |probe: &relayprobe::report::ProbeReport| {
        probe.outcome.as_str() == "accepted-no-receipt" && !probe.case.starts_with("ctl-")
    };
    report.pending_until.is_none() && report.verdict != Verdict::OpenRelay && report.probes.iter().any(silent)
}

fn is_own(report: &Report, receipt: &Receipt) -> bool {
    report.run.probe(receipt.probe).is_some_and(|probe| report.run.is_way_in(probe.path))
}

/// Takes in what has come; whether anything was of this run.
fn take(report: &mut Report, sources: &mut Sources, keys: &Keyring) -> Result<bool, SourceError> {
    let mut any = false;
    for arrival in sources.next(SLICE)? {
        let run = report.run.clone();
        match classify(&arrival, keys, &|name| (name == run.run).then(|| run.clone())) {
            Classified::Receipt(receipt) => {
                any = true;
                // It was classified by this run.
                drop(report.add(*receipt));
            }
            Classified::Forged { run } => tell(Forged(&run)),
            // Another run's, or nobody's.
            _ => {}
        }
    }
    Ok(any)
}

/// A warning about a token that is none.
pub(crate) struct Forged<'a>(pub(crate) &'a str);

impl fmt::Display for Forged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "note: something came with a token of run {} that no key here has made; it counts for nothing",
            self.0
        )
    }
}
