//! The run without a socket: what to start comes out, what came of it goes in.

mod input;
mod output;

use core::ptr;

use relayprobe::link::ConnId;
use relayprobe::moment::{Date, Moment};
use relayprobe::octets::Octets;
use relayprobe::plan::RunRecord;
use relayprobe::transcript::Transcript;
use relayprobe::{Report, Session};

use crate::guard::{guard, place};
use crate::handle::{Opaque, free, handle, make};
use crate::keyring::relayprobe_keyring;
use crate::plan::relayprobe_plan;
use crate::report::{Lent, relayprobe_report};
use crate::status::{Fault, relayprobe_status};

/// A run against one server, without a socket and without a clock: both are the caller's.
///
/// Call relayprobe_session_poll() and do what it says, until it says RELAYPROBE_OUTPUT_KIND_WAIT; then wait in your own
/// loop, tell the session what happened, and poll again. A session is used by one thread at a time; different sessions
/// have nothing to do with each other.
///
/// Moments are microseconds on a clock of your own that never goes back, such as CLOCK_MONOTONIC; only differences
/// matter. An earlier moment than the last one counts as the same.
pub struct relayprobe_session {
    _opaque: [u8; 0],
}

impl Opaque for relayprobe_session {
    type Value = Running;
    const TAG: u64 = u64::from_be_bytes(*b"rp-sess1");
    const NAME: &'static str = "relayprobe_session";
}

/// A session, and what C holds of it.
#[derive(Debug)]
pub(crate) struct Running {
    /// Gone once it gave its report.
    session: Option<Session>,
    purpose: Purpose,
    /// What is being written, by connection.
    sending: Vec<(ConnId, Vec<u8>)>,
    /// Connections that are to be closed: what they were sending goes at the next poll.
    closed: Vec<ConnId>,
    /// Certificates that were named before the handshake was reported.
    certificates: Vec<(ConnId, Octets)>,
    text: Lent,
    source: Lent,
}

/// What becomes of what a session records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// A report of its own.
    Run,
    /// It goes into the report of an earlier run.
    Check,
}

impl Running {
    fn of(session: Session, purpose: Purpose) -> Self {
        Self {
            session: Some(session),
            purpose,
            sending: Vec::new(),
            closed: Vec::new(),
            certificates: Vec::new(),
            text: Lent::default(),
            source: Lent::default(),
        }
    }

    fn session(&mut self) -> Result<&mut Session, Fault> {
        self.session.as_mut().ok_or_else(|| {
            Fault::new(
                relayprobe_status::SessionOver,
                "the session has given its report and can only be freed",
            )
        })
    }

    /// What was recorded; the session is over then.
    fn end(&mut self, purpose: Purpose) -> Result<(RunRecord, Transcript), Fault> {
        self.session()?;
        if self.purpose != purpose {
            return Err(Fault::argument(match self.purpose {
                Purpose::Run => "the session is a run of its own: call relayprobe_session_report()",
                Purpose::Check => "the session belongs to an earlier run: call relayprobe_report_append()",
            }));
        }
        self.sending.clear();
        let over = || Fault::new(relayprobe_status::SessionOver, "the session is over");
        Ok(self.session.take().ok_or_else(over)?.into_parts())
    }
}

/// Checks the plan, and makes a session of it. `plan` and `session` must not be NULL. Free it with
/// relayprobe_session_free().
///
/// `date` is the wall clock in seconds since 1970. `seed` names the run and must not repeat; it need not be secret: take
/// 8 octets from getrandom(). `now` is the moment at which the run begins. The plan is not used up, and may be changed or
/// freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_new(
    plan: *mut relayprobe_plan,
    date: u64,
    seed: u64,
    now: u64,
    session: *mut *mut relayprobe_session,
) -> relayprobe_status {
    guard(|| {
        let session = place(session, "session")?;
        // SAFETY: passed on to the caller.
        let plan = unsafe { handle(plan, "plan")? };
        let plan = plan.build(plan.tls(), Date::from_unix(date), seed)?;
        session.put(make(Running::of(Session::new(plan, Moment::from_micros(now)), Purpose::Run)));
        Ok(())
    })
}

/// Ends the run politely and keeps what was learnt. Go on until RELAYPROBE_OUTPUT_KIND_FINISHED. `session` must not be
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_stop(
    session: *mut relayprobe_session,
    now: u64,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut running = unsafe { handle(session, "session")? };
        running.session()?.stop(Moment::from_micros(now));
        Ok(())
    })
}

/// Judges the run. `session` and `report` must not be NULL. Free the report with relayprobe_report_free().
///
/// It is meant for the end, after RELAYPROBE_OUTPUT_KIND_FINISHED; before that it ends the run as it stands, impolitely.
/// Afterwards the session can only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_report(
    session: *mut relayprobe_session,
    report: *mut *mut relayprobe_report,
) -> relayprobe_status {
    guard(|| {
        let report = place(report, "report")?;
        // SAFETY: passed on to the caller.
        let mut running = unsafe { handle(session, "session")? };
        let (record, transcript) = running.end(Purpose::Run)?;
        report.put(make(Report::new(record, transcript).into()));
        Ok(())
    })
}

/// A session that sees once more whether your receiving server is there, by a message of our own through the run's way in.
/// No pointer may be NULL. Free the session with relayprobe_session_free().
///
/// It is driven as any session, and ends with relayprobe_report_append(). To be done after the window has ended
/// (relayprobe_report_pending_until()): when this message comes, and nothing else came, silence means that nothing was
/// relayed. For a run without a way in, a survey, or with keys that are not those of the run there is nothing to do:
/// RELAYPROBE_STATUS_OK, and `session` is set to NULL. `date` is the wall clock in seconds since 1970.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_check_way_in(
    report: *mut relayprobe_report,
    keyring: *mut relayprobe_keyring,
    date: u64,
    now: u64,
    session: *mut *mut relayprobe_session,
) -> relayprobe_status {
    guard(|| {
        let session = place(session, "session")?;
        // SAFETY: passed on to the caller.
        let (judged, keyring) = unsafe { (handle(report, "report")?, handle(keyring, "keyring")?) };
        let (run, transcript) = (&judged.report.run, &judged.report.transcript);
        let age = run.age(Date::from_unix(date));
        let check = Session::check_way_in(run, &keyring, transcript, age, Moment::from_micros(now));
        session.put(check.map_or(ptr::null_mut(), |check| make(Running::of(check, Purpose::Check))));
        Ok(())
    })
}

/// Adds what a session of relayprobe_session_check_way_in() recorded to the report of its run, and judges anew. `report`
/// and `session` must not be NULL. Afterwards the session can only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_report_append(
    report: *mut relayprobe_report,
    session: *mut relayprobe_session,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut judged, mut running) = unsafe { (handle(report, "report")?, handle(session, "session")?) };
        let same = running.session()?.record().run == judged.report.run.run;
        if !same {
            return Err(Fault::new(relayprobe_status::OtherRun, "the session belongs to another run"));
        }
        let (_, transcript) = running.end(Purpose::Check)?;
        judged.report.append(transcript);
        Ok(())
    })
}

/// Frees a session. NULL is fine. Its connections are the caller's, and stay open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_free(session: *mut relayprobe_session) {
    // SAFETY: passed on to the caller.
    guard(|| unsafe { free(session) });
}
