//! A server that refuses every relay attempt at once, and counts.

use std::cell::RefCell;
use std::error::Error;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, stdin};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;

use crate::Limits;

/// Errors after which Postfix answers a second later each time, and after which it hangs up (`smtpd_soft_error_limit`,
/// `smtpd_hard_error_limit`).
const POSTFIX: (u32, u32) = (10, 20);
/// Syntax errors and commands without mail that Exim stands (`smtp_max_synprot_errors`, `smtp_accept_max_nonmail`). `EHLO`
/// and one `RSET` are free.
const EXIM: (u32, u32) = (3, 10);

#[derive(Default, Serialize)]
struct Counts {
    connections: u32,
    /// Reads that brought commands.
    rounds: u32,
    commands: u32,
    /// Answers to RCPT, and refusals of MAIL.
    answered: u32,
    delayed: u32,
    cut_off: u32,
    /// Reads that brought more than one command although PIPELINING was not offered.
    early: u32,
    received: u64,
    sent: u64,
}

#[derive(Clone)]
struct Stub {
    limits: Limits,
    lockstep: bool,
    counts: Rc<RefCell<Counts>>,
}

pub(crate) fn serve(listen: SocketAddr, limits: Limits, lockstep: bool) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stub = Stub { limits, lockstep, counts: Rc::default() };
    LocalSet::new().block_on(&runtime, stub.listen(listen))
}

impl Stub {
    async fn listen(self, address: SocketAddr) -> Result<(), Box<dyn Error>> {
        let socket =
            socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(8_192)?;
        let listener = TcpListener::from_std(socket.into())?;
        println!("{}", listener.local_addr()?);
        let stub = self.clone();
        spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stub = stub.clone();
                spawn_local(async move { drop(stub.talk(stream).await) });
            }
        });
        let mut lines = BufReader::new(stdin()).lines();
        while lines.next_line().await?.is_some() {
            println!("{}", serde_json::to_string(&self.counts.take())?);
        }
        Ok(())
    }

    async fn talk(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        self.counts.borrow_mut().connections += 1;
        let name = match self.limits {
            Limits::None => "",
            Limits::Postfix => " Postfix",
            Limits::Exim => " Exim 4.96",
        };
        self.send(&mut stream, format!("220 mx.target.example ESMTP{name}\r\n").as_bytes()).await?;
        let mut connection = Connection::default();
        let mut buffer = Vec::with_capacity(16_384);
        loop {
            let length = stream.read_buf(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            let lines = buffer.split(|&octet| octet == b'\n').count() - 1;
            {
                let mut counts = self.counts.borrow_mut();
                counts.received += length as u64;
                counts.rounds += u32::from(lines > 0);
                counts.early += u32::from(self.lockstep && lines > 1);
            }
            let mut replies = Vec::new();
            let mut rest = &buffer[..];
            while let Some(end) = rest.iter().position(|&octet| octet == b'\n') {
                let (line, after) = rest.split_at(end + 1);
                rest = after;
                let answer = connection.answer(line, self);
                if answer.delay {
                    self.send(&mut stream, &replies).await?;
                    replies.clear();
                    sleep(Duration::from_secs(1)).await;
                }
                replies.extend_from_slice(answer.text);
                if answer.last {
                    return self.send(&mut stream, &replies).await;
                }
            }
            let read = buffer.len() - rest.len();
            buffer.drain(..read);
            self.send(&mut stream, &replies).await?;
        }
    }

    async fn send(&self, stream: &mut TcpStream, octets: &[u8]) -> std::io::Result<()> {
        self.counts.borrow_mut().sent += octets.len() as u64;
        stream.write_all(octets).await
    }
}

#[derive(Default)]
struct Connection {
    mail: bool,
    errors: u32,
    odd: u32,
    idle: u32,
}

struct Answer {
    text: &'static [u8],
    delay: bool,
    last: bool,
}

impl Connection {
    fn answer(&mut self, line: &[u8], stub: &Stub) -> Answer {
        let mut counts = stub.counts.borrow_mut();
        counts.commands += 1;
        let verb: [u8; 4] = line.get(..4).and_then(|verb| verb.try_into().ok()).unwrap_or_default();
        let strict = stub.limits == Limits::Exim && is_odd(line);
        let text: &[u8] = match &verb.to_ascii_uppercase()[..] {
            b"EHLO" if stub.lockstep => b"250-mx.target.example\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n",
            b"EHLO" => b"250-mx.target.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n",
            b"HELO" => b"250 mx.target.example\r\n",
            b"MAIL" if strict => b"501 5.5.2 syntax error\r\n",
            b"MAIL" => b"250 2.1.0 Ok\r\n",
            b"RCPT" if !self.mail => b"503 5.5.1 need MAIL command\r\n",
            b"RCPT" if strict => b"501 5.5.2 syntax error\r\n",
            b"RCPT" => b"554 5.7.1 Relay access denied\r\n",
            b"RSET" | b"NOOP" => b"250 2.0.0 Ok\r\n",
            b"QUIT" => b"221 2.0.0 Bye\r\n",
            _ => b"502 5.5.2 command not recognized\r\n",
        };
        self.mail = match &verb.to_ascii_uppercase()[..] {
            b"MAIL" => text[0] == b'2',
            b"RCPT" => self.mail,
            _ => false,
        };
        let refused = text[0] == b'5';
        if verb.eq_ignore_ascii_case(b"RCPT") || (refused && verb.eq_ignore_ascii_case(b"MAIL")) {
            counts.answered += u32::from(text.get(..3) != Some(b"503"));
        }
        let delay = stub.limits == Limits::Postfix && self.errors >= POSTFIX.0;
        counts.delayed += u32::from(delay);
        self.errors += u32::from(refused);
        self.odd += u32::from(text[..3] == *b"501");
        self.idle += u32::from(text[..3] == *b"250" && verb.eq_ignore_ascii_case(b"RSET"));
        let cut = match stub.limits {
            Limits::None => false,
            Limits::Postfix => self.errors >= POSTFIX.1,
            Limits::Exim => self.odd > EXIM.0 || self.idle > EXIM.1 + 1,
        };
        counts.cut_off += u32::from(cut);
        Answer { text, delay, last: cut || verb.eq_ignore_ascii_case(b"QUIT") }
    }
}

/// What Exim calls a syntax error by default: literals, and addresses that after their quoted strings and their source route
/// have no or two at-signs.
fn is_odd(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line);
    let Some((_, path)) = text.split_once(':') else { return false };
    let bare: String = path.split('"').step_by(2).collect();
    let address = if bare.trim_start().starts_with("<@") {
        bare.split_once(':').map_or("", |(_, after)| after)
    } else {
        &bare
    };
    let ats = address.matches('@').count();
    !path.contains("<>") && (address.contains('[') || ats != 1)
}
