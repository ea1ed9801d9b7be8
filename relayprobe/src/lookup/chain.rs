//! One question and the aliases on the way to its answer.

use alloc::string::String;
use alloc::vec::Vec;

use super::question::{Answer, Data, Kind, Question, Record, Trouble};
use crate::address::Domain;
use crate::octets::escape;

/// Aliases that are followed.
const DEPTH: usize = 8;

/// Why a name has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "fault", rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Fault {
    /// There is no such name.
    #[error("there is no such name")]
    NoSuchName,
    /// It has no such record.
    #[error("the name has no such record")]
    NoRecords,
    /// Nothing is known: it may be there.
    #[error("{trouble}")]
    Failed {
        /// Why.
        trouble: Trouble,
    },
    /// Its aliases lead back to themselves.
    #[error("its aliases (CNAME) lead back to {name}")]
    AliasLoop {
        /// The name that came twice.
        name: String,
    },
    /// It has more aliases than are followed.
    #[error("it has more than {DEPTH} aliases (CNAME) one after another")]
    ManyAliases,
    /// It leads to what is no name of a host.
    #[error("it leads to \"{text}\", which is no name of a host")]
    NotAHost {
        /// What it leads to, escaped.
        text: String,
    },
    /// More questions would be needed than are asked.
    #[error("more questions would have to be asked than are asked for one domain")]
    ManyQuestions,
}

impl Fault {
    /// Whether it says for sure that there is nothing. Others may follow more aliases, or names that are none of a host.
    pub const fn is_certain(&self) -> bool {
        match self {
            Self::NoSuchName | Self::NoRecords | Self::AliasLoop { .. } => true,
            Self::Failed { .. } | Self::ManyAliases | Self::NotAHost { .. } | Self::ManyQuestions => false,
        }
    }
}

/// The names from the one that was asked to the one that has records.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The last one is the one that is asked.
    names: Vec<String>,
    kind: Kind,
}

/// What follows from an answer.
pub(super) enum Step {
    /// The chain has ended.
    Ended(Result<Vec<Data>, Fault>),
    /// It goes on at another name.
    Ask(Question),
}

impl Chain {
    pub(super) fn new(question: &Question) -> Self {
        Self { names: [question.name.as_str().into()].into(), kind: question.kind }
    }

    /// The aliases that were followed.
    pub(super) fn into_aliases(self) -> Vec<String> {
        self.names.into_iter().skip(1).collect()
    }

    /// Takes the answer to the last name. Records of names outside the chain are nobody's.
    pub(super) fn take(&mut self, answer: Answer) -> Step {
        let records = match answer {
            Answer::Records(records) => records,
            Answer::NoRecords => return Step::Ended(Err(Fault::NoRecords)),
            Answer::NoSuchName => return Step::Ended(Err(Fault::NoSuchName)),
            Answer::Failed(trouble) => return Step::Ended(Err(Fault::Failed { trouble })),
        };
        let before = self.names.len();
        loop {
            let found: Vec<Data> =
                self.of_last(&records).filter(|data| self.is_asked(data)).cloned().collect();
            if !found.is_empty() {
                return Step::Ended(Ok(found));
            }
            let alias = self.of_last(&records).find_map(|data| match data {
                Data::Alias(to) => Some(to.to_ascii_lowercase()),
                _ => None,
            });
            let Some(alias) = alias else { break };
            if self.names.contains(&alias) {
                return Step::Ended(Err(Fault::AliasLoop { name: escape(alias.as_bytes()) }));
            }
            if self.names.len() > DEPTH {
                return Step::Ended(Err(Fault::ManyAliases));
            }
            self.names.push(alias);
        }
        match self.names.last() {
            Some(last) if self.names.len() > before => match last.parse::<Domain>() {
                Ok(name) => Step::Ask(Question { name, kind: self.kind }),
                Err(_) => Step::Ended(Err(Fault::NotAHost { text: escape(last.as_bytes()) })),
            },
            _ => Step::Ended(Err(Fault::NoRecords)),
        }
    }

    fn of_last<'a>(&self, records: &'a [Record]) -> impl Iterator<Item = &'a Data> {
        let last = self.names.last().cloned().unwrap_or_default();
        records
            .iter()
            .filter(move |record| record.owner.eq_ignore_ascii_case(&last))
            .map(|record| &record.data)
    }

    fn is_asked(&self, data: &Data) -> bool {
        match (self.kind, data) {
            (Kind::A, Data::Address(address)) => address.is_ipv4(),
            (Kind::Aaaa, Data::Address(address)) => address.is_ipv6(),
            (Kind::Mx, Data::Mail { .. }) | (Kind::Ptr, Data::Name(_)) | (Kind::Txt, Data::Text(_)) => true,
            (Kind::A | Kind::Aaaa | Kind::Mx | Kind::Ptr | Kind::Txt, _) => false,
        }
    }
}
