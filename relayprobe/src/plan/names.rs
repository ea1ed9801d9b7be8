//! The names of a run, and the command lines made from them.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{Display, Write as _};
use core::net::SocketAddr;

use super::record::{Probe, RunRecord};
use crate::address::Domain;
use crate::matrix::{Case, Form, Hello, Line, Name, Need, Recipient, Unknown};
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
        Ok(match hello {
            Hello::Own => Some(self.introduction("EHLO ")?),
            Hello::OldVerb => Some(self.introduction("HELO ")?),
            Hello::Name(form) => Some(self.introduction_as("EHLO ", form)?),
            Hello::None => None,
        })
    }

    /// The same introduction with the old verb, for servers that do not know `EHLO` (RFC 5321 §3.2).
    pub(crate) fn old_hello(&self, hello: &Hello) -> Result<CommandLine, Unfit> {
        match hello {
            Hello::Name(form) => self.introduction_as("HELO ", form),
            Hello::Own | Hello::OldVerb | Hello::None => self.introduction("HELO "),
        }
    }

    fn introduction(&self, verb: &str) -> Result<CommandLine, Unfit> {
        let mut text = begun(verb);
        text.push_str(self.record.identity.helo.as_str());
        Ok(CommandLine::of(text)?)
    }

    fn introduction_as(&self, verb: &str, form: &Form) -> Result<CommandLine, Unfit> {
        let mut text = begun(verb);
        self.fill(form, &mut text)?;
        Ok(CommandLine::of(text)?)
    }

    /// The `MAIL` line of the probe.
    pub(crate) fn mail(&self) -> Result<CommandLine, Unfit> {
        let mut text = begun("");
        self.write_mail(&mut text)?;
        Ok(CommandLine::of(text)?)
    }

    /// The `RCPT` line of the probe.
    pub(crate) fn rcpt(&self) -> Result<CommandLine, Unfit> {
        let mut text = begun("");
        self.write_rcpt(&mut text)?;
        Ok(CommandLine::of(text)?)
    }

    /// Writes the `MAIL` line of the probe behind what `text` holds, without its end.
    pub(crate) fn write_mail(&self, text: &mut String) -> Result<(), Unfit> {
        let case = self.record.case(self.probe).ok_or(Unfit::Line)?;
        self.write(&case.mail, text)
    }

    /// The same for its `RCPT` line.
    pub(crate) fn write_rcpt(&self, text: &mut String) -> Result<(), Unfit> {
        let case = self.record.case(self.probe).ok_or(Unfit::Line)?;
        // Messages and envelopes alike: no other destination has a name.
        match case.to {
            Recipient::Probe | Recipient::Lure | Recipient::OwnMailbox | Recipient::Nowhere => {
                self.write(&case.rcpt, text)
            }
        }
    }

    /// The same for a `RCPT` line with the mailbox of the target's own that the operator named.
    pub(crate) fn write_own_rcpt(&self, text: &mut String) -> Result<(), Unfit> {
        let mailbox = self.record.target.mailbox.as_ref().ok_or(Unfit::Name(Name::LocalUser))?;
        show(format_args!("RCPT TO:<{mailbox}>"), text);
        Ok(())
    }

    /// The `MAIL` line for a message. Reports are to hold its head only, and to name it by its token (RFC 3461 §4.3, §4.4).
    pub(crate) fn mail_for_message(&self, ehlo: &Ehlo) -> Result<CommandLine, Unfit> {
        let case = self.record.case(self.probe).ok_or(Unfit::Line)?;
        let plain = case.mail.parameters.as_str().is_empty() && case.rcpt.parameters.as_str().is_empty();
        if !(plain && ehlo.offers(Extension::Dsn)) {
            return self.mail();
        }
        let mut text = begun(&case.mail.verb);
        self.fill(&case.mail.argument, &mut text)?;
        text.extend([" RET=HDRS ENVID=", &self.probe.user]);
        Ok(CommandLine::of(text)?)
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

    fn write(&self, line: &Line, text: &mut String) -> Result<(), Unfit> {
        text.push_str(&line.verb);
        self.fill(&line.argument, text)?;
        self.fill(&line.parameters, text)
    }

    fn fill(&self, form: &Form, text: &mut String) -> Result<(), Unfit> {
        Ok(form.fill_into(text, |name, text| self.put(name, text))?)
    }

    /// Writes what a name stands for in this run; nothing if it is not known.
    fn put(&self, name: Name, text: &mut String) -> Option<()> {
        let (identity, target, user) = (&self.record.identity, &self.record.target, &*self.probe.user);
        let probe_domain = identity.probe_domain.as_str();
        match name {
            Name::Sender => text.extend([SENDER, user, "@", identity.sender_domain.as_str()]),
            Name::SenderUser => text.extend([SENDER, user]),
            Name::SenderDomain => text.push_str(identity.sender_domain.as_str()),
            Name::ProbeUser | Name::Token => text.push_str(user),
            Name::ProbeDomain => text.push_str(probe_domain),
            Name::ProbeDomainUpper => text.push_str(&probe_domain.to_ascii_uppercase()),
            Name::ProbeDomainImcea => text.push_str(&probe_domain.replace('.', "+2E")),
            Name::ProbeDomainIdeographic => text.push_str(&probe_domain.replace('.', "\u{3002}")),
            Name::TargetDomain => text.push_str(target.domains.first()?.as_str()),
            Name::TargetHost => text.push_str(self.host.or(target.mail_host.as_ref())?.as_str()),
            Name::TargetIp => show(target.ipv4()?, text),
            Name::TargetIp6 => show(target.ipv6()?, text),
            Name::TargetRdns => text.push_str(target.reverse_name.as_ref()?.as_str()),
            Name::LocalUser => text.push_str(target.mailbox.as_ref()?.local()),
            Name::IspDomain => text.push_str(target.provider_domain.as_ref()?.as_str()),
            Name::HostedDomain => text.push_str(target.domains.get(1)?.as_str()),
            Name::LureMx => text.push_str(identity.lure_mx.as_ref()?.as_str()),
            Name::LureA => text.push_str(identity.lure_a.as_ref()?.as_str()),
            Name::ProbeIp => show(identity.sink_ipv4?, text),
            Name::ProbeIp6 => show(identity.sink_ipv6?, text),
            Name::ProbeIpDecimal => show(identity.sink_ipv4?.to_bits(), text),
            Name::SinkHost => text.push_str(identity.sink_host.as_ref()?.as_str()),
            Name::OwnMailbox => self.put_own_mailbox(text),
            Name::OwnDomain => text.push_str(target.domains.first().or(self.host)?.as_str()),
            Name::CaseSender => self.put_beside(|case| &case.mail, text)?,
            Name::CaseRecipient => self.put_beside(|case| &case.rcpt, text)?,
        }
        Some(())
    }

    /// Every server must take mail for its postmaster, with or without a domain (RFC 5321 §4.1.1.3, §4.5.1).
    fn put_own_mailbox(&self, text: &mut String) {
        let target = &self.record.target;
        match (&target.mailbox, target.domains.first()) {
            (Some(mailbox), _) => show(mailbox, text),
            (None, Some(domain)) => text.extend(["postmaster@", domain.as_str()]),
            (None, None) => text.push_str("postmaster"),
        }
    }

    /// Writes a line of the case that this control stands beside, with this probe's own names.
    fn put_beside(&self, line: impl Fn(&Case) -> &Line, text: &mut String) -> Option<()> {
        let other = self.record.probe(self.probe.beside?)?;
        let case = self.record.case(other)?;
        // A control stands beside a case, never beside a control: this ends.
        if case.is_control() {
            return None;
        }
        self.fill(&line(case).argument, text).ok()
    }
}

/// A line that begins with its verb, with room for the rest of nearly every line.
fn begun(verb: &str) -> String {
    let mut text = String::with_capacity(128);
    text.push_str(verb);
    text
}

/// A sender for each probe, so that whatever is sent to it tells what it is about. It is not the recipient's name: what
/// comes to the one was relayed, what comes to the other is a report.
const SENDER: &str = "b";

/// Writing to a string cannot fail.
fn show(value: impl Display, text: &mut String) {
    let _written = write!(text, "{value}");
}
