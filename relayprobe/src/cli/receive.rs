//! `relayprobe receive`: one message that another server received for us.

use std::fs;
use std::io::{self, Read as _};
use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use relayprobe::driver;
use relayprobe::receipt::Arrival;

use crate::cli::desk::{Desk, Met};
use crate::cli::output::tell;
use crate::cli::read::ReadError;
use crate::cli::sink::mark;
use crate::cli::store::{Store, StoreError};
use crate::cli::{Failure, LOCAL};

/// Twice what our own receiving server takes.
const LIMIT: u64 = 128 << 10;
/// A fault that may pass (`EX_TEMPFAIL`).
const AGAIN: u8 = 75;

/// What the message is not ours ends with, so that its sender is told (`EX_NOUSER`).
const NO_USER: u8 = 67;

/// Take one message from standard input, and judge its stored report anew; for a .forward or a transport
#[derive(Args, Debug)]
pub(crate) struct ReceiveOptions {
    /// The store with keys, runs and reports; what belongs to a run is kept there
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Command of the shell to run when the verdict moves
    #[arg(long, value_name = "COMMAND", value_parser = NonEmptyStringValueParser::new())]
    on_change: Option<String>,
    /// End with 67 for a message without a token that is no report, so that a transport tells its sender
    #[arg(long)]
    refuse_others: bool,
}

pub(crate) fn receive(options: &ReceiveOptions) -> Result<u8, Failure> {
    // Whoever runs this for each message tries again later, and nothing is lost.
    take(options).or_else(|failure| match failure.exit_code() {
        LOCAL => {
            tell(format_args!("error: {failure}"));
            Ok(AGAIN)
        }
        _ => Err(failure),
    })
}

fn take(options: &ReceiveOptions) -> Result<u8, Failure> {
    let store = Store::open_old(&options.store)?;
    let desk = Desk { store: &store, on_change: options.on_change.as_deref() };
    let mut octets = Vec::new();
    let path = PathBuf::from("-");
    let read = io::stdin().lock().take(LIMIT + 1).read_to_end(&mut octets);
    read.map_err(|fault| Failure::Input(ReadError::File { path: path.clone(), fault }))?;
    // A longer one is none of ours, and its beginning tells who is to be told.
    octets.truncate(usize::try_from(LIMIT).unwrap_or(usize::MAX));
    let arrival = Arrival::from_message(&octets, driver::now());
    let spool = store.spool()?;
    let kept =
        spool.keep(&arrival).map_err(|fault| StoreError::Write { path: options.store.clone(), fault })?;
    match desk.take(&arrival)? {
        Met::Settled => mark(&spool, &kept)?,
        Met::Early => {}
        Met::NotOurs => {
            // It holds somebody's mail, and nothing for us.
            fs::remove_file(&kept).map_err(|fault| StoreError::Write { path: kept.clone(), fault })?;
            let report =
                arrival.envelope.as_ref().is_some_and(|envelope| envelope.sender.as_bytes().is_empty());
            if options.refuse_others && !report {
                tell("this is no test message, and no people are reached here");
                return Ok(NO_USER);
            }
        }
    }
    Ok(0)
}
