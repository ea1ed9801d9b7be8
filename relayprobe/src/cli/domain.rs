//! `relayprobe probe --mx`: asks every mail host of a domain.

use core::net::IpAddr;

use clap::Args;
use relayprobe::address::{Domain, Network, Scope};
use relayprobe::dns;
use relayprobe::driver::tokio::{Pace, Sweep, Swept};
use relayprobe::driver::{self, Stop};
use relayprobe::lookup::{MailService, Reverse};
use relayprobe::plan::PlanBuilder;
use relayprobe::report::{DomainReport, HostReport};
use relayprobe::{Report, Target};
use tokio::runtime::Builder;

use crate::cli::Failure;
use crate::cli::names::NamesError;
use crate::cli::output::{OutputError, show, tell};
use crate::cli::proof::Proof;
use crate::cli::run::{self, stop_on_signal};
use crate::cli::store::Store;
use crate::cli::sweep::SweepError;
use crate::cli::wait::wait_all;

/// A domain instead of a host.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "All mail hosts of a domain")]
pub(crate) struct DomainOptions {
    /// Test every mail host of this domain at each of its addresses: a report for each, and one that sums up
    #[arg(long, value_name = "DOMAIN", value_parser = dns::domain,
        conflicts_with_all = ["host", "targets", "ptr", "expect_host", "other_address", "transcript"])]
    pub(crate) mx: Option<Domain>,
    /// Network of the mail servers of the domain's provider: tells whether a filter would cut its mail off; repeatable
    #[arg(long, value_name = "NETWORK", requires = "mx",
        conflicts_with_all = ["host", "targets"])]
    pub(crate) provider_network: Vec<Network>,
}

/// What a domain is tested with.
pub(crate) struct Wishes<'a> {
    pub(crate) resolver: &'a dns::blocking::Resolver,
    pub(crate) provider: &'a [Network],
    pub(crate) port: u16,
    /// Local address to connect from.
    pub(crate) from: Option<IpAddr>,
    pub(crate) scope: Scope,
    pub(crate) store: Option<&'a Store>,
    pub(crate) json: bool,
}

/// Asks all mail hosts of a domain. `complete` adds what the caller knows of a target, `build` makes the beginning of a
/// plan, `ask_lists` asks block lists.
pub(crate) fn domain(
    domain: &Domain,
    wishes: &Wishes<'_>,
    proof: Option<Proof>,
    complete: impl Fn(&mut Target),
    build: impl Fn(Target) -> PlanBuilder + Sync,
    ask_lists: impl FnOnce(&mut [Report]) -> Result<(), NamesError>,
) -> Result<u8, Failure> {
    let mail = wishes.resolver.mail_domain(domain, driver::seed() >> 11);
    let mail = mail.map_err(|fault| NamesError::of_domain(domain, fault))?;
    mail.notes.iter().for_each(|note| tell(format_args!("note: {note}")));
    let mut targets = mail.targets(wishes.port);
    if targets.is_empty() && mail.service != MailService::None && !mail.is_incomplete() {
        return Err(NamesError::NoAddress { domain: domain.clone() }.into());
    }
    targets.iter_mut().for_each(complete);
    name(&mut targets, wishes)?;
    let stop = stop_on_signal();
    let (mut reports, mut hosts) = run(targets, wishes, &stop, build)?;
    let waited = proof.map(|mut proof| wait_all(&mut reports, &mut proof, &stop)).transpose();
    let listed = ask_lists(&mut reports);
    hosts.extend(reports.iter().map(HostReport::tested));
    let inbound = (!wishes.provider.is_empty()).then(|| mail.inbound_path(wishes.provider)).flatten();
    let summary = DomainReport::new(mail, inbound, hosts);
    // Each in its turn, whatever becomes of the others.
    let shown = show_all(&reports, &summary, wishes.json);
    let stored = wishes.store.map(|store| {
        reports
            .iter()
            .try_for_each(|report| store.keep_report(report).and_then(|_| store.count_messages(report)))
    });
    shown?;
    waited?;
    stored.transpose()?;
    listed?;
    Ok(summary.exit_code)
}

/// Looks up the reverse names of addresses that may be tested. One that does not lead back is nobody's name.
fn name(targets: &mut [Target], wishes: &Wishes<'_>) -> Result<(), NamesError> {
    let asked =
        |target: &&mut Target| target.reverse_name.is_none() && wishes.scope.check(target.address).is_ok();
    let mut targets: Vec<&mut Target> = targets.iter_mut().filter(asked).collect();
    let addresses: Vec<IpAddr> = targets.iter().map(|target| target.address).collect();
    let found =
        wishes.resolver.run(async |resolver: dns::Resolver| resolver.reverse_all(&addresses).await)?;
    for target in &mut targets {
        let reverse = found.iter().find(|reverse| reverse.address == target.address);
        target.reverse_name = reverse.and_then(Reverse::confirmed);
    }
    Ok(())
}

type Found = (Vec<Report>, Vec<HostReport>);

fn run(
    targets: Vec<Target>,
    wishes: &Wishes<'_>,
    stop: &Stop,
    build: impl Fn(Target) -> PlanBuilder + Sync,
) -> Result<Found, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| SweepError::Runtime { fault })?;
    let (mut reports, mut untested) = (Vec::new(), Vec::new());
    let fits = |target: &Target| wishes.from.is_none_or(|from| from.is_ipv4() == target.address.is_ipv4());
    let (targets, others): (Vec<_>, Vec<_>) = targets.into_iter().partition(fits);
    for target in others {
        let why = "the address to connect from (--source) is of the other family";
        untested.push(HostReport::untested(target.address, target.name, why));
    }
    let source = targets.into_iter().map(|target| (target.address, target));
    let plan = |target: &Target| run::plan(build(target.clone()), target.address, wishes.store);
    let mut sweep = Sweep::new(source, plan, Pace::default(), stop);
    runtime.block_on(async {
        while let Some(swept) = sweep.next().await {
            match swept {
                Swept::Report(_, report) => reports.push(*report),
                Swept::Refused(target, failure) => {
                    tell(format_args!("{} is not tested: {failure}", target.address));
                    let why = failure.to_string();
                    untested.push(HostReport::untested(target.address, target.name, &why));
                }
                _ => {}
            }
        }
    });
    Ok((reports, untested))
}

fn show_all(reports: &[Report], summary: &DomainReport, json: bool) -> Result<(), OutputError> {
    let mut text = String::new();
    for report in reports {
        text += &if json { report.to_json() } else { report.text() };
        text.push('\n');
    }
    text += &if json { summary.to_json() + "\n" } else { summary.text() };
    show(&text)
}
