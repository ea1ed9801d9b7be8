//! What a server calls itself.

use super::{Class, Connection, Ledger, Step, Turn};
use crate::address::Domain;

impl Connection {
    /// What the server calls itself on this connection, once it was introduced to us: the name in its reply to EHLO or HELO,
    /// the last one if there are more; without a name there, that of its greeting (RFC 5321 §4.2). Anybody can write any
    /// name in either.
    pub(crate) fn host(&self, ledger: &Ledger) -> Option<Domain> {
        let named = |step: Step| {
            let mut turns = ledger.turns().iter().rev();
            turns.find_map(|turn| {
                let says = turn.asked.step == step && turn.class == Class::Done;
                self.reply(turn.entry).filter(|_| says).and_then(|reply| host_name(reply.as_bytes()))
            })
        };
        let introduced = |turn: &Turn| turn.asked.step == Step::Hello && turn.class == Class::Done;
        ledger.turns().iter().any(introduced).then(|| named(Step::Hello).or_else(|| named(Step::Greeting)))?
    }
}

/// The first word of a reply, if it can be the name of a host: addresses and single words such as `ESMTP` cannot.
pub(crate) fn host_name(reply: &[u8]) -> Option<Domain> {
    let line = reply.split_inclusive(|&octet| octet == b'\n').next()?.get(4..)?.trim_ascii_start();
    // A kept reply may be cut within its name, which would then be another.
    let end = line.iter().position(u8::is_ascii_whitespace)?;
    let word = core::str::from_utf8(line.get(..end)?).ok()?;
    if word.contains('.') { word.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    #[test]
    fn only_what_can_be_a_host_is_one() {
        let read = |text: &str| host_name(text.as_bytes()).map(String::from);
        for text in ["220 mx.example ESMTP\r\n", "250-  MX.Example\r\n250 DSN\r\n", "220\tmx.example\r\n"] {
            assert_eq!(read(text).as_deref(), Some("mx.example"), "{text}");
        }
        let long = alloc::format!("220 {}example\r\n", "a.".repeat(124));
        for text in [
            "",
            "220",
            "220\r\n",
            "220 \r\n",
            "220-\r\n220 mx.example\r\n",
            "220 ESMTP mx.example\r\n",
            "220 mx.example",
            "220 192.0.2.1 ESMTP\r\n",
            "220 [192.0.2.1] ESMTP\r\n",
            "220 mx.example. ESMTP\r\n",
            "220 mx..example\r\n",
            "220 mx_1.example\r\n",
            "220 postmaster@mx.example\r\n",
            "220 mx.example>,<victim@other.example\r\n",
            "220 mx.example%other.example\r\n",
            "220 mx.example\0.other.example\r\n",
            "220 mx.ex\u{202e}ample\r\n",
            "220 b\u{fc}cher.example\r\n",
            &long,
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(host_name(b"220 mx.\xff.example\r\n"), None);
    }
}
