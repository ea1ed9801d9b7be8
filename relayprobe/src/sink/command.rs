//! Command lines, read.

use smtp_proto::request::parser::Rfc5321Parser;
use smtp_proto::{Error, Request};

use crate::octets::Octets;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// HELO.
    Helo(Octets),
    /// EHLO.
    Ehlo(Octets),
    /// MAIL: the sender, and the size that it declares.
    Mail(Octets, usize),
    /// RCPT: the recipient, and its ORCPT.
    Rcpt(Octets, Option<Octets>),
    /// DATA.
    Data,
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// VRFY.
    Vrfy,
    /// One that we know and do not do.
    NotHere,
    /// None.
    Fault(Fault),
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No verb that we know.
    Unknown,
    /// Its argument cannot be read.
    Syntax,
    /// A parameter of MAIL or RCPT that we did not offer.
    Parameter,
}

impl Command {
    /// Reads a line with its line end.
    pub(crate) fn read(line: &[u8]) -> Self {
        let (verb, argument) = split_verb(line);
        if verb.eq_ignore_ascii_case(b"MAIL") {
            return mail(argument).unwrap_or_else(Self::Fault);
        }
        if verb.eq_ignore_ascii_case(b"RCPT") {
            return rcpt(argument).unwrap_or_else(Self::Fault);
        }
        let name = Octets::from(argument.trim_ascii());
        match Request::parse(&mut line.iter()) {
            Ok(Request::Helo { .. }) => Self::Helo(name),
            Ok(Request::Ehlo { .. }) => Self::Ehlo(name),
            Ok(Request::Data) => Self::Data,
            Ok(Request::Rset) => Self::Rset,
            Ok(Request::Noop { .. }) => Self::Noop,
            Ok(Request::Quit) => Self::Quit,
            Ok(Request::Vrfy { .. }) => Self::Vrfy,
            Ok(
                Request::Lhlo { .. }
                | Request::Mail { .. }
                | Request::Rcpt { .. }
                | Request::Bdat { .. }
                | Request::Auth { .. }
                | Request::Expn { .. }
                | Request::Help { .. }
                | Request::Etrn { .. }
                | Request::Atrn { .. }
                | Request::Burl { .. }
                | Request::StartTls,
            ) => Self::NotHere,
            Err(Error::UnknownCommand) => Self::Fault(Fault::Unknown),
            Err(_) => Self::Fault(Fault::Syntax),
        }
    }
}

fn mail(argument: &[u8]) -> Result<Command, Fault> {
    let (sender, parameters) = path(argument, b"FROM")?;
    let read = Rfc5321Parser::new(&mut parameters.iter()).mail_from_parameters("".into());
    Ok(Command::Mail(sender, read.map_err(|error| fault(&error))?.size))
}

fn rcpt(argument: &[u8]) -> Result<Command, Fault> {
    let (recipient, parameters) = path(argument, b"TO")?;
    match Rfc5321Parser::new(&mut parameters.iter()).rcpt_to_parameters("".into()) {
        // The library knows no address type but rfc822; there is utf-8 as well (RFC 6533 §3).
        Ok(_) | Err(Error::InvalidParameter { param: "ORCPT" }) => {}
        Err(error) => return Err(fault(&error)),
    }
    Ok(Command::Rcpt(recipient, original(parameters)))
}

/// The value of ORCPT without its `xtext` escapes (RFC 3461 §4), and with its type.
fn original(parameters: &[u8]) -> Option<Octets> {
    let mut words = parameters.split(u8::is_ascii_whitespace);
    let value = words.find_map(|word| {
        let (key, value) = word.split_at_checked(6)?;
        key.eq_ignore_ascii_case(b"ORCPT=").then_some(value)
    })?;
    let value = [value, b"\n"].concat();
    let decoded = Rfc5321Parser::new(&mut value.iter()).xtext().ok()?;
    Some(Octets::from(decoded.as_bytes()))
}

fn fault(error: &Error) -> Fault {
    match error {
        Error::UnsupportedParameter { .. } => Fault::Parameter,
        _ => Fault::Syntax,
    }
}

fn split_verb(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    line.split_at_checked(end).unwrap_or((line, &[]))
}

