//! Whether our own receiving server was there.

use alloc::vec::Vec;

use crate::matrix;
use crate::moment::Date;
use crate::outcome::Evidence;
use crate::receipt::{Receipt, ReceiptKind};

/// When a message of our own came by the way that a relay would take.
///
/// Only with one before the messages to the target and one after their window can it be said that nothing came.
pub(super) struct SinkHealth {
    first: Option<Date>,
    last: Option<Date>,
}

impl SinkHealth {
    pub(super) fn new(evidence: &Evidence<'_>, receipts: &[Receipt]) -> Self {
        let record = evidence.record;
        let receipts = || receipts.iter().filter(|receipt| receipt.run == record.run);
        let control = |receipt: &&Receipt| {
            let probe = record.probe(receipt.probe);
            let ours = probe.is_some_and(|probe| record.is_way_in(probe.path));
            ours && matches!(receipt.kind, ReceiptKind::Relayed | ReceiptKind::Attempted)
        };
        let silent = |receipt: &&Receipt| {
            let case = record.probe(receipt.probe).and_then(|probe| record.case(probe));
            case.is_some_and(|case| case.id == matrix::SILENCE)
        };
        let mut seen: Vec<Date> = receipts().filter(control).map(|receipt| receipt.at).collect();
        // A token that was never sent was seen: receipts mean nothing here.
        if receipts().any(|receipt| silent(&receipt)) {
            seen.clear();
        }
        Self { first: seen.iter().min().copied(), last: seen.iter().max().copied() }
    }

    /// Whether nothing can have been missed until `until`.
    pub(super) fn covers(&self, until: Date) -> bool {
        self.first.is_some_and(|first| first < until) && self.last.is_some_and(|last| last >= until)
    }
}
