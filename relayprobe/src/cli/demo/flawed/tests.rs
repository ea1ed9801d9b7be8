use std::io::{BufRead, BufReader, Read as _};
use std::net::Ipv6Addr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use relayprobe::driver::{self, Stop, blocking};
use relayprobe::identity::Identity;
use relayprobe::outcome::Outcome;
use relayprobe::plan::{Budget, Profile};
use relayprobe::wire::{Reply, queue_id};
use relayprobe::{Authorization, Matrix, Plan, Selection, Target, Verdict};

use super::*;

/// What no test waits for.
const LONG: Duration = Duration::from_secs(10);

/// A client that says what it is told to.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn new(server: &Flawed) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let mut client = Self { stream: BufReader::new(stream) };
        client.reply();
        client
    }

    fn write(&mut self, octets: &[u8]) {
        self.stream.get_mut().write_all(octets).unwrap();
    }

    fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            self.stream.read_line(&mut reply).unwrap();
            if reply.as_bytes().get(start + 3) != Some(&b'-') {
                return reply.trim_end().to_owned();
            }
        }
    }

    fn ask(&mut self, command: &str) -> String {
        self.write(format!("{command}\r\n").as_bytes());
        self.reply()
    }

    fn send(&mut self, sender: &str, recipients: &[&str], message: &str) -> String {
        self.ask("EHLO probe.example");
        self.ask(&format!("MAIL FROM:<{sender}>"));
        for recipient in recipients {
            assert_eq!(self.ask(&format!("RCPT TO:<{recipient}>")), "250 2.1.5 Ok");
        }
        assert!(self.ask("DATA").starts_with("354 "));
        self.ask(&format!("{message}."))
    }
}

/// What came to the next hop: the command lines and the message of a connection.
type Came = (Vec<String>, String);

/// A next hop that takes everything.
struct NextHop {
    address: SocketAddr,
    came: Receiver<Came>,
}

impl NextHop {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, came) = channel();
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if take(&stream, &sender).is_err() {
                    return;
                }
            }
        });
        Self { address, came }
    }

    fn next(&self) -> Came {
        self.came.recv_timeout(LONG).expect("a message comes")
    }
}

fn take(mut stream: &TcpStream, came: &Sender<Came>) -> io::Result<()> {
    stream.set_read_timeout(Some(LONG))?;
    let mut reader = BufReader::new(stream);
    let (mut commands, mut message, mut line) = (Vec::new(), String::new(), String::new());
    stream.write_all(b"220 sink.probe.example\r\n")?;
    while reader.read_line(&mut line)? > 0 {
        let command = line.trim_end().to_owned();
        line.clear();
        let reply = match command.as_str() {
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                while !message.ends_with("\r\n.\r\n") && reader.read_line(&mut message)? > 0 {}
                "250 2.0.0 Ok"
            }
            "QUIT" => "221-2.0.0 Bye\r\n221 2.0.0 Bye",
            _ => "250 Ok",
        };
        commands.push(command);
        stream.write_all(format!("{reply}\r\n").as_bytes())?;
    }
    came.send((commands, message)).map_err(io::Error::other)
}

#[test]
fn the_null_sender_relays_to_anybody() {
    let hop = NextHop::start();
    let server = Flawed::start(hop.address).unwrap();
    let mut client = Client::new(&server);
    let taken = client.send(
        "",
        &["x@probe.example", "y@elsewhere.example"],
        "Subject: test\r\n\r\n..dots\r\nend\r\n",
    );
    let taken = format!("{taken}\r\n");
    let id = queue_id(&Reply::parse(taken.as_bytes()).unwrap()).expect("a queue id").to_owned();
    for recipient in ["x@probe.example", "y@elsewhere.example"] {
        let (commands, message) = hop.next();
        let to = format!("RCPT TO:<{recipient}>");
        assert_eq!(commands, ["EHLO mx.target.example", "MAIL FROM:<>", &to, "DATA", "QUIT"]);
        let (received, rest) = message.split_at(message.find("Subject: ").unwrap());
        let (line, date) = received.split_once("; ").unwrap();
        assert_eq!(
            line,
            format!(
                "Received: from probe.example ([127.0.0.1])\r\n\tby mx.target.example with ESMTP id {id}\r\n\tfor <{recipient}>"
            )
        );
        assert!(date.ends_with(" +0000\r\n"), "{date}");
        assert_eq!(rest, "Subject: test\r\n\r\n..dots\r\nend\r\n.\r\n");
    }
}

