//! The test message, and how a message goes over the wire.

mod encode;
mod letter;

pub use encode::encode;
pub(crate) use letter::Letter;
