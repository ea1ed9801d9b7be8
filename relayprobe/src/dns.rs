//! A resolver for [`lookup`](crate::lookup): asks the servers that the system or the caller names, by hickory-resolver.
//!
//! Names are asked for as they are: no search list, no file of hosts, no cache, so that a run sees one state of the world
//! and every question ends in bounded time. Whoever has a resolver of his own needs none of this.

pub mod blocking;
mod hickory;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::sync::Arc;

use ::tokio::task::JoinSet;
use ::tokio::time::{Instant, timeout_at};

use crate::address::{AddressError, Domain};
use crate::identity::Identity;
use crate::lookup::{
    Answer, CheckSearch, Fault, HostSearch, List, ListSearch, Listing, MailDomain, MailSearch, Question,
    Reverse, ReverseSearch, Search, SelfCheck, Trouble,
};

/// Questions that are open at once.
const AT_ONCE: usize = 10;
/// How long a domain, an address or an identity is looked up.
const SPAN: Duration = Duration::from_secs(20);
/// How long one list is waited for.
const LIST_SPAN: Duration = Duration::from_secs(5);
/// Servers that are asked.
const SERVERS: usize = 3;

/// Reads a domain as people write it, in any script (UTS 46, strictly): the name that is asked for is in ASCII.
///
/// A label that only looks as if it were of another script is refused. In names without such labels hyphens may stand
/// where the DNS has them.
pub fn domain(text: &str) -> Result<Domain, AddressError> {
    let fault = || AddressError::Domain { text: crate::octets::escape(text.as_bytes()) };
    let whole = text.strip_suffix('.').unwrap_or(text);
    if whole.is_ascii() && !whole.split('.').any(is_encoded) {
        return whole.parse();
    }
    idna::domain_to_ascii_strict(whole).map_err(|_| fault())?.parse()
}

/// Whether a label says that it stands for one of another script (RFC 5890 §2.3.2.1).
fn is_encoded(label: &str) -> bool {
    label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("xn--"))
}

/// The addresses that this machine itself has for a name, in its file of hosts.
pub fn hosts_file(name: &Domain) -> Vec<IpAddr> {
    hickory::hosts_file(name)
}

/// There is nobody to ask.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolverError {
    /// The system names no DNS server.
    #[error("the system names no DNS server: {fault}")]
    System {
        /// What is wrong.
        fault: String,
    },
    /// The caller names none.
    #[error("no DNS server is named")]
    NoServer,
    /// There is no runtime to ask in.
    #[error("cannot begin to ask: {fault}")]
    Runtime {
        /// What is wrong.
        fault: String,
    },
}

/// Asks DNS servers, under tokio. Clones share their connections.
#[derive(Clone)]
pub struct Resolver(Arc<hickory::Servers>);

impl Resolver {
    /// The servers of the system (`/etc/resolv.conf`), the first three of them.
    pub fn system() -> Result<Self, ResolverError> {
        Ok(Self(Arc::new(hickory::Servers::of_system()?)))
    }

    /// These servers, the first three of them.
    pub fn with_servers(servers: &[SocketAddr]) -> Result<Self, ResolverError> {
        let servers = servers.get(..SERVERS).unwrap_or(servers);
        if servers.is_empty() {
            Err(ResolverError::NoServer)
        } else {
            Ok(Self(Arc::new(hickory::Servers::new(servers)?)))
        }
    }

    /// Asks one question, 10 seconds in all: the servers in turn until one answers, one that is alone twice. One that was
    /// silent comes last from then on.
    pub async fn ask(&self, question: &Question) -> Answer {
        self.0.ask(question).await
    }

    /// Asks what a search wants to know. What is not answered within `span` counts as silence.
    pub async fn search<S: Search>(&self, mut search: S, span: Duration) -> S::Found {
        let end = Instant::now() + span;
        let mut open: Vec<Question> = Vec::new();
        let mut answers = JoinSet::new();
        loop {
            while open.len() < AT_ONCE {
                let Some(question) = search.poll_question() else { break };
                if Instant::now() >= end {
                    search.handle_answer(&question, Answer::Failed(Trouble::Silence));
                    continue;
                }
                let (servers, asked) = (Arc::clone(&self.0), question.clone());
                answers.spawn(async move {
                    let answer = servers.ask(&asked).await;
                    (asked, answer)
                });
                open.push(question);
            }
            if open.is_empty() {
                return search.into_found();
            }
            if let Ok(Some(Ok((question, answer)))) = timeout_at(end, answers.join_next()).await {
                // The same may be asked twice, for two names that are aliases of one.
                if let Some(at) = open.iter().position(|asked| *asked == question) {
                    open.swap_remove(at);
                }
                search.handle_answer(&question, answer);
            } else {
                // Time is over, or the task is lost: nobody will answer any more.
                answers = JoinSet::new();
                for question in open.drain(..) {
                    search.handle_answer(&question, Answer::Failed(Trouble::Silence));
                }
            }
        }
    }

