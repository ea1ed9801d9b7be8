//! For programs without a loop: a run on the calling thread.

use core::ptr;

use relayprobe::driver::{self, Stop, blocking};

use crate::guard::{guard, guard_handle, place};
use crate::handle::{Opaque, free, handle, make};
use crate::keyring::relayprobe_keyring;
use crate::plan::relayprobe_plan;
use crate::report::relayprobe_report;
use crate::status::{Fault, relayprobe_status};

/// Ends runs from elsewhere. It is the one handle that any number of threads may use at once, and a signal handler too.
pub struct relayprobe_stop {
    _opaque: [u8; 0],
}

impl Opaque for relayprobe_stop {
    type Value = Stop;
    const TAG: u64 = u64::from_be_bytes(*b"rp-stop1");
    const NAME: &'static str = "relayprobe_stop";
}

/// A handle that lets runs go on. Free it with relayprobe_stop_free(). NULL only after a fault of the library.
#[unsafe(no_mangle)]
pub extern "C" fn relayprobe_stop_new() -> *mut relayprobe_stop {
    guard_handle(|| make(Stop::new()))
}

/// Ends the runs that were given the handle, and those that will be: within a tenth of a second they end politely and
/// keep their record. `stop` must not be NULL.
///
/// It may be called from another thread or from a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_stop_now(stop: *mut relayprobe_stop) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        unsafe { crate::handle::shared(stop, "stop")? }.stop();
        Ok(())
    })
}

/// Frees the handle. NULL is fine. Runs that were given it go on and can no longer be stopped by it. No other thread may
/// be in a call with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_stop_free(stop: *mut relayprobe_stop) {
    // SAFETY: passed on to the caller.
    guard(|| unsafe { free(stop) });
}

/// Runs a plan to its end on this thread, and gives its report. `plan` and `report` must not be NULL; `stop` may be NULL.
/// Free the report with relayprobe_report_free().
///
/// For programs without a loop of their own: it waits for the server, for minutes if need be. It opens sockets and closes
/// them, and starts no thread. TLS is built in. Date and seed are taken from the system. A server that is closed, silent
/// or not there is no error: the report says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_run(
    plan: *mut relayprobe_plan,
    stop: *mut relayprobe_stop,
    report: *mut *mut relayprobe_report,
) -> relayprobe_status {
    guard(|| {
        let report = place(report, "report")?;
        // SAFETY: passed on to the caller.
        let stop = unsafe { stop_or_none(stop)? };
        // The handle is in use only until the plan is made, not for the minutes that follow.
        // SAFETY: passed on to the caller.
        let plan = unsafe { handle(plan, "plan")? }.build(driver::TLS, driver::now(), driver::seed())?;
        report.put(make(blocking::run(plan, &stop, |_| {}).into()));
        Ok(())
    })
}

/// Sees once more whether your receiving server is there, by a message of our own through the run's way in, and adds what
/// was said to the report. `report` and `keyring` must not be NULL; `stop` may be NULL. It waits as relayprobe_run() does.
///
/// To be done after the window has ended (relayprobe_report_pending_until()), before relayprobe_report_judge(): when this
/// message comes, and nothing else came, silence means that nothing was relayed. Without a way in, for a survey, or with
/// keys that are not those of the run, it does nothing. Agents with a loop: relayprobe_session_check_way_in().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_check_way_in(
    report: *mut relayprobe_report,
    keyring: *mut relayprobe_keyring,
    stop: *mut relayprobe_stop,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (stop, mut judged) = unsafe { (stop_or_none(stop)?, handle(report, "report")?) };
        // SAFETY: passed on to the caller.
        let keyring = unsafe { handle(keyring, "keyring")? };
        blocking::check_way_in(&mut judged.report, &keyring, &stop);
        Ok(())
    })
}

unsafe fn stop_or_none(stop: *mut relayprobe_stop) -> Result<Stop, Fault> {
    if ptr::eq(stop, ptr::null()) {
        return Ok(Stop::new());
    }
    // SAFETY: passed on to the caller.
    unsafe { crate::handle::shared(stop, "stop") }.cloned()
}
