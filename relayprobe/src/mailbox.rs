//! Mailboxes on disk: where messages lie that another server received for us.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use mail_parser::mailbox::{maildir, mbox};

use crate::moment::Date;
use crate::octets;
use crate::receipt::Arrival;

/// A message in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// What tells it from the others, for as long as it lies there: the unique part of its file name, or its hash.
    pub id: String,
    /// The message.
    pub octets: Vec<u8>,
    /// When it was put there.
    pub at: Date,
}

impl Stored {
    /// Its arrival; see [`Arrival::from_message`].
    pub fn arrival(&self) -> Arrival {
        Arrival::from_message(&self.octets, self.at)
    }
}

/// The messages of a Maildir, those that were read too.
pub fn maildir(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<Stored>>> {
    let has = |name: &str| folder.join(name).is_dir();
    if folder.is_dir() && !has("new") && !has("cur") {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it has no folder new or cur, as a Maildir has",
        ));
    }
    let messages = maildir::MessageIterator::new(folder)?;
    // A message may be moved or deleted by whoever reads the mailbox.
    let there = |message: &io::Result<_>| {
        !message.as_ref().is_err_and(|fault: &io::Error| fault.kind() == io::ErrorKind::NotFound)
    };
    Ok(messages.filter(there).map(|message| {
        let message = message?;
        let name = message.path().file_name().unwrap_or_default().to_string_lossy();
        let id = name.split(':').next().unwrap_or_default().into();
        let at = Date::from_unix(message.internal_date());
        Ok(Stored { id, at, octets: message.unwrap_contents() })
    }))
}

/// The messages of an mbox file. One that begins otherwise than with `From ` (RFC 4155 appendix A) is none.
pub fn mbox(file: &Path) -> io::Result<impl Iterator<Item = io::Result<Stored>>> {
    let file = File::open(file)?;
    let changed = file.metadata()?.modified()?.duration_since(std::time::UNIX_EPOCH);
    let changed = changed.map_or(0, |since| since.as_secs());
    let mut file = BufReader::new(file);
    let begun = file.fill_buf()?;
    if !begun.is_empty() && !begun.starts_with(b"From ") {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it does not begin with \"From \", as an mbox does",
        ));
    }
    Ok(mbox::MessageIterator::new(file).map(move |message| {
        let message = message?;
        // Nothing else is known of a message whose first line has no date.
        let at = match message.internal_date() {
            0 => changed,
            date => date,
        };
        let octets = message.unwrap_contents();
        Ok(Stored { id: octets::sha256(&octets), at: Date::from_unix(at), octets })
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder of its own, empty, below the folder that the build uses.
    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("relayprobe-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn both_folders_of_a_maildir_are_read() {
        let folder = folder("maildir");
        for sub in ["new", "cur", "tmp"] {
            fs::create_dir(folder.join(sub)).unwrap();
            fs::write(folder.join(sub).join(format!("1.{sub}.host:2,S")), format!("Subject: {sub}\n\n"))
                .unwrap();
        }
        let mut found: Vec<Stored> = maildir(&folder).unwrap().map(Result::unwrap).collect();
        found.sort_by(|one, other| one.id.cmp(&other.id));
        let ids: Vec<&str> = found.iter().map(|stored| &*stored.id).collect();
        assert_eq!(ids, ["1.cur.host", "1.new.host"]);
        assert_eq!(found[0].octets, b"Subject: cur\n\n");
        assert!(found[0].at.unix() > 1_700_000_000);
        fs::remove_dir_all(&folder).unwrap();
        let kind = |folder: &Path| maildir(folder).map(|_| ()).unwrap_err().kind();
        assert_eq!(kind(&folder), io::ErrorKind::NotFound);
        fs::create_dir(&folder).unwrap();
        assert_eq!(kind(&folder), io::ErrorKind::InvalidData);
        fs::remove_dir(&folder).unwrap();
    }

    #[test]
    fn an_mbox_is_read_message_by_message() {
        let file = folder("mbox").join("box");
        let text = "From a@b.example Mon Nov 23 20:59:36 2026\nSubject: 1\n\n>From me\n\nFrom MAILER-DAEMON\nSubject: 2\n\n";
        fs::write(&file, text).unwrap();
        let found: Vec<Stored> = mbox(&file).unwrap().map(Result::unwrap).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].octets, b"Subject: 1\n\nFrom me\n\n");
        assert_eq!(found[0].at.to_string(), "2026-11-23T20:59:36Z");
        assert!(found[1].at.unix() > 1_700_000_000 && found[0].id != found[1].id);
        fs::write(&file, "").unwrap();
        assert_eq!(mbox(&file).unwrap().count(), 0);
        fs::write(&file, "Subject: 1\n\n").unwrap();
        assert_eq!(mbox(&file).map(|_| ()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        fs::remove_dir_all(file.parent().unwrap()).unwrap();
    }
}
