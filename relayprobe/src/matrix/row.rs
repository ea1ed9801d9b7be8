//! The shape of the built-in tables: a row a case, all of it static.

use alloc::borrow::Cow;

use super::case::{Acceptance, Case, Family, Hello, Line, Need, Odd, Recipient, Shape, Tier, Transfer};
use super::form::Form;

/// A row of a built-in table. `..PLAIN` fills in what a case does not change.
pub(super) struct Row {
    pub(super) id: &'static str,
    pub(super) tier: Tier,
    pub(super) to: Recipient,
    pub(super) hello: Greet,
    pub(super) mail_verb: &'static str,
    pub(super) mail: &'static str,
    pub(super) mail_parameters: &'static str,
    pub(super) rcpt_verb: &'static str,
    pub(super) rcpt: &'static str,
    pub(super) rcpt_parameters: &'static str,
    pub(super) shape: Shape,
    pub(super) transfer: Transfer,
    pub(super) needs: &'static [Need],
    pub(super) odd: Odd,
    pub(super) acceptance: Acceptance,
    pub(super) why: &'static str,
    pub(super) source: &'static str,
}

/// [`Hello`] for a static table.
#[derive(Clone, Copy)]
pub(super) enum Greet {
    Own,
    Name(&'static str),
    OldVerb,
    None,
}

/// The plain envelope that every case varies.
pub(super) const PLAIN: Row = Row {
    id: "",
    tier: Tier::Full,
    to: Recipient::Probe,
    hello: Greet::Own,
    mail_verb: "MAIL FROM:",
    mail: "<{sender}>",
    mail_parameters: "",
    rcpt_verb: "RCPT TO:",
    rcpt: "<{probe-user}@{probe-domain}>",
    rcpt_parameters: "",
    shape: Shape::Plain,
    transfer: Transfer::Data,
    needs: &[],
    odd: Odd::No,
    acceptance: Acceptance::Telling,
    why: "",
    source: "",
};

impl Row {
    pub(super) fn to_case(&self, family: Family) -> Case {
        Case {
            id: Cow::Borrowed(self.id),
            family,
            tier: self.tier,
            to: self.to,
            hello: match self.hello {
                Greet::Own => Hello::Own,
                Greet::Name(form) => Hello::Name(Form::built_in(form)),
                Greet::OldVerb => Hello::OldVerb,
                Greet::None => Hello::None,
            },
            mail: line(self.mail_verb, self.mail, self.mail_parameters),
            rcpt: line(self.rcpt_verb, self.rcpt, self.rcpt_parameters),
            shape: self.shape,
            transfer: self.transfer,
            needs: Cow::Borrowed(self.needs),
            odd: self.odd,
            acceptance: self.acceptance,
            why: Cow::Borrowed(self.why),
            source: Cow::Borrowed(self.source),
        }
    }
}

const fn line(verb: &'static str, argument: &'static str, parameters: &'static str) -> Line {
    Line {
        verb: Cow::Borrowed(verb),
        argument: Form::built_in(argument),
        parameters: Form::built_in(parameters),
    }
}
