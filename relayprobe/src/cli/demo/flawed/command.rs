//! Command lines, read.

use smtp_proto::request::parser::Rfc5321Parser;
use smtp_proto::{Error, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, Request};

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// HELO or EHLO.
    Hello { name: String, with: With },
    /// MAIL.
    Mail { sender: String, size: usize },
    /// RCPT.
    Rcpt { recipient: String },
    /// DATA.
    Data,
    /// RSET.
    Reset,
    /// NOOP.
    Nothing,
    /// QUIT.
    Quit,
}

/// The protocol of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum With {
    /// HELO.
    Smtp,
    /// EHLO.
    Esmtp,
}

const UNKNOWN: &str = "500 5.5.2 Error: command not recognized";
const SYNTAX: &str = "501 5.5.4 Syntax error";
const ADDRESS: &str = "501 5.1.3 Bad address syntax";
const NOT_HERE: &str = "502 5.5.1 Error: command not implemented";
const PARAMETER: &str = "555 5.5.4 Unsupported option";

impl Command {
    /// Reads a line with its line end. What cannot be done has its reply.
    pub(super) fn read(line: &[u8]) -> Result<Self, &'static str> {
        // The library knows no address without a domain but postmaster's, and bang paths are just that.
        match line.split_at_checked(5) {
            Some((verb, rest)) if verb.eq_ignore_ascii_case(b"MAIL ") => return mail(rest),
            Some((verb, rest)) if verb.eq_ignore_ascii_case(b"RCPT ") => return rcpt(rest),
            _ => {}
        }
        match Request::parse(&mut line.iter()) {
            Ok(Request::Helo { host }) => Ok(Self::Hello { name: host.into_owned(), with: With::Smtp }),
            Ok(Request::Ehlo { host }) => Ok(Self::Hello { name: host.into_owned(), with: With::Esmtp }),
            Ok(Request::Data) => Ok(Self::Data),
            Ok(Request::Rset) => Ok(Self::Reset),
            Ok(Request::Noop { .. }) => Ok(Self::Nothing),
            Ok(Request::Quit) => Ok(Self::Quit),
            Ok(Request::Mail { .. } | Request::Rcpt { .. }) => Err(SYNTAX),
            Ok(
                Request::Lhlo { .. }
                | Request::Bdat { .. }
                | Request::Auth { .. }
                | Request::Vrfy { .. }
                | Request::Expn { .. }
                | Request::Help { .. }
                | Request::Etrn { .. }
                | Request::Atrn { .. }
                | Request::Burl { .. }
                | Request::StartTls,
            ) => Err(NOT_HERE),
            Err(Error::UnknownCommand | Error::NeedsMoreData { .. }) => Err(UNKNOWN),
            Err(_) => Err(SYNTAX),
        }
    }
}

fn mail(argument: &[u8]) -> Result<Command, &'static str> {
    let (sender, parameters) = path(argument, b"FROM:")?;
    let read =
        Rfc5321Parser::new(&mut parameters.iter()).mail_from_parameters("".into()).map_err(|e| fault(&e))?;
    let offered = read.flags & !(MAIL_BODY_7BIT | MAIL_BODY_8BITMIME) == 0;
    if !offered || read.env_id.is_some() || read.auth.is_some() {
        return Err(PARAMETER);
    }
    Ok(Command::Mail { sender, size: read.size })
}

fn rcpt(argument: &[u8]) -> Result<Command, &'static str> {
    let (recipient, parameters) = path(argument, b"TO:")?;
    let read =
        Rfc5321Parser::new(&mut parameters.iter()).rcpt_to_parameters("".into()).map_err(|e| fault(&e))?;
    if read.flags != 0 || read.orcpt.is_some() {
        return Err(PARAMETER);
    }
    if recipient.is_empty() { Err(ADDRESS) } else { Ok(Command::Rcpt { recipient }) }
}

const fn fault(error: &Error) -> &'static str {
    match error {
        Error::UnsupportedParameter { .. } => PARAMETER,
        _ => SYNTAX,
    }
}

