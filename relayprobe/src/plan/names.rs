//! The names of a run, and the command lines made from them.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};

use super::record::{Probe, RunRecord};
use crate::address::Domain;
use crate::matrix::{Form, Hello, Line, Name, Need, Recipient, Unknown};
use crate::message::Letter;
use crate::moment::Date;
use crate::wire::{CommandError, CommandLine, Ehlo, Extension};

/// Fills the forms of one probe.
pub(crate) struct Names<'a> {
    record: &'a RunRecord,
    probe: &'a Probe,
    host: Option<&'a Domain>,
}

/// Why a probe cannot be written at all, whatever the server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// A name of its forms is not known.
    Name(Name),
    /// Something that the plan lacks.
    Need(Need),
    /// The line would be too long, or hold what no line can.
    Line,
}

impl From<Unknown> for Unfit {
    fn from(Unknown(name): Unknown) -> Self {
        Self::Name(name)
    }
}

impl From<CommandError> for Unfit {
    fn from(_: CommandError) -> Self {
        Self::Line
    }
}

impl<'a> Names<'a> {
    /// `host` is what the server called itself, once that is known.
    pub(crate) const fn new(record: &'a RunRecord, probe: &'a Probe, host: Option<&'a Domain>) -> Self {
        Self { record, probe, host }
    }

    /// What the plan itself lacks for this probe.
    pub(crate) fn unmet(&self) -> Option<Unfit> {
        let case = self.record.case(self.probe)?;
        let lacks = |need: &&Need| match need {
            Need::SecondDomain => !self.record.identity.has_second_domain(),
            Need::Sink => self.record.way_in.is_none(),
            Need::Auth | Need::Chunking | Need::Dsn | Need::Pipelining | Need::SmtpUtf8 => false,
        };
        case.needs.iter().find(lacks).map(|&need| Unfit::Need(need))
    }

    /// The command that introduces us; none if the case wants none.
    pub(crate) fn hello(&self, hello: &Hello) -> Result<Option<CommandLine>, Unfit> {
        let text = match hello {
            Hello::Own => alloc::format!("EHLO {}", self.record.identity.helo),
            Hello::OldVerb => alloc::format!("HELO {}", self.record.identity.helo),
            Hello::Name(form) => alloc::format!("EHLO {}", self.fill(form)?),
            Hello::None => return Ok(None),
        };
        Ok(Some(CommandLine::new(&text)?))
    }

    /// The same introduction with the old verb, for servers that do not know `EHLO` (RFC 5321 §3.2).
    pub(crate) fn old_hello(&self, hello: &Hello) -> Result<CommandLine, Unfit> {
        match hello {
            Hello::Name(form) => Ok(CommandLine::new(&alloc::format!("HELO {}", self.fill(form)?))?),
            Hello::Own | Hello::OldVerb | Hello::None => {
                Ok(CommandLine::new(&alloc::format!("HELO {}", self.record.identity.helo))?)
            }
        }
    }

    /// The `MAIL` line of the probe.
    pub(crate) fn mail(&self) -> Result<CommandLine, Unfit> {
        let case = self.record.case(self.probe).ok_or(Unfit::Line)?;
        self.line(&case.mail)
    }

    /// The `RCPT` line of the probe.
    pub(crate) fn rcpt(&self) -> Result<CommandLine, Unfit> {
        let case = self.record.case(self.probe).ok_or(Unfit::Line)?;
        // Messages and envelopes alike: no other destination has a name.
        match case.to {
            Recipient::Probe | Recipient::Lure | Recipient::OwnMailbox | Recipient::Nowhere => {
                self.line(&case.rcpt)
            }
        }
    }

    /// A `RCPT` line for the mailbox of the target's own that the operator named.
    pub(crate) fn own_rcpt(&self) -> Result<CommandLine, Unfit> {
        let mailbox = self.record.target.mailbox.as_ref().ok_or(Unfit::Name(Name::LocalUser))?;
        Ok(CommandLine::new(&alloc::format!("RCPT TO:<{mailbox}>"))?)
    }

    /// The `MAIL` line for a message. Reports are to hold its head only, and to name it by its token (RFC 3461 §4.3, §4.4).
    pub(crate) fn mail_for_message(&self, ehlo: &Ehlo) -> Result<CommandLine, Unfit> {
        let case = self.record.case(self.probe).ok_or(Unfit::Line)?;
        let plain = case.mail.parameters.as_str().is_empty() && case.rcpt.parameters.as_str().is_empty();
        if !(plain && ehlo.offers(Extension::Dsn)) {
            return self.mail();
        }
        let (verb, argument) = (&case.mail.verb, self.fill(&case.mail.argument)?);
        Ok(CommandLine::new(&alloc::format!("{verb}{argument} RET=HDRS ENVID={}", self.probe.user))?)
    }

