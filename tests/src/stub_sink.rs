//! A stub of the server that mail ends at: takes or refuses what comes, and says what it saw.

use std::io::{BufRead, BufReader, Read, Write};
use std::mem;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

/// A stub that listens on loopback until the process ends.
#[derive(Debug)]
pub struct StubSink {
    /// Where it listens.
    pub addr: SocketAddr,
    visits: Receiver<Visit>,
}

/// What the stub says to mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    /// Takes everything.
    Takes,
    /// Refuses every recipient for good (550).
    RefusesRecipients,
    /// Refuses every message for good after its final dot (550).
    RefusesMessages,
}

/// One mail transaction at the stub: from MAIL to the message, or to whatever ended it before one came.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Where the client came from.
    pub peer: SocketAddr,
    /// Its HELO or EHLO line.
    pub helo: String,
    /// Its lines from MAIL on, the one that ended the transaction included.
    pub commands: Vec<String>,
    /// The message, with LF line ends and its dots unstuffed. Octets that are no text are shown as such.
    pub content: Option<String>,
}

/// What a refusal at the stub says; a delivery report quotes it.
pub const REFUSAL: &str = "550 5.7.1 The stub sink refuses this";

impl StubSink {
    /// Starts a stub at a free port of 127.0.0.1 that offers these keywords after EHLO.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    pub fn start(manners: Manners, offers: &'static [&'static str]) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), manners, offers)
    }

    /// Starts a stub at this address.
    ///
    /// # Panics
    /// If it cannot be listened on.
    pub fn start_at(addr: SocketAddr, manners: Manners, offers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind(addr).expect("the address is free");
        let addr = listener.local_addr().expect("its address");
        let (seen, visits) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = seen.clone();
                thread::spawn(move || {
                    // A client may leave at any time; what it did until then is reported all the same.
                    let _left = serve(&stream, manners, offers, &seen);
                });
            }
        });
        Self { addr, visits }
    }

    /// The next transaction, if one ends within 30 s.
    pub fn wait(&self) -> Option<Visit> {
        self.visits.recv_timeout(Duration::from_secs(30)).ok()
    }

    /// The transactions that have come and were not looked at yet.
    pub fn rest(&self) -> Vec<Visit> {
        self.visits.try_iter().collect()
    }
}

impl Visit {
    /// The sender, without its brackets.
    pub fn sender(&self) -> &str {
        self.commands.first().map_or("", |line| address(line))
    }

    /// The recipients, without their brackets.
    pub fn recipients(&self) -> Vec<&str> {
        self.commands.iter().filter(|line| verb(line) == "RCPT").map(|line| address(line)).collect()
    }

    /// The message.
    ///
    /// # Panics
    /// If none came.
    pub fn text(&self) -> &str {
        self.content.as_deref().unwrap_or_else(|| panic!("no message came: {self:?}"))
    }
}

fn verb(line: &str) -> String {
    line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase()
}

/// What stands in the outer brackets of a MAIL or RCPT line.
fn address(line: &str) -> &str {
    line.split_once('<').and_then(|(_, rest)| rest.rsplit_once('>')).map_or("", |(inside, _)| inside)
}

/// A transaction that is under way; reported when it ends, and at the latest when the connection does.
struct Current<'a> {
    visit: Visit,
    seen: &'a Sender<Visit>,
}

impl Current<'_> {
    fn end(&mut self, content: Option<String>) {
        let commands = mem::take(&mut self.visit.commands);
        if !commands.is_empty() {
            // Nobody may be looking any more.
            let _ = self.seen.send(Visit { commands, content, ..self.visit.clone() });
        }
    }
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        self.end(None);
    }
}

fn serve(stream: &TcpStream, manners: Manners, offers: &[&str], seen: &Sender<Visit>) -> std::io::Result<()> {
    let peer = stream.peer_addr()?;
    let mut current =
        Current { visit: Visit { peer, helo: String::new(), commands: Vec::new(), content: None }, seen };
    let mut reader = BufReader::new(stream);
    let mut recipients = 0;
    let say = |text: &str| (&mut &*stream).write_all(format!("{text}\r\n").as_bytes());
    say("220 stub.sink.example ESMTP")?;
    while let Some(line) = read_line(&mut reader)? {
        let text = String::from_utf8_lossy(&line).into_owned();
        let verb = verb(&text);
        if verb == "MAIL" || !current.visit.commands.is_empty() {
            current.visit.commands.push(text.clone());
        }
        match verb.as_str() {
            "EHLO" => {
                current.visit.helo = text;
                for offer in offers {
                    say(&format!("250-{offer}"))?;
                }
                say("250 SIZE 1000000")?;
            }
            "HELO" => {
                current.visit.helo = text;
                say("250 stub.sink.example")?;
            }
            "MAIL" => {
                recipients = 0;
                say("250 2.1.0 Ok")?;
            }
            "RCPT" if manners == Manners::RefusesRecipients => say(REFUSAL)?,
            "RCPT" => {
                recipients += 1;
                say("250 2.1.5 Ok")?;
            }
            "DATA" if recipients == 0 => say("554 5.5.1 No valid recipients")?,
            "DATA" => {
                say("354 Go on")?;
                let Some(content) = read_message(&mut reader)? else { break };
                current.end(Some(content));
                say(if manners == Manners::RefusesMessages { REFUSAL } else { "250 2.0.0 Taken" })?;
            }
            "RSET" => {
                current.end(None);
                say("250 2.0.0 Ok")?;
            }
            "NOOP" => say("250 2.0.0 Ok")?,
            "QUIT" => {
                current.end(None);
                say("221 2.0.0 Bye")?;
                break;
            }
            _ => say("500 5.5.2 Unknown command")?,
        }
    }
    Ok(())
}

/// A line without its end; `None` when the client has left, or writes without end.
fn read_line(reader: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    reader.take(65_536).read_until(b'\n', &mut line)?;
    Ok(line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()))
}

fn read_message(reader: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut content = Vec::new();
    while let Some(line) = read_line(reader)? {
        if line == b"." {
            return Ok(Some(String::from_utf8_lossy(&content).into_owned()));
        }
        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        content.push(b'\n');
    }
    Ok(None)
}
