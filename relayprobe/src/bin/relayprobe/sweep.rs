//! `relayprobe probe --targets`: asks many servers, a report a line.

use core::cell::Cell;
use core::mem;
use core::task::Context;
use core::time::Duration;
use std::io::{self, IsTerminal as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use relayprobe::driver::tokio::{Counts, Pace, Sweep, Swept};
use relayprobe::driver::{self, Stop};
use relayprobe::plan::PlanBuilder;
use relayprobe::{Plan, PlanError, Report, Target};
use tokio::runtime::Builder;

use crate::host::Host;
use crate::output::{Reader, show_line, tell};
use crate::run::stop_on_signal;
use crate::store::{MadeBy, Store, StoreError};
use crate::target::TargetOptions;
use crate::targets::{List, ListError, Lookup, Lost};
use crate::{Failure, files};

/// How a list of targets is gone through.
#[derive(Args, Debug)]
#[command(next_help_heading = "Many targets")]
pub(crate) struct SweepOptions {
    /// File with a HOST[:PORT] a line, # begins a comment: envelopes only, a report a line as runs end. With --store
    /// what was tested in the last 24 hours is left out, so the same command goes on where it was ended
    #[arg(long, value_name = "FILE", conflicts_with_all = ["transcript", "again"])]
    pub(crate) targets: Option<PathBuf>,
    /// Runs at once
    #[arg(long, value_name = "COUNT", default_value_t = 256, requires = "targets",
        value_parser = clap::value_parser!(u32).range(1..=65_536))]
    at_once: u32,
    /// Runs at once in one network, a /24 of IPv4 or a /48 of IPv6
    #[arg(long, value_name = "COUNT", default_value_t = 1, requires = "targets",
        value_parser = clap::value_parser!(u32).range(1..=256))]
    per_network: u32,
    /// How long to leave a network alone after a run in it
    #[arg(long, value_name = "DURATION", default_value = "1s", requires = "targets",
        value_parser = humantime::parse_duration)]
    network_pause: Duration,
    /// Runs begun in a second
    #[arg(long, value_name = "COUNT", default_value_t = 20, requires = "targets",
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    per_second: u32,
}

/// Many targets cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SweepError {
    #[error(transparent)]
    List(#[from] ListError),
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
            Self::Proof => false,
        }
    }
}

/// What a sweep is made from.
pub(crate) struct Wishes<'a> {
    pub(crate) options: &'a SweepOptions,
    pub(crate) target: &'a TargetOptions,
    pub(crate) from: Option<IpAddr>,
    /// Connections that a run may have open at once.
    pub(crate) connections: u8,
    pub(crate) store: Option<&'a Store>,
}

/// Why a target is not asked.
enum Unasked {
    /// It was tested within the last day; the exit status of that run, if there is a report.
    Tested(Option<u8>),
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
    let told = Told::new(count);
    let dropped: Mutex<Vec<Lost>> = Mutex::default();
    let mut lookup = Lookup::start(list, wishes.target, wishes.from);
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
        while let Some(swept) = sweep.next().await {
            told.lose(&dropped);
            let done = told.take(swept, wishes.store, &stop);
            told.show(sweep.counts());
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
    match builder.history(slot.history_for_sweep(today)?).build(today, seed) {
        Ok(plan) => {
            slot.keep_run(plan.record(), MadeBy::Sweep)?;
            Ok(plan)
        }
        Err(PlanError::TooSoon { .. }) => Err(Unasked::Tested(slot.last_status()?)),
        Err(error) => Err(error.into()),
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
    /// The exit status so far.
    status: Cell<u8>,
    tested: Cell<u64>,
    lost: Cell<u64>,
}

impl Told {
    fn new(count: u64) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::stderr());
            // The template is a constant, so it parses; the plain style would do as well.
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, status: Cell::new(0), tested: Cell::new(0), lost: Cell::new(0) }
    }

    fn take(
        &self,
        swept: Swept<(Host, Target), Unasked>,
        store: Option<&Store>,
        stop: &Stop,
    ) -> Result<(), Failure> {
        match swept {
            Swept::Report(_, report) => return self.report(&report, store, stop),
            Swept::Refused(_, Unasked::Tested(status)) => {
                self.tested.set(self.tested.get() + 1);
                self.count(status.unwrap_or(3));
            }
            // A store that fails once fails for all.
            Swept::Refused(_, Unasked::Failure(failure @ Failure::Store(_))) => return Err(failure),
            Swept::Refused((host, _), Unasked::Failure(failure)) => {
                self.note(&format!("{host} is not tested: {failure}"));
                self.count(3);
            }
            Swept::Repeated((host, target)) => {
                let address = target.address;
                self.note(&format!("note: {host} is left out: {address} is in the list before"));
            }
            _ => {}
        }
        Ok(())
    }

    /// Kept before it is shown: what was shown is never asked for again.
    fn report(&self, report: &Report, store: Option<&Store>, stop: &Stop) -> Result<(), Failure> {
        self.count(report.exit_code);
        if let Some(store) = store {
            store.keep_report(report)?;
        }
        let reader = match &self.bar {
            Some(bar) => bar.suspend(|| show_line(&report.to_json())),
            None => show_line(&report.to_json()),
        };
        if reader? == Reader::Gone {
            stop.stop();
        }
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
