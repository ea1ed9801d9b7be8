//! `relayprobe probe`: asks one server.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use relayprobe::address::{Domain, Scope, ScopeError};
use relayprobe::matrix::{CaseError, UnknownCase};
use relayprobe::plan::{Measure, NeverTest, NeverTestError, PlanBuilder, Profile, Vantage};
use relayprobe::{Case, Matrix, Plan, PlanError, Report, Selection, Target, driver};

use crate::cli::Failure;
use crate::cli::config::{AuthorizationOptions, Config, IdentityOptions};
use crate::cli::domain::{self, DomainOptions};
use crate::cli::host::Host;
use crate::cli::names::{NameOptions, ask_lists, provider};
use crate::cli::proof::{ProofOptions, warn_of_contact};
use crate::cli::read::{ReadError, read_text};
use crate::cli::run::{self, Kept};
use crate::cli::store::Store;
use crate::cli::sweep::{SweepError, SweepOptions, Wishes, sweep};
use crate::cli::target::TargetOptions;
use crate::cli::targets::List;
use crate::cli::values::{self, word};

/// More than every network there is.
const LIST_LIMIT: u64 = 64 << 20;

/// Test whether a mail server is an open relay
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("whom").args(["host", "targets", "mx"]).required(true))]
pub(crate) struct ProbeOptions {
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    identity: IdentityOptions,
    #[command(flatten)]
    authorization: AuthorizationOptions,
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    proof: ProofOptions,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    sweep: SweepOptions,
    #[command(flatten)]
    domain: DomainOptions,
    #[command(flatten)]
    names: NameOptions,
    #[command(flatten)]
    pub(crate) kept: Kept,
    /// TOML file with the tables [identity], [authorization], [dns] and [[lists]]; options override it
    #[arg(long, value_name = "FILE", help_heading = "Who tests (all but the probe domain follow from it)")]
    config: Option<PathBuf>,
}

/// What is asked.
#[derive(Args, Debug)]
#[command(next_help_heading = "What is asked")]
struct Asked {
    /// How many cases
    #[arg(long, value_name = "NAME", default_value = "quick", conflicts_with = "case",
        value_parser = word([("quick", Selection::Quick), ("standard", Selection::Standard), ("full", Selection::Full)]))]
    matrix: Selection,
    /// Only this case, and the controls; repeatable. Such a run never finds a server closed
    #[arg(long, value_name = "ID")]
    case: Vec<String>,
    /// A case of your own, like 'my-case <{sender}> <{probe-user}%{probe-domain}@{target-host}>'; repeatable
    #[arg(long, value_name = "ID SENDER RECIPIENT")]
    define_case: Vec<String>,
}

/// How the run is made.
#[derive(Args, Debug)]
#[command(next_help_heading = "How it is asked")]
struct Manner {
    /// Deadlines and paces: patient waits and retries for hours, brisk while somebody waits, lab on one's own machine
    #[arg(long, value_name = "NAME", default_value = "brisk",
        value_parser = word([Profile::Patient, Profile::Brisk, Profile::Lab].map(|profile| (profile.as_str(), profile))))]
    profile: Profile,
    /// Connections open at once
    #[arg(long, value_name = "1..3", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    connections: u8,
    /// Ask deferred cases again after so many seconds; repeatable, one try each. The profile decides unless given
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds)]
    retry_after: Vec<u32>,
    /// Local address to connect from
    #[arg(long, value_name = "ADDRESS", value_parser = values::own_address)]
    source: Option<IpAddr>,
    /// From where we look; outside unless given, except for a loopback target
    #[arg(long, value_name = "KIND",
        value_parser = word(Vantage::ALL.map(|vantage| (vantage.as_str(), vantage))))]
    vantage: Option<Vantage>,
    /// A block in force around the target; repeatable
    #[arg(long, value_name = "KIND", value_parser = word(Measure::ALL.map(|measure| (measure.as_str(), measure))))]
    measure: Vec<Measure>,
    /// Networks and domains that asked not to be tested, one a line
    #[arg(long, value_name = "FILE")]
    never_test: Option<PathBuf>,
    /// Take a port for a mail port although it is none of the usual ones; repeatable
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    allow_port: Vec<u16>,
    /// Take a port for one that speaks TLS from the first octet, as 465 does; repeatable
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    tls_port: Vec<u16>,
    /// Allow loopback, private and link-local targets
    #[arg(long)]
    allow_private: bool,
    /// Test now although the store says that the target was tested less than a day ago
    #[arg(long)]
    again: bool,
}

