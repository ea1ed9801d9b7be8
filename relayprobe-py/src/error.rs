//! What the caller did wrong, as the exceptions of `relayprobe._errors`.

use core::fmt::Display;
use core::str::FromStr;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use relayprobe::PlanError;
use relayprobe::address::ScopeError;

/// An exception of the package: its class, the word that names it, its message and its fields.
pub(crate) fn error(
    py: Python<'_>,
    class: &str,
    code: &str,
    message: &dyn Display,
    fields: &[(&str, String)],
) -> PyErr {
    let made = || -> PyResult<PyErr> {
        let named = PyDict::new(py);
        for (name, value) in fields {
            named.set_item(name, value)?;
        }
        let class = py.import("relayprobe._errors")?.getattr(class)?;
        Ok(PyErr::from_value(class.call1((message.to_string(), code, named))?))
    };
    made().unwrap_or_else(|fault| fault)
}

/// Reads one thing that the caller wrote.
pub(crate) fn parse<T: FromStr<Err: Display>>(py: Python<'_>, field: &str, text: &str) -> PyResult<T> {
    text.parse().map_err(|fault: T::Err| wrong(py, field, text, &fault))
}

/// One thing that the caller wrote is not what it should be.
pub(crate) fn wrong(py: Python<'_>, field: &str, value: &str, fault: &dyn Display) -> PyErr {
    let fields = [("field", field.to_owned()), ("value", value.to_owned())];
    error(py, "InputError", "input", &format_args!("{field}: {fault}"), &fields)
}

/// One of a few words.
pub(crate) fn word<T: Copy>(
    py: Python<'_>,
    field: &'static str,
    given: &str,
    all: &[(&'static str, T)],
) -> PyResult<T> {
    one_of(field, given, all).map_err(|wrong| wrong.raised(py))
}

/// The same where the interpreter is not at hand.
pub(crate) fn one_of<T: Copy>(
    field: &'static str,
    given: &str,
    all: &[(&'static str, T)],
) -> Result<T, Wrong> {
    all.iter().find(|(word, _)| *word == given).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|(word, _)| *word).collect();
        Wrong::new(field, given, &format_args!("{given:?} is none of {}", words.join(", ")))
    })
}

/// An [`InputError`](wrong) to be.
#[derive(Debug)]
pub(crate) struct Wrong {
    field: &'static str,
    value: String,
    message: String,
}

impl Wrong {
    pub(crate) fn new(field: &'static str, value: &str, fault: &dyn Display) -> Self {
        Self { field, value: value.to_owned(), message: fault.to_string() }
    }

    pub(crate) fn raised(&self, py: Python<'_>) -> PyErr {
        wrong(py, self.field, &self.value, &self.message)
    }
}

/// Why a plan could not be made.
pub(crate) fn plan_error(py: Python<'_>, fault: &PlanError) -> PyErr {
    let (code, fields): (&str, Vec<(&str, String)>) = match fault {
        PlanError::Address(ScopeError::Special { address, range }) => {
            ("special-address", vec![("address", address.to_string()), ("range", (*range).to_owned())])
        }
        PlanError::Address(ScopeError::Metadata { address }) => {
            ("metadata", vec![("address", address.to_string())])
        }
        PlanError::Address(ScopeError::NoHost { address, range }) => {
            ("no-host", vec![("address", address.to_string()), ("range", (*range).to_owned())])
        }
        PlanError::TargetIsSink { sink } => ("target-is-sink", vec![("sink", sink.to_string())]),
        PlanError::Retries { given } => ("retries", vec![("given", given.to_string())]),
        PlanError::Port { port } => ("port", vec![("port", port.to_string())]),
        PlanError::NeverTest { what } => ("never-test", vec![("what", what.clone())]),
        PlanError::OutOfScope { what, reference } => {
            ("out-of-scope", vec![("what", what.clone()), ("reference", reference.clone())])
        }
        PlanError::Ended { reference, until } => {
            ("ended", vec![("reference", reference.clone()), ("until", until.to_string())])
        }
        PlanError::TooSoon { last, due } => {
            ("too-soon", vec![("last", last.to_string()), ("due", due.to_string())])
        }
        PlanError::ManyRefusals { planned, today } => {
            ("many-refusals", vec![("planned", planned.to_string()), ("today", today.to_string())])
        }
        PlanError::NoCases => ("no-cases", Vec::new()),
        PlanError::ManyProbes { count } => ("many-probes", vec![("count", count.to_string())]),
        PlanError::ForeignCase { id } => ("foreign-case", vec![("id", id.clone())]),
        PlanError::SenderDomainIsTarget { domain } => {
            ("sender-domain-is-target", vec![("domain", domain.to_string())])
        }
        PlanError::ProbeUri { uri } => ("probe-uri", vec![("uri", uri.clone())]),
        PlanError::ProbeDomainIsNobodys { domain } => {
            ("probe-domain-is-nobodys", vec![("domain", domain.to_string())])
        }
        PlanError::ProbeDomainIsTarget { domain } => {
            ("probe-domain-is-target", vec![("domain", domain.to_string())])
        }
        PlanError::MailboxDomain { mailbox } => ("mailbox-domain", vec![("mailbox", mailbox.clone())]),
        PlanError::LureNotOurs { lure } => ("lure-not-ours", vec![("lure", lure.to_string())]),
        PlanError::Messages { given } => ("messages", vec![("given", given.to_string())]),
        PlanError::ManyMessages { planned, today } => {
            ("many-messages", vec![("planned", planned.to_string()), ("today", today.to_string())])
        }
        PlanError::LongMessage { length } => ("long-message", vec![("length", length.to_string())]),
        PlanError::Window { given } => ("window", vec![("given", given.to_string())]),
        PlanError::Connections { given } => ("connections", vec![("given", given.to_string())]),
        PlanError::Source { source_address, target } => {
            ("source", vec![("source", source_address.to_string()), ("target", target.to_string())])
        }
        _ => ("plan", Vec::new()),
    };
    error(py, "PlanError", code, fault, &fields)
}
