//! A server that answers as it should until a choice says otherwise, and remembers what it answered.

use std::collections::VecDeque;

use relayprobe::link::{ConnId, Loss};

use super::{Manners, loss};
use crate::reader::Reader;

/// One connection, as the server sees it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing that happened, or did not")]
pub(super) struct Peer {
    pub(super) id: ConnId,
    pub(super) arriving: VecDeque<Arrival>,
    /// For each command of ours, in order: the codes that it was answered with.
    pub(super) answered: Vec<Vec<u16>>,
    /// Nobody can say any longer which reply answers which command.
    pub(super) wild: bool,
    /// More replies than commands.
    pub(super) extra: bool,
    /// Replies that were left out although others followed.
    pub(super) dropped: usize,
    /// The connection ended before every command was answered.
    pub(super) cut: bool,
    server: u8,
    /// What came of a command or message that is not whole.
    input: Vec<u8>,
    expects: Expects,
    /// A reply that waits to be overtaken.
    held: Vec<u8>,
    gone: bool,
}

/// Something on its way to the session.
#[derive(Debug)]
pub(super) enum Arrival {
    Connected,
    Sent,
    Secured,
    Octets(Vec<u8>),
    Lost(Loss),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    Command,
    Message,
    Chunk(usize),
}

/// What servers say to anything.
const REPLIES: &[&str] = &[
    "250 2.1.5 Ok\r\n",
    "554 5.7.1 Relay access denied\r\n",
    "550 5.1.1 User unknown\r\n",
    "450 4.2.0 Greylisted\r\n",
    "454 4.7.1 Relay access denied\r\n",
    "421 4.7.0 too many errors\r\n",
    "354 go on\r\n",
    "220 ready\r\n",
    "221 2.0.0 Bye\r\n",
    "503 5.5.1 need MAIL\r\n",
    "530 5.7.0 Authentication required\r\n",
    "530 5.7.0 Must issue a STARTTLS command first\r\n",
    "554 5.7.1 Client host blocked using bl.example\r\n",
    "250-two\r\n250 lines\r\n",
    "252 cannot verify\r\n",
    "150 wait\r\n",
    "451 4.3.0 try later\r\n",
    "521 no mail here\r\n",
];

const OFFERS: [&str; 8] = [
    "250 mx.target.example\r\n",
    "250-mx.target.example\r\n250 PIPELINING\r\n",
    "250-mx.target.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n",
    "250-mx.target.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n",
    "250-mx.target.example\r\n250-STARTTLS\r\n250-AUTH PLAIN\r\n250 SMTPUTF8\r\n",
    "250-mx.target.example\r\n250-PIPELINING\r\n250-DSN\r\n250 8BITMIME\r\n",
    "250-[127.0.0.1]\r\n250-PIPELINING\r\n250-SIZE 1\r\n250 LIMITS MAILMAX=3 RCPTMAX=1\r\n",
    "250 mx.target.example Microsoft\r\n",
];

impl Peer {
    pub(super) fn new(id: ConnId, server: u8, choices: &mut Reader<'_>, manners: Manners) -> Self {
        let mut peer = Self {
            id,
            arriving: VecDeque::from([Arrival::Connected]),
            answered: Vec::new(),
            wild: false,
            extra: false,
            dropped: 0,
            cut: false,
            server,
            input: Vec::new(),
            expects: Expects::Command,
            held: Vec::new(),
            gone: false,
        };
        if choices.octet() >= 0xf8 {
            peer.arriving = VecDeque::from([Arrival::Lost(loss(choices.octet()))]);
            peer.gone = true;
        } else {
            peer.reply("220 mx.target.example ESMTP Postfix\r\n", choices, manners);
        }
        peer
    }

    /// The session wrote this.
    pub(super) fn take(&mut self, octets: &[u8], choices: &mut Reader<'_>, manners: Manners) {
        let choice = choices.octet();
        if choice < 0xf0 {
            self.arriving.push_front(Arrival::Sent);
        } else if manners == Manners::Anything {
            // It stays in a buffer for a while.
            self.wild = true;
        } else {
            self.arriving.push_back(Arrival::Sent);
        }
        self.input.extend_from_slice(octets);
        while let Some(piece) = self.next_piece() {
            self.answered.push(Vec::new());
            let usual = self.usual(&piece);
            self.reply(usual, choices, manners);
        }
        if self.wild && choice >= 0xf0 {
            self.arriving.push_back(Arrival::Sent);
        }
    }

