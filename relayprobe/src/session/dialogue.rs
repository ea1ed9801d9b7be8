//! One connection: commands in flight, replies in turn.

mod course;
mod keep;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use super::Origin;
use super::budget::Kind;
use super::io::Output;
use super::queue::Item;
use super::script::{Line, Opening, Window};
use crate::address::Domain;
use crate::link::{ConnId, Loss, TlsFacts};
use crate::matrix::Hello;
use crate::moment::Moment;
use crate::octets::Octets;
use crate::plan::{Limits, millis};
use crate::target::Tls;
use crate::transcript::{Astray, Connection, Ledger, Step, What};
use crate::wire::{Ehlo, ReplyDecoder};
use keep::EVIDENCE;

#[derive(Clone, Debug)]
enum Phase {
    Connecting,
    /// About to write: first, everything that has arrived must have been read.
    Settling(Then),
    Writing,
    Listening,
    Handshaking,
    /// Introduced: the session gives it a script.
    Ready,
    Over,
}

#[derive(Clone, Debug)]
enum Then {
    Write(Vec<Line>),
    BeginTls,
}

/// One connection of a session.
#[derive(Debug)]
pub(super) struct Dialogue {
    /// The probes it was given.
    pub(super) taken: Vec<u16>,
    kin: u16,
    opening: Opening,
    phase: Phase,
    decoder: ReplyDecoder,
    ledger: Ledger,
    script: VecDeque<Line>,
    window: Window,
    ehlo: Ehlo,
    kind: Kind,
    given: bool,
    secured: bool,
    /// Octets in the clear after STARTTLS was agreed.
    clear: Vec<u8>,
    received: u64,
    kept: u64,
    deadline: Moment,
    last: Moment,
    origin: Origin,
    record: Connection,
}

impl Dialogue {
    /// A connection for an item whose TCP connect begins now; times are recorded from `origin` on.
    pub(super) fn new(
        id: ConnId,
        item: &Item,
        hello: Hello,
        opening: Opening,
        limits: &Limits,
        origin: Origin,
        now: Moment,
    ) -> Self {
        Self {
            // Until it is given its group, the connection is this probe's: it may be refused for its HELO name.
            taken: [item.probe].into(),
            kin: item.kin,
            opening,
            phase: Phase::Connecting,
            decoder: ReplyDecoder::new(limits.reply),
            ledger: Ledger::new(),
            script: VecDeque::new(),
            window: Window::Lockstep,
            ehlo: Ehlo::default(),
            kind: Kind::Unknown,
            given: false,
            secured: false,
            clear: Vec::new(),
            received: 0,
            kept: 0,
            deadline: now.after(millis(limits.deadlines.connect)),
            last: now.after(millis(limits.deadlines.connection)),
            origin,
            record: Connection { id, path: item.path, hello, begun: origin.at(now), entries: Vec::new() },
        }
    }

    pub(super) const fn id(&self) -> ConnId {
        self.record.id
    }

    pub(super) const fn path(&self) -> u16 {
        self.record.path
    }

    pub(super) const fn kin(&self) -> u16 {
        self.kin
    }

    pub(super) const fn hello(&self) -> &Hello {
        &self.record.hello
    }

    /// What the server calls itself.
    pub(super) fn host(&self) -> Option<Domain> {
        self.record.host(&self.ledger)
    }

