//! The servers of these tests for the tests of other languages: each is a process, which says on one line of JSON where it is.
//!
//! - `list`: every dialogue with its settings.
//! - `converse NAME`: the server of a dialogue in virtual time, for a bare session on the other side of the pipe. Each line
//!   on standard output asks (`{"poll":null}`) or tells (`{"take":…}`), each line on standard input answers a question. At
//!   the end comes the report that Rust's own session gives.
//! - `dialogue NAME`: the same server on a socket. Standard input takes the reports of drivers, a line of JSON each; the
//!   answer is `"ok"` once it says what the session in Rust says.
//! - `liar`: a DNS server that lies, until standard input ends.
//! - `server NAME [SINK]`: a real mail server, until standard input ends.
//! - `survey NAME`: the same, and what Rust's survey found of each case.
#![allow(clippy::print_stdout, reason = "the answers are what it is for")]

use std::io::{BufRead, Write, stdin, stdout};
use std::net::SocketAddr;

use relayprobe::link::{ConnId, Endpoint, Loss};
use relayprobe::moment::Moment;
use relayprobe::octets::Octets;
use relayprobe::session::{Input, Output};
use relayprobe::{Report, Selection};
use relayprobe_tests::dialogue;
use relayprobe_tests::expect::{self, assert_same, timeless};
use relayprobe_tests::liar::{Liar, Tcp};
use relayprobe_tests::script::Server;
use relayprobe_tests::servers;
use relayprobe_tests::sockets::Listening;
use relayprobe_tests::survey::survey;
use relayprobe_tests::virtual_time::{self, Engine};
use serde_json::{Value, json};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words {
        ["list"] => list(),
        ["converse", name] => converse(name),
        ["dialogue", name] => listen(name),
        ["liar"] => lie(),
        ["server", name] => serve(&start(name, None)),
        ["server", name, sink] => serve(&start(name, Some(sink.parse().expect("an address")))),
        ["survey", name] => survey_too(&start(name, None)),
        _ => panic!("list, converse NAME, dialogue NAME, liar, server NAME [SINK] or survey NAME"),
    }
}

fn say(value: &Value) {
    println!("{value}");
    stdout().flush().expect("standard output");
}

/// A line of standard input; nothing at its end.
fn hear() -> Option<String> {
    stdin().lock().lines().next().map(|line| line.expect("standard input"))
}

fn list() {
    let dialogues = dialogue::all();
    let settings =
        dialogues.iter().map(|dialogue| json!({ "name": dialogue.name, "settings": dialogue.settings }));
    say(&json!({
        "dialogues": settings.collect::<Vec<_>>(),
        "keys": dialogue::keyring().to_text(),
    }));
}

fn converse(name: &str) {
    let dialogue = dialogue::named(name);
    let address: SocketAddr = virtual_time::ADDRESS.parse().expect("an address");
    say(&json!({ "host": address.ip(), "port": address.port() }));
    drop(virtual_time::converse(&mut Pipe, Server::new(&dialogue), usize::MAX));
    let rust = virtual_time::drive(dialogue.plan(address), Server::new(&dialogue), usize::MAX);
    say(&json!({ "report": rust.report.to_json() }));
}

fn lie() {
    let liar = Liar::start(Tcp::Answers);
    say(&json!({ "host": liar.addr.ip(), "port": liar.addr.port() }));
    while hear().is_some() {}
}

/// A session on the other side of standard input and output.
struct Pipe;

impl Engine for Pipe {
    fn poll(&mut self) -> Output {
        say(&json!({ "poll": null }));
        let answer: Value = serde_json::from_str(&hear().expect("an answer")).expect("JSON");
        let connection =
            || ConnId(answer["connection"].as_u64().and_then(|id| id.try_into().ok()).expect("a connection"));
        match answer["output"].as_str().expect("an output") {
            "connect" => {
                let remote = answer["to"].as_str().expect("an address").parse().expect("an address");
                Output::Connect(connection(), Endpoint::new(remote, None))
            }
            "send" => {
                let octets = Octets::from_escaped(answer["data"].as_str().expect("octets")).expect("octets");
                Output::Send(connection(), octets.as_bytes().to_vec())
            }
            "start-tls" => Output::StartTls(connection(), String::new()),
            "close" => Output::Close(connection()),
            "wait" => Output::Wait(Moment::from_micros(answer["until"].as_u64().expect("microseconds"))),
            "finished" => Output::Finished,
            other => panic!("no output is called {other}"),
        }
    }

    fn take(&mut self, input: Input<'_>, now: Moment) {
        let what = match input {
            Input::Connected(id) => json!({ "input": "connected", "connection": id.0 }),
            Input::Sent(id) => json!({ "input": "sent", "connection": id.0 }),
            Input::Received(id, octets) => {
                json!({ "input": "received", "connection": id.0, "data": Octets::from(octets) })
            }
            Input::Secured(id, facts) => json!({ "input": "secured", "connection": id.0, "tls": facts }),
            Input::Lost(id, loss) => json!({ "input": "lost", "connection": id.0, "loss": word(loss) }),
            Input::Tick => json!({ "input": "tick" }),
            _ => panic!("an input that is not known here"),
        };
        say(&json!({ "take": what, "now": now.as_micros() }));
    }
}

fn word(loss: Loss) -> String {
    let word = serde_json::to_value(loss).expect("JSON");
    word.as_str().expect("a word").to_owned()
}

fn listen(name: &str) {
    let dialogue = dialogue::named(name);
    let server = Listening::start(&dialogue);
    say(&json!({ "host": server.address.ip(), "port": server.address.port() }));
    while let Some(line) = hear() {
        let mut report = Report::from_json(&line).expect("a report");
        dialogue.come_back(&mut report);
        expect::check(&dialogue, &report, Some(&server.server()), "another language");
        // What comes before its command, or with several connections at once, comes in an order of chance.
        if !dialogue.has("connections") && !dialogue.has("racing") {
            let plan = dialogue.plan(server.address);
            let bare = virtual_time::drive(plan, Server::new(&dialogue), usize::MAX).report;
            assert_same(&timeless(&report.transcript), &timeless(&bare.transcript), name);
            assert_eq!(json!(report.run), json!(bare.run), "{name}");
        }
        server.renew(&dialogue);
        say(&json!("ok"));
    }
}

fn start(name: &str, sink: servers::Sink) -> servers::Server {
    servers::start(name, sink).unwrap_or_else(|known| panic!("{name} is none of {known}"))
}

fn serve(server: &servers::Server) {
    say(&json!({ "host": server.addr.ip(), "port": server.addr.port() }));
    while hear().is_some() {}
}

fn survey_too(server: &servers::Server) {
    let report = survey(server, Selection::Quick);
    let probes = report
        .probes
        .iter()
        .map(|probe| json!([probe.case, probe.path, probe.beside, probe.outcome.as_str()]));
    say(&json!({
        "host": server.addr.ip(),
        "port": server.addr.port(),
        "verdict": report.verdict,
        "probes": probes.collect::<Vec<_>>(),
    }));
    while hear().is_some() {}
}
