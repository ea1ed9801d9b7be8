//! A run on the calling thread, in short steps without the interpreter's lock, so that Ctrl-C works.

use core::time::Duration;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use pyo3::prelude::*;
use relayprobe::driver;
use relayprobe::driver::blocking::{Step, Steps};
use relayprobe::session;

use crate::keys::Keyring;
use crate::plan::Plan;
use crate::report::Report;
use crate::session::Event;

/// How often signals are looked for, and progress is shown.
const SLICE: Duration = Duration::from_millis(50);
/// How long a run that was interrupted may take to say goodbye.
const FAREWELL: Duration = Duration::from_millis(250);

/// Ends runs from elsewhere, politely: another thread, another task, a signal handler. It stays stopped.
#[pyclass(frozen, module = "relayprobe")]
pub(crate) struct Stop {
    inner: driver::Stop,
}

#[pymethods]
impl Stop {
    #[new]
    fn new() -> Self {
        Self { inner: driver::Stop::new() }
    }

    /// Ends the runs that were given this handle.
    fn stop(&self) {
        self.inner.stop();
    }

    /// Whether `stop` was called.
    #[getter]
    fn stopped(&self) -> bool {
        self.inner.is_stopped()
    }
}

/// Runs a plan. `stop` ends it early; `progress` is shown events.
#[pyfunction]
pub(crate) fn run(
    py: Python<'_>,
    plan: &Plan,
    stop: Option<&Stop>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Report> {
    let (sender, events) = channel();
    let shows = progress.is_some();
    let observe = move |event: &session::Event| {
        if shows {
            // Whoever no longer listens is not told.
            drop(sender.send(event.clone()));
        }
    };
    let ending = Ending::new(stop);
    let mut steps = Steps::new(plan.inner.clone(), &ending.own, observe);
    drive(py, &mut steps, &ending, &mut || tell(&events, progress.as_ref()))?;
    Ok(Report { inner: py.detach(|| steps.into_report()) })
}

/// Sees once more whether our own receiving server is there, if these are the keys that the run was planned with.
#[pyfunction]
pub(crate) fn check_way_in(
    py: Python<'_>,
    report: &Report,
    keys: &Keyring,
    stop: Option<&Stop>,
) -> PyResult<Report> {
    let mut inner = report.inner.clone();
    let ending = Ending::new(stop);
    if let Some(mut steps) = Steps::check_way_in(&inner, &keys.inner, &ending.own) {
        drive(py, &mut steps, &ending, &mut || Ok(()))?;
        inner.append(steps.into_transcript());
    }
    Ok(Report { inner })
}

/// What ends one run: a handle that its caller shares with other runs, and one of its own for Ctrl-C.
struct Ending<'a> {
    own: driver::Stop,
    shared: Option<&'a Stop>,
}

impl<'a> Ending<'a> {
    fn new(shared: Option<&'a Stop>) -> Self {
        Self { own: driver::Stop::new(), shared }
    }
}

fn drive<F: FnMut(&session::Event) + Send>(
    py: Python<'_>,
    steps: &mut Steps<F>,
    ending: &Ending<'_>,
    tell: &mut dyn FnMut() -> PyResult<()>,
) -> PyResult<()> {
    loop {
        if ending.shared.is_some_and(|shared| shared.inner.is_stopped()) {
            ending.own.stop();
        }
        let went = py.detach(|| go(steps, SLICE));
        if let Err(raised) = tell().and_then(|()| py.check_signals()) {
            ending.own.stop();
            py.detach(|| go(steps, FAREWELL));
            return Err(raised);
        }
        if went == Step::Over {
            return Ok(());
        }
    }
}

/// As far as a run comes in so long.
fn go<F: FnMut(&session::Event)>(steps: &mut Steps<F>, most: Duration) -> Step {
    let begin = Instant::now();
    loop {
        let left = most.saturating_sub(begin.elapsed());
        if steps.step(left) == Step::Over {
            return Step::Over;
        }
        if begin.elapsed() >= most {
            return Step::Waited;
        }
    }
}

fn tell(events: &Receiver<session::Event>, progress: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let Some(progress) = progress else { return Ok(()) };
    for event in events.try_iter().filter_map(|event| Event::new(&event)) {
        progress.call1((event,))?;
    }
    Ok(())
}