    pub(super) const fn ehlo(&self) -> &Ehlo {
        &self.ehlo
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) const fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    /// Whether the session has still to give it commands.
    pub(super) const fn wants_script(&self) -> bool {
        !self.given && !self.is_over()
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    pub(super) fn into_parts(self) -> (Connection, Ledger) {
        (self.record, self.ledger)
    }

    /// When it must be looked at again, at the latest.
    pub(super) fn due(&self) -> Moment {
        match self.phase {
            Phase::Settling(_) | Phase::Over => Moment::ZERO,
            Phase::Connecting | Phase::Writing | Phase::Listening | Phase::Handshaking | Phase::Ready => {
                self.deadline.min(self.last)
            }
        }
    }

    /// Gives an introduced connection its commands; the last is QUIT.
    pub(super) fn give(&mut self, script: VecDeque<Line>, window: Window) {
        self.given = true;
        self.make_room(script.len());
        self.script = script;
        self.window = window;
        self.go_on();
    }

    /// Ends politely: QUIT once what is in flight has been answered.
    pub(super) fn stop(&mut self, limits: &Limits, now: Moment, out: &mut VecDeque<Output>) {
        match self.phase {
            Phase::Over => {}
            Phase::Connecting | Phase::Handshaking => self.close(now, out),
            // Before its greeting a server is not spoken to, and where it waits for a message QUIT would be one.
            Phase::Listening if self.step() == Step::Greeting => self.close(now, out),
            Phase::Settling(_) if self.ledger.wants_message() => self.close(now, out),
            Phase::Settling(_) | Phase::Ready => self.quit(),
            Phase::Writing | Phase::Listening => {
                self.script.clear();
                // For all of them together: a server that is slow with each has no claim to more.
                self.last = self.last.min(now.after(millis(limits.deadlines.quit)));
            }
        }
    }

    pub(super) fn on_connected(&mut self, limits: &Limits, now: Moment, out: &mut VecDeque<Output>) {
        if !matches!(self.phase, Phase::Connecting) {
            return;
        }
        self.note(now, What::Connected);
        self.ledger.connected();
        if self.opening.tls == Tls::Implicit {
            self.begin_tls(limits, now, out);
        } else {
            self.listen(limits, now);
        }
    }

    pub(super) fn on_secured(&mut self, facts: TlsFacts, limits: &Limits, now: Moment) {
        if !matches!(self.phase, Phase::Handshaking) {
            return;
        }
        self.note(now, What::Secured { tls: Box::new(facts) });
        self.secured = true;
        // Everything said in the clear is forgotten (RFC 3207 §4.2).
        self.ehlo = Ehlo::default();
        if self.opening.tls == Tls::Implicit { self.listen(limits, now) } else { self.introduce() }
    }

    pub(super) fn on_sent(&mut self, limits: &Limits, now: Moment) {
        if matches!(self.phase, Phase::Writing) {
            self.phase = Phase::Listening;
            self.listen(limits, now);
        }
    }

    pub(super) fn on_lost(&mut self, loss: Loss, now: Moment) {
        if self.is_over() {
            return;
        }
        self.note_unfinished(now);
        self.note(now, What::Lost { loss });
        self.ledger.cut_off();
        self.phase = Phase::Over;
    }

    pub(super) fn on_received(
        &mut self,
        octets: &[u8],
        limits: &Limits,
        now: Moment,
        out: &mut VecDeque<Output>,
    ) {
        self.received = self.received.saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
        let mut rest = octets;
        let mut piece = None;
        while !rest.is_empty() && !self.is_over() {
            if matches!(self.phase, Phase::Settling(Then::BeginTls) | Phase::Handshaking) {
                let room = EVIDENCE.saturating_sub(self.clear.len());
                self.clear.extend(rest.iter().take(room));
                break;
            }
            let (from, midway) = (octets.len() - rest.len(), self.decoder.is_midway());
            let Some(read) = self.decoder.read(&mut rest) else { break };
            let reply = read.map(|reply| {
                if midway {
                    return (reply.code(), reply.octets().into());
                }
                let piece: &Octets = piece.get_or_insert_with(|| octets.into());
                (reply.code(), piece.part(from..from + reply.octets().len()))
            });
            match reply {
                Ok((code, octets)) => {
                    if self.is_early() {
                        let how = self.ledger.lose_step(Astray::Early);
                        self.note(now, What::OutOfStep { how });
                    }
                    let entry = self.record.entries.len();
                    let (kept, cut) = self.keep_reply(octets.clone(), limits);
                    self.note(now, What::Reply { octets: kept, cut });
                    match self.ledger.answered(code, entry) {
                        Ok(turn) => self.next(turn, octets.as_bytes(), limits, now, out),
                        Err(Astray::Early) => self.close(now, out),
                        Err(how) => {
                            self.note(now, What::OutOfStep { how });
                            self.close(now, out);
                        }
                    }
                }
                Err(fault) => {
                    self.note_fault(fault, now);
                    self.close(now, out);
                }
            }
        }
        if self.received > limits.received_per_connection && !self.is_over() {
            self.note(now, What::Flood);
            self.ledger.cut_off();
            self.close(now, out);
        }
    }

    /// Time has passed, and all that has arrived has been handed over.
    pub(super) fn on_tick(&mut self, limits: &Limits, now: Moment, out: &mut VecDeque<Output>) {
        let then = match mem::replace(&mut self.phase, Phase::Over) {
            Phase::Settling(then) => then,
            phase => {
                self.phase = phase;
                return self.expire(now, out);
            }
        };
        match then {
            // The beginning of something that nobody asked for.
            _ if self.decoder.is_midway() => {
                self.note_unfinished(now);
                self.close(now, out);
            }
            Then::BeginTls if !self.clear.is_empty() => {
                let octets = mem::take(&mut self.clear).into();
                self.note(now, What::ClearAfterStartTls { octets });
                self.ledger.lose_step(Astray::Surplus);
                self.close(now, out);
            }
            Then::Write(lines) => self.write(lines, limits, now, out),
            Then::BeginTls => self.begin_tls(limits, now, out),
        }
    }

    /// Ends the connection if its time is over; a late reply is never paired with anything.
    pub(super) fn expire(&mut self, now: Moment, out: &mut VecDeque<Output>) {
        if self.is_over() || matches!(self.phase, Phase::Settling(_)) || now < self.deadline.min(self.last) {
            return;
        }
        let step = self.step();
        self.note_unfinished(now);
        self.note(now, What::Deadline { step });
        let never_spoke = step == Step::Greeting && self.received == 0 && now < self.last;
        self.ledger.cut_off();
        if never_spoke {
            // Leaving with QUIT (RFC 5321 §4.1.1.10) also shows whether another protocol waits for us to speak first.
            self.quit();
        } else {
            self.close(now, out);
        }
    }

    /// What the connection waits for.
    fn step(&self) -> Step {
        match self.phase {
            Phase::Connecting => Step::Connect,
            Phase::Handshaking => Step::Handshake,
            Phase::Settling(_) | Phase::Writing | Phase::Listening | Phase::Ready | Phase::Over => {
                self.ledger.next().map_or(Step::Quit, |asked| asked.step)
            }
        }
    }

    /// Whether a reply that comes now answers a message that is still being written.
    fn is_early(&self) -> bool {
        let message = self.ledger.next().is_some_and(|asked| asked.step == Step::Message);
        message && matches!(self.phase, Phase::Writing)
    }

    /// Writes what may be written now.
    fn go_on(&mut self) {
        let count = match self.window {
            // A message waits until its recipient was accepted, and may then open the next group (RFC 2920 §3.1).
            Window::Group => {
                1 + self.script.iter().skip(1).take_while(|line| line.step != Step::Message).count()
            }
            Window::Lockstep => 1,
        };
        let lines: Vec<Line> = if count < self.script.len() {
            self.script.drain(..count).collect()
        } else {
            // No room is kept: the answers may take long, and thousands of connections may wait for theirs.
            mem::take(&mut self.script).into()
        };
        if lines.is_empty() { self.quit() } else { self.settle(Then::Write(lines)) }
    }

    fn quit(&mut self) {
        self.script.clear();
        self.settle(Then::Write([Line::quit()].into()));
    }

    fn settle(&mut self, then: Then) {
        self.phase = Phase::Settling(then);
    }

    fn write(&mut self, lines: Vec<Line>, limits: &Limits, now: Moment, out: &mut VecDeque<Output>) {
        let mut group = Vec::with_capacity(lines.iter().map(|line| line.octets.as_bytes().len()).sum());
        self.ledger.expect(lines.len());
        for Line { step, probe, octets } in lines {
            group.extend_from_slice(octets.as_bytes());
            self.ledger.asked(step, probe);
            self.note(now, What::Command { step, probe, octets });
        }
        self.phase = Phase::Writing;
        self.deadline = now.after(millis(limits.deadlines.write));
        out.push_back(Output::Send(self.id(), group));
    }

    fn begin_tls(&mut self, limits: &Limits, now: Moment, out: &mut VecDeque<Output>) {
        self.note(now, What::TlsBegun);
        self.phase = Phase::Handshaking;
        self.deadline = now.after(millis(limits.deadlines.handshake));
        out.push_back(Output::StartTls(self.id(), self.opening.server_name.clone()));
    }

    /// Enters the wait for the next reply: its deadline covers the whole of it.
    fn listen(&mut self, limits: &Limits, now: Moment) {
        let Some(asked) = self.ledger.next() else {
            // Everything was answered while the last octets were still being written.
            self.go_on();
            return;
        };
        self.phase = Phase::Listening;
        let deadlines = &limits.deadlines;
        let span = match asked.step {
            Step::Connect => deadlines.connect,
            Step::Greeting => deadlines.greeting,
            Step::Hello | Step::StartTls => deadlines.hello,
            Step::Handshake => deadlines.handshake,
            Step::Mail | Step::OwnRcpt | Step::Rcpt | Step::Data => deadlines.envelope,
            Step::Message => deadlines.message,
            Step::Reset => deadlines.reset,
            Step::Quit => deadlines.quit,
        };
        self.deadline = now.after(millis(span));
    }

    fn close(&mut self, now: Moment, out: &mut VecDeque<Output>) {
        self.note(now, What::Closed);
        self.phase = Phase::Over;
        out.push_back(Output::Close(self.id()));
    }
}
