//! `relayprobe demo`: what a run looks like, on loopback alone.

mod flawed;

use core::time::Duration;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc;

use clap::Args;
use relayprobe::address::AddressError;
use relayprobe::driver::{self, Stop, blocking};
use relayprobe::identity::AuthorizationError;
use relayprobe::plan::{Limits, Profile, Prove, Vantage};
use relayprobe::sink::{Sink, SinkOptions};
use relayprobe::{Authorization, Identity, Matrix, Plan, Report, Selection, Target, Verdict};

use crate::cli::Failure;
use crate::cli::keys;
use crate::cli::output::{show, tell};
use crate::cli::sources::Sources;
use crate::cli::wait::{Patience, wait};

use flawed::Flawed;

/// How long a message may take here, where nothing is far.
const WINDOW: Duration = Duration::from_secs(2);

/// Start a small flawed mail server on loopback, test it and prove what is wrong with it
#[derive(Args, Debug)]
pub(crate) struct DemoOptions {
    /// Print the report as JSON and nothing else
    #[arg(long)]
    json: bool,
}

/// The demonstration cannot be given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("the demonstration needs loopback, and it cannot be used: {0}")]
    Loopback(#[from] io::Error),
    #[error(transparent)]
    Name(#[from] AddressError),
    #[error(transparent)]
    Leave(#[from] AuthorizationError),
    #[error("the demonstration went wrong: its server relays, and was found {0}")]
    Wrong(Verdict),
}

pub(crate) fn demo(options: &DemoOptions) -> Result<u8, Failure> {
    let report = run()?;
    if !options.json {
        show(INTRODUCTION)?;
    }
    show(&if options.json { report.to_json() + "\n" } else { report.text() })?;
    match report.verdict {
        Verdict::OpenRelay => Ok(0),
        other => Err(DemoError::Wrong(other).into()),
    }
}

const INTRODUCTION: &str = "\
A small mail server was started on this machine, with three faults: it passes on whatever has no sender, as bounces have
none; it follows percent signs in addresses; and it takes bang paths and loses them. Then it was tested as a stranger's
server would be: first with envelopes, then with a message for each envelope that it took. This is the report.

";

fn run() -> Result<Report, Failure> {
    let keys = keys::fresh()?;
    let identity = identity().map_err(DemoError::from)?;
    let mut sources = Sources::default();
    let way_in = listen(&identity, &mut sources).map_err(DemoError::from)?;
    let server = Flawed::start(way_in).map_err(DemoError::from)?;
    let mut target = Target::new(server.address().ip(), server.address().port());
    target.domains.push("target.example".parse().map_err(DemoError::from)?);
    let leave: Authorization = "own-server:demo".parse().map_err(DemoError::from)?;
    let plan = Plan::builder(target, identity, leave)
        .matrix(Matrix::select(Selection::Standard))
        .allow_private()
        .profile(Profile::Lab)
        .vantage(Vantage::Loopback)
        .tls(driver::TLS)
        .prove(Prove::All, &keys)
        .messages(Limits::MOST_MESSAGES)
        .window(WINDOW)
        .way_in(way_in)
        .build(driver::now(), driver::seed())?;
    tell("testing a flawed server on loopback …");
    let stop = Stop::new();
    let mut report = blocking::run(plan, &stop, |_| {});
    wait(&mut report, &mut sources, &keys, Patience::For(WINDOW + Duration::from_secs(1)), &stop)?;
    Ok(report)
}

fn identity() -> Result<Identity, AddressError> {
    let mut identity = Identity::new("probe.example".parse()?);
    identity.sender_domain = "tester.example".parse()?;
    identity.helo = "tester.example".parse()?;
    Ok(identity)
}

fn listen(identity: &Identity, sources: &mut Sources) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (sender, arrivals) = mpsc::channel();
    let sink = Sink::start(listener, SinkOptions::new(identity), move |arrival| {
        // Once the demonstration is over nobody waits for it.
        drop(sender.send(arrival));
        Ok(())
    })?;
    let address = sink.address();
    sources.listen(sink, arrivals);
    Ok(address)
}
