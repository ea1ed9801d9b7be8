//! What became of the messages.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Evidence, Outcome, Sighting};
use crate::moment::{Date, Moment};
use crate::octets::Octets;
use crate::plan::RunRecord;
use crate::receipt::{Receipt, ReceiptKind};
use crate::transcript::{Step, Transcript};
use crate::wire::{Reply, queue_id};

/// Settles the outcomes of the probes whose message was begun.
///
/// What comes back for a probe without a message counts for nothing: this run did not send it. Nor does what came back to
/// another run.
pub(super) fn settle(evidence: &Evidence<'_>, receipts: &[Receipt], as_of: Date, outcomes: &mut [Outcome]) {
    for probe in &evidence.record.probes {
        let Some(sent) = evidence.message(probe.number) else { continue };
        let Some(outcome) = outcomes.get_mut(usize::from(probe.number)) else { continue };
        let until = until(evidence.record, sent);
        if let Some(settled) = came_back(evidence.record, receipts, probe.number)
            .or_else(|| waits(outcome, evidence, probe.number, until, as_of))
        {
            *outcome = settled;
        }
    }
}

/// Until when a message that was begun at `sent` is waited for.
pub(crate) fn until(record: &RunRecord, sent: Moment) -> Date {
    Date::from_unix(record.date_at(sent).unix().saturating_add(record.limits.window))
}

/// The queue ids that the target gave to the messages it accepted, by probe.
pub(crate) fn queue_ids(record: &RunRecord, transcript: &Transcript) -> BTreeMap<u16, Octets> {
    let evidence = Evidence::new(record, transcript);
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
fn came_back(record: &RunRecord, receipts: &[Receipt], probe: u16) -> Option<Outcome> {
    let of = |kind: ReceiptKind| {
        let here = receipts.iter().enumerate().filter(|(_, receipt)| {
            receipt.probe == probe && receipt.kind == kind && receipt.run == record.run
        });
        let found: Vec<u32> = here.filter_map(|(at, _)| u32::try_from(at).ok()).collect();
        Some(found).filter(|found| !found.is_empty())
    };
    let relayed = of(ReceiptKind::Relayed).map(|receipts| Outcome::Relayed { receipts });
    let attempted = || of(ReceiptKind::Attempted).map(|receipts| Outcome::RelayAttempted { receipts });
    let reported = || of(ReceiptKind::Reported).map(|receipts| Outcome::RelayReported { receipts });
    let bounced = || of(ReceiptKind::Bounced).map(|receipts| Outcome::AcceptedThenBounced { receipts });
    let local = || of(ReceiptKind::DeliveredLocally).map(|receipts| Outcome::DeliveredLocally { receipts });
    relayed.or_else(attempted).or_else(reported).or_else(bounced).or_else(local)
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
