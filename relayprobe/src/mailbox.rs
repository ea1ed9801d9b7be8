//! Mailboxes on disk: where messages lie that another server received for us.

use std::fs::File;
use std::io::{self, BufReader};
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

/// The messages of an mbox file.
pub fn mbox(file: &Path) -> io::Result<impl Iterator<Item = io::Result<Stored>>> {
    let file = File::open(file)?;
    let changed = file.metadata()?.modified()?.duration_since(std::time::UNIX_EPOCH);
    let changed = changed.map_or(0, |since| since.as_secs());
    Ok(mbox::MessageIterator::new(BufReader::new(file)).map(move |message| {
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