/// The address of `FROM:<…>` or `TO:<…>` as it was written, and what stands after it.
///
/// The library's own reading takes quotes and routes away, and refuses what relays do send us: `"a@b,c"@d>` with a blank
/// before it, a bracket too many, a domain without a local part. We want the words themselves, as evidence.
fn path<'a>(argument: &'a [u8], keyword: &[u8]) -> Result<(Octets, &'a [u8]), Fault> {
    let (key, rest) = argument.trim_ascii_start().split_at_checked(keyword.len()).ok_or(Fault::Syntax)?;
    let rest = rest.trim_ascii_start().strip_prefix(b":").ok_or(Fault::Syntax)?.trim_ascii_start();
    if !key.eq_ignore_ascii_case(keyword) || rest.contains(&0) {
        return Err(Fault::Syntax);
    }
    let Some(inner) = rest.strip_prefix(b"<") else {
        // Old clients leave the brackets out.
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let (address, parameters) = rest.split_at_checked(end).ok_or(Fault::Syntax)?;
        return if address.is_empty() { Err(Fault::Syntax) } else { Ok((address.into(), parameters)) };
    };
    let end = bracket(inner).ok_or(Fault::Syntax)?;
    let (address, parameters) = inner.split_at_checked(end).ok_or(Fault::Syntax)?;
    Ok((address.into(), parameters.get(1..).unwrap_or_default()))
}

/// Where the closing bracket is: the first that ends a word outside of quotes, or else the last that ends a word.
fn bracket(inner: &[u8]) -> Option<usize> {
    let ends_word = |at: usize| inner.get(at + 1).is_none_or(u8::is_ascii_whitespace);
    let (mut quoted, mut escaped, mut last) = (false, false, None);
    for (at, &octet) in inner.iter().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'>' if ends_word(at) && !quoted => return Some(at),
            _ => {}
        }
        if octet == b'>' && ends_word(at) {
            last = Some(at);
        }
    }
    last
}

