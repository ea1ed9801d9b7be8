//! The command line: what an administrator runs by hand.
//!
//! It speaks to the library by its public names alone, as any program does; the program `relayprobe` and Python's
//! `python -m relayprobe` call [`main`].

mod cases;
pub mod config;
mod demo;
mod desk;
mod domain;
pub mod files;
pub mod host;
mod init;
mod judge;
pub mod keys;
pub mod names;
mod output;
mod probe;
mod progress;
mod proof;
mod purge;
pub mod read;
mod receive;
mod redact;
mod reports;
pub mod resolve;
mod run;
pub mod self_check;
mod sink;
pub mod sources;
pub mod store;
mod sweep;
mod target;
mod targets;
mod values;
pub mod wait;
pub mod web;

use std::ffi::OsString;

use clap::{Parser, Subcommand};
use relayprobe::PlanError;

use config::ConfigError;
use demo::DemoError;
use init::InitError;
use judge::JudgeError;
use keys::KeysError;
use names::NamesError;
use output::{OutputError, tell, tell_lines, written};
use probe::ProbeError;
use proof::ProofError;
use read::ReadError;
use sources::SourceError;
use store::StoreError;
use sweep::SweepError;
use target::TargetError;
use web::AuthoritiesError;

/// Bad usage (`EX_USAGE` of sysexits.h).
const USAGE: u8 = 64;
/// A fault of this machine (`EX_IOERR`).
const LOCAL: u8 = 74;

/// Finds out whether a mail server is an open relay, and shows the evidence.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit status: 0 it does not relay, 1 suspected, 2 open relay, 3 nothing is known, 64 bad usage, 74 a fault of this machine."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoOptions),
    Probe(Box<probe::ProbeOptions>),
    Init(Box<init::InitOptions>),
    Sink(Box<sink::ListenOptions>),
    Receive(receive::ReceiveOptions),
    Cases(cases::CasesOptions),
    Judge(judge::JudgeOptions),
    Resolve(resolve::ResolveOptions),
    Listings(resolve::ListingsOptions),
    SelfCheck(Box<self_check::SelfCheckOptions>),
    Redact(redact::RedactOptions),
    Purge(purge::PurgeOptions),
}

/// Nothing could be found out, and not for the server's sake.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Probe(#[from] ProbeError),
    #[error("{0}{hint}", hint = probe::hint(.0))]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Input(ReadError),
    #[error(transparent)]
    Judge(#[from] JudgeError),
    #[error(transparent)]
    Names(#[from] NamesError),
    #[error(transparent)]
    Authorities(#[from] AuthoritiesError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Failure {
    const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Probe(_) | Self::Plan(_) | Self::Judge(_) => USAGE,
            Self::Authorities(AuthoritiesError::None { .. }) => USAGE,
            Self::Proof(ProofError::Nowhere | ProofError::Survey { .. }) => USAGE,
            Self::Demo(_)
            | Self::Proof(ProofError::Listen { .. })
            | Self::Keys(_)
            | Self::Source(_)
            | Self::Init(_)
            | Self::Authorities(AuthoritiesError::Read(_))
            | Self::Input(_) => LOCAL,
            Self::Target(error) if !error.is_local() => USAGE,
            Self::Sweep(error) if !error.is_local() => USAGE,
            Self::Names(error) if !error.is_local() => USAGE,
            Self::Target(_) | Self::Sweep(_) | Self::Names(_) | Self::Store(_) | Self::Output(_) => LOCAL,
        }
    }
}

/// Runs the command line and returns its exit status. The first argument is the name of the program.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    let done = match &cli.command {
        Command::Probe(options) => probe::probe(options),
        Command::Demo(options) => demo::demo(options),
        Command::Init(options) => init::init(options),
        Command::Sink(options) => sink::sink(options),
        Command::Receive(options) => receive::receive(options),
        Command::Redact(options) => redact::redact(options),
        Command::Purge(options) => purge::purge(options),
        Command::Cases(options) => cases::cases(options),
        Command::Judge(options) => judge::judge(options),
        Command::Resolve(options) => resolve::resolve(options),
        Command::Listings(options) => resolve::listings(options),
        Command::SelfCheck(options) => self_check::self_check(options),
    };
    done.unwrap_or_else(|failure| {
        let message = format_args!("error: {failure}");
        match &failure {
            Failure::Config(_) => tell_lines(message),
            _ => tell(message),
        }
        failure.exit_code()
    })
}

/// Shows what clap has to say: help, version, or what is wrong with the arguments.
fn explain(error: &clap::Error) -> u8 {
    let shown = written(error.print());
    match shown {
        // Without standard error there is nobody to tell.
        _ if error.use_stderr() => USAGE,
        Ok(()) => 0,
        Err(fault) => {
            tell(format_args!("error: {fault}"));
            LOCAL
        }
    }
}
