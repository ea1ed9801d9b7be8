//! The same commands for every client.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use relayprobe::driver::{Stop, blocking};
use relayprobe::transcript::{Step, What};

use crate::ours::{Asked, Manner};

/// `MAIL` and `RCPT` of one case, with their line ends.
pub(crate) struct Envelope {
    pub(crate) mail: String,
    pub(crate) rcpt: String,
}

pub(crate) fn print(server: SocketAddr, cases: &[String]) -> Result<(), Box<dyn Error>> {
    let manner = Manner { lockstep: true, cautious: false, connections: 1 };
    let report = blocking::run(Asked::new(cases, manner)?.plan(server)?, &Stop::new(), |_event| {});
    let entries = report.transcript.connections.iter().flat_map(|connection| &connection.entries);
    let mut mail = String::new();
    for entry in entries {
        let What::Command { step, probe: Some(probe), octets } = &entry.what else { continue };
        let case = report.run.probe(*probe).and_then(|probe| report.run.case(probe));
        if !case.is_some_and(|case| cases.iter().any(|id| *id == *case.id)) {
            continue;
        }
        let line = String::from_utf8_lossy(octets.as_bytes()).trim_end().to_owned();
        match step {
            Step::Mail => mail = line,
            Step::Rcpt => println!("{mail}\t{line}"),
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn read(path: Option<&Path>) -> Result<Vec<Envelope>, Box<dyn Error>> {
    let text = fs::read_to_string(path.ok_or("--envelopes is missing")?)?;
    let envelope = |line: &str| {
        let (mail, rcpt) = line.split_once('\t').ok_or("a line without a tab")?;
        Ok(Envelope { mail: format!("{mail}\r\n"), rcpt: format!("{rcpt}\r\n") })
    };
    text.lines().map(envelope).collect()
}
