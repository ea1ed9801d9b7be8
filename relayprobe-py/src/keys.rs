//! The keys of the tokens.

use std::path::PathBuf;

use pyo3::prelude::*;
use relayprobe::cli::keys;

use crate::error::error;

/// The keys that make and check tokens. They are never part of a plan, a report or a log.
#[pyclass(frozen, module = "relayprobe")]
pub(crate) struct Keyring {
    pub(crate) inner: relayprobe::Keyring,
}

#[pymethods]
impl Keyring {
    /// A keyring of one new key that nobody can guess.
    #[staticmethod]
    fn new(py: Python<'_>) -> PyResult<Self> {
        keys::fresh().map(|inner| Self { inner }).map_err(|fault| keyring_error(py, &fault))
    }

    /// Reads a keyring from its file, which only its owner may read.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let read = py.detach(|| keys::read(&path));
        read.map(|inner| Self { inner }).map_err(|fault| keyring_error(py, &fault))
    }

    /// Reads the form in which a keyring is kept.
    #[staticmethod]
    fn from_text(py: Python<'_>, text: &str) -> PyResult<Self> {
        let read = relayprobe::Keyring::from_text(text);
        read.map(|inner| Self { inner }).map_err(|fault| error(py, "KeyringError", "keyring", &fault, &[]))
    }

    /// The form in which a keyring is kept: a line a key. It is secret.
    fn to_text(&self) -> String {
        self.inner.to_text()
    }

    fn __repr__(&self) -> String {
        let ids: Vec<String> = self.inner.keys().map(|key| key.id().to_string()).collect();
        format!("<Keyring of keys {}>", ids.join(", "))
    }
}

pub(crate) fn keyring_error(py: Python<'_>, fault: &keys::KeysError) -> PyErr {
    error(py, "KeyringError", "keyring", fault, &[])
}
