//! The test cases, as data.

mod bang;
mod case;
mod control;
mod custom;
mod form;
mod gateway;
mod hello;
mod literal;
mod parser;
mod percent;
mod quoted;
mod recipient;
mod row;
mod sender;
mod source_route;
mod syntax;
mod transaction;
mod two_ats;

pub use case::{Acceptance, Case, Family, Hello, Line, Need, Odd, Recipient, Shape, Tier, Transfer};
pub use custom::CaseError;
pub use form::{Form, Name, Unknown};

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use row::Row;

/// Control: mail for the target's own mailbox is accepted.
pub const LOCAL_ACCEPT: &str = "ctl-local-accept";
/// Control: an unknown local recipient is refused.
pub const UNKNOWN_LOCAL: &str = "ctl-unknown-local";
/// Control: a name that cannot exist is refused.
pub const UNRELATED_EXTERNAL: &str = "ctl-unrelated-external";
/// Control: an unknown local part that looks like a routed form is refused.
pub const HOSTED_SHAPE: &str = "ctl-hosted-shape";
/// Control: a message of our own reaches our receiving server.
pub const PATH: &str = "ctl-path";
/// Control: a token that was never sent is never seen.
pub const SILENCE: &str = "ctl-sink-silence";
/// Control: the null sender is taken for the target's own mailbox.
pub const NULL_LOCAL: &str = "ctl-null-local";
/// Control: the sender of a case is taken for the target's own mailbox.
pub const EACH_SENDER: &str = "ctl-each-sender";
/// Control: an accepted case is accepted again.
pub const REPEAT: &str = "ctl-repeat";
/// Control: the target's own mailbox is still accepted at the end.
pub const END: &str = "ctl-end";

/// An ordered set of cases. Clones share them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    selection: Selection,
    cases: Arc<[Case]>,
    foreign: Option<Cow<'static, str>>,
}

/// How much of the matrix a run asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Selection {
    /// Cases named one by one: such a run never says that a server is closed.
    Named,
    /// About twenty envelopes and their controls.
    #[default]
    Quick,
    /// Quick, and what a retest before lifting a block needs.
    Standard,
    /// Everything that can be sent without asking.
    Full,
}

/// There is no case of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no case \"{id}\"; `relayprobe cases` lists them")]
pub struct UnknownCase {
    /// What was given.
    pub id: String,
}

impl Matrix {
    /// Goes up whenever a case is added or changed; stored in every report.
    pub const VERSION: u32 = 1;

    /// A selection of the built-in cases, in the order of the catalogue, controls included.
    pub fn select(selection: Selection) -> Self {
        let largest = match selection {
            Selection::Named => None,
            Selection::Quick => Some(Tier::Quick),
            Selection::Standard => Some(Tier::Standard),
            Selection::Full => Some(Tier::Full),
        };
        let rows = rows().filter(|(_, row)| largest.is_some_and(|tier| row.tier <= tier));
        let cases = rows.map(|(family, row)| row.to_case(family)).collect();
        Self { selection, cases, foreign: None }
    }

    /// Built-in cases by name, with the controls of the quick tier.
    ///
    /// Naming a case is how an express one is asked for.
    pub fn named<'a>(ids: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownCase> {
        let mut cases: Vec<Case> = Vec::new();
        for id in ids {
            let case = case(id).ok_or_else(|| UnknownCase { id: id.into() })?;
            if !cases.iter().any(|other| other.id == case.id) {
                cases.push(case);
            }
        }
        for control in built_in().filter(|case| case.is_control() && case.tier == Tier::Quick) {
            if !cases.iter().any(|other| other.id == control.id) {
                cases.push(control);
            }
        }
        Ok(Self { selection: Selection::Named, cases: cases.into(), foreign: None })
    }

    /// The same set with a case of the caller's own.
    #[must_use]
    pub fn with(mut self, case: Case) -> Self {
        let mut cases: Vec<Case> = self.cases.iter().filter(|other| other.id != case.id).cloned().collect();
        cases.push(case);
        self.cases = cases.into();
        // Built-in cases cannot have been changed but on the way from and to here.
        self.foreign = self.cases.iter().find(|case| !is_genuine(case)).map(|case| case.id.clone());
        self
    }

    /// The first case that is neither built in nor as [`Case::custom`] makes them.
    pub(crate) fn foreign(&self) -> Option<&str> {
        self.foreign.as_deref()
    }

    /// Whether a case of one's own may not have this id: it is that of a built-in case, which would no longer be what
    /// the selection promises, or of another one here.
    pub fn is_taken(&self, id: &str) -> bool {
        rows().any(|(_, row)| row.id == id) || self.cases.iter().any(|case| case.id == id)
    }

    /// Which selection it began as.
    pub const fn selection(&self) -> Selection {
        self.selection
    }

    /// The cases in order.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// The same, for a run record.
    pub(crate) fn shared(&self) -> Arc<[Case]> {
        Arc::clone(&self.cases)
    }
}

