//! `relayprobe sink`: the receiving server by itself.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use relayprobe::sink::{Mode, Sink, SinkOptions, Spool};

use crate::cli::Failure;
use crate::cli::config::{Config, IdentityOptions};
use crate::cli::desk::{Desk, Met};
use crate::cli::output::tell;
use crate::cli::proof::{ProofError, warn_of_contact};
use crate::cli::run::stop_on_signal;
use crate::cli::store::{Store, StoreError};
use crate::cli::values::{self, word};

/// How often what came before its report is offered again.
const AGAIN: Duration = Duration::from_secs(10);

/// Receive the mail of the probe domain, and judge stored reports anew by what comes
#[derive(Args, Debug)]
pub(crate) struct ListenOptions {
    /// Where to listen
    #[arg(value_name = "ADDR:PORT", value_parser = values::listening)]
    listen: SocketAddr,
    /// The store with keys, runs and reports; what comes is kept there
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// accept: take what comes; refuse: look at it and refuse it, so that nothing is delivered
    #[arg(long, value_name = "MODE", default_value = "accept",
        value_parser = word([("accept", Mode::Accept), ("refuse", Mode::Refuse)]))]
    sink_mode: Mode,
    /// Command of the shell to run when a verdict moves; its environment tells which
    #[arg(long, value_name = "COMMAND", value_parser = NonEmptyStringValueParser::new())]
    on_change: Option<String>,
    #[command(flatten)]
    identity: IdentityOptions,
    /// TOML file with the table [identity]; options override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn sink(options: &ListenOptions) -> Result<u8, Failure> {
    let config = Config::of_option(options.config.as_deref())?;
    let identity = options.identity.identity(&config)?;
    warn_of_contact(&identity);
    let store = Store::open(&options.store)?;
    let desk = Desk { store: &store, on_change: options.on_change.as_deref() };
    // Made now if there are none, and refused now if others can read them.
    store.keys()?;
    let spool = store.spool()?;
    let stop = stop_on_signal();
    let fault = |fault| ProofError::Listen { address: options.listen, fault };
    let listener = TcpListener::bind(options.listen).map_err(fault)?;
    let mut settings = SinkOptions::new(&identity);
    settings.mode = options.sink_mode;
    let (sender, arrivals) = mpsc::channel();
    let keeper = store.spool()?;
    let sink = Sink::start(listener, settings, move |arrival| {
        let path = keeper.keep(&arrival)?;
        // The program is ending; it is kept.
        drop(sender.send(path));
        Ok(())
    })
    .map_err(fault)?;
    tell(format_args!("listening on {} for {}", sink.address(), identity.probe_domain));
    // What an earlier program left, first.
    let mut told = BTreeSet::new();
    sort(&desk, &spool, &mut told);
    let mut last = Instant::now();
    while !stop.is_stopped() {
        match arrivals.recv_timeout(Duration::from_millis(100)) {
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) if last.elapsed() >= AGAIN => {}
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => break,
        }
        sort(&desk, &spool, &mut told);
        last = Instant::now();
    }
    let counts = sink.stop();
    tell(format_args!(
        "{} messages taken, {} refused, {} recipients named only, {} not ours",
        counts.taken, counts.refused, counts.hints, counts.not_ours
    ));
    Ok(0)
}

/// Hands everything new to the desk; what is settled is marked as read.
///
/// A report that is damaged, a disk that is full, a lock that is held: what cannot be settled now is offered again, and
/// stops neither the others nor the receiving server.
fn sort(desk: &Desk<'_>, spool: &Spool, told: &mut BTreeSet<String>) {
    let mut tell_once = |fault: String| {
        if told.insert(fault.clone()) {
            tell(format_args!("note: {fault}"));
        }
    };
    let arrivals = match spool.new_arrivals() {
        Ok(arrivals) => arrivals,
        Err(fault) => return tell_once(fault.to_string()),
    };
    for spooled in arrivals {
        let settled =
            spooled.map_err(StoreError::from).and_then(|spooled| match desk.take(&spooled.arrival)? {
                Met::Settled | Met::NotOurs => mark(spool, &spooled.path),
                Met::Early => Ok(()),
            });
        if let Err(fault) = settled {
            tell_once(fault.to_string());
        }
    }
}

pub(crate) fn mark(spool: &Spool, path: &Path) -> Result<(), StoreError> {
    let fault = |fault| StoreError::Write { path: path.into(), fault };
    spool.mark_read(path).map(drop).map_err(fault)
}
