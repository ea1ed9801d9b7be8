//! The names of an address, and whether they lead back to it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::net::IpAddr;

use super::Search;
use super::chain::Fault;
use super::desk::{Desk, Done};
use super::question::{Answer, Data, Kind, Question};
use crate::address::Domain;
use crate::octets::escape;

/// Names that are kept.
const NAMES: usize = 5;
/// Questions that are asked: the names, their addresses, and a few aliases.
const QUESTIONS: u16 = 16;

/// The names of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Reverse {
    /// The address.
    pub address: IpAddr,
    /// Its names, at most 5.
    pub names: Vec<ReverseName>,
    /// How many more there are.
    pub left_out: usize,
    /// Why there are none.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub fault: Option<Fault>,
}

/// A name of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ReverseName {
    /// The name, escaped: it need not be one of a host.
    pub name: String,
    /// Whether it leads back to the address.
    pub confirmed: Confirmed,
}

/// Whether a name leads back to the address that it was found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Confirmed {
    /// It does.
    Yes,
    /// It does not: anybody can write any name there.
    No,
    /// That could not be found out.
    Unknown,
}

impl Reverse {
    /// The first name that leads back.
    pub fn confirmed(&self) -> Option<Domain> {
        self.names
            .iter()
            .filter(|name| name.confirmed == Confirmed::Yes)
            .find_map(|name| name.name.parse().ok())
    }
}

/// Where the name of an address is found: `1.2.0.192.in-addr.arpa` (RFC 1035 §3.5, RFC 3596 §2.5).
pub fn reverse_name(address: IpAddr) -> Option<Domain> {
    let zone = if address.to_canonical().is_ipv4() { "in-addr.arpa" } else { "ip6.arpa" };
    alloc::format!("{}.{zone}", reversed(address)).parse().ok()
}

/// The octets or nibbles of an address, the last one first.
pub(super) fn reversed(address: IpAddr) -> String {
    let mut text = String::new();
    let mut label = |label: &dyn core::fmt::Display| {
        let dot = if text.is_empty() { "" } else { "." };
        // Writing to a string cannot fail.
        let _written = write!(text, "{dot}{label}");
    };
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets().iter().rev().for_each(|octet| label(octet)),
        IpAddr::V6(v6) => {
            for octet in v6.octets().iter().rev() {
                label(&format_args!("{:x}", octet & 15));
                label(&format_args!("{:x}", octet >> 4));
            }
        }
    }
    text
}

/// Looks up the names of an address and asks each whether it leads back (forward-confirmed reverse DNS).
#[derive(Clone, Debug)]
pub struct ReverseSearch {
    desk: Desk<Asked>,
    found: Reverse,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Names,
    /// The addresses of this name.
    Name(usize),
}

impl ReverseSearch {
    /// A search for the names of `address`.
    pub fn new(address: IpAddr) -> Self {
        let mut desk = Desk::new(QUESTIONS);
        let mut fault = None;
        match reverse_name(address) {
            Some(name) => desk.ask(Asked::Names, &name, Kind::Ptr),
            None => fault = Some(Fault::NoRecords),
        }
        Self { desk, found: Reverse { address, names: Vec::new(), left_out: 0, fault } }
    }

    fn on_done(&mut self, done: Done<Asked>) {
        match (done.what, done.found) {
            (Asked::Names, Ok(records)) => self.on_names(records),
            (Asked::Names, Err(fault)) => self.found.fault = Some(fault),
            (Asked::Name(at), found) => {
                let address = self.found.address.to_canonical();
                let confirmed = match found {
                    Ok(records) if records.contains(&Data::Address(address)) => Confirmed::Yes,
                    Ok(_) => Confirmed::No,
                    Err(fault) if fault.is_certain() => Confirmed::No,
                    Err(_) => Confirmed::Unknown,
                };
                if let Some(name) = self.found.names.get_mut(at) {
                    name.confirmed = confirmed;
                }
            }
        }
    }

    fn on_names(&mut self, records: Vec<Data>) {
        let kind = if self.found.address.to_canonical().is_ipv4() { Kind::A } else { Kind::Aaaa };
        self.found.left_out = records.len().saturating_sub(NAMES);
        for record in records.into_iter().take(NAMES) {
            let Data::Name(text) = record else { continue };
            if let Ok(name) = text.parse() {
                self.desk.ask(Asked::Name(self.found.names.len()), &name, kind);
            }
            let name = escape(text.to_ascii_lowercase().as_bytes());
            self.found.names.push(ReverseName { name, confirmed: Confirmed::No });
        }
    }
}

impl Search for ReverseSearch {
    type Found = Reverse;

    fn poll_question(&mut self) -> Option<Question> {
        self.desk.poll()
    }

    fn handle_answer(&mut self, question: &Question, answer: Answer) {
        for done in self.desk.take(question, answer) {
            self.on_done(done);
        }
    }

    fn into_found(mut self) -> Reverse {
        for unasked in self.desk.give_up() {
            self.on_done(unasked);
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_address_is_turned_round() {
        let name = |text: &str| reverse_name(text.parse().unwrap()).unwrap().to_string();
        assert_eq!(name("192.0.2.1"), "1.2.0.192.in-addr.arpa");
        assert_eq!(name("::ffff:192.0.2.1"), "1.2.0.192.in-addr.arpa");
        assert_eq!(
            name("2001:db8::567:89ab"),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }
    #[test]
    fn a_name_counts_if_it_leads_back() {
        use crate::lookup::Trouble;
        use crate::lookup::tests::{Zone, run};
        let search = || ReverseSearch::new("192.0.2.1".parse().unwrap());
        let mut text = String::from("1.2.0.192.in-addr.arpa PTR a.example\n");
        assert_eq!(run(search(), &Zone::read("")).fault, Some(Fault::NoSuchName));
        let found = run(search(), &Zone::read(&text));
        assert_eq!((found.names[0].confirmed, found.confirmed()), (Confirmed::No, None));
        let found = run(search(), &Zone::read(&text).failing("a.example", Trouble::Silence));
        assert_eq!(found.names[0].confirmed, Confirmed::Unknown);
        text += "a.example A 192.0.2.9\na.example A 192.0.2.1\n";
        let found = run(search(), &Zone::read(&text));
        assert_eq!(found.confirmed().unwrap().as_str(), "a.example");
        let name = |at: u32| alloc::format!("1.2.0.192.in-addr.arpa PTR n{at}.example\n");
        text.extend((0..99).map(name));
        let zone = Zone::read(&text);
        let found = run(search(), &zone);
        assert_eq!((found.names.len(), found.left_out), (5, 95));
        assert!(zone.asked() <= 6);
    }
}
