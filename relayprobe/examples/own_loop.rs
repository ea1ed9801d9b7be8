//! Drives a session without a driver: `cargo run -p relayprobe --example own_loop -- 192.0.2.25`.
//!
//! One connection at a time, blocking, without TLS: the least that a loop can be.

use std::error::Error;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use relayprobe::link::{ConnId, Loss};
use relayprobe::moment::{Date, Moment};
use relayprobe::session::{Input, Output};
use relayprobe::{Authorization, Identity, Plan, Report, Session, Target};

const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a plan that was told [`DriverTls::Unable`](relayprobe::plan::DriverTls::Unable), as plans are by default.
pub(crate) fn run(plan: Plan) -> Report {
    let clock = Instant::now();
    let now = || Moment::ZERO.after(clock.elapsed());
    let mut session = Session::new(plan, now());
    let mut open: Option<(ConnId, TcpStream)> = None;
    let mut buffer = [0; 4096];
    loop {
        let input = match session.poll_output() {
            Output::Connect(id, to) => match TcpStream::connect_timeout(&to.remote, PATIENCE) {
                Ok(socket) => {
                    open = Some((id, socket));
                    Input::Connected(id)
                }
                Err(error) => Input::Lost(id, loss(&error)),
            },
            Output::Send(id, octets) => match open.as_mut().map(|(_, socket)| socket.write_all(&octets)) {
                Some(Ok(())) => Input::Sent(id),
                Some(Err(error)) => Input::Lost(id, loss(&error)),
                None => Input::Lost(id, Loss::Other),
            },
            Output::Wait(until) => {
                let left = until.since(now());
                match open.as_mut().map(|(id, socket)| (*id, read(socket, left, &mut buffer))) {
                    Some((id, Ok(count))) if count > 0 => {
                        session.handle_input(Input::Received(id, &buffer[..count]), now());
                        continue;
                    }
                    Some((id, Ok(_))) => Input::Lost(id, Loss::Closed),
                    Some((id, Err(error))) if !is_silence(&error) => Input::Lost(id, loss(&error)),
                    Some(_) => Input::Tick,
                    None => {
                        thread::sleep(left);
                        Input::Tick
                    }
                }
            }
            Output::Close(_) => {
                open = None;
                continue;
            }
            Output::StartTls(id, _) => Input::Lost(id, Loss::Tls),
            Output::Finished => break,
            _ => continue,
        };
        session.handle_input(input, now());
    }
    let (record, transcript) = session.into_parts();
    Report::new(record, transcript)
}

/// Reads once: within `left`, or what is there already if nothing is left.
fn read(socket: &mut TcpStream, left: Duration, buffer: &mut [u8]) -> io::Result<usize> {
    socket.set_nonblocking(left.is_zero())?;
    if !left.is_zero() {
        socket.set_read_timeout(Some(left))?;
    }
    let result = socket.read(buffer);
    socket.set_nonblocking(false)?;
    result
}

fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn loss(error: &io::Error) -> Loss {
    match error.kind() {
        ErrorKind::ConnectionRefused => Loss::Refused,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Loss::Reset,
        ErrorKind::TimedOut => Loss::TimedOut,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Loss::NoRoute,
        _ => Loss::Other,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let address: IpAddr =
        std::env::args().nth(1).ok_or("give the address of a server that you may test")?.parse()?;
    let identity = Identity::new("probe.example".parse()?);
    let authorization: Authorization = "customer-contract:K123".parse()?;
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    // The seed names the run and must not repeat; take it from your own source of chance.
    let plan = Plan::builder(Target::new(address, 25), identity, authorization)
        .build(Date::from_unix(seconds), u64::from(std::process::id()) ^ seconds << 20)?;
    print!("{}", run(plan).text());
    Ok(())
}
