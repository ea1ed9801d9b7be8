//! The questions of one search: which are open, and how many there may be.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::chain::{Chain, Fault, Step};
use super::question::{Answer, Data, Kind, Question};
use crate::address::Domain;

/// Questions with what they are asked for.
#[derive(Clone, Debug)]
pub(super) struct Desk<T> {
    waiting: VecDeque<Task<T>>,
    asked: Vec<Task<T>>,
    left: u16,
}

#[derive(Clone, Debug)]
struct Task<T> {
    what: T,
    question: Question,
    chain: Chain,
}

/// What became of a question.
pub(super) struct Done<T> {
    pub(super) what: T,
    pub(super) aliases: Vec<String>,
    pub(super) found: Result<Vec<Data>, Fault>,
}

impl<T> Desk<T> {
    /// A desk that asks at most `limit` questions, aliases included.
    pub(super) const fn new(limit: u16) -> Self {
        Self { waiting: VecDeque::new(), asked: Vec::new(), left: limit }
    }

    pub(super) fn ask(&mut self, what: T, name: &Domain, kind: Kind) {
        let question = Question { name: name.clone(), kind };
        let chain = Chain::new(&question);
        self.waiting.push_back(Task { what, question, chain });
    }

    pub(super) fn poll(&mut self) -> Option<Question> {
        if self.left == 0 {
            return None;
        }
        let task = self.waiting.pop_front()?;
        self.left -= 1;
        let question = task.question.clone();
        self.asked.push(task);
        Some(question)
    }

    /// Takes an answer. What is done with by it, and what can no longer be asked.
    pub(super) fn take(&mut self, question: &Question, answer: Answer) -> Vec<Done<T>> {
        let Some(at) = self.asked.iter().position(|task| task.question == *question) else {
            return Vec::new();
        };
        let mut task = self.asked.remove(at);
        match task.chain.take(answer) {
            Step::Ask(next) => {
                task.question = next;
                // What is nearly known comes before what is not begun.
                self.waiting.push_front(task);
                Vec::new()
            }
            Step::Ended(found) => {
                [Done { what: task.what, aliases: task.chain.into_aliases(), found }].into()
            }
        }
    }

    /// What was never asked, because there were too many questions. Nothing is left to be asked.
    pub(super) fn give_up(&mut self) -> Vec<Done<T>> {
        let unasked = self.waiting.drain(..).chain(self.asked.drain(..));
        let done = |task: Task<T>| Done {
            what: task.what,
            aliases: task.chain.into_aliases(),
            found: Err(Fault::ManyQuestions),
        };
        unasked.map(done).collect()
    }
}
