//! The session without sockets, for any event loop.

use core::net::IpAddr;
use core::time::Duration;
use std::io;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use relayprobe::link::{ConnId, Loss, TlsFacts};
use relayprobe::moment::Moment;
use relayprobe::session::{self, Input};
use relayprobe::{driver, octets::Octets};

use crate::error::{error, word, wrong};
use crate::fork::Home;
use crate::keys::Keyring;
use crate::plan::Plan;
use crate::report::Report;

/// A run that opens no socket and reads no clock.
#[pyclass(subclass, module = "relayprobe._core")]
pub(crate) struct Session {
    inner: Option<relayprobe::Session>,
    home: Home,
    /// The report that a look at our own receiving server is added to.
    earlier: Option<relayprobe::Report>,
}

/// Something that the driver starts.
#[pyclass(frozen, module = "relayprobe")]
pub(crate) enum Output {
    /// Open a connection; then `handle_connected` or `handle_lost`.
    Connect { connection: u32, address: IpAddr, port: u16, source: Option<IpAddr> },
    /// Write everything; then `handle_sent` or `handle_lost`.
    Send { connection: u32, data: Py<PyBytes> },
    /// Do a TLS handshake; then `handle_secured` or `handle_lost`.
    StartTls { connection: u32, server_name: String },
    /// Close the connection.
    Close { connection: u32 },
    /// Show progress.
    Progress { event: Py<Event> },
    /// Nothing to do until octets arrive, a connection changes, or this moment comes; then `handle_tick`.
    Wait { until: f64 },
    /// The run is over.
    Finished {},
}

/// Progress, for people.
#[pyclass(frozen, eq, module = "relayprobe")]
#[derive(PartialEq)]
pub(crate) enum Event {
    /// A connection is begun.
    Connecting { connection: u32, path: u16 },
    /// A probe was answered, for now.
    Answered { probe: u16, code: u16 },
    /// So many probes are settled.
    Settled { settled: u16, all: u16 },
    /// Messages are sent for what was accepted.
    Proving { messages: u16 },
    /// Deferred probes will be asked again, at this moment of the driver's clock.
    Retrying { probes: u16, at: f64 },
}

#[pymethods]
impl Event {
    fn __repr__(&self) -> String {
        match self {
            Self::Connecting { connection, path } => {
                format!("Event.Connecting(connection={connection}, path={path})")
            }
            Self::Answered { probe, code } => format!("Event.Answered(probe={probe}, code={code})"),
            Self::Settled { settled, all } => format!("Event.Settled(settled={settled}, all={all})"),
            Self::Proving { messages } => format!("Event.Proving(messages={messages})"),
            Self::Retrying { probes, at } => format!("Event.Retrying(probes={probes}, at={at})"),
        }
    }
}

impl Event {
    /// What is newer than this table is not shown.
    pub(crate) fn new(event: &session::Event) -> Option<Self> {
        Some(match *event {
            session::Event::Connecting { connection, path } => {
                Self::Connecting { connection: connection.0, path }
            }
            session::Event::Answered { probe, code } => Self::Answered { probe, code: code.number() },
            session::Event::Progress { settled, all } => Self::Settled { settled, all },
            session::Event::Proving { messages } => Self::Proving { messages },
            session::Event::Retrying { probes, at } => Self::Retrying { probes, at: seconds(at) },
            _ => return None,
        })
    }
}

#[pymethods]
impl Output {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(match self {
            Self::Connect { connection, address, port, source } => format!(
                "Output.Connect(connection={connection}, address={address}, port={port}, source={source:?})"
            ),
            Self::Send { connection, data } => {
                format!("Output.Send(connection={connection}, data={})", data.bind(py).repr()?)
            }
            Self::StartTls { connection, server_name } => {
                format!("Output.StartTls(connection={connection}, server_name={server_name:?})")
            }
            Self::Close { connection } => format!("Output.Close(connection={connection})"),
            Self::Progress { event } => format!("Output.Progress(event={})", event.get().__repr__()),
            Self::Wait { until } => format!("Output.Wait(until={until})"),
            Self::Finished {} => "Output.Finished()".to_owned(),
        })
    }
}

#[pymethods]
impl Session {
    /// A session for a plan; `now` is the driver's clock in seconds, of any epoch.
    #[new]
    fn new(py: Python<'_>, plan: &Plan, now: f64) -> PyResult<Self> {
        let now = moment(py, now)?;
        let inner = relayprobe::Session::new(plan.inner.clone(), now);
        Ok(Self { inner: Some(inner), home: Home::here(), earlier: None })
    }

    /// A session that only sees once more whether our own receiving server is there; nothing if the run of the report
    /// named no way in to it, or was planned with other keys.
    #[staticmethod]
    fn check_way_in(py: Python<'_>, report: &Report, keys: &Keyring, now: f64) -> PyResult<Option<Self>> {
        let now = moment(py, now)?;
        let report = &report.inner;
        let age = Duration::from_secs(driver::now().unix().saturating_sub(report.run.date.unix()));
        let session =
            relayprobe::Session::check_way_in(&report.run, &keys.inner, &report.transcript, age, now);
        let earlier = Some(report.clone());
        Ok(session.map(|inner| Self { inner: Some(inner), home: Home::here(), earlier }))
    }

