//! One test case: an envelope recipe with the reason it exists.

use alloc::borrow::Cow;
use core::fmt;

use super::form::Form;
use crate::wire::{Ehlo, Extension, SessionLimits};

/// One envelope recipe of the matrix.
///
/// Built-in cases come from [`Matrix`](super::Matrix); a caller's own come from
/// [`Case::custom`], which allows recipients in the probe domain only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Case {
    /// Stable kebab-case name; people store it.
    pub id: Cow<'static, str>,
    /// The group of forms this one belongs to.
    pub family: Family,
    /// The smallest selection that runs it.
    pub tier: Tier,
    /// Where the recipient can end: never at a stranger's.
    pub to: Recipient,
    /// How the connection introduces itself.
    pub hello: Hello,
    /// What is written for `MAIL`.
    pub mail: Line,
    /// What is written for `RCPT`.
    pub rcpt: Line,
    /// The commands of the transaction.
    pub shape: Shape,
    /// How a message would be handed over, once proof is asked for.
    pub transfer: Transfer,
    /// What the server or the plan must offer for the case to make sense.
    pub needs: Cow<'static, [Need]>,
    /// Which part of it strict servers call a syntax error; such cases are spread over connections.
    pub odd: Odd,
    /// What an acceptance says.
    pub acceptance: Acceptance,
    /// The defect that the case shows.
    pub why: Cow<'static, str>,
    /// The rule or the program that the case is about.
    pub source: Cow<'static, str>,
}

impl Case {
    /// Whether this is a relay case of the plainest kind: our own sender, a bare recipient in the probe domain.
    ///
    /// A refusal of these, for a reason about relaying, is what makes a server closed.
    pub fn is_plain(&self) -> bool {
        self.family == Family::Sender
            && self.hello == Hello::Own
            && self.shape == Shape::Plain
            && matches!(self.mail.argument.as_str(), "<{sender}>" | "<{sender-user}@{probe-domain}>")
            && self.rcpt.argument.as_str() == "<{probe-user}@{probe-domain}>"
    }

    /// Whether the case has a sender form of its own, which then needs its own control.
    pub fn has_own_sender(&self) -> bool {
        self.family == Family::Sender && !self.is_plain() && !self.has_usual_sender()
    }

    /// Whether its sender is the one that the controls are asked with.
    pub(crate) fn has_usual_sender(&self) -> bool {
        self.mail.argument.as_str() == "<{sender}>"
    }

    /// Whether it is a control and never says anything about relaying by itself.
    pub fn is_control(&self) -> bool {
        self.family == Family::Control
    }
}

/// A command line of a case: verb, argument, parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Line {
    /// `MAIL FROM:`, `RCPT TO:` or the variant that the case is about.
    pub verb: Cow<'static, str>,
    /// The path, with its brackets.
    pub argument: Form,
    /// ESMTP parameters, with the blank before them; empty for none.
    pub parameters: Form,
}

/// The group a case belongs to (the catalogue's letters A to M, and R).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Family {
    /// Sender variants with a plain recipient.
    Sender,
    /// `user%domain@server`.
    Percent,
    /// `user@domain@server`.
    TwoAts,
    /// `"user@domain"@server`.
    Quoted,
    /// `@server:user@domain` (RFC 5321 appendix F.2).
    SourceRoute,
    /// `domain!user`.
    Bang,
    /// Tolerance for broken command syntax.
    Syntax,
    /// Address literals and numbers as recipient domain.
    Literal,
    /// Addresses that carry another one for a gateway.
    Gateway,
    /// Addresses that a check and a router read differently.
    Parser,
    /// Recipient rules that match too much.
    Recipient,
    /// What the client calls itself.
    Hello,
    /// Transaction state and verbs.
    Transaction,
    /// Cases that the caller defined.
    Custom,
    /// Controls: they tell a closed server from one that refuses us, or accepts everything.
    Control,
}

