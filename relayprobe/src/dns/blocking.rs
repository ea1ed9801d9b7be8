//! The same without tokio: each call waits for its end.
//!
//! A runtime is made for each call, on the calling thread, so that nothing is left of it: no thread, and nothing that a
//! fork could break.

use core::net::{IpAddr, SocketAddr};

use ::tokio::runtime::{Builder, Runtime};

use super::ResolverError;
use crate::address::Domain;
use crate::identity::Identity;
use crate::lookup::{Answer, Fault, List, Listing, MailDomain, Question, Reverse, SelfCheck, Trouble};

/// Asks DNS servers and waits. To be used outside tokio.
#[derive(Clone, Debug)]
pub struct Resolver {
    /// None: those of the system.
    servers: Option<Vec<SocketAddr>>,
}

impl Resolver {
    /// The servers of the system, as they are named at each call.
    pub fn system() -> Result<Self, ResolverError> {
        super::Resolver::system().map(|_| Self { servers: None })
    }

    /// These servers, the first three of them.
    pub fn with_servers(servers: &[SocketAddr]) -> Result<Self, ResolverError> {
        super::Resolver::with_servers(servers).map(|_| Self { servers: Some(servers.to_vec()) })
    }

    /// Asks one question; see [`super::Resolver::ask`].
    pub fn ask(&self, question: &Question) -> Answer {
        self.run(async |resolver: super::Resolver| resolver.ask(question).await)
            .unwrap_or(Answer::Failed(Trouble::NoResolver))
    }

    /// Where the mail of a domain goes; see [`super::Resolver::mail_domain`].
    pub fn mail_domain(&self, domain: &Domain, seed: u64) -> Result<MailDomain, Fault> {
        self.run(async |resolver: super::Resolver| resolver.mail_domain(domain, seed).await)
            .unwrap_or(Err(Fault::Failed { trouble: Trouble::NoResolver }))
    }

    /// The addresses of a host; see [`super::Resolver::host`].
    pub fn host(&self, name: &Domain) -> Result<Vec<IpAddr>, Fault> {
        self.run(async |resolver: super::Resolver| resolver.host(name).await)
            .unwrap_or(Err(Fault::Failed { trouble: Trouble::NoResolver }))
    }

    /// The names of an address; see [`super::Resolver::reverse`].
    pub fn reverse(&self, address: IpAddr) -> Result<Reverse, ResolverError> {
        self.run(async |resolver: super::Resolver| resolver.reverse(address).await)
    }

    /// What lists say of addresses; see [`super::Resolver::listings`].
    pub fn listings(&self, lists: &[List], addresses: &[IpAddr]) -> Result<Vec<Listing>, ResolverError> {
        self.run(async |resolver: super::Resolver| resolver.listings(lists, addresses).await)
    }

    /// Whether the names of an identity are in order; see [`super::Resolver::self_check`].
    pub fn self_check(
        &self,
        identity: &Identity,
        source: Option<IpAddr>,
    ) -> Result<SelfCheck, ResolverError> {
        self.run(async |resolver: super::Resolver| resolver.self_check(identity, source).await)
    }

    /// Whatever is to be asked with one runtime and one resolver.
    pub fn run<T>(&self, ask: impl AsyncFnOnce(super::Resolver) -> T) -> Result<T, ResolverError> {
        let runtime: Runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|fault| ResolverError::Runtime { fault: fault.to_string() })?;
        runtime.block_on(async {
            let resolver = match &self.servers {
                Some(servers) => super::Resolver::with_servers(servers),
                None => super::Resolver::system(),
            };
            Ok(ask(resolver?).await)
        })
    }
}
