//! The list of `--targets`: read line by line, its names looked up ahead of their turn.

use core::task::{Context, Poll, ready};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use relayprobe::Target;
use relayprobe::address::Network;
use tokio::sync::mpsc::{self, Receiver};

use crate::cli::host::{Host, HostError, Place};
use crate::cli::target::{TargetError, TargetOptions};

/// Octets of a line: names are shorter, and comments are for people.
const LINE: u64 = 1_024;
/// Names that are looked up at once, and targets that wait for somebody to take them.
const AT_ONCE: usize = 8;

/// A list of targets cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListError {
    #[error("cannot read {}: {fault}", path.display())]
    Read { path: PathBuf, fault: io::Error },
    #[error("{}, line {line}: {fault}", path.display())]
    Line { path: PathBuf, line: u64, fault: LineError },
    #[error("{} names no target", path.display())]
    Empty { path: PathBuf },
}

/// A line of it is no target.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("{network} is a network; name the mail servers in it one by one, a line each")]
    Network { network: Network },
    #[error("it is longer than {LINE} octets")]
    Long,
    #[error("it is not text in UTF-8")]
    Text,
}

impl ListError {
    /// Whether this machine is at fault, not what was asked for.
    pub(crate) const fn is_local(&self) -> bool {
        match self {
            Self::Read { .. } => true,
            Self::Line { .. } | Self::Empty { .. } => false,
        }
    }
}

/// A file of targets, from its beginning to its end, never whole in memory.
pub(crate) struct List {
    path: PathBuf,
    reader: BufReader<File>,
    line: u64,
    /// It could not be read on, so it has no more lines.
    broken: bool,
}

impl List {
    /// Opens a list whose every line is a target, and tells how many there are: nobody is asked for a list with a fault.
    pub(crate) fn open(path: &Path) -> Result<(Self, u64), ListError> {
        let fault = |fault| ListError::Read { path: path.into(), fault };
        let file = File::open(path).map_err(fault)?;
        let mut list = Self { path: path.into(), reader: BufReader::new(file), line: 0, broken: false };
        let mut count = 0;
        for host in &mut list {
            host?;
            count += 1;
        }
        if count == 0 {
            return Err(ListError::Empty { path: path.into() });
        }
        list.reader.rewind().map_err(fault)?;
        list.line = 0;
        Ok((list, count))
    }

    /// The next line, without its comment; nothing at the end.
    fn read(&mut self) -> Result<Option<String>, ListError> {
        let mut octets = Vec::new();
        let read = self.reader.by_ref().take(LINE + 1).read_until(b'\n', &mut octets);
        if read.map_err(|fault| ListError::Read { path: self.path.clone(), fault })? == 0 {
            return Ok(None);
        }
        self.line += 1;
        if octets.len() as u64 > LINE {
            return Err(self.fault(LineError::Long));
        }
        let text = String::from_utf8(octets).map_err(|_| self.fault(LineError::Text))?;
        // Some editors begin a file with a mark of its encoding.
        let text = text.trim_start_matches('\u{feff}');
        Ok(Some(text.split('#').next().unwrap_or_default().trim().into()))
    }

    fn fault(&self, fault: LineError) -> ListError {
        ListError::Line { path: self.path.clone(), line: self.line, fault }
    }
}

impl Iterator for List {
    type Item = Result<Host, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.broken {
            let text = match self.read() {
                Ok(Some(text)) if text.is_empty() => continue,
                Ok(Some(text)) => text,
                Ok(None) => return None,
                Err(fault) => {
                    self.broken = fault.is_local();
                    return Some(Err(fault));
                }
            };
            let host = parse(&text);
            return Some(host.map_err(|fault| self.fault(fault)));
        }
        None
    }
}

fn parse(text: &str) -> Result<Host, LineError> {
    match text.parse::<Network>() {
        Ok(network) if text.contains('/') => Err(LineError::Network { network }),
        _ => Ok(text.parse()?),
    }
}

/// A target of the list, or why there is none.
pub(crate) type Found = Result<(Host, Target), Lost>;

/// Why a line brings no target.
#[derive(Debug)]
pub(crate) enum Lost {
    /// Its name leads nowhere.
    Target(Host, TargetError),
    /// It cannot be read any more.
    List(ListError),
}

/// Targets as they are found: addresses in the order of the list, names when they have been looked up.
pub(crate) struct Lookup(Receiver<Found>);

impl Lookup {
    /// Begins to read the list. A few threads look up names and stay as far ahead as there is room.
    pub(crate) fn start(
        list: List,
        options: &TargetOptions,
        from: Option<IpAddr>,
        servers: &[SocketAddr],
    ) -> Self {
        let (sender, receiver) = mpsc::channel(AT_ONCE);
        let list = Arc::new(Mutex::new(list));
        for _ in 0..AT_ONCE {
            let (list, sender) = (Arc::clone(&list), sender.clone());
            let (options, servers) = (options.clone(), servers.to_vec());
            // They end with the list, or with whoever takes what they find.
            thread::spawn(move || {
                loop {
                    let Ok(mut list) = list.lock() else { return };
                    let Some(host) = list.next() else { return };
                    // Addresses keep their order: of two that are the same the first is tested, whatever it is called.
                    let is_address = |host: &Host| matches!(host.place, Place::Address(_));
                    let _turn = host.as_ref().is_ok_and(is_address).then_some(list);
                    let found = host.map_err(Lost::List).and_then(|host| {
                        match options.target(&host, from, &servers) {
                            Ok(target) => Ok((host, target)),
                            Err(fault) => Err(Lost::Target(host, fault)),
                        }
                    });
                    if sender.blocking_send(found).is_err() {
                        return;
                    }
                }
            });
        }
        Self(receiver)
    }

    /// The next one. What is lost is handed to `drop_out`.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        mut drop_out: impl FnMut(Lost),
    ) -> Poll<Option<(IpAddr, (Host, Target))>> {
        loop {
            match ready!(self.0.poll_recv(context)) {
                Some(Ok((host, target))) => return Poll::Ready(Some((target.address, (host, target)))),
                Some(Err(lost)) => drop_out(lost),
                None => return Poll::Ready(None),
            }
        }
    }
}
