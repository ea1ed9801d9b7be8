//! What a plan must not be.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use super::{Again, PlanBuilder};
use crate::address::{Domain, Scope, ScopeError, special_range};
use crate::matrix::{Case, Matrix, Selection};
use crate::message::Letter;
use crate::moment::Date;
use crate::plan::error::{DAILY_REFUSALS, PlanError};
use crate::plan::{Limits, Names, RunRecord};

/// Ports on which mail servers listen; others must be allowed one by one, for this is no port scanner.
const MAIL_PORTS: [u16; 10] = [24, 25, 26, 465, 587, 1025, 2525, 10_024, 10_025, 10_026];
/// The same target again by machine (RFC 6471 §3.6.2).
const INTERVAL: Duration = Duration::from_hours(24);

impl PlanBuilder {
    /// A mailbox names its domain; with other domains given it must be one of them.
    pub(super) fn adopt_mailbox_domain(&mut self) -> Result<(), PlanError> {
        let Some(mailbox) = &self.target.mailbox else { return Ok(()) };
        if self.target.domains.is_empty() {
            self.target.domains.push(mailbox.domain().clone());
        }
        if self.target.domains.contains(mailbox.domain()) {
            Ok(())
        } else {
            Err(PlanError::MailboxDomain { mailbox: alloc::format!("{mailbox}") })
        }
    }

    pub(super) fn check_address(&self) -> Result<(), PlanError> {
        let address = self.target.address;
        self.scope.check(address)?;
        // Our own server may be anywhere but where no mail server is.
        let way_in = self.way_in.map(|way_in| Scope::Private.check(way_in.ip()));
        if let Some(Err(fault @ ScopeError::Metadata { .. })) = way_in {
            return Err(fault.into());
        }
        if self.never_test.has_address(address) {
            return Err(PlanError::NeverTest { what: alloc::format!("{address}") });
        }
        if let Some(way_in) = self.way_in.filter(|way_in| self.never_test.has_address(way_in.ip())) {
            return Err(PlanError::NeverTest { what: alloc::format!("{way_in}") });
        }
        if let Some(source) = self.source.filter(|source| source.is_ipv4() != address.is_ipv4()) {
            return Err(PlanError::Source { source_address: source, target: address });
        }
        // Servers of one's own on trial listen on any port that is nobody's.
        let of_trial = |address: IpAddr, port: u16| special_range(address).is_some() && port >= 1_024;
        let known = |address: IpAddr, port: u16| {
            let mail = MAIL_PORTS.contains(&port) || self.allowed_ports.contains(&port);
            port != 0 && (mail || of_trial(address, port))
        };
        let asked = self.ports.iter().map(|&port| (address, port));
        let way_in = self.way_in.map(|way_in| (way_in.ip(), way_in.port()));
        match asked.chain(way_in).find(|&(address, port)| !known(address, port)) {
            Some((_, port)) => Err(PlanError::Port { port }),
            None => Ok(()),
        }
    }

    /// Mail that our own receiving server takes is no mail that it relays.
    pub(super) fn check_sink(&self) -> Result<(), PlanError> {
        let identity = &self.identity;
        let (v4, v6) = (identity.sink_ipv4.map(IpAddr::V4), identity.sink_ipv6.map(IpAddr::V6));
        // Mail for a domain comes by port 25 and no other (RFC 5321 §4.5.4.2).
        let known = v4.into_iter().chain(v6).map(|address| SocketAddr::new(address, 25));
        let is_target = |sink: &SocketAddr| {
            sink.ip().to_canonical() == self.target.address.to_canonical()
                && self.ports.contains(&sink.port())
        };
        match self.way_in.into_iter().chain(known).find(is_target) {
            Some(sink) => Err(PlanError::TargetIsSink { sink }),
            None => Ok(()),
        }
    }

    pub(super) fn check_leave(&self, date: Date) -> Result<(), PlanError> {
        let reference = || self.authorization.reference.as_str().into();
        if let Some(until) = self.authorization.until.filter(|&until| until < date) {
            return Err(PlanError::Ended { reference: reference(), until });
        }
        if !self.authorization.covers_address(self.target.address) {
            let what = alloc::format!("{}", self.target.address);
            return Err(PlanError::OutOfScope { what, reference: reference() });
        }
        match self.target.domains.iter().find(|domain| !self.authorization.covers_domain(domain)) {
            Some(domain) => {
                Err(PlanError::OutOfScope { what: alloc::format!("{domain}"), reference: reference() })
            }
            None => Ok(()),
        }
    }

