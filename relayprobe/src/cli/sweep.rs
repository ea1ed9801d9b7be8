//! `relayprobe probe --targets`: asks many servers, a report a line.

use core::cell::{Cell, RefCell};
use core::mem;
use core::task::Context;
use core::time::Duration;
use std::io::{self, IsTerminal as _};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Mutex;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use relayprobe::driver::tokio::{Counts, Pace, Sweep, Swept};
use relayprobe::driver::{self, Stop};
use relayprobe::plan::PlanBuilder;
use relayprobe::{Plan, PlanError, Report, Target};
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::cli::host::Host;
use crate::cli::output::{Reader, show_line, tell};
use crate::cli::reports::{Reports, ReportsError};
use crate::cli::run::stop_on_signal;
use crate::cli::store::{Last, Store, StoreError};
use crate::cli::target::TargetOptions;
use crate::cli::targets::{List, ListError, Lookup, Lost};
use crate::cli::{Failure, files};

/// How often targets that were lost are told, and progress is shown, while nothing ends.
const LOOK: Duration = Duration::from_millis(200);

/// How a list of targets is gone through.
#[derive(Args, Debug)]
#[command(next_help_heading = "Many targets")]
pub(crate) struct SweepOptions {
    /// File with a HOST[:PORT] a line, # begins a comment: envelopes only, a report a line as runs end. With --store
    /// what was tested in the last 24 hours is left out, so the same command goes on where it was ended
    #[arg(long, value_name = "FILE", conflicts_with_all = ["transcript", "again"])]
    pub(crate) targets: Option<PathBuf>,
    /// Add the reports to this file instead of printing them: each once, whatever ends the program
    #[arg(long, value_name = "FILE", requires_all = ["targets", "store"],
        conflicts_with_all = ["host", "mx"])]
    pub(crate) output: Option<PathBuf>,
    /// Runs at once
    #[arg(long, value_name = "COUNT", default_value_t = 256, requires = "targets",
        conflicts_with_all = ["host", "mx"], value_parser = clap::value_parser!(u32).range(1..=65_536))]
    at_once: u32,
    /// Runs at once in one network, a /24 of IPv4 or a /48 of IPv6
    #[arg(long, value_name = "COUNT", default_value_t = 1, requires = "targets",
        conflicts_with_all = ["host", "mx"], value_parser = clap::value_parser!(u32).range(1..=256))]
    per_network: u32,
    /// How long to leave a network alone after a run in it
    #[arg(long, value_name = "DURATION", default_value = "1s", requires = "targets",
        conflicts_with_all = ["host", "mx"], value_parser = humantime::parse_duration)]
    network_pause: Duration,
    /// Runs begun in a second
    #[arg(long, value_name = "COUNT", default_value_t = 20, requires = "targets",
        conflicts_with_all = ["host", "mx"], value_parser = clap::value_parser!(u32).range(1..=10_000))]
    per_second: u32,
}

/// Many targets cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SweepError {
    #[error(transparent)]
    List(#[from] ListError),
    #[error(transparent)]
    Reports(#[from] ReportsError),
    #[error(
        "--targets asks with envelopes only; prove what it suspects with a run for each: leave out --stage prove, --sink \
         and --receipts, or name one target"
    )]
    Proof,
    #[error("cannot begin: {fault}")]
    Runtime { fault: io::Error },
}

impl SweepError {
    /// Whether this machine is at fault, not what was asked for.
    pub(crate) const fn is_local(&self) -> bool {
        match self {
            Self::Runtime { .. } => true,
            Self::List(fault) => fault.is_local(),
            Self::Reports(fault) => fault.is_local(),
            Self::Proof => false,
        }
    }
}

/// What a sweep is made from.
pub(crate) struct Wishes<'a> {
    pub(crate) options: &'a SweepOptions,
    pub(crate) target: &'a TargetOptions,
    pub(crate) from: Option<IpAddr>,
    /// DNS servers to ask for names; those of the system if there are none.
    pub(crate) servers: Vec<SocketAddr>,
    /// Connections that a run may have open at once.
    pub(crate) connections: u8,
    pub(crate) store: Option<&'a Store>,
}