/// Whether a case is as it was made.
fn is_genuine(given: &Case) -> bool {
    case(&given.id).map_or_else(
        || {
            Case::custom(&given.id, given.mail.argument.as_str(), given.rcpt.argument.as_str()).as_ref()
                == Ok(given)
        },
        |built_in| built_in == *given,
    )
}

/// Every built-in case, in the order of the catalogue.
pub fn built_in() -> impl Iterator<Item = Case> {
    rows().map(|(family, row)| row.to_case(family))
}

/// The built-in case with this id.
pub fn case(id: &str) -> Option<Case> {
    rows().find(|(_, row)| row.id == id).map(|(family, row)| row.to_case(family))
}

fn rows() -> impl Iterator<Item = (Family, &'static Row)> {
    TABLES.iter().flat_map(|&(family, rows)| rows.iter().map(move |row| (family, row)))
}

const TABLES: &[(Family, &[Row])] = &[
    (Family::Sender, sender::ROWS),
    (Family::Percent, percent::ROWS),
    (Family::TwoAts, two_ats::ROWS),
    (Family::Quoted, quoted::ROWS),
    (Family::SourceRoute, source_route::ROWS),
    (Family::Bang, bang::ROWS),
    (Family::Syntax, syntax::ROWS),
    (Family::Literal, literal::ROWS),
    (Family::Gateway, gateway::ROWS),
    (Family::Parser, parser::ROWS),
    (Family::Recipient, recipient::ROWS),
    (Family::Hello, hello::ROWS),
    (Family::Transaction, transaction::ROWS),
    (Family::Control, control::ROWS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_whole_and_named_once() {
        let cases: Vec<Case> = built_in().collect();
        for (at, case) in cases.iter().enumerate() {
            assert!(!case.why.is_empty() && !case.source.is_empty(), "{} says why", case.id);
            assert!(cases.iter().skip(at + 1).all(|other| other.id != case.id), "{} stands once", case.id);
            let filled = |form: &Form| form.fill(|_| Some(String::from("x"))).is_ok();
            assert!(filled(&case.mail.argument) && filled(&case.rcpt.argument), "{} can be filled", case.id);
            assert_eq!(case.is_control(), case.id.starts_with("ctl-"), "{}", case.id);
        }
    }

    #[test]
    fn only_controls_leave_our_domains() {
        for case in built_in().filter(|case| !case.is_control()) {
            assert!(matches!(case.to, Recipient::Probe | Recipient::Lure), "{}", case.id);
        }
    }

    #[test]
    fn selections_grow() {
        let sizes =
            [Selection::Quick, Selection::Standard, Selection::Full].map(|s| Matrix::select(s).cases.len());
        assert!(sizes.is_sorted_by(|a, b| a < b), "{sizes:?}");
        assert!(Matrix::select(Selection::Full).cases.iter().all(|case| case.tier != Tier::Express));
    }

    #[test]
    fn named_cases_bring_their_controls() {
        let matrix = Matrix::named(["snd-null", "snd-loopback-literal", "snd-null"]).unwrap();
        assert_eq!(matrix.cases.iter().filter(|case| !case.is_control()).count(), 2);
        assert!(matrix.cases.iter().any(|case| case.id == "ctl-local-accept"));
        assert_eq!(Matrix::named(["nonsense"]), Err(UnknownCase { id: "nonsense".into() }));
    }
}
