//! Which probes a connection gets, and their commands.

use alloc::vec::Vec;

use super::dialogue::Dialogue;
use super::queue::{Item, Stage};
use super::script::{Draft, Window};
use crate::matrix::{self, Case, Odd, Shape};
use crate::plan::{Budget, Names, Unfit};
use crate::transcript::Step;
use crate::wire::{Ehlo, SessionLimits};

/// A script being made for one connection.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) taken: Vec<u16>,
    draft: Draft,
    left: Budget,
    /// Transactions that are kept for controls at the end.
    reserved: u16,
    /// Recipients that may still be named: each may be in another domain.
    recipients: u16,
    window: Window,
    /// Whether a refused MAIL is known to be the rule here: each case then costs two errors in a group.
    mail_refused: bool,
    closed: bool,
    relays: bool,
}

/// What became of an item that was offered to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    Taken,
    /// It does not fit: another connection.
    Full,
    /// It cannot be asked of this server, or at all.
    Unfit,
}

impl Group {
    /// A group for at most so many items.
    pub(super) fn new(
        most: usize,
        budget: Budget,
        limits: SessionLimits,
        window: Window,
        mail_refused: bool,
    ) -> Self {
        let transactions = budget.transactions.min(limits.transactions);
        let most = most.min(usize::from(transactions));
        Self {
            taken: Vec::with_capacity(most),
            draft: Draft::with_room(most),
            left: Budget { transactions, ..budget },
            // One for the last control, or the first once more.
            reserved: 1,
            recipients: limits.domains,
            window,
            mail_refused,
            closed: false,
            relays: false,
        }
    }

    /// Keeps room for one more control at the end, which will be refused.
    pub(super) const fn reserve(&mut self) {
        self.reserved += 1;
        self.left.refusals = self.left.refusals.saturating_sub(1);
    }

    /// Takes an item if the budget has room for it.
    pub(super) fn offer(
        &mut self,
        item: &Item,
        case: &Case,
        odd: Odd,
        names: &Names<'_>,
        ehlo: &Ehlo,
    ) -> Offer {
        let met = case.needs.iter().all(|need| need.is_met_by(ehlo)) && case.shape.is_within(ehlo.limits());
        if names.unmet().is_some() || !met {
            return Offer::Unfit;
        }
        let cost = self.cost(case, odd);
        // A lone case always fits: otherwise it would never be asked.
        let fits = self.taken.is_empty()
            || (cost.refusals <= self.left.refusals
                && cost.odd <= self.left.odd
                && self.left.transactions > self.reserved
                && self.recipients >= case.shape.recipients().saturating_add(self.reserved));
        // An early DATA ends its group (RFC 2920 §3.1), so such a case is alone with its connection.
        let early = case.shape == Shape::EarlyData;
        let full = self.closed || !fits || (early && !self.taken.is_empty());
        // Hundreds of lines would be written again for each connection.
        if full && item.writable {
            return Offer::Full;
        }
        let before = self.draft.mark();
        let written = self.write(item.probe, case.shape, names).is_ok();
        if full || !written {
            self.draft.back_to(&before);
            return if written { Offer::Full } else { Offer::Unfit };
        }
        self.closed = early;
        self.relays |= !case.is_control();
        self.left.refusals = self.left.refusals.saturating_sub(cost.refusals);
        self.left.odd = self.left.odd.saturating_sub(cost.odd);
        self.taken.push(item.probe);
        self.count(case.shape);
        Offer::Taken
    }

    /// Whether it asks for more than controls.
    pub(super) const fn asks_relays(&self) -> bool {
        self.relays
    }

    /// Adds a control that was asked before, to see whether its answer is still the same.
    pub(super) fn check(&mut self, probe: u16, case: &Case, names: &Names<'_>) {
        if self.closed || self.left.transactions == 0 || self.recipients == 0 {
            return;
        }
        let before = self.draft.mark();
        match self.write(probe, case.shape, names) {
            Ok(()) => self.count(case.shape),
            Err(_) => self.draft.back_to(&before),
        }
    }

    /// Hands the script over.
    pub(super) fn give(mut self, dialogue: &mut Dialogue) {
        let window = if self.closed { Window::Group } else { self.window };
        // With DATA at the end of the group, QUIT must wait for its reply: the dialogue sends it by itself.
        if !self.closed {
            self.draft.quit();
        }
        dialogue.give(self.draft.into_lines(), window);
    }

    /// Writes the transaction of a probe, or a part of it before what cannot be written.
    fn write(&mut self, probe: u16, shape: Shape, names: &Names<'_>) -> Result<(), Unfit> {
        if !self.draft.is_empty() {
            self.draft.reset();
        }
        self.draft.push(Step::Mail, probe, |text| names.write_mail(text))?;
        if shape == Shape::LocalFirst {
            self.draft.push(Step::OwnRcpt, probe, |text| names.write_own_rcpt(text))?;
        }
        self.draft.push(Step::Rcpt, probe, |text| names.write_rcpt(text))?;
        if shape == Shape::EarlyData {
            self.draft.data(probe);
        }
        Ok(())
    }

    fn count(&mut self, shape: Shape) {
        self.left.transactions = self.left.transactions.saturating_sub(1);
        self.recipients = self.recipients.saturating_sub(shape.recipients());
    }

    fn cost(&self, case: &Case, odd: Odd) -> Budget {
        let refusable = match &*case.id {
            matrix::LOCAL_ACCEPT | matrix::END | matrix::NULL_LOCAL => 0,
            _ => 1,
        };
        let twice = self.mail_refused || odd == Odd::Sender;
        let refusals = refusable * (1 + u16::from(twice)) + u16::from(case.shape == Shape::EarlyData);
        let odd = match odd {
            Odd::No => 0,
            Odd::Recipient => 1,
            // Behind a verb that is not known, the recipient is out of order too.
            Odd::Sender => 1 + u16::from(self.window == Window::Group),
        };
        Budget { refusals, odd, transactions: 1 }
    }
}

/// How odd an item is: a control is as odd as what it takes from the case it stands beside.
pub(super) const fn oddity(case: &Case, beside: Option<&Case>, stage: Stage) -> Odd {
    match (beside, stage) {
        (None, _) => case.odd,
        (Some(beside), Stage::Repeat) => beside.odd,
        // It takes the sender only.
        (Some(beside), Stage::Ask | Stage::End | Stage::Prove) => match beside.odd {
            Odd::Sender => Odd::Sender,
            Odd::No | Odd::Recipient => Odd::No,
        },
    }
}
