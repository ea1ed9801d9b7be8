//! The server that the user names, and what is known of it.

use core::net::{IpAddr, SocketAddr};

use clap::Args;
use relayprobe::Target;
use relayprobe::address::{Domain, Mailbox};
use relayprobe::lookup::Fault;

use crate::cli::host::{Host, Place};
use crate::cli::names::{NamesError, addresses_of};
use crate::cli::output::tell;
use crate::cli::values;

/// Where mail servers listen for other mail servers.
const SMTP: u16 = 25;
/// There is no address to test.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error(transparent)]
    Names(#[from] NamesError),
    #[error("the name {name} has no address that {from} can connect to: one is IPv4, the other IPv6")]
    OtherFamily { name: Domain, from: IpAddr },
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
            Self::Names(fault) => fault.is_local(),
            Self::OtherFamily { .. } | Self::OtherAddress { .. } | Self::TwoPorts => false,
        }
    }
}

/// What is tested.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The target")]
pub(crate) struct TargetOptions {
    /// Address or name of the server, IPv6 in brackets if a port follows; the port is 25 unless given
    #[arg(value_name = "HOST[:PORT]", help_heading = None, conflicts_with = "targets")]
    pub(crate) host: Option<Host>,
    /// Ports to ask on, the main one first
    #[arg(long, value_name = "PORTS", value_delimiter = ',', value_parser = values::port)]
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
    #[arg(long, value_name = "ADDRESS", value_parser = values::address, conflicts_with = "targets")]
    other_address: Option<IpAddr>,
}

impl TargetOptions {
    /// The target, its name looked up once, of `servers` if there are any. `from` is the local address that must be able to
    /// reach it.
    pub(crate) fn target(
        &self,
        host: &Host,
        from: Option<IpAddr>,
        servers: &[SocketAddr],
    ) -> Result<Target, TargetError> {
        if host.port.is_some() && !self.ports.is_empty() {
            return Err(TargetError::TwoPorts);
        }
        let port = host.port.or(self.ports.first().copied()).unwrap_or(SMTP);
        let (address, name) = match &host.place {
            Place::Address(address) => (*address, None),
            Place::Name(name) => (look_up(name, from, servers)?, Some(name.clone())),
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

fn look_up(name: &Domain, from: Option<IpAddr>, servers: &[SocketAddr]) -> Result<IpAddr, TargetError> {
    let addresses = addresses_of(name, servers)?;
    let reachable = |address: &&IpAddr| from.is_none_or(|from| from.is_ipv4() == address.is_ipv4());
    let chosen = match (addresses.iter().find(reachable), from) {
        (Some(&address), _) => address,
        (None, Some(from)) => return Err(TargetError::OtherFamily { name: name.clone(), from }),
        (None, None) => return Err(NamesError::NoHost { name: name.clone(), fault: Fault::NoRecords }.into()),
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
