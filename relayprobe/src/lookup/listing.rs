//! Asking one list for some addresses, after it has shown that it works.

use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr};

use super::Search;
use super::chain::Fault;
use super::desk::{Desk, Done};
use super::list::{Doubt, Family, List, ListAnswer, decode, query_name, test_name};
use super::question::{Answer, Data, Kind, Question};
use crate::address::Domain;
use crate::octets::{Octets, escape};

/// Texts that are kept, and octets of each.
const TEXTS: usize = 4;
const TEXT: usize = 512;

/// What one list says of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Listing {
    /// The zone of the list.
    pub zone: Domain,
    /// The address.
    pub address: IpAddr,
    /// What it says.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub answer: ListAnswer,
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { zone, address, answer } = self;
        match answer {
            ListAnswer::Listed { codes, meanings, texts } => {
                write!(f, "{address} is listed by {zone}")?;
                codes.iter().try_for_each(|code| write!(f, " {code}"))?;
                meanings.iter().try_for_each(|meaning| write!(f, ", {}", escape(meaning.as_bytes())))?;
                texts.iter().try_for_each(|text| write!(f, ": {text}"))
            }
            ListAnswer::NotListed => write!(f, "{address} is not listed by {zone}"),
            ListAnswer::Unknown { why } => write!(f, "whether {zone} lists {address} is not known: {why}"),
            ListAnswer::NotApplicable => write!(f, "{zone} lists no addresses like {address}"),
        }
    }
}

/// Asks a list for addresses. First it must have what every list has, and not have what no list has (RFC 5782 §5): a dead
/// list would take everybody off, or put everybody on.
#[derive(Clone, Debug)]
pub struct ListSearch {
    list: List,
    desk: Desk<Asked>,
    health: Vec<(Family, Health)>,
    found: Vec<Listing>,
}

/// What is known of a list for one family.
#[derive(Clone, Debug, Default)]
struct Health {
    listed: Option<Result<(), Doubt>>,
    unlisted: Option<Result<(), Doubt>>,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Listed(Family),
    Unlisted(Family),
    Code(usize),
    Text(usize),
}

impl ListSearch {
    /// Asks `list` for `addresses`.
    pub fn new(list: List, addresses: &[IpAddr]) -> Self {
        // Two tests for each family, and an address with its text.
        let limit = addresses.len().saturating_mul(2).saturating_add(16);
        let mut search = Self {
            desk: Desk::new(u16::try_from(limit).unwrap_or(u16::MAX)),
            health: Vec::new(),
            found: Vec::new(),
            list,
        };
        for &address in addresses {
            let family = Family::of(address);
            let known = search.list.families.contains(&family);
            if known && !search.health.iter().any(|(tested, _)| *tested == family) {
                search.health.push((family, Health::default()));
                search.test(Asked::Listed(family), family.listed());
                search.test(Asked::Unlisted(family), family.unlisted());
            }
            let answer =
                if known { ListAnswer::Unknown { why: Doubt::Unasked } } else { ListAnswer::NotApplicable };
            search.found.push(Listing { zone: search.list.zone.clone(), address, answer });
        }
        search
    }

    fn test(&mut self, what: Asked, entry: IpAddr) {
        if let Some(name) = test_name(entry, &self.list.zone) {
            self.desk.ask(what, &name, Kind::A);
        }
    }

    fn on_done(&mut self, done: Done<Asked>) {
        let answered = read(done.found.as_ref());
        match done.what {
            Asked::Listed(family) => {
                let entry = family.listed();
                let listed = answered
                    .and_then(|codes| if codes.is_empty() { Err(Doubt::Dead { entry }) } else { Ok(()) });
                self.health(family, |health| health.listed = Some(listed));
            }
            Asked::Unlisted(family) => {
                let entry = family.unlisted();
                let unlisted = answered
                    .and_then(|codes| if codes.is_empty() { Ok(()) } else { Err(Doubt::ListsAll { entry }) });
                self.health(family, |health| health.unlisted = Some(unlisted));
            }
            Asked::Code(at) => self.on_code(at, answered),
            Asked::Text(at) => self.on_text(at, done.found),
        }
    }

    fn health(&mut self, family: Family, learn: impl FnOnce(&mut Health)) {
        let Some((_, health)) = self.health.iter_mut().find(|(tested, _)| *tested == family) else { return };
        learn(health);
        let verdict = match (&health.listed, &health.unlisted) {
            (Some(Ok(())), Some(Ok(()))) => Ok(()),
            (Some(Err(doubt)), _) | (_, Some(Err(doubt))) => Err(doubt.clone()),
            (None, _) | (_, None) => return,
        };
        for at in 0..self.found.len() {
            let Some(listing) =
                self.found.get_mut(at).filter(|listing| Family::of(listing.address) == family)
            else {
                continue;
            };
            match (&verdict, query_name(listing.address, &listing.zone)) {
                (Ok(()), Some(name)) => self.desk.ask(Asked::Code(at), &name, Kind::A),
                (Ok(()), None) => listing.answer = ListAnswer::Unknown { why: Doubt::Unasked },
                (Err(why), _) => listing.answer = ListAnswer::Unknown { why: why.clone() },
            }
        }
    }

    fn on_code(&mut self, at: usize, answered: Result<Vec<Ipv4Addr>, Doubt>) {
        let Some(listing) = self.found.get_mut(at) else { return };
        listing.answer = match answered {
            Err(why) => ListAnswer::Unknown { why },
            Ok(codes) if codes.is_empty() => ListAnswer::NotListed,
            Ok(codes) => {
                if let Some(name) = query_name(listing.address, &listing.zone) {
                    self.desk.ask(Asked::Text(at), &name, Kind::Txt);
                }
                ListAnswer::Listed { meanings: self.list.meanings_of(&codes), codes, texts: Vec::new() }
            }
        };
    }

    fn on_text(&mut self, at: usize, found: Result<Vec<Data>, Fault>) {
        let Some(Listing { answer: ListAnswer::Listed { texts, .. }, .. }) = self.found.get_mut(at) else {
            return;
        };
        let kept = found.unwrap_or_default().into_iter().filter_map(|data| match data {
            Data::Text(text) => {
                let octets = text.as_bytes();
                Some(Octets::from(octets.get(..TEXT).unwrap_or(octets)))
            }
            _ => None,
        });
        texts.extend(kept.take(TEXTS));
    }
}

fn read(found: Result<&Vec<Data>, &Fault>) -> Result<Vec<Ipv4Addr>, Doubt> {
    match found {
        Ok(records) => decode(&records.iter().filter_map(Data::address).collect::<Vec<_>>()),
        Err(Fault::NoSuchName | Fault::NoRecords) => Ok(Vec::new()),
        Err(Fault::Failed { trouble }) => Err(Doubt::Unanswered { trouble: *trouble }),
        Err(_) => Err(Doubt::Unasked),
    }
}

impl Search for ListSearch {
    type Found = Vec<Listing>;

    fn poll_question(&mut self) -> Option<Question> {
        self.desk.poll()
    }

    fn handle_answer(&mut self, question: &Question, answer: Answer) {
        for done in self.desk.take(question, answer) {
            self.on_done(done);
        }
    }

    fn into_found(self) -> Vec<Listing> {
        self.found
    }
}

#[cfg(test)]
mod tests;
