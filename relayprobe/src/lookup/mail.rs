//! The mail hosts of a domain (RFC 5321 §5.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::Search;
use super::chain::Fault;
use super::desk::{Desk, Done};
use super::question::{Answer, Data, Kind, Question};
use crate::address::Domain;
use crate::octets::escape;
use crate::target::Target;

/// Mail hosts that are taken, the preferred ones first.
const HOSTS: usize = 10;
/// Addresses that are taken.
const ADDRESSES: usize = 20;
/// Questions that are asked for one domain.
const QUESTIONS: u16 = 24;

/// Where the mail of a domain goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MailDomain {
    /// The domain.
    pub domain: Domain,
    /// How it says where.
    pub service: MailService,
    /// The hosts in the order in which they are tried, at most 10.
    pub hosts: Vec<MailHost>,
    /// What was odd.
    pub notes: Vec<Note>,
    /// What decided the order of hosts that are equally preferred.
    pub seed: u64,
}

/// How a domain says where its mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum MailService {
    /// It has MX records.
    Mx,
    /// It has none, so the domain is its own mail host.
    Implicit,
    /// It takes no mail (RFC 7505).
    None,
}

/// A mail host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MailHost {
    /// Its name.
    pub name: Domain,
    /// The lower, the better.
    pub preference: u16,
    /// Its addresses, IPv4 first.
    pub addresses: Vec<IpAddr>,
    /// Why it has no address, or may have more.
    pub faults: Vec<Fault>,
}

/// Something odd about a domain's mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "note", rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Note {
    /// There are no MX records.
    #[error("there are no MX records; the domain's own addresses are its mail hosts (RFC 5321 section 5.1)")]
    ImplicitMx,
    /// A null MX stands beside others.
    #[error("a null MX stands beside other MX records and means nothing (RFC 7505 section 3)")]
    NullBesideOthers,
    /// An MX record names no host.
    #[error("an MX record names \"{text}\", which is no name of a host")]
    NotAHost {
        /// What it names, escaped.
        text: String,
    },
    /// A name is an alias, which the name of a mail host must not be.
    #[error(
        "{name} is an alias (CNAME) for {to}; the name of a mail host must not be one (RFC 2181 section 10.3)"
    )]
    Alias {
        /// The name.
        name: Domain,
        /// What it stands for, escaped.
        to: String,
    },
    /// There are more hosts than are taken.
    #[error("{left_out} more mail hosts were left out")]
    ManyHosts {
        /// How many.
        left_out: usize,
    },
    /// There are more addresses than are taken.
    #[error("{left_out} more addresses were left out")]
    ManyAddresses {
        /// How many.
        left_out: usize,
    },
}

impl MailDomain {
    /// Whether a mail host may have addresses that are not known.
    pub fn is_incomplete(&self) -> bool {
        self.hosts.iter().flat_map(|host| &host.faults).any(|fault| !fault.is_certain())
    }

    /// A target for each address, in the order in which mail would be delivered. The domain is its own, the host its name,
    /// and an address of the host in the other family is known to it.
    pub fn targets(&self, port: u16) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        for host in &self.hosts {
            for &address in &host.addresses {
                if targets.iter().any(|target| target.address.to_canonical() == address.to_canonical()) {
                    continue;
                }
                let mut target = Target::new(address, port);
                target.name = Some(host.name.clone());
                target.mail_host = Some(host.name.clone());
                target.domains.push(self.domain.clone());
                let other = |other: &&IpAddr| other.is_ipv4() != address.is_ipv4();
                target.other_address = host.addresses.iter().find(other).copied();
                targets.push(target);
            }
        }
        targets
    }
}

/// Looks up the mail hosts of a domain. An error says why the domain has none, or why it is not known.
#[derive(Clone, Debug)]
pub struct MailSearch {
    desk: Desk<Asked>,
    found: MailDomain,
    fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Mx,
    /// The addresses of this host.
    Host(usize),
}

impl MailSearch {
    /// `seed` decides the order of hosts that are equally preferred.
    pub fn new(domain: &Domain, seed: u64) -> Self {
        let mut desk = Desk::new(QUESTIONS);
        desk.ask(Asked::Mx, domain, Kind::Mx);
        let found = MailDomain {
            domain: domain.clone(),
            service: MailService::Mx,
            hosts: Vec::new(),
            notes: Vec::new(),
            seed,
        };
        Self { desk, found, fault: None }
    }

