//! Which reply belongs to which command: the pairing rules.
//!
//! The session keeps a ledger while it talks, and judgement makes the same one again from the transcript, so nothing is
//! decided that the transcript does not show.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::Step;
use crate::wire::Code;

/// A command, or a greeting, that waits for its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) step: Step,
    pub(crate) probe: Option<u16>,
}

/// What a reply is to the step it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Done: the next step may come.
    Done,
    /// Go on with the message.
    GoOn,
    /// Refused, for good or for now.
    Refused,
    /// 421: the server is closing. Not now, and never a refusal (RFC 5321 §3.8).
    Closing,
    /// A code that does not belong to this step.
    Odd,
}

/// How replies and commands came to no longer belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Astray {
    /// A reply came that nothing had asked for.
    Surplus,
    /// A reply has a code that its command cannot have.
    WrongCode,
    /// A recipient was accepted although its sender had been refused.
    Contradiction,
    /// Octets came that are no reply.
    NotAReply,
    /// The connection ended with several commands unanswered.
    Missing,
    /// A message was answered before it had been written to its end.
    Early,
}

/// The reply that settles a probe on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The probe.
    pub probe: u16,
    /// The step at which it was settled.
    pub step: Step,
    /// The code.
    pub code: Code,
    /// Index of the reply among the entries of its connection.
    pub entry: usize,
}

/// A reply with its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) asked: Asked,
    pub(crate) class: Class,
    pub(crate) code: Code,
    pub(crate) entry: usize,
}

