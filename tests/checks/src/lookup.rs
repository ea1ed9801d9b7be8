//! Names and lists: answers of whoever runs the zones that are asked, or sits between.
//!
//! The octets are answers in the manner of a zone file, an empty line between two. `@` is the name that was asked for; of
//! one line `?FAULT` is an answer without records. When they are used up they come again.

use core::fmt::Display;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use relayprobe::address::{Domain, Scope};
use relayprobe::lookup::{
    Answer, CheckSearch, Confirmed, Data, Family, HostSearch, Kind, List, ListAnswer, ListSearch, MailDomain,
    MailSearch, MailService, ProbingText, Question, Record, ReverseSearch, Search, Trouble,
    check_probing_text, query_name, reverse_name, test_name,
};
use relayprobe::moment::Date;
use relayprobe::plan::Plan;
use relayprobe::report::{DomainReport, HostReport};
use relayprobe::{Identity, Target, Verdict};

const TODAY: Date = Date::from_unix(1_795_473_834);

/// Every search ends within its questions whatever is answered, believes only records of the names it asked for, and shows
/// nothing that steers a terminal.
pub(crate) fn check(octets: &[u8]) {
    let answers = read(octets);
    let domain: Domain = "target.example".parse().expect("a domain");
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    mail(&domain, &answers);
    host(&domain, &answers);
    reverse(address, &answers);
    list(&[address, IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9))], &answers);
    own_names(octets, &answers);
}

fn mail(domain: &Domain, answers: &[Answer]) {
    let (found, asked) = run(MailSearch::new(domain, 7), answers, 24);
    let Ok(found) = found.inspect_err(|fault| harmless(fault)) else { return };
    assert!(found.hosts.len() <= 10 && found.targets(25).len() <= 20);
    for host in &found.hosts {
        let named = asked.of(domain, Kind::Mx).any(|data| match data {
            Data::Mail { host: named, .. } => named.eq_ignore_ascii_case(host.name.as_str()),
            _ => false,
        });
        assert!(named || (found.service == MailService::Implicit && host.name == *domain), "{}", host.name);
        host.addresses.iter().for_each(|address| asked.has(&host.name, *address));
    }
    found.targets(25).iter().for_each(guarded);
    let doubt = asked.0.iter().any(|(_, answer)| matches!(answer, Answer::Failed(_)));
    summary(found, doubt);
}

/// All hosts closed is the best that can be found of a domain.
fn summary(mail: MailDomain, doubt: bool) {
    let untested = DomainReport::new(mail.clone(), None, Vec::new());
    let takes_none = mail.service == MailService::None;
    assert_eq!(untested.exit_code == 0, takes_none, "{}", untested.text());
    let closed = |target: &Target| {
        let mut host = HostReport::untested(target.address, target.name.clone(), "");
        (host.verdict, host.untested) = (Some(Verdict::Closed), None);
        host
    };
    let hosts = mail.targets(25).iter().map(closed).collect();
    let report = DomainReport::new(mail, None, hosts);
    assert!(!doubt || report.verdict != Verdict::Closed, "doubt is no refusal: {}", report.text());
    for report in [untested, report] {
        harmless(report.text());
        harmless(report.to_json());
    }
}

fn host(name: &Domain, answers: &[Answer]) {
    let (found, asked) = run(HostSearch::new(name), answers, 18);
    match found {
        Ok(addresses) => addresses.iter().for_each(|address| asked.has(name, *address)),
        Err(fault) => harmless(fault),
    }
}

fn reverse(address: IpAddr, answers: &[Answer]) {
    let (found, asked) = run(ReverseSearch::new(address), answers, 16);
    assert!(found.names.len() <= 5);
    for name in found.names.iter().filter(|name| name.confirmed == Confirmed::Yes) {
        asked.has(&name.name.parse().expect("a name that has an address is one of a host"), address);
    }
    if let Some(name) = found.confirmed() {
        let zone = reverse_name(address).expect("a name");
        let named = asked.of(&zone, Kind::Ptr).any(|data| match data {
            Data::Name(text) => text.eq_ignore_ascii_case(name.as_str()),
            _ => false,
        });
        assert!(named, "{name}");
    }
    harmless(serde_json::to_string(&found).expect("JSON"));
}

