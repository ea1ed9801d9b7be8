//! Who tests and by whose leave: from the options, and from a TOML file for what they leave out.

use core::str::FromStr;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use relayprobe::address::{Domain, Mailbox, Network};
use relayprobe::identity::{AuthorizationKind, HeaderText};
use relayprobe::lookup::List;
use relayprobe::moment::Date;
use relayprobe::{Authorization, Identity};
use serde::{Deserialize, Deserializer, de};

use crate::cli::names::Server;
use crate::cli::read::{ReadError, read_text};

/// Nobody writes a larger one.
const LIMIT: u64 = 1 << 20;

/// Identity or authorization are missing or wrong.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{} is no configuration: {}", path.display(), fault.to_string().trim_end())]
    Toml { path: PathBuf, fault: Box<toml::de::Error> },
    #[error(
        "nobody is told who tests: give the domain that receives the test mail as --probe-domain DOMAIN, or as \
         probe-domain in the table [identity] of --config FILE"
    )]
    NoProbeDomain,
    #[error(
        "nobody is told by whose leave you test: give --authorization KIND:REFERENCE, such as own-server:mx1 or \
         customer-contract:K123, or kind and reference in the table [authorization] of --config FILE"
    )]
    NoAuthorization,
    #[error("the table [authorization] of the configuration has no {key}: it needs both kind and reference")]
    HalfAuthorization { key: &'static str },
    #[error("--sink-ip takes one IPv4 and one IPv6 address; there are two like {address}")]
    SinkAddresses { address: IpAddr },
}

/// The file of `--config`. Its keys are the options' names.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    identity: IdentityOptions,
    authorization: AuthorizationTable,
    pub(crate) dns: DnsTable,
    /// Block lists; none is built in.
    pub(crate) lists: Vec<List>,
}

/// Who is asked for names.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct DnsTable {
    pub(crate) servers: Vec<Server>,
    /// Where the mail servers of the targets' provider are.
    pub(crate) provider_networks: Vec<Network>,
}

/// What a file says of who tests and by whose leave; both may be absent.
pub fn load(path: &Path) -> Result<(Option<Identity>, Option<Authorization>), ConfigError> {
    let config = Config::read(path)?;
    let identity = match IdentityOptions::default().identity(&config) {
        Err(ConfigError::NoProbeDomain) => None,
        other => Some(other?),
    };
    let authorization = match AuthorizationOptions::default().authorization(&config) {
        Err(ConfigError::NoAuthorization) => None,
        other => Some(other?),
    };
    Ok((identity, authorization))
}

/// The block lists that a file names.
pub fn load_lists(path: &Path) -> Result<Vec<List>, ConfigError> {
    Ok(Config::read(path)?.lists)
}

impl Config {
    /// The file that an option names; without one nothing is configured.
    pub(crate) fn of_option(path: Option<&Path>) -> Result<Self, ConfigError> {
        Ok(path.map(Self::read).transpose()?.unwrap_or_default())
    }

    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path, LIMIT)?;
        toml::from_str(&text).map_err(|fault| ConfigError::Toml { path: path.into(), fault: Box::new(fault) })
    }
}

/// Who tests.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[command(next_help_heading = "Who tests (all but the probe domain follow from it)")]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct IdentityOptions {
    /// Domain of every test recipient, your own; required, here or in the configuration
    #[arg(long, value_name = "DOMAIN")]
    probe_domain: Option<Domain>,
    /// Name of your organisation, in ASCII
    #[arg(long, value_name = "NAME")]
    organisation: Option<HeaderText>,
    /// What to call ourselves in EHLO
    #[arg(long, value_name = "NAME")]
    helo: Option<Domain>,
    /// Domain of the test senders, your own; best in another zone than the probe domain
    #[arg(long, value_name = "DOMAIN")]
    sender_domain: Option<Domain>,
    /// Where people reach you
    #[arg(long, value_name = "MAILBOX")]
    contact: Option<Mailbox>,
    /// A page that describes the test (RFC 9511)
    #[arg(long, value_name = "URI")]
    probe_uri: Option<HeaderText>,
    /// Name of your receiving server
    #[arg(long, value_name = "NAME")]
    sink_host: Option<Domain>,
    /// Address of your receiving server; once for IPv4, once for IPv6
    #[arg(long, value_name = "ADDRESS")]
    sink_ip: Vec<IpAddr>,
    /// Name in your zones whose MX records name your receiving server and the target
    #[arg(long, value_name = "NAME")]
    lure_mx: Option<Domain>,
    /// Name in your zones with the target's address and no MX
    #[arg(long, value_name = "NAME")]
    lure_a: Option<Domain>,
}

