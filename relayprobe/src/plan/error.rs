//! Why a plan could not be made.

use alloc::string::String;
use core::net::{IpAddr, SocketAddr};

use super::limits::Limits;
use crate::address::{Domain, ScopeError};
use crate::message::Letter;
use crate::moment::Date;
use crate::token;

/// Refusals against one target a day without the caller naming a larger selection: some servers ban at 35.
pub(super) const DAILY_REFUSALS: u32 = 30;

/// A plan could not be made. Each says what was asked for and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The address must not be connected to.
    #[error(transparent)]
    Address(#[from] ScopeError),
    /// A port on which no mail server is expected.
    #[error(
        "port {port} is not a mail port (25, 465, 587, 2525 and a few more); allow it by name if it is one here"
    )]
    Port {
        /// The port.
        port: u16,
    },
    /// The owner asked not to be tested.
    #[error("{what} is on the never-test list")]
    NeverTest {
        /// The address or domain.
        what: String,
    },
    /// The authorization is for other networks or domains.
    #[error("{what} is outside the scope of the authorization \"{reference}\"")]
    OutOfScope {
        /// The address or domain.
        what: String,
        /// Reference of the authorization.
        reference: String,
    },
    /// The authorization has ended.
    #[error("the authorization \"{reference}\" ended on {until}")]
    Ended {
        /// Reference of the authorization.
        reference: String,
        /// When it ended.
        until: Date,
    },
    /// The target was tested less than a day ago.
    #[error(
        "the target was tested on {last}; the next run is due on {due}, or now if you ask for it again by name"
    )]
    TooSoon {
        /// When the last run began.
        last: Date,
        /// When the next may begin.
        due: Date,
    },
    /// Too many refusals for one day.
    #[error(
        "{planned} more refusals after {today} today would pass {DAILY_REFUSALS} against one target: choose the standard or full matrix, or fewer cases and ports"
    )]
    ManyRefusals {
        /// What the run would collect.
        planned: u32,
        /// What was collected today.
        today: u32,
    },
    /// There is nothing to ask.
    #[error("the matrix has no case that says anything about relaying")]
    NoCases,
    /// More probes than a run can number.
    #[error("a run has at most {} probes; {count} were asked for", token::PROBES)]
    ManyProbes {
        /// Cases times paths.
        count: usize,
    },
    /// A case is neither built in nor made by `Case::custom`, or it has the name of a built-in one.
    #[error("case \"{id}\" is not as the matrix or Case::custom made it, or has the name of a built-in case")]
    ForeignCase {
        /// Its id.
        id: String,
    },
    /// Our probe domain is the target's own: its acceptance would say nothing.
    #[error(
        "the probe domain {domain} belongs to the target: a server that takes mail for its own domain relays nothing"
    )]
    ProbeDomainIsTarget {
        /// The domain.
        domain: Domain,
    },
    /// The target takes such a sender for one of its own.
    #[error("the sender domain {domain} is within a mail domain of the target: senders would be its own")]
    SenderDomainIsTarget {
        /// The domain.
        domain: Domain,
    },
    /// What is to say who tests is no URI.
    #[error(
        "the probe URI \"{uri}\" leads nowhere: one like https://probe.example/.well-known/probing.txt, mailto:NAME@DOMAIN or tel:NUMBER is wanted"
    )]
    ProbeUri {
        /// What was given.
        uri: String,
    },
    /// A domain that is everybody's, or nobody's: many servers take mail for `localhost` as their own (RFC 6761 §6.3).
    #[error("the probe domain {domain} cannot be yours: name one of your own, like probe.example.org")]
    ProbeDomainIsNobodys {
        /// The domain.
        domain: Domain,
    },
    /// More retries than a server should have to stand.
    #[error("{given} retries are more than {}", Limits::MOST_RETRIES)]
    Retries {
        /// How many.
        given: usize,
    },
    /// The target is the tester's own receiving server.
    #[error(
        "{sink} is our own receiving server, which takes mail for the probe domain as it should: it cannot be the target"
    )]
    TargetIsSink {
        /// Where it is.
        sink: SocketAddr,
    },
    /// The mailbox is not in a domain of the target's own.
    #[error("the mailbox {mailbox} is not in a mail domain of the target; name its domain too")]
    MailboxDomain {
        /// The mailbox.
        mailbox: String,
    },
    /// A lure lies in nobody's zone of ours.
    #[error("the lure {lure} is neither within the probe domain nor within the sender domain")]
    LureNotOurs {
        /// The name.
        lure: Domain,
    },
    /// More messages than a polite tester sends, or none.
    #[error("a run sends 1 to {} messages; {given} were asked for", Limits::MOST_MESSAGES)]
    Messages {
        /// What was asked for.
        given: u16,
    },
    /// Too many messages for one day.
    #[error(
        "{planned} more messages after {today} today would pass {} against one target",
        Limits::MOST_MESSAGES
    )]
    ManyMessages {
        /// What the run may send.
        planned: u16,
        /// What runs of today may have sent.
        today: u32,
    },
    /// The test message would be too long.
    #[error(
        "the test message would have {length} octets, at most {} are sent: shorten the organisation, the probe URI or the contact",
        Letter::LIMIT
    )]
    LongMessage {
        /// Its length.
        length: usize,
    },
    /// The time to wait for messages makes no sense.
    #[error("messages are waited for between 1 second and 7 days; {given} seconds were asked for")]
    Window {
        /// Seconds.
        given: u64,
    },
    /// More connections than a polite tester opens.
    #[error("1 to 3 connections at once are possible; {given} were asked for")]
    Connections {
        /// What was asked for.
        given: u8,
    },
    /// Source and target are of different families.
    #[error("{source_address} cannot connect to {target}: one is IPv4, the other IPv6")]
    Source {
        /// The local address.
        source_address: IpAddr,
        /// The target address.
        target: IpAddr,
    },
}
