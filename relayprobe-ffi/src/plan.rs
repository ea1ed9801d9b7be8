//! The plan: what is to be asked, of whom, by whom, by whose leave.

mod cases;
mod identity;
mod leave;
mod limits;
mod proof;
mod target;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use relayprobe::moment::Date;
use relayprobe::plan::{
    Budget, DriverTls, Grouping, History, Measure, NeverTest, PlanBuilder, Profile, Prove, Vantage,
};
use relayprobe::{Authorization, Identity, Keyring, Matrix, Plan, Selection, Target};

use crate::guard::{guard, guard_handle};
use crate::handle::{Opaque, free, handle, make};
use crate::status::{Fault, relayprobe_status};

/// What is to be asked, of whom, by whom, by whose leave.
///
/// A plan is a form to be filled in. Three things are required: relayprobe_plan_set_target(),
/// relayprobe_plan_set_probe_domain() and relayprobe_plan_set_authorization(). Making a session, or a run, checks all of
/// it and changes nothing, so one plan serves any number of servers: set the next target and make the next session.
///
/// A plan is used by one thread at a time.
pub struct relayprobe_plan {
    _opaque: [u8; 0],
}

impl Opaque for relayprobe_plan {
    type Value = Wishes;
    const TAG: u64 = u64::from_be_bytes(*b"rp-plan1");
    const NAME: &'static str = "relayprobe_plan";
}

/// What was asked for so far.
#[derive(Debug)]
pub(crate) struct Wishes {
    target: Option<Target>,
    identity: Option<Identity>,
    authorization: Option<Authorization>,
    never_test: NeverTest,
    history: History,
    again: Again,
    matrix: Matrix,
    ports: Vec<u16>,
    allowed_ports: Vec<u16>,
    implicit_tls: Vec<u16>,
    private: Private,
    tls: DriverTls,
    profile: Profile,
    connections: u8,
    budget: Option<Budget>,
    grouping: Option<Grouping>,
    retries: Option<Vec<u32>>,
    vantage: Option<Vantage>,
    measures: Vec<Measure>,
    source: Option<IpAddr>,
    proof: Option<(Prove, Keyring)>,
    messages: Option<u16>,
    window: Option<Duration>,
    way_in: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    WhenDue,
    Now,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Private {
    Refused,
    Allowed,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            target: None,
            identity: None,
            authorization: None,
            never_test: NeverTest::default(),
            history: History::default(),
            again: Again::WhenDue,
            matrix: Matrix::select(Selection::Quick),
            ports: Vec::new(),
            allowed_ports: Vec::new(),
            implicit_tls: Vec::new(),
            private: Private::Refused,
            tls: DriverTls::Unable,
            profile: Profile::Brisk,
            connections: 1,
            budget: None,
            grouping: None,
            retries: None,
            vantage: None,
            measures: Vec::new(),
            source: None,
            proof: None,
            messages: None,
            window: None,
            way_in: None,
        }
    }
}

impl Wishes {
    /// The plan, for a caller that can do TLS or not.
    pub(crate) fn build(&self, tls: DriverTls, date: Date, seed: u64) -> Result<Plan, Fault> {
        let target = self.target()?.clone();
        let identity = self.identity()?.clone();
        let authorization = self.authorization()?.clone();
        let mut builder = Plan::builder(target, identity, authorization)
            .never_test(self.never_test.clone())
            .history(self.history)
            .matrix(self.matrix.clone())
            .profile(self.profile)
            .connections_at_once(self.connections)
            .tls(tls);
        if let Some(vantage) = self.vantage {
            builder = builder.vantage(vantage);
        }
        if !self.ports.is_empty() {
            builder = builder.ports(&self.ports);
        }
        builder = self.allowed_ports.iter().fold(builder, |builder, &port| builder.allow_port(port));
        builder = self.implicit_tls.iter().fold(builder, |builder, &port| builder.implicit_tls(port));
        builder = self.measures.iter().fold(builder, |builder, &measure| builder.measure(measure));
        if self.private == Private::Allowed {
            builder = builder.allow_private();
        }
        if self.again == Again::Now {
            builder = builder.again();
        }
        Ok(self.limited(builder).build(date, seed)?)
    }

    fn limited(&self, mut builder: PlanBuilder) -> PlanBuilder {
        if let Some(budget) = self.budget {
            builder = builder.budget(budget);
        }
        if let Some(grouping) = self.grouping {
            builder = builder.grouping(grouping);
        }
        if let Some(retries) = &self.retries {
            builder = builder.retries(retries);
        }
        if let Some(source) = self.source {
            builder = builder.source(source);
        }
        if let Some((which, keys)) = &self.proof {
            builder = builder.prove(*which, keys);
        }
        if let Some(count) = self.messages {
            builder = builder.messages(count);
        }
        if let Some(span) = self.window {
            builder = builder.window(span);
        }
        if let Some(address) = self.way_in {
            builder = builder.way_in(address);
        }
        builder
    }

    /// Whether the caller's own loop can do TLS.
    pub(crate) const fn tls(&self) -> DriverTls {
        self.tls
    }

    fn target(&self) -> Result<&Target, Fault> {
        self.target.as_ref().ok_or_else(|| Fault::incomplete("the server", "relayprobe_plan_set_target()"))
    }

    fn target_mut(&mut self) -> Result<&mut Target, Fault> {
        self.target.as_mut().ok_or_else(|| Fault::incomplete("the server", "relayprobe_plan_set_target()"))
    }

    fn identity(&self) -> Result<&Identity, Fault> {
        let missing = || Fault::incomplete("who tests", "relayprobe_plan_set_probe_domain()");
        self.identity.as_ref().ok_or_else(missing)
    }

    fn identity_mut(&mut self) -> Result<&mut Identity, Fault> {
        let missing = || Fault::incomplete("who tests", "relayprobe_plan_set_probe_domain()");
        self.identity.as_mut().ok_or_else(missing)
    }

    fn authorization(&self) -> Result<&Authorization, Fault> {
        let missing = || Fault::incomplete("by whose leave", "relayprobe_plan_set_authorization()");
        self.authorization.as_ref().ok_or_else(missing)
    }

    fn authorization_mut(&mut self) -> Result<&mut Authorization, Fault> {
        let missing = || Fault::incomplete("by whose leave", "relayprobe_plan_set_authorization()");
        self.authorization.as_mut().ok_or_else(missing)
    }
}

/// A new plan in which nothing is filled in. Free it with relayprobe_plan_free(). NULL only after a fault of the
/// library.
#[unsafe(no_mangle)]
pub extern "C" fn relayprobe_plan_new() -> *mut relayprobe_plan {
    guard_handle(|| make(Wishes::default()))
}

/// Frees a plan. NULL is fine. Sessions made from it go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_free(plan: *mut relayprobe_plan) {
    // SAFETY: passed on to the caller.
    guard(|| unsafe { free(plan) });
}

/// Whether a session could be made from the plan on `date` (seconds since 1970), without making one.
///
/// `plan` must not be NULL. RELAYPROBE_STATUS_OK, or what relayprobe_session_new() would return.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_check(plan: *mut relayprobe_plan, date: u64) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let plan = unsafe { handle(plan, "plan")? };
        plan.build(plan.tls(), Date::from_unix(date), 0).map(drop)
    })
}
