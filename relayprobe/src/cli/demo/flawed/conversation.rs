//! The server's side of one conversation.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, BufWriter, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, TcpStream};
use std::sync::mpsc::SyncSender;

use relayprobe::driver;
use relayprobe::octets::escape;

use super::HOST;
use super::command::{Command, With};
use super::onward::{Hop, Letter};
use super::route::Route;

/// Octets of a message.
const SIZE: usize = 65_536;
/// Octets of a line that are read at once.
const LINE: usize = 2_048;
/// Recipients of a message.
const RECIPIENTS: usize = 10;
/// Commands of a conversation.
const COMMANDS: usize = 2_000;

/// One client and what it has said.
pub(super) struct Conversation<'a> {
    reader: BufReader<&'a TcpStream>,
    writer: BufWriter<&'a TcpStream>,
    peer: IpAddr,
    queue: &'a SyncSender<Letter>,
    hello: Option<(String, With)>,
    envelope: Option<Envelope>,
}

#[derive(Clone, Debug, Default)]
struct Envelope {
    sender: String,
    /// How many there are, wherever their mail goes.
    recipients: usize,
    onward: Vec<String>,
}

/// What follows a command.
enum Next {
    Say(String),
    Message,
    End,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(stream: &'a TcpStream, queue: &'a SyncSender<Letter>) -> io::Result<Self> {
        let peer = stream.peer_addr()?.ip();
        let (reader, writer) = (BufReader::new(stream), BufWriter::new(stream));
        Ok(Self { reader, writer, peer, queue, hello: None, envelope: None })
    }

    /// Talks until one side ends it.
    pub(super) fn hold(mut self) -> io::Result<()> {
        self.say(&format!("220 {HOST} ESMTP demo"))?;
        for _ in 0..COMMANDS {
            let line = self.piece()?;
            if !line.ends_with(b"\n") {
                return self.end(if line.len() < LINE {
                    "421 4.4.2 Goodbye"
                } else {
                    "500 5.5.2 Line too long"
                });
            }
            match self.answer(&line) {
                Next::Say(reply) => self.say(&reply)?,
                Next::Message => self.message()?,
                Next::End => return self.end("221 2.0.0 Bye"),
            }
        }
        self.end("421 4.7.0 Too many commands")
    }

    fn answer(&mut self, line: &[u8]) -> Next {
        let said = match Command::read(line) {
            Ok(Command::Hello { name, with }) => self.on_hello(name, with),
            Ok(Command::Mail { sender, size }) => self.on_mail(sender, size).into(),
            Ok(Command::Rcpt { recipient }) => self.on_rcpt(&recipient),
            Ok(Command::Data) => match &self.envelope {
                Some(envelope) if envelope.recipients > 0 => return Next::Message,
                Some(_) => "554 5.5.1 Error: no valid recipients".into(),
                None => "503 5.5.1 Error: need MAIL command".into(),
            },
            Ok(Command::Reset) => {
                self.envelope = None;
                "250 2.0.0 Ok".into()
            }
            Ok(Command::Nothing) => "250 2.0.0 Ok".into(),
            Ok(Command::Quit) => return Next::End,
            Err(reply) => reply.into(),
        };
        Next::Say(said)
    }

    fn on_hello(&mut self, name: String, with: With) -> String {
        self.envelope = None;
        self.hello = Some((name, with));
        match with {
            With::Smtp => format!("250 {HOST}"),
            With::Esmtp => format!("250-{HOST}\r\n250-PIPELINING\r\n250-SIZE {SIZE}\r\n250 8BITMIME"),
        }
    }

