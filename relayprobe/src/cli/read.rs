//! Files that the user names.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read {}: {fault}", path.display())]
    File { path: PathBuf, fault: io::Error },
    #[error("{} is larger than {limit} octets, which is no such file", path.display())]
    Size { path: PathBuf, limit: u64 },
    #[error("{} is not text in UTF-8; the first octet that does not fit is at {at}", path.display())]
    Text { path: PathBuf, at: usize },
}

/// Reads a text of at most `limit` octets; `-` is standard input.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String, ReadError> {
    let fault = |fault| ReadError::File { path: path.into(), fault };
    let octets = if path.as_os_str() == "-" {
        take(io::stdin().lock(), limit).map_err(fault)?
    } else {
        take(File::open(path).map_err(fault)?, limit).map_err(fault)?
    };
    if octets.len() as u64 > limit {
        return Err(ReadError::Size { path: path.into(), limit });
    }
    String::from_utf8(octets)
        .map_err(|error| ReadError::Text { path: path.into(), at: error.utf8_error().valid_up_to() })
}

/// One octet more than the limit is enough to know.
fn take(from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    from.take(limit.saturating_add(1)).read_to_end(&mut octets)?;
    Ok(octets)
}
