//! The programs of the comparison: a server to be measured against, and clients that ask it. `compare.py` runs them.

mod envelopes;
mod floor;
mod mail_send;
mod ours;
mod stub;

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use wait4::Wait4 as _;

#[derive(Parser)]
enum Command {
    /// A closed server. For each line on standard input it prints what it has counted since the last.
    Stub {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        #[arg(long, value_enum, default_value_t = Limits::None)]
        limits: Limits,
        /// Does not offer PIPELINING, and hangs up on whoever talks early.
        #[arg(long)]
        lockstep: bool,
    },
    /// Prints the commands MAIL and RCPT of cases, as a run against the stub sends them.
    Envelopes { server: SocketAddr, cases: Vec<String> },
    /// The least that a client can do: no timers, no evidence, no judgement.
    Floor(Hosts),
    /// This library.
    Ours {
        #[command(flatten)]
        hosts: Hosts,
        /// Keeps to what unknown servers allow, instead of asking everything on one connection.
        #[arg(long)]
        cautious: bool,
        #[arg(long, default_value_t = 1)]
        connections: u8,
        #[arg(long, required = true, num_args = 1.., value_delimiter = ',')]
        cases: Vec<String>,
    },
    /// The client of the crate `mail-send`, with the same commands.
    MailSend(Hosts),
    /// Runs a program and prints what it took. The caller's own memory would count as the program's.
    Timed {
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

/// What clients are given.
#[derive(clap::Args)]
struct Hosts {
    /// The first host; the others have the addresses after it.
    first: SocketAddr,
    #[arg(long = "hosts", default_value_t = 1)]
    count: u32,
    #[arg(long, default_value_t = 256)]
    in_flight: usize,
    /// One command, then its reply, whatever the server offers.
    #[arg(long)]
    lockstep: bool,
    /// What `envelopes` printed.
    #[arg(long)]
    envelopes: Option<PathBuf>,
}

/// Whose default error limits the stub has.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Limits {
    None,
    Postfix,
    Exim,
}

impl Hosts {
    fn addresses(&self) -> impl Iterator<Item = SocketAddr> + Send + use<> {
        let (first, count) = (self.first, self.count);
        (0..count).map(move |offset| {
            let std::net::IpAddr::V4(address) = first.ip() else { return first };
            SocketAddr::new(std::net::Ipv4Addr::from_bits(address.to_bits() + offset).into(), first.port())
        })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    match Command::parse() {
        Command::Stub { listen, limits, lockstep } => stub::serve(listen, limits, lockstep),
        Command::Envelopes { server, cases } => envelopes::print(server, &cases),
        Command::Floor(hosts) => floor::run(&hosts),
        Command::Ours { hosts, cautious, connections, cases } => {
            ours::run(&hosts, &cases, ours::Manner { lockstep: false, cautious, connections })
        }
        Command::MailSend(hosts) => mail_send::run(&hosts),
        Command::Timed { command } => timed(&command),
    }
}

fn timed(command: &[String]) -> Result<(), Box<dyn Error>> {
    let (program, arguments) = command.split_first().ok_or("no command")?;
    let begin = Instant::now();
    let outcome = std::process::Command::new(program).args(arguments).spawn()?.wait4()?;
    let (user, system, octets) = (outcome.rusage.utime, outcome.rusage.stime, outcome.rusage.maxrss);
    eprintln!(
        "{}",
        serde_json::json!({
            "wall": begin.elapsed().as_secs_f64(),
            "cpu": (user + system).as_secs_f64(),
            "user": user.as_secs_f64(),
            "rss": octets / 1_024,
            "failed": !outcome.status.success(),
        })
    );
    Ok(())
}
