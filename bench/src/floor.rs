//! The least that a client can do: sockets and an event loop, no timers, no evidence, no judgement.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::Hosts;
use crate::envelopes;

/// What is to be written, and how many replies it brings.
struct Round {
    octets: Vec<u8>,
    replies: usize,
}

struct Host {
    stream: TcpStream,
    /// The round whose replies are awaited; 0 is the greeting.
    round: usize,
    replies: usize,
    /// Whether the next octet begins a line, and what is known of the line: digits had, and the octet after them.
    column: usize,
    last: bool,
}

pub(crate) fn run(hosts: &Hosts) -> Result<(), Box<dyn Error>> {
    let rounds = rounds(hosts)?;
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1_024);
    let mut waiting: VecDeque<SocketAddr> = hosts.addresses().collect();
    let mut slots: Vec<Option<Host>> = Vec::new();
    let mut free: Vec<usize> = (0..hosts.in_flight).rev().collect();
    slots.resize_with(hosts.in_flight, || None);
    let (mut running, mut done) = (0, 0);
    let mut buffer = vec![0; 16_384];
    while running > 0 || !waiting.is_empty() {
        while let Some(&slot) = free.last() {
            let Some(address) = waiting.pop_front() else { break };
            free.pop();
            let mut stream = TcpStream::connect(address)?;
            poll.registry().register(&mut stream, Token(slot), Interest::READABLE)?;
            slots[slot] = Some(Host { stream, round: 0, replies: 1, column: 0, last: false });
            running += 1;
        }
        poll.poll(&mut events, None)?;
        for event in &events {
            let slot = event.token().0;
            let Some(host) = &mut slots[slot] else { continue };
            if host.go_on(&rounds, &mut buffer)? {
                slots[slot] = None;
                free.push(slot);
                running -= 1;
                done += 1;
            }
        }
    }
    println!("{done}");
    Ok(())
}

fn rounds(hosts: &Hosts) -> Result<Vec<Round>, Box<dyn Error>> {
    let envelopes = envelopes::read(hosts.envelopes.as_deref())?;
    let mut commands: Vec<String> = vec!["EHLO probe.example\r\n".into()];
    for (number, envelope) in envelopes.iter().enumerate() {
        if number > 0 {
            commands.push("RSET\r\n".into());
        }
        commands.extend([envelope.mail.clone(), envelope.rcpt.clone()]);
    }
    commands.push("QUIT\r\n".into());
    let single = |command: &String| Round { octets: command.clone().into_bytes(), replies: 1 };
    if hosts.lockstep {
        return Ok(commands.iter().map(single).collect());
    }
    let group = Round { octets: commands[1..].concat().into_bytes(), replies: commands.len() - 1 };
    Ok(vec![single(&commands[0]), group])
}

impl Host {
    /// Reads what is there and writes the next round; true when all is answered.
    fn go_on(&mut self, rounds: &[Round], buffer: &mut [u8]) -> Result<bool, Box<dyn Error>> {
        let length = match self.stream.read(buffer) {
            Ok(0) => return Err("the server hung up".into()),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        for &octet in &buffer[..length] {
            self.last |= self.column == 3 && octet == b' ';
            self.column = if octet == b'\n' { 0 } else { self.column + 1 };
            if octet == b'\n' && std::mem::take(&mut self.last) {
                self.replies -= 1;
            }
        }
        if self.replies > 0 {
            return Ok(false);
        }
        let Some(round) = rounds.get(self.round) else { return Ok(true) };
        self.stream.write_all(&round.octets)?;
        self.replies = round.replies;
        self.round += 1;
        Ok(false)
    }
}
