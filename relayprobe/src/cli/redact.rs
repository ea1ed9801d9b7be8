//! `relayprobe redact`: a report that can be shown to others.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Failure;
use crate::cli::judge::{self, JudgeError, LIMIT};
use crate::cli::output::show;
use crate::cli::read::read_text;

/// Print a stored report as JSON without the names of people; it is judged the same
#[derive(Args, Debug)]
pub(crate) struct RedactOptions {
    /// The report as --json or the store has written it; - for standard input
    #[arg(value_name = "REPORT")]
    report: PathBuf,
}

pub(crate) fn redact(options: &RedactOptions) -> Result<u8, Failure> {
    let text = read_text(&options.report, LIMIT).map_err(JudgeError::Read)?;
    let report = judge::read(&text, &options.report)?.redacted();
    show(&(report.to_json() + "\n"))?;
    Ok(0)
}
