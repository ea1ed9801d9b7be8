//! Runs against many targets by the sweep of the tokio driver, in a thread that never needs the interpreter.

use core::net::IpAddr;
use core::time::Duration;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::prelude::*;
use relayprobe::Target;
use relayprobe::cli::files::room_for;
use relayprobe::cli::store::MadeBy;
use relayprobe::driver::Stop;
use relayprobe::driver::tokio::{Counts, Pace, Sweep, Swept};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc as feeding, oneshot};

use crate::error::wrong;
use crate::fork::Home;
use crate::plan::{Options, Planner, Refusal};
use crate::report::Report;
use crate::sink::lock;
use crate::store::{Store, store_error};
use crate::who::{Fields, target_of};

/// A sweep that is under way. Whoever takes its results feeds it with targets, so that neither runs away from the other.
#[pyclass(frozen, module = "relayprobe._core")]
pub(crate) struct Many {
    feed: Mutex<Option<feeding::Sender<Fed>>>,
    results: Mutex<Receiver<Told>>,
    counts: Arc<Mutex<Counts>>,
    stop: Stop,
    /// Dropped, it ends the sweep at once.
    alive: Mutex<Option<oneshot::Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    home: Home,
}

/// A target with the number that its caller knows it by.
struct Fed {
    number: u64,
    target: Target,
}

enum Told {
    Report(u64, Box<relayprobe::Report>),
    Refused(u64, Refusal),
    Repeated(u64),
}

/// What `next` found: the number of a target, and its report or why there is none.
type Found = (u64, Option<Report>, Option<Py<PyAny>>);

#[pymethods]
impl Many {
    /// Begins a sweep. `pace` is: runs at once, runs at once in a network, seconds between them, runs a second.
    #[new]
    fn new(
        py: Python<'_>,
        identity: &str,
        authorization: &str,
        options: Options,
        store: Option<&Store>,
        pace: (usize, usize, f64, u32),
    ) -> PyResult<Self> {
        let planner = Planner::new(py, identity, authorization, options, store)?;
        let (in_flight, per_network, pause, per_second) = pace;
        let network_pause = Duration::try_from_secs_f64(pause)
            .map_err(|fault| wrong(py, "network_pause", &pause.to_string(), &fault))?;
        let mut pace = Pace::default();
        pace.in_flight = room_for(in_flight.max(1));
        pace.per_network = per_network;
        pace.network_pause = network_pause;
        pace.per_second = per_second;
        pace.waiting = pace.in_flight.saturating_mul(4).max(1_024);
        let lock = planner.store.as_ref().map(relayprobe::cli::store::Store::begin_sweep).transpose();
        let lock = lock.map_err(|fault| store_error(py, &fault))?;
        let (feed, targets) = feeding::channel(pace.in_flight);
        let (tell, results) = mpsc::channel();
        let (alive, ended) = oneshot::channel();
        let (stop, counts) = (Stop::new(), Arc::default());
        let work = Work { planner, pace, stop: stop.clone(), counts: Arc::clone(&counts), tell };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(runtime_error)?;
        let begun = thread::Builder::new().name("relayprobe".into()).spawn(move || {
            // The store is this sweep's until it has ended.
            let _lock = lock;
            runtime.block_on(async {
                tokio::select! {
                    () = work.sweep(targets) => {}
                    _ = ended => {}
                }
            });
        });
        let thread = begun.map_err(runtime_error)?;
        Ok(Self {
            feed: Mutex::new(Some(feed)),
            results: Mutex::new(results),
            counts,
            stop,
            alive: Mutex::new(Some(alive)),
            thread: Mutex::new(Some(thread)),
            home: Home::here(),
        })
    }

    /// Hands a target over; whether there was room for it.
    fn feed(
        &self,
        py: Python<'_>,
        number: u64,
        address: IpAddr,
        port: u16,
        domains: Vec<String>,
        fields: Fields,
    ) -> PyResult<bool> {
        self.home.check(py, "sweep")?;
        let target = target_of(py, address, port, &domains, &fields)?;
        let feed = lock(&self.feed);
        let Some(feed) = feed.as_ref() else { return Ok(true) };
        Ok(!matches!(feed.try_send(Fed { number, target }), Err(TrySendError::Full(_))))
    }

    /// Whether there is room for a target.
    fn is_hungry(&self) -> bool {
        lock(&self.feed).as_ref().is_some_and(|feed| feed.capacity() > 0 && !feed.is_closed())
    }

    /// There are no more targets.
    fn end(&self) {
        drop(lock(&self.feed).take());
    }

    /// Ends the runs politely; what they found is told.
    fn stop(&self) {
        self.stop.stop();
    }

    /// What became of a target, after waiting at most `patience` seconds for it. Raises `StopIteration` when all is done.
    fn next(&self, py: Python<'_>, patience: f64) -> PyResult<Option<Found>> {
        self.home.check(py, "sweep")?;
        let patience = Duration::try_from_secs_f64(patience).unwrap_or_default();
        match py.detach(|| lock(&self.results).recv_timeout(patience)) {
            Ok(Told::Report(number, inner)) => Ok(Some((number, Some(Report { inner: *inner }), None))),
            Ok(Told::Refused(number, refusal)) => {
                Ok(Some((number, None, Some(refusal.raised(py).into_value(py).into_any()))))
            }
            Ok(Told::Repeated(number)) => Ok(Some((number, None, None))),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                self.close(py)?;
                Err(PyStopIteration::new_err(()))
            }
        }
    }

    /// Ends everything at once. After it the store is free for others.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.home.check(py, "sweep")?;
        drop(lock(&self.alive).take());
        let Some(thread) = lock(&self.thread).take() else { return Ok(()) };
        py.detach(|| thread.join()).map_err(|_| PyRuntimeError::new_err("the sweep has panicked"))
    }

    /// Targets taken, waiting, running; reports told, targets refused, targets repeated.
    fn counts(&self) -> (u64, usize, usize, u64, u64, u64) {
        let counts = *lock(&self.counts);
        (counts.taken, counts.waiting, counts.running, counts.reports, counts.refused, counts.repeated)
    }
}

fn runtime_error(fault: io::Error) -> PyErr {
    PyRuntimeError::new_err(format!("the sweep cannot begin: {fault}"))
}

struct Work {
    planner: Planner,
    pace: Pace,
    stop: Stop,
    counts: Arc<Mutex<Counts>>,
    tell: mpsc::Sender<Told>,
}

impl Work {
    async fn sweep(self, mut fed: feeding::Receiver<Fed>) {
        let Self { planner, pace, stop, counts, tell } = self;
        let store = planner.store.clone();
        let targets = move |context: &mut core::task::Context<'_>| {
            fed.poll_recv(context).map(|fed| fed.map(|fed| (fed.target.address, fed)))
        };
        let plan = |fed: &Fed| planner.plan(fed.target.clone(), None, MadeBy::Sweep);
        let mut sweep = Sweep::polled(targets, plan, pace, &stop);
        while let Some(swept) = sweep.next().await {
            *lock(&counts) = sweep.counts();
            let told = match swept {
                Swept::Report(fed, report) => match store.as_ref().map(|store| store.keep_report(&report)) {
                    Some(Err(fault)) => Told::Refused(fed.number, Refusal::Store(fault)),
                    Some(Ok(_)) | None => Told::Report(fed.number, report),
                },
                Swept::Refused(fed, refusal) => Told::Refused(fed.number, refusal),
                Swept::Repeated(fed) => Told::Repeated(fed.number),
                _ => continue,
            };
            if tell.send(told).is_err() {
                return;
            }
        }
        *lock(&counts) = sweep.counts();
    }
}
