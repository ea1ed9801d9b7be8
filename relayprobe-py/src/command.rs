//! `python -m relayprobe`.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command line and returns its exit status. The first argument is the name of the program.
#[pyfunction]
pub(crate) fn command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| relayprobe::cli::main(arguments))
}
