//! This library, with as many hosts at once as it is told.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use relayprobe::address::Domain;
use relayprobe::driver::tokio::{Pace, Sweep, Swept};
use relayprobe::driver::{self, Stop, blocking};
use relayprobe::plan::{Budget, Grouping, Profile};
use relayprobe::{Authorization, Identity, Matrix, Plan, PlanError, Report, Target};

use crate::Hosts;

/// What is the same for all hosts.
#[derive(Clone)]
pub(crate) struct Asked {
    matrix: Matrix,
    identity: Identity,
    authorization: Authorization,
    domain: Domain,
    manner: Manner,
}

#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) lockstep: bool,
    pub(crate) cautious: bool,
    pub(crate) connections: u8,
}

impl Asked {
    pub(crate) fn new(cases: &[String], manner: Manner) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            matrix: Matrix::named(cases.iter().map(String::as_str))?,
            identity: Identity::new("probe.example".parse()?),
            authorization: "own-server:stub".parse()?,
            domain: "target.example".parse()?,
            manner,
        })
    }

    pub(crate) fn plan(&self, server: SocketAddr) -> Result<Plan, PlanError> {
        let mut target = Target::new(server.ip(), server.port());
        target.domains.push(self.domain.clone());
        let mut builder = Plan::builder(target, self.identity.clone(), self.authorization.clone())
            .matrix(self.matrix.clone())
            .profile(Profile::Lab)
            .allow_private()
            .connections_at_once(self.manner.connections);
        if !self.manner.cautious {
            builder = builder.budget(Budget::LIFTED);
        }
        if self.manner.lockstep {
            builder = builder.grouping(Grouping::Never);
        }
        builder.build(driver::now(), driver::seed())
    }
}

pub(crate) fn run(hosts: &Hosts, cases: &[String], manner: Manner) -> Result<(), Box<dyn Error>> {
    let manner = Manner { lockstep: hosts.lockstep, ..manner };
    let asked = Asked::new(cases, manner)?;
    let mut verdicts = BTreeMap::new();
    let mut count = |report: &Report| *verdicts.entry(report.verdict.as_str()).or_insert(0_u32) += 1;
    if hosts.count == 1 {
        count(&blocking::run(asked.plan(hosts.first)?, &Stop::new(), |_event| {}));
    } else {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(sweep(hosts, &asked, count))?;
    }
    println!("{}", serde_json::to_string(&verdicts)?);
    Ok(())
}

async fn sweep(hosts: &Hosts, asked: &Asked, mut count: impl FnMut(&Report)) -> Result<(), String> {
    let mut pace = Pace::default();
    pace.in_flight = hosts.in_flight;
    pace.per_network = usize::MAX;
    pace.network_pause = Duration::ZERO;
    pace.per_second = u32::MAX;
    let targets = hosts.addresses().map(|server| (server.ip(), server.port()));
    let targets = targets.map(|(address, port): (IpAddr, u16)| (address, SocketAddr::new(address, port)));
    let stop = Stop::new();
    let mut sweep = Sweep::new(targets, |server: &SocketAddr| asked.plan(*server), pace, &stop);
    while let Some(swept) = sweep.next().await {
        match swept {
            Swept::Report(_, report) => count(&report),
            Swept::Refused(server, error) => return Err(format!("{server}: {error}")),
            _ => {}
        }
    }
    Ok(())
}
