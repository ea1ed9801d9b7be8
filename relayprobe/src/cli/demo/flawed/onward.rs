//! Messages on their way to the next hop.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use relayprobe::moment::Date;
use relayprobe::wire::{Code, ReplyDecoder, ReplyLimits};

use super::HOST;
use super::command::With;
use super::link::{self, Links};

/// How long a next hop may think.
const PATIENCE: Duration = Duration::from_secs(10);

/// A message that goes on, to each of its recipients alone.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    pub(super) hop: Hop,
    /// As it came, without the dots that were put in for the way.
    pub(super) message: Vec<u8>,
}

/// What a Received line says of the client.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    pub(super) peer: IpAddr,
    pub(super) helo: String,
    pub(super) with: With,
    pub(super) id: String,
    pub(super) date: Date,
}

/// Sends letters on until no more can come.
pub(super) fn deliver(letters: Receiver<Letter>, to: SocketAddr, links: &Links) {
    for letter in letters {
        for recipient in &letter.recipients {
            // One attempt, and no bounce: a demonstration writes to nobody else.
            let _sent = send(&letter, recipient, to, links);
        }
    }
}

fn send(letter: &Letter, recipient: &str, to: SocketAddr, links: &Links) -> io::Result<()> {
    if links.are_closed() {
        return Ok(());
    }
    let stream = TcpStream::connect_timeout(&to, link::CONNECT)?;
    link::limit(&stream, PATIENCE)?;
    let Some(_link) = links.add(&stream) else { return Ok(()) };
    let mut client = Client {
        reader: BufReader::new(&stream),
        stream: &stream,
        decoder: ReplyDecoder::new(ReplyLimits::default()),
    };
    client.expect(220)?;
    client.ask(format!("EHLO {HOST}\r\n").as_bytes(), 250)?;
    client.ask(format!("MAIL FROM:<{}>\r\n", letter.sender).as_bytes(), 250)?;
    client.ask(format!("RCPT TO:<{recipient}>\r\n").as_bytes(), 250)?;
    client.ask(b"DATA\r\n", 354)?;
    client.ask(&encode(&letter.hop.line(recipient), &letter.message), 250)?;
    client.ask(b"QUIT\r\n", 221)
}

impl Hop {
    /// The Received line (RFC 5321 §4.4).
    fn line(&self, recipient: &str) -> String {
        let peer = match self.peer.to_canonical() {
            IpAddr::V4(v4) => format!("[{v4}]"),
            IpAddr::V6(v6) => format!("[IPv6:{v6}]"),
        };
        let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b"-._[]:".contains(&octet);
        // What cannot be a name would end the line, or begin a comment.
        let helo = if self.helo.bytes().all(is_name) { &self.helo } else { &peer };
        let with = match self.with {
            With::Smtp => "SMTP",
            With::Esmtp => "ESMTP",
        };
        format!(
            "Received: from {helo} ({peer})\r\n\tby {HOST} with {with} id {}\r\n\tfor <{recipient}>; {}\r\n",
            self.id,
            self.date.to_rfc_5322()
        )
    }
}

/// The message with its new line, dots doubled at the start of lines, and the dot that ends it (RFC 5321 §4.5.2).
fn encode(received: &str, message: &[u8]) -> Vec<u8> {
    let mut octets = received.as_bytes().to_vec();
    for line in message.split_inclusive(|&octet| octet == b'\n') {
        if line.starts_with(b".") {
            octets.push(b'.');
        }
        octets.extend_from_slice(line);
    }
    octets.extend_from_slice(b".\r\n");
    octets
}

struct Client<'a> {
    reader: BufReader<&'a TcpStream>,
    stream: &'a TcpStream,
    decoder: ReplyDecoder,
}

impl Client<'_> {
    fn ask(&mut self, octets: &[u8], expected: u16) -> io::Result<()> {
        self.stream.write_all(octets)?;
        self.expect(expected)
    }

    fn expect(&mut self, expected: u16) -> io::Result<()> {
        let code = self.reply()?.number();
        if code / 100 == expected / 100 {
            Ok(())
        } else {
            Err(io::Error::other(format!("{code} instead of {expected}")))
        }
    }

    fn reply(&mut self) -> io::Result<Code> {
        loop {
            let mut input = self.reader.fill_buf()?;
            let whole = input.len();
            if whole == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let found = self.decoder.read(&mut input).map(|reply| reply.map(|reply| reply.code()));
            let taken = whole - input.len();
            self.reader.consume(taken);
            if let Some(code) = found {
                return code.map_err(io::Error::other);
            }
        }
    }
}
