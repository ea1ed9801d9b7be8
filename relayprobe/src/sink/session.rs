//! One connection to the receiving server, without a socket.

use core::mem;
use core::net::IpAddr;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::moment::Date;
use crate::octets::Octets;
use crate::receipt::{Arrival, Envelope, EnvelopeRecipient, Handover};
use crate::sink::body::Body;
use crate::sink::command::{Command, Fault, shown};
use crate::sink::ours::{envelope_has_token, is_at, message_has_token};
use crate::sink::{Count, Mode, SinkOptions};

/// Replies are sent once there are so many octets of them: a client that only writes must not fill our memory.
const REPLIES: usize = 4_096;

/// One connection to the receiving server.
///
/// The caller does what [`poll_output`](Self::poll_output) says, and hands in what it met. It brings the waiting times:
/// a session has no clock.
pub struct SinkSession {
    options: Arc<SinkOptions>,
    peer: Option<IpAddr>,
    now: Date,
    phase: Phase,
    input: Vec<u8>,
    /// How much of the input is done.
    done: usize,
    /// What the caller is to know before anything more is said.
    news: VecDeque<Output>,
    in_hand: InHand,
    replies: Vec<u8>,
    helo: Octets,
    /// Sender and recipients.
    transaction: Option<(Octets, Vec<EnvelopeRecipient>)>,
    errors: u32,
    transactions: u32,
}

enum Phase {
    Command,
    /// A line was too long; the rest of it comes.
    LongLine,
    Data(Body),
    Over,
}

/// The arrival that the caller has and has not kept yet. Nothing is said meanwhile.
enum InHand {
    Nothing,
    /// Recipients, or half a message: no reply depends on it.
    Part,
    /// A whole message, and what its client hears once it is kept.
    Message {
        reply: String,
    },
}

/// What the caller of a session is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Write this.
    Send(Vec<u8>),
    /// Keep this, and say with [`SinkSession::handle_kept`] whether it is safe: the client hears of it after that.
    Arrived(Arrival),
    /// Count this.
    Count(Count),
    /// Wait for octets.
    Wait,
    /// Close the connection.
    Close,
}

/// Whether an arrival is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// It outlives this process.
    Safe,
    /// It may be lost; the client is told to come again.
    Failed,
}

/// Why a connection ends although nobody said goodbye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The client is gone.
    Lost,
    /// The client took too long.
    TooSlow,
    /// The server stops.
    Stopped,
}

impl SinkSession {
    /// A connection that has just been made. The greeting is its first output.
    pub fn new(options: Arc<SinkOptions>, peer: Option<IpAddr>, now: Date) -> Self {
        let mut session = Self {
            peer: peer.map(|peer| peer.to_canonical()),
            now,
            phase: Phase::Command,
            input: Vec::new(),
            done: 0,
            news: VecDeque::new(),
            in_hand: InHand::Nothing,
            replies: Vec::new(),
            helo: Octets::default(),
            transaction: None,
            errors: 0,
            transactions: 0,
            options,
        };
        session.say(&format!("220 {} ESMTP relayprobe", session.options.host));
        session
    }

    /// Octets came from the client.
    pub fn handle_received(&mut self, octets: &[u8], now: Date) {
        self.now = now;
        if !matches!(self.phase, Phase::Over) {
            self.input.drain(..self.done.min(self.input.len()));
            self.done = 0;
            self.input.extend_from_slice(octets);
        }
    }

    /// The arrival in hand is safe, or is not.
    pub fn handle_kept(&mut self, kept: Kept) {
        match (mem::replace(&mut self.in_hand, InHand::Nothing), kept) {
            (InHand::Nothing | InHand::Part, _) => {}
            (InHand::Message { reply }, Kept::Safe) => self.answer(&reply),
            (InHand::Message { .. }, Kept::Failed) => {
                self.answer("451 4.3.0 this cannot be kept now; come again");
            }
        }
    }

