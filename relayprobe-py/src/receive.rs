//! What comes back: arrivals, what they are, and the wait for them.

use core::net::IpAddr;
use core::time::Duration;
use std::path::PathBuf;
use std::sync::Mutex;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use relayprobe::cli::sources::{SourceError, Sources};
use relayprobe::cli::wait::{self, Next, Patience};
use relayprobe::driver::{self, Stop};
use relayprobe::moment::Date;
use relayprobe::octets::Octets;
use relayprobe::plan::RunRecord;
use relayprobe::receipt::{self, Classified, Handover};

use crate::error::{error, wrong};
use crate::keys::Keyring;
use crate::report::Report;
use crate::sink::{Arrivals, lock};
use crate::store::Store;

/// Something that arrived at our receiving server, before anybody knows what it is.
#[pyclass(frozen, eq, module = "relayprobe")]
#[derive(PartialEq)]
pub(crate) struct Arrival {
    pub(crate) inner: receipt::Arrival,
}

#[pymethods]
impl Arrival {
    /// When, in seconds since 1970.
    #[getter]
    fn unix(&self) -> u64 {
        self.inner.at.unix()
    }

    /// How far the handover went: `recipient`, `interrupted`, `refused` or `taken`.
    #[getter]
    fn handover(&self) -> &'static str {
        match self.inner.handover {
            Handover::Recipient => "recipient",
            Handover::Interrupted => "interrupted",
            Handover::Refused => "refused",
            Handover::Taken => "taken",
            _ => "other",
        }
    }

    /// Who handed it over.
    #[getter]
    fn peer(&self) -> Option<IpAddr> {
        self.inner.envelope.as_ref()?.peer
    }

    /// The sender, without brackets.
    #[getter]
    fn sender<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.inner.envelope.as_ref().map(|envelope| PyBytes::new(py, envelope.sender.as_bytes()))
    }

    /// The recipients, without brackets.
    #[getter]
    fn recipients<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let envelope = self.inner.envelope.iter();
        envelope
            .flat_map(|envelope| &envelope.recipients)
            .map(|recipient| PyBytes::new(py, recipient.address.as_bytes()))
            .collect()
    }

    /// The message as far as it came.
    #[getter]
    fn message<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.inner.message.as_bytes())
    }

    fn __repr__(&self) -> String {
        let octets = Octets::as_bytes(&self.inner.message).len();
        format!("<Arrival at {}: {}, {octets} octets>", self.inner.at, self.handover())
    }
}

/// Says what an arrival or a message is, to each probe whose token it carries: a word, and the receipt as JSON or the name of
/// a run.
///
/// `runs` finds a report by the name of its run.
#[pyfunction]
pub(crate) fn classify(
    py: Python<'_>,
    what: &Bound<'_, PyAny>,
    keys: &Keyring,
    runs: &Bound<'_, PyAny>,
    at: Option<u64>,
) -> PyResult<Vec<(&'static str, Option<String>)>> {
    let arrival = arrival(what, at)?;
    let failed = Mutex::new(None);
    let runs = runs.clone().unbind();
    // Reading the message needs no lock; looking a run up does.
    let found = py.detach(|| {
        let find = |run: &str| -> Option<RunRecord> {
            Python::attach(|py| match find(runs.bind(py), run) {
                Ok(record) => record,
                Err(raised) => {
                    failed.lock().ok()?.get_or_insert(raised);
                    None
                }
            })
        };
        receipt::classify_each(&arrival, &keys.inner, &find)
    });
    if let Some(raised) = failed.into_inner().ok().flatten() {
        return Err(raised);
    }
    let shown = |classified| match classified {
        Classified::Receipt(receipt) => {
            ("receipt", Some(serde_json::to_string(&receipt).unwrap_or_default()))
        }
        Classified::UnknownRun { run } => ("unknown-run", Some(run)),
        Classified::Forged { run } => ("forged", Some(run)),
        _ => ("not-ours", None),
    };
    Ok(found.into_iter().map(shown).collect())
}

