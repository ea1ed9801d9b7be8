//! relayprobe for programs written in C.
//!
//! Every function converts types and calls the engine; nothing is decided here. The documentation of what is exported
//! speaks to the reader of C: cbindgen copies it into `include/relayprobe.h`.
#![allow(non_camel_case_types, reason = "types are named as C names them")]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented
    )
)]

mod guard;
mod handle;
mod keyring;
mod names;
mod numbers;
mod plan;
mod report;
mod run;
mod session;
mod status;
mod version;
