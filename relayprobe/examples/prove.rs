//! Proves what a server accepts, with a receiving server of its own: `prove ADDRESS DOMAIN LISTEN STORE`.
//!
//! `relayprobe init` makes the store, with its keys.

use std::env;
use std::error::Error;
use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use relayprobe::driver::{self, Stop, blocking};
use relayprobe::plan::Prove;
use relayprobe::receipt::{Classified, classify};
use relayprobe::sink::{Sink, SinkOptions, Spool};
use relayprobe::{Authorization, Identity, Keyring, Plan, Report, Target, Verdict};

/// How long to wait for a first proof.
const PATIENCE: Duration = Duration::from_mins(2);

fn prove(address: IpAddr, domain: &str, listen: SocketAddr, store: &Path) -> Result<Report, Box<dyn Error>> {
    let mut identity = Identity::new("probe.example".parse()?);
    identity.sender_domain = "sender.example".parse()?;
    identity.contact = "abuse@example.org".parse()?;
    let keys = Keyring::from_text(&fs::read_to_string(store.join("keys"))?)?;

    // Listens before anything is asked. What the spool has kept outlives this program.
    let spool = Spool::open(&store.join("receipts"))?;
    let kept = Spool::open(&store.join("receipts"))?;
    let sink = Sink::start(TcpListener::bind(listen)?, SinkOptions::new(&identity), move |arrival| {
        kept.keep(&arrival).map(drop)
    })?;

    let mut target = Target::new(address, 25);
    target.domains.push(domain.parse()?);
    let authorization: Authorization = "customer-contract:K123".parse()?;
    let plan = Plan::builder(target, identity, authorization)
        .tls(driver::TLS)
        .prove(Prove::Families, &keys)
        .way_in(sink.address())
        .build(driver::now(), driver::seed())?;
    let record = plan.record().clone();
    let mut report = blocking::run(plan, &Stop::new(), |_event| {});

    let begin = Instant::now();
    while report.verdict != Verdict::OpenRelay && !report.settled && begin.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(250));
        for spooled in spool.new_arrivals()? {
            let spooled = spooled?;
            let run = |name: &str| (name == record.run).then(|| record.clone());
            // Another run's stay, for whoever has its record.
            if let Classified::Receipt(receipt) = classify(&spooled.arrival, &keys, &run) {
                report.add(*receipt)?;
                spool.mark_read(&spooled.path)?;
            }
        }
    }
    report.judge(driver::now());
    Ok(report)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, domain, listen, store] = arguments.as_slice() else {
        return Err("usage: prove ADDRESS DOMAIN LISTEN STORE".into());
    };
    let report = prove(address.parse()?, domain, listen.parse()?, Path::new(store))?;
    print!("{}", report.text());
    Ok(())
}
