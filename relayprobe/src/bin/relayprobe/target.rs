//! The server that the user names, and what is known of it.

use core::str::FromStr;
use std::io;
use std::net::{IpAddr, Ipv6Addr, ToSocketAddrs};

use clap::Args;
use relayprobe::Target;
use relayprobe::address::{AddressError, Domain, Mailbox};

use crate::output::tell;

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
#[derive(Args, Debug)]
#[command(next_help_heading = "The target")]
pub(crate) struct TargetOptions {
    /// Address or name of the server, IPv6 in brackets if a port follows; the port is 25 unless given
    #[arg(value_name = "HOST[:PORT]", help_heading = None)]
    host: Host,
    /// Ports to ask on, the main one first
    #[arg(long, value_name = "PORTS", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    ports: Vec<u16>,
    /// A mail domain of the target's own, the main one first; repeatable
    #[arg(long, value_name = "DOMAIN")]
    domain: Vec<Domain>,
    /// A real mailbox there that its operator named, for controls
    #[arg(long, value_name = "MAILBOX")]
    mailbox: Option<Mailbox>,
    /// Reverse name of its address
    #[arg(long, value_name = "NAME")]
    ptr: Option<Domain>,
    /// Domain of its internet provider
    #[arg(long, value_name = "DOMAIN")]
    provider_domain: Option<Domain>,
    /// What it called itself when it was last tested; another name now makes the verdict undetermined
    #[arg(long, value_name = "NAME")]
    expect_host: Option<Domain>,
    /// Another address of the same host in the other family, for forms that hold it
    #[arg(long, value_name = "ADDRESS")]
    other_address: Option<IpAddr>,
}

impl TargetOptions {
    /// The target, its name looked up once. `from` is the local address that must be able to reach it.
    pub(crate) fn target(&self, from: Option<IpAddr>) -> Result<Target, TargetError> {
        if self.host.port.is_some() && !self.ports.is_empty() {
            return Err(TargetError::TwoPorts);
        }
        let port = self.host.port.or(self.ports.first().copied()).unwrap_or(SMTP);
        let (address, name) = match &self.host.place {
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

    /// The ports of `--ports`, if it was given.
    pub(crate) fn ports(&self) -> Option<&[u16]> {
        Some(&*self.ports).filter(|ports| !ports.is_empty())
    }
}

fn look_up(name: &Domain, port: u16, from: Option<IpAddr>) -> Result<IpAddr, TargetError> {
    let found = (name.as_str(), port).to_socket_addrs().map_err(|fault| {
        let text = fault.to_string();
        let name = name.clone();
        if NO_SUCH_NAME.iter().any(|known| text.contains(known)) {
            TargetError::NoAddress { name, fault }
        } else {
            TargetError::Resolver { name, fault }
        }
    })?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found.map(|found| found.ip()) {
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

/// `HOST[:PORT]` as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    place: Place,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Address(IpAddr),
    Name(Domain),
}

/// A text is no `HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum HostError {
    #[error(transparent)]
    Name(#[from] AddressError),
    #[error("\"{text}\" is not a port from 1 to 65535")]
    Port { text: String },
    #[error("an IPv6 address stands in brackets, like [2001:db8::1] or [2001:db8::1]:25, and has no zone")]
    Ipv6,
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if let Ok(address) = text.parse() {
            return Ok(Self { place: Place::Address(address), port: None });
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']').ok_or(HostError::Ipv6)?;
            let address: Ipv6Addr = address.parse().map_err(|_| HostError::Ipv6)?;
            let port = match rest.strip_prefix(':') {
                Some(port) => Some(parse_port(port)?),
                None if rest.is_empty() => None,
                None => return Err(HostError::Ipv6),
            };
            return Ok(Self { place: Place::Address(address.into()), port });
        }
        let (host, port) = match text.split_once(':') {
            Some((_, rest)) if rest.contains(':') => return Err(HostError::Ipv6),
            Some((host, port)) => (host, Some(parse_port(port)?)),
            None => (text, None),
        };
        let place = match host.parse() {
            Ok(address) => Place::Address(address),
            // A full stop at the end says that the name is whole, as it always is here.
            Err(_) => Place::Name(host.strip_suffix('.').unwrap_or(host).parse()?),
        };
        Ok(Self { place, port })
    }
}

fn parse_port(text: &str) -> Result<u16, HostError> {
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    let port = text.parse().ok().filter(|&port| digits && port != 0);
    port.ok_or_else(|| HostError::Port { text: text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        let host = |text: &str| text.parse::<Host>().unwrap();
        let address = |text: &str| Place::Address(text.parse().unwrap());
        for (text, place, port) in [
            ("192.0.2.1", address("192.0.2.1"), None),
            ("192.0.2.1:587", address("192.0.2.1"), Some(587)),
            ("2001:db8::1", address("2001:db8::1"), None),
            ("[2001:db8::1]", address("2001:db8::1"), None),
            ("[2001:db8::1]:465", address("2001:db8::1"), Some(465)),
            ("Mail.Example.", Place::Name("mail.example".parse().unwrap()), None),
            ("mail.example:25", Place::Name("mail.example".parse().unwrap()), Some(25)),
        ] {
            assert_eq!(host(text), Host { place, port }, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_host_is_refused() {
        for text in [
            "",
            ":25",
            "a:",
            "a:0",
            "a:+1",
            "a:65536",
            "[::1",
            "[::1]25",
            "[1.2.3.4]",
            "fe80::1%eth0",
            "a:b:c",
            "a/b",
            "smtp://a",
            "u@a",
            "1.2.3",
            "::1:x",
        ] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
    }
}
