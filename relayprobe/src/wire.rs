//! Octets to values and back: replies, enhanced codes, keywords, commands.

mod command;
mod ehlo;
mod enhanced;
pub(crate) mod phrases;
mod queue_id;
mod reply;
mod vocabulary;
mod wording;

pub use command::{CommandError, CommandLine};
pub use ehlo::{Ehlo, Extension, SessionLimits};
pub use enhanced::EnhancedCode;
pub use queue_id::queue_id;
pub use reply::{Code, Reply, ReplyDecoder, ReplyFault, ReplyLimits};
pub(crate) use vocabulary::is_common;
pub(crate) use wording::{Reader, Wording, are_in_the_same_words, gives_no_ground, holds, holds_word};
