//! Waiting for what comes back to a run.

use core::fmt;
use std::borrow::Cow;
use std::time::{Duration, Instant};

use relayprobe::driver::{self, Stop, blocking};
use relayprobe::moment::Date;
use relayprobe::receipt::{Arrival, Classified, Receipt, classify_each};
use relayprobe::verdict::Reason;
use relayprobe::{Keyring, Report, Verdict};

use crate::cli::output::tell;
use crate::cli::proof::Proof;
use crate::cli::sources::{SourceError, Sources};

/// How long to wait for a first proof if nobody says otherwise.
const USUAL: Duration = Duration::from_mins(2);
/// After a proof, others that are on their way are let in as long as they come one after the other.
const GRACE: Duration = Duration::from_secs(1);
/// How long our own message may take by the way in.
const OWN: Duration = Duration::from_secs(15);
/// Seconds that an arrival may be dated ahead of the wait: dates are whole seconds, and mailboxes have clocks of their own.
const AHEAD: u64 = 60;
/// How often a stop is noticed.
const SLICE: Duration = Duration::from_millis(100);

/// How long receipts are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Until the first proof, or two minutes.
    Usual,
    /// So long, unless everything is known before.
    For(Duration),
}

/// A wait for what comes back to a run. Whoever holds it brings the arrivals, again and again.
#[derive(Debug)]
pub struct Waiting {
    patience: Patience,
    begin: Instant,
    /// The date at the beginning. From there on time is counted: a clock that is set forward would end every window.
    today: Option<Date>,
    last: Instant,
    /// What came by the way in before our last message by it, and when that was sent.
    own: Option<(usize, Instant)>,
    forged: Vec<String>,
}

/// What a wait needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Whatever arrives within a tenth of a second or so.
    Arrivals,
    /// A message of our own by the way in ([`blocking::check_way_in`]), then arrivals.
    WayIn,
    /// Nothing: it is over.
    Nothing,
}

impl Waiting {
    /// Begins to wait, right after the run.
    pub fn new(patience: Patience) -> Self {
        let now = Instant::now();
        Self { patience, begin: now, today: None, last: now, own: None, forged: Vec::new() }
    }

    /// A wait for nothing but a message of our own by the way in, which is about to be sent.
    pub(crate) fn for_way_in(report: &Report) -> Self {
        let own = Some((own(report), Instant::now()));
        Self { own, today: Some(driver::now()), ..Self::new(Patience::Usual) }
    }

    /// Adds what has arrived to the report, and says what to do next.
    pub fn take(&mut self, report: &mut Report, arrivals: &[Arrival], keys: &Keyring, stop: &Stop) -> Next {
        let today = *self.today.get_or_insert(report.as_of);
        let now = Date::from_unix(today.unix().saturating_add(self.begin.elapsed().as_secs()));
        for arrival in arrivals {
            self.add(report, &dated(arrival, now), keys);
        }
        if let Some((before, begin)) = self.own {
            if own(report) == before && begin.elapsed() < OWN && !stop.is_stopped() {
                return Next::Arrivals;
            }
            report.judge(now);
            return Next::Nothing;
        }
        if report.pending_until.is_some_and(|until| until <= now) {
            report.judge(now);
        }
        let proven = report.verdict == Verdict::OpenRelay && self.patience == Patience::Usual;
        let enough = report.pending_until.is_none() || proven;
        let limit = match self.patience {
            Patience::Usual => USUAL,
            Patience::For(limit) => limit,
        };
        let over = self.begin.elapsed() >= limit || stop.is_stopped();
        let done = over || (enough && self.last.elapsed() >= GRACE);
        if !done {
            return Next::Arrivals;
        }
        report.judge(now);
        if report.run.way_in.is_some() && waits_for_silence(report) && !stop.is_stopped() {
            self.own = Some((own(report), Instant::now()));
            return Next::WayIn;
        }
        Next::Nothing
    }

    /// The runs whose tokens came that no key here has made, since this was last asked.
    pub fn forged(&mut self) -> Vec<String> {
        core::mem::take(&mut self.forged)
    }

    fn add(&mut self, report: &mut Report, arrival: &Arrival, keys: &Keyring) {
        let run = &report.run;
        for classified in classify_each(arrival, keys, &|name| (name == run.run).then(|| run.clone())) {
            match classified {
                Classified::Receipt(receipt) => {
                    self.last = Instant::now();
                    // It was classified by this run.
                    drop(report.add(*receipt));
                }
                Classified::Forged { run } => self.forged.push(run),
                // Another run's, or nobody's.
                _ => {}
            }
        }
    }
}

/// The arrival, which cannot come later than now.
fn dated(arrival: &Arrival, now: Date) -> Cow<'_, Arrival> {
    let mut arrival = Cow::Borrowed(arrival);
    if arrival.at.unix() > now.unix().saturating_add(AHEAD) {
        arrival.to_mut().at = now;
    }
    arrival
}

/// Waits for what comes back, and adds it to the report.
pub(crate) fn wait(
    report: &mut Report,
    sources: &mut Sources,
    keys: &Keyring,
    patience: Patience,
    stop: &Stop,
) -> Result<(), SourceError> {
    go_on(Waiting::new(patience), report, sources, keys, stop)
}

/// The same for several runs at once: what comes is offered to each.
pub(crate) fn wait_all(reports: &mut [Report], proof: &mut Proof, stop: &Stop) -> Result<(), SourceError> {
    let mut open: Vec<(&mut Report, Waiting)> =
        reports.iter_mut().map(|report| (report, Waiting::new(proof.patience))).collect();
    while !open.is_empty() {
        let arrivals = proof.sources.next(SLICE)?;
        tell_notes(&mut proof.sources);
        open.retain_mut(|(report, waiting)| {
            let next = waiting.take(report, &arrivals, &proof.keys, stop);
            if next == Next::WayIn {
                blocking::check_way_in(report, &proof.keys, stop);
            }
            waiting.forged().iter().for_each(|run| tell(Forged(run)));
            next != Next::Nothing
        });
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
    let waiting = Waiting::for_way_in(report);
    blocking::check_way_in(report, keys, stop);
    go_on(waiting, report, sources, keys, stop)
}

fn go_on(
    mut waiting: Waiting,
    report: &mut Report,
    sources: &mut Sources,
    keys: &Keyring,
    stop: &Stop,
) -> Result<(), SourceError> {
    loop {
        let arrivals = sources.next(SLICE)?;
        tell_notes(sources);
        let next = waiting.take(report, &arrivals, keys, stop);
        waiting.forged().iter().for_each(|run| tell(Forged(run)));
        match next {
            Next::Arrivals => {}
            Next::WayIn => blocking::check_way_in(report, keys, stop),
            Next::Nothing => return Ok(()),
        }
    }
}

/// Shows what is to be known of the sources.
pub(crate) fn tell_notes(sources: &mut Sources) {
    sources.notes().iter().for_each(|note| tell(format_args!("note: {note}")));
}

/// Whether the windows are over and nothing was relayed, so that only a sign of life of our own server is missing.
fn waits_for_silence(report: &Report) -> bool {
    report.pending_until.is_none() && report.reasons.contains(&Reason::SinkUnproven)
}

/// How many messages of our own came by the way in.
fn own(report: &Report) -> usize {
    let is_own = |receipt: &&Receipt| {
        report.run.probe(receipt.probe).is_some_and(|probe| report.run.is_way_in(probe.path))
    };
    report.receipts.iter().filter(is_own).count()
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