    pub(super) fn shake(&mut self, choices: &mut Reader<'_>) {
        let choice = choices.octet();
        // What was on its way in the clear is no handshake: the driver tells of one or of a loss.
        let clear = self.arriving.iter().any(|arrival| matches!(arrival, Arrival::Octets(_)));
        let fails = choice >= 0xf0 || clear || self.gone;
        self.arriving.clear();
        self.gone |= fails;
        self.arriving.push_back(if fails { Arrival::Lost(Loss::Tls) } else { Arrival::Secured });
    }

    /// The next whole command, message or chunk.
    fn next_piece(&mut self) -> Option<Vec<u8>> {
        let end = match self.expects {
            Expects::Message => {
                let end = self.input.windows(5).position(|window| window == b"\r\n.\r\n");
                end.map(|at| at + 5).or_else(|| self.input.starts_with(b".\r\n").then_some(3))?
            }
            Expects::Chunk(size) => (self.input.len() >= size).then_some(size)?,
            Expects::Command => {
                let end = self.input.windows(2).position(|pair| pair == b"\r\n")? + 2;
                let line = String::from_utf8_lossy(&self.input[..end]).to_ascii_lowercase();
                let size: Option<usize> =
                    line.strip_prefix("bdat ").and_then(|rest| rest.split([' ', '\r']).next()?.parse().ok());
                match size {
                    Some(size) => {
                        self.expects = Expects::Chunk(end + size);
                        return self.next_piece();
                    }
                    None => end,
                }
            }
        };
        Some(self.input.drain(..end).collect())
    }

    /// What a server that keeps the standard answers: a closed one, or one that takes everything.
    fn usual(&mut self, piece: &[u8]) -> &'static str {
        let open = self.server & 8 != 0;
        if self.expects != Expects::Command {
            self.expects = Expects::Command;
            return "250 2.0.0 Ok: queued as 4bCd5\r\n";
        }
        let line = String::from_utf8_lossy(piece).to_ascii_lowercase();
        let ours = line.contains("postmaster>") || line.contains("postmaster@");
        match line.get(..4) {
            Some("ehlo") => OFFERS[usize::from(self.server & 7)],
            Some("helo") => OFFERS[0],
            Some("mail" | "rset") => "250 2.1.0 Ok\r\n",
            Some("rcpt") if ours || (open && !line.contains(".invalid")) => "250 2.1.5 Ok\r\n",
            Some("rcpt") => "554 5.7.1 Relay access denied\r\n",
            Some("star") => "220 2.0.0 Ready\r\n",
            Some("data") if open => "354 go on\r\n",
            Some("data") => "554 5.5.1 no valid recipients\r\n",
            Some("quit") => "221 2.0.0 Bye\r\n",
            _ => "500 5.5.2 unknown command\r\n",
        }
    }

    /// Answers with this, or as a choice wants it.
    fn reply(&mut self, usual: &str, choices: &mut Reader<'_>, manners: Manners) {
        if self.gone {
            self.cut = true;
            return;
        }
        match choices.octet() {
            choice @ 0x80..=0xbf => {
                let other = REPLIES[usize::from(choice - 0x80) % REPLIES.len()];
                self.say(other);
            }
            choice @ 0xc0..=0xcf => {
                self.say(usual);
                let other = REPLIES[usize::from(choice & 0xf) % REPLIES.len()];
                self.say(if choice == 0xcf { usual } else { other });
                self.extra = true;
            }
            0xd0..=0xd3 => self.dropped += 1,
            // The next one overtakes it.
            0xd4..=0xd7 => {
                self.wild = true;
                self.held = usual.into();
            }
            choice @ 0xd8..=0xdf => {
                self.cut = true;
                self.gone = true;
                self.arriving.push_back(Arrival::Lost(loss(choice)));
            }
            0xe0..=0xef if manners == Manners::Anything => {
                self.wild = true;
                let count = usize::from(choices.octet());
                let octets = choices.octets(count).to_vec();
                self.open_for(&octets);
                self.arriving.push_back(Arrival::Octets(octets));
            }
            0xf0..=0xf3 if manners == Manners::Anything => {
                self.wild = true;
                let (line, times) = (choices.octets(8).to_vec(), usize::from(choices.octet()) * 64);
                self.arriving.push_back(Arrival::Octets(line.repeat(times)));
            }
            _ => self.say(usual),
        }
    }

    fn say(&mut self, text: &str) {
        if let (Some(codes), Ok(code)) = (self.answered.last_mut(), text[..3].parse()) {
            codes.push(code);
        }
        self.open_for(text.as_bytes());
        let octets = [text.as_bytes(), &std::mem::take(&mut self.held)].concat();
        self.arriving.push_back(Arrival::Octets(octets));
    }

    /// After 354 a message comes, whatever it answered.
    fn open_for(&mut self, octets: &[u8]) {
        if octets.starts_with(b"354") {
            self.expects = Expects::Message;
        }
    }
}