    /// What to do next.
    fn poll_output(&mut self, py: Python<'_>) -> PyResult<Output> {
        let session = self.session(py)?;
        loop {
            return Ok(match session.poll_output() {
                session::Output::Connect(id, to) => Output::Connect {
                    connection: id.0,
                    address: to.remote.ip(),
                    port: to.remote.port(),
                    source: to.local,
                },
                session::Output::Send(id, octets) => {
                    Output::Send { connection: id.0, data: PyBytes::new(py, &octets).unbind() }
                }
                session::Output::StartTls(id, server_name) => {
                    Output::StartTls { connection: id.0, server_name }
                }
                session::Output::Close(id) => Output::Close { connection: id.0 },
                session::Output::Event(event) => match Event::new(&event) {
                    Some(event) => Output::Progress { event: Py::new(py, event)? },
                    None => continue,
                },
                session::Output::Wait(until) => Output::Wait { until: seconds(until) },
                session::Output::Finished => Output::Finished {},
                // Nothing that a driver of this version could start.
                _ => continue,
            });
        }
    }

    /// The connection was made.
    fn handle_connected(&mut self, py: Python<'_>, connection: u32, now: f64) -> PyResult<()> {
        self.hand(py, Input::Connected(ConnId(connection)), now)
    }

    /// Everything of the last `Send` was written.
    fn handle_sent(&mut self, py: Python<'_>, connection: u32, now: f64) -> PyResult<()> {
        self.hand(py, Input::Sent(ConnId(connection)), now)
    }

    /// Octets came; inside TLS once it is on.
    fn handle_received(&mut self, py: Python<'_>, connection: u32, data: &[u8], now: f64) -> PyResult<()> {
        self.hand(py, Input::Received(ConnId(connection), data), now)
    }

    /// The TLS handshake is done.
    #[pyo3(signature = (connection, version, cipher, certificates, now))]
    fn handle_secured(
        &mut self,
        py: Python<'_>,
        connection: u32,
        version: String,
        cipher: String,
        certificates: Vec<Vec<u8>>,
        now: f64,
    ) -> PyResult<()> {
        let certificates = certificates.iter().map(|der| Octets::from(&**der)).collect();
        let facts = TlsFacts::new(version, cipher, certificates);
        self.hand(py, Input::Secured(ConnId(connection), facts), now)
    }

    /// The connection could not be made, or has ended, or its handshake failed.
    fn handle_lost(&mut self, py: Python<'_>, connection: u32, loss: &str, now: f64) -> PyResult<()> {
        let loss = word(py, "loss", loss, &LOSSES)?;
        self.hand(py, Input::Lost(ConnId(connection), loss), now)
    }

    /// Time has passed, and everything that has arrived has been handed over.
    fn handle_tick(&mut self, py: Python<'_>, now: f64) -> PyResult<()> {
        self.hand(py, Input::Tick, now)
    }

    /// Ends the run politely; go on until `Finished`.
    fn stop(&mut self, py: Python<'_>, now: f64) -> PyResult<()> {
        let now = moment(py, now)?;
        self.session(py)?.stop(now);
        Ok(())
    }

    /// Ends the session, and judges what was recorded so far.
    fn end(&mut self, py: Python<'_>) -> PyResult<Report> {
        self.session(py)?;
        let Some(session) = self.inner.take() else { return Err(over(py)) };
        let (record, transcript) = session.into_parts();
        let inner = match self.earlier.take() {
            Some(mut report) => {
                report.append(transcript);
                report
            }
            None => relayprobe::Report::new(record, transcript),
        };
        Ok(Report { inner })
    }
}

impl Session {
    fn session(&mut self, py: Python<'_>) -> PyResult<&mut relayprobe::Session> {
        self.home.check(py, "session")?;
        self.inner.as_mut().ok_or_else(|| over(py))
    }

    fn hand(&mut self, py: Python<'_>, input: Input<'_>, now: f64) -> PyResult<()> {
        let now = moment(py, now)?;
        self.session(py)?.handle_input(input, now);
        Ok(())
    }
}

fn over(py: Python<'_>) -> PyErr {
    error(py, "SessionError", "over", &"the session has given its report and is over", &[])
}

/// Seconds of the caller's clock as a moment.
fn moment(py: Python<'_>, now: f64) -> PyResult<Moment> {
    match Duration::try_from_secs_f64(now) {
        Ok(span) => Ok(Moment::ZERO.after(span)),
        Err(fault) => Err(wrong(py, "now", &now.to_string(), &fault)),
    }
}

/// Upwards, so that nobody comes back a microsecond early.
fn seconds(moment: Moment) -> f64 {
    let span = Duration::from_micros(moment.as_micros()).as_secs_f64();
    if Duration::try_from_secs_f64(span).is_ok_and(|back| Moment::ZERO.after(back) < moment) {
        span.next_up()
    } else {
        span
    }
}

const LOSSES: [(&str, Loss); 9] = [
    ("refused", Loss::Refused),
    ("timed-out", Loss::TimedOut),
    ("no-route", Loss::NoRoute),
    ("prohibited", Loss::Prohibited),
    ("no-address", Loss::NoAddress),
    ("closed", Loss::Closed),
    ("reset", Loss::Reset),
    ("tls", Loss::Tls),
    ("other", Loss::Other),
];

/// What an error of the system says about a connection.
#[pyfunction]
pub(crate) fn loss(errno: i32) -> &'static str {
    let found = driver::loss(&io::Error::from_raw_os_error(errno));
    LOSSES.iter().find(|(_, loss)| *loss == found).map_or("other", |(word, _)| word)
}
