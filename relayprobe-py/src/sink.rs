//! The receiving server of the probe domain.

use core::net::{IpAddr, SocketAddr};
use std::collections::VecDeque;
use std::mem;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use relayprobe::receipt;
use relayprobe::sink::{self, Mode, SinkOptions, Spool};

use crate::error::{error, word, wrong};
use crate::fork::Home;
use crate::receive::Arrival;

/// Arrivals that are kept for whoever asks later.
const BACKLOG: usize = 10_000;

/// A running receiving server.
#[pyclass(frozen, module = "relayprobe._core")]
pub(crate) struct Sink {
    inner: Mutex<Option<sink::Sink>>,
    address: SocketAddr,
    hub: Arc<Hub>,
    home: Home,
}

/// Who is told of arrivals.
#[derive(Default)]
struct Hub {
    subscribers: Mutex<Vec<Sender<receipt::Arrival>>>,
    backlog: Mutex<VecDeque<receipt::Arrival>>,
}

/// What arrives from now on.
#[pyclass(frozen, module = "relayprobe._core")]
pub(crate) struct Arrivals(Mutex<Receiver<receipt::Arrival>>);

impl Arrivals {
    pub(crate) fn drain(&self) -> Vec<receipt::Arrival> {
        lock(&self.0).try_iter().collect()
    }
}

#[pymethods]
impl Sink {
    /// Listens, and serves in threads of its own.
    #[new]
    fn new(
        py: Python<'_>,
        identity: &str,
        address: IpAddr,
        port: u16,
        mode: &str,
        spool: Option<PathBuf>,
    ) -> PyResult<Self> {
        let identity = serde_json::from_str(identity).map_err(|fault| wrong(py, "identity", "", &fault))?;
        let mut options = SinkOptions::new(&identity);
        options.mode = word(py, "mode", mode, &[("accept", Mode::Accept), ("refuse", Mode::Refuse)])?;
        let spool = spool.map(|path| Spool::open(&path)).transpose();
        let spool = spool.map_err(|fault| error(py, "SourceError", "spool", &fault, &[]))?;
        let hub = Arc::new(Hub::default());
        let told = Arc::clone(&hub);
        let on_arrival = move |arrival: receipt::Arrival| {
            if let Some(spool) = &spool {
                spool.keep(&arrival)?;
            }
            told.tell(&arrival);
            Ok(())
        };
        let listening = SocketAddr::new(address, port);
        let started = py.detach(|| {
            TcpListener::bind(listening).and_then(|socket| sink::Sink::start(socket, options, on_arrival))
        });
        let inner = started.map_err(|fault| {
            let message = format!("cannot listen on {listening}: {fault}");
            error(py, "SourceError", "listen", &message, &[("address", listening.to_string())])
        })?;
        let address = inner.address();
        Ok(Self { inner: Mutex::new(Some(inner)), address, hub, home: Home::here() })
    }

    /// Where it listens.
    #[getter]
    fn address(&self) -> (IpAddr, u16) {
        (self.address.ip(), self.address.port())
    }

    /// What has come that nobody has asked for yet, up to ten thousand arrivals.
    fn drain(&self, py: Python<'_>) -> PyResult<Vec<Arrival>> {
        self.home.check(py, "sink")?;
        Ok(lock(&self.hub.backlog).drain(..).map(|inner| Arrival { inner }).collect())
    }

    /// Everything that comes from now on.
    pub(crate) fn subscribe(&self, py: Python<'_>) -> PyResult<Arrivals> {
        self.home.check(py, "sink")?;
        let (sender, arrivals) = channel();
        lock(&self.hub.subscribers).push(sender);
        Ok(Arrivals(Mutex::new(arrivals)))
    }

    /// Messages taken, refused, recipients named only, and what was not ours.
    fn counts(&self, py: Python<'_>) -> PyResult<Option<(u64, u64, u64, u64)>> {
        self.home.check(py, "sink")?;
        let counts = lock(&self.inner).as_ref().map(sink::Sink::counts);
        Ok(counts.map(|counts| (counts.taken, counts.refused, counts.hints, counts.not_ours)))
    }

    /// Ends all connections, with a word to their clients.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        self.home.check(py, "sink")?;
        let sink = lock(&self.inner).take();
        if let Some(sink) = sink {
            py.detach(|| sink.stop());
        }
        Ok(())
    }
}

impl Hub {
    fn tell(&self, arrival: &receipt::Arrival) {
        lock(&self.subscribers).retain(|subscriber| subscriber.send(arrival.clone()).is_ok());
        let mut backlog = lock(&self.backlog);
        if backlog.len() >= BACKLOG {
            backlog.pop_front();
        }
        backlog.push_back(arrival.clone());
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let sink = lock(&self.inner).take();
        // After a fork its threads are the parent's: there is nobody to wait for.
        if !self.home.is_here() {
            mem::forget(sink);
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic left here is still a list.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