#[test]
fn the_percent_hack_is_routed_on_without_its_percent_sign() {
    let hop = NextHop::start();
    let server = Flawed::start(hop.address).unwrap();
    Client::new(&server).send(
        "a@s.example",
        &["postmaster", "x%probe.example@target.example"],
        "Subject: x\r\n\r\n",
    );
    let (commands, message) = hop.next();
    assert_eq!(commands[1..3], ["MAIL FROM:<a@s.example>", "RCPT TO:<x@probe.example>"]);
    assert!(message.contains("\tfor <x@probe.example>; "), "{message}");
}

#[test]
fn a_bang_path_is_accepted_and_goes_nowhere() {
    let hop = NextHop::start();
    let server = Flawed::start(hop.address).unwrap();
    let mut client = Client::new(&server);
    for recipient in ["probe.example!x", "probe.example!x@target.example"] {
        assert!(
            client
                .send("a@s.example", &[recipient], "Subject: lost\r\n\r\n")
                .starts_with("250 2.0.0 Ok: queued as ")
        );
    }
    // Letters go on in turn, so what comes first shows that nothing came before.
    client.send("", &["x@probe.example"], "Subject: found\r\n\r\n");
    assert!(hop.next().1.contains("Subject: found"));
}

#[test]
fn a_name_that_is_none_is_not_repeated() {
    let hop = NextHop::start();
    let server = Flawed::start(hop.address).unwrap();
    let mut client = Client::new(&server);
    client.ask("HELO x) (by mx.forged.example");
    client.ask("MAIL FROM:<>");
    client.ask("RCPT TO:<x@probe.example>");
    client.ask("DATA");
    client.ask("\r\n.");
    assert!(
        hop.next()
            .1
            .starts_with("Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby mx.target.example with SMTP id 4")
    );
}

