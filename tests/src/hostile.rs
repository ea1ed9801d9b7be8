//! A server for each fault of a hostile or broken one, and what must come of it.
//!
//! The table is `tests/faults/table.txt`. The program `hostile-server` serves all of it, for tests in any language.

use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use relayprobe::Report;
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::dialogue::{Dialogue, rule};
use crate::sockets::Listening;

/// Octets that the process of a tester may grow by, whatever the server does.
pub const GROWTH: u64 = 8 << 20;
/// Octets that one of many sessions at once may take, with everything full.
pub const SESSION: u64 = 448 << 10;

/// One fault.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What the server does, by the name of the fault.
    pub dialogue: Dialogue,
    /// Verdicts that are right.
    pub verdicts: Vec<String>,
    /// How long a run may take.
    pub within: Duration,
}

/// A server with a fault, for as long as the process lives.
#[derive(Debug)]
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    /// Connections that fill its queue.
    _queue: Vec<TcpStream>,
}

const TABLE: &str = include_str!("../faults/table.txt");

/// Every fault of the table.
///
/// # Panics
/// If a line is none of the table.
#[must_use]
pub fn faults() -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(id) = line.strip_prefix("fault ") {
            faults.push(Fault::new(id));
        } else {
            let fault = faults.last_mut().expect("a fault before its lines");
            fault.read(line).unwrap_or_else(|| panic!("{}: {line}", fault.dialogue.name));
        }
    }
    let whole = |fault: &Fault| !fault.verdicts.is_empty() && !fault.within.is_zero();
    assert!(faults.iter().all(whole), "each fault has verdicts and a time");
    faults
}

impl Fault {
    fn new(id: &str) -> Self {
        let dialogue =
            Dialogue { name: id.into(), settings: Vec::new(), rules: Vec::new(), expected: Vec::new() };
        Self { dialogue, verdicts: Vec::new(), within: Duration::ZERO }
    }

    fn read(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "@" => {
                let (key, value) = rest.split_once(' ').unwrap_or((rest, ""));
                self.dialogue.settings.push((key.into(), value.into()));
            }
            "on" => self.dialogue.rules.push(rule(rest)?),
            "=" => {
                let all = rest.split(' ').flat_map(verdicts);
                self.verdicts = all.map(|word| (*word).to_owned()).collect();
            }
            "within" => self.within = Duration::from_secs(rest.parse().ok()?),
            _ => return None,
        }
        Some(())
    }

    /// Starts its server on loopback.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    #[must_use]
    pub fn serve(&self) -> Served {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        if self.dialogue.has("small-buffers") {
            socket.set_recv_buffer_size(1).expect("a small buffer");
        }
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a loopback port");
        let full = self.dialogue.has("full");
        socket.listen(if full { 0 } else { 128 }).expect("a listener");
        let listener: TcpListener = socket.into();
        let address = listener.local_addr().expect("its address");
        if !full {
            let address = Listening::start_on(&self.dialogue, listener).address;
            return Served { address, _queue: Vec::new() };
        }
        // Nobody takes what stands in the queue, so whoever comes now gets no answer.
        let patience = Duration::from_millis(200);
        let queue = (0..4).map_while(|_| TcpStream::connect_timeout(&address, patience).ok()).collect();
        std::mem::forget(listener);
        Served { address, _queue: queue }
    }

    /// What a test needs to know, as JSON.
    #[must_use]
    pub fn told(&self, address: SocketAddr) -> Value {
        let cases: Option<Vec<&str>> = self.dialogue.setting("cases").map(|cases| cases.split(' ').collect());
        json!({
            "fault": self.dialogue.name,
            "address": address.ip(),
            "port": address.port(),
            "matrix": self.dialogue.setting("matrix").unwrap_or("quick"),
            "cases": cases,
            "mailbox": self.dialogue.setting("mailbox"),
            "prove": self.dialogue.setting("prove"),
            "implicit_tls": self.dialogue.has("implicit-tls"),
            "verdicts": self.verdicts,
            "within_ms": self.within.as_millis(),
            "growth_kib": GROWTH / 1_024,
        })
    }

    /// Whether it does the same in a second run: a server that counts commands does not.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.dialogue.rules.iter().all(|rule| rule.nth.is_none())
    }

    /// Whether a report is right; what is wrong, if it is not.
    ///
    /// # Errors
    /// What is wrong.
    pub fn judge(&self, report: &Report, took: Duration) -> Result<(), String> {
        let (id, verdict) = (&self.dialogue.name, report.verdict.as_str());
        if !self.verdicts.iter().any(|right| right == verdict) {
            let all = format!("{}\n{}", report.text(), report.transcript_text());
            let start: String = all.chars().take(6_000).collect();
            return Err(format!("{id}: {verdict} instead of {:?}\n{start}", self.verdicts));
        }
        if took > self.within {
            return Err(format!("{id}: took {took:?}, more than {:?}", self.within));
        }
        Ok(())
    }
}

/// The program that serves all faults, as tests in other languages start it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// Each fault with its address.
    pub faults: Vec<(Fault, SocketAddr)>,
}

impl Program {
    /// Starts the program that lies there.
    ///
    /// # Panics
    /// If it does not start, or says something else than it should.
    #[must_use]
    pub fn start(program: &Path) -> Self {
        let mut command = Command::new(program);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let told: Vec<Value> = serde_json::from_str(&line).expect("JSON");
        let with_address = faults().into_iter().zip(&told).map(|(fault, told)| {
            assert_eq!(told["fault"], fault.dialogue.name.as_str());
            let address: IpAddr = told["address"].as_str().expect("an address").parse().expect("an address");
            let port: u16 = told["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
            (fault, (address, port).into())
        });
        Self { faults: with_address.collect(), child }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}

/// The verdicts that a word of the table stands for.
fn verdicts(word: &str) -> &'static [&'static str] {
    match word {
        "inconclusive" => &["undetermined", "tester-blocked", "not-smtp", "unreachable"],
        "accepted" => &["suspected"],
        "closed" => &["closed"],
        _ => &[],
    }
}
