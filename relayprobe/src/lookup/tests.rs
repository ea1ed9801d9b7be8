//! For tests: a resolver that knows a few records and counts what it is asked.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::cell::Cell;
use core::net::IpAddr;

use super::{Answer, Data, Kind, Question, Record, Search, Trouble};

#[derive(Default)]
pub(crate) struct Zone {
    records: Vec<Record>,
    failing: Vec<(String, Trouble)>,
    poison: Vec<(String, Vec<Record>)>,
    asked: Cell<usize>,
}

impl Zone {
    /// Reads `owner TYPE data`, one record a line.
    pub(crate) fn read(text: &str) -> Self {
        Self { records: records(text), ..Self::default() }
    }

    pub(crate) fn failing(mut self, name: &str, trouble: Trouble) -> Self {
        self.failing.push((name.into(), trouble));
        self
    }

    /// Answers about `name` hold these records too.
    pub(crate) fn poisoned(mut self, name: &str, text: &str) -> Self {
        self.poison.push((name.into(), records(text)));
        self
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.get()
    }

    fn answer(&self, question: &Question) -> Answer {
        self.asked.set(self.asked.get() + 1);
        let name = question.name.as_str();
        if let Some((_, trouble)) = self.failing.iter().find(|(failing, _)| failing == name) {
            return Answer::Failed(*trouble);
        }
        let mut of_name = self.records.iter().filter(|record| record.owner == name).peekable();
        if of_name.peek().is_none() {
            return Answer::NoSuchName;
        }
        let mut found: Vec<Record> =
            of_name.filter(|record| fits(question.kind, &record.data)).cloned().collect();
        found
            .extend(self.poison.iter().filter(|(of, _)| of == name).flat_map(|(_, records)| records.clone()));
        if found.is_empty() { Answer::NoRecords } else { Answer::Records(found) }
    }
}

const fn fits(kind: Kind, data: &Data) -> bool {
    match data {
        Data::Alias(_) => true,
        Data::Address(address) => matches!((kind, address.is_ipv4()), (Kind::A, true) | (Kind::Aaaa, false)),
        Data::Mail { .. } => matches!(kind, Kind::Mx),
        Data::Name(_) => matches!(kind, Kind::Ptr),
        Data::Text(_) => matches!(kind, Kind::Txt),
    }
}

fn records(text: &str) -> Vec<Record> {
    let record = |line: &str| {
        let (owner, rest) = line.trim().split_once(' ').unwrap();
        let (kind, rest) = rest.split_once(' ').unwrap();
        let name = |text: &str| text.strip_suffix('.').unwrap_or(text).to_string();
        let data = match kind {
            "A" | "AAAA" => Data::Address(rest.parse::<IpAddr>().unwrap()),
            "CNAME" => Data::Alias(name(rest)),
            "PTR" => Data::Name(name(rest)),
            "TXT" => Data::Text(rest.as_bytes().into()),
            "MX" => {
                let (preference, host) = rest.split_once(' ').unwrap();
                Data::Mail { preference: preference.parse().unwrap(), host: name(host) }
            }
            _ => panic!("{line}"),
        };
        Record { owner: owner.into(), data }
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(record).collect()
}

/// Runs a search to its end.
pub(crate) fn run<S: Search>(mut search: S, zone: &Zone) -> S::Found {
    while let Some(question) = search.poll_question() {
        search.handle_answer(&question, zone.answer(&question));
    }
    search.into_found()
}
