//! From a plan that can be checked to a report that is shown and kept.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use clap::Args;
use relayprobe::driver::{self, Stop, blocking};
use relayprobe::plan::PlanBuilder;
use relayprobe::{Plan, Report};

use crate::cli::Failure;
use crate::cli::names::NamesError;
use crate::cli::output::{OutputError, show};
use crate::cli::progress::Progress;
use crate::cli::proof::Proof;
use crate::cli::store::{MadeBy, Store};
use crate::cli::wait::wait;

/// What is kept and shown.
#[derive(Args, Debug)]
#[command(next_help_heading = "What is kept and shown")]
pub(crate) struct Kept {
    /// Keep run records and reports here, and heed what earlier runs did to the target
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Write the dialogue with the server here
    #[arg(long, value_name = "FILE")]
    pub(crate) transcript: Option<PathBuf>,
    /// Print the report as JSON and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

/// A second signal within this time is the first one: `timeout` sends it to the program and to its process group.
const AT_ONCE: Duration = Duration::from_millis(300);
/// What a shell reports of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

pub(crate) fn run(
    builder: PlanBuilder,
    address: IpAddr,
    kept: &Kept,
    store: Option<&Store>,
    proof: Option<Proof>,
    ask_lists: impl FnOnce(&mut Report) -> Result<(), NamesError>,
) -> Result<u8, Failure> {
    let plan = plan(builder, address, store)?;
    // Opened before anybody is asked: a run that cannot be written down would have been in vain.
    let transcript = kept.transcript.as_deref().map(Transcript::create).transpose()?;
    let progress = Progress::new(plan.record());
    let stop = stop_on_signal();
    let mut report = blocking::run(plan, &stop, |event| progress.show(event));
    let waited = proof.map(|mut proof| {
        progress.wait();
        wait(&mut report, &mut proof.sources, &proof.keys, proof.patience, &stop)
    });
    let listed = ask_lists(&mut report);
    progress.clear();
    // Each in its turn, whatever becomes of the others.
    let shown = show(&if kept.json { report.to_json() + "\n" } else { report.text() });
    let stored =
        store.map(|store| store.keep_report(&report).and_then(|_| store.count_messages(&report))).transpose();
    let written = transcript.map(|file| file.write(&report)).transpose();
    shown?;
    waited.transpose()?;
    stored?;
    written?;
    listed?;
    Ok(report.exit_code)
}

/// Ctrl-C, or a service manager's SIGTERM, ends the run politely and keeps what was learnt; a second one ends the program.
pub(crate) fn stop_on_signal() -> Stop {
    let stop = Stop::new();
    let handle = stop.clone();
    let mut stopped: Option<Instant> = None;
    let handler = move || match stopped {
        None => {
            stopped = Some(Instant::now());
            handle.stop();
        }
        Some(at) if at.elapsed() >= AT_ONCE => process::exit(INTERRUPTED),
        Some(_) => {}
    };
    // Without a handler Ctrl-C ends the program at once, as it does anywhere.
    let _installed = ctrlc::set_handler(handler);
    stop
}

/// The plan; with a store its run record is kept before anybody is asked.
pub(crate) fn plan(builder: PlanBuilder, address: IpAddr, store: Option<&Store>) -> Result<Plan, Failure> {
    let (today, seed) = (driver::now(), driver::seed());
    let Some(store) = store else { return Ok(builder.build(today, seed)?) };
    let slot = store.slot(address)?;
    let plan = builder.history(slot.history(today)).build(today, seed)?;
    slot.keep_run(plan.record(), MadeBy::Person)?;
    Ok(plan)
}

/// The file of `--transcript`.
struct Transcript<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Transcript<'a> {
    fn create(path: &'a Path) -> Result<Self, OutputError> {
        let file = File::create(path).map_err(|fault| Self::fault(path, fault))?;
        Ok(Self { path, file })
    }

    fn write(mut self, report: &Report) -> Result<(), OutputError> {
        self.file
            .write_all(report.transcript_text().as_bytes())
            .map_err(|fault| Self::fault(self.path, fault))
    }

    fn fault(path: &Path, fault: io::Error) -> OutputError {
        OutputError::File { path: path.into(), fault }
    }
}
