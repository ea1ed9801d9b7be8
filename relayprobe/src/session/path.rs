//! What a session learns of one way in.

use alloc::vec::Vec;
use core::time::Duration;

use super::budget::SCOUT_REFUSALS;
use super::dialogue::Dialogue;
use super::watch::Watch;
use crate::matrix::Hello;
use crate::plan::{Budget, millis};
use crate::target::Tls;
use crate::transcript::{Astray, Class, Connection, Entry, Ledger, Step, What};

/// Failed connections, or busy greetings, after which a path is given up.
const PATIENCE: u8 = 3;

/// What was learnt of one path.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is learnt apart from the others")]
pub(super) struct PathState {
    pub(super) health: Health,
    /// EHLO ended the connection: HELO from now on.
    pub(super) old_verb: bool,
    /// A group was asked: the next may be larger.
    pub(super) scouted: bool,
    /// Senders are refused here, whoever they are.
    pub(super) mail_refused: bool,
    /// Probes that were accepted.
    pub(super) accepted: Vec<u16>,
    pub(super) watch: Watch,
    /// A greeting was seen: the path leads to a server.
    greeted: bool,
    failures: u8,
    busy: u8,
    /// Refusals that the server took before it cut a connection off.
    limit: Option<u16>,
}

/// Whether a path is worth another connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Health {
    #[default]
    Open,
    /// Not asked until the server wants TLS in the clear.
    Asleep,
    Dead,
}

impl PathState {
    pub(super) fn new(health: Health) -> Self {
        Self { health, ..Self::default() }
    }

    /// What one connection may ask.
    pub(super) fn budget(&self, dialogue: &Dialogue) -> Budget {
        let mut budget = dialogue.kind().budget();
        if !self.scouted && *dialogue.hello() == Hello::Own {
            budget.refusals = budget.refusals.min(SCOUT_REFUSALS);
        }
        for limit in [self.limit, self.watch.limit].into_iter().flatten() {
            budget.refusals = budget.refusals.min(limit);
        }
        budget
    }

    /// Learns from a connection that is over; `is_control` tells the probes that a server should accept.
    pub(super) fn learn(
        &mut self,
        connection: &Connection,
        ledger: &Ledger,
        tls: Tls,
        is_control: impl Fn(u16) -> bool,
    ) {
        self.learn_greeting(ledger);
        self.learn_closing(ledger);
        self.learn_hello(connection, ledger);
        self.learn_tls(connection, ledger, tls);
        self.learn_limit(connection, ledger);
        let refused =
            |answer: &crate::transcript::Answer| answer.step == Step::Mail && is_control(answer.probe);
        self.mail_refused |= ledger.answers().iter().any(refused);
    }

    /// How long to stay away from a server that said it was busy or is closing; longer each time that it gave nothing.
    pub(super) fn busy_wait(
        &self,
        connection: &Connection,
        ledger: &Ledger,
        backoff: u64,
    ) -> Option<Duration> {
        let busy = is_put_off(connection, ledger) || ledger.is_closing();
        busy.then(|| millis(backoff.saturating_mul(1 << self.busy.min(6)) / 2))
    }

    fn learn_greeting(&mut self, ledger: &Ledger) {
        match ledger.turns().first().map(|turn| (turn.class, turn.code)) {
            Some((Class::Done, _)) => self.greeted = true,
            Some((Class::Refused | Class::Closing, code)) if !code.is_permanent() => self.wait_for_it(),
            Some((Class::Refused | Class::Closing | Class::GoOn | Class::Odd, _)) => {
                self.health = Health::Dead;
            }
            // It could not be reached, said nothing, or is no mail server.
            None if !self.greeted => self.health = Health::Dead,
            None => {}
        }
    }

    /// It is busy: a few times in a row are enough.
    fn wait_for_it(&mut self) {
        self.busy += 1;
        if self.busy >= PATIENCE {
            self.health = Health::Dead;
        }
    }

    /// A server that leaves without having answered anything is as busy as one that says so at once.
    fn learn_closing(&mut self, ledger: &Ledger) {
        if ledger.is_greeted() && ledger.is_closing() && ledger.answers().is_empty() {
            self.wait_for_it();
        } else if !ledger.answers().is_empty() {
            self.busy = 0;
        }
    }

    fn learn_hello(&mut self, connection: &Connection, ledger: &Ledger) {
        let own = connection.hello == Hello::Own;
        let refused = has(ledger, Step::Hello, Class::Refused);
        let asked = ledger.turns().iter().any(|turn| turn.asked.step == Step::Mail);
        let greeted = ledger.is_greeted();
        // A connection that ends before any envelope leads nowhere; a few of them in a row are enough. Under another
        // name than our own that is an answer to the name.
        if asked {
            self.failures = 0;
        } else if own || !greeted {
            self.failures += 1;
        }
        if self.failures >= PATIENCE {
            self.health = Health::Dead;
        }
        if greeted && is_put_off(connection, ledger) {
            self.wait_for_it();
        } else if greeted && own && !has(ledger, Step::Hello, Class::Done) && self.health == Health::Open {
            // EHLO was refused and HELO too, or the connection ended on HELO: another may end on EHLO beside this one.
            let is_old_verb = |entry: &Entry| match &entry.what {
                What::Command { octets, .. } => octets.as_bytes().starts_with(b"HELO"),
                _ => false,
            };
            if refused || connection.entries.iter().any(is_old_verb) {
                self.health = Health::Dead;
            }
            self.old_verb = true;
        }
    }

    fn learn_tls(&mut self, connection: &Connection, ledger: &Ledger, tls: Tls) {
        let upgrades = matches!(tls, Tls::StartTls | Tls::StartTlsIfAsked);
        let not_offered = upgrades && has(ledger, Step::Hello, Class::Done);
        if !connection.is_secured() && (connection.began_tls() || not_offered) {
            self.health = Health::Dead;
        }
    }

    /// A server that cuts a connection off has shown how many refusals it takes.
    fn learn_limit(&mut self, connection: &Connection, ledger: &Ledger) {
        let cut = ledger.is_closing() || ledger.astray() == Some(Astray::Missing) || ends_in_loss(connection);
        let refusals = ledger.answers().iter().filter(|answer| !answer.code.is_positive()).count();
        if cut && refusals > 0 {
            let refusals = u16::try_from(refusals).unwrap_or(u16::MAX);
            self.limit = Some(self.limit.map_or(refusals, |known| known.min(refusals)));
        }
    }
}

/// Whether a server was busy when it was met. Under another name than our own, EHLO put off is an answer to the name.
fn is_put_off(connection: &Connection, ledger: &Ledger) -> bool {
    ledger.turns().iter().any(|turn| {
        let meets = turn.asked.step == Step::Greeting
            || turn.asked.step == Step::Hello && connection.hello == Hello::Own;
        meets && turn.class == Class::Refused && !turn.code.is_permanent()
    })
}

fn has(ledger: &Ledger, step: Step, class: Class) -> bool {
    ledger.turns().iter().any(|turn| turn.asked.step == step && turn.class == class)
}

fn ends_in_loss(connection: &Connection) -> bool {
    // A server may end the connection after QUIT as it likes.
    let quit =
        connection.entries.iter().any(|entry| matches!(entry.what, What::Command { step: Step::Quit, .. }));
    let lost = connection
        .entries
        .iter()
        .any(|entry| matches!(entry.what, What::Lost { .. } | What::Deadline { .. }));
    lost && !quit
}