#[test]
fn everything_else_is_as_it_should_be() {
    let server = Flawed::start("127.0.0.1:9".parse().unwrap()).unwrap();
    let mut client = Client::new(&server);
    for (command, reply) in [
        ("MAIL FROM:<>", "503 5.5.1 Error: send HELO/EHLO first"),
        ("EHLO probe.example", "250-mx.target.example\r\n250-PIPELINING\r\n250-SIZE 65536\r\n250 8BITMIME"),
        ("RCPT TO:<postmaster>", "503 5.5.1 Error: need MAIL command"),
        ("DATA", "503 5.5.1 Error: need MAIL command"),
        ("MAIL FROM:<a@s.example> SIZE=65537", "552 5.3.4 Message size exceeds fixed limit"),
        ("MAIL FROM:<a@s.example> SIZE=65536", "250 2.1.0 Ok"),
        ("MAIL FROM:<>", "503 5.5.1 Error: nested MAIL command"),
        (
            "RCPT TO:<x@target.example>",
            "550 5.1.1 <x@target.example>: Recipient address rejected: User unknown",
        ),
        ("RCPT TO:<x@probe.example>", "554 5.7.1 <x@probe.example>: Relay access denied"),
        ("DATA", "554 5.5.1 Error: no valid recipients"),
        ("RCPT TO:<postmaster@target.example>", "250 2.1.5 Ok"),
        ("RSET", "250 2.0.0 Ok"),
        ("DATA", "503 5.5.1 Error: need MAIL command"),
        ("VRFY x", "502 5.5.1 Error: command not implemented"),
        ("QUIT", "221 2.0.0 Bye"),
    ] {
        assert_eq!(client.ask(command), reply, "{command}");
    }
    assert_eq!(client.stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_group_is_answered_in_turn() {
    let server = Flawed::start("127.0.0.1:9".parse().unwrap()).unwrap();
    let mut client = Client::new(&server);
    client.write(b"EHLO p.example\r\nMAIL FROM:<a@s.example>\r\nRCPT TO:<x@p.example>\r\nRSET\r\nQUIT\r\n");
    let codes: Vec<String> = (0..5).map(|_| client.reply()[..3].to_owned()).collect();
    assert_eq!(codes, ["250", "250", "554", "250", "221"]);
}

#[test]
fn only_a_dot_between_two_line_ends_ends_a_message() {
    let hop = NextHop::start();
    let server = Flawed::start(hop.address).unwrap();
    let mut client = Client::new(&server);
    let smuggled = "x\n.\nMAIL FROM:<>\r\n\n.\r\nQUIT\r\n";
    assert!(client.send("", &["x@probe.example"], smuggled).starts_with("550 5.6.0 "));
    // A line of exactly the length that is read at once is a line.
    let long = format!("{}\r\n", "x".repeat(2_047));
    assert!(client.send("", &["x@probe.example"], &long).starts_with("250 "));
    assert!(hop.next().1.ends_with(&format!("\r\n{long}.\r\n")));
}

#[test]
fn what_is_too_long_is_refused() {
    let server = Flawed::start("127.0.0.1:9".parse().unwrap()).unwrap();
    let mut client = Client::new(&server);
    assert!(client.ask(&"x".repeat(2_046)).starts_with("500 5.5.2 Error"));
    assert_eq!(client.ask(&"x".repeat(2_047)), "500 5.5.2 Line too long");
    let mut client = Client::new(&server);
    let reply = client.send("", &["x@probe.example"], &"0123456\r\n".repeat(7_282));
    assert_eq!(reply, "552 5.3.4 Message size exceeds fixed limit");
    let mut client = Client::new(&server);
    client.ask("EHLO p.example");
    client.ask("MAIL FROM:<>");
    for _ in 0..10 {
        assert_eq!(client.ask("RCPT TO:<x@probe.example>"), "250 2.1.5 Ok");
    }
    assert!(client.ask("RCPT TO:<x@probe.example>").starts_with("452 4.5.3 "));
}

#[test]
fn a_ninth_client_is_turned_away_until_one_leaves() {
    let server = Flawed::start("127.0.0.1:9".parse().unwrap()).unwrap();
    let mut clients: Vec<Client> = (0..8).map(|_| Client::new(&server)).collect();
    let mut ninth = BufReader::new(TcpStream::connect(server.address()).unwrap());
    let mut reply = String::new();
    ninth.read_line(&mut reply).unwrap();
    assert!(reply.starts_with("421 4.3.2 "), "{reply}");
    assert!(clients[0].ask("QUIT").starts_with("221 "));
    drop(clients);
}

#[test]
fn it_ends_at_once_whoever_it_talks_with() {
    // A next hop that takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Flawed::start(silent.local_addr().unwrap()).unwrap();
    let mut idle = Client::new(&server);
    let mut busy = Client::new(&server);
    busy.send("", &["x@probe.example", "y@probe.example"], "Subject: x\r\n\r\n");
    let (held, _) = silent.accept().unwrap();
    let address = server.address();
    let begun = Instant::now();
    drop(server);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(idle.stream.read(&mut [0]).unwrap(), 0);
    assert!(TcpStream::connect(address).is_err());
    drop(held);
}

#[test]
fn it_passes_mail_on_to_loopback_only() {
    for address in ["192.0.2.1:25", "[2001:db8::1]:25", "[::ffff:192.0.2.1]:25", "0.0.0.0:25"] {
        let refused = Flawed::start(address.parse().unwrap()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{address}");
    }
    assert!(Flawed::start((Ipv6Addr::LOCALHOST, 25).into()).is_ok());
}

#[test]
fn a_survey_finds_the_three_flaws_and_no_fourth() {
    let server = Flawed::start("127.0.0.1:9".parse().unwrap()).unwrap();
    let mut target = Target::new(server.address().ip(), server.address().port());
    target.domains.push("target.example".parse().unwrap());
    let leave: Authorization = "own-server:demo".parse().unwrap();
    let plan = Plan::builder(target, Identity::new("probe.example".parse().unwrap()), leave)
        .allow_private()
        .matrix(Matrix::select(Selection::Full))
        .profile(Profile::Lab)
        .budget(Budget::LIFTED)
        .tls(driver::TLS)
        .build(driver::now(), 1)
        .unwrap();
    let report = blocking::run(plan, &Stop::new(), |_| {});
    assert_eq!(report.verdict, Verdict::Suspected, "{}", report.text());
    let relay = report.probes.iter().filter(|probe| !probe.case.starts_with("ctl-"));
    let of = |found: fn(&Outcome) -> bool| -> Vec<&str> {
        relay.clone().filter(|probe| found(&probe.outcome)).map(|probe| &*probe.case).collect()
    };
    let untested = of(|outcome| matches!(outcome, Outcome::NotTested { .. }));
    assert!(untested.is_empty(), "{}", report.text());
    let bounce = ["snd-null"];
    let percent = ["pct-domain", "pct-host", "pct-nohost", "pct-nested", "pct-local-last", "rt-percent"];
    let bang = ["bang-nohost", "bang-domain", "bang-host", "bang-two", "bang-percent"];
    let mut flaws = [&bounce[..], &percent[..], &bang[..], &["pd-open-paren"]].concat();
    let mut accepted = of(Outcome::is_accepted);
    flaws.sort_unstable();
    accepted.sort_unstable();
    assert_eq!(accepted, flaws, "{}", report.text());
}
