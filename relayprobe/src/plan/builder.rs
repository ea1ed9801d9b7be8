//! From wishes to a plan, or to the reason why not.

mod checks;

use alloc::vec::Vec;
use core::fmt::Write as _;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use super::Plan;
use super::context::{History, Measure, NeverTest, Vantage};
use super::error::PlanError;
use super::limits::{Budget, Grouping, Limits, Profile};
use super::probes::probes;
use super::record::{DriverTls, Prove, Redaction, RunRecord, User};
use crate::address::Scope;
use crate::identity::{Authorization, Identity};
use crate::matrix::{Matrix, Selection};
use crate::moment::Date;
use crate::target::{Path, Target, Tls};
use crate::token::{Binding, Keyring, run_name};

/// Collects what a run needs; [`build`](Self::build) checks it.
#[derive(Clone, Debug)]
pub struct PlanBuilder {
    target: Target,
    identity: Identity,
    authorization: Authorization,
    /// The quick selection, if nothing else was chosen.
    matrix: Option<Matrix>,
    ports: Vec<u16>,
    allowed_ports: Vec<u16>,
    implicit_tls: Vec<u16>,
    scope: Scope,
    profile: Profile,
    connections_at_once: u8,
    budget: Option<Budget>,
    grouping: Option<Grouping>,
    retries: Option<Vec<u32>>,
    vantage: Option<Vantage>,
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
            matrix: None,
            allowed_ports: Vec::new(),
            implicit_tls: [465].to_vec(),
            scope: Scope::Internet,
            profile: Profile::Brisk,
            connections_at_once: 1,
            budget: None,
            grouping: None,
            retries: None,
            vantage: None,
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
        self.matrix = Some(matrix);
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

    /// Allows targets at special-purpose addresses (loopback, private, link-local and the like), on mail ports and on any
    /// from 1,024 on.
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

    /// From where the run looks; [`Vantage::usual`] otherwise.
    #[must_use]
    pub const fn vantage(mut self, vantage: Vantage) -> Self {
        self.vantage = Some(vantage);
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
        let matrix = self.matrix.take().unwrap_or_else(|| Matrix::select(Selection::Quick));
        self.adopt_mailbox_domain()?;
        self.check_address()?;
        self.check_sink()?;
        self.check_leave(date)?;
        self.check_domains()?;
        self.check_probe_uri()?;
        checks::cases(&matrix)?;
        if !(1..=3).contains(&self.connections_at_once) {
            return Err(PlanError::Connections { given: self.connections_at_once });
        }
        self.check_proof()?;
        let record = self.record(&matrix, date, seed)?;
        checks::messages(&record)?;
        self.check_load(&record, date)?;
        Ok(Plan { record })
    }

    fn record(&self, matrix: &Matrix, date: Date, seed: u64) -> Result<RunRecord, PlanError> {
        let run = run_name(seed);
        let way_in = self.way_in.filter(|_| self.proof.is_some());
        let paths = self.paths(matrix.selection(), way_in);
        let name = |number: u16, path: Path| match &self.proof {
            Some(proof) => {
                let (target, probe_domain) = (self.target.address, &self.identity.probe_domain);
                let token = proof.keys.issue(seed, number, &Binding { target, path, probe_domain });
                let mut name = User::new();
                // There is room for just that.
                let _written = write!(name, "{token}");
                name
            }
            None => survey_name(&run, number),
        };
        let probes = probes(matrix.cases(), &paths, way_in.map(|_| paths.len() - 1), name)?;
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
            vantage: self.vantage.unwrap_or_else(|| Vantage::usual(self.target.address)),
            measures: self.measures.clone(),
            profile: self.profile,
            limits,
            source: self.source,
            tls: self.tls,
            prove: self.proof.as_ref().map(|proof| proof.which),
            way_in,
            matrix_version: Matrix::VERSION,
            selection: matrix.selection(),
            paths,
            cases: matrix.shared(),
            probes,
            redaction: Redaction::None,
        })
    }

    /// Ports become paths: some are TLS from the start, others are asked in the clear and after `STARTTLS`.
    fn paths(&self, selection: Selection, way_in: Option<SocketAddr>) -> Vec<Path> {
        let later = if selection >= Selection::Standard { Tls::StartTls } else { Tls::StartTlsIfAsked };
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
fn survey_name(run: &str, number: u16) -> User {
    // By hand: the formatter took a third of the time of a plan.
    let digits = [number / 1_000, number / 100 % 10, number / 10 % 10, number % 10];
    let digits = digits.into_iter().skip(usize::from(number < 1_000));
    let mut name = User::new();
    // It is shorter than a token, so everything has room.
    for part in ["rp", run] {
        let _fits = name.try_push_str(part);
    }
    for digit in digits.filter_map(|digit| char::from_digit(digit.into(), 10)) {
        let _fits = name.try_push(digit);
    }
    name
}

#[cfg(test)]
mod tests;
