//! Support for the tests: dialogue files, scripted servers, real mail servers.

#![allow(clippy::missing_panics_doc, reason = "support for tests panics when a test cannot go on")]

pub mod c_header;
pub mod c_library;
pub mod c_nulls;
pub mod c_session;
pub mod dialogue;
pub mod expect;
pub mod hostile;
pub mod hosts;
pub mod liar;
pub mod process;
pub mod program;
pub mod program_help;
pub mod proof;
pub mod receiving;
pub mod script;
pub mod servers;
pub mod sockets;
pub mod stub_sink;
pub mod survey;
pub mod virtual_time;
#[cfg(target_os = "linux")]
pub mod wire;
