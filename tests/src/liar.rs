//! A DNS server that lies: what it answers is a matter of the first label that it is asked for.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Types of records.
const A: u16 = 1;
const CNAME: u16 = 5;
const MX: u16 = 15;
const TXT: u16 = 16;
const PTR: u16 = 12;
const AAAA: u16 = 28;

/// What acts on terminals, on pages and on readers, as one label.
const HOSTILE: &str = "\u{1b}[2J\u{7}<script>\u{202e}\r\n\"&";

/// Whether it takes connections over TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tcp {
    /// And answers.
    Answers,
    /// And says nothing.
    Silent,
    /// No.
    Refused,
}

/// A lying server on loopback, until it is dropped.
#[derive(Debug)]
pub struct Liar {
    /// Where it listens.
    pub addr: SocketAddr,
    asked: Arc<Mutex<Vec<(String, u16)>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Liar {
    /// Starts it at a port of its own.
    #[must_use]
    pub fn start(tcp: Tcp) -> Self {
        Self::start_on(0, tcp)
    }

    /// Starts it at this port.
    #[must_use]
    pub fn start_on(port: u16, tcp: Tcp) -> Self {
        let (udp, listener) = sockets(port, tcp);
        let addr = udp.local_addr().expect("its address");
        let (asked, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let mut threads = vec![answer_udp(udp, Arc::clone(&asked), Arc::clone(&stop))];
        threads.extend(
            listener.map(|listener| answer_tcp(listener, tcp, Arc::clone(&asked), Arc::clone(&stop))),
        );
        Self { addr, asked, stop, threads }
    }

    /// How often a name was asked for, in records of whatever type.
    #[must_use]
    pub fn asked(&self, name: &str) -> usize {
        let asked = self.asked.lock().expect("what was asked");
        asked.iter().filter(|(known, _)| known == name).count()
    }

    /// Every name that was asked for.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.asked.lock().expect("what was asked").iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ended = thread.join();
        }
    }
}

/// One port for both, or one at which nobody takes connections.
fn sockets(port: u16, tcp: Tcp) -> (UdpSocket, Option<TcpListener>) {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).expect("a port");
        udp.set_read_timeout(Some(Duration::from_millis(50))).expect("a socket option");
        if tcp == Tcp::Refused {
            return (udp, None);
        }
        if let Ok(listener) = TcpListener::bind(udp.local_addr().expect("its address")) {
            listener.set_nonblocking(true).expect("a socket option");
            return (udp, Some(listener));
        }
    }
}

type Asked = Arc<Mutex<Vec<(String, u16)>>>;

fn answer_udp(udp: UdpSocket, asked: Asked, stop: Arc<AtomicBool>) -> JoinHandle<()> {
    thread::spawn(move || {
        let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let mut buffer = [0; 2_048];
        while !stop.load(Ordering::Relaxed) {
            let Ok((length, client)) = udp.recv_from(&mut buffer) else { continue };
            let Some(query) = Query::read(&buffer[..length]) else { continue };
            let times = note(&asked, &query);
            let Some(answer) = query.answer(times) else { continue };
            if query.label() == "late" {
                let Ok(socket) = udp.try_clone() else { continue };
                // By then nobody waits any more.
                thread::spawn(move || {
                    thread::sleep(Duration::from_secs(11));
                    socket.send_to(&answer, client)
                });
                continue;
            }
            let socket = if query.label() == "wrong-source" { &other } else { &udp };
            let whole = if answer.len() > 1_200 || query.label().starts_with("truncated") {
                query.truncated()
            } else {
                answer
            };
            let _sent = socket.send_to(&whole, client);
        }
    })
}

fn answer_tcp(listener: TcpListener, tcp: Tcp, asked: Asked, stop: Arc<AtomicBool>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut open = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            match listener.accept() {
                Ok((stream, _)) if tcp == Tcp::Answers => {
                    let asked = Arc::clone(&asked);
                    thread::spawn(move || serve(stream, &asked));
                }
                // Kept open, and nothing is said.
                Ok((stream, _)) => open.push(stream),
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        }
    })
}

/// Answers over one connection until its client leaves.
fn serve(mut stream: TcpStream, asked: &Asked) -> Option<()> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut octets).ok()?;
        let query = Query::read(&octets)?;
        let times = note(asked, &query);
        let answer = query.answer(times)?;
        let length = u16::try_from(answer.len()).ok()?;
        stream.write_all(&[&length.to_be_bytes()[..], &answer].concat()).ok()?;
    }
}

/// Notes a question, and says how often it came before.
fn note(asked: &Asked, query: &Query) -> usize {
    let mut asked = asked.lock().expect("what was asked");
    let entry = (query.name.clone(), query.kind);
    let before = asked.iter().filter(|known| **known == entry).count();
    asked.push(entry);
    before
}

