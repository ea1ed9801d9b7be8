//! Whether the tester's own names are in order, and the line for the zone where they are not.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use super::Search;
use super::chain::Fault;
use super::desk::{Desk, Done};
use super::question::{Answer, Data, Kind, Question};
use super::reverse::reverse_name;
use crate::address::Domain;
use crate::identity::Identity;
use crate::octets::escape;

/// Addresses that are looked at for one name.
const ADDRESSES: usize = 4;
/// Questions that are asked in all.
const QUESTIONS: u16 = 40;

/// What was found of the tester's own names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SelfCheck {
    /// Each thing that was looked at.
    pub findings: Vec<Finding>,
}

/// One thing that is right, wrong or not known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How it is.
    pub state: CheckState,
    /// What was found, in a sentence.
    pub text: String,
    /// The line to add to the zone, or to the file.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub line: Option<String>,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Check {
    /// The HELO name leads to the address that tests.
    HeloAddress,
    /// That address leads back to the HELO name.
    ReverseName,
    /// The probe domain's mail comes to our receiving server alone.
    ProbeDomainMx,
    /// So does that of the sender domain, to which reports come.
    SenderDomainMx,
    /// The receiving server has its addresses.
    SinkAddress,
    /// The text of the probe URI names the right contact (RFC 9511).
    ProbeUri,
}

impl Check {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HeloAddress => "helo-address",
            Self::ReverseName => "reverse-name",
            Self::ProbeDomainMx => "probe-domain-mx",
            Self::SenderDomainMx => "sender-domain-mx",
            Self::SinkAddress => "sink-address",
            Self::ProbeUri => "probe-uri",
        }
    }
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum CheckState {
    /// As it should be.
    Right,
    /// It could not be found out.
    Unknown,
    /// It should be otherwise.
    Wrong,
}

impl CheckState {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Unknown => "unknown",
            Self::Wrong => "wrong",
        }
    }
}

impl SelfCheck {
    /// The worst of all.
    pub fn state(&self) -> CheckState {
        self.findings.iter().map(|finding| finding.state).max().unwrap_or(CheckState::Unknown)
    }
}

impl Finding {
    pub(super) fn new(check: Check, state: CheckState, text: impl Into<String>) -> Self {
        Self { check, state, text: text.into(), line: None }
    }

    pub(super) fn with_line(mut self, line: impl Into<String>) -> Self {
        self.line = Some(line.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.state.as_str(), self.text)?;
        match &self.line {
            Some(line) => write!(f, "\n  {line}"),
            None => Ok(()),
        }
    }
}

/// Looks up what an identity says of itself.
#[derive(Clone, Debug)]
pub struct CheckSearch {
    identity: Identity,
    /// The address that tests, if the caller knows it.
    source: Option<IpAddr>,
    desk: Desk<Asked>,
    /// What each name leads to, an entry for each family.
    helo: Vec<Addresses>,
    reverse: Vec<(IpAddr, Result<Vec<String>, Fault>)>,
    mx: Vec<(Check, Result<Vec<String>, Fault>)>,
    /// The addresses of each mail host.
    hosts: Vec<(Domain, Vec<Addresses>)>,
}

type Addresses = Result<Vec<IpAddr>, Fault>;

#[derive(Clone, Copy, Debug)]
enum Asked {
    Helo,
    Reverse(IpAddr),
    Mx(Check),
    Host(usize),
}

