//! From wishes to a plan, or to the reason why not.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use super::Plan;
use super::context::{History, Measure, NeverTest, Vantage};
use super::error::{DAILY_REFUSALS, PlanError};
use super::limits::{Budget, Grouping, Limits, Profile};
use super::names::Names;
use super::probes::probes;
use super::record::{DriverTls, Prove, Redaction, RunRecord};
use crate::address::{Domain, Scope, ScopeError, special_range};
use crate::identity::{Authorization, Identity};
use crate::matrix::{Case, Matrix, Selection};
use crate::message::Letter;
use crate::moment::Date;
use crate::target::{Path, Target, Tls};
use crate::token::{Binding, Keyring, run_name};

/// Ports on which mail servers listen; others must be allowed one by one, for this is no port scanner.
const MAIL_PORTS: [u16; 10] = [24, 25, 26, 465, 587, 1025, 2525, 10_024, 10_025, 10_026];
/// The same target again by machine (RFC 6471 §3.6.2).
const INTERVAL: Duration = Duration::from_hours(24);

/// Collects what a run needs; [`build`](Self::build) checks it.
#[derive(Clone, Debug)]
pub struct PlanBuilder {
    target: Target,
    identity: Identity,
    authorization: Authorization,
    matrix: Matrix,
    ports: Vec<u16>,
    allowed_ports: Vec<u16>,
    implicit_tls: Vec<u16>,
    scope: Scope,
    profile: Profile,
    connections_at_once: u8,
    budget: Option<Budget>,
    grouping: Option<Grouping>,
    retries: Option<Vec<u32>>,
    vantage: Vantage,
    measures: Vec<Measure>,
    never_test: NeverTest,
    history: History,
    again: Again,
    proof: Option<Proof>,
    messages: u16,
    window: Option<u64>,
    way_in: Option<SocketAddr>,
    source: Option<IpAddr>,
    tls: DriverTls,
}

/// What a run needs that sends messages. The keys go no further than the tokens of the plan.
#[derive(Clone, Debug)]
struct Proof {
    which: Prove,
    keys: Keyring,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    WhenDue,
    Now,
}

impl PlanBuilder {
    pub(super) fn new(target: Target, identity: Identity, authorization: Authorization) -> Self {
        Self {
            ports: [target.port].to_vec(),
            target,
            identity,
            authorization,
            matrix: Matrix::select(Selection::Quick),
            allowed_ports: Vec::new(),
            implicit_tls: [465].to_vec(),
            scope: Scope::Internet,
            profile: Profile::Brisk,
            connections_at_once: 1,
            budget: None,
            grouping: None,
            retries: None,
            vantage: Vantage::Outside,
            measures: Vec::new(),
            never_test: NeverTest::default(),
            history: History::default(),
            again: Again::WhenDue,
            proof: None,
            messages: Limits::MESSAGES,
            window: None,
            way_in: None,
            source: None,
            tls: DriverTls::Unable,
        }
    }

    /// Which cases to ask; the quick selection otherwise.
    #[must_use]
    pub fn matrix(mut self, matrix: Matrix) -> Self {
        self.matrix = matrix;
        self
    }

    /// Sends messages for the cases that are accepted; a survey with envelopes alone otherwise.
    ///
    /// The names of all recipients are tokens of the key in use, which stay with the caller: receipts are checked
    /// against them. Once a message was sent, somebody must listen at the probe domain.
    #[must_use]
    pub fn prove(mut self, which: Prove, keys: &Keyring) -> Self {
        self.proof = Some(Proof { which, keys: keys.clone() });
        self
    }

    /// Messages of the run, 1 to 64; 12 otherwise.
    #[must_use]
    pub const fn messages(mut self, count: u16) -> Self {
        self.messages = count;
        self
    }

    /// After how long a message that was accepted and has not come back is taken for not relayed, 1 second to 7 days;
    /// 6 hours otherwise, which is several tries of every queue.
    #[must_use]
    pub const fn window(mut self, span: Duration) -> Self {
        self.window = Some(span.as_secs());
        self
    }

    /// Where our own receiving server is reached by those who deliver to the probe domain. The run then begins with a
    /// message of our own by that way: without it nobody can say later that nothing came.
    #[must_use]
    pub const fn way_in(mut self, address: SocketAddr) -> Self {
        self.way_in = Some(address);
        self
    }

    /// Which ports to ask on, the main one first; the target's otherwise.
    #[must_use]
    pub fn ports(mut self, ports: &[u16]) -> Self {
        self.ports = ports.to_vec();
        self
    }

