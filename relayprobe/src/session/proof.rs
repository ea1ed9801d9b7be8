//! Which accepted cases get a message, and the script that sends it.

use alloc::vec::Vec;

use super::script::Line;
use crate::address::Domain;
use crate::matrix::{Acceptance, Case, Family, Name, Recipient, Selection, Shape, Transfer};
use crate::message;
use crate::moment::Date;
use crate::plan::{Names, Probe, Prove, RunRecord, Unfit};
use crate::transcript::Step;
use crate::wire::{CommandLine, Ehlo};

/// Messages on one connection: servers allow ten a session or more.
pub(super) const A_CONNECTION: usize = 10;

/// Message so and so of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) number: u16,
    pub(super) of: u16,
}

/// The accepted probes that get a message, the most telling of each path first. `host` is what the server called itself.
pub(super) fn choose(record: &RunRecord, host: Option<&Domain>, accepted: &[u16]) -> Vec<u16> {
    let Some(which) = record.prove else { return Vec::new() };
    let knows_host = host.is_none_or(|host| record.target.is_known_as(host));
    let mut chosen: Vec<(usize, u16, u16)> = Vec::new();
    for (path, _) in (0..).zip(record.target_paths()) {
        let here = |number: &u16| {
            let probe = record.probe(*number).filter(|probe| probe.path == path)?;
            record.case(probe).filter(|case| can_carry(case, knows_host)).map(|case| (probe, case))
        };
        let mut rows: Vec<(&Probe, &Case)> = accepted.iter().filter_map(here).collect();
        rows.sort_by_key(|(probe, case)| {
            (case.acceptance == Acceptance::Uninformative, !case.is_plain(), probe.number)
        });
        if which == Prove::Families && record.selection != Selection::Named {
            keep_one_of_each_family(&mut rows);
        }
        rows.dedup_by_key(|(probe, _)| probe.number);
        chosen.extend(rows.iter().enumerate().map(|(rank, (probe, _))| (rank, path, probe.number)));
    }
    chosen.sort_unstable();
    chosen.truncate(usize::from(record.limits.messages));
    chosen.into_iter().map(|(.., number)| number).collect()
}

/// What a caller defined was asked for by name, so each such case is its own family.
fn keep_one_of_each_family(rows: &mut Vec<(&Probe, &Case)>) {
    let mut seen: Vec<Family> = Vec::new();
    rows.retain(|(_, case)| {
        let first = !seen.contains(&case.family);
        seen.push(case.family);
        first || case.family == Family::Custom
    });
}

/// Messages go to names in our own domains alone. A recipient of the target's own in the same transaction would get one
/// too. And a server can call itself by anybody's name, to whom it would then bring the message, or a report about it:
/// only a name that the caller knows it by stands in the envelope of a message.
fn can_carry(case: &Case, knows_host: bool) -> bool {
    let ours = matches!(case.to, Recipient::Probe | Recipient::Lure);
    let named = [&case.mail, &case.rcpt].iter().any(|line| line.argument.holds(Name::TargetHost));
    ours && !case.is_control() && case.shape != Shape::LocalFirst && (knows_host || !named)
}

/// The commands and the message of one probe.
pub(super) fn lines(
    probe: &Probe,
    case: &Case,
    names: &Names<'_>,
    ehlo: &Ehlo,
    place: Place,
    date: Date,
) -> Result<Vec<Line>, Unfit> {
    if let Some(&need) = case.needs.iter().find(|need| !need.is_met_by(ehlo)) {
        return Err(Unfit::Need(need));
    }
    let number = probe.number;
    let command = |step, line: &CommandLine| Line::command(step, Some(number), line);
    let mail = command(Step::Mail, &names.mail_for_message(ehlo)?);
    let rcpt = command(Step::Rcpt, &names.rcpt()?);
    let letter = names.letter(place.number, place.of, date)?;
    Ok(match case.transfer {
        Transfer::Data => {
            let announced = command(Step::Data, &CommandLine::DATA);
            [mail, rcpt, announced, Line::message(number, message::encode(&letter))].into()
        }
        // One chunk, in the same write as the command that announces it (RFC 3030 §2).
        Transfer::Bdat => {
            let announced = alloc::format!("BDAT {} LAST\r\n", letter.len());
            [mail, rcpt, Line::message(number, [announced.as_bytes(), &letter].concat())].into()
        }
    })
}
