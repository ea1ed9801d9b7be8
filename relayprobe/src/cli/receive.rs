//! `relayprobe receive`: one message that another server received for us.

use std::io::{self, Read as _};
use std::path::PathBuf;

use clap::Args;
use relayprobe::driver;
use relayprobe::receipt::Arrival;

use crate::cli::Failure;
use crate::cli::desk::{Desk, Met};
use crate::cli::read::ReadError;
use crate::cli::sink::mark;
use crate::cli::store::{Store, StoreError};

/// Twice what our own receiving server takes.
const LIMIT: u64 = 128 << 10;

/// Take one message from standard input, and judge its stored report anew; for a .forward or a transport
#[derive(Args, Debug)]
pub(crate) struct ReceiveOptions {
    /// The store with keys, runs and reports; the message is kept there
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Command of the shell to run when the verdict moves
    #[arg(long, value_name = "COMMAND")]
    on_change: Option<String>,
}

pub(crate) fn receive(options: &ReceiveOptions) -> Result<u8, Failure> {
    let store = Store::open(&options.store)?;
    let desk = Desk { store: &store, keys: store.keys()?, on_change: options.on_change.as_deref() };
    let mut octets = Vec::new();
    let path = PathBuf::from("-");
    let read = io::stdin().lock().take(LIMIT + 1).read_to_end(&mut octets);
    read.map_err(|fault| Failure::Input(ReadError::File { path: path.clone(), fault }))?;
    if octets.len() as u64 > LIMIT {
        return Err(Failure::Input(ReadError::Size { path, limit: LIMIT }));
    }
    let arrival = Arrival::from_message(&octets, driver::now());
    let spool = store.spool()?;
    let kept =
        spool.keep(&arrival).map_err(|fault| StoreError::Write { path: options.store.clone(), fault })?;
    if desk.take(&arrival)? == Met::Settled {
        mark(&spool, &kept)?;
    }
    Ok(0)
}
