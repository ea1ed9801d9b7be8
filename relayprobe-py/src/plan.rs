//! From wishes to a plan.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use pyo3::prelude::*;
use relayprobe::cli::store::{self, MadeBy, StoreError};
use relayprobe::matrix::built_in;
use relayprobe::moment::Date;
use relayprobe::plan::{
    Budget, DriverTls, Grouping, History, Measure, NeverTest, PlanBuilder, Profile, Prove, Vantage,
};
use relayprobe::{Authorization, Case, Identity, Matrix, PlanError, Selection, Target, driver};

use crate::error::{Wrong, one_of, plan_error, wrong};
use crate::keys::Keyring;
use crate::store::{Store, store_error};

/// A run that may take place.
#[pyclass(frozen, eq, module = "relayprobe._core")]
#[derive(PartialEq)]
pub(crate) struct Plan {
    pub(crate) inner: relayprobe::Plan,
}

#[pymethods]
impl Plan {
    /// The run record as JSON: what is stored before the first connection.
    fn to_json(&self) -> String {
        // A run record has neither odd keys nor floats, so it can always be written.
        serde_json::to_string(self.inner.record()).unwrap_or_default()
    }

    #[getter]
    fn run(&self) -> &str {
        &self.inner.record().run
    }

    #[getter]
    fn date(&self) -> u64 {
        self.inner.record().date.unix()
    }

    #[getter]
    fn address(&self) -> IpAddr {
        self.inner.record().target.address
    }

    #[getter]
    fn port(&self) -> u16 {
        self.inner.record().target.port
    }
}

/// The options of `relayprobe.Plan` that are neither target nor identity nor authorization.
#[derive(FromPyObject)]
#[allow(clippy::struct_excessive_bools, reason = "options of Python are named")]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    matrix: String,
    cases: Option<Vec<String>>,
    define_cases: Vec<(String, String, String)>,
    ports: Option<Vec<u16>>,
    allow_ports: Vec<u16>,
    tls_ports: Vec<u16>,
    allow_private: bool,
    profile: String,
    connections: u8,
    lockstep: bool,
    budget: Option<(u16, u16, u16)>,
    retries: Option<Vec<u32>>,
    vantage: Option<String>,
    measures: Vec<String>,
    never_test: Option<String>,
    source: Option<IpAddr>,
    again: bool,
    history: Option<(Option<u64>, u32, u32)>,
    prove: Option<String>,
    messages: Option<u16>,
    window: Option<f64>,
    way_in: Option<(IpAddr, u16)>,
    tls: bool,
    date: Option<u64>,
    seed: Option<u64>,
}

/// Checks everything and makes the plan. With a store, the run is kept there and earlier ones are heeded.
#[pyfunction]
pub(crate) fn plan(
    py: Python<'_>,
    target: &str,
    identity: &str,
    authorization: &str,
    options: Options,
    keys: Option<&Keyring>,
    store: Option<&Store>,
) -> PyResult<Plan> {
    let target: Target = read(py, "target", target)?;
    let planner = Planner::new(py, identity, authorization, options, store)?;
    let keys = keys.map(|keys| &keys.inner);
    match py.detach(|| planner.plan(target, keys, MadeBy::Person)) {
        Ok(inner) => Ok(Plan { inner }),
        Err(refusal) => Err(refusal.raised(py)),
    }
}

/// Everything of plans but their targets, checked once for many. It needs no interpreter.
pub(crate) struct Planner {
    identity: Identity,
    authorization: Authorization,
    manner: Manner,
    pub(crate) store: Option<store::Store>,
}

/// Why there is no plan.
#[derive(Debug)]
pub(crate) enum Refusal {
    Plan(Box<PlanError>),
    Store(StoreError),
}

impl Refusal {
    pub(crate) fn raised(&self, py: Python<'_>) -> PyErr {
        match self {
            Self::Plan(fault) => plan_error(py, fault),
            Self::Store(fault) => store_error(py, fault),
        }
    }
}

impl Planner {
    pub(crate) fn new(
        py: Python<'_>,
        identity: &str,
        authorization: &str,
        options: Options,
        store: Option<&Store>,
    ) -> PyResult<Self> {
        let (identity, authorization) =
            (read(py, "identity", identity)?, read(py, "authorization", authorization)?);
        let manner = Manner::new(options).map_err(|wrong| wrong.raised(py))?;
        Ok(Self { identity, authorization, manner, store: store.map(|store| store.inner.clone()) })
    }

    /// A plan for a target. With a store, earlier runs are heeded and this one is kept.
    pub(crate) fn plan(
        &self,
        target: Target,
        keys: Option<&relayprobe::Keyring>,
        made_by: MadeBy,
    ) -> Result<relayprobe::Plan, Refusal> {
        let address = target.address;
        let builder = relayprobe::Plan::builder(target, self.identity.clone(), self.authorization.clone());
        let builder = self.manner.apply(builder, keys);
        let (date, seed) = self.manner.date_and_seed();
        let plan =
            |builder: PlanBuilder| builder.build(date, seed).map_err(|fault| Refusal::Plan(Box::new(fault)));
        let Some(store) = &self.store else { return plan(builder) };
        let slot = store.slot(address).map_err(Refusal::Store)?;
        let (history, made_by) = match made_by {
            MadeBy::Person => (slot.history(date), made_by),
            MadeBy::Sweep | MadeBy::SweepAgain => slot.history_for_sweep(date).map_err(Refusal::Store)?,
        };
        let planned = plan(builder.history(history))?;
        slot.keep_run(planned.record(), made_by).map_err(Refusal::Store)?;
        Ok(planned)
    }
}