    /// The test message of the probe: message `number` of `of`, sent on `date`.
    pub(crate) fn letter(&self, number: u16, of: u16, date: Date) -> Result<Vec<u8>, Unfit> {
        let record = self.record;
        let case = record.case(self.probe).ok_or(Unfit::Line)?;
        let path = record.path(self.probe).ok_or(Unfit::Line)?;
        let (mail, rcpt) = (self.mail()?, self.rcpt()?);
        let letter = Letter {
            identity: &record.identity,
            authorization: record.authorization.kind,
            target: SocketAddr::new(record.target.address, path.port),
            source: record.source,
            run: &record.run,
            case: &case.id,
            number,
            of,
            token: &self.probe.user,
            date,
            mail: mail.text(),
            rcpt: rcpt.text(),
        };
        Ok(letter.compose())
    }

    fn line(&self, line: &Line) -> Result<CommandLine, Unfit> {
        let mut text = String::with_capacity(128);
        text.push_str(&line.verb);
        line.argument.fill_into(&mut text, |name| self.value(name))?;
        line.parameters.fill_into(&mut text, |name| self.value(name))?;
        Ok(CommandLine::new(&text)?)
    }

    fn fill(&self, form: &Form) -> Result<String, Unfit> {
        Ok(form.fill(|name| self.value(name))?)
    }

    fn value(&self, name: Name) -> Option<Cow<'a, str>> {
        let (identity, target) = (&self.record.identity, &self.record.target);
        Some(match name {
            Name::Sender => alloc::format!("{}@{}", self.sender_user(), identity.sender_domain).into(),
            Name::SenderUser => self.sender_user().into(),
            Name::SenderDomain => identity.sender_domain.as_str().into(),
            Name::ProbeUser => self.probe.user.as_str().into(),
            Name::ProbeDomain => identity.probe_domain.as_str().into(),
            Name::ProbeDomainUpper => identity.probe_domain.as_str().to_ascii_uppercase().into(),
            Name::ProbeDomainImcea => identity.probe_domain.as_str().replace('.', "+2E").into(),
            Name::ProbeDomainIdeographic => identity.probe_domain.as_str().replace('.', "\u{3002}").into(),
            Name::TargetDomain => target.domains.first()?.as_str().into(),
            Name::TargetHost => self.host.or(target.mail_host.as_ref())?.as_str().into(),
            Name::TargetIp => target.ipv4()?.to_string().into(),
            Name::TargetIp6 => target.ipv6()?.to_string().into(),
            Name::TargetRdns => target.reverse_name.as_ref()?.as_str().into(),
            Name::LocalUser => target.mailbox.as_ref()?.local().into(),
            Name::IspDomain => target.provider_domain.as_ref()?.as_str().into(),
            Name::HostedDomain => target.domains.get(1)?.as_str().into(),
            Name::LureMx => identity.lure_mx.as_ref()?.as_str().into(),
            Name::LureA => identity.lure_a.as_ref()?.as_str().into(),
            Name::ProbeIp => identity.sink_ipv4?.to_string().into(),
            Name::ProbeIp6 => identity.sink_ipv6?.to_string().into(),
            Name::ProbeIpDecimal => decimal(identity.sink_ipv4?).into(),
            Name::Token => self.probe.user.as_str().into(),
            Name::SinkHost => identity.sink_host.as_ref()?.as_str().into(),
            Name::OwnMailbox => self.own_mailbox().into(),
            Name::OwnDomain => target.domains.first().or(self.host)?.as_str().into(),
            Name::CaseSender => self.beside(|case| &case.mail)?.into(),
            Name::CaseRecipient => self.beside(|case| &case.rcpt)?.into(),
        })
    }

    /// A sender for each probe, so that whatever is sent to it tells what it is about. It is not the recipient's name:
    /// what comes to the one was relayed, what comes to the other is a report.
    fn sender_user(&self) -> String {
        alloc::format!("b{}", self.probe.user)
    }

    /// Every server must take mail for its postmaster, with or without a domain (RFC 5321 §4.1.1.3, §4.5.1).
    fn own_mailbox(&self) -> String {
        let target = &self.record.target;
        match (&target.mailbox, target.domains.first()) {
            (Some(mailbox), _) => mailbox.to_string(),
            (None, Some(domain)) => alloc::format!("postmaster@{domain}"),
            (None, None) => "postmaster".into(),
        }
    }

    /// A line of the case that this control stands beside, with this probe's own names.
    fn beside(&self, line: impl Fn(&crate::matrix::Case) -> &Line) -> Option<String> {
        let other = self.record.probe(self.probe.beside?)?;
        let case = self.record.case(other)?;
        // A control stands beside a case, never beside a control: this ends.
        if case.is_control() {
            return None;
        }
        self.fill(&line(case).argument).ok()
    }
}

fn decimal(address: Ipv4Addr) -> String {
    address.to_bits().to_string()
}
