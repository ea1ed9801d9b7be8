//! The addresses of a host that somebody names.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Search;
use super::chain::Fault;
use super::desk::{Desk, Done};
use super::question::{Answer, Data, Kind, Question};
use crate::address::Domain;

/// Addresses of each family that are taken.
const ADDRESSES: usize = 10;
/// Questions that are asked: both families, and their aliases.
const QUESTIONS: u16 = 18;

/// Looks up the addresses of a host, IPv4 first, at most 10 of each family. An error says why it has none, or why they are not known.
///
/// Nobody is asked for names that the DNS is not to be asked for (RFC 6761 §6.3, §6.4): `localhost` and what is under
/// it is this machine, and there is nothing under `invalid`.
#[derive(Clone, Debug)]
pub struct HostSearch {
    desk: Desk<()>,
    addresses: Vec<IpAddr>,
    fault: Fault,
}

impl HostSearch {
    /// A search for the addresses of `host`.
    pub fn new(host: &Domain) -> Self {
        let mut search = Self { desk: Desk::new(QUESTIONS), addresses: Vec::new(), fault: Fault::NoSuchName };
        match host.as_str().rsplit('.').next() {
            Some("localhost") => {
                search.addresses = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].into();
            }
            Some("invalid") => {}
            _ => {
                search.desk.ask((), host, Kind::A);
                search.desk.ask((), host, Kind::Aaaa);
            }
        }
        search
    }

    fn on_done(&mut self, done: Done<()>) {
        match done.found {
            Ok(records) => {
                for address in records.iter().filter_map(Data::address).take(ADDRESSES) {
                    if !self.addresses.contains(&address) {
                        self.addresses.push(address);
                    }
                }
            }
            // One family that is not known leaves all open; one that is not there does not.
            Err(fault) if self.fault.is_certain() => self.fault = fault,
            Err(_) => {}
        }
    }
}

impl Search for HostSearch {
    type Found = Result<Vec<IpAddr>, Fault>;

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
        self.addresses.sort_by_key(IpAddr::is_ipv6);
        if self.addresses.is_empty() { Err(self.fault) } else { Ok(self.addresses) }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;
    use crate::lookup::Trouble;
    use crate::lookup::tests::{Zone, run};

    fn addresses(name: &str, zone: &Zone) -> Result<Vec<String>, Fault> {
        let found = run(HostSearch::new(&name.parse().unwrap()), zone)?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_host_has_the_addresses_of_both_families_each_once() {
        let zone = Zone::read(
            "a.example AAAA 2001:db8::1\na.example A 192.0.2.2\na.example A 192.0.2.1\na.example A 192.0.2.2\n\
             b.example CNAME a.example\n",
        );
        for name in ["a.example", "b.example"] {
            assert_eq!(addresses(name, &zone).unwrap(), ["192.0.2.2", "192.0.2.1", "2001:db8::1"]);
        }
        assert_eq!(addresses("c.example", &zone), Err(Fault::NoSuchName));
        let zone =
            Zone::read("a.example TXT x\nl.example CNAME l.example\n").failing("b.example", Trouble::Refused);
        assert_eq!(addresses("a.example", &zone), Err(Fault::NoRecords));
        assert_eq!(addresses("b.example", &zone), Err(Fault::Failed { trouble: Trouble::Refused }));
        assert_eq!(addresses("l.example", &zone), Err(Fault::AliasLoop { name: "l.example".into() }));
    }

    #[test]
    fn nobody_is_asked_for_names_of_this_machine_or_of_nowhere() {
        let zone = Zone::read("a.invalid A 192.0.2.1\nlocalhost A 192.0.2.1\n");
        assert_eq!(addresses("a.localhost", &zone).unwrap(), ["127.0.0.1", "::1"]);
        assert_eq!(addresses("localhost", &zone).unwrap(), ["127.0.0.1", "::1"]);
        assert_eq!(addresses("a.invalid", &zone), Err(Fault::NoSuchName));
        assert_eq!(zone.asked(), 0);
    }
}
