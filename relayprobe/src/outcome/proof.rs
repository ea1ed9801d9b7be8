//! What became of the messages.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Evidence, Outcome, Sighting};
use crate::moment::{Date, Moment};
use crate::octets::Octets;
use crate::plan::RunRecord;
use crate::receipt::{Receipt, ReceiptKind};
use crate::transcript::Step;
use crate::wire::{Reply, queue_id};

/// Seconds after which servers give up (RFC 5321 §4.5.4.1).
const QUEUE_LIFE: u64 = 5 * 86_400;

/// Settles the outcomes of the probes whose message was begun.
///
/// What comes back for a probe without a message counts for nothing: this run did not send it. Nor does what came back to
/// another run.
pub(super) fn settle(evidence: &Evidence<'_>, receipts: &[Receipt], as_of: Date, outcomes: &mut [Outcome]) {
    for probe in &evidence.record.probes {
        let Some(sent) = evidence.message(probe.number) else { continue };
        let Some(outcome) = outcomes.get_mut(usize::from(probe.number)) else { continue };
        let until = until(evidence.record, receipts, probe.number, sent);
        if let Some(settled) = came_back(evidence.record, receipts, probe.number)
            .or_else(|| waits(outcome, evidence, probe.number, until, as_of))
        {
            *outcome = settled;
        }
    }
}

/// Until when the message of a probe that was begun at `sent` is waited for: for the run's window, and as long as queues
/// live if a report says that it is still being tried.
pub(crate) fn until(record: &RunRecord, receipts: &[Receipt], probe: u16, sent: Moment) -> Date {
    let delayed = of_probe(record, receipts, probe).any(|(_, receipt)| receipt.kind == ReceiptKind::Delayed);
    let span = if delayed { record.limits.window.max(QUEUE_LIFE) } else { record.limits.window };
    Date::from_unix(record.date_at(sent).unix().saturating_add(span))
}

/// Until when it is open what becomes of the message of a probe, if it is at `as_of`.
///
/// A report of failure or of delivery ends no wait: a server may say so at once, and hand the message on later.
pub(crate) fn open_until(
    evidence: &Evidence<'_>,
    receipts: &[Receipt],
    probe: u16,
    outcome: &Outcome,
    as_of: Date,
) -> Option<Date> {
    let waits = matches!(outcome, Outcome::AcceptedPending { .. }) || outcome.is_not_relayed();
    let sent = evidence.message(probe).filter(|_| waits)?;
    Some(until(evidence.record, receipts, probe, sent)).filter(|&until| as_of < until)
}

/// The receipts of a probe of this run, with their indices.
fn of_probe<'a>(
    record: &RunRecord,
    receipts: &'a [Receipt],
    probe: u16,
) -> impl Iterator<Item = (usize, &'a Receipt)> {
    receipts
        .iter()
        .enumerate()
        .filter(move |(_, receipt)| receipt.probe == probe && receipt.run == record.run)
}

/// The queue ids that the target gave to the messages it accepted, by probe.
pub(crate) fn queue_ids(evidence: &Evidence<'_>) -> BTreeMap<u16, Octets> {
    let accepted =
        |sighting: &&Sighting| sighting.answer.step == Step::Message && sighting.answer.code.is_positive();
    let id = |sighting: &Sighting| {
        let octets = evidence.reply(sighting)?;
        let reply = Reply::parse(octets.as_bytes()).ok()?;
        queue_id(&reply).map(|id| (sighting.answer.probe, id.as_bytes().into()))
    };
    evidence.sightings.iter().filter(accepted).filter_map(id).collect()
}

/// What the receipts of a probe say, the strongest first.
///
/// What came after the token's life was handed on too, long after the run was planned: no proof of what the server does
/// now, and no silence.
fn came_back(record: &RunRecord, receipts: &[Receipt], probe: u16) -> Option<Outcome> {
    let of = |kind: ReceiptKind| {
        let here = of_probe(record, receipts, probe).filter(|(_, receipt)| receipt.kind == kind);
        let found: Vec<u32> = here.filter_map(|(at, _)| u32::try_from(at).ok()).collect();
        Some(found).filter(|found| !found.is_empty())
    };
    let relayed = of(ReceiptKind::Relayed).map(|receipts| Outcome::Relayed { receipts });
    let attempted = || of(ReceiptKind::Attempted).map(|receipts| Outcome::RelayAttempted { receipts });
    let reported = || of(ReceiptKind::Reported).map(|receipts| Outcome::RelayReported { receipts });
    let late = || of(ReceiptKind::Late).map(|receipts| Outcome::RelayReported { receipts });
    let bounced = || of(ReceiptKind::Bounced).map(|receipts| Outcome::AcceptedThenBounced { receipts });
    let local = || of(ReceiptKind::DeliveredLocally).map(|receipts| Outcome::DeliveredLocally { receipts });
    relayed.or_else(attempted).or_else(reported).or_else(late).or_else(bounced).or_else(local)
}

/// Nothing came yet. A refusal after the message keeps its place; anything else may have been delivered.
fn waits(
    outcome: &Outcome,
    evidence: &Evidence<'_>,
    probe: u16,
    until: Date,
    as_of: Date,
) -> Option<Outcome> {
    let reply = match outcome {
        Outcome::Refused { stage, .. } | Outcome::Deferred { stage, .. } if *stage == Step::Message => {
            return None;
        }
        Outcome::Accepted { reply } => reply.clone(),
        _ => evidence
            .answer(probe)
            .and_then(|sighting| evidence.reply(sighting))
            .map_or_else(Octets::default, Clone::clone),
    };
    Some(if as_of < until {
        Outcome::AcceptedPending { until, reply }
    } else {
        Outcome::AcceptedNoReceipt { reply }
    })
}
