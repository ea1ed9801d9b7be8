//! The memory of all runs: the same directory that the command line keeps.

use std::path::PathBuf;

use pyo3::prelude::*;
use relayprobe::cli::store;

use crate::error::error;
use crate::keys::Keyring;
use crate::report::Report;

/// A directory with keys, run records, reports and what was done to each target.
#[pyclass(frozen, module = "relayprobe")]
pub(crate) struct Store {
    pub(crate) inner: store::Store,
}

#[pymethods]
impl Store {
    /// Opens a store, and makes it if it is missing.
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let opened = py.detach(|| store::Store::open(&path));
        opened.map(|inner| Self { inner }).map_err(|fault| store_error(py, &fault))
    }

    /// The keys; the first one is made now if there is none yet.
    fn keys(&self, py: Python<'_>) -> PyResult<Keyring> {
        let keys = py.detach(|| self.inner.keys());
        keys.map(|inner| Keyring { inner }).map_err(|fault| store_error(py, &fault))
    }

    /// Keeps a report in the place of an earlier one of the same run, and tells where.
    fn keep(&self, py: Python<'_>, report: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
        let inner = report.getattr("_inner")?;
        let report: &Report = inner.cast::<Report>()?.get();
        py.detach(|| self.inner.keep_report(&report.inner)).map_err(|fault| store_error(py, &fault))
    }

    /// Keeps the report of a run that has just ended. Messages that it could have sent and did not count as not sent.
    fn settle(&self, py: Python<'_>, report: &Report) -> PyResult<PathBuf> {
        let kept = py.detach(|| {
            let path = self.inner.keep_report(&report.inner)?;
            self.inner.count_messages(&report.inner).map(|()| path)
        });
        kept.map_err(|fault| store_error(py, &fault))
    }
}

pub(crate) fn store_error(py: Python<'_>, fault: &store::StoreError) -> PyErr {
    error(py, "StoreError", "store", fault, &[])
}
