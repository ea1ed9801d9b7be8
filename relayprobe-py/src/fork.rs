//! A handle belongs to the process that made it: sockets and threads do not survive a fork whole. And the module belongs
//! to one interpreter of it.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

use crate::error::error;

static FORKS: AtomicU64 = AtomicU64::new(0);

/// Tells this module that it runs in a child now. The package has Python call it after each fork.
#[pyfunction]
pub(crate) fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// The interpreter that imported this module, by the address of its table of modules.
static OWNER: AtomicUsize = AtomicUsize::new(0);

/// Claims this module for an interpreter. Classes and exceptions of one must not reach another.
#[pyfunction]
pub(crate) fn claim(interpreter: usize) -> PyResult<()> {
    match OWNER.compare_exchange(0, interpreter, Ordering::Relaxed, Ordering::Relaxed) {
        Err(owner) if owner != interpreter => Err(PyImportError::new_err(
            "relayprobe is imported in another interpreter of this process: use processes or threads instead",
        )),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The process that a handle was made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home(u64);

impl Home {
    pub(crate) fn here() -> Self {
        Self(FORKS.load(Ordering::Relaxed))
    }

    pub(crate) fn is_here(self) -> bool {
        self == Self::here()
    }

    /// An error in a child of the process that the handle belongs to.
    pub(crate) fn check(self, py: Python<'_>, what: &str) -> PyResult<()> {
        if self.is_here() {
            return Ok(());
        }
        let message =
            format!("this {what} was made before a fork, in the parent process: make one in each process");
        Err(error(py, "ForkError", "fork", &message, &[("what", what.to_owned())]))
    }
}