/// The built-in cases as JSON.
#[pyfunction]
pub(crate) fn cases() -> String {
    serde_json::to_string(&built_in().collect::<Vec<Case>>()).unwrap_or_default()
}

fn read<T: serde::de::DeserializeOwned>(py: Python<'_>, field: &str, json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|fault| wrong(py, field, json, &fault))
}

/// How runs are made: the options with their words read.
struct Manner {
    matrix: Matrix,
    profile: Profile,
    vantage: Option<Vantage>,
    measures: Vec<Measure>,
    never_test: NeverTest,
    prove: Option<Prove>,
    window: Option<Duration>,
    options: Options,
}

impl Manner {
    fn new(options: Options) -> Result<Self, Wrong> {
        let profiles =
            [Profile::Patient, Profile::Brisk, Profile::Lab].map(|profile| (profile.as_str(), profile));
        let vantages = Vantage::ALL.map(|vantage| (vantage.as_str(), vantage));
        let measures = Measure::ALL.map(|measure| (measure.as_str(), measure));
        let proofs = [("families", Prove::Families), ("all", Prove::All)];
        let measure = |given: &String| one_of("measures", given, &measures);
        let window = |seconds| {
            let span = Duration::try_from_secs_f64(seconds);
            span.map_err(|fault| Wrong::new("window", &seconds.to_string(), &fault))
        };
        let never_test = NeverTest::parse(options.never_test.as_deref().unwrap_or_default());
        Ok(Self {
            matrix: matrix(&options)?,
            profile: one_of("profile", &options.profile, &profiles)?,
            vantage: options.vantage.as_ref().map(|given| one_of("vantage", given, &vantages)).transpose()?,
            measures: options.measures.iter().map(measure).collect::<Result<_, _>>()?,
            never_test: never_test.map_err(|fault| Wrong::new("never_test", "", &fault))?,
            prove: options.prove.as_ref().map(|which| one_of("prove", which, &proofs)).transpose()?,
            window: options.window.map(window).transpose()?,
            options,
        })
    }

    fn date_and_seed(&self) -> (Date, u64) {
        let date = self.options.date.map_or_else(driver::now, Date::from_unix);
        (date, self.options.seed.unwrap_or_else(driver::seed))
    }

    fn apply(&self, builder: PlanBuilder, keys: Option<&relayprobe::Keyring>) -> PlanBuilder {
        let options = &self.options;
        let mut builder = builder
            .matrix(self.matrix.clone())
            .profile(self.profile)
            .connections_at_once(options.connections)
            .tls(if options.tls { DriverTls::Able } else { DriverTls::Unable })
            .never_test(self.never_test.clone());
        if let Some(vantage) = self.vantage {
            builder = builder.vantage(vantage);
        }
        builder = self.measures.iter().copied().fold(builder, PlanBuilder::measure);
        builder = options.allow_ports.iter().copied().fold(builder, PlanBuilder::allow_port);
        builder = options.tls_ports.iter().copied().fold(builder, PlanBuilder::implicit_tls);
        if let Some(ports) = &options.ports {
            builder = builder.ports(ports);
        }
        if options.allow_private {
            builder = builder.allow_private();
        }
        if options.lockstep {
            builder = builder.grouping(Grouping::Never);
        }
        if let Some((refusals, odd, transactions)) = options.budget {
            builder = builder.budget(Budget { refusals, odd, transactions });
        }
        if let Some(seconds) = &options.retries {
            builder = builder.retries(seconds);
        }
        if let Some(source) = options.source {
            builder = builder.source(source);
        }
        if options.again {
            builder = builder.again();
        }
        if let Some((last_run, refusals_today, messages_today)) = options.history {
            let last_run = last_run.map(Date::from_unix);
            builder = builder.history(History { last_run, refusals_today, messages_today });
        }
        self.apply_proof(builder, keys)
    }

    fn apply_proof(&self, mut builder: PlanBuilder, keys: Option<&relayprobe::Keyring>) -> PlanBuilder {
        if let (Some(which), Some(keys)) = (self.prove, keys) {
            builder = builder.prove(which, keys);
        }
        if let Some(count) = self.options.messages {
            builder = builder.messages(count);
        }
        if let Some(span) = self.window {
            builder = builder.window(span);
        }
        if let Some((address, port)) = self.options.way_in {
            builder = builder.way_in(SocketAddr::new(address, port));
        }
        builder
    }
}

fn matrix(options: &Options) -> Result<Matrix, Wrong> {
    let selections =
        [("quick", Selection::Quick), ("standard", Selection::Standard), ("full", Selection::Full)];
    let mut matrix = match &options.cases {
        None => Matrix::select(one_of("matrix", &options.matrix, &selections)?),
        Some(cases) => {
            let named = Matrix::named(cases.iter().map(String::as_str));
            named.map_err(|fault| Wrong::new("cases", &cases.join(" "), &fault))?
        }
    };
    for (id, sender, recipient) in &options.define_cases {
        let case = Case::custom(id, sender, recipient);
        let case = case.map_err(|fault| Wrong::new("define_cases", id, &fault))?;
        if matrix.is_taken(id) {
            return Err(Wrong::new("define_cases", id, &"the id of a built-in case, or defined twice"));
        }
        matrix = matrix.with(case);
    }
    Ok(matrix)
}
