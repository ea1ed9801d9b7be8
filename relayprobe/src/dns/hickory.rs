//! hickory-resolver, and nothing of it outside: its pools of name servers send and read. Which server is asked when is
//! decided here, so that one that is dead takes no time from the others; aliases are followed by
//! [`lookup`](crate::lookup), where their number is bounded.

use core::net::{IpAddr, SocketAddr};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Arc;

use ::tokio::time::timeout;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle as _, FirstAnswer as _};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::{DnsRequestOptions, Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, NameServerPool, PoolContext, TlsConfig, system_conf};

use super::{ResolverError, SERVERS};
use crate::address::Domain;
use crate::lookup::{Answer, Data, Kind, Question, Record, Trouble};
use crate::octets::Octets;

/// All tries of one question together; each has its share.
const SPAN: Duration = Duration::from_secs(10);
/// Tries of one question, if there are fewer servers.
const TRIES: usize = 2;

/// One server alone.
type Pool = NameServerPool<TokioRuntimeProvider>;

/// The servers that are asked, in the order in which they are named.
pub(super) struct Servers {
    pools: Vec<Pool>,
    /// Of each try.
    share: Duration,
    /// Which is asked first: the one after those that were silent.
    first: AtomicUsize,
}

impl Servers {
    pub(super) fn of_system() -> Result<Self, ResolverError> {
        Self::of_configuration(system_conf::read_system_conf())
    }

    /// The first servers of a system's configuration; its other options are not ours.
    fn of_configuration(
        read: Result<(ResolverConfig, ResolverOpts), NetError>,
    ) -> Result<Self, ResolverError> {
        let fault = |fault: NetError| ResolverError::System {
            fault: crate::octets::escape(fault.to_string().as_bytes()),
        };
        Self::from_config(first(read.map_err(fault)?.0))
    }

    pub(super) fn new(servers: &[SocketAddr]) -> Result<Self, ResolverError> {
        let server = |server: &SocketAddr| {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                connection.port = server.port();
                connection
            });
            NameServerConfig::new(server.ip(), true, connections.into())
        };
        Self::from_config(servers.iter().map(server).collect())
    }

    fn from_config(servers: Vec<NameServerConfig>) -> Result<Self, ResolverError> {
        let tls = TlsConfig::new().map_err(|fault| ResolverError::Runtime { fault: fault.to_string() })?;
        let share = SPAN / u32::try_from(servers.len().max(TRIES)).unwrap_or(u32::MAX);
        let mut options = ResolverOpts::default();
        options.timeout = share;
        let context = Arc::new(PoolContext::new(options, tls));
        let pool =
            |server| Pool::from_config([server], Arc::clone(&context), TokioRuntimeProvider::default());
        Ok(Self { pools: servers.into_iter().map(pool).collect(), share, first: AtomicUsize::new(0) })
    }

    /// Asks the servers one after another until one answers; one that is alone twice.
    pub(super) async fn ask(&self, question: &Question) -> Answer {
        let count = self.pools.len();
        let (first, tries) = (self.first.load(Ordering::Relaxed), count.max(TRIES));
        let mut said = None;
        for (at, pool) in self.pools.iter().enumerate().cycle().skip(first).take(tries) {
            match self.ask_one(pool, question).await {
                Answer::Failed(trouble @ (Trouble::Silence | Trouble::NoResolver)) => {
                    // Unless another question has found that out already.
                    let next = (at + 1) % count;
                    let _moved = self.first.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
                    said = said.or(Some(trouble));
                }
                Answer::Failed(trouble) => said = Some(trouble),
                answer => return answer,
            }
        }
        Answer::Failed(said.unwrap_or(Trouble::NoResolver))
    }

    async fn ask_one(&self, pool: &Pool, question: &Question) -> Answer {
        let Ok(mut name) = Name::from_ascii(question.name.as_str()) else {
            return Answer::Failed(Trouble::Malformed);
        };
        name.set_fqdn(true);
        let kind = match question.kind {
            Kind::A => RecordType::A,
            Kind::Aaaa => RecordType::AAAA,
            Kind::Mx => RecordType::MX,
            Kind::Ptr => RecordType::PTR,
            Kind::Txt => RecordType::TXT,
        };
        let asked = pool.lookup(Query::query(name, kind), DnsRequestOptions::default());
        match timeout(self.share, asked.first_answer()).await {
            Ok(Ok(response)) => read(&response),
            Ok(Err(error)) => fault(&error),
            Err(_) => Answer::Failed(Trouble::Silence),
        }
    }
}