fn list(addresses: &[IpAddr], answers: &[Answer]) {
    let mut list = List::new("bl.example".parse().expect("a domain"));
    list.families.push(Family::Ipv6);
    let (found, asked) = run(ListSearch::new(list.clone(), addresses), answers, 16 + 2 * addresses.len());
    assert!(found.iter().map(|listing| listing.address).eq(addresses.iter().copied()));
    for listing in &found {
        harmless(listing);
        harmless(serde_json::to_string(listing).expect("JSON"));
        let codes = |name: Option<Domain>| {
            asked.of(&name.expect("a name"), Kind::A).filter(|data| is_code(data)).count()
        };
        let is_listed = match &listing.answer {
            ListAnswer::Listed { codes, .. } => !codes.is_empty(),
            ListAnswer::NotListed => false,
            _ => continue,
        };
        let family = Family::of(listing.address);
        assert!(codes(test_name(family.listed(), &list.zone)) > 0, "a dead list says nothing: {listing}");
        let (everything, own) =
            (codes(test_name(family.unlisted(), &list.zone)), codes(query_name(listing.address, &list.zone)));
        assert!(own > 0 || !is_listed, "nobody said so: {listing}");
        // By aliases one name may be asked for twice, and say something else each time.
        if !asked.has_aliases() {
            assert_eq!((everything, own > 0), (0, is_listed), "{listing}");
        }
    }
}

fn is_code(data: &Data) -> bool {
    matches!(data, Data::Address(address) if address.is_ipv4() && address.is_loopback())
}

fn own_names(octets: &[u8], answers: &[Answer]) {
    let mut identity = Identity::new("probe.example".parse().expect("a domain"));
    identity.sender_domain = "sender.example".parse().expect("a domain");
    for source in [None, Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)))] {
        let (found, _) = run(CheckSearch::new(&identity, source), answers, 40);
        found.findings.iter().for_each(|finding| harmless(finding.to_string().replace('\t', " ")));
        harmless(serde_json::to_string(&found).expect("JSON"));
    }
    let text = String::from_utf8_lossy(octets);
    for text in [ProbingText::There(&text), ProbingText::Unknown(&text)] {
        harmless(check_probing_text(&identity, text, TODAY));
    }
}

/// No address is tested that the scope does not allow, whatever name led to it.
fn guarded(target: &Target) {
    let identity = Identity::new("probe.example".parse().expect("a domain"));
    let plan = Plan::builder(target.clone(), identity, "own-server:fuzz".parse().expect("an authorization"));
    let allowed = plan.build(TODAY, 7).is_ok();
    assert_eq!(allowed, Scope::Internet.check(target.address).is_ok(), "{}", target.address);
    let special = match target.address.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast(),
        IpAddr::V6(v6) => {
            v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_multicast()
        }
    };
    assert!(!(allowed && special), "{}", target.address);
}

/// Printable ASCII in lines.
fn harmless(shown: impl Display) {
    let shown = shown.to_string();
    assert!(shown.chars().all(|shown| matches!(shown, ' '..='~' | '\n')), "{shown:?}");
}

/// What was asked and answered.
struct Asked(Vec<(Question, Answer)>);

impl Asked {
    /// What answers of this kind say of a name: all that may be believed, that of its aliases included. Aliases may go on in
    /// answers to other questions.
    fn of(&self, name: &Domain, kind: Kind) -> impl Iterator<Item = &Data> {
        let mut names = vec![name.to_string()];
        let mut at = 0;
        while let Some(name) = names.get(at).cloned() {
            at += 1;
            let aliases = self.records(kind, name).filter_map(|data| match data {
                Data::Alias(to) => Some(to.to_ascii_lowercase()),
                _ => None,
            });
            for alias in aliases.collect::<Vec<_>>() {
                if !names.contains(&alias) {
                    names.push(alias);
                }
            }
        }
        names.into_iter().flat_map(move |name| self.records(kind, name))
    }

    fn has_aliases(&self) -> bool {
        let is_alias = |record: &Record| matches!(record.data, Data::Alias(_));
        self.0.iter().any(|(_, answer)| matches!(answer, Answer::Records(all) if all.iter().any(is_alias)))
    }