    pub(super) fn check_domains(&self) -> Result<(), PlanError> {
        let target = &self.target;
        let named = target
            .domains
            .iter()
            .chain(&target.name)
            .chain(&target.reverse_name)
            .chain(&target.expected_host)
            .chain(&target.mail_host);
        if let Some(domain) = named.into_iter().find(|domain| self.never_test.has_domain(domain)) {
            return Err(PlanError::NeverTest { what: alloc::format!("{domain}") });
        }
        let probe_domain = &self.identity.probe_domain;
        let is_targets = |ours: &Domain| target.domains.iter().any(|domain| ours.is_within(domain));
        if is_targets(probe_domain) {
            return Err(PlanError::ProbeDomainIsTarget { domain: probe_domain.clone() });
        }
        let sender_domain = &self.identity.sender_domain;
        if is_targets(sender_domain) {
            return Err(PlanError::SenderDomainIsTarget { domain: sender_domain.clone() });
        }
        let ending = probe_domain.as_str().rsplit_once('.').map(|(_, ending)| ending);
        if ending
            .is_none_or(|ending| ["localhost", "local"].iter().any(|name| ending.eq_ignore_ascii_case(name)))
        {
            return Err(PlanError::ProbeDomainIsNobodys { domain: probe_domain.clone() });
        }
        let ours =
            |lure: &Domain| lure.is_within(probe_domain) || lure.is_within(&self.identity.sender_domain);
        match self.identity.lure_mx.iter().chain(&self.identity.lure_a).find(|lure| !ours(lure)) {
            Some(lure) => Err(PlanError::LureNotOurs { lure: lure.clone() }),
            None => Ok(()),
        }
    }

    /// Whoever wants to know who tests must find it (RFC 9511 §3).
    pub(super) fn check_probe_uri(&self) -> Result<(), PlanError> {
        let uri = self.identity.probe_uri.as_str();
        let of_scheme = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.');
        let is_uri = uri.split_once(':').is_some_and(|(scheme, rest)| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.bytes().all(of_scheme)
                && !rest.is_empty()
        });
        if is_uri { Ok(()) } else { Err(PlanError::ProbeUri { uri: uri.into() }) }
    }

    pub(super) fn check_proof(&self) -> Result<(), PlanError> {
        if !(1..=Limits::MOST_MESSAGES).contains(&self.messages) {
            return Err(PlanError::Messages { given: self.messages });
        }
        if let Some(given) = self.retries.as_ref().map(Vec::len).filter(|&count| count > Limits::MOST_RETRIES)
        {
            return Err(PlanError::Retries { given });
        }
        match self.window.filter(|seconds| !(1..=Limits::LONGEST_WINDOW).contains(seconds)) {
            Some(given) => Err(PlanError::Window { given }),
            None => Ok(()),
        }
    }

    pub(super) fn check_load(&self, record: &RunRecord, date: Date) -> Result<(), PlanError> {
        if let (Some(last), Again::WhenDue) = (self.history.last_run, self.again) {
            let due = Date::from_unix(last.unix().saturating_add(INTERVAL.as_secs()));
            if date < due {
                return Err(PlanError::TooSoon { last, due });
            }
        }
        let planned = record.expected_refusals();
        let today = self.history.refusals_today;
        let messages = record.prove.map_or(0, |_| record.limits.messages);
        let sent = self.history.messages_today;
        if messages > 0 && u32::from(messages).saturating_add(sent) > u32::from(Limits::MOST_MESSAGES) {
            return Err(PlanError::ManyMessages { planned: messages, today: sent });
        }
        let named_larger = record.selection >= Selection::Standard;
        if named_larger || planned.saturating_add(today) <= DAILY_REFUSALS {
            Ok(())
        } else {
            Err(PlanError::ManyRefusals { planned, today })
        }
    }
}

/// A case could have been changed since it was made; what is sent must be what was checked.
pub(super) fn cases(matrix: &Matrix) -> Result<(), PlanError> {
    if let Some(id) = matrix.foreign() {
        return Err(PlanError::ForeignCase { id: id.into() });
    }
    if matrix.cases().iter().all(Case::is_control) { Err(PlanError::NoCases) } else { Ok(()) }
}

/// Whatever a run may send must fit.
pub(super) fn messages(record: &RunRecord) -> Result<(), PlanError> {
    if record.prove.is_none() {
        return Ok(());
    }
    let letter = |probe| Names::new(record, probe, None).letter(1, Limits::MOST_MESSAGES, record.date);
    let letters = record.probes.iter().filter_map(|probe| letter(probe).ok());
    match letters.map(|letter| letter.len()).filter(|&length| length > Letter::LIMIT).max() {
        Some(length) => Err(PlanError::LongMessage { length }),
        None => Ok(()),
    }
}