/// The address between brackets, without its source route, and what follows it. It can stand in a command line.
fn path<'a>(argument: &'a [u8], keyword: &[u8]) -> Result<(String, &'a [u8]), &'static str> {
    let (key, rest) = argument.split_at_checked(keyword.len()).ok_or(SYNTAX)?;
    let inner = rest.trim_ascii_start().strip_prefix(b"<").ok_or(SYNTAX)?;
    let end = inner.iter().position(|&octet| octet == b'>').ok_or(SYNTAX)?;
    let (address, parameters) = inner.split_at_checked(end).ok_or(SYNTAX)?;
    if !key.eq_ignore_ascii_case(keyword) {
        return Err(SYNTAX);
    }
    let address = std::str::from_utf8(address).map_err(|_| ADDRESS)?;
    let address = match address.strip_prefix('@') {
        Some(route) => route.split_once(':').ok_or(ADDRESS)?.1,
        None => address,
    };
    let plain = address.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'<' && octet != b'\\');
    // Longest path: RFC 5321 §4.5.3.1.3.
    if plain && address.len() <= 254 && !address.ends_with('@') && !address.starts_with('@') {
        Ok((address.into(), parameters.get(1..).unwrap_or_default()))
    } else {
        Err(ADDRESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let rcpt = |to: &str| Ok(Command::Rcpt { recipient: to.into() });
        for (line, command) in [
            (
                "ehlo probe.example\r\n",
                Ok(Command::Hello { name: "probe.example".into(), with: With::Esmtp }),
            ),
            ("HELO probe.example\r\n", Ok(Command::Hello { name: "probe.example".into(), with: With::Smtp })),
            ("MAIL FROM:<>\r\n", Ok(Command::Mail { sender: String::new(), size: 0 })),
            (
                "mail from: <a@b.example> SIZE=99 BODY=8BITMIME\r\n",
                Ok(Command::Mail { sender: "a@b.example".into(), size: 99 }),
            ),
            ("RCPT TO:<postmaster>\r\n", rcpt("postmaster")),
            ("RCPT TO:<probe.example!x>\r\n", rcpt("probe.example!x")),
            ("RCPT TO:<x@[127.0.0.1]>\r\n", rcpt("x@[127.0.0.1]")),
            ("RCPT TO:<@a.example,@b.example:x@c.example>\r\n", rcpt("x@c.example")),
            ("DATA\r\n", Ok(Command::Data)),
            ("rset\r\n", Ok(Command::Reset)),
            ("NOOP x\r\n", Ok(Command::Nothing)),
            ("QUIT\r\n", Ok(Command::Quit)),
        ] {
            assert_eq!(Command::read(line.as_bytes()), command, "{line}");
        }
    }

    #[test]
    fn every_other_line_has_its_reply() {
        for (line, reply) in [
            ("\r\n", UNKNOWN),
            ("GET / HTTP/1.1\r\n", UNKNOWN),
            ("EHLO\r\n", SYNTAX),
            ("MAIL\r\n", SYNTAX),
            ("MAIL FROM:a@b.example\r\n", SYNTAX),
            ("RCPT TO:<a@b.example\r\n", SYNTAX),
            ("RCPT FROM:<a@b.example>\r\n", SYNTAX),
            ("RCPT TO:<>\r\n", ADDRESS),
            ("RCPT TO:<x@>\r\n", ADDRESS),
            ("RCPT TO:<a b@c.example>\r\n", ADDRESS),
            ("RCPT TO:<a\rb@c.example>\r\n", ADDRESS),
            ("RCPT TO:<\u{fc}@c.example>\r\n", ADDRESS),
            ("RCPT TO:<@a.example>\r\n", ADDRESS),
            ("MAIL FROM:<> RET=HDRS ENVID=q\r\n", PARAMETER),
            ("RCPT TO:<a@b.example> NOTIFY=NEVER\r\n", PARAMETER),
            ("MAIL FROM:<> FOO=BAR\r\n", PARAMETER),
            ("STARTTLS\r\n", NOT_HERE),
            ("VRFY x\r\n", NOT_HERE),
            ("BDAT 5 LAST\r\n", NOT_HERE),
        ] {
            assert_eq!(Command::read(line.as_bytes()), Err(reply), "{line}");
        }
    }
}