    /// Where the mail of a domain goes. `seed` decides the order of hosts that are equally preferred.
    pub async fn mail_domain(&self, domain: &Domain, seed: u64) -> Result<MailDomain, Fault> {
        self.search(MailSearch::new(domain, seed), SPAN).await
    }

    /// The addresses of a host, as the DNS has them; see [`hosts_file`] for those that this machine itself has.
    pub async fn host(&self, name: &Domain) -> Result<Vec<IpAddr>, Fault> {
        self.search(HostSearch::new(name), SPAN).await
    }

    /// The names of an address.
    pub async fn reverse(&self, address: IpAddr) -> Reverse {
        self.search(ReverseSearch::new(address), SPAN).await
    }

    /// The names of many addresses, in their order, ten at once.
    pub async fn reverse_all(&self, addresses: &[IpAddr]) -> Vec<Reverse> {
        self.each(addresses.iter().map(|&address| (ReverseSearch::new(address), SPAN))).await
    }

    /// What lists say of addresses: list by list, in the order given, ten lists at once and each for 5 seconds at most.
    pub async fn listings(&self, lists: &[List], addresses: &[IpAddr]) -> Vec<Listing> {
        let searches = lists.iter().map(|list| (ListSearch::new(list.clone(), addresses), LIST_SPAN));
        self.each(searches).await.concat()
    }

    /// Makes searches, a few at once. What they find comes in their order.
    async fn each<S>(&self, searches: impl Iterator<Item = (S, Duration)>) -> Vec<S::Found>
    where
        S: Search + Send + 'static,
        S::Found: Send,
    {
        let mut waiting = searches.enumerate();
        let mut running = JoinSet::new();
        let mut found = Vec::new();
        loop {
            while running.len() < AT_ONCE {
                let Some((at, (search, span))) = waiting.next() else { break };
                let resolver = self.clone();
                running.spawn(async move { (at, resolver.search(search, span).await) });
            }
            match running.join_next().await {
                Some(Ok(done)) => found.push(done),
                Some(Err(_)) => {}
                None => break,
            }
        }
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, found)| found).collect()
    }

    /// Whether the names of an identity are in order. `source` is the address that tests, as the internet sees it.
    pub async fn self_check(&self, identity: &Identity, source: Option<IpAddr>) -> SelfCheck {
        self.search(CheckSearch::new(identity, source), SPAN).await
    }
}

impl core::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Resolver").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use idna::punycode;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_is_read_as_ascii_that_masks_none(
            text in prop_oneof![
                any::<String>(),
                "(xn--|XN--)?[a-zA-Z0-9-]{0,20}(\\.(xn--)?[a-z0-9-]{1,12}){0,3}\\.?",
                "[a-zäßИ中\u{202e}\u{200d}.。-]{1,24}",
            ],
        ) {
            let Ok(name) = domain(&text) else { return Ok(()) };
            prop_assert_eq!(domain(name.as_str()), Ok(name.clone()), "the same again");
            for label in name.as_str().split('.').filter(|label| is_encoded(label)) {
                let meant = punycode::decode_to_string(&label[4..]).unwrap_or_default();
                prop_assert!(!meant.is_ascii(), "{} is {}", label, meant);
            }
        }

        #[test]
        fn a_label_of_ascii_is_no_label_of_another_script(label in "[a-z0-9-]{0,30}") {
            // The longer form is what a correct encoder makes of it, the shorter one what others accept.
            for masked in [punycode::encode_str(&label).unwrap(), label] {
                let meant = punycode::decode_to_string(&masked);
                if meant.is_some_and(|meant| !meant.is_ascii()) {
                    continue;
                }
                for text in [format!("xn--{masked}.example"), format!("a.XN--{masked}")] {
                    prop_assert!(domain(&text).is_err(), "{}", text);
                }
            }
        }
    }
}