    fn on_mail(&mut self, sender: String, size: usize) -> &'static str {
        if self.hello.is_none() {
            return "503 5.5.1 Error: send HELO/EHLO first";
        }
        if self.envelope.is_some() {
            return "503 5.5.1 Error: nested MAIL command";
        }
        if size > SIZE {
            return "552 5.3.4 Message size exceeds fixed limit";
        }
        self.envelope = Some(Envelope { sender, ..Envelope::default() });
        "250 2.1.0 Ok"
    }

    fn on_rcpt(&mut self, recipient: &str) -> String {
        let Some(envelope) = &mut self.envelope else { return "503 5.5.1 Error: need MAIL command".into() };
        if envelope.recipients == RECIPIENTS {
            return "452 4.5.3 Error: too many recipients".into();
        }
        let shown = escape(recipient.as_bytes());
        match Route::of(&envelope.sender, recipient) {
            Route::Here | Route::Nowhere => {}
            Route::Onward(to) => envelope.onward.push(to),
            Route::Unknown => {
                return format!("550 5.1.1 <{shown}>: Recipient address rejected: User unknown");
            }
            Route::Stranger => return format!("554 5.7.1 <{shown}>: Relay access denied"),
        }
        envelope.recipients += 1;
        "250 2.1.5 Ok".into()
    }

    /// Takes a message; what is to be sent on is sent on once the client knows that it was taken.
    fn message(&mut self) -> io::Result<()> {
        self.say("354 End data with <CR><LF>.<CR><LF>")?;
        let message = self.body()?;
        let envelope = self.envelope.take().unwrap_or_default();
        // Some servers take a line end alone for one, and then one message becomes two.
        if has_bare_line_end(&message) {
            return self.say("550 5.6.0 Error: bare CR or LF in the message");
        }
        let id = queue_id();
        self.say(&format!("250 2.0.0 Ok: queued as {id}"))?;
        self.writer.flush()?;
        if envelope.onward.is_empty() {
            return Ok(());
        }
        let (helo, with) = self.hello.clone().unwrap_or((String::new(), With::Smtp));
        let hop = Hop { peer: self.peer, helo, with, id, date: driver::now() };
        let letter = Letter { sender: envelope.sender, recipients: envelope.onward, hop, message };
        self.queue.send(letter).map_err(|_| ErrorKind::BrokenPipe.into())
    }

    /// The octets of a message up to its dot, which only ends it between two line ends (RFC 5321 §4.1.1.4).
    fn body(&mut self) -> io::Result<Vec<u8>> {
        let mut message = Vec::new();
        loop {
            let line = self.piece()?;
            let begins = message.is_empty() || message.ends_with(b"\r\n");
            match line.as_slice() {
                [] => return Err(ErrorKind::UnexpectedEof.into()),
                b".\r\n" if begins => return Ok(message),
                [b'.', rest @ ..] if begins => message.extend_from_slice(rest),
                rest => message.extend_from_slice(rest),
            }
            if message.len() > SIZE {
                self.end("552 5.3.4 Message size exceeds fixed limit")?;
                return Err(ErrorKind::FileTooLarge.into());
            }
        }
    }

    /// The next line, or as much of it as is read at once; nothing once the client has gone.
    fn piece(&mut self) -> io::Result<Vec<u8>> {
        // Replies to a group of commands go out together.
        if !self.reader.buffer().contains(&b'\n') {
            self.writer.flush()?;
        }
        let mut line = Vec::new();
        let limit = u64::try_from(LINE).unwrap_or(u64::MAX);
        self.reader.by_ref().take(limit).read_until(b'\n', &mut line)?;
        Ok(line)
    }

    fn say(&mut self, reply: &str) -> io::Result<()> {
        write!(self.writer, "{reply}\r\n")
    }

    fn end(&mut self, reply: &str) -> io::Result<()> {
        self.say(reply)?;
        self.writer.flush()
    }
}

fn has_bare_line_end(message: &[u8]) -> bool {
    let mut before = 0;
    let mut bare = false;
    for &octet in message {
        bare |= (before == b'\r') != (octet == b'\n');
        before = octet;
    }
    bare
}

/// A name for a message: as Postfix writes them, and with a digit in front, so that it is no word.
fn queue_id() -> String {
    let mut id = String::from("4");
    // Writing to a string cannot fail.
    let _written = write!(id, "{:09X}", driver::seed() & 0xf_ffff_ffff);
    id
}