    /// Takes a port for a mail port although it is none of the usual ones.
    #[must_use]
    pub fn allow_port(mut self, port: u16) -> Self {
        self.allowed_ports.push(port);
        self
    }

    /// Takes a port for one on which TLS begins with the first octet, as it does on 465 (RFC 8314 §3.3).
    #[must_use]
    pub fn implicit_tls(mut self, port: u16) -> Self {
        self.implicit_tls.push(port);
        self
    }

    /// Allows loopback, private and link-local targets, on mail ports and on any from 1,024 on.
    #[must_use]
    pub const fn allow_private(mut self) -> Self {
        self.scope = Scope::Private;
        self
    }

    /// Deadlines and paces; [`Profile::Brisk`] otherwise.
    #[must_use]
    pub const fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Connections open at once, 1 to 3; 1 otherwise.
    #[must_use]
    pub const fn connections_at_once(mut self, count: u8) -> Self {
        self.connections_at_once = count;
        self
    }

    /// What one connection may ask, instead of what the kind of server allows.
    ///
    /// For servers of one's own: an unknown server's limit is only learnt by being punished.
    #[must_use]
    pub const fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Whether commands go out in groups; the profile decides otherwise.
    #[must_use]
    pub const fn grouping(mut self, grouping: Grouping) -> Self {
        self.grouping = Some(grouping);
        self
    }

    /// Seconds to wait before deferred probes are asked again, one entry a try and eight at most; the profile decides
    /// otherwise.
    #[must_use]
    pub fn retries(mut self, seconds: &[u32]) -> Self {
        self.retries = Some(seconds.to_vec());
        self
    }

    /// From where the run looks; [`Vantage::Outside`] otherwise.
    #[must_use]
    pub const fn vantage(mut self, vantage: Vantage) -> Self {
        self.vantage = vantage;
        self
    }

    /// A block in force around the target.
    #[must_use]
    pub fn measure(mut self, measure: Measure) -> Self {
        if !self.measures.contains(&measure) {
            self.measures.push(measure);
        }
        self
    }

    /// Who asked not to be tested.
    #[must_use]
    pub fn never_test(mut self, list: NeverTest) -> Self {
        self.never_test = list;
        self
    }

    /// What earlier runs did to the same target.
    #[must_use]
    pub const fn history(mut self, history: History) -> Self {
        self.history = history;
        self
    }

    /// Tests the target although it was tested less than a day ago: a person asks for it.
    #[must_use]
    pub const fn again(mut self) -> Self {
        self.again = Again::Now;
        self
    }

    /// Local address to connect from.
    #[must_use]
    pub const fn source(mut self, source: IpAddr) -> Self {
        self.source = Some(source);
        self
    }

    /// Whether the driver can do TLS; it cannot otherwise.
    #[must_use]
    pub const fn tls(mut self, tls: DriverTls) -> Self {
        self.tls = tls;
        self
    }

    /// Checks everything and makes the plan, for a run on `date` with `seed` as its chance.
    ///
    /// Two runs with the same inputs, date and seed send the same octets. The seed names the run, so it must not repeat;
    /// 53 bits of it are used and stored, as many as every reader of JSON keeps.
    pub fn build(mut self, date: Date, seed: u64) -> Result<Plan, PlanError> {
        let seed = seed & ((1 << 53) - 1);
        self.adopt_mailbox_domain()?;
        self.check_address()?;
        self.check_sink()?;
        self.check_leave(date)?;
        self.check_domains()?;
        self.check_cases()?;
        if !(1..=3).contains(&self.connections_at_once) {
            return Err(PlanError::Connections { given: self.connections_at_once });
        }
        self.check_proof()?;
        let record = self.record(date, seed)?;
        check_messages(&record)?;
        self.check_load(&record, date)?;
        Ok(Plan { record })
    }

    /// A mailbox names its domain; with other domains given it must be one of them.
    fn adopt_mailbox_domain(&mut self) -> Result<(), PlanError> {
        let Some(mailbox) = &self.target.mailbox else { return Ok(()) };
        if self.target.domains.is_empty() {
            self.target.domains.push(mailbox.domain().clone());
        }
        if self.target.domains.contains(mailbox.domain()) {
            Ok(())
        } else {
            Err(PlanError::MailboxDomain { mailbox: alloc::format!("{mailbox}") })
        }
    }