impl Family {
    /// All families, in the order of the catalogue.
    pub const ALL: [Self; 15] = [
        Self::Sender,
        Self::Percent,
        Self::TwoAts,
        Self::Quoted,
        Self::SourceRoute,
        Self::Bang,
        Self::Syntax,
        Self::Literal,
        Self::Gateway,
        Self::Parser,
        Self::Recipient,
        Self::Hello,
        Self::Transaction,
        Self::Custom,
        Self::Control,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Percent => "percent",
            Self::TwoAts => "two-ats",
            Self::Quoted => "quoted",
            Self::SourceRoute => "source-route",
            Self::Bang => "bang",
            Self::Syntax => "syntax",
            Self::Literal => "literal",
            Self::Gateway => "gateway",
            Self::Parser => "parser",
            Self::Recipient => "recipient",
            Self::Hello => "hello",
            Self::Transaction => "transaction",
            Self::Custom => "custom",
            Self::Control => "control",
        }
    }

    /// What the family is about, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Sender => "sender variants",
            Self::Percent => "percent hack",
            Self::TwoAts => "two at-signs",
            Self::Quoted => "quoted local part",
            Self::SourceRoute => "source route",
            Self::Bang => "bang path",
            Self::Syntax => "syntax tolerance",
            Self::Literal => "address literal",
            Self::Gateway => "gateway address",
            Self::Parser => "parser difference",
            Self::Recipient => "recipient rule",
            Self::Hello => "HELO identity",
            Self::Transaction => "transaction and verb",
            Self::Custom => "your own",
            Self::Control => "controls",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The smallest selection a case is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Tier {
    /// About twenty envelopes; the default.
    Quick,
    /// What a retest before lifting a block needs.
    Standard,
    /// Everything that can be sent without asking.
    Full,
    /// Only by naming the case, with the operator's express consent.
    Express,
}

/// Where a recipient can end. Closed on purpose: no other destination can be expressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Recipient {
    /// Our probe domain, whatever the routed form says.
    Probe,
    /// A name in our own zones that points at the target.
    Lure,
    /// The target's own mailbox; controls only.
    OwnMailbox,
    /// A name under `.invalid` (RFC 2606 §2); controls only.
    Nowhere,
}

/// How a connection introduces itself for a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Hello {
    /// `EHLO` with the name of the identity.
    Own,
    /// `EHLO` with another name.
    Name(Form),
    /// `HELO` with the name of the identity.
    OldVerb,
    /// No greeting at all.
    None,
}

/// The commands of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Shape {
    /// `MAIL`, `RCPT`.
    Plain,
    /// `MAIL`, `RCPT` for the target's own mailbox, then the `RCPT` of the case.
    LocalFirst,
    /// `MAIL`, `RCPT` and `DATA` in one write; no content is ever sent, a 354 ends the connection.
    EarlyData,
}

impl Shape {
    /// The recipients it names.
    pub const fn recipients(self) -> u16 {
        match self {
            Self::Plain | Self::EarlyData => 1,
            Self::LocalFirst => 2,
        }
    }

    /// Whether a server that announces these limits lets it be asked.
    pub const fn is_within(self, limits: SessionLimits) -> bool {
        self.recipients() <= limits.recipients && self.recipients() <= limits.domains
    }
}

/// How a message would be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Transfer {
    /// `DATA`.
    Data,
    /// `BDAT` (RFC 3030).
    Bdat,
}

/// What must be offered for a case to make sense, beyond the names in its forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Need {
    /// The server offers AUTH.
    Auth,
    /// The server offers CHUNKING.
    Chunking,
    /// The server offers DSN.
    Dsn,
    /// The server offers PIPELINING.
    Pipelining,
    /// The server offers SMTPUTF8.
    SmtpUtf8,
    /// Our sender domain is not our probe domain.
    SecondDomain,
    /// Our receiving server takes part in the run.
    Sink,
}

impl Need {
    /// The extension that the server must offer, if it is one.
    pub const fn extension(self) -> Option<Extension> {
        match self {
            Self::Auth => Some(Extension::Auth),
            Self::Chunking => Some(Extension::Chunking),
            Self::Dsn => Some(Extension::Dsn),
            Self::Pipelining => Some(Extension::Pipelining),
            Self::SmtpUtf8 => Some(Extension::SmtpUtf8),
            Self::SecondDomain | Self::Sink => None,
        }
    }

    /// Whether a server with this EHLO reply meets the need; what the plan must offer is not asked here.
    pub fn is_met_by(self, ehlo: &Ehlo) -> bool {
        self.extension().is_none_or(|extension| ehlo.offers(extension))
    }
}

/// Which part of a case strict servers call a syntax error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Odd {
    /// None.
    No,
    /// The recipient or the verb.
    Recipient,
    /// The sender: in a pipelined group its recipient then counts as a second error.
    Sender,
}

/// What the acceptance of a case says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Acceptance {
    /// A correct server refuses it.
    Telling,
    /// A correct server may accept it: only delivery says anything.
    Uninformative,
}
