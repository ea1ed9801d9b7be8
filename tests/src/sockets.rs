//! A scripted server on a real socket, for the drivers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::dialogue::{Action, Dialogue};
use crate::script::{Intake, Server};

/// A scripted server that listens on loopback until the process ends.
#[derive(Debug)]
pub struct Listening {
    /// Where it listens.
    pub address: SocketAddr,
    server: Arc<Mutex<Server>>,
    counts: Arc<Mutex<Counts>>,
}

/// What the server saw of its client's manners.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Reads that brought something, for each connection in its turn: rounds, as the server sees them.
    pub rounds: Vec<usize>,
    /// Commands that were there before the reply to the one before them had been written.
    pub early: usize,
}

/// Plain or inside TLS.
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Listening {
    /// Starts the server of a dialogue.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    #[must_use]
    pub fn start(dialogue: &Dialogue) -> Self {
        Self::start_on(dialogue, TcpListener::bind("127.0.0.1:0").expect("a loopback port"))
    }

    /// Starts the server of a dialogue on a listener.
    ///
    /// # Panics
    /// If the listener has no address.
    #[must_use]
    pub fn start_on(dialogue: &Dialogue, listener: TcpListener) -> Self {
        let address = listener.local_addr().expect("its address");
        let server = Arc::new(Mutex::new(Server::new(dialogue)));
        let shared = Arc::clone(&server);
        let counts = Arc::new(Mutex::new(Counts::default()));
        let counting = Arc::clone(&counts);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, counting) = (Arc::clone(&shared), Arc::clone(&counting));
                std::thread::spawn(move || {
                    // A client may leave at any time; that is no fault of the server.
                    let _left = serve(stream, &shared, &counting);
                });
            }
        });
        Self { address, server, counts }
    }

    /// Begins the dialogue anew, for the next client.
    ///
    /// # Panics
    /// If a connection of it panicked.
    pub fn renew(&self, dialogue: &Dialogue) {
        *self.server.lock().expect("the server") = Server::new(dialogue);
    }

    /// What was counted so far.
    ///
    /// # Panics
    /// If a connection of it panicked.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts.lock().expect("the counts").clone()
    }

    /// The server as it is now.
    ///
    /// # Panics
    /// If a connection of it panicked.
    #[must_use]
    pub fn server(&self) -> Server {
        self.server.lock().expect("the server").clone()
    }
}

fn serve(socket: TcpStream, server: &Mutex<Server>, counts: &Mutex<Counts>) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut stream = Stream::Plain(socket);
    let actions = server.lock().expect("the server").connected();
    let mut intake = Intake::default();
    let mut buffer = vec![0; 65_536];
    // Counted before anything is answered, so that a client that has its answers finds the counts complete.
    let place = {
        let mut counts = counts.lock().expect("the counts");
        counts.rounds.push(0);
        counts.rounds.len() - 1
    };
    let Some(mut stream_now) = act(stream, actions, server)? else { return Ok(()) };
    loop {
        loop {
            let secured = matches!(stream_now, Stream::Tls(_));
            let next = intake.next(&mut server.lock().expect("the server"), secured);
            let Some(actions) = next else { break };
            if intake.has_more() || stream_now.has_more()? {
                counts.lock().expect("the counts").early += 1;
            }
            stream = stream_now;
            let Some(next) = act(stream, actions, server)? else { return Ok(()) };
            stream_now = next;
        }
        match stream_now.as_read().read(&mut buffer)? {
            0 => return Ok(()),
            count => {
                counts.lock().expect("the counts").rounds[place] += 1;
                intake.take(&buffer[..count]);
            }
        }
    }
}

/// Does what a rule says; `None` if the connection has ended.
fn act(mut stream: Stream, actions: Vec<Action>, server: &Mutex<Server>) -> std::io::Result<Option<Stream>> {
    let mut pending = Vec::new();
    for action in actions {
        // What is said in one breath arrives in one piece.
        if let Action::Send(octets) = &action {
            pending.extend_from_slice(octets);
            continue;
        }
        stream.send(&mut pending)?;
        match action {
            Action::Send(_) => {}
            Action::Wait(span) => std::thread::sleep(span),
            Action::Close => {
                stream.socket().shutdown(Shutdown::Both)?;
                return Ok(None);
            }
            Action::Reset => {
                socket2::SockRef::from(stream.socket()).set_linger(Some(std::time::Duration::ZERO))?;
                return Ok(None);
            }
            Action::Tls => {
                let Stream::Plain(socket) = stream else { return Ok(None) };
                if server.lock().expect("the server").breaks_tls {
                    return Ok(None);
                }
                let connection = ServerConnection::new(tls()).map_err(std::io::Error::other)?;
                stream = Stream::Tls(Box::new(StreamOwned::new(connection, socket)));
            }
        }
    }
    stream.send(&mut pending)?;
    Ok(Some(stream))
}

impl Stream {
    fn send(&mut self, octets: &mut Vec<u8>) -> std::io::Result<()> {
        if !octets.is_empty() {
            self.as_write().write_all(octets)?;
            self.as_write().flush()?;
            octets.clear();
        }
        Ok(())
    }

    /// Whether octets wait that were not read yet.
    fn has_more(&self) -> std::io::Result<bool> {
        let socket = self.socket();
        socket.set_nonblocking(true)?;
        let waits = matches!(socket.peek(&mut [0]), Ok(1));
        socket.set_nonblocking(false)?;
        Ok(waits)
    }

    fn as_read(&mut self) -> &mut dyn Read {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream,
        }
    }

    fn as_write(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream,
        }
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

/// TLS with a certificate that nobody vouches for.
fn tls() -> Arc<ServerConfig> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["mx.target.example".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("its key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a server");
    Arc::new(config)
}
