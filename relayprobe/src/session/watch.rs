//! Whether refusals may be about how many there were.
//!
//! A server may refuse whatever it is asked once it has refused enough, in words that give no reason, and spare its
//! postmaster. An invented mailbox of its own shows it: it is asked for once more behind refusals that give none.

use alloc::vec::Vec;

use crate::octets::Octets;
use crate::refusal::{Why, came_later};
use crate::transcript::{Answer, Connection, Ledger};
use crate::wire::{Reader, Reply};

/// What was learnt of refusals on one path.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// What was said of the mailbox at first.
    first: Option<Octets>,
    /// A refusal gave no reason: from now on the mailbox is asked for behind each group.
    pub(super) is_on: bool,
    /// Refusals that a connection stands before the words change.
    pub(super) limit: Option<u16>,
    /// Fewer did not help: to ask again would only add to them.
    lasts: bool,
}

impl Watch {
    /// Learns from a connection; the probes that `is_relay` tells are to be asked again if their refusals gave no
    /// reason and `unknown`, the probe for the mailbox, was not asked behind them, or was refused in their words.
    pub(super) fn learn(
        &mut self,
        connection: &Connection,
        ledger: &Ledger,
        unknown: u16,
        is_relay: impl Fn(u16) -> bool,
    ) -> Vec<u16> {
        let answers = ledger.answers();
        let reply = |answer: &Answer| connection.reply(answer.entry);
        let is_watch = |answer: &Answer| answer.probe == unknown && !answer.code.is_transient();
        let watch = answers.iter().rposition(is_watch);
        let words = watch.and_then(|at| answers.get(at)).and_then(reply);
        let is_news = |reply: &Octets| {
            let both = self.first.as_ref().zip(words);
            both.is_some_and(|(first, words)| came_later(reply, Some(first), words))
        };
        let mut reader = Reader::default();
        let mut again = Vec::new();
        let mut refusals = 0_u16;
        let mut limit = None;
        let limited = self.limit.is_some();
        for (at, answer) in answers.iter().enumerate().filter(|(_, answer)| !answer.code.is_positive()) {
            if is_relay(answer.probe)
                && let Some(reply) = reply(answer).filter(|reply| gives_no_reason(&mut reader, answer, reply))
            {
                self.is_on = true;
                if watch.is_none_or(|watch| watch < at) {
                    again.push(answer.probe);
                } else if is_news(reply) {
                    self.lasts |= limited;
                    // The mailbox itself may be refused beyond them.
                    limit = limit.or(Some(refusals.saturating_add(1)));
                    again.push(answer.probe);
                }
            }
            refusals = refusals.saturating_add(1);
        }
        self.limit = self.limit.or(limit);
        if self.lasts {
            (self.limit, self.is_on) = (None, false);
            again.clear();
        }
        if self.first.is_none() {
            self.first = words.cloned();
        }
        again
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