/// What was asked for is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error(transparent)]
    Case(#[from] UnknownCase),
    #[error("--define-case takes an id, a sender and a recipient with blanks between them, not \"{text}\"")]
    Definition { text: String },
    #[error("--define-case: {0}")]
    Define(#[from] CaseError),
    #[error("--define-case: \"{id}\" is the id of a built-in case, or was defined twice; choose another one")]
    Taken { id: String },
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{}: {fault}", path.display())]
    NeverTest { path: PathBuf, fault: NeverTestError },
}

pub(crate) fn probe(options: &ProbeOptions) -> Result<u8, Failure> {
    let config = Config::of_option(options.config.as_deref())?;
    let identity = options.identity.identity(&config)?;
    let authorization = options.authorization.authorization(&config)?;
    let matrix = options.asked.matrix()?;
    let never_test = options.manner.never_test()?;
    let build = |target: Target| {
        let (identity, authorization) = (identity.clone(), authorization.clone());
        let mut builder = Plan::builder(target, identity, authorization);
        builder = builder.matrix(matrix.clone()).never_test(never_test.clone());
        if let Some(ports) = options.target.ports() {
            builder = builder.ports(ports);
        }
        options.manner.apply(builder)
    };
    // Whoever is to be asked for lists is known before a mail server is.
    let lists = (!config.lists.is_empty()).then(|| options.names.resolver(&config)).transpose()?;
    let ask_lists = |reports: &mut [Report]| match &lists {
        Some(resolver) => ask_lists(reports, &config.lists, resolver),
        None => Ok(()),
    };
    if let Some(domain) = &options.domain.mx {
        // Nobody is asked about a domain that is not to be tested.
        if never_test.has_domain(domain) {
            return Err(PlanError::NeverTest { what: domain.to_string() }.into());
        }
        if !authorization.covers_domain(domain) {
            let reference = authorization.reference.as_str().into();
            return Err(PlanError::OutOfScope { what: domain.to_string(), reference }.into());
        }
    }
    let whom = match (&options.domain.mx, &options.target.host) {
        (Some(domain), _) => Whom::Domain(domain),
        (None, Some(host)) => Whom::Host(host),
        // The options see to it that there is a list.
        (None, None) => return many(options, options.names.servers(&config), build),
    };
    let store = options.kept.store.as_deref().map(Store::open).transpose()?;
    let proof = options.proof.open(&identity, store.as_ref())?;
    if proof.is_some() {
        warn_of_contact(&identity);
    }
    let messages = proof.as_ref().map(|proof| proof.messages.clone());
    let build = |target: Target| match &messages {
        Some(messages) => messages.apply(build(target)),
        None => build(target),
    };
    match whom {
        Whom::Domain(domain) => {
            let wishes = domain::Wishes {
                resolver: &options.names.resolver(&config)?,
                provider: provider(&options.domain.provider_network, &config),
                port: options.target.port(),
                from: options.manner.source,
                scope: options.manner.scope(),
                store: store.as_ref(),
                json: options.kept.json,
            };
            let complete = |target: &mut Target| options.target.complete(target);
            domain::domain(domain, &wishes, proof, complete, build, ask_lists)
        }
        Whom::Host(host) => {
            let target =
                options.target.target(host, options.manner.source, &options.names.servers(&config))?;
            let (address, builder) = (target.address, build(target));
            let ask_lists = |report: &mut Report| ask_lists(core::slice::from_mut(report));
            run::run(builder, address, &options.kept, store.as_ref(), proof, ask_lists)
        }
    }
}

/// Whom one call asks.
enum Whom<'a> {
    Domain(&'a Domain),
    Host(&'a Host),
}

fn many(
    options: &ProbeOptions,
    servers: Vec<SocketAddr>,
    build: impl Fn(Target) -> PlanBuilder + Sync,
) -> Result<u8, Failure> {
    if options.proof.is_wanted() {
        return Err(SweepError::Proof.into());
    }
    options.proof.check_survey()?;
    let (list, count) =
        List::open(options.sweep.targets.as_deref().unwrap_or(Path::new(""))).map_err(SweepError::List)?;
    let store = options.kept.store.as_deref().map(Store::open).transpose()?;
    let wishes = Wishes {
        options: &options.sweep,
        target: &options.target,
        from: options.manner.source,
        servers,
        connections: options.manner.connections,
        store: store.as_ref(),
    };
    sweep(list, count, &wishes, build)
}

/// Which option a plan that could not be made lacks.
pub(crate) fn hint(error: &PlanError) -> &'static str {
    match error {
        PlanError::Address(ScopeError::Special { .. }) => " (--allow-private)",
        PlanError::Port { .. } => " (--allow-port PORT)",
        PlanError::TooSoon { .. } => " (--again)",
        PlanError::ManyRefusals { .. } => " (--matrix)",
        PlanError::ManyMessages { .. } | PlanError::Messages { .. } => " (--messages)",
        PlanError::Window { .. } => " (--window)",
        PlanError::NoCases => "; name one that is no control (--case ID)",
        PlanError::MailboxDomain { .. } => " (--domain DOMAIN)",
        PlanError::Source { .. } => " (--source)",
        _ => "",
    }
}

impl Asked {
    fn matrix(&self) -> Result<Matrix, ProbeError> {
        let mut matrix = if self.case.is_empty() {
            Matrix::select(self.matrix)
        } else {
            Matrix::named(self.case.iter().map(String::as_str))?
        };
        for text in &self.define_case {
            let parts: Vec<&str> = text.split_ascii_whitespace().collect();
            let [id, sender, recipient] = parts[..] else {
                return Err(ProbeError::Definition { text: text.clone() });
            };
            let case = Case::custom(id, sender, recipient)?;
            if matrix.is_taken(id) {
                return Err(ProbeError::Taken { id: id.into() });
            }
            matrix = matrix.with(case);
        }
        Ok(matrix)
    }
}

impl Manner {
    const fn scope(&self) -> Scope {
        if self.allow_private { Scope::Private } else { Scope::Internet }
    }

    fn never_test(&self) -> Result<NeverTest, ProbeError> {
        let Some(path) = &self.never_test else { return Ok(NeverTest::default()) };
        let text = read_text(path, LIST_LIMIT)?;
        NeverTest::parse(&text).map_err(|fault| ProbeError::NeverTest { path: path.clone(), fault })
    }

    fn apply(&self, mut builder: PlanBuilder) -> PlanBuilder {
        builder = builder.profile(self.profile).connections_at_once(self.connections).tls(driver::TLS);
        if let Some(vantage) = self.vantage {
            builder = builder.vantage(vantage);
        }
        builder = self.measure.iter().copied().fold(builder, PlanBuilder::measure);
        builder = self.allow_port.iter().copied().fold(builder, PlanBuilder::allow_port);
        builder = self.tls_port.iter().copied().fold(builder, PlanBuilder::implicit_tls);
        if !self.retry_after.is_empty() {
            builder = builder.retries(&self.retry_after);
        }
        if let Some(source) = self.source {
            builder = builder.source(source);
        }
        if self.allow_private {
            builder = builder.allow_private();
        }
        if self.again { builder.again() } else { builder }
    }
}