impl CheckSearch {
    /// `source` is the address from which tests are made, as the internet sees it. Without it the addresses of the HELO
    /// name are taken for it.
    pub fn new(identity: &Identity, source: Option<IpAddr>) -> Self {
        let mut desk = Desk::new(QUESTIONS);
        desk.ask(Asked::Helo, &identity.helo, Kind::A);
        desk.ask(Asked::Helo, &identity.helo, Kind::Aaaa);
        desk.ask(Asked::Mx(Check::ProbeDomainMx), &identity.probe_domain, Kind::Mx);
        if identity.has_second_domain() {
            desk.ask(Asked::Mx(Check::SenderDomainMx), &identity.sender_domain, Kind::Mx);
        }
        let (helo, reverse, mx, hosts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut search = Self { identity: identity.clone(), source, desk, helo, reverse, mx, hosts };
        if let Some(source) = source {
            search.ask_reverse(source);
        }
        search
    }

    fn ask_reverse(&mut self, address: IpAddr) {
        if let Some(name) = reverse_name(address) {
            self.desk.ask(Asked::Reverse(address), &name, Kind::Ptr);
        }
    }

    fn on_done(&mut self, done: Done<Asked>) {
        match done.what {
            Asked::Helo => {
                let found = done.found.map(addresses);
                if self.source.is_none() {
                    found.iter().flatten().take(ADDRESSES).for_each(|&address| self.ask_reverse(address));
                }
                self.helo.push(found);
            }
            Asked::Reverse(address) => self.reverse.push((address, done.found.map(names))),
            Asked::Mx(check) => {
                let found = done.found.map(names);
                for name in
                    found.iter().flatten().filter_map(|host| host.parse::<Domain>().ok()).take(ADDRESSES)
                {
                    if !self.hosts.iter().any(|(known, _)| *known == name) {
                        let at = Asked::Host(self.hosts.len());
                        self.desk.ask(at, &name, Kind::A);
                        self.desk.ask(at, &name, Kind::Aaaa);
                        self.hosts.push((name, Vec::new()));
                    }
                }
                self.mx.push((check, found));
            }
            Asked::Host(at) => {
                if let Some((_, found)) = self.hosts.get_mut(at) {
                    found.push(done.found.map(addresses));
                }
            }
        }
    }

    fn helo_finding(&self) -> Finding {
        let helo = &self.identity.helo;
        let right = |text: String| Finding::new(Check::HeloAddress, CheckState::Right, text);
        let wrong = |text: String| Finding::new(Check::HeloAddress, CheckState::Wrong, text);
        let known = known(&self.helo);
        match (self.source, failed(&self.helo)) {
            (Some(source), _) if known.iter().any(|address| same(*address, source)) => {
                right(alloc::format!("the HELO name {helo} leads to {source}"))
            }
            (None, _) if !known.is_empty() => {
                right(alloc::format!("the HELO name {helo} leads to {}", list(&known)))
            }
            (_, Some(fault)) => Finding::new(
                Check::HeloAddress,
                CheckState::Unknown,
                alloc::format!("the addresses of the HELO name {helo} are not known: {fault}"),
            ),
            (Some(source), None) => {
                let leads = if known.is_empty() {
                    "has no address".into()
                } else {
                    alloc::format!("leads to {}", list(&known))
                };
                wrong(alloc::format!("the HELO name {helo} {leads}, and tests are made from {source}"))
                    .with_line(record(helo, &address_record(source)))
            }
            (None, None) => wrong(alloc::format!("the HELO name {helo} has no address"))
                .with_line(record(helo, "A\t; the address that tests")),
        }
    }

    fn reverse_findings(&self) -> impl Iterator<Item = Finding> {
        let helo = &self.identity.helo;
        self.reverse.iter().map(move |(address, found)| {
            let finding = |state, text| Finding::new(Check::ReverseName, state, text);
            let line = reverse_name(*address).map(|name| record(&name, &alloc::format!("PTR\t{helo}.")));
            let wrong = |text: String| {
                let finding = finding(CheckState::Wrong, text);
                // The reverse zone is mostly the provider's.
                line.iter().fold(finding, |finding, line| finding.with_line(line.clone()))
            };
            match found {
                Ok(names) if names.iter().any(|name| name.eq_ignore_ascii_case(helo.as_str())) => {
                    finding(CheckState::Right, alloc::format!("{address} leads back to {helo}"))
                }
                Ok(names) => {
                    let names: Vec<String> =
                        names.iter().take(ADDRESSES).map(|name| escape(name.as_bytes())).collect();
                    wrong(alloc::format!(
                        "{address} leads back to {}, not to the HELO name {helo}",
                        names.join(", ")
                    ))
                }
                Err(fault) if fault.is_certain() => wrong(alloc::format!("{address} has no reverse name")),
                Err(fault) => finding(
                    CheckState::Unknown,
                    alloc::format!("the reverse name of {address} is not known: {fault}"),
                ),
            }
        })
    }

    fn mx_finding(&self, check: Check, found: &Result<Vec<String>, Fault>) -> Finding {
        let domain = match check {
            Check::SenderDomainMx => &self.identity.sender_domain,
            _ => &self.identity.probe_domain,
        };
        let sink = self.sink();
        let line = record(domain, &alloc::format!("MX\t10 {sink}."));
        let finding = |state, text| Finding::new(check, state, text);
        match found {
            Err(Fault::NoRecords | Fault::NoSuchName) => {
                finding(CheckState::Wrong, alloc::format!("{domain} has no MX record, so nothing comes back"))
                    .with_line(line)
            }
            Err(fault) => finding(
                CheckState::Unknown,
                alloc::format!("the MX records of {domain} are not known: {fault}"),
            ),
            Ok(hosts) if hosts.iter().any(String::is_empty) => finding(
                CheckState::Wrong,
                alloc::format!("{domain} has a null MX: it takes no mail, so nothing comes back"),
            )
            .with_line(line),
            Ok(hosts) => {
                let others: Vec<String> = hosts
                    .iter()
                    .filter(|host| !self.is_sink(host, &sink))
                    .map(|host| escape(host.as_bytes()))
                    .collect();
                let named = hosts.len() > others.len();
                match (named, others.is_empty()) {
                    (true, true) => finding(
                        CheckState::Right,
                        alloc::format!("the mail of {domain} comes to our receiving server"),
                    ),
                    (true, false) => finding(
                        CheckState::Wrong,
                        alloc::format!(
                            "mail of {domain} may also go to {}, where nobody looks for it: take that record away",
                            others.join(", ")
                        ),
                    ),
                    (false, _) => finding(
                        CheckState::Wrong,
                        alloc::format!(
                            "the mail of {domain} goes to {}, not to our receiving server",
                            others.join(", ")
                        ),
                    )
                    .with_line(line),
                }
            }
        }
    }

    /// The name that the receiving server has, or would have.
    fn sink(&self) -> String {
        let own = self.identity.sink_host.as_ref().map(ToString::to_string);
        own.unwrap_or_else(|| alloc::format!("mx.{}", self.identity.probe_domain))
    }

    /// A mail host is our receiving server by its name or by its address.
    fn is_sink(&self, host: &str, sink: &str) -> bool {
        let by_address = || {
            let found = self.hosts.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(host));
            let own = self.sink_addresses();
            found.is_some_and(|(_, found)| {
                let mut all = found.iter().flatten().flatten();
                own.iter().any(|own| all.any(|address| same(*address, *own)))
            })
        };
        host.eq_ignore_ascii_case(sink) || by_address()
    }

