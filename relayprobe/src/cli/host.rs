//! `HOST[:PORT]`.

use core::fmt;
use core::str::FromStr;
use std::net::{IpAddr, Ipv6Addr};

use relayprobe::address::{AddressError, Domain, Network};
use relayprobe::dns;

/// `HOST[:PORT]` as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    pub place: Place,
    pub port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Address(IpAddr),
    Name(Domain),
}

/// A text is no `HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    #[error(transparent)]
    Name(#[from] AddressError),
    #[error("\"{text}\" is not a port from 1 to 65535")]
    Port { text: String },
    #[error("{text} is a network, and none is ever tested: name its mail servers")]
    Network { text: String },
    #[error("{text} is no IPv4 address: four numbers from 0 to 255 are wanted, like 192.0.2.1")]
    Ipv4 { text: String },
    #[error("{text} is a mailbox or a URI; a mail server is wanted, like mail.example.org or 192.0.2.1:25")]
    Other { text: String },
    #[error("{text} may be an address, or one with a port: write [{address}]:{port} or [{text}]")]
    Ambiguous { text: String, address: Ipv6Addr, port: u16 },
    #[error(
        "an IPv6 address stands in brackets, like [2001:db8::1] or [2001:db8::1]:25, and has no zone; an IPv4 address stands alone, like 192.0.2.1:25"
    )]
    Ipv6,
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if let Ok(address) = text.parse() {
            check_ambiguity(text)?;
            return Ok(Self { place: Place::Address(address), port: None });
        }
        if text.contains(['@', '/']) && text.parse::<Network>().is_err() {
            return Err(HostError::Other { text: text.into() });
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
        if text.parse::<Network>().is_ok() {
            return Err(HostError::Network { text: text.into() });
        }
        let (host, port) = match text.split_once(':') {
            Some((_, rest)) if rest.contains(':') => return Err(HostError::Ipv6),
            Some((host, port)) => (host, Some(parse_port(port)?)),
            None => (text, None),
        };
        let numbers = host.contains('.') && host.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
        let place = match host.parse() {
            Err(_) if numbers => return Err(HostError::Ipv4 { text: host.into() }),
            Ok(address) => Place::Address(address),
            // With or without a full stop at its end, the name is whole.
            Err(_) => Place::Name(dns::domain(host)?),
        };
        Ok(Self { place, port })
    }
}

/// What looks like a port behind an IPv6 address without brackets is a part of it: few can have meant that.
fn check_ambiguity(text: &str) -> Result<(), HostError> {
    let Some((address, port)) = text.rsplit_once(':') else { return Ok(()) };
    match (address.parse(), port.parse()) {
        (Ok(address), Ok(port @ (25 | 465 | 587 | 2525))) => {
            Err(HostError::Ambiguous { text: text.into(), address, port })
        }
        _ => Ok(()),
    }
}

fn parse_port(text: &str) -> Result<u16, HostError> {
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    let port = text.parse().ok().filter(|&port| digits && port != 0);
    port.ok_or_else(|| HostError::Port { text: text.into() })
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.place, self.port) {
            (Place::Address(IpAddr::V6(address)), Some(port)) => write!(f, "[{address}]:{port}"),
            (Place::Address(address), Some(port)) => write!(f, "{address}:{port}"),
            (Place::Address(address), None) => write!(f, "{address}"),
            (Place::Name(name), Some(port)) => write!(f, "{name}:{port}"),
            (Place::Name(name), None) => write!(f, "{name}"),
        }
    }
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
            ("mx--1.example", Place::Name("mx--1.example".parse().unwrap()), None),
            ("bücher.example:25", Place::Name("xn--bcher-kva.example".parse().unwrap()), Some(25)),
            ("mail.example:25", Place::Name("mail.example".parse().unwrap()), Some(25)),
        ] {
            assert_eq!(host(text), Host { place, port }, "{text}");
            assert_eq!(host(&host(text).to_string()), host(text), "{text}");
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
            "xn--a.example",
            "a\u{202e}b.example",
            "::1:x",
        ] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_meant_otherwise_is_told() {
        for (text, words) in [
            ("::1:25", "[::1]:25"),
            ("127.0.0.256", "is no IPv4 address"),
            ("127.1:25", "is no IPv4 address"),
            ("bob@mail.example", "is a mailbox"),
            ("smtp://mail.example", "a URI"),
            ("[127.0.0.1]:25", "an IPv4 address stands alone"),
        ] {
            let fault = text.parse::<Host>().unwrap_err().to_string();
            assert!(fault.contains(words), "{text}: {fault}");
        }
        assert!("2001:db8::25".parse::<Host>().is_ok() && "::1:26".parse::<Host>().is_ok());
    }

    #[test]
    fn a_network_is_no_host() {
        for text in ["192.0.2.0/24", "2001:db8::/32"] {
            assert_eq!(text.parse::<Host>(), Err(HostError::Network { text: text.into() }));
        }
    }
}
