//! A report: values for the asking, and the JSON that Rust writes.

use pyo3::prelude::*;
use relayprobe::moment::Date;
use relayprobe::report::{ReceiptError, ReportError};

use crate::error::{error, wrong};

/// What a run found, with all its evidence.
#[pyclass(frozen, eq, module = "relayprobe._core")]
#[derive(PartialEq)]
pub(crate) struct Report {
    pub(crate) inner: relayprobe::Report,
}

#[pymethods]
impl Report {
    /// Reads a stored report and judges it anew.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        let read = py.detach(|| relayprobe::Report::from_json(text));
        read.map(|inner| Self { inner }).map_err(|fault| {
            let code = if matches!(fault, ReportError::Newer { .. }) { "newer" } else { "json" };
            error(py, "ReportError", code, &fault, &[])
        })
    }

    /// The JSON form, on one line.
    fn to_json(&self, py: Python<'_>) -> String {
        py.detach(|| self.inner.to_json())
    }

    /// The report as a person reads it.
    fn text(&self, py: Python<'_>) -> String {
        py.detach(|| self.inner.text())
    }

    /// The dialogue as a person reads it.
    fn transcript(&self, py: Python<'_>) -> String {
        py.detach(|| self.inner.transcript_text())
    }

    /// A report that has this receipt too.
    fn add(&self, py: Python<'_>, receipt: &str) -> PyResult<Self> {
        let receipt = serde_json::from_str(receipt).map_err(|fault| wrong(py, "receipt", "", &fault))?;
        let mut later = self.inner.clone();
        match py.detach(|| later.add(receipt)) {
            Ok(_) => Ok(Self { inner: later }),
            Err(fault) => {
                let code = match fault {
                    ReceiptError::OtherRun { .. } => "other-run",
                    ReceiptError::NoProbe { .. } => "no-probe",
                    _ => "receipt",
                };
                Err(error(py, "ReceiptError", code, &fault, &[("run", self.inner.run.run.clone())]))
            }
        }
    }

    /// The same evidence, judged as of a later second.
    fn judge(&self, py: Python<'_>, as_of: u64) -> Self {
        let mut later = self.inner.clone();
        py.detach(|| later.judge(Date::from_unix(as_of)));
        Self { inner: later }
    }

    /// The same without the names of people.
    fn redacted(&self, py: Python<'_>) -> Self {
        Self { inner: py.detach(|| self.inner.redacted()) }
    }

    /// A report that has what lists say of its addresses.
    fn with_listings(&self, py: Python<'_>, listings: &str) -> PyResult<Self> {
        let mut later = self.inner.clone();
        later.listings = serde_json::from_str(listings).map_err(|fault| wrong(py, "listings", "", &fault))?;
        Ok(Self { inner: later })
    }

    #[getter]
    fn addresses(&self) -> Vec<core::net::IpAddr> {
        self.inner.addresses()
    }

    #[getter]
    fn messages(&self) -> u32 {
        self.inner.messages()
    }

    #[getter]
    fn verdict(&self) -> &'static str {
        self.inner.verdict.as_str()
    }

    #[getter]
    fn exit_code(&self) -> u8 {
        self.inner.exit_code
    }

    #[getter]
    fn how(&self) -> Option<&'static str> {
        self.inner.how.map(relayprobe::verdict::How::as_str)
    }

    #[getter]
    fn settled(&self) -> bool {
        self.inner.settled
    }

    #[getter]
    fn as_of(&self) -> u64 {
        self.inner.as_of.unix()
    }

    #[getter]
    fn pending_until(&self) -> Option<u64> {
        self.inner.pending_until.map(Date::unix)
    }

    #[getter]
    fn run(&self) -> &str {
        &self.inner.run.run
    }

    #[getter]
    fn address(&self) -> core::net::IpAddr {
        self.inner.run.target.address
    }

    #[getter]
    fn port(&self) -> u16 {
        self.inner.run.target.port
    }
}
