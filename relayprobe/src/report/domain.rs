//! The mail hosts of a domain, each with its own report, summed up in one.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::net::IpAddr;

use super::Report;
use crate::address::Domain;
use crate::lookup::{InboundPath, Listing, MailDomain, MailService, Note};
use crate::octets::escape;
#[cfg(feature = "serde")]
use crate::octets::json;
use crate::verdict::Verdict;

/// What was found of all mail hosts of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DomainReport {
    /// Version of this form.
    pub format: u32,
    /// The worst verdict of its hosts; one host that is not known keeps the domain from being closed.
    pub verdict: Verdict,
    /// The exit status that says the same.
    pub exit_code: u8,
    /// Where its mail goes.
    pub mail: MailDomain,
    /// By which way its mail arrives, if the provider's networks are known and nothing stands open.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub inbound: Option<InboundPath>,
    /// What was found at each address, the preferred ones first.
    pub hosts: Vec<HostReport>,
    /// Version of the library.
    pub library: Cow<'static, str>,
}

/// What was found at one address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct HostReport {
    /// The address.
    pub address: IpAddr,
    /// The mail host that it belongs to.
    pub host: Option<Domain>,
    /// The verdict on it; none if it was not tested.
    pub verdict: Option<Verdict>,
    /// Name of the run whose report says more.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub run: Option<String>,
    /// Why it was not tested.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub untested: Option<String>,
    /// The lists that name the address or a machine that handed its messages on.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub listings: Vec<Listing>,
}

impl HostReport {
    /// An address that was tested.
    pub fn tested(report: &Report) -> Self {
        Self {
            address: report.run.target.address,
            host: report.run.target.name.clone(),
            verdict: Some(report.verdict),
            run: Some(report.run.run.clone()),
            untested: None,
            listings: report.listings.clone(),
        }
    }

    /// An address that was not.
    pub fn untested(address: IpAddr, host: Option<Domain>, why: &str) -> Self {
        let untested = Some(escape(why.as_bytes()));
        Self { address, host, verdict: None, run: None, untested, listings: Vec::new() }
    }
}

impl DomainReport {
    /// Version of the JSON form.
    pub const FORMAT: u32 = 1;

    /// Sums up a domain. `hosts` come in any order; an address that is not among them was not tested.
    pub fn new(mail: MailDomain, inbound: Option<InboundPath>, mut hosts: Vec<HostReport>) -> Self {
        let targets = mail.targets(0);
        for target in &targets {
            if !hosts.iter().any(|host| host.address == target.address) {
                let why = "the run ended before its turn";
                hosts.push(HostReport::untested(target.address, target.name.clone(), why));
            }
        }
        let order: Vec<IpAddr> = targets.iter().map(|target| target.address).collect();
        let place = |host: &HostReport| order.iter().position(|address| *address == host.address);
        hosts.sort_by_key(|host| place(host).unwrap_or(order.len()));
        let verdict = verdict(&mail, &hosts);
        let (exit_code, library) = (verdict.exit_code(), Cow::Borrowed(env!("CARGO_PKG_VERSION")));
        Self { format: Self::FORMAT, verdict, exit_code, mail, inbound, hosts, library }
    }

    /// The JSON form, on one line.
    #[cfg(feature = "serde")]
    pub fn to_json(&self) -> String {
        json(self)
    }

    /// The summary as a person reads it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let mut line = |line: core::fmt::Arguments<'_>| {
            let _written = writeln!(text, "{line}");
        };
        line(format_args!("{}: the mail of {}\n", self.verdict, self.mail.domain));
        match self.mail.service {
            MailService::None => line(format_args!("  The domain says that it takes no mail (null MX).")),
            MailService::Mx | MailService::Implicit => {}
        }
        for host in &self.hosts {
            let name = host.host.as_ref().map_or("", Domain::as_str);
            match (host.verdict, &host.untested) {
                (Some(verdict), _) => {
                    let run = host.run.as_deref().unwrap_or_default();
                    line(format_args!("  {name} {}: {verdict} (run {run})", host.address));
                }
                (None, why) => {
                    let why = why.as_deref().unwrap_or("nothing is known");
                    line(format_args!("  {name} {}: not tested: {why}", host.address));
                }
            }
        }
        for host in &self.mail.hosts {
            host.faults.iter().for_each(|fault| line(format_args!("  {}: {fault}", host.name)));
        }
        self.mail.notes.iter().for_each(|note| line(format_args!("  Note: {note}.")));
        if let Some(inbound) = self.inbound {
            line(format_args!("  Mail arrives: {}.", inbound.as_str()));
        }
        text
    }
}

fn verdict(mail: &MailDomain, hosts: &[HostReport]) -> Verdict {
    if mail.service == MailService::None {
        return Verdict::NoMailService;
    }
    let verdicts = || hosts.iter().map(|host| host.verdict.unwrap_or(Verdict::Undetermined));
    for bad in [Verdict::OpenRelay, Verdict::Suspected] {
        if verdicts().any(|verdict| verdict == bad) {
            return bad;
        }
    }
    let mut unknown = verdicts().filter(|verdict| verdict.exit_code() != 0);
    match unknown.next() {
        // All alike say more than that something is not known.
        Some(first) if verdicts().all(|verdict| verdict == first) => return first,
        Some(_) => return Verdict::Undetermined,
        None => {}
    }
    if hosts.is_empty() || mail.is_incomplete() || !is_whole(mail) {
        Verdict::Undetermined
    } else if verdicts().any(|verdict| verdict == Verdict::AcceptsWithoutRelaying) {
        Verdict::AcceptsWithoutRelaying
    } else {
        Verdict::Closed
    }
}

