//! A run against a server that does anything, at any moment.

mod findings;
mod server;

use relayprobe::link::{ConnId, Loss, TlsFacts};
use relayprobe::moment::Moment;
use relayprobe::session::{Input, Output};
use relayprobe::{Report, Session};

use crate::plans;
use crate::reader::Reader;
use server::{Arrival, Peer};

/// How far the server goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manners {
    /// Every reply is a whole one; replies come doubled, late, swapped or not at all.
    Replies,
    /// Any octets, and any answer to anything that the session begins.
    Anything,
}

/// Steps of the loop after which a run is taken for endless.
const STEPS: usize = 200_000;

/// A session against any octets.
pub(crate) fn check(octets: &[u8]) {
    run(octets, Manners::Anything);
}

/// A session against whole replies that are doubled, late, swapped or missing.
pub(crate) fn check_pairing(octets: &[u8]) {
    run(octets, Manners::Replies);
}

fn run(octets: &[u8], manners: Manners) {
    let mut choices = Reader(octets);
    let wishes = choices.octet();
    let server = choices.octet();
    let mut world = World {
        session: Session::new(plans::of(wishes), START),
        peers: Vec::new(),
        past: Vec::new(),
        choices,
        manners,
        server,
        now: START,
    };
    world.run();
    let ended: Vec<Peer> = world.past.into_iter().chain(world.peers).collect();
    let (record, transcript) = world.session.into_parts();
    let report = Report::new(record, transcript);
    findings::check(&report, &ended);
    if server & 0x80 != 0 {
        let again = Report::from_json(&report.to_json()).expect("a report can be read again");
        assert!(again == report, "a stored report is another one");
        let _shown = (report.text(), report.transcript_text());
    }
}

const START: Moment = Moment::from_micros(1_000_000);

/// The session, its server, and the time.
struct World<'a> {
    session: Session,
    peers: Vec<Peer>,
    past: Vec<Peer>,
    choices: Reader<'a>,
    manners: Manners,
    server: u8,
    now: Moment,
}

impl World<'_> {
    fn run(&mut self) {
        for _ in 0..STEPS {
            match self.session.poll_output() {
                Output::Connect(id, _) => {
                    assert!(self.known().all(|peer| peer.id != id), "a number is used twice");
                    self.peers.push(Peer::new(id, self.server, &mut self.choices, self.manners));
                    assert!(self.peers.len() <= 3, "more than three connections at once");
                }
                Output::Send(id, octets) => {
                    let peer = self.peers.iter_mut().find(|peer| peer.id == id);
                    peer.expect("what is written to is open").take(&octets, &mut self.choices, self.manners);
                }
                Output::StartTls(id, _) => {
                    let peer = self.peers.iter_mut().find(|peer| peer.id == id);
                    peer.expect("what is secured is open").shake(&mut self.choices);
                }
                Output::Close(id) => self.forget(id),
                Output::Wait(until) => self.wait(until),
                Output::Finished => return,
                _ => {}
            }
        }
        panic!("the run does not end");
    }

    fn known(&self) -> impl Iterator<Item = &Peer> {
        self.peers.iter().chain(&self.past)
    }

    fn forget(&mut self, id: ConnId) {
        if let Some(at) = self.peers.iter().position(|peer| peer.id == id) {
            let mut peer = self.peers.swap_remove(at);
            peer.arriving.clear();
            self.past.push(peer);
        }
    }

    /// Something happens: what is on its way arrives, or time passes, or what should not happen does.
    fn wait(&mut self, until: Moment) {
        let quiet = until <= self.now;
        let choice = self.choices.octet();
        match choice {
            // It stays on its way while time passes.
            0xe0..=0xe7 if !quiet => {
                let part = until.since(self.now) / u32::from(choice & 7).max(1);
                self.now = self.now.after(part);
                self.session.handle_input(Input::Tick, self.now);
            }
            // A driver that did not hand over what had arrived: it comes right behind the write.
            0xe8..=0xeb => self.tick(until),
            0xec..=0xef if self.manners == Manners::Anything => self.nonsense(choice),
            0xf0 if self.manners == Manners::Anything => self.session.stop(self.now),
            // Time does not go back, whatever the clock says.
            0xf1 => self.session.handle_input(Input::Tick, Moment::ZERO),
            _ => {
                let arriving: Vec<usize> =
                    (0..self.peers.len()).filter(|&at| !self.peers[at].arriving.is_empty()).collect();
                match arriving.get(usize::from(choice) % arriving.len().max(1)) {
                    Some(&at) => self.deliver(at, choice),
                    None => self.tick(until),
                }
            }
        }
    }

    fn tick(&mut self, until: Moment) {
        self.now = self.now.max(until);
        self.session.handle_input(Input::Tick, self.now);
    }

    /// What nobody began, for connections that are there and that are not.
    fn nonsense(&mut self, choice: u8) {
        let id = ConnId(u32::from(self.choices.octet() % 8));
        let (session, now) = (&mut self.session, self.now);
        // A loss is no nonsense: connections end at any time.
        let open = self.peers.iter_mut().find(|peer| peer.id == id);
        if let Some(peer) = open {
            peer.wild = true;
        }
        match choice {
            0xec => session.handle_input(Input::Received(id, self.choices.octets(20)), now),
            0xed => session.handle_input(Input::Sent(id), now),
            0xee => session.handle_input(Input::Connected(id), now),
            _ => session.handle_input(Input::Secured(id, facts()), now),
        }
    }

    fn deliver(&mut self, at: usize, choice: u8) {
        let peer = &mut self.peers[at];
        let id = peer.id;
        let Some(arrival) = peer.arriving.pop_front() else { return };
        let (session, now) = (&mut self.session, self.now);
        match arrival {
            Arrival::Connected => session.handle_input(Input::Connected(id), now),
            Arrival::Sent => session.handle_input(Input::Sent(id), now),
            Arrival::Secured => session.handle_input(Input::Secured(id, facts()), now),
            Arrival::Octets(octets) => {
                let cut = if choice & 0x40 == 0 { octets.len() } else { octets.len() / 2 };
                let (now_here, later) = octets.split_at(cut);
                if !later.is_empty() {
                    peer.arriving.push_front(Arrival::Octets(later.to_vec()));
                }
                session.handle_input(Input::Received(id, now_here), now);
            }
            Arrival::Lost(loss) => {
                session.handle_input(Input::Lost(id, loss), now);
                self.forget(id);
            }
        }
    }
}

fn facts() -> TlsFacts {
    TlsFacts::new("TLSv1_3".into(), "TLS13_AES_256_GCM_SHA384".into(), Vec::new())
}

/// A loss, by choice.
fn loss(choice: u8) -> Loss {
    const LOSSES: [Loss; 6] =
        [Loss::Closed, Loss::Reset, Loss::TimedOut, Loss::Refused, Loss::Prohibited, Loss::Other];
    LOSSES[usize::from(choice) % LOSSES.len()]
}