    fn on_done(&mut self, done: Done<Asked>) {
        let Done { what, aliases, found } = done;
        match what {
            Asked::Mx => {
                self.note_alias(&self.found.domain.clone(), &aliases);
                match found {
                    Ok(records) => self.on_mx(records),
                    Err(Fault::NoRecords) => self.on_no_mx(),
                    Err(fault) => self.fault = Some(fault),
                }
            }
            Asked::Host(at) => {
                if let Some(name) = self.found.hosts.get(at).map(|host| host.name.clone()) {
                    self.note_alias(&name, &aliases);
                }
                if let Some(host) = self.found.hosts.get_mut(at) {
                    host.take(found);
                }
            }
        }
    }

    fn on_mx(&mut self, records: Vec<Data>) {
        let mut hosts: Vec<(u16, Domain)> = Vec::new();
        let mut null = false;
        let mut named = 0_usize;
        for record in records {
            let Data::Mail { preference, host } = record else { continue };
            if host.is_empty() {
                null = true;
                continue;
            }
            named += 1;
            match host.parse::<Domain>() {
                Ok(name) => match hosts.iter_mut().find(|(_, known)| *known == name) {
                    Some((known, _)) => *known = (*known).min(preference),
                    None => hosts.push((preference, name)),
                },
                Err(_) => self.note(Note::NotAHost { text: escape(host.as_bytes()) }),
            }
        }
        match (null, named) {
            (true, 0) => self.found.service = MailService::None,
            (true, _) => self.note(Note::NullBesideOthers),
            (false, _) => {}
        }
        shuffle(&mut hosts, self.found.seed);
        hosts.sort_by_key(|&(preference, _)| preference);
        if hosts.len() > HOSTS {
            self.note(Note::ManyHosts { left_out: hosts.len() - HOSTS });
        }
        for (preference, name) in hosts.into_iter().take(HOSTS) {
            self.add_host(name, preference);
        }
    }

    fn on_no_mx(&mut self) {
        self.found.service = MailService::Implicit;
        self.note(Note::ImplicitMx);
        self.add_host(self.found.domain.clone(), 0);
    }

    fn add_host(&mut self, name: Domain, preference: u16) {
        let at = Asked::Host(self.found.hosts.len());
        self.desk.ask(at, &name, Kind::A);
        self.desk.ask(at, &name, Kind::Aaaa);
        self.found.hosts.push(MailHost { name, preference, addresses: Vec::new(), faults: Vec::new() });
    }

    fn note_alias(&mut self, name: &Domain, aliases: &[String]) {
        if let Some(last) = aliases.last() {
            self.note(Note::Alias { name: name.clone(), to: escape(last.as_bytes()) });
        }
    }

    fn note(&mut self, note: Note) {
        if !self.found.notes.contains(&note) {
            self.found.notes.push(note);
        }
    }
}

impl MailHost {
    fn take(&mut self, found: Result<Vec<Data>, Fault>) {
        match found {
            Ok(records) => {
                for record in records {
                    match record {
                        Data::Address(address) if !self.addresses.contains(&address) => {
                            self.addresses.push(address);
                        }
                        _ => {}
                    }
                }
                self.addresses.sort_by_key(IpAddr::is_ipv6);
            }
            Err(fault) if self.faults.contains(&fault) => {}
            Err(fault) => self.faults.push(fault),
        }
    }

    /// One family alone is enough.
    fn forgive(&mut self) {
        if !self.addresses.is_empty() {
            self.faults.retain(|fault| !fault.is_certain());
        }
    }
}

impl Search for MailSearch {
    type Found = Result<MailDomain, Fault>;

    fn poll_question(&mut self) -> Option<Question> {
        self.desk.poll()
    }

    fn handle_answer(&mut self, question: &Question, answer: Answer) {
        for done in self.desk.take(question, answer) {
            self.on_done(done);
        }
    }

    fn into_found(mut self) -> Self::Found {
        for unasked in self.desk.give_up() {
            self.on_done(unasked);
        }
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let mut left = ADDRESSES;
        let mut left_out = 0;
        for host in &mut self.found.hosts {
            host.forgive();
            left_out += host.addresses.len().saturating_sub(left);
            host.addresses.truncate(left);
            left -= host.addresses.len();
        }
        if left_out > 0 {
            self.note(Note::ManyAddresses { left_out });
        }
        Ok(self.found)
    }
}

/// Fisher and Yates, with the generator `SplitMix64`: the same seed gives the same order everywhere.
fn shuffle<T>(items: &mut [T], mut seed: u64) {
    for last in (1..items.len()).rev() {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let bound = last as u64 + 1;
        items.swap(last, usize::try_from(mixed % bound).unwrap_or(last));
    }
}

#[cfg(test)]
mod tests;
