//! Thousands of mail servers behind one port of loopback: which one answers is a matter of the address that was asked.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::dialogue::{self, Action};
use crate::script::{Intake, Server};

/// Servers on all addresses of loopback, until it is dropped.
#[derive(Debug)]
pub struct Hosts {
    /// Where each of them listens.
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
    _runtime: Runtime,
}

/// What the servers saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Connections, in the order in which they came.
    pub connections: Vec<IpAddr>,
    /// Connections open now, for each /24.
    open: BTreeMap<[u8; 3], usize>,
    /// The most that were ever open in one /24.
    pub most_in_a_network: usize,
    /// The most that were ever open in all.
    pub most: usize,
    /// How often one of them began to let its client wait.
    pub waits: usize,
}

impl Hosts {
    /// Starts them. `kind` tells which of the `dialogues` an address follows.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    #[must_use]
    pub fn start(dialogues: &[&str], kind: impl Fn(IpAddr) -> usize + Send + 'static) -> Self {
        let rules =
            |rules: &&str| dialogue::parse("hosts", &format!("@ offers PIPELINING\n{rules}\n= served\n"));
        let servers: Vec<Server> = dialogues.iter().map(|text| Server::new(&rules(text))).collect();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        let listener = runtime.block_on(async { listen() }).expect("a port on all addresses");
        let port = listener.local_addr().expect("its address").port();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Some(address) = stream.local_addr().ok().map(|own| own.ip()).filter(IpAddr::is_loopback)
                else {
                    continue;
                };
                let server = servers[kind(address)].clone();
                let visit = Visit::begin(address, Arc::clone(&shared));
                tokio::spawn(async move {
                    // A client may leave at any time; that is no fault of the server.
                    let _left = serve(stream, server, visit).await;
                });
            }
        });
        Self { port, seen, _runtime: runtime }
    }

    /// What they have seen so far.
    ///
    /// # Panics
    /// If one of them panicked.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.lock().expect("what was seen").clone()
    }
}

/// A connection, from when it was taken until nothing more is asked on it.
struct Visit(IpAddr, Arc<Mutex<Seen>>);

impl Visit {
    fn begin(address: IpAddr, seen: Arc<Mutex<Seen>>) -> Self {
        seen.lock().expect("what was seen").opened(address);
        Self(address, seen)
    }

    fn waits(&self) {
        self.1.lock().expect("what was seen").waits += 1;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.1.lock().expect("what was seen").closed(self.0);
    }
}

impl Seen {
    /// Connections open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.values().sum()
    }

    fn opened(&mut self, address: IpAddr) {
        self.connections.push(address);
        let open = self.open.entry(network(address)).or_default();
        *open += 1;
        self.most_in_a_network = self.most_in_a_network.max(*open);
        self.most = self.most.max(self.open.values().sum::<usize>());
    }

    fn closed(&mut self, address: IpAddr) {
        *self.open.entry(network(address)).or_default() -= 1;
    }
}

fn network(address: IpAddr) -> [u8; 3] {
    match address {
        IpAddr::V4(v4) => [v4.octets()[0], v4.octets()[1], v4.octets()[2]],
        IpAddr::V6(_) => [0; 3],
    }
}

/// Wants a runtime to belong to.
fn listen() -> io::Result<TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([0, 0, 0, 0], 0)))?;
    // Thousands may come at once.
    socket.listen(8_192)
}

async fn serve(mut stream: TcpStream, mut server: Server, visit: Visit) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut actions = server.connected();
    let mut intake = Intake::default();
    let mut buffer = [0; 4_096];
    loop {
        let mut said = Vec::new();
        let mut ends = false;
        for action in actions {
            match action {
                Action::Send(octets) => said.extend_from_slice(&octets),
                Action::Wait(span) => {
                    visit.waits();
                    tokio::time::sleep(span).await;
                }
                Action::Close
                | Action::HalfClose
                | Action::Reset
                | Action::Deaf
                | Action::Endless(..)
                | Action::Tls => ends = true,
            }
        }
        if ends {
            // Whoever is told so may go on elsewhere at once.
            drop(visit);
            stream.write_all(&said).await?;
            return stream.shutdown().await;
        }
        stream.write_all(&said).await?;
        actions = loop {
            if let Some(actions) = intake.next(&mut server, false) {
                break actions;
            }
            match stream.read(&mut buffer).await? {
                0 => return Ok(()),
                count => intake.take(&buffer[..count]),
            }
        };
    }
}
