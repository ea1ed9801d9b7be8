//! Why a refusal may say nothing about relaying.

use alloc::vec::Vec;
use core::iter;

use super::Reason;
use crate::address::{Domain, Mailbox};
use crate::matrix::Case;
use crate::octets::Octets;
use crate::outcome::{Outcome, Why};
use crate::plan::{Probe, RunRecord};
use crate::transcript::Step;
use crate::wire::{self, Reader, Reply};

/// Offices that whoever is on a list must be able to write to, to get off it (RFC 2142 §§4, 5).
const SPARED: [&str; 2] = ["abuse", "postmaster"];

/// What refusals are held against.
pub(super) struct Doubt<'a> {
    record: &'a RunRecord,
    /// What became of the control for an invented mailbox of the target's own.
    unknown_local: Option<&'a Outcome>,
    reader: Reader,
}

impl<'a> Doubt<'a> {
    pub(super) fn new(record: &'a RunRecord, unknown_local: Option<&'a Outcome>) -> Self {
        Self { record, unknown_local, reader: Reader::default() }
    }

    /// What keeps a case from counting as refused.
    pub(super) fn of(&mut self, probe: &Probe, case: &Case, outcome: &Outcome) -> Option<Reason> {
        let Outcome::Refused { stage, why, reply } = outcome else { return None };
        let (stage, why) = (*stage, *why);
        let is_other = if case.is_plain() {
            !is_about_relaying(stage, why)
        } else {
            leaves_form_untested(case, stage, why)
        };
        if is_other {
            return Some(Reason::OtherRefusal { why, probe: probe.number });
        }
        if self.lets_people_through() || !self.is_vague(reply, why) {
            None
        } else if case.is_plain() && self.unknown_local.is_some_and(|other| says_the_same(reply, other)) {
            Some(Reason::OtherRefusal { why, probe: probe.number })
        } else if self.is_unread(reply) {
            Some(Reason::UnreadRefusal { probe: probe.number })
        } else {
            None
        }
    }

    /// Whether the mailbox of the controls is one that block lists are asked for. Where it is let through, a refusal is
    /// about the recipient even if it does not say so.
    fn lets_people_through(&self) -> bool {
        let spared =
            |mailbox: &Mailbox| SPARED.iter().any(|office| mailbox.local().eq_ignore_ascii_case(office));
        self.record.target.mailbox.as_ref().is_some_and(|mailbox| !spared(mailbox))
    }

    /// Whether a refusal names no reason, or only hints at one.
    fn is_vague(&mut self, reply: &Octets, why: Why) -> bool {
        match why {
            Why::Policy | Why::Unclear => true,
            Why::RelayDenied => {
                Reply::parse(reply.as_bytes()).is_ok_and(|reply| !self.reader.read(reply).names_relaying())
            }
            Why::AuthRequired
            | Why::TlsRequired
            | Why::SenderRefused
            | Why::UnknownRecipient
            | Why::AddressSyntax
            | Why::TesterRefused => false,
        }
    }

    /// Whether it has words that are not known: they may give a ground that only we have met, and that the server's own
    /// unknown mailboxes never come to.
    fn is_unread(&self, reply: &Octets) -> bool {
        let names = self.names_asked_for();
        !Reply::parse(reply.as_bytes()).is_ok_and(|reply| wire::gives_no_ground(&reply, &names))
    }

    /// Names that a refusal may quote without giving a ground.
    fn names_asked_for(&self) -> Vec<&str> {
        let RunRecord { identity, target, .. } = self.record;
        let names = iter::once(&identity.probe_domain).chain(&target.name).chain(&target.domains);
        names.map(Domain::as_str).collect()
    }
}

/// Whether a refusal of a plain case shows that the server does not relay.
///
/// Behind an accepted control with the same sender, a refusal of the recipient is about the recipient even if it does
/// not say so.
const fn is_about_relaying(stage: Step, why: Why) -> bool {
    let vague = matches!(why, Why::Policy | Why::Unclear) && matches!(stage, Step::Rcpt | Step::Data);
    vague || why.is_about_relaying()
}

/// Whether a refusal is about us, TLS, or the very sender that the controls were accepted from.
fn leaves_form_untested(case: &Case, stage: Step, why: Why) -> bool {
    match why {
        Why::TesterRefused | Why::TlsRequired => stage != Step::Hello,
        Why::SenderRefused => stage != Step::Mail && case.has_usual_sender(),
        Why::RelayDenied
        | Why::AuthRequired
        | Why::UnknownRecipient
        | Why::AddressSyntax
        | Why::Policy
        | Why::Unclear => false,
    }
}

/// Whether a refusal meets another recipient in the same words.
fn says_the_same(reply: &Octets, other: &Outcome) -> bool {
    let Outcome::Refused { reply: other, .. } = other else { return false };
    let replies = Reply::parse(reply.as_bytes()).ok().zip(Reply::parse(other.as_bytes()).ok());
    replies.map_or(reply == other, |(one, other)| wire::are_in_the_same_words(&one, &other))
}
