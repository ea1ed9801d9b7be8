//! Who tests, by whose leave, and what: texts are read here once, and come back as JSON in the form of a report.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use core::fmt::Display;
use core::str::FromStr;

use pyo3::prelude::*;
use relayprobe::address::Domain;
use relayprobe::cli::config;
use relayprobe::cli::host::{Host, Place};
use relayprobe::identity::AuthorizationKind;
use relayprobe::{Authorization, Identity, Target};

use crate::error::{error, parse, word};

pub(crate) type Fields = BTreeMap<String, String>;

/// An identity: what was given, and what follows from the probe domain.
#[pyfunction]
pub(crate) fn identity(py: Python<'_>, fields: Fields) -> PyResult<String> {
    let probe_domain = fields.get("probe_domain").map_or("", String::as_str);
    let mut identity = Identity::new(parse(py, "probe_domain", probe_domain)?);
    set(py, &fields, "organisation", &mut identity.organisation)?;
    set(py, &fields, "helo", &mut identity.helo)?;
    set(py, &fields, "sender_domain", &mut identity.sender_domain)?;
    set(py, &fields, "contact", &mut identity.contact)?;
    set(py, &fields, "probe_uri", &mut identity.probe_uri)?;
    identity.sink_host = optional(py, &fields, "sink_host")?;
    identity.sink_ipv4 = optional(py, &fields, "sink_ipv4")?;
    identity.sink_ipv6 = optional(py, &fields, "sink_ipv6")?;
    identity.lure_mx = optional(py, &fields, "lure_mx")?;
    identity.lure_a = optional(py, &fields, "lure_a")?;
    Ok(json(&identity))
}

/// An authorization from its parts.
#[pyfunction]
pub(crate) fn authorization(
    py: Python<'_>,
    kind: &str,
    reference: &str,
    networks: Vec<String>,
    domains: Vec<String>,
    until: Option<&str>,
) -> PyResult<String> {
    let kinds = AuthorizationKind::ALL.map(|kind| (kind.as_str(), kind));
    let kind = word(py, "kind", kind, &kinds)?;
    let mut leave = Authorization::new(kind, parse(py, "reference", reference)?);
    leave.networks = each(py, "networks", &networks)?;
    leave.domains = each(py, "domains", &domains)?;
    leave.until = until.map(|text| parse(py, "until", text)).transpose()?;
    Ok(json(&leave))
}

/// A target whose address is known.
#[pyfunction]
pub(crate) fn target(
    py: Python<'_>,
    address: IpAddr,
    port: u16,
    domains: Vec<String>,
    fields: Fields,
) -> PyResult<String> {
    Ok(json(&target_of(py, address, port, &domains, &fields)?))
}

/// The same as a value.
pub(crate) fn target_of(
    py: Python<'_>,
    address: IpAddr,
    port: u16,
    domains: &[String],
    fields: &Fields,
) -> PyResult<Target> {
    let mut target = Target::new(address, port);
    target.domains = each(py, "domains", domains)?;
    target.name = optional(py, fields, "name")?;
    target.mailbox = optional(py, fields, "mailbox")?;
    target.reverse_name = optional(py, fields, "reverse_name")?;
    target.other_address = optional(py, fields, "other_address")?;
    target.expected_host = optional(py, fields, "expected_host")?;
    target.provider_domain = optional(py, fields, "provider_domain")?;
    target.mail_host = optional(py, fields, "mail_host")?;
    Ok(target)
}

/// `HOST[:PORT]`: its address or its name, and its port.
#[pyfunction]
pub(crate) fn host(py: Python<'_>, text: &str) -> PyResult<(Option<IpAddr>, Option<String>, Option<u16>)> {
    let host: Host = parse(py, "target", text)?;
    Ok(match host.place {
        Place::Address(address) => (Some(address), None, host.port),
        Place::Name(name) => (None, Some(Domain::to_string(&name)), host.port),
    })
}

/// Identity and authorization of a configuration, as far as they are there.
#[pyfunction]
pub(crate) fn load(py: Python<'_>, path: PathBuf) -> PyResult<(Option<String>, Option<String>)> {
    match py.detach(|| config::load(&path)) {
        Ok((identity, leave)) => Ok((identity.as_ref().map(json), leave.as_ref().map(json))),
        Err(fault) => {
            let path = path.display().to_string();
            Err(error(py, "ConfigError", "config", &fault, &[("path", path)]))
        }
    }
}

/// What is given here has neither odd keys nor floats, so it can always be written.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn optional<T: FromStr<Err: Display>>(py: Python<'_>, fields: &Fields, name: &str) -> PyResult<Option<T>> {
    fields.get(name).map(|text| parse(py, name, text)).transpose()
}

fn set<T: FromStr<Err: Display>>(py: Python<'_>, fields: &Fields, name: &str, to: &mut T) -> PyResult<()> {
    if let Some(value) = optional(py, fields, name)? {
        *to = value;
    }
    Ok(())
}

fn each<T: FromStr<Err: Display>>(py: Python<'_>, name: &str, texts: &[String]) -> PyResult<Vec<T>> {
    texts.iter().map(|text| parse(py, name, text)).collect()
}
