//! `relayprobe init`: configuration, store and keys, and what to add to the zone.

use core::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use relayprobe::Identity;
use relayprobe::address::Domain;
use serde::Serialize;

use crate::cli::Failure;
use crate::cli::config::{Config, IdentityOptions};
use crate::cli::output::{show, tell};
use crate::cli::proof::warn_of_contact;
use crate::cli::store::Store;

/// Make configuration, store and keys, and print the lines to add to the zone
#[derive(Args, Debug)]
pub(crate) struct InitOptions {
    /// The store to make; one that is there keeps what it holds
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The configuration to write; one that is there is read and left alone
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Put a new key into use; the older ones still check what they made
    #[arg(long)]
    roll_key: bool,
    #[command(flatten)]
    identity: IdentityOptions,
}

/// The configuration cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the configuration {}: {fault}", path.display())]
pub(crate) struct InitError {
    path: PathBuf,
    fault: io::Error,
}

pub(crate) fn init(options: &InitOptions) -> Result<u8, Failure> {
    let config = if options.config.exists() { Config::read(&options.config)? } else { Config::default() };
    let identity = options.identity.identity(&config)?;
    let store = Store::open(&options.store)?;
    let keys = if options.roll_key { store.roll_keys()? } else { store.keys()? };
    store.spool()?;
    if options.config.exists() {
        tell(format_args!("{} is there and was left alone", options.config.display()));
    } else {
        write(&options.config, &toml(&identity))
            .map_err(|fault| InitError { path: options.config.clone(), fault })?;
        tell(format_args!("wrote {}", options.config.display()));
    }
    let key = keys.keys().last().map_or_else(String::new, |key| format!("{} of {}", key.id(), key.made()));
    tell(format_args!("the store is {}, its key in use {key}", options.store.display()));
    warn_of_contact(&identity);
    show(&zone(&identity))?;
    Ok(0)
}

/// A new file that only its owner can touch; an older one is never replaced.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The identity as its file holds it.
#[derive(Serialize)]
struct File<'a> {
    identity: Table<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Table<'a> {
    probe_domain: &'a str,
    organisation: &'a str,
    helo: &'a str,
    sender_domain: &'a str,
    contact: String,
    probe_uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sink_host: Option<&'a str>,
    sink_ip: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lure_mx: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lure_a: Option<&'a str>,
}

fn toml(identity: &Identity) -> String {
    let v4 = identity.sink_ipv4.map(|address| address.to_string());
    let v6 = identity.sink_ipv6.map(|address| address.to_string());
    let table = Table {
        probe_domain: identity.probe_domain.as_str(),
        organisation: identity.organisation.as_str(),
        helo: identity.helo.as_str(),
        sender_domain: identity.sender_domain.as_str(),
        contact: identity.contact.to_string(),
        probe_uri: identity.probe_uri.as_str(),
        sink_host: identity.sink_host.as_ref().map(Domain::as_str),
        lure_mx: identity.lure_mx.as_ref().map(Domain::as_str),
        lure_a: identity.lure_a.as_ref().map(Domain::as_str),
        sink_ip: v4.into_iter().chain(v6).collect(),
    };
    // Strings and a list of strings can always be written.
    let text = toml::to_string(&File { identity: table }).unwrap_or_default();
    format!(
        "# Who tests. Every option of the command line that is named here may be left out there.\n{text}\n\
         # By whose leave: put it here if it is always the same.\n# [authorization]\n\
         # kind = \"customer-contract\"\n# reference = \"K123\"\n"
    )
}

/// The records that make the probe domain ours, for the zone file (RFC 1035 §5).
fn zone(identity: &Identity) -> String {
    let host = identity.sink_host.clone();
    let name = host.as_ref().map_or_else(|| format!("mx.{}", identity.probe_domain), ToString::to_string);
    let mut text = String::from("; The mail of the probe domain comes to our receiving server alone.\n");
    let mut line = |owner: &str, record: &str| {
        // Writing to a string cannot fail.
        let _written = writeln!(text, "{owner}.\tIN\t{record}");
    };
    line(identity.probe_domain.as_str(), &format!("MX\t10 {name}."));
    if identity.has_second_domain() {
        line(identity.sender_domain.as_str(), &format!("MX\t10 {name}."));
    }
    match identity.sink_ipv4 {
        Some(address) => line(&name, &format!("A\t{address}")),
        None => line(&name, "A\t; the address of the receiving server (--sink-ip)"),
    }
    if let Some(address) = identity.sink_ipv6 {
        line(&name, &format!("AAAA\t{address}"));
    }
    if let Some(lure) = &identity.lure_mx {
        line(lure.as_str(), &format!("MX\t10 {name}."));
        line(lure.as_str(), "MX\t20 ; the host name of the server under test");
    }
    if let Some(lure) = &identity.lure_a {
        line(lure.as_str(), "A\t; the address of the server under test");
    }
    let _written = writeln!(
        text,
        "; {} must resolve to the address that tests, and that address back to it.",
        identity.helo
    );
    text
}
