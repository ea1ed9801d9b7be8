//! What came of each probe, one by one.

use core::ffi::c_char;

use relayprobe::octets::Octets;
use relayprobe::outcome::Outcome;
use relayprobe::report::ProbeReport;

use super::{Judged, relayprobe_report};
use crate::guard::{guard, guard_number, guard_text, place};
use crate::handle::handle;
use crate::numbers;
use crate::status::{Fault, relayprobe_status};

/// How many probes the run had; a negative relayprobe_status after an error. `report` must not be NULL.
///
/// A probe is a case over a path. They are counted from 0, and the number of a probe is the same everywhere.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_probe_count(report: *mut relayprobe_report) -> i32 {
    guard_number(|| {
        // SAFETY: passed on to the caller.
        let judged = unsafe { handle(report, "report")? };
        Ok(i32::try_from(judged.report.probes.len()).unwrap_or(i32::MAX))
    })
}

/// The id of a probe's case, such as "snd-null". NULL after an error. The string stays until the next call with this
/// report. `report` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_probe_case(
    report: *mut relayprobe_report,
    probe: u32,
) -> *const c_char {
    guard_text(|| {
        // SAFETY: passed on to the caller.
        let mut judged = unsafe { handle(report, "report")? };
        let text = judged.probe(probe)?.case.clone();
        Ok(judged.text.lend(text))
    })
}

/// The family of a probe's case, such as "percent"; "control" for one that says nothing about relaying by itself. NULL
/// after an error. The string stays until the next call with this report. `report` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_probe_family(
    report: *mut relayprobe_report,
    probe: u32,
) -> *const c_char {
    guard_text(|| {
        // SAFETY: passed on to the caller.
        let mut judged = unsafe { handle(report, "report")? };
        let text = judged.probe(probe)?.family.as_str();
        Ok(judged.text.lend(text))
    })
}

/// The port of a probe's path; a negative relayprobe_status after an error. `report` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_probe_port(report: *mut relayprobe_report, probe: u32) -> i32 {
    guard_number(|| {
        // SAFETY: passed on to the caller.
        let judged = unsafe { handle(report, "report")? };
        let path = usize::from(judged.probe(probe)?.path);
        Ok(judged.report.run.paths.get(path).map_or(0, |path| path.port.into()))
    })
}

/// What came of a probe: one of relayprobe_outcome, or a negative relayprobe_status after an error. `report` must not be
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_probe_outcome(report: *mut relayprobe_report, probe: u32) -> i32 {
    guard_number(|| {
        // SAFETY: passed on to the caller.
        let judged = unsafe { handle(report, "report")? };
        Ok(numbers::outcome(&judged.probe(probe)?.outcome) as i32)
    })
}

/// What a refusal is about, or why a probe was not tested, in the word of the JSON, such as "relay-denied"; empty for
/// other outcomes. NULL after an error. The string stays until the next call with this report. `report` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_probe_why(
    report: *mut relayprobe_report,
    probe: u32,
) -> *const c_char {
    guard_text(|| {
        // SAFETY: passed on to the caller.
        let mut judged = unsafe { handle(report, "report")? };
        let text = match &judged.probe(probe)?.outcome {
            Outcome::Refused { why, .. } => why.as_str(),
            Outcome::NotTested { reason } => reason.as_str(),
            Outcome::NotApplicable { reason } => reason.as_str(),
            _ => "",
        };
        Ok(judged.text.lend(text))
    })
}

/// The reply that settled a probe, as it came, which may hold any octet; NULL and 0 if there was none. No pointer may be
/// NULL. The octets stay until the next call that changes the report: relayprobe_report_add_message(), _append(),
/// _judge(), _check_way_in(), _free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_probe_reply(
    report: *mut relayprobe_report,
    probe: u32,
    octets: *mut *const u8,
    length: *mut usize,
) -> relayprobe_status {
    guard(|| {
        let (octets, length) = (place(octets, "octets")?, place(length, "length")?);
        // SAFETY: passed on to the caller.
        let judged = unsafe { handle(report, "report")? };
        let reply = reply(&judged.probe(probe)?.outcome).map(Octets::as_bytes);
        octets.put(reply.map_or(core::ptr::null(), <[u8]>::as_ptr));
        length.put(reply.map_or(0, <[u8]>::len));
        Ok(())
    })
}

impl Judged {
    fn probe(&self, number: u32) -> Result<&ProbeReport, Fault> {
        let probes = &self.report.probes;
        let found = usize::try_from(number).ok().and_then(|number| probes.get(number));
        found.ok_or_else(|| {
            Fault::argument(format_args!("there is no probe {number}: the report has {}", probes.len()))
        })
    }
}

fn reply(outcome: &Outcome) -> Option<&Octets> {
    match outcome {
        Outcome::Refused { reply, .. }
        | Outcome::Deferred { reply, .. }
        | Outcome::Accepted { reply }
        | Outcome::AcceptedPending { reply, .. }
        | Outcome::AcceptedNoReceipt { reply } => Some(reply),
        _ => None,
    }
}
