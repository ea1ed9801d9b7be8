//! For tests: a resolver that knows a few records and counts what it is asked.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::cell::Cell;
use core::net::IpAddr;

use proptest::collection::vec;
use proptest::prelude::*;

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

/// Names of a small world, so that answers meet questions, and some that are none.
const NAMES: [&str; 8] = [
    "a.example",
    "b.example",
    "c.example",
    "A.EXAMPLE",
    "",
    "127.0.0.1",
    "x y\u{1b}",
    "1.2.0.192.in-addr.arpa",
];

fn any_answer() -> impl Strategy<Value = Answer> {
    let name = || (0..NAMES.len()).prop_map(|at| NAMES[at].to_string());
    let data = prop_oneof![
        any::<IpAddr>().prop_map(Data::Address),
        name().prop_map(Data::Alias),
        (any::<u16>(), name()).prop_map(|(preference, host)| Data::Mail { preference, host }),
        name().prop_map(Data::Name),
        vec(any::<u8>(), 0..600).prop_map(|octets| Data::Text(octets.into())),
    ];
    let record = (name(), data).prop_map(|(owner, data)| Record { owner, data });
    prop_oneof![
        8 => vec(record, 0..30).prop_map(Answer::Records),
        1 => Just(Answer::NoRecords),
        1 => Just(Answer::NoSuchName),
        1 => Just(Answer::Failed(Trouble::Silence)),
    ]
}

/// Gives a search these answers, over and over, and says how much it asked.
fn asks<S: Search>(mut search: S, answers: &[Answer]) -> usize {
    let mut answers = answers.iter().cycle();
    let mut asked = 0;
    while let Some(question) = search.poll_question() {
        asked += 1;
        assert!(asked < 1_000, "it does not end");
        // Records mostly belong to whom they are asked of.
        let mut answer = answers.next().unwrap().clone();
        if let Answer::Records(records) = &mut answer {
            records.iter_mut().step_by(2).for_each(|record| record.owner = question.name.to_string());
        }
        search.handle_answer(&question, answer.clone());
        // Nobody asked for it twice.
        search.handle_answer(&question, answer);
    }
    search.into_found();
    asked
}

proptest! {
    #[test]
    fn every_search_ends_in_bounds_whatever_is_answered(answers in vec(any_answer(), 1..20), seed: u64) {
        let domain = "a.example".parse().unwrap();
        prop_assert!(asks(super::MailSearch::new(&domain, seed), &answers) <= 24);
        prop_assert!(asks(super::HostSearch::new(&domain), &answers) <= 18);
        let address = "192.0.2.1".parse().unwrap();
        prop_assert!(asks(super::ReverseSearch::new(address), &answers) <= 16);
        let list = super::List::new("b.example".parse().unwrap());
        prop_assert!(asks(super::ListSearch::new(list, &[address]), &answers) <= 18);
        let identity = crate::Identity::new(domain);
        prop_assert!(asks(super::CheckSearch::new(&identity, None), &answers) <= 40);
    }
}
