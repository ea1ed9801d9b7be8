//! What follows a reply.

use alloc::collections::VecDeque;

use super::{Dialogue, Phase, Then};
use crate::moment::Moment;
use crate::plan::Limits;
use crate::session::budget::Kind;
use crate::session::io::Output;
use crate::session::script::Line;
use crate::target::Tls;
use crate::transcript::{Class, Step, Turn};
use crate::wire::{CommandLine, Ehlo, Extension, Reply};

impl Dialogue {
    /// What follows a reply. Every pair of step and class is here.
    pub(super) fn next(
        &mut self,
        turn: Turn,
        octets: &[u8],
        limits: &Limits,
        now: Moment,
        out: &mut VecDeque<Output>,
    ) {
        match (turn.asked.step, turn.class) {
            (_, Class::Closing | Class::Odd) | (Step::Quit | Step::Connect | Step::Handshake, _) => {
                self.close(now, out);
            }
            // A message is sent where one was meant to follow and its recipient was accepted. Elsewhere the connection
            // ends: an unfinished message is no message (RFC 5321 §4.1.1.4).
            (_, Class::GoOn) if self.has_message_for(turn.asked.probe) => self.answered(limits, now),
            (_, Class::GoOn) => self.close(now, out),
            (Step::Greeting, Class::Done) => {
                self.kind = Kind::of(octets);
                self.introduce();
            }
            (Step::Hello, Class::Done) => self.introduced(octets),
            // 521 is an answer for every verb (RFC 7504 §3).
            (Step::Hello, Class::Refused)
                if turn.code.is_permanent()
                    && turn.code.number() != 521
                    && self.opening.fallback.is_some() =>
            {
                let fallback = self.opening.fallback.take();
                self.settle(Then::Write(fallback.into_iter().collect()));
            }
            (Step::StartTls, Class::Done) => self.settle(Then::BeginTls),
            (Step::Greeting | Step::Hello | Step::StartTls, Class::Refused) => self.quit(),
            (Step::Mail, Class::Refused) => {
                // Without a sender the rest of this transaction is pointless, and RSET too.
                let probe = turn.asked.probe;
                while self.script.front().is_some_and(|line| line.probe == probe || line.step == Step::Reset)
                {
                    self.script.pop_front();
                }
                self.answered(limits, now);
            }
            (Step::OwnRcpt | Step::Rcpt | Step::Data, Class::Refused) => {
                self.abandon_message(turn.asked.probe);
                self.answered(limits, now);
            }
            (
                Step::Mail | Step::OwnRcpt | Step::Rcpt | Step::Data | Step::Message | Step::Reset,
                Class::Done | Class::Refused,
            ) => self.answered(limits, now),
        }
    }

    /// A command was answered: wait for the next reply, or write the next command.
    pub(super) fn answered(&mut self, limits: &Limits, now: Moment) {
        if matches!(self.phase, Phase::Writing) {
            return;
        }
        if self.ledger.next().is_some() { self.listen(limits, now) } else { self.go_on() }
    }

    /// Whether the next thing to write is the message of this probe.
    pub(super) fn has_message_for(&self, probe: Option<u16>) -> bool {
        self.script.front().is_some_and(|line| line.step == Step::Message && line.probe == probe)
    }

    /// Without a recipient there is no message. What is left of the transaction is dropped, here and at the server.
    pub(super) fn abandon_message(&mut self, probe: Option<u16>) {
        let left = self.script.len();
        while self
            .script
            .front()
            .is_some_and(|line| line.probe == probe && matches!(line.step, Step::Data | Step::Message))
        {
            self.script.pop_front();
        }
        if self.script.len() < left {
            self.script.push_front(Line::reset());
        }
    }

    pub(super) fn introduce(&mut self) {
        match self.opening.hello.clone() {
            Some(line) => self.settle(Then::Write([line].into())),
            None => self.phase = Phase::Ready,
        }
    }

    pub(super) fn introduced(&mut self, octets: &[u8]) {
        if let Ok(reply) = Reply::parse(octets) {
            self.ehlo = Ehlo::read(&reply);
            if self.kind == Kind::Unknown {
                self.kind = Kind::of(octets);
            }
        }
        match self.opening.tls {
            Tls::StartTls | Tls::StartTlsIfAsked if !self.secured => {
                if self.ehlo.offers(Extension::StartTls) {
                    let line = Line::command(Step::StartTls, None, &CommandLine::STARTTLS);
                    self.settle(Then::Write([line].into()));
                } else {
                    self.quit();
                }
            }
            Tls::None | Tls::StartTls | Tls::StartTlsIfAsked | Tls::Implicit => self.phase = Phase::Ready,
        }
    }
}
