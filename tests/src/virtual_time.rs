//! The bare session against a scripted server: no socket, and hours cost nothing.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use relayprobe::link::{ConnId, Loss, TlsFacts};
use relayprobe::moment::Moment;
use relayprobe::session::{Input, Output};
use relayprobe::{Plan, Report, Session};

use crate::dialogue::{Action, Dialogue};
use crate::script::{Intake, Server};

/// Where a dialogue's server is said to be.
pub const ADDRESS: &str = "127.0.0.1:2525";

/// A run in virtual time.
#[derive(Clone, Debug)]
pub struct Run {
    /// The report.
    pub report: Report,
    /// The server as the run left it.
    pub server: Server,
    /// Octets that were written, per write.
    pub writes: Vec<Vec<u8>>,
    /// Steps of the loop.
    pub steps: usize,
}

/// Something that asks as a session does: the session itself, or another language's way to it.
pub trait Engine {
    /// What to do next.
    fn poll(&mut self) -> Output;
    /// What happened.
    fn take(&mut self, input: Input<'_>, now: Moment);
}

impl Engine for Session {
    fn poll(&mut self) -> Output {
        self.poll_output()
    }

    fn take(&mut self, input: Input<'_>, now: Moment) {
        self.handle_input(input, now);
    }
}

/// What is left of a conversation.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The server as it was left.
    pub server: Server,
    /// Octets that were written, per write.
    pub writes: Vec<Vec<u8>>,
    /// Steps of the loop.
    pub steps: usize,
}

/// When every conversation begins.
pub const START: Moment = Moment::from_micros(1_000_000);

struct Peer {
    id: ConnId,
    intake: Intake,
    /// What the server sends, and when.
    arriving: VecDeque<(Moment, Arrival)>,
    busy_until: Moment,
    /// What is said once TLS is on.
    inside: Vec<Action>,
    secured: bool,
    closed: bool,
}

enum Arrival {
    Connected,
    Sent,
    Octets(Vec<u8>),
    Secured,
    Lost(Loss),
}

/// Runs a dialogue; the server's octets arrive in pieces of at most `piece` octets.
///
/// # Panics
/// If the session does not end within a million steps.
#[must_use]
pub fn run(dialogue: &Dialogue, piece: usize) -> Run {
    let address: SocketAddr = ADDRESS.parse().expect("an address");
    let mut run = drive(dialogue.plan(address), Server::new(dialogue), piece);
    dialogue.come_back(&mut run.report);
    run
}

/// Runs a plan against a scripted server.
///
/// # Panics
/// If the session does not end within a million steps.
#[must_use]
pub fn drive(plan: Plan, server: Server, piece: usize) -> Run {
    let mut session = Session::new(plan, START);
    let Conversation { server, writes, steps } = converse(&mut session, server, piece);
    let (record, transcript) = session.into_parts();
    Run { report: Report::new(record, transcript), server, writes, steps }
}

/// Lets a session, in whatever language, talk with a scripted server until it is finished.
///
/// # Panics
/// If the session does not end within a million steps.
#[must_use]
pub fn converse(session: &mut impl Engine, mut server: Server, piece: usize) -> Conversation {
    let mut now = START;
    let mut peers: Vec<Peer> = Vec::new();
    let mut writes = Vec::new();
    for step in 0..1_000_000 {
        match session.poll() {
            Output::Connect(id, _) => {
                let mut peer = Peer::new(id, now);
                let actions = server.connected();
                peer.act(actions, now, piece);
                peers.push(peer);
            }
            Output::Send(id, octets) => {
                writes.push(octets.clone());
                if let Some(peer) = peers.iter_mut().find(|peer| peer.id == id) {
                    peer.arriving.push_front((now, Arrival::Sent));
                    peer.take(&octets, &mut server, now, piece);
                }
            }
            Output::StartTls(id, _) => {
                if let Some(peer) = peers.iter_mut().find(|peer| peer.id == id) {
                    peer.handshake(now, piece, &server);
                }
            }
            Output::Close(id) => peers.retain(|peer| peer.id != id),
            Output::Wait(until) => {
                let next = peers
                    .iter()
                    .enumerate()
                    .filter_map(|(at, peer)| Some((peer.arriving.front()?.0, at)))
                    .min();
                match next {
                    Some((when, at)) if when <= until.max(now) => {
                        now = now.max(when);
                        peers[at].deliver(session, now);
                        peers.retain(|peer| !peer.closed || !peer.arriving.is_empty());
                    }
                    _ => {
                        now = now.max(until);
                        session.take(Input::Tick, now);
                    }
                }
            }
            Output::Finished => return Conversation { server, writes, steps: step },
            _ => {}
        }
    }
    panic!("the session does not end");
}