/// Whether nothing of the domain was left out. Some servers deliver to what is no name of a host all the same.
fn is_whole(mail: &MailDomain) -> bool {
    !mail.notes.iter().any(|note| match note {
        Note::ManyHosts { .. } | Note::ManyAddresses { .. } | Note::NotAHost { .. } => true,
        Note::ImplicitMx | Note::NullBesideOthers | Note::Alias { .. } => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::{Fault, MailHost, Trouble};

    fn mail(service: MailService, hosts: &[(&str, &[&str], Option<Fault>)]) -> MailDomain {
        let host = |(name, addresses, fault): &(&str, &[&str], Option<Fault>)| MailHost {
            name: name.parse().unwrap(),
            preference: 5,
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            faults: fault.iter().cloned().collect(),
        };
        let domain = "d.example".parse().unwrap();
        let hosts = hosts.iter().map(host).collect();
        MailDomain { domain, service, hosts, notes: Vec::new(), seed: 1 }
    }

    fn host(address: &str, verdict: Option<Verdict>) -> HostReport {
        let untested = HostReport::untested(address.parse().unwrap(), None, "");
        HostReport { verdict, ..untested }
    }

    #[test]
    fn the_worst_host_makes_the_verdict() {
        use Verdict::{AcceptsWithoutRelaying, Closed, OpenRelay, Suspected, Undetermined, Unreachable};
        for (first, second, sum) in [
            (Some(Closed), Some(Closed), Closed),
            (Some(Closed), Some(OpenRelay), OpenRelay),
            (None, Some(OpenRelay), OpenRelay),
            (Some(Suspected), None, Suspected),
            (Some(Closed), Some(AcceptsWithoutRelaying), AcceptsWithoutRelaying),
            (Some(Closed), Some(Unreachable), Undetermined),
            (Some(Unreachable), Some(Unreachable), Unreachable),
            (Some(Closed), None, Undetermined),
        ] {
            let hosts = [host("192.0.2.2", second), host("192.0.2.1", first)].into();
            let report = DomainReport::new(
                mail(MailService::Mx, &[("a.example", &["192.0.2.1", "192.0.2.2"], None)]),
                None,
                hosts,
            );
            assert_eq!((report.verdict, report.exit_code), (sum, sum.exit_code()), "{first:?} {second:?}");
            assert_eq!(report.hosts[0].verdict, first, "in the order of the domain");
        }
    }

    #[test]
    fn a_domain_that_is_not_wholly_known_is_not_closed() {
        let closed = || [host("192.0.2.1", Some(Verdict::Closed))].into();
        let sum = |fault: Fault, hosts: Vec<HostReport>| {
            let hosts_of = [("a.example", &["192.0.2.1"][..], None), ("b.example", &[], Some(fault))];
            DomainReport::new(mail(MailService::Mx, &hosts_of), None, hosts).verdict
        };
        assert_eq!(sum(Fault::Failed { trouble: Trouble::Silence }, closed()), Verdict::Undetermined);
        assert_eq!(sum(Fault::ManyAliases, closed()), Verdict::Undetermined);
        assert_eq!(sum(Fault::NotAHost { text: "_a.example".into() }, closed()), Verdict::Undetermined);
        assert_eq!(sum(Fault::NoSuchName, closed()), Verdict::Closed);
        assert_eq!(sum(Fault::NoSuchName, Vec::new()), Verdict::Undetermined);
        let left_out = |note: Note| {
            let mut mail = mail(MailService::Mx, &[("a.example", &["192.0.2.1"], None)]);
            mail.notes.push(note);
            DomainReport::new(mail, None, closed()).verdict
        };
        assert_eq!(left_out(Note::NullBesideOthers), Verdict::Closed);
        for note in [
            Note::ManyHosts { left_out: 1 },
            Note::ManyAddresses { left_out: 1 },
            Note::NotAHost { text: "127.0.0.1".into() },
        ] {
            assert_eq!(left_out(note), Verdict::Undetermined);
        }
    }

    #[test]
    fn an_address_that_had_no_turn_is_not_forgotten() {
        let mail = mail(MailService::Mx, &[("a.example", &["192.0.2.1", "192.0.2.2"], None)]);
        let report = DomainReport::new(mail, None, [host("192.0.2.1", Some(Verdict::Closed))].into());
        assert_eq!((report.verdict, report.exit_code), (Verdict::Undetermined, 3));
        assert!(report.text().contains("a.example 192.0.2.2: not tested"), "{}", report.text());
    }

    #[test]
    fn a_domain_without_mail_is_told_so() {
        let report = DomainReport::new(mail(MailService::None, &[]), None, Vec::new());
        assert_eq!((report.verdict, report.exit_code), (Verdict::NoMailService, 0));
        assert!(report.text().contains("takes no mail"), "{}", report.text());
    }
}
