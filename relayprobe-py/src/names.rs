//! Domains, lists and the tester's own names: asked on a thread of its own, while Python's signals are heeded.

use core::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use relayprobe::Identity;
use relayprobe::cli::config;
use relayprobe::cli::names::{NamesError, Server, addresses_of, resolver};
use relayprobe::cli::resolve::Resolved;
use relayprobe::cli::self_check::check;
use relayprobe::cli::web::Authorities;
use relayprobe::dns;
use relayprobe::lookup::List;

use crate::error::{error, parse, wrong};

/// How often signals are heeded.
const SLICE: Duration = Duration::from_millis(100);

/// Where the mail of a domain goes, as JSON.
#[pyfunction]
pub(crate) fn resolve(
    py: Python<'_>,
    domain: &str,
    provider: Vec<String>,
    servers: Vec<String>,
) -> PyResult<String> {
    let domain = dns::domain(domain).map_err(|fault| wrong(py, "domain", domain, &fault))?;
    let provider = provider.iter().map(|text| parse(py, "provider_networks", text));
    let provider = provider.collect::<PyResult<Vec<_>>>()?;
    let servers = sockets(py, &servers)?;
    let found = wait(py, move || Resolved::look_up(&domain, &provider, &resolver(&servers)?))?;
    found.map(|found| json(&found)).map_err(|fault| raised(py, &fault))
}

/// The addresses of a host, those to which this machine has a way first.
#[pyfunction]
pub(crate) fn addresses(py: Python<'_>, name: &str, servers: Vec<String>) -> PyResult<Vec<IpAddr>> {
    let name = dns::domain(name).map_err(|fault| wrong(py, "target", name, &fault))?;
    let servers = sockets(py, &servers)?;
    let found = wait(py, move || addresses_of(&name, &servers))?;
    found.map_err(|fault| raised(py, &fault))
}

/// What lists say of addresses, as JSON.
#[pyfunction]
pub(crate) fn listings(
    py: Python<'_>,
    lists: &str,
    addresses: Vec<IpAddr>,
    servers: Vec<String>,
) -> PyResult<String> {
    let lists: Vec<List> = serde_json::from_str(lists).map_err(|fault| wrong(py, "lists", "", &fault))?;
    let servers = sockets(py, &servers)?;
    let found = wait(py, move || Ok(resolver(&servers)?.listings(&lists, &addresses)?))?;
    found.map(|found| json(&found)).map_err(|fault| raised(py, &fault))
}

/// Whether the names of an identity are in order, as JSON.
#[pyfunction]
pub(crate) fn self_check(
    py: Python<'_>,
    identity: &str,
    source: Option<IpAddr>,
    text: Option<String>,
    authorities: Option<PathBuf>,
    servers: Vec<String>,
) -> PyResult<String> {
    let identity: Identity =
        serde_json::from_str(identity).map_err(|fault| wrong(py, "identity", "", &fault))?;
    let servers = sockets(py, &servers)?;
    let authorities = authorities.map(|path| {
        Authorities::read(&path).map_err(|fault| {
            error(py, "ConfigError", "ca-file", &fault, &[("path", path.display().to_string())])
        })
    });
    let authorities = authorities.transpose()?.unwrap_or_default();
    let ask = move || check(&identity, source, text.as_deref(), &authorities, &resolver(&servers)?);
    let found = wait(py, ask)?;
    found.map(|found| json(&found)).map_err(|fault| raised(py, &fault))
}

/// The lists of a configuration, as JSON.
#[pyfunction]
pub(crate) fn load_lists(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    py.detach(|| config::load_lists(&path)).map(|lists| json(&lists)).map_err(|fault| {
        let path = path.display().to_string();
        error(py, "ConfigError", "config", &fault, &[("path", path)])
    })
}

fn sockets(py: Python<'_>, servers: &[String]) -> PyResult<Vec<SocketAddr>> {
    servers.iter().map(|text| parse(py, "servers", text).map(|server: Server| server.0)).collect()
}

/// Waits for what a thread finds. Ctrl-C leaves the thread to its end, which is bounded.
fn wait<T: Send + 'static>(py: Python<'_>, ask: impl FnOnce() -> T + Send + 'static) -> PyResult<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(ask()));
    let receiver = Mutex::new(receiver);
    loop {
        let heard = py.detach(|| receiver.lock().ok().map(|receiver| receiver.recv_timeout(SLICE)));
        match heard {
            Some(Ok(found)) => return Ok(found),
            Some(Err(RecvTimeoutError::Timeout)) => py.check_signals()?,
            Some(Err(RecvTimeoutError::Disconnected)) | None => {
                let message = "the thread that asks has ended without an answer";
                return Err(error(py, "ResolverError", "lost", &message, &[]));
            }
        }
    }
}

fn raised(py: Python<'_>, fault: &NamesError) -> PyErr {
    match fault {
        NamesError::None { domain, .. } | NamesError::NoAddress { domain } => {
            error(py, "TargetError", "no-mail-hosts", fault, &[("name", domain.to_string())])
        }
        NamesError::NoHost { name, .. } => {
            error(py, "TargetError", "no-address", fault, &[("name", name.to_string())])
        }
        NamesError::Unknown { domain: name, .. } | NamesError::UnknownHost { name, .. } => {
            error(py, "ResolverError", "unknown", fault, &[("name", name.to_string())])
        }
        other => error(py, "ResolverError", "resolver", other, &[]),
    }
}

/// What was found has neither odd keys nor floats, so it can always be written.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