    fn sink_addresses(&self) -> Vec<IpAddr> {
        let (v4, v6) = (self.identity.sink_ipv4.map(IpAddr::V4), self.identity.sink_ipv6.map(IpAddr::V6));
        v4.into_iter().chain(v6).collect()
    }

    /// The host that is our receiving server must have the addresses that it has.
    fn sink_finding(&self) -> Option<Finding> {
        let sink = self.sink();
        let (name, found) = self.hosts.iter().find(|(name, _)| self.is_sink(name.as_str(), &sink))?;
        let known = known(found);
        let own = self.sink_addresses();
        let finding = |state, text| Finding::new(Check::SinkAddress, state, text);
        let missing = own.iter().find(|own| !known.iter().any(|address| same(*address, **own)));
        let foreign =
            known.iter().find(|address| !own.is_empty() && !own.iter().any(|own| same(**address, *own)));
        Some(match (failed(found), missing, foreign) {
            (Some(fault), ..) => finding(
                CheckState::Unknown,
                alloc::format!("the addresses of the receiving server {name} are not known: {fault}"),
            ),
            (None, Some(&missing), _) => finding(
                CheckState::Wrong,
                alloc::format!("the receiving server {name} does not lead to its address {missing}"),
            )
            .with_line(record(name, &address_record(missing))),
            (None, None, Some(foreign)) => finding(
                CheckState::Wrong,
                alloc::format!(
                    "the receiving server {name} leads to {foreign}, which is not among its addresses (sink-ip)"
                ),
            ),
            (None, None, None) if known.is_empty() => {
                finding(CheckState::Wrong, alloc::format!("the receiving server {name} has no address"))
                    .with_line(record(name, "A\t; the address of the receiving server"))
            }
            (None, None, None) => finding(
                CheckState::Right,
                alloc::format!("the receiving server {name} leads to {}", list(&known)),
            ),
        })
    }
}

impl Search for CheckSearch {
    type Found = SelfCheck;

    fn poll_question(&mut self) -> Option<Question> {
        self.desk.poll()
    }

    fn handle_answer(&mut self, question: &Question, answer: Answer) {
        for done in self.desk.take(question, answer) {
            self.on_done(done);
        }
    }

    fn into_found(mut self) -> SelfCheck {
        for unasked in self.desk.give_up() {
            self.on_done(unasked);
        }
        let mut findings: Vec<Finding> = [self.helo_finding()].into();
        findings.extend(self.reverse_findings());
        findings.extend(self.mx.iter().map(|(check, found)| self.mx_finding(*check, found)));
        findings.extend(self.sink_finding());
        SelfCheck { findings }
    }
}

fn addresses(records: Vec<Data>) -> Vec<IpAddr> {
    records.into_iter().filter_map(|data| data.address()).collect()
}

/// The addresses of both families.
fn known(found: &[Addresses]) -> Vec<IpAddr> {
    found.iter().flatten().flatten().copied().collect()
}

/// Why there may be more of them.
fn failed(found: &[Addresses]) -> Option<&Fault> {
    found.iter().filter_map(|found| found.as_ref().err()).find(|fault| !fault.is_certain())
}

fn names(records: Vec<Data>) -> Vec<String> {
    let name = |data| match data {
        Data::Name(name) | Data::Mail { host: name, .. } => Some(name),
        _ => None,
    };
    records.into_iter().filter_map(name).collect()
}

fn same(one: IpAddr, other: IpAddr) -> bool {
    one.to_canonical() == other.to_canonical()
}

fn list(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().take(ADDRESSES).map(ToString::to_string).collect();
    texts.join(", ")
}

/// A line of a zone file (RFC 1035 §5).
fn record(owner: &Domain, rest: &str) -> String {
    alloc::format!("{owner}.\tIN\t{rest}")
}

fn address_record(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => alloc::format!("A\t{v4}"),
        IpAddr::V6(v6) => alloc::format!("AAAA\t{v6}"),
    }
}

#[cfg(test)]
mod tests;
