//! Runs that prove: a sink of ours, a real server, and what comes back from it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use relayprobe::driver::{self, Stop, blocking};
use relayprobe::identity::Identity;
use relayprobe::moment::Date;
use relayprobe::outcome::Outcome;
use relayprobe::plan::{Limits, PlanBuilder, Profile, Prove, Vantage};
use relayprobe::receipt::{Arrival, Classified, ReceiptKind, classify};
use relayprobe::sink::{Mode, Sink, SinkOptions};
use relayprobe::{Keyring, Matrix, Plan, Report, Selection, Target};

use crate::dialogue;
use crate::servers::{DOMAIN, Server};

/// How long anything may take on one machine.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long nothing must come for everything to have come.
const QUIET: Duration = Duration::from_millis(1_500);

/// Our own side: a receiving server, and the keys of the tokens.
#[derive(Debug)]
pub struct Bench {
    /// The receiving server; gone if it was closed.
    pub sink: Option<Sink>,
    /// Where it is, or was.
    pub address: SocketAddr,
    arrivals: Receiver<Arrival>,
    keys: Keyring,
}

impl Bench {
    /// A receiving server on loopback.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    #[must_use]
    pub fn open(mode: Mode) -> Self {
        Self::on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port"), mode)
    }

    /// A receiving server at a place of the caller's choice.
    ///
    /// # Panics
    /// If it cannot be listened on.
    #[must_use]
    pub fn open_at(address: SocketAddr) -> Self {
        Self::on(TcpListener::bind(address).expect("the port is still free"), Mode::Accept)
    }

    fn on(listener: TcpListener, mode: Mode) -> Self {
        let address = listener.local_addr().expect("its address");
        let (sender, arrivals) = channel();
        let mut options = SinkOptions::new(&identity());
        options.mode = mode;
        let keep = move |arrival| sender.send(arrival).map_err(std::io::Error::other);
        let sink = Some(Sink::start(listener, options, keep).expect("a sink"));
        Self { sink, address, arrivals, keys: dialogue::keyring() }
    }

    /// A way in behind which nobody is any longer.
    #[must_use]
    pub fn dead() -> Self {
        let mut bench = Self::open(Mode::Accept);
        bench.sink = None;
        bench
    }

    /// Surveys a server, sends a message for everything that it accepts, and waits until nothing more comes.
    ///
    /// # Panics
    /// If the plan is refused.
    #[must_use]
    pub fn prove(&self, server: &Server, wishes: impl FnOnce(PlanBuilder) -> PlanBuilder) -> Report {
        let mut target = Target::new(server.addr.ip(), server.addr.port());
        target.domains.push(DOMAIN.parse().expect("a domain"));
        target.mailbox = Some(format!("alice@{DOMAIN}").parse().expect("a mailbox"));
        let leave = "own-server:tests".parse().expect("an authorization");
        let builder = Plan::builder(target, identity(), leave)
            .allow_private()
            .source("127.0.0.2".parse().expect("an address"))
            .vantage(Vantage::Outside)
            .profile(Profile::Lab)
            .tls(driver::TLS)
            .matrix(Matrix::select(Selection::Quick))
            .prove(Prove::All, &self.keys)
            .messages(Limits::MOST_MESSAGES)
            .way_in(self.address);
        let plan = wishes(builder).build(driver::now(), driver::seed());
        let plan = plan.unwrap_or_else(|fault| panic!("{fault}"));
        let mut report = blocking::run(plan, &Stop::new(), |_| {});
        self.collect(&mut report);
        report
    }

    /// Adds what comes until all is quiet, or nothing is waited for.
    pub fn collect(&self, report: &mut Report) {
        let begin = Instant::now();
        let mut last = Instant::now();
        while begin.elapsed() < PATIENCE && last.elapsed() < QUIET {
            let Ok(arrival) = self.arrivals.recv_timeout(Duration::from_millis(100)) else { continue };
            last = Instant::now();
            self.add(report, &arrival);
        }
    }

    /// Waits for the first thing of a kind that the target's messages brought.
    ///
    /// # Panics
    /// If it does not come.
    pub fn await_kind(&self, report: &mut Report, kind: ReceiptKind) {
        let begin = Instant::now();
        while of_kind(report, kind).next().is_none() {
            assert!(begin.elapsed() < PATIENCE, "nothing is {}: {}", kind.as_str(), shown(report));
            if let Ok(arrival) = self.arrivals.recv_timeout(Duration::from_millis(100)) {
                self.add(report, &arrival);
            }
        }
    }

    /// Adds an arrival to the report of its run.
    ///
    /// # Panics
    /// If it is of another run, or forged.
    pub fn add(&self, report: &mut Report, arrival: &Arrival) {
        let run = report.run.clone();
        match classify(arrival, &self.keys, &|name| (name == run.run).then(|| run.clone())) {
            Classified::Receipt(receipt) => drop(report.add(*receipt).expect("a receipt of this run")),
            Classified::NotOurs => {}
            other => panic!("{other:?}"),
        }
    }

    /// Sees once more whether the way in leads to us, and takes in what came by it.
    pub fn check_way_in(&self, report: &mut Report) {
        blocking::check_way_in(report, &self.keys, &Stop::new());
        self.collect(report);
    }
}

fn identity() -> Identity {
    let mut identity = Identity::new("probe.example".parse().expect("a domain"));
    identity.sender_domain = "tester.example".parse().expect("a domain");
    identity.helo = "tester.example".parse().expect("a domain");
    identity
}

/// The report with everything, for messages.
#[must_use]
pub fn shown(report: &Report) -> String {
    let receipts: Vec<String> = report.receipts.iter().map(|receipt| format!("{receipt:?}")).collect();
    format!("{}\n{}\n{}", report.text(), receipts.join("\n"), report.transcript_text())
}

/// The relay cases over the main path with this outcome.
#[must_use]
pub fn with_outcome<'a>(report: &'a Report, word: &str) -> Vec<&'a str> {
    let cases = report.probes.iter().filter(|probe| probe.path == 0 && !probe.case.starts_with("ctl-"));
    cases.filter(|probe| probe.outcome.as_str() == word).map(|probe| &*probe.case).collect()
}

/// The receipts of a kind that the target's messages brought.
pub fn of_kind(report: &Report, kind: ReceiptKind) -> impl Iterator<Item = &relayprobe::receipt::Receipt> {
    report.receipts.iter().filter(move |receipt| {
        let probe = report.run.probe(receipt.probe);
        receipt.kind == kind && probe.is_some_and(|probe| !report.run.is_way_in(probe.path))
    })
}

/// A moment so many seconds after the end of every window of a report.
#[must_use]
pub fn afterwards(report: &Report) -> Date {
    Date::from_unix(report.as_of.unix() + report.run.limits.window + 60)
}

/// Whether our own message came by the way in.
#[must_use]
pub fn saw_ourselves(report: &Report) -> bool {
    report.probes.iter().any(|probe| {
        let came = matches!(probe.outcome, Outcome::Relayed { .. } | Outcome::RelayAttempted { .. });
        probe.case == "ctl-path" && came
    })
}
