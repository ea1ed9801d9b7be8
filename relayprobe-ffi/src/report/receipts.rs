//! What comes back to the probe domain.

use relayprobe::moment::Date;
use relayprobe::receipt::{Arrival, Classified, classify_each};

use super::relayprobe_report;
use crate::guard::{guard, values};
use crate::handle::handle;
use crate::keyring::relayprobe_keyring;
use crate::numbers;
use crate::status::{Fault, relayprobe_status};

/// Takes in a message that came to the probe domain, and judges anew. `report`, `keyring` and `message` must not be NULL.
///
/// `message` is the whole message as your receiving server stored it, with the Received line and the Return-Path that it
/// put on top: what they say of the envelope is believed. `date` is when it came (seconds since 1970). `kind` is where to
/// put what it turned out to be, one of relayprobe_receipt, or NULL.
///
/// Mail that is not ours, or of another run, changes nothing and is no error, so a mailbox can be gone through with any
/// report. The same message twice counts once. One that carries the tokens of several probes counts for each, and `kind` is
/// what it is to the first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_add_message(
    report: *mut relayprobe_report,
    keyring: *mut relayprobe_keyring,
    message: *const u8,
    length: usize,
    date: u64,
    kind: *mut i32,
) -> relayprobe_status {
    guard(|| {
        if message.is_null() {
            return Err(Fault::null("message"));
        }
        // SAFETY: passed on to the caller.
        let (mut judged, keyring) = unsafe { (handle(report, "report")?, handle(keyring, "keyring")?) };
        // SAFETY: passed on to the caller.
        let message = unsafe { values(message, length, "message")? };
        let arrival = Arrival::from_message(message, Date::from_unix(date));
        let record = &judged.report.run;
        let found = classify_each(&arrival, &keyring, &|run| (record.run == run).then(|| record.clone()));
        let number = numbers::receipt(found.first().unwrap_or(&Classified::NotOurs)) as i32;
        for classified in found {
            if let Classified::Receipt(receipt) = classified {
                let added = judged.report.add(*receipt);
                added.map_err(|fault| Fault::new(relayprobe_status::OtherRun, fault))?;
            }
        }
        if let Ok(kind) = crate::guard::place(kind, "kind") {
            kind.put(number);
        }
        Ok(())
    })
}
