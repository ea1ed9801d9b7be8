//! Connections over a transport with the faults of real ones.

use core::net::SocketAddr;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

use super::connection::Connection;
use super::socket::Transport;
use super::{Stop, now, seed};
use crate::link::{ConnId, Endpoint, Loss};
use crate::moment::Date;
use crate::session::Input;

const ID: ConnId = ConnId(1);

/// What reads and writes answer, in order. Without an answer they would block.
#[derive(Debug, Default)]
struct Script {
    reads: VecDeque<io::Result<&'static [u8]>>,
    writes: VecDeque<io::Result<usize>>,
    written: Vec<u8>,
    connect: Option<ErrorKind>,
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let octets = self.reads.pop_front().unwrap_or_else(|| Err(ErrorKind::WouldBlock.into()))?;
        buffer[..octets.len()].copy_from_slice(octets);
        Ok(octets.len())
    }
}

impl Write for Script {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let count = self.writes.pop_front().unwrap_or_else(|| Err(ErrorKind::WouldBlock.into()))?;
        let count = count.min(octets.len());
        self.written.extend_from_slice(&octets[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Script {
    fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(self.connect.map(io::Error::from))
    }

    fn set_nodelay(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_silent(&self) -> bool {
        self.reads.is_empty()
    }
}

fn connection(script: Script) -> Connection<Script> {
    let remote = SocketAddr::from(([192, 0, 2, 1], 25));
    let mut connection = Connection::new(ID, Endpoint::new(remote, None), script);
    connection.socket.writable = true;
    connection
}

fn connected(script: Script) -> Connection<Script> {
    let mut connection = connection(script);
    assert_eq!(connection.step(&mut []), Some(Input::Connected(ID)));
    connection
}

#[test]
fn a_connect_that_failed_shows_why() {
    let mut connection =
        connection(Script { connect: Some(ErrorKind::ConnectionRefused), ..Script::default() });
    connection.socket.readable = true;
    assert_eq!(connection.step(&mut []), Some(Input::Lost(ID, Loss::Refused)));
}

#[test]
fn short_writes_are_continued_in_order_and_told_once() {
    let writes = [Ok(1), Err(ErrorKind::Interrupted.into()), Ok(2), Err(ErrorKind::WouldBlock.into()), Ok(9)];
    let mut connection = connected(Script { writes: writes.into(), ..Script::default() });
    assert_eq!(connection.send(b"QUIT\r\n".to_vec()), None);
    assert!(!connection.is_ready(), "there is no room");
    connection.socket.writable = true;
    assert!(connection.is_ready());
    assert_eq!(connection.step(&mut []), Some(Input::Sent(ID)));
    assert_eq!(connection.socket.inner.written, b"QUIT\r\n");
    assert!(!connection.is_ready());
}

#[test]
fn a_spurious_wake_up_brings_nothing_and_is_forgotten() {
    let mut connection = connected(Script::default());
    connection.socket.readable = true;
    assert_eq!(connection.step(&mut [0; 64]), None);
    assert!(!connection.is_ready());
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_that_leaves_nothing_is_not_done_twice() {
    let reads = [Ok(&b"250 one\r\n"[..]), Ok(&b"250 two\r\n"[..])];
    let mut connection = connected(Script { reads: reads.into(), ..Script::default() });
    connection.socket.readable = true;
    assert_eq!(connection.step(&mut [0; 64]), Some(Input::Received(ID, b"250 one\r\n")));
    assert!(connection.is_ready() && connection.may_have_more(), "the system told of more");
    assert_eq!(connection.step(&mut [0; 64]), Some(Input::Received(ID, b"250 two\r\n")));
    assert!(!connection.is_ready() && !connection.may_have_more());
    connection.distrust();
    assert!(connection.may_have_more(), "time has passed");
}

#[cfg(target_os = "linux")]
#[test]
fn behind_a_full_buffer_or_before_the_end_there_is_more() {
    for (ended, room) in [(false, 8), (true, 64)] {
        let reads = [Ok(&b"250 ok\r\n"[..])];
        let mut connection = connected(Script { reads: reads.into(), ..Script::default() });
        (connection.socket.readable, connection.socket.ended) = (true, ended);
        assert_eq!(connection.step(&mut [0; 64][..room]), Some(Input::Received(ID, b"250 ok\r\n")));
        assert!(connection.is_ready() && connection.may_have_more());
    }
}

#[test]
fn what_came_before_the_end_is_handed_over_first() {
    let reads = [Ok(&b"421 bye\r\n"[..]), Err(ErrorKind::Interrupted.into()), Ok(&b""[..])];
    let mut connection = connected(Script { reads: reads.into(), ..Script::default() });
    connection.socket.readable = true;
    assert_eq!(connection.step(&mut [0; 64]), Some(Input::Received(ID, b"421 bye\r\n")));
    assert_eq!(connection.step(&mut [0; 64]), Some(Input::Lost(ID, Loss::Closed)));
}

#[test]
fn a_refusal_is_read_before_a_write_error_is_told() {
    for end in [Ok(&b""[..]), Err(ErrorKind::WouldBlock.into()), Err(ErrorKind::ConnectionReset.into())] {
        let script = Script {
            reads: [Ok(&b"554 no\r\n"[..]), end].into(),
            writes: [Err(ErrorKind::BrokenPipe.into())].into(),
            ..Script::default()
        };
        let mut connection = connected(script);
        assert_eq!(connection.send(b"EHLO a.example\r\n".to_vec()), None);
        assert!(connection.is_ready());
        assert_eq!(connection.step(&mut [0; 64]), Some(Input::Received(ID, b"554 no\r\n")));
        assert!(connection.is_ready());
        assert_eq!(connection.step(&mut [0; 64]), Some(Input::Lost(ID, Loss::Reset)));
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn without_tls_a_handshake_fails_at_once() {
    let mut connection = connected(Script::default());
    assert_eq!(connection.start_tls("mx.example".into()), Some(Input::Lost(ID, Loss::Tls)));
}

#[cfg(feature = "tls")]
#[test]
fn whatever_ends_a_handshake_it_is_the_handshake_that_failed() {
    let alert = || Ok(&[21, 3, 3, 0, 2, 2, 40][..]);
    for end in [alert(), Ok(&b"500 what\r\n"[..]), Ok(&b""[..]), Err(ErrorKind::ConnectionReset.into())] {
        let script = Script { reads: [end].into(), writes: [Ok(4_096)].into(), ..Script::default() };
        let mut connection = connected(script);
        assert_eq!(connection.start_tls("mx.example".into()), Some(Input::Lost(ID, Loss::Tls)));
        assert_eq!(connection.socket.inner.written[0], 22, "a handshake record");
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_handshake_in_progress_is_not_ready_until_the_system_says_so() {
    let mut connection = connected(Script { writes: [Ok(10)].into(), ..Script::default() });
    assert_eq!(connection.start_tls("[192.0.2.1]".into()), None);
    assert!(!connection.is_ready(), "there is no room for the rest of the first flight");
    connection.socket.inner.writes.push_back(Ok(4_096));
    connection.socket.writable = true;
    assert!(connection.is_ready());
    assert_eq!(connection.step(&mut []), None);
    assert!(!connection.is_ready(), "there is no answer");
}

#[test]
fn seeds_differ() {
    assert_ne!(seed(), seed());
}

#[test]
fn every_clone_of_a_stop_is_the_same_handle() {
    let stop = Stop::new();
    let other = stop.clone();
    assert!(!stop.is_stopped());
    other.stop();
    assert!(stop.is_stopped());
}

#[test]
fn today_is_after_this_was_written() {
    assert!(now() > Date::from_unix(1_700_000_000));
}
