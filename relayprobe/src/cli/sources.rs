//! Where receipts come from: our own receiving server, mailboxes, the spool of a store.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use relayprobe::mailbox;
use relayprobe::receipt::Arrival;
use relayprobe::sink::{Sink, Spool, SpoolError};

/// How often mailboxes are looked into.
const INTERVAL: Duration = Duration::from_millis(500);

/// Receipts cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("cannot read receipts from {}: {fault}", path.display())]
    Read { path: PathBuf, fault: io::Error },
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl SourceError {
    fn is_missing(&self) -> bool {
        matches!(self, Self::Read { fault, .. } if fault.kind() == io::ErrorKind::NotFound)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Sources {
    sink: Option<(Sink, Receiver<Arrival>)>,
    mailboxes: Vec<PathBuf>,
    spool: Option<Spool>,
    /// Messages of mailboxes that were given out.
    seen: BTreeSet<String>,
    /// Files of the spool that were given out.
    known: BTreeSet<OsString>,
    /// What is wrong with the sources, each thing once.
    told: BTreeSet<String>,
    notes: Vec<String>,
    last_look: Option<Instant>,
}

impl Sources {
    /// A receiving server of our own, and what it was handed.
    pub(crate) fn listen(&mut self, sink: Sink, arrivals: Receiver<Arrival>) {
        self.sink = Some((sink, arrivals));
    }

    /// A Maildir, or an mbox file. One that cannot be read is told now, not when everything was sent. Many are made with the
    /// first message, so one may be missing in a folder that is there.
    pub fn watch(&mut self, mailbox: &Path) -> Result<(), SourceError> {
        let in_folder =
            std::path::absolute(mailbox).is_ok_and(|path| path.parent().is_some_and(Path::is_dir));
        match messages(mailbox) {
            Err(fault) if fault.is_missing() && in_folder => {
                self.notes.push(format!("{} is not there yet", mailbox.display()));
            }
            opened => drop(opened?),
        }
        self.mailboxes.push(mailbox.into());
        Ok(())
    }

    /// The spool of a store, which a receiving server elsewhere fills.
    pub fn follow(&mut self, spool: Spool) {
        self.spool = Some(spool);
    }

    /// What people should know of the sources, since this was last asked.
    pub fn notes(&mut self) -> Vec<String> {
        mem::take(&mut self.notes)
    }

    /// What has come since the last look, after waiting at most `patience` for it.
    pub fn next(&mut self, patience: Duration) -> Result<Vec<Arrival>, SourceError> {
        let mut arrivals = Vec::new();
        match &self.sink {
            Some((_, channel)) => {
                arrivals.extend(channel.recv_timeout(patience));
                arrivals.extend(channel.try_iter());
            }
            None => thread::sleep(patience),
        }
        if self.last_look.is_none_or(|at| at.elapsed() >= INTERVAL) {
            self.last_look = Some(Instant::now());
            self.look(&mut arrivals)?;
        }
        Ok(arrivals)
    }

    fn look(&mut self, arrivals: &mut Vec<Arrival>) -> Result<(), SourceError> {
        for path in &self.mailboxes {
            let messages = match messages(path) {
                Err(fault) if fault.is_missing() => continue,
                opened => opened?,
            };
            for message in messages {
                match message {
                    Ok(message) if self.seen.contains(&message.id) => {}
                    Ok(message) => {
                        arrivals.push(message.arrival());
                        self.seen.insert(message.id);
                    }
                    // One bad file must not hide the others.
                    Err(fault) => {
                        let fault = SourceError::Read { path: path.clone(), fault }.to_string();
                        if self.told.insert(fault.clone()) {
                            self.notes.push(fault);
                        }
                    }
                }
            }
        }
        let Some(spool) = &self.spool else { return Ok(()) };
        let known = &self.known;
        for spooled in spool.arrivals()?.without(|name| known.contains(name)).collect::<Vec<_>>() {
            match spooled {
                Ok(spooled) => {
                    self.known.extend(spooled.path.file_name().map(OsString::from));
                    arrivals.push(spooled.arrival);
                }
                // One bad file must not hide the others.
                Err(fault) => self.notes.push(fault.to_string()),
            }
        }
        Ok(())
    }
}

type Messages<'a> = Box<dyn Iterator<Item = io::Result<mailbox::Stored>> + 'a>;

fn messages(mailbox: &Path) -> Result<Messages<'_>, SourceError> {
    let opened: io::Result<Messages<'_>> = if mailbox.is_dir() {
        mailbox::maildir(mailbox).map(|messages| Box::new(messages) as Messages<'_>)
    } else {
        mailbox::mbox(mailbox).map(|messages| Box::new(messages) as Messages<'_>)
    };
    opened.map_err(|fault| SourceError::Read { path: mailbox.into(), fault })
}