    fn records(&self, kind: Kind, name: String) -> impl Iterator<Item = &Data> {
        let answers = self.0.iter().filter(move |(question, _)| question.kind == kind);
        let records = answers.flat_map(|(_, answer)| match answer {
            Answer::Records(records) => &**records,
            _ => &[],
        });
        records.filter(move |record| record.owner.eq_ignore_ascii_case(&name)).map(|record| &record.data)
    }

    /// Somebody must have said that this address belongs to this name.
    fn has(&self, name: &Domain, address: IpAddr) {
        let kind = if address.is_ipv4() { Kind::A } else { Kind::Aaaa };
        assert!(self.of(name, kind).any(|data| *data == Data::Address(address)), "{name} has {address}");
    }
}

/// Runs a search to its end, and sees to it that it has one.
fn run<S: Search>(mut search: S, answers: &[Answer], limit: usize) -> (S::Found, Asked) {
    let mut answers = answers.iter().cycle();
    let mut asked = Asked(Vec::new());
    let mut open: Vec<Question> = Vec::new();
    loop {
        // Some are open at once, as they are with a resolver.
        while let Some(question) = if open.len() < 3 { search.poll_question() } else { None } {
            open.push(question);
        }
        let Some(question) = open.pop() else { break };
        let answer = answers.next().map_or(Answer::NoSuchName, |answer| own(answer, &question));
        asked.0.push((question.clone(), answer.clone()));
        assert!(asked.0.len() <= limit, "more than {limit} questions");
        search.handle_answer(&question, answer.clone());
        // One that nobody waits for any more; the same may be open twice, for two names that are aliases of one.
        if !open.contains(&question) {
            search.handle_answer(&question, answer);
        }
    }
    (search.into_found(), asked)
}

/// `@` is who was asked for.
fn own(answer: &Answer, question: &Question) -> Answer {
    let Answer::Records(records) = answer else { return answer.clone() };
    let record = |record: &Record| {
        let owner = if record.owner == "@" { question.name.to_string() } else { record.owner.clone() };
        Record { owner, data: record.data.clone() }
    };
    Answer::Records(records.iter().map(record).collect())
}

fn read(octets: &[u8]) -> Vec<Answer> {
    let mut answers = vec![Vec::new()];
    for line in octets.split(|octet| *octet == b'\n') {
        match answers.last_mut() {
            Some(answer) if !line.is_empty() => answer.push(line),
            _ => answers.push(Vec::new()),
        }
    }
    answers.iter().filter(|lines| !lines.is_empty()).map(|lines| answer(lines)).collect()
}

fn answer(lines: &[&[u8]]) -> Answer {
    match lines[0] {
        b"?none" => Answer::NoRecords,
        b"?gone" => Answer::NoSuchName,
        b"?silent" => Answer::Failed(Trouble::Silence),
        b"?failed" => Answer::Failed(Trouble::ServerFailure),
        b"?refused" => Answer::Failed(Trouble::Refused),
        _ => Answer::Records(lines.iter().map(|line| record(line)).collect()),
    }
}

/// `OWNER TYPE DATA`; whatever is none is text.
fn record(line: &[u8]) -> Record {
    let mut words = line.splitn(3, |octet| *octet == b' ');
    let mut word = || words.next().unwrap_or_default();
    let (owner, kind, data) = (word(), word(), word());
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let data = match kind {
        b"A" => Data::Address(text(data).parse().unwrap_or(IpAddr::V4(Ipv4Addr::from(four(data))))),
        b"CNAME" => Data::Alias(text(data)),
        b"PTR" => Data::Name(text(data)),
        b"MX" => {
            let mut parts = data.splitn(2, |octet| *octet == b' ');
            let preference = parts.next().and_then(|digits| text(digits).parse().ok()).unwrap_or_default();
            Data::Mail { preference, host: text(parts.next().unwrap_or_default()) }
        }
        _ => Data::Text(data.into()),
    };
    Record { owner: text(owner), data }
}

fn four(octets: &[u8]) -> [u8; 4] {
    let mut address = [0; 4];
    address.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
    address
}
