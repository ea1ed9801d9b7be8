//! The run without a socket: what to start comes out, what came of it goes in.

mod input;
mod output;

use relayprobe::link::ConnId;
use relayprobe::moment::{Date, Moment};
use relayprobe::octets::Octets;
use relayprobe::{Report, Session};

use crate::guard::{guard, place};
use crate::handle::{Opaque, free, handle, make};
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
    /// What is being written, by connection.
    sending: Vec<(ConnId, Vec<u8>)>,
    /// Connections that are to be closed: what they were sending goes at the next poll.
    closed: Vec<ConnId>,
    /// Certificates that were named before the handshake was reported.
    certificates: Vec<(ConnId, Octets)>,
    text: Lent,
    source: Lent,
}

impl Running {
    fn of(session: Session) -> Self {
        Self {
            session: Some(session),
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
        session.put(make(Running::of(Session::new(plan, Moment::from_micros(now)))));
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
        running.session()?;
        let Some(session) = running.session.take() else { return Ok(()) };
        running.sending.clear();
        let (record, transcript) = session.into_parts();
        report.put(make(Report::new(record, transcript).into()));
        Ok(())
    })
}

/// Frees a session. NULL is fine. Its connections are the caller's, and stay open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_session_free(session: *mut relayprobe_session) {
    // SAFETY: passed on to the caller.
    guard(|| unsafe { free(session) });
}
