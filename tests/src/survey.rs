//! Surveys of real servers, and what is counted about them.

use std::time::Duration;

use relayprobe::driver::{self, Stop};
use relayprobe::identity::Identity;
use relayprobe::outcome::Outcome;
use relayprobe::plan::{PlanBuilder, Profile, Vantage};
use relayprobe::transcript::{Connection, Step, What};
use relayprobe::{Matrix, Plan, Report, Selection, Target};

use crate::servers::{DOMAIN, Server};

/// Surveys a real server as a stranger from another loopback address.
///
/// # Panics
/// If the plan is refused.
#[must_use]
pub fn survey(server: &Server, selection: Selection) -> Report {
    survey_with(server, |builder| builder.matrix(Matrix::select(selection)))
}

/// The same with wishes.
///
/// # Panics
/// If the plan is refused.
#[must_use]
pub fn survey_with(server: &Server, wishes: impl FnOnce(PlanBuilder) -> PlanBuilder) -> Report {
    let mut target = Target::new(server.addr.ip(), server.addr.port());
    target.domains.push(DOMAIN.parse().expect("a domain"));
    target.mailbox = Some(format!("alice@{DOMAIN}").parse().expect("a mailbox"));
    let mut identity = Identity::new("probe.example".parse().expect("a domain"));
    identity.sender_domain = "tester.example".parse().expect("a domain");
    let builder = Plan::builder(target, identity, "own-server:tests".parse().expect("an authorization"))
        .allow_private()
        .source("127.0.0.2".parse().expect("an address"))
        .vantage(Vantage::Outside)
        .profile(Profile::Lab)
        .tls(driver::TLS);
    let plan = wishes(builder).build(driver::now(), driver::seed()).unwrap_or_else(|fault| panic!("{fault}"));
    driver::blocking::run(plan, &Stop::new(), |_| {})
}

/// The report as text with the transcript, for messages.
#[must_use]
pub fn shown(report: &Report) -> String {
    format!("{}\n{}", report.text(), report.transcript_text())
}

/// The ids of the relay cases that were accepted over the main path.
#[must_use]
pub fn accepted(report: &Report) -> Vec<&str> {
    let cases = report.probes.iter().filter(|probe| probe.path == 0 && !probe.case.starts_with("ctl-"));
    cases.filter(|probe| probe.outcome.is_accepted()).map(|probe| &*probe.case).collect()
}

/// The cases that make sense here and have no answer, with the reason.
#[must_use]
pub fn unanswered(report: &Report) -> Vec<String> {
    let open = |outcome: &Outcome| matches!(outcome, Outcome::NotTested { .. } | Outcome::Deferred { .. });
    let probes = report.probes.iter().filter(|probe| open(&probe.outcome));
    probes.map(|probe| format!("{} over {}: {:?}", probe.case, probe.path, probe.outcome)).collect()
}

/// Replies with 4yz or 5yz on a connection: what servers count as errors.
#[must_use]
pub fn errors(connection: &Connection) -> usize {
    let refusal = |what: &What| match what {
        What::Reply { octets, .. } => matches!(octets.as_bytes().first(), Some(b'4' | b'5')),
        _ => false,
    };
    connection.entries.iter().filter(|entry| refusal(&entry.what)).count()
}

/// Writes of commands on a connection, QUIT not counted apart: rounds.
#[must_use]
pub fn rounds(connection: &Connection) -> usize {
    let commands = connection.entries.iter().filter_map(|entry| match &entry.what {
        What::Command { step, .. } => Some((*step, entry.at)),
        _ => None,
    });
    let mut times: Vec<_> = commands.filter(|(step, _)| *step != Step::Quit).map(|(_, at)| at).collect();
    times.dedup();
    times.len()
}

/// The longest time from a write to a reply, or from one reply to the next; the goodbye does not count.
#[must_use]
pub fn longest_wait(connection: &Connection) -> Duration {
    let quit = |what: &What| matches!(what, What::Command { step: Step::Quit, .. });
    let farewell =
        |what: &What| matches!(what, What::Reply { octets, .. } if octets.as_bytes().starts_with(b"221"));
    let told = connection.entries.iter().filter(|entry| !quit(&entry.what) && !farewell(&entry.what));
    let times: Vec<_> = told.filter(|entry| entry.what != What::Closed).map(|entry| entry.at).collect();
    times.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap_or_default()
}
