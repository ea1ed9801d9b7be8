//! A receiving server of ours on loopback, and a client that says exactly what it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use relayprobe::Identity;
use relayprobe::receipt::Arrival;
use relayprobe::sink::{Sink, SinkOptions};

/// Has the shape of a token, and no MAC.
pub const TOKEN: &str = "jaaaaaaaaaaaaaaaaaaaaaaaaa";

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A sink, and what arrives at it.
#[derive(Debug)]
pub struct Receiving {
    /// The sink.
    pub sink: Sink,
    arrivals: Receiver<Arrival>,
}

/// A raw connection.
#[derive(Debug)]
pub struct Client(BufReader<TcpStream>);

/// The options of a sink for `probe.example` with senders in `tester.example`.
#[must_use]
pub fn options() -> SinkOptions {
    let mut identity = Identity::new("probe.example".parse().expect("a domain"));
    identity.sender_domain = "tester.example".parse().expect("a domain");
    SinkOptions::new(&identity)
}

impl Receiving {
    /// Starts a sink.
    #[must_use]
    pub fn start(options: SinkOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let (sender, arrivals) = channel();
        let keep = move |arrival| sender.send(arrival).map_err(std::io::Error::other);
        Self { sink: Sink::start(listener, options, keep).expect("a sink"), arrivals }
    }

    /// A client that was greeted.
    #[must_use]
    pub fn client(&self) -> Client {
        let (client, greeting) = Client::connect(self.sink.address());
        assert!(greeting.starts_with("220 "), "{greeting}");
        client
    }

    /// The next arrival.
    #[must_use]
    pub fn next(&self) -> Arrival {
        self.arrivals.recv_timeout(PATIENCE).expect("an arrival")
    }

    /// What has arrived and was not taken yet.
    #[must_use]
    pub fn rest(&self) -> Vec<Arrival> {
        self.arrivals.try_iter().collect()
    }
}

impl Client {
    /// A connection, and its greeting.
    #[must_use]
    pub fn connect(address: SocketAddr) -> (Self, String) {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        let mut client = Self(BufReader::new(stream));
        let greeting = client.reply();
        (client, greeting)
    }

    /// Says this; whether it could.
    pub fn say(&mut self, octets: &[u8]) -> bool {
        self.0.get_mut().write_all(octets).is_ok()
    }

    /// Says a line, and returns the code of its reply.
    pub fn ask(&mut self, line: &str) -> String {
        self.say(format!("{line}\r\n").as_bytes());
        self.reply().chars().take(3).collect()
    }

    /// The next reply's last line; empty if the connection has ended.
    pub fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            match self.0.read_line(&mut line) {
                Ok(1..) if line.as_bytes().get(3) == Some(&b'-') => {}
                Ok(_) => return line,
                Err(error) => {
                    assert!(error.kind() != std::io::ErrorKind::WouldBlock, "the server says nothing");
                    return String::new();
                }
            }
        }
    }

    /// Hands a message over, and returns the code after its final dot.
    pub fn send(&mut self, sender: &str, recipient: &str, text: &str) -> String {
        assert_eq!(self.ask(&format!("MAIL FROM:<{sender}>")), "250");
        assert_eq!(self.ask(&format!("RCPT TO:<{recipient}>")), "250");
        assert_eq!(self.ask("DATA"), "354");
        self.ask(&format!("{text}\r\n."))
    }

    /// Reads until the connection ends.
    pub fn read_to_end(&mut self) -> String {
        let mut octets = Vec::new();
        let _reset = self.0.read_to_end(&mut octets);
        String::from_utf8_lossy(&octets).into_owned()
    }
}
