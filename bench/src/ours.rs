//! This library, with as many hosts at once as it is told.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use relayprobe::driver::tokio::{Pace, Sweep, Swept};
use relayprobe::driver::{self, Stop, blocking};
use relayprobe::plan::{Budget, Grouping, Profile};
use relayprobe::{Authorization, Identity, Matrix, Plan, Report, Target};

use crate::Hosts;

type PlanFault = Box<dyn Error + Send + Sync>;

#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) lockstep: bool,
    pub(crate) cautious: bool,
    pub(crate) connections: u8,
}

pub(crate) fn plan(server: SocketAddr, cases: &[String], manner: Manner) -> Result<Plan, PlanFault> {
    let mut target = Target::new(server.ip(), server.port());
    target.domains.push("target.example".parse()?);
    let identity = Identity::new("probe.example".parse()?);
    let authorization: Authorization = "own-server:stub".parse()?;
    let mut builder = Plan::builder(target, identity, authorization)
        .matrix(Matrix::named(cases.iter().map(String::as_str))?)
        .profile(Profile::Lab)
        .allow_private()
        .connections_at_once(manner.connections);
    if !manner.cautious {
        builder = builder.budget(Budget::LIFTED);
    }
    if manner.lockstep {
        builder = builder.grouping(Grouping::Never);
    }
    Ok(builder.build(driver::now(), driver::seed())?)
}

pub(crate) fn run(hosts: &Hosts, cases: &[String], manner: Manner) -> Result<(), Box<dyn Error>> {
    let manner = Manner { lockstep: hosts.lockstep, ..manner };
    let mut verdicts = BTreeMap::new();
    let mut count = |report: &Report| *verdicts.entry(report.verdict.as_str()).or_insert(0_u32) += 1;
    if hosts.count == 1 {
        count(&blocking::run(
            plan(hosts.first, cases, manner).map_err(|error| error.to_string())?,
            &Stop::new(),
            |_event| {},
        ));
    } else {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(sweep(hosts, cases, manner, count))?;
    }
    println!("{}", serde_json::to_string(&verdicts)?);
    Ok(())
}

async fn sweep(
    hosts: &Hosts,
    cases: &[String],
    manner: Manner,
    mut count: impl FnMut(&Report),
) -> Result<(), String> {
    let mut pace = Pace::default();
    pace.in_flight = hosts.in_flight;
    pace.per_network = usize::MAX;
    pace.network_pause = Duration::ZERO;
    pace.per_second = u32::MAX;
    let targets = hosts.addresses().map(|server| (server.ip(), server.port()));
    let targets = targets.map(|(address, port): (IpAddr, u16)| (address, SocketAddr::new(address, port)));
    let stop = Stop::new();
    let mut sweep = Sweep::new(targets, |server: &SocketAddr| plan(*server, cases, manner), pace, &stop);
    while let Some(swept) = sweep.next().await {
        match swept {
            Swept::Report(_, report) => count(&report),
            Swept::Refused(server, error) => return Err(format!("{server}: {error}")),
            _ => {}
        }
    }
    Ok(())
}
