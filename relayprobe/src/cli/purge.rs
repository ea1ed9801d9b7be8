//! `relayprobe purge`: a store forgets.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use relayprobe::driver;
use relayprobe::moment::Date;

use crate::cli::Failure;
use crate::cli::output::tell;
use crate::cli::store::Store;

/// Take runs, reports and receipts away that are older than so long; they hold addresses of people
#[derive(Args, Debug)]
pub(crate) struct PurgeOptions {
    /// The store
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// What is older goes, like 30d
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    older_than: Duration,
}

pub(crate) fn purge(options: &PurgeOptions) -> Result<u8, Failure> {
    let limit = Date::from_unix(driver::now().unix().saturating_sub(options.older_than.as_secs()));
    let gone = Store::open_old(&options.store)?.purge(limit)?;
    tell(format_args!("{gone} files older than {limit} are gone"));
    Ok(0)
}