    /// The connection ends. What was begun is told to the caller all the same.
    pub fn handle_end(&mut self, end: End, now: Date) {
        self.now = now;
        if matches!(self.phase, Phase::Over) {
            return;
        }
        match mem::replace(&mut self.phase, Phase::Over) {
            Phase::Data(body) => self.on_interrupted(body),
            Phase::Command | Phase::LongLine | Phase::Over => self.on_dropped(),
        }
        let host = &self.options.host;
        match end {
            End::Lost => self.replies.clear(),
            End::TooSlow => self.say(&format!("421 4.4.2 {host} has waited long enough")),
            End::Stopped => self.say(&format!("421 4.3.2 {host} is being stopped")),
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Output {
        loop {
            if let Some(news) = self.news.pop_front() {
                return news;
            }
            if !matches!(self.in_hand, InHand::Nothing) {
                return Output::Wait;
            }
            if self.replies.len() < REPLIES && self.step() {
                continue;
            }
            return match (self.replies.is_empty(), &self.phase) {
                (false, _) => Output::Send(mem::take(&mut self.replies)),
                (true, Phase::Over) => Output::Close,
                (true, _) => Output::Wait,
            };
        }
    }

    /// Does one thing with the input; whether there was something to do.
    fn step(&mut self) -> bool {
        let rest = self.input.get(self.done..).unwrap_or_default();
        let line = rest.iter().position(|&b| b == b'\n').map(|end| end + 1);
        match &mut self.phase {
            Phase::Over => return false,
            Phase::Data(body) => {
                let mut octets = rest.iter();
                let ended = body.take(&mut octets);
                self.done = self.input.len() - octets.len();
                if ended && let Phase::Data(body) = mem::replace(&mut self.phase, Phase::Command) {
                    self.on_message(body);
                }
                return ended;
            }
            Phase::LongLine => {
                self.done += line.unwrap_or(rest.len());
                if line.is_none() {
                    return false;
                }
                self.phase = Phase::Command;
                self.answer("500 5.5.2 line too long");
            }
            Phase::Command => match line {
                None if rest.len() <= self.options.limits.line => return false,
                Some(length) if length <= self.options.limits.line => {
                    let command = Command::read(rest.get(..length).unwrap_or_default());
                    self.done += length;
                    self.on_command(command);
                }
                None | Some(_) => self.phase = Phase::LongLine,
            },
        }
        true
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Helo(name) => {
                self.on_dropped();
                self.helo = name;
                self.answer(&format!("250 {}", self.options.host));
            }
            Command::Ehlo(name) => {
                self.on_dropped();
                self.helo = name;
                self.offer();
            }
            Command::Mail(sender, size) => self.on_mail(sender, size),
            Command::Rcpt(address, original) => self.on_rcpt(EnvelopeRecipient { address, original }),
            Command::Data => self.on_data(),
            Command::Rset => {
                self.on_dropped();
                self.answer("250 2.0.0 Ok");
            }
            Command::Noop => self.answer("250 2.0.0 Ok"),
            Command::Quit => {
                self.on_dropped();
                self.hang_up(&format!("221 2.0.0 {} says goodbye", self.options.host));
            }
            // RFC 5321 §3.5.3: neither yes nor no.
            Command::Vrfy => self.answer("252 2.1.5 send something and see"),
            Command::NotHere => self.answer("502 5.5.1 not here"),
            Command::Fault(Fault::Unknown) => self.answer("500 5.5.2 no command"),
            Command::Fault(Fault::Syntax) => self.answer("501 5.5.4 the argument cannot be read"),
            Command::Fault(Fault::Parameter) => self.answer("555 5.5.4 that parameter was not offered"),
        }
    }

    fn on_mail(&mut self, sender: Octets, size: usize) {
        self.on_dropped();
        self.transactions = self.transactions.saturating_add(1);
        if self.helo.as_bytes().is_empty() {
            self.answer("503 5.5.1 say EHLO first");
        } else if self.transactions > self.options.limits.transactions {
            self.hang_up(&format!("421 4.7.0 {} has had enough transactions", self.options.host));
        } else if size > self.options.limits.message {
            self.answer("552 5.3.4 too long");
        } else {
            self.transaction = Some((sender, Vec::new()));
            self.answer("250 2.1.0 Ok");
        }
    }

    fn on_rcpt(&mut self, recipient: EnvelopeRecipient) {
        let options = Arc::clone(&self.options);
        let Some((_, recipients)) = &mut self.transaction else {
            return self.answer("503 5.5.1 say MAIL first");
        };
        if !is_at(recipient.address.as_bytes(), &options.domains, &options.addresses) {
            let address = shown(recipient.address.as_bytes());
            self.news.push_back(Output::Count(Count::Stranger));
            self.answer(&format!("550 5.7.1 <{address}> is not in a domain of this host"));
        } else if recipients.len() >= options.limits.recipients {
            self.answer("452 4.5.3 too many recipients");
        } else {
            recipients.push(recipient);
            self.answer("250 2.1.5 Ok");
        }
    }

    fn on_data(&mut self) {
        match &self.transaction {
            Some((_, recipients)) if !recipients.is_empty() => {
                self.phase = Phase::Data(Body::new(self.options.limits.message));
                self.answer("354 go on, and end with a dot");
            }
            Some(_) => self.answer("503 5.5.1 say RCPT first"),
            None => self.answer("503 5.5.1 say MAIL first"),
        }
    }

    /// The final dot came.
    fn on_message(&mut self, body: Body) {
        let Some(envelope) = self.take_envelope() else { return };
        let (message, cut) = body.into_message();
        let is_report = envelope.sender.as_bytes().is_empty();
        let has_token = envelope_has_token(&envelope) || message_has_token(&message);
        let is_our_sender = is_at(envelope.sender.as_bytes(), &self.options.our_senders, &[]);
        let refused = match (has_token, self.options.mode) {
            (false, _) if is_report && !cut => {
                self.news.push_back(Output::Count(Count::ReportNotOurs));
                return self.answer("250 2.0.0 no report of ours; dropped");
            }
            (false, _) => {
                let contact = &self.options.contact;
                let reply = format!("550 5.7.1 no test message of ours; people are reached at <{contact}>");
                self.news.push_back(Output::Count(Count::NotOurs));
                return self.answer(&reply);
            }
            (true, _) if cut => Some("552 5.3.4 too long"),
            (true, Mode::Refuse) if is_our_sender => Some("550 5.7.1 relayprobe: seen, not delivered"),
            (true, Mode::Accept | Mode::Refuse) => None,
        };
        let handover = if refused.is_some() { Handover::Refused } else { Handover::Taken };
        let reply = refused.unwrap_or("250 2.0.0 Ok").into();
        self.hand_over(handover, envelope, message, InHand::Message { reply });
    }

    /// A message broke off.
    fn on_interrupted(&mut self, body: Body) {
        let Some(envelope) = self.take_envelope() else { return };
        let (message, _) = body.into_message();
        if envelope_has_token(&envelope) || message_has_token(&message) {
            self.hand_over(Handover::Interrupted, envelope, message, InHand::Part);
        } else {
            self.news.push_back(Output::Count(Count::HintNotOurs));
        }
    }

    /// A transaction ends without a message. Nothing is kept of people's addresses.
    fn on_dropped(&mut self) {
        match self.take_envelope() {
            Some(envelope) if envelope.recipients.is_empty() => {}
            Some(envelope) if envelope_has_token(&envelope) => {
                self.hand_over(Handover::Recipient, envelope, Vec::new(), InHand::Part);
            }
            Some(_) => self.news.push_back(Output::Count(Count::HintNotOurs)),
            None => {}
        }
    }

    fn take_envelope(&mut self) -> Option<Envelope> {
        let (sender, recipients) = self.transaction.take()?;
        Some(Envelope { by: None, peer: self.peer, helo: self.helo.clone(), sender, recipients })
    }

    fn hand_over(&mut self, handover: Handover, envelope: Envelope, message: Vec<u8>, in_hand: InHand) {
        let message = message.into();
        let arrival = Arrival { at: self.now, handover, envelope: Some(envelope), message };
        self.news.push_back(Output::Arrived(arrival));
        self.in_hand = in_hand;
    }

    fn offer(&mut self) {
        let (host, size) = (&self.options.host, self.options.limits.message);
        let reply = format!(
            "250-{host}\r\n250-PIPELINING\r\n250-SIZE {size}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
             250-ENHANCEDSTATUSCODES\r\n250 DSN"
        );
        self.say(&reply);
    }

    fn answer(&mut self, reply: &str) {
        self.say(reply);
        if reply.starts_with(['4', '5']) {
            self.errors = self.errors.saturating_add(1);
        }
        if self.errors >= self.options.limits.errors && !matches!(self.phase, Phase::Over) {
            self.hang_up(&format!("421 4.7.0 {} has seen too many errors", self.options.host));
        }
    }

    fn hang_up(&mut self, reply: &str) {
        self.say(reply);
        self.on_dropped();
        self.phase = Phase::Over;
        self.input = Vec::new();
        self.done = 0;
    }

    fn say(&mut self, reply: &str) {
        self.replies.extend_from_slice(reply.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests;
