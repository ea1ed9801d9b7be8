//! `relayprobe judge`: a stored report, judged anew.

use std::path::PathBuf;

use clap::Args;
use relayprobe::Report;
use relayprobe::report::ReportError;
use serde::Deserialize;

use crate::Failure;
use crate::output::{show, tell};
use crate::read::{ReadError, read_text};

/// Many times what the limits of a run let a report grow to.
const LIMIT: u64 = 256 << 20;

/// Judge a stored report again, from its run record and its transcript
#[derive(Args, Debug)]
pub(crate) struct JudgeOptions {
    /// The report as --json or the store has written it; - for standard input
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// Print the report as JSON and nothing else
    #[arg(long)]
    json: bool,
}

/// A report cannot be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JudgeError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{}: {fault}", path.display())]
    Report { path: PathBuf, fault: ReportError },
}

/// What was said when the report was made.
#[derive(Deserialize)]
struct Stored {
    verdict: String,
}

pub(crate) fn judge(options: &JudgeOptions) -> Result<u8, Failure> {
    let text = read_text(&options.report, LIMIT).map_err(JudgeError::Read)?;
    let report = Report::from_json(&text)
        .map_err(|fault| JudgeError::Report { path: options.report.clone(), fault })?;
    let verdict = report.verdict.as_str();
    match serde_json::from_str::<Stored>(&text) {
        Ok(stored) if stored.verdict == verdict => {}
        Ok(stored) => tell(format_args!(
            "note: the stored verdict is {}, by an earlier or later version; this one says {verdict}",
            stored.verdict
        )),
        Err(_) => tell("note: the stored report has no verdict to compare with"),
    }
    show(&if options.json { report.to_json() + "\n" } else { report.text() })?;
    Ok(report.exit_code)
}