/// The pairing of one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    waiting: VecDeque<Asked>,
    turns: Vec<Turn>,
    answers: Vec<Answer>,
    /// Answers up to here are certain if nothing follows but the end of the connection.
    certain: usize,
    /// Answers up to here were certain before the group that is being answered was written: later confusion does not
    /// touch them.
    proven: usize,
    sender: Option<Class>,
    /// Probes whose message was begun: it may have been delivered, whatever was answered.
    begun: Vec<u16>,
    refused: Option<usize>,
    astray: Option<Astray>,
    closing: bool,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Room for the replies to commands: a transaction takes three of them, and has one answer.
    pub(crate) fn make_room(&mut self, commands: usize) {
        self.turns.reserve_exact(commands);
        self.answers.reserve_exact(commands / 3);
    }

    /// So many commands are about to be sent at once.
    pub(crate) fn expect(&mut self, commands: usize) {
        self.waiting.reserve(commands);
    }

    /// The connection is there: the server speaks first.
    pub(crate) fn connected(&mut self) {
        self.asked(Step::Greeting, None);
    }

    /// A command was sent.
    pub(crate) fn asked(&mut self, step: Step, probe: Option<u16>) {
        if step == Step::Message {
            self.begun.extend(probe);
        }
        if self.waiting.is_empty() {
            self.proven = self.certain;
        }
        self.waiting.push_back(Asked { step, probe });
    }

    /// A whole reply came, kept as entry `entry`.
    pub(crate) fn answered(&mut self, code: Code, entry: usize) -> Result<Turn, Astray> {
        if let Some(how) = self.astray {
            return Err(how);
        }
        let Some(asked) = self.waiting.pop_front() else {
            // A server may say at any time that it is closing (RFC 5321 §3.8).
            if code.number() == 421 {
                self.closing = true;
                return Ok(Turn {
                    asked: Asked { step: Step::Quit, probe: None },
                    class: Class::Closing,
                    code,
                    entry,
                });
            }
            return Err(self.lose_step(Astray::Surplus));
        };
        let turn = Turn { asked, class: class(asked.step, code), code, entry };
        self.turns.push(turn);
        match turn.class {
            Class::Odd => return Err(self.lose_step(Astray::WrongCode)),
            Class::Closing => {
                self.closing = true;
                // What was sent behind it will not be answered, and that is no confusion.
                self.waiting.clear();
                self.drop_doubtful();
                return Ok(turn);
            }
            Class::Done | Class::GoOn | Class::Refused => {}
        }
        self.settle(turn)?;
        Ok(turn)
    }

    /// What this reply means for its probe, and for what is certain.
    fn settle(&mut self, turn: Turn) -> Result<(), Astray> {
        let refused = turn.class == Class::Refused;
        match turn.asked.step {
            Step::Mail => {
                self.sender = Some(turn.class);
                if refused {
                    self.answer(turn);
                }
            }
            // Without a sender there is no recipient: 503 or anything like it.
            Step::Rcpt | Step::OwnRcpt if self.sender == Some(Class::Refused) => {
                if turn.class == Class::Done {
                    return Err(self.lose_step(Astray::Contradiction));
                }
            }
            Step::Rcpt => {
                self.answer(turn);
                self.refused = refused.then_some(self.answers.len());
            }
            Step::Message => {
                self.answer(turn);
                self.sender = None;
            }
            Step::Hello if refused => self.answer(turn),
            Step::Data if refused => self.answer_data(turn),
            Step::Reset => {
                // A refusal and then a 250 cannot be two other replies shifted by one.
                self.certain = self.refused.take().unwrap_or(self.certain);
                self.sender = None;
            }
            // No other command is answered with 221, or with 354.
            Step::Quit | Step::Data => self.certain = self.answers.len(),
            Step::Connect
            | Step::Greeting
            | Step::Hello
            | Step::StartTls
            | Step::Handshake
            | Step::OwnRcpt => {}
        }
        Ok(())
    }

    fn answer(&mut self, turn: Turn) {
        let Turn { asked, code, entry, .. } = turn;
        self.answers.extend(asked.probe.map(|probe| Answer { probe, step: asked.step, code, entry }));
    }

    /// A refused DATA behind an accepted recipient settles the case anew.
    fn answer_data(&mut self, turn: Turn) {
        let accepted =
            |answer: &&mut Answer| Some(answer.probe) == turn.asked.probe && answer.code.is_positive();
        if let Some(answer) = self.answers.iter_mut().rev().find(accepted) {
            *answer = Answer { step: Step::Data, code: turn.code, entry: turn.entry, ..*answer };
        }
    }

    /// The connection ended by itself, or had to be ended.
    pub(crate) fn cut_off(&mut self) {
        let mut open = self.waiting.iter().filter(|asked| asked.step != Step::Quit).peekable();
        let unanswered = open.peek().is_some();
        // One command unanswered is just that. With several, a reply in the middle may be the one that is missing.
        if self.waiting.len() > 1 && !self.closing {
            self.lose_step(Astray::Missing);
        } else if unanswered {
            self.drop_doubtful();
        }
        self.waiting.clear();
    }

    /// Drops acceptances of a group that was not answered to its end: replies too many may have shifted it, and only the
    /// count of all would tell.
    ///
    /// A refusal needs no such care: whatever it answered, nothing was accepted.
    fn drop_doubtful(&mut self) {
        let mut at = 0;
        let proven = self.proven;
        self.answers.retain(|answer| {
            at += 1;
            at <= proven || !answer.code.is_positive()
        });
    }

    /// The connection is out of step: what is not certain is void.
    pub(crate) fn lose_step(&mut self, how: Astray) -> Astray {
        let leaving = self.waiting.len() == 1 && self.waiting.iter().all(|asked| asked.step == Step::Quit);
        if leaving && how == Astray::NotAReply {
            // Junk in answer to QUIT is no answer of another command, and a QUIT without an answer changes nothing.
            self.waiting.clear();
        } else if self.astray.is_none() {
            // Replies that are missing at the end shift nothing. Surplus ones in a group may have shifted a whole transaction,
            // so that even a refusal with its 250 to RSET belongs to another case.
            if how == Astray::Missing {
                self.answers.truncate(self.certain);
                self.drop_doubtful();
            } else {
                self.answers.truncate(self.proven);
            }
            self.waiting.clear();
            self.astray = Some(how);
        }
        how
    }

    /// What was answered, as far as it counts.
    pub(crate) fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// Whether the message of a probe was begun on this connection.
    pub(crate) fn has_begun(&self, probe: u16) -> bool {
        self.begun.contains(&probe)
    }

    /// Whether the server waits for a message.
    pub(crate) fn wants_message(&self) -> bool {
        self.waiting.is_empty() && self.turns.last().is_some_and(|turn| turn.class == Class::GoOn)
    }

    /// Every reply that was paired.
    pub(crate) fn turns(&self) -> &[Turn] {
        &self.turns
    }

    /// The next command that waits for its reply.
    pub(crate) fn next(&self) -> Option<Asked> {
        self.waiting.front().copied()
    }

    /// Whether the server greeted us and took us in.
    pub(crate) fn is_greeted(&self) -> bool {
        self.turns.first().is_some_and(|turn| turn.class == Class::Done)
    }

    /// How the connection came to be out of step, if it did.
    pub(crate) const fn astray(&self) -> Option<Astray> {
        self.astray
    }

    /// Whether the server said that it is closing.
    pub(crate) const fn is_closing(&self) -> bool {
        self.closing
    }
}