/// Why a target is not asked.
enum Unasked {
    /// It was tested within the last day.
    Tested(Last),
    /// The same, but there is no report.
    CutShort,
    Failure(Failure),
}

/// Asks all of a list. `build` makes the beginning of a plan.
pub(crate) fn sweep(
    list: List,
    count: u64,
    wishes: &Wishes<'_>,
    build: impl Fn(Target) -> PlanBuilder + Sync,
) -> Result<u8, Failure> {
    let _sweeping = wishes.store.map(Store::begin_sweep).transpose()?;
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| SweepError::Runtime { fault })?;
    let stop = stop_on_signal();
    let reports =
        wishes.options.output.as_deref().map(Reports::open).transpose().map_err(SweepError::Reports)?;
    let told = Told::new(count, reports);
    let dropped: Mutex<Vec<Lost>> = Mutex::default();
    let mut lookup = Lookup::start(list, wishes.target, wishes.from, &wishes.servers);
    let find = |context: &mut Context<'_>| {
        lookup.poll(context, |loss| {
            // There is no other holder that could have panicked.
            if let Ok(mut dropped) = dropped.lock() {
                dropped.push(loss);
            }
        })
    };
    let make = |(_, target): &(Host, Target)| plan(build(target.clone()), target.address, wishes.store);
    let mut sweep = Sweep::polled(find, make, wishes.pace(), &stop);
    let mut end = Ok(());
    runtime.block_on(async {
        loop {
            let next = timeout(LOOK, sweep.next()).await;
            told.lose(&dropped);
            told.show(sweep.counts());
            let swept = match next {
                Ok(Some(swept)) => swept,
                Ok(None) => break,
                Err(_) => continue,
            };
            let done = told.take(swept, wishes.store, &stop);
            if done.is_err() && end.is_ok() {
                // What cannot be kept is not asked for; what is under way is still told.
                stop.stop();
                end = done;
            }
        }
    });
    told.lose(&dropped);
    let counts = sweep.counts();
    // Threads that still look something up are not waited for.
    runtime.shutdown_background();
    end?;
    Ok(told.finish(counts, &stop))
}

impl Wishes<'_> {
    fn pace(&self) -> Pace {
        let mut pace = Pace::default();
        let connections = usize::from(self.connections);
        let wanted = usize::try_from(self.options.at_once).unwrap_or(usize::MAX);
        pace.in_flight = files::room_for(wanted.saturating_mul(connections)) / connections;
        if pace.in_flight < wanted {
            tell(format_args!(
                "note: this system allows so few open files that {} runs are made at once, not {wanted} (ulimit -n)",
                pace.in_flight
            ));
        }
        pace.per_network = usize::try_from(self.options.per_network).unwrap_or(1);
        pace.network_pause = self.options.network_pause;
        pace.per_second = self.options.per_second;
        pace.waiting = pace.waiting.max(pace.in_flight.saturating_mul(4));
        pace
    }
}

/// The plan of one target; with a store its run record is kept before it is asked.
fn plan(builder: PlanBuilder, address: IpAddr, store: Option<&Store>) -> Result<Plan, Unasked> {
    let (today, seed) = (driver::now(), driver::seed());
    let Some(store) = store else { return Ok(builder.build(today, seed)?) };
    let slot = store.slot(address)?;
    let (history, made_by) = slot.history_for_sweep(today)?;
    match builder.history(history).build(today, seed) {
        Ok(plan) => {
            slot.keep_run(plan.record(), made_by)?;
            Ok(plan)
        }
        Err(PlanError::TooSoon { .. }) => Err(slot.last_report()?.map_or(Unasked::CutShort, Unasked::Tested)),
        Err(error) => Err(error.into()),
    }
}

/// Nobody is asked for nobody.
fn heed(reader: Reader, stop: &Stop) {
    if reader == Reader::Gone {
        stop.stop();
    }
}

