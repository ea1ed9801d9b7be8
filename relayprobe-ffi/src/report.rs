//! What a run found.

mod probes;
mod receipts;

use core::ffi::c_char;

use relayprobe::Report;
use relayprobe::moment::Date;

use crate::guard::{guard, guard_number, guard_text, place, values};
use crate::handle::{Opaque, free, handle, make};
use crate::numbers;
use crate::status::{Fault, relayprobe_status};

/// What a run found, with all its evidence. A report is used by one thread at a time.
pub struct relayprobe_report {
    _opaque: [u8; 0],
}

impl Opaque for relayprobe_report {
    type Value = Judged;
    const TAG: u64 = u64::from_be_bytes(*b"rp-repo1");
    const NAME: &'static str = "relayprobe_report";
}

/// A report, and the text of it that C holds.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) report: Report,
    text: Lent,
}

impl From<Report> for Judged {
    fn from(report: Report) -> Self {
        Self { report, text: Lent::default() }
    }
}

/// A string that C holds until the next one takes its place.
#[derive(Debug, Default)]
pub(crate) struct Lent(Vec<u8>);

impl Lent {
    /// Ends a text with a NUL, and lends it. Our texts hold none; one that did would end there.
    pub(crate) fn lend(&mut self, text: impl Into<String>) -> *const c_char {
        self.0 = text.into().into_bytes();
        self.0.push(0);
        self.0.as_ptr().cast()
    }
}

/// The report as JSON, on one line. NULL after an error. The string stays until the next call with this report. `report`
/// must not be NULL.
///
/// It holds everything, so it is what to store: relayprobe_report_from_json() reads it. Whatever a server sent is
/// escaped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_json(report: *mut relayprobe_report) -> *const c_char {
    guard_text(|| {
        // SAFETY: passed on to the caller.
        let mut judged = unsafe { handle(report, "report")? };
        let text = judged.report.to_json();
        Ok(judged.text.lend(text))
    })
}

/// The report as a person reads it in a terminal. NULL after an error. The string stays until the next call with this
/// report. `report` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_text(report: *mut relayprobe_report) -> *const c_char {
    guard_text(|| {
        // SAFETY: passed on to the caller.
        let mut judged = unsafe { handle(report, "report")? };
        let text = judged.report.text();
        Ok(judged.text.lend(text))
    })
}

/// The dialogue as a person reads it, in lines of "S:" and "C:". NULL after an error. The string stays until the next
/// call with this report. `report` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_transcript(report: *mut relayprobe_report) -> *const c_char {
    guard_text(|| {
        // SAFETY: passed on to the caller.
        let mut judged = unsafe { handle(report, "report")? };
        let text = judged.report.transcript_text();
        Ok(judged.text.lend(text))
    })
}

/// The exit status that says the verdict: 0 it does not relay, 1 suspected, 2 open relay, 3 nothing is known; a negative
/// relayprobe_status after an error. These are the states of Nagios too. `report` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_exit_code(report: *mut relayprobe_report) -> i32 {
    guard_number(|| {
        // SAFETY: passed on to the caller.
        let judged = unsafe { handle(report, "report")? };
        Ok(judged.report.exit_code.into())
    })
}

/// The verdict: one of relayprobe_verdict, or a negative relayprobe_status after an error. `report` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_verdict(report: *mut relayprobe_report) -> i32 {
    guard_number(|| {
        // SAFETY: passed on to the caller.
        let judged = unsafe { handle(report, "report")? };
        Ok(numbers::verdict(judged.report.verdict) as i32)
    })
}

/// Whether nothing that is still to come can change the verdict: 1 or 0, or a negative relayprobe_status after an error.
/// `report` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_is_settled(report: *mut relayprobe_report) -> i32 {
    guard_number(|| {
        // SAFETY: passed on to the caller.
        let judged = unsafe { handle(report, "report")? };
        Ok(judged.report.settled.into())
    })
}

/// Until when messages are waited for, in seconds since 1970; 0 if none are. `report` and `date` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_pending_until(
    report: *mut relayprobe_report,
    date: *mut u64,
) -> relayprobe_status {
    guard(|| {
        let date = place(date, "date")?;
        // SAFETY: passed on to the caller.
        let judged = unsafe { handle(report, "report")? };
        date.put(judged.report.pending_until.map_or(0, Date::unix));
        Ok(())
    })
}

/// When the run was planned, in seconds since 1970: for relayprobe_plan_set_history() of the next one. `report` and `date`
/// must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_date(
    report: *mut relayprobe_report,
    date: *mut u64,
) -> relayprobe_status {
    guard(|| {
        let date = place(date, "date")?;
        // SAFETY: passed on to the caller.
        let judged = unsafe { handle(report, "report")? };
        date.put(judged.report.run.date.unix());
        Ok(())
    })
}

/// The name of the run, such as "vbakchg3": it stands in every message. NULL after an error. The string stays until the
/// next call with this report. `report` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_run(report: *mut relayprobe_report) -> *const c_char {
    guard_text(|| {
        // SAFETY: passed on to the caller.
        let mut judged = unsafe { handle(report, "report")? };
        let text = judged.report.run.run.clone();
        Ok(judged.text.lend(text))
    })
}

/// Reads a stored report and judges it anew: what the stored report says of itself is ignored. `json` and `report` must
/// not be NULL; `length` is without a NUL, which need not be there. Free the report with relayprobe_report_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_from_json(
    json: *const c_char,
    length: usize,
    report: *mut *mut relayprobe_report,
) -> relayprobe_status {
    guard(|| {
        if json.is_null() {
            return Err(Fault::null("json"));
        }
        let report = place(report, "report")?;
        let unreadable = |fault: &dyn core::fmt::Display| Fault::new(relayprobe_status::Unreadable, fault);
        // SAFETY: passed on to the caller.
        let octets = unsafe { values(json.cast::<u8>(), length, "json")? };
        let text = core::str::from_utf8(octets).map_err(|fault| unreadable(&fault))?;
        report.put(make(Report::from_json(text).map_err(|fault| unreadable(&fault))?.into()));
        Ok(())
    })
}

/// Judges anew as of a later date (seconds since 1970): windows may have ended since. An earlier date changes nothing.
/// `report` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_judge(
    report: *mut relayprobe_report,
    date: u64,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut judged = unsafe { handle(report, "report")? };
        judged.report.judge(Date::from_unix(date));
        Ok(())
    })
}

/// Frees a report, and the strings that it lent. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_free(report: *mut relayprobe_report) {
    // SAFETY: passed on to the caller.
    guard(|| unsafe { free(report) });
}
