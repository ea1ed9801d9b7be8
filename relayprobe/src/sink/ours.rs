//! Which addresses are ours, and which messages.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mail_parser::{Message, MessageParser, PartType};

use crate::address::Domain;
use crate::receipt::Envelope;
use crate::token::Token;

/// Messages inside messages that are looked into.
const DEPTH: u8 = 3;

/// Whether an address lies in one of these domains or at one of these hosts. Any local part will do.
///
/// A relay that takes addresses apart hands over what is left: with the domain in upper case, or with a bracket or a
/// quote too many. All that is needed is that the domain can be told.
pub(crate) fn is_at(address: &[u8], domains: &[Domain], addresses: &[IpAddr]) -> bool {
    let Ok(text) = core::str::from_utf8(address.rsplit(|&b| b == b'@').next().unwrap_or_default()) else {
        return false;
    };
    if !address.contains(&b'@') {
        // RFC 5321 §4.1.1.3: the one local part that needs no domain.
        return text.eq_ignore_ascii_case("postmaster");
    }
    let name = text.trim_matches(['<', '>', '[', ']', '"', '.', ' ', '\t']);
    if let Some(host) = literal(name) {
        return addresses.iter().any(|own| own.to_canonical() == host);
    }
    let domain = name.parse::<Domain>();
    domain.is_ok_and(|domain| domains.iter().any(|zone| domain.is_within(zone)))
}

/// An address in one of the forms that a recipient may have: RFC 5321 §4.1.3, without brackets, or `#` and a number.
fn literal(name: &str) -> Option<IpAddr> {
    let v6 = name.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:")).and_then(|_| name.get(5..));
    match v6 {
        Some(v6) => v6.parse::<Ipv6Addr>().ok().map(|v6| IpAddr::from(v6).to_canonical()),
        None => match name.strip_prefix('#') {
            Some(number) => number.parse().ok().map(|number| IpAddr::from(Ipv4Addr::from_bits(number))),
            None => name.parse::<Ipv4Addr>().ok().map(IpAddr::from),
        },
    }
}

/// Whether sender or recipients carry what looks like a token.
pub(crate) fn envelope_has_token(envelope: &Envelope) -> bool {
    let recipients = envelope.recipients.iter();
    let addresses = recipients.flat_map(|to| [Some(&to.address), to.original.as_ref()]).flatten();
    addresses.chain([&envelope.sender]).any(|address| Token::find(address.as_bytes()).next().is_some())
}

/// Whether a message carries what looks like a token: as it is, or in a part that has to be decoded.
pub(crate) fn message_has_token(message: &[u8]) -> bool {
    text_has_token(message)
        || MessageParser::new().parse(message).is_some_and(|message| decoded_has_token(&message, DEPTH))
}

fn decoded_has_token(message: &Message<'_>, depth: u8) -> bool {
    message.subject().is_some_and(|subject| text_has_token(subject.as_bytes()))
        || message.parts.iter().any(|part| match &part.body {
            PartType::Text(text) | PartType::Html(text) => text_has_token(text.as_bytes()),
            PartType::Binary(octets) | PartType::InlineBinary(octets) => text_has_token(octets),
            PartType::Message(inner) => depth > 0 && decoded_has_token(inner, depth - 1),
            PartType::Multipart(_) => false,
        })
}

/// A token keeps one case on its way, lower or upper. Base64 mixes both: an attachment or a signature would nearly
/// always hold 26 characters that pass, and a person's mail would be taken for a test message and vanish.
fn text_has_token(text: &[u8]) -> bool {
    let digit = |b: &u8| (b'2'..=b'7').contains(b);
    let lower = text.split(|b| !b.is_ascii_lowercase() && !digit(b));
    let upper = text.split(|b| !b.is_ascii_uppercase() && !digit(b));
    lower.chain(upper).any(|run| Token::find(run).next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has the shape of a token, and no MAC.
    const SHAPE: &str = "jaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn an_address_is_ours_by_what_can_be_told_of_its_domain() {
        let domains = ["probe.example".parse().unwrap()];
        let addresses = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        for ours in [
            "x@probe.example",
            "x@PROBE.Example.",
            "x@lure.probe.example",
            "\" x\"@probe.example",
            "\"a@b,x\"@probe.example",
            "x%b@probe.example",
            "@relay.example:x@probe.example",
            "x@probe.example]",
            "x@<probe.example",
            "\u{fc}@probe.example",
            "x@[192.0.2.1]",
            "x@192.0.2.1",
            "x@#3221225985",
            "x@[IPv6:2001:db8::1]",
            "x@[ipv6:::ffff:192.0.2.1]",
            "Postmaster",
        ] {
            assert!(is_at(ours.as_bytes(), &domains, &addresses), "{ours}");
        }
        for other in [
            "",
            "x",
            "@",
            "x@",
            "x@other.example",
            "x@notprobe.example",
            "x@probe.example.other.example",
            "x@probe.example@other.example",
            "x@[192.0.2.2]",
            "x@[IPv6:2001:db8::2]",
            "x@probe.example x",
            "x@other.example(@probe.example)",
            "@probe.example:x@other.example",
        ] {
            assert!(!is_at(other.as_bytes(), &domains, &addresses), "{other}");
        }
        assert!(!is_at(b"x@\xff", &domains, &addresses));
    }

    #[test]
    fn a_token_is_found_where_it_was_encoded() {
        let base64 = data_encoding::BASE64.encode(format!("the token is {SHAPE}.\n").as_bytes());
        let soft = format!("{}=\r\n{}", &SHAPE[..9], &SHAPE[9..]);
        for message in [
            format!("Subject: {SHAPE}\r\n\r\n"),
            format!("Subject: x\r\n\r\n{}\r\n", SHAPE.to_ascii_uppercase()),
            format!(
                "MIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64}\r\n"
            ),
            format!(
                "MIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{soft}\r\n"
            ),
        ] {
            assert!(message_has_token(message.as_bytes()), "{message}");
        }
    }

    #[test]
    fn a_message_in_a_thousand_wrappings_is_looked_at() {
        let inner = "Content-Type: message/rfc822\r\n\r\n".repeat(1_900);
        assert!(message_has_token(format!("{inner}{SHAPE}").as_bytes()));
        assert!(!message_has_token(inner.as_bytes()));
        let mixed = |at| format!("Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\n");
        assert!(!message_has_token((0..1_000).map(mixed).collect::<String>().as_bytes()));
        assert!(!message_has_token("=?utf-8?q?=41?= (".repeat(3_800).as_bytes()));
    }

    #[test]
    fn neither_prose_nor_an_attachment_looks_like_a_token() {
        // Octets without a pattern, as in a picture or a signature.
        let mut state = 1_u64;
        let noise = core::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        });
        let base64 = data_encoding::BASE64.encode(&noise.take(40_000).collect::<Vec<u8>>());
        assert!(Token::find(base64.as_bytes()).next().is_some(), "or this would show nothing");
        let message = format!(
            "Subject: pictures\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64}\r\n"
        );
        assert!(!message_has_token(message.as_bytes()));
        assert!(!message_has_token(b"Subject: hello\r\n\r\nWhy do you write to my server?\r\n"));
        assert!(!message_has_token(b""));
    }
}