    fn check_address(&self) -> Result<(), PlanError> {
        let address = self.target.address;
        self.scope.check(address)?;
        // Our own server may be anywhere but where no mail server is.
        let way_in = self.way_in.map(|way_in| Scope::Private.check(way_in.ip()));
        if let Some(Err(fault @ ScopeError::Metadata { .. })) = way_in {
            return Err(fault.into());
        }
        if self.never_test.has_address(address) {
            return Err(PlanError::NeverTest { what: alloc::format!("{address}") });
        }
        if let Some(way_in) = self.way_in.filter(|way_in| self.never_test.has_address(way_in.ip())) {
            return Err(PlanError::NeverTest { what: alloc::format!("{way_in}") });
        }
        if let Some(source) = self.source.filter(|source| source.is_ipv4() != address.is_ipv4()) {
            return Err(PlanError::Source { source_address: source, target: address });
        }
        // Servers of one's own on trial listen on any port that is nobody's.
        let of_trial = |address: IpAddr, port: u16| special_range(address).is_some() && port >= 1_024;
        let known = |address: IpAddr, port: u16| {
            let mail = MAIL_PORTS.contains(&port) || self.allowed_ports.contains(&port);
            port != 0 && (mail || of_trial(address, port))
        };
        let asked = self.ports.iter().map(|&port| (address, port));
        let way_in = self.way_in.map(|way_in| (way_in.ip(), way_in.port()));
        match asked.chain(way_in).find(|&(address, port)| !known(address, port)) {
            Some((_, port)) => Err(PlanError::Port { port }),
            None => Ok(()),
        }
    }

    /// Mail that our own receiving server takes is no mail that it relays.
    fn check_sink(&self) -> Result<(), PlanError> {
        let identity = &self.identity;
        let (v4, v6) = (identity.sink_ipv4.map(IpAddr::V4), identity.sink_ipv6.map(IpAddr::V6));
        // Mail for a domain comes by port 25 and no other (RFC 5321 §4.5.4.2).
        let known = v4.into_iter().chain(v6).map(|address| SocketAddr::new(address, 25));
        let is_target = |sink: &SocketAddr| {
            sink.ip().to_canonical() == self.target.address.to_canonical()
                && self.ports.contains(&sink.port())
        };
        match self.way_in.into_iter().chain(known).find(is_target) {
            Some(sink) => Err(PlanError::TargetIsSink { sink }),
            None => Ok(()),
        }
    }

    fn check_leave(&self, date: Date) -> Result<(), PlanError> {
        let reference = || self.authorization.reference.as_str().into();
        if let Some(until) = self.authorization.until.filter(|&until| until < date) {
            return Err(PlanError::Ended { reference: reference(), until });
        }
        if !self.authorization.covers_address(self.target.address) {
            let what = alloc::format!("{}", self.target.address);
            return Err(PlanError::OutOfScope { what, reference: reference() });
        }
        match self.target.domains.iter().find(|domain| !self.authorization.covers_domain(domain)) {
            Some(domain) => {
                Err(PlanError::OutOfScope { what: alloc::format!("{domain}"), reference: reference() })
            }
            None => Ok(()),
        }
    }

    fn check_domains(&self) -> Result<(), PlanError> {
        let target = &self.target;
        let named = target
            .domains
            .iter()
            .chain(&target.name)
            .chain(&target.reverse_name)
            .chain(&target.expected_host)
            .chain(&target.mail_host);
        if let Some(domain) = named.into_iter().find(|domain| self.never_test.has_domain(domain)) {
            return Err(PlanError::NeverTest { what: alloc::format!("{domain}") });
        }
        let probe_domain = &self.identity.probe_domain;
        if target.domains.iter().any(|domain| probe_domain.is_within(domain)) {
            return Err(PlanError::ProbeDomainIsTarget { domain: probe_domain.clone() });
        }
        let ours =
            |lure: &Domain| lure.is_within(probe_domain) || lure.is_within(&self.identity.sender_domain);
        match self.identity.lure_mx.iter().chain(&self.identity.lure_a).find(|lure| !ours(lure)) {
            Some(lure) => Err(PlanError::LureNotOurs { lure: lure.clone() }),
            None => Ok(()),
        }
    }

    /// A case could have been changed since it was made; what is sent must be what was checked.
    fn check_cases(&self) -> Result<(), PlanError> {
        if let Some(id) = self.matrix.foreign() {
            return Err(PlanError::ForeignCase { id: id.into() });
        }
        if self.matrix.cases().iter().all(Case::is_control) { Err(PlanError::NoCases) } else { Ok(()) }
    }

    fn check_proof(&self) -> Result<(), PlanError> {
        if !(1..=Limits::MOST_MESSAGES).contains(&self.messages) {
            return Err(PlanError::Messages { given: self.messages });
        }
        if let Some(given) = self.retries.as_ref().map(Vec::len).filter(|&count| count > Limits::MOST_RETRIES)
        {
            return Err(PlanError::Retries { given });
        }
        match self.window.filter(|seconds| !(1..=Limits::LONGEST_WINDOW).contains(seconds)) {
            Some(given) => Err(PlanError::Window { given }),
            None => Ok(()),
        }
    }