struct Query {
    id: u16,
    /// As it stands in the message, with its type and class.
    question: Vec<u8>,
    name: String,
    kind: u16,
}

impl Query {
    fn read(octets: &[u8]) -> Option<Self> {
        let id = u16::from_be_bytes([*octets.first()?, *octets.get(1)?]);
        let (mut at, mut labels) = (12, Vec::new());
        loop {
            let length = usize::from(*octets.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            labels.push(String::from_utf8_lossy(octets.get(at..at + length)?).to_ascii_lowercase());
            at += length;
        }
        let kind = u16::from_be_bytes([*octets.get(at)?, *octets.get(at + 1)?]);
        let question = octets.get(12..at + 4)?.to_vec();
        Some(Self { id, question, name: labels.join("."), kind })
    }

    fn label(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }

    /// What it answers; nothing if it is silent. `times` is how often it was asked before.
    fn answer(&self, times: usize) -> Option<Vec<u8>> {
        let own = |kind, data: Vec<u8>| record(&self.name, kind, 60, &data);
        let address = |address: [u8; 4]| {
            (self.kind == A).then(|| own(A, address.into())).into_iter().collect::<Vec<_>>()
        };
        let zone = self.name.split_once('.').map_or("", |(_, rest)| rest);
        // Lists: the name of the list says how it lies, whatever the address.
        if let Some(lie) = zone.split('.').rev().nth(1).filter(|_| zone.rsplit('.').next() == Some("list")) {
            return self.list(lie);
        }
        if self.name == "4.4.9.127.in-addr.arpa" && self.kind == PTR {
            return Some(self.message(self.id, 0, &[own(PTR, wire(HOSTILE))]));
        }
        let rcode = |code: u16| Some(self.message(self.id, code, &[]));
        match self.label() {
            "silent" => None,
            "servfail" => rcode(2),
            "refused" => rcode(5),
            "formerr" => rcode(1),
            "notimp" => rcode(4),
            "gone" => rcode(3),
            "wrong-id" => Some(self.message(!self.id, 0, &[own(A, vec![127, 6, 6, 6])])),
            "wrong-question" => {
                let other = Self { question: question("evil.example", self.kind), ..self.copy() };
                Some(other.message(self.id, 0, &[record("evil.example", A, 60, &[127, 6, 6, 6])]))
            }
            "poison" => {
                let evil = [record("evil.example", A, 60, &[127, 6, 6, 6]), own(A, vec![127, 9, 1, 1])];
                Some(self.message(self.id, 0, if self.kind == A { &evil } else { &[] }))
            }
            "ttl-0" => Some(self.message(self.id, 0, &[record(&self.name, A, 0, &[127, 9, 1, 1])])),
            "ttl-negative" => {
                Some(self.message(self.id, 0, &[record(&self.name, A, u32::MAX, &[127, 9, 1, 1])]))
            }
            "pointer-loop" => {
                Some(self.raw(&[0xc0, self.end(), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 6, 6, 6]))
            }
            "long-label" => Some(self.raw(
                &[&[0x7f][..], &[b'a'; 127], &[0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 6, 6, 6]].concat(),
            )),
            "long-name" => {
                let label = [&[63][..], &[b'a'; 63]].concat();
                Some(
                    self.raw(
                        &[&label.repeat(5)[..], &[0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 6, 6, 6]].concat(),
                    ),
                )
            }
            "bad-length" => Some(self.raw(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0xff, 0xff, 127, 6])),
            "rebind" => Some(self.message(
                self.id,
                0,
                &address(if times == 0 { [127, 9, 1, 1] } else { [127, 9, 6, 6] }),
            )),
            "loop" => Some(self.message(self.id, 0, &[own(CNAME, wire(&self.name))])),
            "chain" => {
                let next = zone
                    .split('.')
                    .next()
                    .and_then(|at| at.parse::<u32>().ok())
                    .map(|at| format!("chain.{}.liar.example", at + 1));
                Some(self.message(self.id, 0, &[own(CNAME, wire(&next?))]))
            }
            "many" if self.kind == MX => {
                let mx = |at: u16| {
                    own(MX, [&at.to_be_bytes()[..], &wire(&format!("host.{at}.liar.example"))].concat())
                };
                Some(self.message(self.id, 0, &(0..200).map(mx).collect::<Vec<_>>()))
            }
            // Its mail hosts: one whose name is none, one that is an alias of such a name, and one with an address.
            "hostile" if self.kind == MX => {
                let hosts = [HOSTILE, "masked.liar.example", "dressed.liar.example"];
                let mx = |host: &str| own(MX, [&[0, 5][..], &wire(host)].concat());
                Some(self.message(self.id, 0, &hosts.map(mx)))
            }
            "masked" => Some(self.message(self.id, 0, &[own(CNAME, wire(HOSTILE))])),
            "hostile" | "dressed" => Some(self.message(self.id, 0, &address([127, 9, 4, 4]))),
            // There only for whoever puts a domain behind it.
            "searched" if !zone.ends_with("search.example") => rcode(3),
            "searched" => Some(self.message(self.id, 0, &address([127, 9, 1, 1]))),
            "host" | "late" => Some(self.message(self.id, 0, &address([127, 9, 1, 1]))),
            // One name, three addresses: two lead nowhere in a namespace of `wire`.
            "manifold" => Some(match self.kind {
                MX => self.message(self.id, 0, &[own(MX, [&[0, 5][..], &wire(&self.name)].concat())]),
                A => self.message(self.id, 0, &[own(A, vec![10, 87, 0, 2]), own(A, vec![127, 9, 1, 1])]),
                AAAA => self.message(
                    self.id,
                    0,
                    &[own(AAAA, Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).octets().into())],
                ),
                _ => self.message(self.id, 0, &[]),
            }),
            "rebinding" if self.kind == MX => {
                let mx = [&[0, 5][..], &wire("rebind.liar.example")].concat();
                Some(self.message(self.id, 0, &[own(MX, mx)]))
            }
            "escape" if self.kind == TXT => {
                Some(self.message(self.id, 0, &[own(TXT, b"\x09<b>\x1b[2J\n\"".to_vec())]))
            }
            "escape" if self.kind == PTR => {
                Some(self.message(self.id, 0, &[own(PTR, b"\x04a\x1b[m\x00".to_vec())]))
            }
            _ => Some(self.message(self.id, 0, &[])),
        }
    }

    /// What a list answers that lies in this way.
    fn list(&self, lie: &str) -> Option<Vec<u8>> {
        let is_test = |entry: &str| self.name.starts_with(entry);
        let code = match lie {
            "silent" => return None,
            "wildcard" => Some([127, 0, 0, 2]),
            "parked" => Some([203, 0, 113, 7]),
            "refusing" => Some([127, 255, 255, 254]),
            "dead" => None,
            _ if is_test("1.0.0.127.") => None,
            _ if is_test("2.0.0.127.") => Some([127, 0, 0, 2]),
            "quota" => Some([127, 255, 255, 255]),
            "shy" => Some([127, 0, 0, 1]),
            "good" if self.name.starts_with('9') => Some([127, 0, 0, 2]),
            _ => None,
        };
        let text = || vec![record(&self.name, TXT, 60, b"\x04\x1b[2J")];
        let records = match (code, self.kind) {
            (Some(code), A) => vec![record(&self.name, A, 60, &code)],
            (Some(_), TXT) => text(),
            _ => Vec::new(),
        };
        Some(self.message(self.id, if code.is_none() { 3 } else { 0 }, &records))
    }

    fn message(&self, id: u16, rcode: u16, records: &[Vec<u8>]) -> Vec<u8> {
        let count = u16::try_from(records.len()).unwrap_or(u16::MAX);
        [&head(id, 0x8180 | rcode, count)[..], &self.question, &records.concat()].concat()
    }

    fn truncated(&self) -> Vec<u8> {
        [&head(self.id, 0x8380, 0)[..], &self.question].concat()
    }

    /// An answer whose one record is made of these octets.
    fn raw(&self, record: &[u8]) -> Vec<u8> {
        self.message(self.id, 0, &[record.to_vec()])
    }

    /// Where the first record stands.
    fn end(&self) -> u8 {
        u8::try_from(12 + self.question.len()).unwrap_or(u8::MAX)
    }

    fn copy(&self) -> Self {
        Self { id: self.id, question: self.question.clone(), name: self.name.clone(), kind: self.kind }
    }
}

fn head(id: u16, flags: u16, records: u16) -> Vec<u8> {
    [id, flags, 1, records, 0, 0].iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn question(name: &str, kind: u16) -> Vec<u8> {
    [&wire(name)[..], &kind.to_be_bytes(), &[0, 1]].concat()
}

fn record(name: &str, kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    [&question(name, kind)[..], &ttl.to_be_bytes(), &length.to_be_bytes(), data].concat()
}

fn wire(name: &str) -> Vec<u8> {
    let label = |label: &str| [&[u8::try_from(label.len()).unwrap_or(63)][..], label.as_bytes()].concat();
    let mut octets: Vec<u8> = name.split('.').filter(|part| !part.is_empty()).flat_map(label).collect();
    octets.push(0);
    octets
}
