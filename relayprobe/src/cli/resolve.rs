//! `relayprobe resolve` and `relayprobe listings`: what the DNS says, without asking a mail server.

use core::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use relayprobe::address::{Domain, Network, Scope};
use relayprobe::lookup::{InboundPath, List, ListAnswer, Listing, MailDomain, MailService, Reverse};
use relayprobe::{Report, dns, driver};
use serde::Serialize;

use crate::cli::Failure;
use crate::cli::config::Config;
use crate::cli::judge::{JudgeError, LIMIT};
use crate::cli::names::{NameOptions, NamesError, provider};
use crate::cli::output::show;
use crate::cli::read::read_text;
use crate::cli::values;
use crate::octets;

/// Show where the mail of a domain goes: its hosts, their addresses, and the names of these
#[derive(Args, Debug)]
pub(crate) struct ResolveOptions {
    /// The domain
    #[arg(value_name = "DOMAIN", value_parser = dns::domain)]
    domain: Domain,
    /// Network of the mail servers of its provider: tells whether a filter would cut its mail off; repeatable
    #[arg(long, value_name = "NETWORK")]
    provider_network: Vec<Network>,
    #[command(flatten)]
    names: NameOptions,
    /// TOML file with the table [dns]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print what was found as JSON and nothing else
    #[arg(long)]
    json: bool,
}

/// Where the mail of a domain goes.
#[derive(Debug, Serialize)]
pub struct Resolved {
    mail: MailDomain,
    #[serde(skip_serializing_if = "Option::is_none")]
    inbound: Option<InboundPath>,
    reverse: Vec<Reverse>,
}

pub(super) fn resolve(options: &ResolveOptions) -> Result<u8, Failure> {
    let config = Config::of_option(options.config.as_deref())?;
    let resolver = options.names.resolver(&config)?;
    let provider = provider(&options.provider_network, &config);
    let found = Resolved::look_up(&options.domain, provider, &resolver)?;
    show(&if options.json { json(&found) } else { found.text() })?;
    Ok(0)
}

impl Resolved {
    /// Looks up hosts, addresses, and the names of these.
    pub fn look_up(
        domain: &Domain,
        provider: &[Network],
        resolver: &dns::blocking::Resolver,
    ) -> Result<Self, NamesError> {
        let found = resolver.run(async |resolver: dns::Resolver| {
            let mail = resolver.mail_domain(domain, driver::seed() >> 11).await?;
            let addresses: Vec<IpAddr> = mail.targets(0).iter().map(|target| target.address).collect();
            let reverse = resolver.reverse_all(&addresses).await;
            Ok((mail, reverse))
        });
        let (mail, reverse) = found?.map_err(|fault| NamesError::of_domain(domain, fault))?;
        let inbound = if provider.is_empty() { None } else { mail.inbound_path(provider) };
        Ok(Self { mail, inbound, reverse })
    }

    fn text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        if self.mail.service == MailService::None {
            lines.push(format!("{} takes no mail (null MX)", self.mail.domain));
        }
        for host in &self.mail.hosts {
            lines.push(format!("{} {}", host.preference, host.name));
            lines.extend(host.addresses.iter().map(|address| format!("  {address}{}", self.about(*address))));
            lines.extend(host.faults.iter().map(|fault| format!("  {fault}")));
        }
        lines.extend(self.mail.notes.iter().map(|note| format!("note: {note}")));
        lines.extend(self.inbound.map(|inbound| format!("mail arrives: {}", inbound.as_str())));
        lines.join("\n") + "\n"
    }

    fn about(&self, address: IpAddr) -> String {
        let reverse = self.reverse.iter().find(|reverse| reverse.address == address);
        let name = reverse.and_then(Reverse::confirmed).map_or_else(
            || match reverse.and_then(|reverse| reverse.names.first()) {
                Some(name) => format!(", reverse name {} not confirmed", name.name),
                None => ", no reverse name".into(),
            },
            |name| format!(", {name}"),
        );
        let refused = Scope::Internet.check(address).err();
        name + &refused.map_or(String::new(), |refused| format!(": {refused}"))
    }
}

/// Ask block lists for addresses, or for the target of a report and the machines that handed its messages on
#[derive(Args, Debug)]
pub(crate) struct ListingsOptions {
    /// The addresses
    #[arg(value_name = "ADDRESS", value_parser = values::address, required_unless_present = "report")]
    addresses: Vec<IpAddr>,
    /// A report as --json or the store has written it; - for standard input
    #[arg(long, value_name = "REPORT")]
    report: Option<PathBuf>,
    /// Ask this list only; repeatable, all of the configuration unless given
    #[arg(long, value_name = "ZONE")]
    list: Vec<Domain>,
    #[command(flatten)]
    names: NameOptions,
    /// TOML file with a table [[lists]] for each list, and the table [dns]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print what was found as JSON and nothing else, a line for each list and address
    #[arg(long)]
    json: bool,
}

pub(super) fn listings(options: &ListingsOptions) -> Result<u8, Failure> {
    let config = Config::of_option(options.config.as_deref())?;
    let lists = chosen(&config.lists, &options.list)?;
    let mut addresses = options.addresses.clone();
    if let Some(path) = &options.report {
        let text = read_text(path, LIMIT).map_err(Failure::Input)?;
        let report =
            Report::from_json(&text).map_err(|fault| JudgeError::Report { path: path.clone(), fault })?;
        addresses.extend(report.addresses());
    }
    let found = options.names.resolver(&config)?.listings(&lists, &addresses).map_err(NamesError::from)?;
    let line = |listing: &Listing| if options.json { json(listing) } else { format!("{listing}\n") };
    show(&found.iter().map(line).collect::<String>())?;
    Ok(exit_code(&found))
}

/// 1 if an address is listed. 0 if none is, and each of them was looked for in a list that answered; else 3: a list that is
/// not asked says nothing.
fn exit_code(found: &[Listing]) -> u8 {
    let has = |is: fn(&ListAnswer) -> bool| found.iter().any(|listing| is(&listing.answer));
    let is_known = |asked: &Listing| {
        let mut own = found.iter().filter(|listing| listing.address == asked.address);
        own.any(|listing| listing.answer == ListAnswer::NotListed)
    };
    if has(|answer| matches!(answer, ListAnswer::Listed { .. })) {
        1
    } else if found.is_empty()
        || has(|answer| matches!(answer, ListAnswer::Unknown { .. }))
        || !found.iter().all(is_known)
    {
        3
    } else {
        0
    }
}

/// The lists of the configuration, or some of them.
fn chosen(all: &[List], zones: &[Domain]) -> Result<Vec<List>, NamesError> {
    if all.is_empty() {
        return Err(NamesError::NoLists);
    }
    if zones.is_empty() {
        return Ok(all.to_vec());
    }
    let find = |zone: &Domain| all.iter().find(|list| list.zone == *zone).cloned();
    zones.iter().map(|zone| find(zone).ok_or_else(|| NamesError::NoList { zone: zone.clone() })).collect()
}

/// One line of JSON.
pub(crate) fn json(value: &impl Serialize) -> String {
    octets::json(value) + "\n"
}