    fn check_load(&self, record: &RunRecord, date: Date) -> Result<(), PlanError> {
        if let (Some(last), Again::WhenDue) = (self.history.last_run, self.again) {
            let due = Date::from_unix(last.unix().saturating_add(INTERVAL.as_secs()));
            if date < due {
                return Err(PlanError::TooSoon { last, due });
            }
        }
        let planned = record.expected_refusals();
        let today = self.history.refusals_today;
        let messages = record.prove.map_or(0, |_| record.limits.messages);
        let sent = self.history.messages_today;
        if messages > 0 && u32::from(messages).saturating_add(sent) > u32::from(Limits::MOST_MESSAGES) {
            return Err(PlanError::ManyMessages { planned: messages, today: sent });
        }
        let named_larger = record.selection >= Selection::Standard;
        if named_larger || planned.saturating_add(today) <= DAILY_REFUSALS {
            Ok(())
        } else {
            Err(PlanError::ManyRefusals { planned, today })
        }
    }

    fn record(&self, date: Date, seed: u64) -> Result<RunRecord, PlanError> {
        let run = run_name(seed);
        let way_in = self.way_in.filter(|_| self.proof.is_some());
        let paths = self.paths(way_in);
        let name = |number: u16, path: Path| match &self.proof {
            Some(proof) => {
                let (target, probe_domain) = (self.target.address, &self.identity.probe_domain);
                proof.keys.issue(seed, number, &Binding { target, path, probe_domain }).to_string()
            }
            None => survey_name(&run, number),
        };
        let probes = probes(self.matrix.cases(), &paths, way_in.map(|_| paths.len() - 1), name)?;
        let mut limits = Limits::of(self.profile);
        limits.connections_at_once = self.connections_at_once;
        limits.connections = u32::try_from(2 * probes.len() + 2).unwrap_or(u32::MAX);
        limits.budget = self.budget;
        limits.grouping = self.grouping.unwrap_or(limits.grouping);
        limits.messages = self.messages;
        limits.window = self.window.unwrap_or(limits.window);
        if let Some(retries) = &self.retries {
            limits.retries.clone_from(retries);
            // Waiting that was asked for is no reason to give up.
            let waiting: u64 = retries.iter().map(|&seconds| u64::from(seconds) * 1_000).sum();
            limits.deadlines.run = limits.deadlines.run.saturating_add(waiting);
        }
        Ok(RunRecord {
            run,
            date,
            seed,
            target: self.target.clone(),
            identity: self.identity.clone(),
            authorization: self.authorization.clone(),
            vantage: self.vantage,
            measures: self.measures.clone(),
            profile: self.profile,
            limits,
            source: self.source,
            tls: self.tls,
            prove: self.proof.as_ref().map(|proof| proof.which),
            way_in,
            matrix_version: Matrix::VERSION,
            selection: self.matrix.selection(),
            paths,
            cases: self.matrix.shared(),
            probes,
            redaction: Redaction::None,
        })
    }

    /// Ports become paths: some are TLS from the start, others are asked in the clear and after `STARTTLS`.
    fn paths(&self, way_in: Option<SocketAddr>) -> Vec<Path> {
        let later =
            if self.matrix.selection() >= Selection::Standard { Tls::StartTls } else { Tls::StartTlsIfAsked };
        let mut paths: Vec<Path> = Vec::new();
        for &port in &self.ports {
            let ways: &[Tls] =
                if self.implicit_tls.contains(&port) { &[Tls::Implicit] } else { &[Tls::None, later] };
            for &tls in ways {
                let path = Path { port, tls };
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        // Last, so that the numbers of the others stay as they are without it.
        paths.extend(way_in.map(|address| Path { port: address.port(), tls: Tls::None }));
        paths
    }
}

/// The name of a recipient that never gets a message.
fn survey_name(run: &str, number: u16) -> String {
    let mut name = String::with_capacity(run.len() + 7);
    let _written = write!(name, "rp{run}{number:03}");
    name
}

/// Whatever a run may send must fit.
fn check_messages(record: &RunRecord) -> Result<(), PlanError> {
    if record.prove.is_none() {
        return Ok(());
    }
    let letter = |probe| Names::new(record, probe, None).letter(1, Limits::MOST_MESSAGES, record.date);
    let letters = record.probes.iter().filter_map(|probe| letter(probe).ok());
    match letters.map(|letter| letter.len()).filter(|&length| length > Letter::LIMIT).max() {
        Some(length) => Err(PlanError::LongMessage { length }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
