//! Who is asked for names, and what the program needs of them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str::FromStr;
use std::net::UdpSocket;

use clap::Args;
use relayprobe::address::Network;
use relayprobe::dns::{self, ResolverError, blocking};
use relayprobe::lookup::{Fault, HostSearch, List, Listing, Search as _};
use relayprobe::{Report, address::Domain};
use serde::Deserialize;

use crate::cli::config::Config;

/// Where DNS servers listen.
const DNS: u16 = 53;

/// Who is asked for names.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Names")]
pub(crate) struct NameOptions {
    /// DNS server to ask, at most three; those of the configuration or of the system unless given
    #[arg(long, value_name = "ADDRESS[:PORT]")]
    dns: Vec<Server>,
}

/// `ADDRESS[:PORT]` of a DNS server.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Server(pub SocketAddr);

#[derive(Debug, thiserror::Error)]
#[error("\"{text}\" is no address of a DNS server like 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353")]
pub struct ServerError {
    text: String,
}

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, ServerError> {
        let alone = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, DNS));
        alone.or_else(|_| text.parse()).map(Self).map_err(|_| ServerError { text: text.into() })
    }
}

impl TryFrom<String> for Server {
    type Error = ServerError;

    fn try_from(text: String) -> Result<Self, ServerError> {
        text.parse()
    }
}

/// Names cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    #[error("{0}; name one with --dns ADDRESS")]
    Resolver(#[from] ResolverError),
    #[error("{domain} has no mail servers: {fault}")]
    None { domain: Domain, fault: Fault },
    #[error("where the mail of {domain} goes is not known, which says nothing about its servers: {fault}")]
    Unknown { domain: Domain, fault: Fault },
    #[error("{domain} has mail hosts and none of them has an address")]
    NoAddress { domain: Domain },
    #[error("the name {name} has no address ({fault}); check its spelling, or give the address itself")]
    NoHost { name: Domain, fault: Fault },
    #[error(
        "{name} could not be looked up, and that is the resolver's fault: {fault}; give the address itself"
    )]
    UnknownHost { name: Domain, fault: Fault },
    #[error("no block list is configured: name each in a table [[lists]] of --config FILE, with its zone")]
    NoLists,
    #[error("the configuration has no list {zone}")]
    NoList { zone: Domain },
}

impl NamesError {
    pub(crate) fn of_domain(domain: &Domain, fault: Fault) -> Self {
        let domain = domain.clone();
        if fault.is_certain() { Self::None { domain, fault } } else { Self::Unknown { domain, fault } }
    }

    fn of_host(name: &Domain, fault: Fault) -> Self {
        let name = name.clone();
        if fault.is_certain() { Self::NoHost { name, fault } } else { Self::UnknownHost { name, fault } }
    }

    /// Whether this machine is at fault, not what was asked for.
    pub const fn is_local(&self) -> bool {
        match self {
            Self::Resolver(_) | Self::Unknown { .. } | Self::UnknownHost { .. } => true,
            Self::None { .. }
            | Self::NoAddress { .. }
            | Self::NoHost { .. }
            | Self::NoLists
            | Self::NoList { .. } => false,
        }
    }
}

impl NameOptions {
    /// Servers that were named, here or in the configuration.
    pub(crate) fn servers(&self, config: &Config) -> Vec<SocketAddr> {
        let named = if self.dns.is_empty() { &config.dns.servers } else { &self.dns };
        named.iter().map(|server| server.0).collect()
    }

    pub(crate) fn resolver(&self, config: &Config) -> Result<blocking::Resolver, NamesError> {
        Ok(resolver(&self.servers(config))?)
    }
}

/// Asks the servers that are named; those of the system if none is.
pub fn resolver(servers: &[SocketAddr]) -> Result<blocking::Resolver, ResolverError> {
    if servers.is_empty() { blocking::Resolver::system() } else { blocking::Resolver::with_servers(servers) }
}

/// The addresses of a host, those to which this machine has a way first.
///
/// The name is whole: no search list may make another host of it. The file of hosts comes before the DNS, as it does
/// everywhere on a machine.
pub fn addresses_of(name: &Domain, servers: &[SocketAddr]) -> Result<Vec<IpAddr>, NamesError> {
    let mut found = dns::hosts_file(name);
    if found.is_empty() {
        let search = HostSearch::new(name);
        // For some names nobody is asked, so nobody need be there.
        let answer = if search.clone().poll_question().is_none() {
            search.into_found()
        } else {
            resolver(servers)?.host(name)
        };
        found = answer.map_err(|fault| NamesError::of_host(name, fault))?;
    }
    found.sort_by_key(|&address| !has_way_to(address));
    Ok(found)
}

/// Whether there is a route: many a machine has one family only. Nothing is sent.
fn has_way_to(address: IpAddr) -> bool {
    let any =
        if address.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((address, DNS))).is_ok()
}

/// Networks of the provider's mail servers: those of the options, else those of the configuration.
pub(crate) fn provider<'a>(given: &'a [Network], config: &'a Config) -> &'a [Network] {
    if given.is_empty() { &config.dns.provider_networks } else { given }
}

/// Asks the lists for all addresses of some reports, each once, and tells each report what is its own.
pub(crate) fn ask_lists<'a>(
    reports: impl IntoIterator<Item = &'a mut Report>,
    lists: &[List],
    resolver: &blocking::Resolver,
) -> Result<(), NamesError> {
    let mut reports: Vec<(Vec<IpAddr>, &mut Report)> =
        reports.into_iter().map(|report| (report.addresses(), report)).collect();
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in reports.iter().flat_map(|(own, _)| own) {
        if !addresses.contains(address) {
            addresses.push(*address);
        }
    }
    let found = resolver.listings(lists, &addresses)?;
    for (own, report) in &mut reports {
        let of_report = |listing: &&Listing| own.contains(&listing.address);
        report.listings = found.iter().filter(of_report).cloned().collect();
    }
    Ok(())
}
