//! What a receiving server counts.

use core::sync::atomic::{AtomicU64, Ordering};

/// Something that is counted and not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Count {
    /// A message without a token was refused.
    NotOurs,
    /// A report without a token was taken and dropped.
    ReportNotOurs,
    /// Recipients without a token were named, or a message without one broke off.
    HintNotOurs,
    /// A recipient elsewhere was refused.
    Stranger,
}

/// What came to a receiving server since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections that were served.
    pub connections: u64,
    /// Connections that were turned away because there were too many.
    pub turned_away: u64,
    /// Messages taken and kept.
    pub taken: u64,
    /// Messages looked at and refused: [`Mode::Refuse`](crate::sink::Mode::Refuse), or too long.
    pub refused: u64,
    /// Messages that broke off.
    pub interrupted: u64,
    /// Transactions that named recipients and no more.
    pub hints: u64,
    /// Messages without a token, refused.
    pub not_ours: u64,
    /// Reports without a token, taken and dropped.
    pub reports_not_ours: u64,
    /// Transactions without a token that got no further than recipients or half a message.
    pub hints_not_ours: u64,
    /// Recipients elsewhere, refused.
    pub strangers: u64,
    /// Arrivals that could not be kept; their clients were told to come again.
    pub not_kept: u64,
}

/// The same, counted by many threads.
#[derive(Debug, Default)]
pub(crate) struct Counters([AtomicU64; 11]);

/// One of [`Counters`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counter {
    Connections,
    TurnedAway,
    Taken,
    Refused,
    Interrupted,
    Hints,
    NotOurs,
    ReportsNotOurs,
    HintsNotOurs,
    Strangers,
    NotKept,
}

impl Counters {
    pub(crate) fn add(&self, counter: Counter) {
        if let Some(number) = self.0.get(counter as usize) {
            number.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> Counts {
        let of = |counter: Counter| {
            self.0.get(counter as usize).map_or(0, |number| number.load(Ordering::Relaxed))
        };
        Counts {
            connections: of(Counter::Connections),
            turned_away: of(Counter::TurnedAway),
            taken: of(Counter::Taken),
            refused: of(Counter::Refused),
            interrupted: of(Counter::Interrupted),
            hints: of(Counter::Hints),
            not_ours: of(Counter::NotOurs),
            reports_not_ours: of(Counter::ReportsNotOurs),
            hints_not_ours: of(Counter::HintsNotOurs),
            strangers: of(Counter::Strangers),
            not_kept: of(Counter::NotKept),
        }
    }
}

impl From<Count> for Counter {
    fn from(count: Count) -> Self {
        match count {
            Count::NotOurs => Self::NotOurs,
            Count::ReportNotOurs => Self::ReportsNotOurs,
            Count::HintNotOurs => Self::HintsNotOurs,
            Count::Stranger => Self::Strangers,
        }
    }
}