impl Peer {
    fn new(id: ConnId, now: Moment) -> Self {
        let arriving = VecDeque::from([(now, Arrival::Connected)]);
        Self {
            id,
            intake: Intake::default(),
            arriving,
            busy_until: now,
            inside: Vec::new(),
            secured: false,
            closed: false,
        }
    }

    fn act(&mut self, actions: Vec<Action>, now: Moment, piece: usize) {
        self.busy_until = self.busy_until.max(now);
        let mut actions = actions.into_iter();
        while let Some(action) = actions.next() {
            let when = self.busy_until;
            match action {
                Action::Send(octets) => {
                    for part in octets.chunks(piece.max(1)) {
                        self.arriving.push_back((when, Arrival::Octets(part.to_vec())));
                    }
                }
                Action::Wait(span) => self.busy_until = self.busy_until.after(span),
                Action::Close => self.lose(when, Loss::Closed),
                Action::Reset => self.lose(when, Loss::Reset),
                // What follows is said inside TLS.
                Action::Tls => self.inside = actions.by_ref().collect(),
                Action::Endless(pause, octets) => {
                    self.last_for_ever(pause, &octets);
                    break;
                }
                Action::HalfClose => self.lose(when, Loss::Closed),
                Action::Deaf => self.closed = true,
            }
        }
    }

    /// More than any limit allows, in octets or in time.
    fn last_for_ever(&mut self, pause: Duration, octets: &[u8]) {
        let (times, octets) = if pause.is_zero() {
            (32, octets.repeat(65_536 / octets.len().max(1)))
        } else {
            (5_000, octets.to_vec())
        };
        for _ in 0..times {
            self.arriving.push_back((self.busy_until, Arrival::Octets(octets.clone())));
            self.busy_until = self.busy_until.after(pause);
        }
        self.closed = true;
    }

    fn lose(&mut self, when: Moment, loss: Loss) {
        self.arriving.push_back((when, Arrival::Lost(loss)));
        self.closed = true;
    }

    fn take(&mut self, octets: &[u8], server: &mut Server, now: Moment, piece: usize) {
        self.intake.take(octets);
        while !self.closed
            && let Some(actions) = self.intake.next(server, self.secured)
        {
            self.act(actions, now, piece);
        }
    }

    fn handshake(&mut self, now: Moment, piece: usize, server: &Server) {
        let done = now.after(Duration::from_millis(1));
        if server.breaks_tls {
            self.arriving.push_back((done, Arrival::Lost(Loss::Tls)));
            return;
        }
        self.secured = true;
        self.arriving.push_back((done, Arrival::Secured));
        let inside = std::mem::take(&mut self.inside);
        self.act(inside, done, piece);
    }

    fn deliver(&mut self, session: &mut impl Engine, now: Moment) {
        let Some((_, arrival)) = self.arriving.pop_front() else { return };
        match arrival {
            Arrival::Connected => session.take(Input::Connected(self.id), now),
            Arrival::Sent => session.take(Input::Sent(self.id), now),
            Arrival::Octets(octets) => session.take(Input::Received(self.id, &octets), now),
            Arrival::Secured => {
                let facts = TlsFacts::new("TLSv1_3".into(), "TLS13_AES_256_GCM_SHA384".into(), Vec::new());
                session.take(Input::Secured(self.id, facts), now);
            }
            Arrival::Lost(loss) => session.take(Input::Lost(self.id, loss), now),
        }
    }
}