/// What a code is to a step.
const fn class(step: Step, code: Code) -> Class {
    match (step, code.number()) {
        (_, 421) => Class::Closing,
        (Step::Greeting | Step::StartTls, 220)
        | (Step::Hello | Step::Mail | Step::Message | Step::Reset, 250)
        | (Step::Rcpt | Step::OwnRcpt, 250..=252)
        | (Step::Quit, 221) => Class::Done,
        (Step::Data, 354) => Class::GoOn,
        (
            Step::Greeting
            | Step::Hello
            | Step::StartTls
            | Step::Mail
            | Step::OwnRcpt
            | Step::Rcpt
            | Step::Data
            | Step::Message,
            400..=599,
        ) => Class::Refused,
        (
            Step::Connect
            | Step::Greeting
            | Step::Hello
            | Step::StartTls
            | Step::Handshake
            | Step::Mail
            | Step::OwnRcpt
            | Step::Rcpt
            | Step::Data
            | Step::Message
            | Step::Reset
            | Step::Quit,
            _,
        ) => Class::Odd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(number: u16) -> Code {
        Code::at_start(alloc::format!("{number} x\r\n").as_bytes()).unwrap()
    }

    /// A group of two cases and QUIT, answered with these codes; what counts of the answers.
    fn group(codes: &[u16]) -> (Vec<(u16, u16)>, Option<Astray>) {
        let mut ledger = Ledger::new();
        for (step, probe) in [
            (Step::Mail, Some(1)),
            (Step::Rcpt, Some(1)),
            (Step::Reset, None),
            (Step::Mail, Some(2)),
            (Step::Rcpt, Some(2)),
            (Step::Quit, None),
        ] {
            ledger.asked(step, probe);
        }
        for (at, &number) in codes.iter().enumerate() {
            let _ = ledger.answered(code(number), at);
        }
        ledger.cut_off();
        (ledger.answers().iter().map(|a| (a.probe, a.code.number())).collect(), ledger.astray())
    }

    #[test]
    fn replies_belong_to_commands_in_order() {
        assert_eq!(group(&[250, 550, 250, 250, 250, 221]), ([(1, 550), (2, 250)].into(), None));
    }

    #[test]
    fn a_surplus_reply_voids_what_is_not_certain() {
        // One 250 too many after the first MAIL: the recipient seems accepted until RSET gets its refusal.
        assert_eq!(group(&[250, 250, 550, 250, 250, 550, 221]), ([].into(), Some(Astray::WrongCode)));
        // Of a server that accepts everything, only the count can tell.
        assert_eq!(group(&[250, 250, 250, 250, 250, 250, 221]), ([].into(), Some(Astray::WrongCode)));
    }

    #[test]
    fn surplus_replies_to_a_whole_transaction_void_the_refusal_behind_them() {
        // Three too many: the refusal and the 250 behind it answer the first case, and are paired with the second.
        let shifted = [250, 250, 250, 250, 550, 250];
        assert_eq!(group(&shifted), ([].into(), Some(Astray::WrongCode)));
    }

    #[test]
    fn what_was_certain_before_a_group_stays() {
        let mut ledger = Ledger::new();
        let one =
            [(Step::Mail, 250), (Step::Rcpt, 550), (Step::Reset, 250), (Step::Mail, 250), (Step::Rcpt, 251)];
        for (step, number) in one {
            ledger.asked(step, (step != Step::Reset).then_some(1));
            assert!(ledger.answered(code(number), 0).is_ok());
        }
        ledger.asked(Step::Reset, None);
        assert_eq!(ledger.answered(code(550), 0), Err(Astray::WrongCode));
        assert_eq!(ledger.answers().len(), 1);
    }

    #[test]
    fn a_missing_reply_voids_what_is_not_certain() {
        assert_eq!(group(&[250, 250, 250, 550, 221]), ([].into(), Some(Astray::WrongCode)));
        assert_eq!(group(&[250, 550, 250, 250]), ([(1, 550)].into(), Some(Astray::Missing)));
    }

    #[test]
    fn an_acceptance_does_not_count_in_a_group_that_was_not_answered_to_its_end() {
        let mut ledger = Ledger::new();
        for probe in 1..=3 {
            ledger.asked(Step::Mail, Some(probe));
            ledger.asked(Step::Rcpt, Some(probe));
            ledger.asked(Step::Reset, None);
        }
        // Three too many, and the rest never comes: the refusal that seems to be the second recipient's is the first one's.
        for (at, number) in [250, 250, 250, 250, 550, 250].into_iter().enumerate() {
            let _ = ledger.answered(code(number), at);
        }
        ledger.cut_off();
        assert_eq!(ledger.answers().iter().map(|answer| answer.code.number()).collect::<Vec<_>>(), [550]);
    }

    #[test]
    fn a_recipient_without_a_sender_is_a_contradiction() {
        assert_eq!(group(&[550, 250, 250, 250, 550, 221]), ([].into(), Some(Astray::Contradiction)));
        assert_eq!(group(&[550, 503, 250, 250, 550, 221]).0, [(1, 550), (2, 550)]);
    }

    #[test]
    fn what_was_learnt_before_421_is_kept() {
        assert_eq!(group(&[250, 550, 421]), ([(1, 550)].into(), None));
        assert_eq!(group(&[250, 421]), ([].into(), None));
    }

    #[test]
    fn a_quit_without_an_answer_changes_nothing() {
        assert_eq!(group(&[250, 550, 250, 250, 250]), ([(1, 550), (2, 250)].into(), None));
    }

    #[test]
    fn a_quit_with_the_answer_of_another_command_does() {
        assert_eq!(group(&[250, 550, 250, 250, 250, 250]), ([].into(), Some(Astray::WrongCode)));
    }
}
