//! The run record: a plan as data.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use arrayvec::ArrayString;

use super::context::{Measure, Vantage};
use super::limits::{Limits, Profile};
use crate::identity::{Authorization, Identity};
use crate::matrix::{self, Case, Selection};
use crate::moment::{Date, Moment};
use crate::target::{Path, Target, Tls};
use crate::token::{Binding, Token};

/// A plan as data: enough to judge the run again years later, and not enough to run it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RunRecord {
    /// Name of the run: 8 characters of base32, from the seed.
    pub run: String,
    /// When it was planned.
    pub date: Date,
    /// The chance it was given.
    pub seed: u64,
    /// What is tested.
    pub target: Target,
    /// Who tests.
    pub identity: Identity,
    /// By whose leave.
    pub authorization: Authorization,
    /// From where.
    pub vantage: Vantage,
    /// Blocks in force.
    pub measures: Vec<Measure>,
    /// Kind of deadlines and paces.
    pub profile: Profile,
    /// What the run may take.
    pub limits: Limits,
    /// Local address to connect from.
    pub source: Option<IpAddr>,
    /// Whether the driver can do TLS.
    pub tls: DriverTls,
    /// Which of the accepted cases get a message; absent for a survey, which sends none.
    pub prove: Option<Prove>,
    /// Where our own receiving server is reached, to see that it works.
    pub way_in: Option<SocketAddr>,
    /// Version of the matrix.
    pub matrix_version: u32,
    /// Selection of the matrix.
    pub selection: Selection,
    /// Ways in, the main one first.
    pub paths: Vec<Path>,
    /// The cases, each once.
    pub cases: Arc<[Case]>,
    /// What is asked: a case over a path.
    pub probes: Vec<Probe>,
    /// What was taken out since; nothing as long as the run goes on.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Redaction::is_none"))]
    pub redaction: Redaction,
}

/// One case over one path, and which repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Probe {
    /// Its number in the run, from 0.
    pub number: u16,
    /// Index of its case in [`RunRecord::cases`].
    pub case: u16,
    /// Index of its path in [`RunRecord::paths`].
    pub path: u16,
    /// The probe that this control stands beside or repeats.
    pub beside: Option<u16>,
    pub(crate) user: User,
}

/// The local part of a probe's own recipient: a token, or a name of a survey, which is shorter. A run has many of them.
pub(crate) type User = ArrayString<{ Token::LENGTH }>;

impl Probe {
    /// Local part of its own recipient.
    pub fn user(&self) -> &str {
        &self.user
    }
}

/// Which of the accepted cases get a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Prove {
    /// One for each family and path, the most telling.
    Families,
    /// All of them.
    All,
}

/// Whether the driver can do TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum DriverTls {
    /// It can.
    Able,
    /// It cannot: probes that need TLS are not tested.
    Unable,
}

/// What was taken out of a record, and of the report that it is part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Redaction {
    /// Nothing.
    #[default]
    None,
    /// Names of people, and the reference of the authorization; see [`Report::redacted`](crate::Report::redacted).
    People,
}

#[cfg(feature = "serde")]
impl Redaction {
    /// Whether nothing was taken out.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it out so")]
    const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl RunRecord {
    /// The probe of this number.
    pub fn probe(&self, number: u16) -> Option<&Probe> {
        self.probes.get(usize::from(number))
    }

    /// The probe of a path for the case with this id.
    pub(crate) fn probe_of(&self, path: u16, case: &str) -> Option<&Probe> {
        let is_of = |probe: &&Probe| probe.path == path && self.case(probe).is_some_and(|of| of.id == case);
        self.probes.iter().find(is_of)
    }

    /// The case of a probe. A record that was damaged in store may lack it.
    pub fn case(&self, probe: &Probe) -> Option<&Case> {
        self.cases.get(usize::from(probe.case))
    }

    /// The path of a probe.
    pub fn path(&self, probe: &Probe) -> Option<Path> {
        self.paths.get(usize::from(probe.path)).copied()
    }

    /// The date at a moment of its transcript.
    pub const fn date_at(&self, at: Moment) -> Date {
        Date::from_unix(self.date.unix().saturating_add(at.as_micros() / 1_000_000))
    }

    /// The time from its planning to a date.
    pub const fn age(&self, date: Date) -> Duration {
        Duration::from_secs(date.unix().saturating_sub(self.date.unix()))
    }

    /// Whether this path leads to our own receiving server.
    pub fn is_way_in(&self, path: u16) -> bool {
        self.way_in.is_some() && usize::from(path) + 1 == self.paths.len()
    }

    /// The paths that lead to the target.
    pub fn target_paths(&self) -> &[Path] {
        let count = self.paths.len().saturating_sub(usize::from(self.way_in.is_some()));
        self.paths.get(..count).unwrap_or_default()
    }

    /// What the token of a probe is bound to.
    pub fn binding(&self, probe: &Probe) -> Option<Binding<'_>> {
        let path = self.path(probe)?;
        Some(Binding { target: self.target.address, path, probe_domain: &self.identity.probe_domain })
    }

    /// Refusals that a closed server will answer this run with, at most.
    pub fn expected_refusals(&self) -> u32 {
        let counts = |probe: &&Probe| {
            self.path(probe).is_some_and(|path| path.tls != Tls::StartTlsIfAsked)
                && self.case(probe).is_some_and(|case| {
                    !case.is_control()
                        || matches!(
                            &*case.id,
                            matrix::UNKNOWN_LOCAL | matrix::UNRELATED_EXTERNAL | matrix::HOSTED_SHAPE
                        )
                })
        };
        u32::try_from(self.probes.iter().filter(counts).count()).unwrap_or(u32::MAX)
    }
}
