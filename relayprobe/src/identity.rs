//! Who tests, and by whose leave.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use crate::address::{Domain, Mailbox, Network};
use crate::moment::Date;

/// Who tests. It stands in every HELO, and in every message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Identity {
    /// Name of the organisation, in ASCII.
    pub organisation: HeaderText,
    /// What we call ourselves in HELO; should resolve forward and back.
    pub helo: Domain,
    /// The domain of every recipient; its MX is our receiving server.
    pub probe_domain: Domain,
    /// The domain of our own senders; best in another zone.
    pub sender_domain: Domain,
    /// Where people reach us.
    pub contact: Mailbox,
    /// A page or file that describes the test (RFC 9511).
    pub probe_uri: HeaderText,
    /// Name of our receiving server, if it has one of its own.
    pub sink_host: Option<Domain>,
    /// IPv4 address of our receiving server.
    pub sink_ipv4: Option<Ipv4Addr>,
    /// IPv6 address of our receiving server.
    pub sink_ipv6: Option<Ipv6Addr>,
    /// Name in our own zones whose MX records name our receiving server and the target.
    pub lure_mx: Option<Domain>,
    /// Name in our own zones with the target's address and no MX.
    pub lure_a: Option<Domain>,
}

impl Identity {
    /// An identity that follows from its probe domain: the domain is also HELO name, sender domain and organisation.
    pub fn new(probe_domain: Domain) -> Self {
        let text = |text: String| HeaderText(text);
        Self {
            organisation: text(probe_domain.to_string()),
            helo: probe_domain.clone(),
            sender_domain: probe_domain.clone(),
            contact: Mailbox::postmaster(&probe_domain),
            probe_uri: text(alloc::format!("https://{probe_domain}/.well-known/probing.txt")),
            probe_domain,
            sink_host: None,
            sink_ipv4: None,
            sink_ipv6: None,
            lure_mx: None,
            lure_a: None,
        }
    }

    /// Whether senders and recipients are in different domains of ours.
    pub fn has_second_domain(&self) -> bool {
        self.sender_domain != self.probe_domain
    }
}

/// Printable ASCII of one line, for a header or a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct HeaderText(String);

/// A text does not fit into a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderTextError {
    /// The test message is plain ASCII.
    #[error("only printable ASCII can be written; there is something else at byte {at}")]
    Character {
        /// Offset of the character.
        at: usize,
    },
    /// Empty, or too long for a line.
    #[error("a text of 1 to 200 characters is needed; this has {length}")]
    Length {
        /// Characters given.
        length: usize,
    },
}

impl HeaderText {
    /// What stands for a text that is not to be seen.
    pub(crate) fn redacted() -> Self {
        Self("redacted".into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderText {
    type Err = HeaderTextError;

    fn from_str(text: &str) -> Result<Self, HeaderTextError> {
        if let Some(at) = text.bytes().position(|b| !(b' '..=b'~').contains(&b)) {
            return Err(HeaderTextError::Character { at });
        }
        match text.trim().len() {
            1..=200 => Ok(Self(text.trim().into())),
            length => Err(HeaderTextError::Length { length }),
        }
    }
}

impl TryFrom<String> for HeaderText {
    type Error = HeaderTextError;

    fn try_from(text: String) -> Result<Self, HeaderTextError> {
        text.parse()
    }
}

impl From<HeaderText> for String {
    fn from(text: HeaderText) -> Self {
        text.0
    }
}

impl fmt::Display for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// By whose leave a test runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Authorization {
    /// What gives the leave.
    pub kind: AuthorizationKind,
    /// Contract, ticket or case number. It stays in the report and is never sent.
    pub reference: HeaderText,
    /// Networks it is good for; any if empty.
    pub networks: Vec<Network>,
    /// Mail domains it is good for; any if empty.
    pub domains: Vec<Domain>,
    /// When it ends.
    pub until: Option<Date>,
}

/// What gives the leave to test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum AuthorizationKind {
    /// The server is the tester's own.
    OwnServer,
    /// A contract with the customer who runs it.
    CustomerContract,
    /// Its operator asked.
    Request,
    /// A complaint about it, within the tester's own network.
    Complaint,
    /// It connected to us and asked.
    PeerInitiated,
}

impl AuthorizationKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::OwnServer, Self::CustomerContract, Self::Request, Self::Complaint, Self::PeerInitiated];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnServer => "own-server",
            Self::CustomerContract => "customer-contract",
            Self::Request => "request",
            Self::Complaint => "complaint",
            Self::PeerInitiated => "peer-initiated",
        }
    }
}

/// A text is no authorization.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// No such kind.
    #[error(
        "\"{text}\" is not KIND:REFERENCE with a kind of own-server, customer-contract, request, complaint, peer-initiated"
    )]
    Kind {
        /// What was given, escaped.
        text: String,
    },
    /// The reference is missing or does not fit.
    #[error("the reference of the authorization does not fit: {0}")]
    Reference(#[source] HeaderTextError),
}

impl Authorization {
    /// A leave without limits in network, domain or time.
    pub const fn new(kind: AuthorizationKind, reference: HeaderText) -> Self {
        Self { kind, reference, networks: Vec::new(), domains: Vec::new(), until: None }
    }

    /// Whether an address is in its scope.
    pub fn covers_address(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(address))
    }

    /// Whether a mail domain is in its scope.
    pub fn covers_domain(&self, domain: &Domain) -> bool {
        self.domains.is_empty() || self.domains.iter().any(|zone| domain.is_within(zone))
    }
}

impl FromStr for Authorization {
    type Err = AuthorizationError;

    /// Reads `KIND:REFERENCE`, such as `customer-contract:K123`.
    fn from_str(text: &str) -> Result<Self, AuthorizationError> {
        let fault = || AuthorizationError::Kind { text: crate::octets::escape(text.as_bytes()) };
        let (kind, reference) = text.split_once(':').ok_or_else(fault)?;
        let kind = AuthorizationKind::ALL.into_iter().find(|k| k.as_str() == kind).ok_or_else(fault)?;
        Ok(Self::new(kind, reference.parse().map_err(AuthorizationError::Reference)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_follows_from_its_domain() {
        let identity = Identity::new("probe.example".parse().unwrap());
        assert_eq!(identity.contact.to_string(), "postmaster@probe.example");
        assert!(!identity.has_second_domain());
    }

    #[test]
    fn an_authorization_has_a_kind_and_a_reference() {
        let leave: Authorization = "customer-contract:K 123:4".parse().unwrap();
        assert_eq!((leave.kind, leave.reference.as_str()), (AuthorizationKind::CustomerContract, "K 123:4"));
        for text in ["", "request", "me:x", "request:", "request:  ", "request:\u{1b}[m"] {
            assert!(text.parse::<Authorization>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_scope_is_a_limit() {
        let mut leave: Authorization = "request:x".parse().unwrap();
        assert!(leave.covers_address("192.0.2.1".parse().unwrap()));
        leave.networks.push("198.51.100.0/24".parse().unwrap());
        leave.domains.push("target.example".parse().unwrap());
        assert!(!leave.covers_address("192.0.2.1".parse().unwrap()));
        assert!(leave.covers_domain(&"sub.target.example".parse().unwrap()));
        assert!(!leave.covers_domain(&"other.example".parse().unwrap()));
    }
}