impl IdentityOptions {
    /// The identity: each option, else its key in the file, else what follows from the probe domain.
    pub(crate) fn identity(&self, config: &Config) -> Result<Identity, ConfigError> {
        let (own, file) = (self.clone(), config.identity.clone());
        let probe_domain = own.probe_domain.or(file.probe_domain).ok_or(ConfigError::NoProbeDomain)?;
        let mut identity = Identity::new(probe_domain);
        set(&mut identity.organisation, own.organisation.or(file.organisation));
        set(&mut identity.helo, own.helo.or(file.helo));
        set(&mut identity.sender_domain, own.sender_domain.or(file.sender_domain));
        set(&mut identity.contact, own.contact.or(file.contact));
        set(&mut identity.probe_uri, own.probe_uri.or(file.probe_uri));
        identity.sink_host = own.sink_host.or(file.sink_host);
        identity.lure_mx = own.lure_mx.or(file.lure_mx);
        identity.lure_a = own.lure_a.or(file.lure_a);
        for address in if own.sink_ip.is_empty() { file.sink_ip } else { own.sink_ip } {
            let taken = match address {
                IpAddr::V4(v4) => identity.sink_ipv4.replace(v4).is_some(),
                IpAddr::V6(v6) => identity.sink_ipv6.replace(v6).is_some(),
            };
            if taken {
                return Err(ConfigError::SinkAddresses { address });
            }
        }
        Ok(identity)
    }
}

/// By whose leave.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "By whose leave")]
pub(crate) struct AuthorizationOptions {
    /// Required, here or in the configuration; kinds: own-server, customer-contract, request, complaint,
    /// peer-initiated. The reference stays in the report and is never sent
    #[arg(long, value_name = "KIND:REFERENCE")]
    authorization: Option<Authorization>,
    /// What the leave covers; repeatable, everything unless given
    #[arg(long, value_name = "NETWORK|DOMAIN")]
    scope: Vec<Scope>,
    /// Last day or moment of the leave, like 2026-11-23 or 2026-11-23T12:00:00Z
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AuthorizationTable {
    kind: Option<AuthorizationKind>,
    reference: Option<HeaderText>,
    scope: Vec<Scope>,
    #[serde(deserialize_with = "date")]
    until: Option<Date>,
}

impl AuthorizationOptions {
    /// The authorization: each option, else what the file says.
    pub(crate) fn authorization(&self, config: &Config) -> Result<Authorization, ConfigError> {
        let file = &config.authorization;
        let mut leave = match (&self.authorization, file.kind, &file.reference) {
            (Some(leave), ..) => leave.clone(),
            (None, Some(kind), Some(reference)) => Authorization::new(kind, reference.clone()),
            (None, None, None) => return Err(ConfigError::NoAuthorization),
            (None, Some(_), None) => return Err(ConfigError::HalfAuthorization { key: "reference" }),
            (None, None, Some(_)) => return Err(ConfigError::HalfAuthorization { key: "kind" }),
        };
        for scope in if self.scope.is_empty() { &file.scope } else { &self.scope } {
            match scope {
                Scope::Network(network) => leave.networks.push(*network),
                Scope::Domain(domain) => leave.domains.push(domain.clone()),
            }
        }
        leave.until = self.until.or(file.until);
        Ok(leave)
    }
}

/// A part of what a leave covers.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
enum Scope {
    Network(Network),
    Domain(Domain),
}

#[derive(Debug, thiserror::Error)]
#[error("\"{text}\" is neither a network like 192.0.2.0/24 nor a domain like example.org")]
struct ScopeError {
    text: String,
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let network = text.parse().map(Self::Network);
        network.or_else(|_| text.parse().map(Self::Domain)).map_err(|_| ScopeError { text: text.into() })
    }
}

impl TryFrom<String> for Scope {
    type Error = ScopeError;

    fn try_from(text: String) -> Result<Self, ScopeError> {
        text.parse()
    }
}

/// TOML has dates of its own; in quotation marks they are as good.
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        toml::Value::Datetime(date) => date.to_string(),
        other => {
            return Err(de::Error::custom(format_args!(
                "{} is not a date like 2026-11-23",
                other.type_str()
            )));
        }
    };
    text.parse().map(Some).map_err(de::Error::custom)
}

fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *field = value;
    }
}
