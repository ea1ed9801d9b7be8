//! Whether refusals may be about how many there were.
//!
//! A server may refuse whatever it is asked once it has refused enough, in words that give no reason, and spare its
//! postmaster. Recipients that it refuses from the start show it: they are asked for once more behind refusals that
//! give none.

use alloc::vec::Vec;

use crate::matrix::{self, Case};
use crate::octets::Octets;
use crate::refusal::{Likeness, Why, came_later, likeness};
use crate::transcript::{Answer, Connection, Ledger};
use crate::wire::{Reader, Reply};

/// The controls that show it: an invented mailbox of the server's own, and one elsewhere, should its own be spared.
pub(super) const CONTROLS: [&str; 2] = [matrix::UNKNOWN_LOCAL, matrix::UNRELATED_EXTERNAL];

/// What was learnt of refusals on one path.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    controls: [Control; CONTROLS.len()],
    /// Refusals that a connection stands before the words change.
    pub(super) limit: Option<u16>,
    /// Fewer did not help: to ask again would only add to them.
    lasts: bool,
}

impl Watch {
    /// The controls that are asked for behind each group.
    pub(super) fn on(&self) -> impl Iterator<Item = &'static str> + use<> {
        let on = self.controls.each_ref().map(|control| control.is_on);
        CONTROLS.into_iter().zip(on).filter_map(|(control, is_on)| is_on.then_some(control))
    }

    /// Learns from a connection: the probes to be asked again, since their refusals gave no reason and a control was
    /// not asked for behind them, or has come to be refused like them. `relay` is the case of a probe that may be asked
    /// again.
    pub(super) fn learn<'a>(
        &mut self,
        connection: &Connection,
        ledger: &Ledger,
        controls: [Option<u16>; CONTROLS.len()],
        relay: impl Fn(u16) -> Option<&'a Case>,
    ) -> Vec<u16> {
        let plain = Said::of(connection, ledger, |probe| relay(probe).is_some_and(Case::is_plain));
        let said = controls.map(|control| Said::of(connection, ledger, |probe| Some(probe) == control));
        let [own, elsewhere] = &mut self.controls;
        let [of_own, of_elsewhere] = &said;
        own.meet(of_own.as_ref(), None);
        elsewhere.meet(of_elsewhere.as_ref(), plain.as_ref());
        let limited = self.limit.is_some();
        let mut reader = Reader::default();
        let mut again = Vec::new();
        let mut refusals = 0_u16;
        let refused = ledger.answers().iter().enumerate().filter(|(_, answer)| !answer.code.is_positive());
        for (at, answer) in refused {
            if relay(answer.probe).is_some()
                && let Some(refusal) = connection.reply(answer.entry)
                && gives_no_reason(&mut reader, answer, refusal)
            {
                let beside = self.controls.iter_mut().zip(&said).zip(controls);
                let asked = beside.filter(|(_, probe)| probe.is_some());
                let sign =
                    asked.filter_map(|((control, said), _)| control.sign(refusal, at, said.as_ref())).max();
                if sign == Some(Sign::Alike) {
                    self.lasts |= limited;
                    // The controls themselves may be refused beyond them.
                    self.limit.get_or_insert(refusals.saturating_add(1));
                }
                again.extend(sign.map(|_| answer.probe));
            }
            refusals = refusals.saturating_add(1);
        }
        if self.lasts {
            self.limit = None;
            self.controls.iter_mut().for_each(|control| control.is_on = false);
            again.clear();
        }
        again
    }
}

/// One of the [`CONTROLS`].
#[derive(Clone, Debug, Default)]
struct Control {
    /// What it was told at first.
    first: Option<Octets>,
    /// What a plain case was told at first, for the control elsewhere: to be told the same later shows nothing.
    plain: Option<Octets>,
    /// From now on it is asked for behind each group.
    is_on: bool,
}

/// What a refusal shows beside a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    /// The control was not asked for behind it.
    Unwatched,
    /// The control has come to be refused like it.
    Alike,
}

impl Control {
    fn meet(&mut self, said: Option<&Said<'_>>, plain: Option<&Said<'_>>) {
        let first = |kept: &mut Option<Octets>, said: Option<&Said<'_>>| {
            if kept.is_none() {
                *kept = said.map(|said| said.first.clone());
            }
        };
        first(&mut self.first, said);
        first(&mut self.plain, plain);
    }

    fn sign(&mut self, refusal: &Octets, at: usize, said: Option<&Said<'_>>) -> Option<Sign> {
        let is_told = |first: &Octets| likeness(refusal, first) == Likeness::WordsAndCodes;
        if [&self.first, &self.plain].into_iter().flatten().any(is_told) {
            return None;
        }
        self.is_on = true;
        match said.filter(|said| said.at > at) {
            Some(said) => came_later(refusal, self.first.as_ref(), said.last).then_some(Sign::Alike),
            None => Some(Sign::Unwatched),
        }
    }
}

/// What some probe was told for good on a connection.
struct Said<'a> {
    first: &'a Octets,
    last: &'a Octets,
    /// The place of the last among the answers.
    at: usize,
}

impl<'a> Said<'a> {
    fn of(connection: &'a Connection, ledger: &Ledger, of: impl Fn(u16) -> bool) -> Option<Self> {
        let answers = ledger.answers().iter().enumerate();
        let lasting = answers.filter(|(_, answer)| !answer.code.is_transient() && of(answer.probe));
        let mut all = lasting.filter_map(|(at, answer)| Some((at, connection.reply(answer.entry)?)));
        let first = all.next()?;
        let (at, last) = all.last().unwrap_or(first);
        Some(Self { first: first.1, last, at })
    }
}

fn gives_no_reason(reader: &mut Reader, answer: &Answer, reply: &Octets) -> bool {
    let Ok(reply) = Reply::parse(reply.as_bytes()) else { return false };
    if !answer.code.is_permanent() {
        return false;
    }
    let words = reader.read(reply);
    !Why::read(answer.step, &words).is_in_words(&words)
}