fn first(config: ResolverConfig) -> Vec<NameServerConfig> {
    config.name_servers.into_iter().take(SERVERS).collect()
}

/// What the file of hosts has for a name; nothing if it cannot be read.
pub(super) fn hosts_file(name: &Domain) -> Vec<IpAddr> {
    let (Ok(hosts), Ok(name)) = (Hosts::from_system(), Name::from_ascii(name.as_str())) else {
        return Vec::new();
    };
    let mut addresses = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        let found = hosts.lookup_static_host(&Query::query(name.clone(), kind));
        let records = found.iter().flat_map(Lookup::answers);
        addresses.extend(records.filter_map(|record| record.data.ip_addr()));
    }
    addresses
}

fn read(message: &Message) -> Answer {
    let records: Vec<Record> = message
        .answers
        .iter()
        .filter_map(|record| {
            let data = match &record.data {
                RData::A(a) => Data::Address(a.0.into()),
                RData::AAAA(aaaa) => Data::Address(aaaa.0.into()),
                RData::CNAME(alias) => Data::Alias(text(alias)),
                RData::MX(mx) => Data::Mail { preference: mx.preference, host: text(&mx.exchange) },
                RData::PTR(name) => Data::Name(text(name)),
                RData::TXT(txt) => Data::Text(Octets::from(txt.txt_data.concat())),
                _ => return None,
            };
            Some(Record { owner: text(&record.name), data })
        })
        .collect();
    // Aliases may lead to a name that does not exist. Any other code, and what was cut, says nothing of any name.
    match (message.response_code, records.is_empty()) {
        (ResponseCode::NoError | ResponseCode::NXDomain, false) => Answer::Records(records),
        (ResponseCode::NoError | ResponseCode::NXDomain, true) if message.truncation => {
            Answer::Failed(Trouble::Malformed)
        }
        (ResponseCode::NXDomain, true) => Answer::NoSuchName,
        (ResponseCode::NoError, true) => Answer::NoRecords,
        _ => Answer::Failed(Trouble::ServerFailure),
    }
}

fn fault(error: &NetError) -> Answer {
    let trouble = match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NXDomain => {
            return Answer::NoSuchName;
        }
        NetError::Dns(DnsError::NoRecordsFound(_)) => return Answer::NoRecords,
        NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused)) => Trouble::Refused,
        NetError::Dns(DnsError::ResponseCode(ResponseCode::FormErr)) => Trouble::Malformed,
        NetError::Dns(DnsError::ResponseCode(_)) => Trouble::ServerFailure,
        NetError::Timeout => Trouble::Silence,
        NetError::Proto(_) => Trouble::Malformed,
        NetError::NoConnections | NetError::Io(_) => Trouble::NoResolver,
        _ => Trouble::ServerFailure,
    };
    Answer::Failed(trouble)
}

/// A name in the form of zone files, without the full stop at its end; the root is empty.
fn text(name: &Name) -> String {
    let text = name.to_ascii();
    text.strip_suffix('.').map_or(text.clone(), Into::into)
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn a_configuration_without_servers_is_told_and_one_with_many_is_cut() {
        use super::*;

        let servers = |text: &str| Servers::of_configuration(system_conf::parse_resolv_conf(text));
        for text in ["", "# nobody\n", "search example.org\n", "nameserver\nnameserver x\n", "\0\u{ff}"] {
            assert!(matches!(servers(text), Err(ResolverError::System { .. })), "{text:?}");
        }
        let many = (1..=50).map(|at| format!("nameserver 192.0.2.{at}")).collect::<Vec<_>>().join("\n");
        assert!(servers(&many).is_ok());
        let (config, _) = system_conf::parse_resolv_conf(&many).unwrap();
        assert_eq!(first(config).len(), 3);
        // A scope belongs to one machine; whatever is made of it, nothing breaks.
        let scoped = "nameserver fe80::1%eth0\nnameserver 127.0.0.1\noptions ndots:99 timeout:0 attempts:0\n";
        assert!(servers(scoped).is_ok());
    }
}
