//! What comes back: mail of anybody's making.

use relayprobe::moment::Date;
use relayprobe::octets::escape;
use relayprobe::plan::RunRecord;
use relayprobe::receipt::{Arrival, Classified, Handover, ReceiptKind, classify, classify_each};
use relayprobe::token::Token;
use relayprobe::trace::Trace;
use relayprobe::{Report, Transcript, Verdict};
use serde_json::json;

use crate::plans;
use crate::reader::Reader;

/// Stands for the local part of a probe of ours; the next octet says of which.
const OURS: u8 = 0x01;
/// Prove all, quick matrix.
const WISHES: u8 = 0x21;

/// An arrival with any envelope and message, in which tokens of ours may stand anywhere.
pub(crate) fn check(octets: &[u8]) {
    let record = plans::of(WISHES).into_record();
    let mut choices = Reader(octets);
    let flags = choices.octet();
    let mut part = |size: usize| {
        let size = size.min(usize::from(choices.octet()));
        fill(choices.octets(size), &record)
    };
    let (sender, first, second) = (part(64), part(64), part(64));
    let message = fill(choices.0, &record);
    let handover = ["taken", "recipient", "interrupted", "refused"][usize::from(flags & 3)];
    let peer = if flags & 4 == 0 { "127.0.0.1" } else { "192.0.2.9" };
    let original = (flags & 8 != 0).then(|| escape(&first));
    // As the spool stores it: nobody but our own receiving server makes one.
    let arrival: Arrival = serde_json::from_value(json!({
        "at": Date::from_unix(record.date.unix() + u64::from(flags >> 4) * 86_400),
        "handover": handover,
        "envelope": {
            "peer": peer, "helo": "mx.target.example", "sender": escape(&sender),
            "recipients": [
                { "address": escape(&first), "original": original },
                { "address": escape(&second), "original": null },
            ],
        },
        "message": escape(&message),
    }))
    .expect("an arrival");
    let keys = plans::keys();
    let runs = |run: &str| (run == record.run).then(|| record.clone());
    let found = classify_each(&arrival, &keys, &runs);
    assert_eq!(found.first(), Some(&classify(&arrival, &keys, &runs)), "the first decides");
    let has_token = octets.contains(&OURS);
    let mut report = Report::new(record.clone(), Transcript::default());
    let mut proof = false;
    for classified in found {
        let Classified::Receipt(receipt) = classified else { return };
        assert!(has_token, "a receipt without a token of ours: {receipt:?}");
        assert!(record.probe(receipt.probe).is_some() && receipt.run == record.run);
        assert!(receipt.trace.hops.len() <= Trace::LIMIT);
        if arrival.handover == Handover::Recipient {
            assert_eq!(receipt.kind, ReceiptKind::Hint, "a callout proves nothing");
        }
        proof |= matches!(receipt.kind, ReceiptKind::Relayed | ReceiptKind::Attempted);
        report.add(*receipt).expect("it is of this run");
    }
    // Nothing was sent in this run, so nothing can have been relayed but in another copy of it.
    assert!(proof || report.verdict != Verdict::OpenRelay, "{}", report.text());
    let again = Report::from_json(&report.to_json()).expect("a report can be read again");
    assert!(again == report, "a stored report is another one");
    assert!(report.text().chars().all(|c| c == '\n' || !c.is_control()));
}

/// A message as another server stored it.
pub(crate) fn check_stored(octets: &[u8]) {
    let arrival = Arrival::from_message(octets, Date::from_unix(1_795_473_834));
    assert!(octets.ends_with(arrival.message.as_bytes()), "what remains is its end");
}

/// Received lines of anybody's making.
pub(crate) fn check_trace(octets: &[u8]) {
    let trace = Trace::read(octets);
    assert!(trace.hops.len() <= Trace::LIMIT);
    for hop in &trace.hops {
        for part in [&hop.helo, &hop.by, &hop.with, &hop.id, &hop.recipient].into_iter().flatten() {
            assert!(part.as_bytes().len() <= hop.raw.as_bytes().len(), "more than the line has: {hop:?}");
        }
        assert!(hop.raw.as_bytes().len() <= octets.len());
    }
}

/// Nothing is a token of ours but what our keys made, and one octet changed makes it none.
pub(crate) fn check_token(octets: &[u8]) {
    let record = plans::of(WISHES).into_record();
    let keys = plans::keys();
    for token in Token::find(octets) {
        assert_eq!(token.to_string().parse(), Ok(token));
        let probe = record.probes.iter().find(|probe| probe.user() == token.to_string());
        for other in &record.probes {
            let Some(binding) = record.binding(other) else { continue };
            let good = keys.verify(&token, &binding);
            assert!(!good || probe.is_some(), "{token} is none of ours");
        }
    }
    // One of ours, with something changed.
    let mut choices = Reader(octets);
    let probe = &record.probes[usize::from(choices.octet()) % record.probes.len()];
    let mut text = probe.user().as_bytes().to_vec();
    for _ in 0..=choices.octet() & 3 {
        let at = usize::from(choices.octet()) % text.len();
        text[at] = choices.octet();
    }
    let changed = String::from_utf8_lossy(&text).to_ascii_lowercase() != probe.user();
    let Some(binding) = record.binding(probe) else { return };
    if let Ok(token) = String::from_utf8_lossy(&text).parse::<Token>() {
        assert_eq!(keys.verify(&token, &binding), !changed, "{token} instead of {}", probe.user());
    }
}

/// Puts tokens of ours in.
fn fill(octets: &[u8], record: &RunRecord) -> Vec<u8> {
    let mut filled = Vec::new();
    let mut rest = octets.iter();
    while let Some(&octet) = rest.next() {
        if octet == OURS {
            let which = usize::from(rest.next().copied().unwrap_or_default()) % record.probes.len();
            filled.extend_from_slice(record.probes[which].user().as_bytes());
        } else {
            filled.push(octet);
        }
    }
    filled
}
