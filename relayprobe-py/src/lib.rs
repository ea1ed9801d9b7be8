//! The native part of the Python package `relayprobe`: types are converted here, and nothing is decided.
//!
//! Whatever takes long runs without the interpreter's lock. Nothing is global but the count of forks.
#![allow(clippy::needless_pass_by_value, reason = "Python hands its arguments over by value")]

mod command;
mod error;
mod fork;
mod keys;
mod many;
mod names;
mod plan;
mod receive;
mod report;
mod run;
mod session;
mod sink;
mod store;
mod who;

use pyo3::pymodule;

/// The native part of relayprobe.
#[pymodule(gil_used = true)]
mod _core {
    /// Version of the library.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    #[pymodule_export]
    use crate::command::command;
    #[pymodule_export]
    use crate::fork::{claim, forked};
    #[pymodule_export]
    use crate::keys::Keyring;
    #[pymodule_export]
    use crate::many::Many;
    #[pymodule_export]
    use crate::names::{addresses, listings, load_lists, resolve, self_check};
    #[pymodule_export]
    use crate::plan::{Plan, cases, plan};
    #[pymodule_export]
    use crate::receive::{Arrival, Waiting, classify};
    #[pymodule_export]
    use crate::report::Report;
    #[pymodule_export]
    use crate::run::{Stop, check_way_in, run};
    #[pymodule_export]
    use crate::session::{Event, Output, Session, loss};
    #[pymodule_export]
    use crate::sink::{Arrivals, Sink};
    #[pymodule_export]
    use crate::store::Store;
    #[pymodule_export]
    use crate::who::{authorization, host, identity, load, target};
}
