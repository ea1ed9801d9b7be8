//! The report as JSON, and back.

use alloc::string::String;
use alloc::vec::Vec;

use super::Report;
use crate::lookup::Listing;
use crate::moment::Date;
use crate::octets::{escape, json};
use crate::plan::RunRecord;
use crate::receipt::Receipt;
use crate::transcript::Transcript;

/// A stored report cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// It is not the JSON of a report, or damaged. What it quotes of the text is escaped.
    #[error("this is not a relayprobe report: {fault}")]
    Json {
        /// What is wrong, and where.
        fault: String,
    },
    /// It is newer than this library.
    #[error("the report has format {format}; this version reads up to {}", Report::FORMAT)]
    Newer {
        /// Its format.
        format: u32,
    },
}

#[derive(serde::Deserialize)]
struct Head {
    format: u32,
}

#[derive(serde::Deserialize)]
struct Evidence {
    run: RunRecord,
    transcript: Transcript,
    receipts: Vec<Receipt>,
    as_of: Date,
    #[serde(default)]
    listings: Vec<Listing>,
}

impl Report {
    /// The JSON form, on one line. The schema is in docs.
    pub fn to_json(&self) -> String {
        json(self)
    }

    /// Reads a stored report and judges it anew from its run record, transcript and receipts, as of its own date.
    pub fn from_json(text: &str) -> Result<Self, ReportError> {
        let fault = |error: serde_json::Error| ReportError::Json {
            fault: escape(alloc::format!("{error}").as_bytes()),
        };
        let head: Head = serde_json::from_str(text).map_err(fault)?;
        if head.format > Self::FORMAT {
            return Err(ReportError::Newer { format: head.format });
        }
        let evidence: Evidence = serde_json::from_str(text).map_err(fault)?;
        let mut report = Self::judged(evidence.run, evidence.transcript, evidence.receipts, evidence.as_of);
        report.listings = evidence.listings;
        Ok(report)
    }
}
