//! The file of the keys: only its owner may read it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use relayprobe::Keyring;
use relayprobe::driver;
use relayprobe::token::{Key, KeyringError};

/// The keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("cannot read the keys in {}: {fault}", path.display())]
    Read { path: PathBuf, fault: io::Error },
    #[error("{}: {fault}", path.display())]
    Keyring { path: PathBuf, fault: KeyringError },
    #[cfg(unix)]
    #[error("others can read the keys in {} (mode {mode:03o}); chmod 600 would be right", path.display())]
    Readable { path: PathBuf, mode: u32 },
    #[error("the system gives no random numbers for a key: {fault}")]
    Random { fault: getrandom::Error },
}

/// A ring with one key that nobody can guess.
pub fn fresh() -> Result<Keyring, KeysError> {
    Ok(Keyring::new(secret()?, driver::now()))
}

/// Puts a new key into use; the older ones still check what they made.
pub(crate) fn roll(ring: &mut Keyring) -> Result<(), KeysError> {
    ring.roll(secret()?, driver::now());
    Ok(())
}

/// Reads a ring from its file.
pub fn read(path: &Path) -> Result<Keyring, KeysError> {
    check_mode(path)?;
    let text = fs::read_to_string(path).map_err(|fault| KeysError::Read { path: path.into(), fault })?;
    Keyring::from_text(&text).map_err(|fault| KeysError::Keyring { path: path.into(), fault })
}

fn secret() -> Result<[u8; Key::OCTETS], KeysError> {
    let mut secret = [0; Key::OCTETS];
    getrandom::fill(&mut secret).map_err(|fault| KeysError::Random { fault })?;
    Ok(secret)
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), KeysError> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = fs::metadata(path).map_err(|fault| KeysError::Read { path: path.into(), fault })?;
    let mode = found.permissions().mode() & 0o777;
    if mode.trailing_zeros() >= 6 { Ok(()) } else { Err(KeysError::Readable { path: path.into(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<(), KeysError> {
    Ok(())
}
