//! Support for the tests: dialogue files, scripted servers, real mail servers.

pub mod dialogue;
pub mod expect;
pub mod program;
pub mod script;
pub mod servers;
pub mod sockets;
pub mod survey;
pub mod virtual_time;
