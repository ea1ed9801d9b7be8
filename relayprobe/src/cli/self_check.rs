//! `relayprobe self-check`: whether the tester's own names are in order.

use core::net::IpAddr;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use relayprobe::dns::blocking;
use relayprobe::lookup::{CheckState, ProbingText, SelfCheck, check_probing_text, probing_text};
use relayprobe::moment::Date;
use relayprobe::{Identity, driver};

use crate::cli::Failure;
use crate::cli::config::{Config, IdentityOptions};
use crate::cli::names::{NameOptions, NamesError};
use crate::cli::output::{OutputError, show, tell};
use crate::cli::read::read_text;
use crate::cli::resolve::json;
use crate::cli::values;
use crate::cli::web::{Authorities, LIMIT, fetch};

/// Days for which a new one is good (RFC 9116 §2.5.5 advises less than a year).
const GOOD: u64 = 360;
const DAY: u64 = 86_400;

/// See whether your own names are in order: HELO, reverse name, MX records, and the text of the probe URI
#[derive(Args, Debug)]
pub(crate) struct SelfCheckOptions {
    /// The address that tests, as the internet sees it; the addresses of the HELO name unless given
    #[arg(long, value_name = "ADDRESS", value_parser = values::address)]
    source: Option<IpAddr>,
    /// Look at this file instead of what stands at the probe URI
    #[arg(long, value_name = "FILE")]
    probing_txt: Option<PathBuf>,
    /// File of certificates in PEM: where the text stands, only who is vouched for by one of these authorities is believed;
    /// those that browsers believe unless given
    #[arg(long, value_name = "FILE", conflicts_with = "probing_txt")]
    ca_file: Option<PathBuf>,
    /// Write the text to put at the probe URI (RFC 9511), good for a year, and do nothing else; - for standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "probing_txt", "ca_file", "json", "dns"])]
    write_probing_txt: Option<PathBuf>,
    #[command(flatten)]
    identity: IdentityOptions,
    #[command(flatten)]
    names: NameOptions,
    /// TOML file with the tables [identity] and [dns]; options override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print what was found as JSON and nothing else
    #[arg(long)]
    json: bool,
}

pub(super) fn self_check(options: &SelfCheckOptions) -> Result<u8, Failure> {
    let config = Config::of_option(options.config.as_deref())?;
    let identity = options.identity.identity(&config)?;
    if let Some(path) = &options.write_probing_txt {
        let text = probing_text(&identity, Date::from_unix(driver::now().unix() + GOOD * DAY));
        write(path, &text)?;
        return Ok(0);
    }
    let resolver = options.names.resolver(&config)?;
    let text = options.probing_txt.as_deref().map(|path| read_text(path, LIMIT)).transpose();
    let text = text.map_err(Failure::Input)?;
    let authorities = options.ca_file.as_deref().map(Authorities::read).transpose()?.unwrap_or_default();
    let found = check(&identity, options.source, text.as_deref(), &authorities, &resolver)?;
    show(&if options.json {
        json(&found)
    } else {
        found.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n") + "\n"
    })?;
    Ok(match found.state() {
        CheckState::Right => 0,
        CheckState::Wrong => 1,
        _ => 3,
    })
}

/// Looks at the names of an identity, and at the text of its probe URI: the one that is given, else the one that stands
/// there on a server that `authorities` vouch for.
pub fn check(
    identity: &Identity,
    source: Option<IpAddr>,
    text: Option<&str>,
    authorities: &Authorities,
    resolver: &blocking::Resolver,
) -> Result<SelfCheck, NamesError> {
    let mut found = resolver.self_check(identity, source)?;
    let fetched = if text.is_some() { Ok(None) } else { fetch(identity.probe_uri.as_str(), authorities) };
    let text = match (text, &fetched) {
        (Some(text), _) => ProbingText::There(text),
        (None, Ok(Some(text))) => ProbingText::There(text),
        (None, Ok(None)) => ProbingText::Missing,
        (None, Err(fault)) => ProbingText::Unknown(fault),
    };
    found.findings.push(check_probing_text(identity, text, driver::now()));
    Ok(found)
}

fn write(path: &Path, text: &str) -> Result<(), OutputError> {
    if path == Path::new("-") {
        return show(text);
    }
    // Everybody may read it: that is what it is for.
    fs::write(path, text).map_err(|fault| OutputError::File { path: path.into(), fault })?;
    tell(format_args!("wrote {}; put it where the probe URI leads", path.display()));
    Ok(())
}
