//! Directories and files that only their owner can touch.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Why a directory is not good enough.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryFault {
    /// It cannot be made or looked at.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Only the last directory of a path is made.
    #[error("the directory that it is to lie in does not exist; make that first")]
    NoParent,
    /// A link could lead elsewhere tomorrow.
    #[error("it is a symbolic link; name the directory itself")]
    Link,
    /// Something else has its name.
    #[error("it is not a directory")]
    Kind,
    /// Whoever can write here can forge a report, or have a file of ours written elsewhere.
    #[cfg(unix)]
    #[error("others can write to it (mode {mode:03o}); chmod go-w would be right")]
    Writable {
        /// Its permissions.
        mode: u32,
    },
}

/// Makes sure that `path` is a directory to which nobody else can write. One that is missing is made.
pub fn directory(path: &Path) -> Result<(), DirectoryFault> {
    match builder().create(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(DirectoryFault::NoParent),
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        Err(DirectoryFault::Link)
    } else if !found.is_dir() {
        Err(DirectoryFault::Kind)
    } else {
        check_mode(&found)
    }
}

/// Writes a file so that it is there whole or not at all, whatever happens. One of that name is replaced.
pub fn write(directory: &Path, name: &str, text: &str) -> io::Result<()> {
    let draft = directory.join(format!(".{name}.new"));
    // A draft that a killed run left behind is of no use to anybody.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    write_by(&draft, directory, name, text)
}

/// The same by way of a draft that does not exist yet, on the same file system.
pub fn write_by(draft: &Path, directory: &Path, name: &str, text: &str) -> io::Result<()> {
    let written = options().write(true).create_new(true).open(draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(draft, directory.join(name))) {
        // On a full disk a draft would make things worse.
        let _gone = fs::remove_file(draft);
        return Err(error);
    }
    sync(directory)
}

/// Opens the file that stands for a lock, and makes it if it is missing.
pub fn lock_file(path: &Path) -> io::Result<File> {
    options().read(true).write(true).create(true).truncate(false).open(path)
}

#[cfg(unix)]
fn builder() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(unix)]
fn check_mode(found: &fs::Metadata) -> Result<(), DirectoryFault> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o022 == 0 { Ok(()) } else { Err(DirectoryFault::Writable { mode }) }
}

/// A new name is only safe once its directory is.
#[cfg(unix)]
pub fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn builder() -> DirBuilder {
    DirBuilder::new()
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(not(unix))]
fn check_mode(_: &fs::Metadata) -> Result<(), DirectoryFault> {
    Ok(())
}

/// A new name is only safe once its directory is.
#[cfg(not(unix))]
pub fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}
