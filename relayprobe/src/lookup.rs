//! What is asked of the DNS, and what its answers mean. Nothing here has a socket.
//!
//! Each [`Search`] says what it wants to know and is told what was answered, so an agent can use the resolver that it
//! has. The feature `dns` brings one: `dns::Resolver`.
//!
//! An answer never changes a verdict, and an address that it names is tested only if its [`Scope`](crate::address::Scope)
//! allows it.

mod chain;
mod check;
mod desk;
mod host;
mod inbound;
mod list;
mod listing;
mod mail;
mod probing;
mod question;
mod reverse;

pub use chain::Fault;
pub use check::{Check, CheckSearch, CheckState, Finding, SelfCheck};
pub use host::HostSearch;
pub use inbound::InboundPath;
pub use list::{Codes, CodesError, Doubt, Family, List, ListAnswer, Meaning, decode, query_name, test_name};
pub use listing::{ListSearch, Listing};
pub use mail::{MailDomain, MailHost, MailSearch, MailService, Note};
pub use probing::{ProbingText, check_probing_text, probing_text};
pub use question::{Answer, Data, Kind, Question, Record, Trouble};
pub use reverse::{Confirmed, Reverse, ReverseName, ReverseSearch, reverse_name};

/// Something that is looked up by one or more questions.
///
/// Ask what [`poll_question`](Self::poll_question) gives until it gives nothing, and hand over each answer. When there is
/// nothing to ask and nothing unanswered, the search has ended: a failed question is answered too.
pub trait Search {
    /// What comes of it.
    type Found;

    /// The next thing to be asked, if there is one just now. Questions do not depend on each other until they are answered.
    fn poll_question(&mut self) -> Option<Question>;

    /// Takes an answer. One to a question that is not open is ignored.
    fn handle_answer(&mut self, question: &Question, answer: Answer);

    /// What is known now.
    fn into_found(self) -> Self::Found;
}

#[cfg(test)]
mod tests;
