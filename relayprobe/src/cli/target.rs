//! The server that the user names, and what is known of it.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};

use clap::Args;
use relayprobe::address::{Domain, Mailbox};
use relayprobe::{Target, dns};

use crate::cli::host::{Host, Place};
use crate::cli::output::tell;

/// Where mail servers listen for other mail servers.
const SMTP: u16 = 25;
/// What resolvers say of a name that does not exist or has no address. The standard library keeps nothing but the
/// text (`gai_strerror` of glibc, musl, macOS and the BSDs, and Windows).
const NO_SUCH_NAME: [&str; 7] = [
    "Name or service not known",
    "No address associated with",
    "Name does not resolve",
    "Name has no usable address",
    "nodename nor servname provided",
    "No such host is known",
    "no data of the requested type",
];

/// There is no address to test.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("the name {name} has no address ({fault}); check its spelling, or give the address itself")]
    NoAddress { name: Domain, fault: io::Error },
    #[error("the name {name} has no address that {from} can connect to: one is IPv4, the other IPv6")]
    OtherFamily { name: Domain, from: IpAddr },
    #[error(
        "{name} could not be looked up, and that is the resolver's fault: {fault}; give the address itself"
    )]
    Resolver { name: Domain, fault: io::Error },
    #[error("--other-address {other} must be of the other family than {address}: one IPv4, one IPv6")]
    OtherAddress { other: IpAddr, address: IpAddr },
    #[error(
        "the port stands both in the target and in --ports: name every port in --ports, the main one first"
    )]
    TwoPorts,
}

impl TargetError {
    /// Whether this machine is at fault, not what was asked for.
    pub(crate) const fn is_local(&self) -> bool {
        match self {
            Self::Resolver { .. } => true,
            Self::NoAddress { .. }
            | Self::OtherFamily { .. }
            | Self::OtherAddress { .. }
            | Self::TwoPorts => false,
        }
    }
}

/// What is tested.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The target")]
pub(crate) struct TargetOptions {
    /// Address or name of the server, IPv6 in brackets if a port follows; the port is 25 unless given
    #[arg(value_name = "HOST[:PORT]", help_heading = None, required_unless_present_any = ["targets", "mx"],
        conflicts_with = "targets")]
    pub(crate) host: Option<Host>,
    /// Ports to ask on, the main one first
    #[arg(long, value_name = "PORTS", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    ports: Vec<u16>,
    /// A mail domain of the target's own, the main one first; repeatable
    #[arg(long, value_name = "DOMAIN")]
    domain: Vec<Domain>,
    /// A real mailbox there that its operator named, for controls
    #[arg(long, value_name = "MAILBOX", conflicts_with = "targets")]
    mailbox: Option<Mailbox>,
    /// Reverse name of its address
    #[arg(long, value_name = "NAME", conflicts_with = "targets")]
    ptr: Option<Domain>,
    /// Domain of its internet provider
    #[arg(long, value_name = "DOMAIN")]
    provider_domain: Option<Domain>,
    /// What it called itself when it was last tested; another name now makes the verdict undetermined
    #[arg(long, value_name = "NAME", conflicts_with = "targets")]
    expect_host: Option<Domain>,
    /// Another address of the same host in the other family, for forms that hold it
    #[arg(long, value_name = "ADDRESS", conflicts_with = "targets")]
    other_address: Option<IpAddr>,
}

impl TargetOptions {
    /// The target, its name looked up once. `from` is the local address that must be able to reach it.
    pub(crate) fn target(&self, host: &Host, from: Option<IpAddr>) -> Result<Target, TargetError> {
        if host.port.is_some() && !self.ports.is_empty() {
            return Err(TargetError::TwoPorts);
        }
        let port = host.port.or(self.ports.first().copied()).unwrap_or(SMTP);
        let (address, name) = match &host.place {
            Place::Address(address) => (*address, None),
            Place::Name(name) => (look_up(name, port, from)?, Some(name.clone())),
        };
        if let Some(other) = self.other_address.filter(|other| other.is_ipv4() == address.is_ipv4()) {
            return Err(TargetError::OtherAddress { other, address });
        }
        let mut target = Target::new(address, port);
        target.name = name;
        target.domains.clone_from(&self.domain);
        target.mailbox.clone_from(&self.mailbox);
        target.reverse_name.clone_from(&self.ptr);
        target.other_address = self.other_address;
        target.expected_host.clone_from(&self.expect_host);
        target.provider_domain.clone_from(&self.provider_domain);
        Ok(target)
    }

    /// What the options say of a target that was found by its domain.
    pub(crate) fn complete(&self, target: &mut Target) {
        let further = self.domain.iter().filter(|domain| !target.domains.contains(domain)).cloned();
        let further: Vec<Domain> = further.collect();
        target.domains.extend(further);
        target.mailbox.clone_from(&self.mailbox);
        target.provider_domain.clone_from(&self.provider_domain);
    }

    /// The port to ask on first.
    pub(crate) fn port(&self) -> u16 {
        self.ports.first().copied().unwrap_or(SMTP)
    }

    /// The ports of `--ports`, if it was given.
    pub(crate) fn ports(&self) -> Option<&[u16]> {
        Some(&*self.ports).filter(|ports| !ports.is_empty())
    }
}

fn look_up(name: &Domain, port: u16, from: Option<IpAddr>) -> Result<IpAddr, TargetError> {
    // The name is whole: no search list may make another host of it, and only the file of hosts has short ones.
    let own = dns::hosts_file(name);
    let found = if own.is_empty() {
        (format!("{name}."), port).to_socket_addrs().map(|found| found.map(|found| found.ip()).collect())
    } else {
        Ok(own)
    };
    let found: Vec<IpAddr> = found.map_err(|fault| {
        let text = fault.to_string();
        let name = name.clone();
        if NO_SUCH_NAME.iter().any(|known| text.contains(known)) {
            TargetError::NoAddress { name, fault }
        } else {
            TargetError::Resolver { name, fault }
        }
    })?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    let reachable = |address: &&IpAddr| from.is_none_or(|from| from.is_ipv4() == address.is_ipv4());
    let chosen = match (addresses.iter().find(reachable), from) {
        (Some(&address), _) => address,
        (None, Some(from)) => return Err(TargetError::OtherFamily { name: name.clone(), from }),
        (None, None) => {
            return Err(TargetError::NoAddress { name: name.clone(), fault: io::ErrorKind::NotFound.into() });
        }
    };
    if addresses.len() > 1 {
        let others: Vec<String> =
            addresses.iter().filter(|&&address| address != chosen).map(ToString::to_string).collect();
        tell(format_args!(
            "note: {name} is tested at {chosen}; its other addresses are other targets: {}",
            others.join(", ")
        ));
    }
    Ok(chosen)
}
