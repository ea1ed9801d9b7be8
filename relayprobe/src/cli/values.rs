//! Values of options whose own errors do not say what would be right.

use std::net::{IpAddr, SocketAddr};

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Reads one of a few words.
pub(crate) fn word<T, const N: usize>(all: [(&'static str, T); N]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.map(|(word, _)| word)).try_map(move |given| {
        let found = all.iter().find(|(word, _)| *word == given);
        found.map(|&(_, value)| value).ok_or("not one of these words")
    })
}

pub(crate) fn address(text: &str) -> Result<IpAddr, &'static str> {
    text.parse().map_err(|_| "an IP address is wanted, like 192.0.2.1 or 2001:db8::1")
}

/// An address of this machine: from another one nothing can be sent, and the target would seem to be out of reach.
pub(crate) fn own_address(text: &str) -> Result<IpAddr, String> {
    let address = address(text)?;
    // Nothing is sent by this.
    let bound = std::net::UdpSocket::bind((address, 0));
    bound.map(|_| address).map_err(|fault| format!("this machine cannot send from it: {fault}"))
}

pub(crate) fn listening(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "address and port are wanted, like 192.0.2.1:25 or [2001:db8::1]:25")
}

pub(crate) fn port(text: &str) -> Result<u16, &'static str> {
    let port = text.parse().ok().filter(|&port| port > 0);
    port.ok_or("ports from 1 to 65535 are wanted, with commas between them, like 25,587")
}

/// No server puts mail off for longer, and no run should go on for longer.
const DAY: u32 = 86_400;

pub(crate) fn seconds(text: &str) -> Result<u32, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (1..=DAY).contains(seconds));
    seconds.ok_or("a whole number of seconds is wanted, at most a day of 86400, like 360")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_right_is_said() {
        assert_eq!(address("::1"), Ok("::1".parse().unwrap()));
        assert!(address("notanip").is_err_and(|fault| fault.contains("192.0.2.1")));
        assert_eq!(listening("[::1]:25"), Ok("[::1]:25".parse().unwrap()));
        assert!(listening("127.0.0.1").is_err_and(|fault| fault.contains(":25")));
        assert_eq!(port("587"), Ok(587));
        for text in ["", "0", "65536", "smtp"] {
            assert!(port(text).is_err_and(|fault| fault.contains("25,587")), "{text}");
        }
        assert_eq!(seconds("360"), Ok(360));
        for text in ["6m", "0", "86401"] {
            assert!(seconds(text).is_err_and(|fault| fault.contains("360")), "{text}");
        }
    }

    #[test]
    fn nothing_is_sent_from_an_address_that_is_not_ours() {
        assert_eq!(own_address("127.0.0.1"), Ok("127.0.0.1".parse().unwrap()));
        assert!(own_address("192.0.2.9").is_err_and(|fault| fault.contains("cannot send from it")));
    }
}