/// Text that may stand in a reply: no control characters, and no longer than a line has room for.
pub(crate) fn shown(octets: &[u8]) -> String {
    let mut text = crate::octets::escape(octets);
    if let Some((cut, _)) = text.char_indices().nth(200) {
        text.truncate(cut);
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(line: &[u8]) -> Option<Vec<u8>> {
        match Command::read(line) {
            Command::Rcpt(address, _) | Command::Mail(address, _) => Some(address.as_bytes().to_vec()),
            _ => None,
        }
    }

    #[test]
    fn addresses_are_kept_as_they_were_written() {
        for (line, expected) in [
            (&b"RCPT TO:<x@probe.example>\r\n"[..], &b"x@probe.example"[..]),
            (b"rcpt To: <x@probe.example>  \r\n", b"x@probe.example"),
            (b"RCPT TO :<x@probe.example>\n", b"x@probe.example"),
            (b"RCPT TO:x@probe.example NOTIFY=NEVER\r\n", b"x@probe.example"),
            (b"RCPT TO:<\" x\"@probe.example>\r\n", b"\" x\"@probe.example"),
            (b"RCPT TO:<\"a@b,x\"@probe.example>\r\n", b"\"a@b,x\"@probe.example"),
            (b"RCPT TO:<\"a> b\"@probe.example> NOTIFY=NEVER\r\n", b"\"a> b\"@probe.example"),
            (b"RCPT TO:<\"a\\\"> b\"@probe.example>\r\n", b"\"a\\\"> b\"@probe.example"),
            (b"RCPT TO:<\"x@probe.example>\r\n", b"\"x@probe.example"),
            (b"RCPT TO:<<x@probe.example>>\r\n", b"<x@probe.example>"),
            (b"RCPT TO:<@a,@b:x@probe.example>\r\n", b"@a,@b:x@probe.example"),
            (b"RCPT TO:<\xc3\xbc@probe.example>\r\n", b"\xc3\xbc@probe.example"),
            (b"RCPT TO:<\xff@probe.example>\r\n", b"\xff@probe.example"),
            (b"RCPT TO:<x@PROBE.EXAMPLE> ORCPT=rfc822;a>@b NOTIFY=NEVER\r\n", b"x@PROBE.EXAMPLE"),
            (b"MAIL From:<> SIZE=3\r\n", b""),
            (b"MAIL FROM:<x@[192.0.2.1]> BODY=8BITMIME SMTPUTF8\r\n", b"x@[192.0.2.1]"),
        ] {
            assert_eq!(address(line).as_deref(), Some(expected), "{}", line.escape_ascii());
        }
    }

    /// Why the library's own reading is not used: these are what relays were seen to send.
    #[test]
    fn the_library_would_lose_or_refuse_odd_recipients() {
        let read = |line: &[u8]| match Request::parse(&mut line.iter()) {
            Ok(Request::Rcpt { to }) => Some(to.address.into_owned()),
            _ => None,
        };
        for (line, library) in [
            (&b"RCPT TO:<\" x\"@probe.example>\r\n"[..], Some(" x@probe.example")),
            (b"RCPT TO:<\"a@b,x\"@probe.example>\r\n", Some("a@b,x@probe.example")),
            (b"RCPT TO:<@a,@b:x@probe.example>\r\n", Some("x@probe.example")),
            (b"RCPT TO:<\xc3\xbc@probe.example>\r\n", Some("\u{fc}@probe.example")),
            (b"RCPT TO:<<x@probe.example>\r\n", None),
            (b"RCPT TO:<x@probe.example]>\r\n", None),
            (b"RCPT TO:<x@[192.0.2.1]>\r\n", None),
            (b"RCPT TO:<x.@@probe.example>\r\n", None),
        ] {
            assert_eq!(read(line).as_deref(), library, "{}", line.escape_ascii());
            assert!(address(line).is_some(), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn parameters_are_read() {
        let line = b"RCPT TO:<x@probe.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x+2Btag%probe.example@t.example\r\n";
        let original = Octets::from(&b"rfc822;x+tag%probe.example@t.example"[..]);
        assert_eq!(Command::read(line), Command::Rcpt(b"x@probe.example"[..].into(), Some(original)));
        let line = b"RCPT TO:<x@probe.example> ORCPT=utf-8;x@t.example\r\n";
        let original = Octets::from(&b"utf-8;x@t.example"[..]);
        assert_eq!(Command::read(line), Command::Rcpt(b"x@probe.example"[..].into(), Some(original)));
        let line = b"MAIL FROM:<x@y.example> SIZE=99999 RET=HDRS ENVID=q1 BODY=8BITMIME\r\n";
        assert_eq!(Command::read(line), Command::Mail(b"x@y.example"[..].into(), 99_999));
    }

    #[test]
    fn every_other_line_has_its_fault() {
        for (line, fault) in [
            (&b"\r\n"[..], Fault::Unknown),
            (b"FOO\r\n", Fault::Unknown),
            (b"GET / HTTP/1.1\r\n", Fault::Unknown),
            (b"EHLO\r\n", Fault::Syntax),
            (b"\0\r\n", Fault::Unknown),
            (b"RCPT\r\n", Fault::Syntax),
            (b"RCPT TO:\r\n", Fault::Syntax),
            (b"RCPT TO:<x@probe.example\r\n", Fault::Syntax),
            (b"RCPT FROM:<x@probe.example>\r\n", Fault::Syntax),
            (b"RCPT TO:<x\0@probe.example>\r\n", Fault::Syntax),
            (b"RCPT TO:<x@probe.example> FOO=BAR\r\n", Fault::Parameter),
            (b"RCPT TO:<x@probe.example> NOTIFY=FOO\r\n", Fault::Syntax),
            (b"MAIL FROM:<> SIZE=x\r\n", Fault::Syntax),
        ] {
            assert_eq!(Command::read(line), Command::Fault(fault), "{}", line.escape_ascii());
        }
        for line in
            [&b"AUTH PLAIN\r\n"[..], b"STARTTLS\r\n", b"BDAT 5 LAST\r\n", b"EXPN x\r\n", b"ETRN x\r\n"]
        {
            assert_eq!(Command::read(line), Command::NotHere, "{}", line.escape_ascii());
        }
    }
}