impl From<PlanError> for Unasked {
    fn from(error: PlanError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<StoreError> for Unasked {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

/// What was told, and to whom.
struct Told {
    bar: Option<ProgressBar>,
    /// Where reports go, unless to standard output.
    reports: Option<RefCell<Reports>>,
    /// The exit status so far.
    status: Cell<u8>,
    tested: Cell<u64>,
    lost: Cell<u64>,
}

impl Told {
    fn new(count: u64, reports: Option<Reports>) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::stderr());
            // The template is a constant, so it parses; the plain style would do as well.
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let reports = reports.map(RefCell::new);
        Self { bar, reports, status: Cell::new(0), tested: Cell::new(0), lost: Cell::new(0) }
    }

    fn take(
        &self,
        swept: Swept<(Host, Target), Unasked>,
        store: Option<&Store>,
        stop: &Stop,
    ) -> Result<(), Failure> {
        match swept {
            Swept::Report(_, report) => return self.report(&report, store, stop),
            Swept::Refused(_, Unasked::Tested(last)) => {
                self.tested.set(self.tested.get() + 1);
                self.count(last.exit_code);
                if let Some(reports) = &self.reports {
                    let mut reports = reports.borrow_mut();
                    if !reports.holds(&last.run) {
                        reports.add(&last.json).map_err(SweepError::Reports)?;
                    }
                }
            }
            Swept::Refused((host, _), Unasked::CutShort) => {
                self.note(&format!("{host} is not tested: its run of the last 24 hours has left no report"));
                self.count(3);
            }
            // A store that fails once fails for all, unless it is what is known of one target.
            Swept::Refused(_, Unasked::Failure(Failure::Store(fault))) if !fault.is_of_one_target() => {
                return Err(fault.into());
            }
            Swept::Refused((host, _), Unasked::Failure(failure)) => {
                self.note(&format!("{host} is not tested: {failure}"));
                self.count(3);
            }
            Swept::Repeated((host, target)) => {
                let address = target.address;
                self.note(&format!("note: {host} is left out: {address} is in the list before"));
            }
        }
        Ok(())
    }

    /// Kept before it is shown: what was shown is never asked for again. What cannot be kept is shown all the same.
    fn report(&self, report: &Report, store: Option<&Store>, stop: &Stop) -> Result<(), Failure> {
        self.count(report.exit_code);
        let kept = store.map(|store| store.keep_report(report)).transpose();
        let json = report.to_json();
        match (&self.reports, &self.bar) {
            (Some(reports), _) => reports.borrow_mut().add(&json).map_err(SweepError::Reports)?,
            (None, Some(bar)) => heed(bar.suspend(|| show_line(&json))?, stop),
            (None, None) => heed(show_line(&json)?, stop),
        }
        kept?;
        Ok(())
    }

    fn lose(&self, dropped: &Mutex<Vec<Lost>>) {
        let dropped = dropped.lock().map(|mut dropped| mem::take(&mut *dropped));
        for lost in dropped.unwrap_or_default() {
            self.lost.set(self.lost.get() + 1);
            self.count(3);
            match lost {
                Lost::Target(host, fault) => self.note(&format!("{host} is not tested: {fault}")),
                Lost::List(fault) => self.note(&format!("error: {fault}")),
            }
        }
    }

    fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| tell(text)),
            None => tell(text),
        }
    }

    fn show(&self, counts: Counts) {
        if let Some(bar) = &self.bar {
            bar.set_position(counts.reports + counts.refused + counts.repeated + self.lost.get());
            bar.set_message(format!("{} under way, {} wait", counts.running, counts.waiting));
        }
    }

    /// The worst so far: open, suspected, unknown, closed.
    fn count(&self, status: u8) {
        let rank = |status: u8| [0, 3, 1, 2].iter().position(|&known| known == status);
        if rank(status) > rank(self.status.get()) {
            self.status.set(status);
        }
    }

    fn finish(self, counts: Counts, stop: &Stop) -> u8 {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let tested = self.tested.get();
        if tested > 0 {
            tell(format_args!(
                "note: {tested} of the list were tested in the last 24 hours; their reports are in the store"
            ));
        }
        if stop.is_stopped() {
            tell("note: stopped before the end of the list");
            self.count(3);
        }
        let (reports, refused) = (counts.reports, counts.refused - tested + self.lost.get());
        tell(format_args!("{reports} tested, {refused} not tested, {} named twice", counts.repeated));
        self.status.get()
    }
}