fn find(runs: &Bound<'_, PyAny>, run: &str) -> PyResult<Option<RunRecord>> {
    let report: Option<Bound<'_, Report>> = runs.call1((run,))?.extract()?;
    Ok(report.map(|report| report.get().inner.run.clone()))
}

fn arrival(what: &Bound<'_, PyAny>, at: Option<u64>) -> PyResult<receipt::Arrival> {
    if let Ok(arrival) = what.cast::<Arrival>() {
        return Ok(arrival.get().inner.clone());
    }
    let octets: &[u8] = what
        .extract()
        .map_err(|_| PyTypeError::new_err("a message is bytes as it was received, or an Arrival"))?;
    let at = at.map_or_else(driver::now, Date::from_unix);
    Ok(receipt::Arrival::from_message(octets, at))
}

/// A wait for what comes back to a run.
#[pyclass(module = "relayprobe._core")]
pub(crate) struct Waiting {
    inner: wait::Waiting,
    report: relayprobe::Report,
    keys: relayprobe::Keyring,
    sources: Mutex<Sources>,
    arrivals: Vec<Py<Arrivals>>,
    stop: Stop,
}

#[pymethods]
impl Waiting {
    #[new]
    fn new(
        py: Python<'_>,
        report: &Report,
        keys: &Keyring,
        patience: Option<f64>,
        mailboxes: Vec<PathBuf>,
        store: Option<&Store>,
        arrivals: Vec<Py<Arrivals>>,
    ) -> PyResult<Self> {
        let patience = match patience.map(Duration::try_from_secs_f64).transpose() {
            Ok(span) => span.map_or(Patience::Usual, Patience::For),
            Err(fault) => return Err(wrong(py, "wait", "", &fault)),
        };
        let mut sources = Sources::default();
        for mailbox in &mailboxes {
            sources.watch(mailbox).map_err(|fault| source_error(py, &fault))?;
        }
        if let Some(store) = store {
            let spool = store.inner.spool();
            sources.follow(spool.map_err(|fault| crate::store::store_error(py, &fault))?);
        }
        Ok(Self {
            inner: wait::Waiting::new(patience),
            report: report.inner.clone(),
            keys: keys.inner.clone(),
            sources: Mutex::new(sources),
            arrivals,
            stop: Stop::new(),
        })
    }

    /// Takes in what has arrived, and says what is to be done: `arrivals`, `way-in` or `nothing`.
    fn step(&mut self, py: Python<'_>) -> PyResult<&'static str> {
        let mut arrivals: Vec<receipt::Arrival> = Vec::new();
        for channel in &self.arrivals {
            arrivals.extend(channel.get().drain());
        }
        let next = py.detach(|| {
            arrivals.extend(lock(&self.sources).next(Duration::ZERO)?);
            Ok(self.inner.take(&mut self.report, &arrivals, &self.keys, &self.stop))
        });
        let next = next.map_err(|fault| source_error(py, &fault))?;
        Ok(match next {
            Next::Arrivals => "arrivals",
            Next::WayIn => "way-in",
            Next::Nothing => "nothing",
        })
    }

    /// Ends the wait with the next step.
    fn stop(&self) {
        self.stop.stop();
    }

    /// The report with what has come so far.
    #[getter]
    fn report(&self) -> Report {
        Report { inner: self.report.clone() }
    }

    /// The same report, with a later look at our own receiving server.
    #[setter]
    fn set_report(&mut self, report: &Report) {
        self.report = report.inner.clone();
    }

    /// What is wrong with the sources, since this was last asked.
    fn notes(&self) -> Vec<String> {
        lock(&self.sources).notes()
    }

    /// Runs whose tokens came that no key here has made, since this was last asked.
    fn forged(&mut self) -> Vec<String> {
        self.inner.forged()
    }
}

fn source_error(py: Python<'_>, fault: &SourceError) -> PyErr {
    error(py, "SourceError", "source", fault, &[])
}
