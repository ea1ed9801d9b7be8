//! Everything a run needs, checked once.

mod builder;
mod context;
mod error;
mod limits;
mod names;
mod probes;
mod record;

pub use builder::PlanBuilder;
pub use context::{History, Measure, NeverTest, NeverTestError, Vantage};
pub use error::PlanError;
pub(crate) use limits::millis;
pub use limits::{Budget, Deadlines, Grouping, Limits, Profile};
pub(crate) use names::{Names, Unfit};
pub use record::{DriverTls, Probe, Prove, Redaction, RunRecord};

use crate::identity::{Authorization, Identity};
use crate::target::Target;

/// A run that may take place.
///
/// Only [`PlanBuilder::build`] makes one, so whatever a session sends has passed its checks: the address may be tested,
/// by this leave, today, and every recipient is in the probe domain or, for controls that never carry a message, the
/// target's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    record: RunRecord,
}

impl Plan {
    /// A plan for testing `target`, by `identity`, by leave of `authorization`.
    pub fn builder(target: Target, identity: Identity, authorization: Authorization) -> PlanBuilder {
        PlanBuilder::new(target, identity, authorization)
    }

    /// The run record: what is stored before the first connection, and what a verdict is made from.
    pub const fn record(&self) -> &RunRecord {
        &self.record
    }

    /// The record, for the report.
    pub fn into_record(self) -> RunRecord {
        self.record
    }
}
