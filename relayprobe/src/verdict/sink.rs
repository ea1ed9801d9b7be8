//! Whether our own receiving server was there.

use alloc::collections::BTreeMap;

use crate::matrix;
use crate::moment::Date;
use crate::outcome::Evidence;
use crate::receipt::{Receipt, ReceiptKind};

/// Seconds that the first of our own messages may come after a message to the target began: clocks differ, and a
/// mailbox takes its time. No queue gives up so soon.
const SLACK: u64 = 60;

/// When messages of our own came by the way that a relay would take.
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
        // Nothing came before it was sent, whatever the clock of the receiving server says.
        let own = |of: u16| record.probe(of).is_some_and(|probe| record.is_way_in(probe.path));
        let sent =
            evidence.messages.iter().filter(|&&(of, _)| own(of)).map(|&(_, at)| record.date_at(at)).min();
        // A message that is found again, in a copy of a mailbox or because it was handed over twice, came once.
        let mut seen: BTreeMap<&str, Date> = BTreeMap::new();
        for receipt in receipts().filter(control) {
            let came = sent.map_or(receipt.at, |sent| receipt.at.max(sent));
            let at = seen.entry(&receipt.sha256).or_insert(came);
            *at = came.min(*at);
        }
        // A token that was never sent was seen: receipts mean nothing here.
        if receipts().any(|receipt| silent(&receipt)) {
            seen.clear();
        }
        Self { first: seen.values().min().copied(), last: seen.values().max().copied() }
    }

    /// Whether nothing can have been missed of messages that began to be sent at `from` and are waited for until `until`.
    pub(super) fn covers(&self, from: Date, until: Date) -> bool {
        self.first.is_some_and(|first| first.unix() <= from.unix().saturating_add(SLACK))
            && self.last.is_some_and(|last| last >= until)
    }
}
