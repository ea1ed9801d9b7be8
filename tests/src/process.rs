//! What this process takes of its machine (Linux).

use std::fs;

/// A line of this process's status that is a size, such as `VmRSS`, in octets.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn status(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the status");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("the line");
    let number = line.trim_start_matches(':').trim().trim_end_matches("kB").trim();
    number.parse::<u64>().expect("a number") * 1_024
}

/// Descriptors that this process has open.
///
/// # Panics
/// If they cannot be counted.
#[must_use]
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("the descriptors").count()
}
