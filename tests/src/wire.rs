//! A wire between two network namespaces that a test looks at, packet by packet: what goes over it, vanishes or is answered
//! is the test's to say (Linux, root).
//!
//! Each end is a thread in a namespace of its own, with nothing in it but loopback and the wire. What such a thread starts,
//! threads and programs, is there too; when all of it has ended, so has the namespace.

use std::ffi::c_char;
use std::fs::{File, OpenOptions};
use std::io::{Error, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use crate::c_library::succeed;

/// Where the tester is.
pub const NEAR: Ipv4Addr = Ipv4Addr::new(10, 87, 0, 1);
/// Where the server is.
pub const FAR: Ipv4Addr = Ipv4Addr::new(10, 87, 0, 2);

/// What becomes of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes over.
    Passes,
    /// It never comes.
    Vanishes,
    /// It does not go over, and its sender gets this packet.
    Answered(Vec<u8>),
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the tester to the server.
    Out,
    /// From the server to the tester.
    Back,
}

/// Runs `near` in a namespace of its own with nothing but loopback in it.
///
/// # Panics
/// If `near` does, or namespaces cannot be made.
pub fn apart<T: Send>(near: impl FnOnce() -> T + Send) -> T {
    let work = || {
        leave();
        near()
    };
    thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|fault| std::panic::resume_unwind(fault))
}

/// Runs `far` at one end of a wire, and then `near` at the other with what `far` returned. `judge` says what becomes of each
/// packet.
///
/// # Panics
/// If one of them does, or namespaces cannot be made.
pub fn between<S: Send + 'static, T: Send>(
    judge: impl Fn(Way, &[u8]) -> Fate + Send + Sync + 'static,
    far: impl FnOnce() -> S + Send + 'static,
    near: impl FnOnce(S) -> T + Send,
) -> T {
    let (tell, hear) = channel();
    thread::spawn(move || {
        leave();
        let device = end("far", FAR, NEAR);
        tell.send((device, far())).expect("somebody waits for it");
    });
    let (far, served) = hear.recv().expect("the far end is there");
    apart(|| {
        carry(end("near", NEAR, FAR), far, &Arc::new(judge));
        near(served)
    })
}

/// One end of the wire, in the namespace that this thread is in.
fn end(name: &str, own: Ipv4Addr, other: Ipv4Addr) -> File {
    let device = tun(name).expect("a TUN device can be made");
    ip(&["addr", "add", &own.to_string(), "peer", &other.to_string(), "dev", name]);
    ip(&["link", "set", name, "up"]);
    device
}

/// This thread goes to a namespace that has only loopback.
fn leave() {
    // SAFETY: it takes a number, and concerns this thread alone.
    let left = unsafe { libc::unshare(libc::CLONE_NEWNET) };
    assert_eq!(left, 0, "a namespace (as root): {}", Error::last_os_error());
    ip(&["link", "set", "lo", "up"]);
}

/// Changes the network of the namespace that this thread is in.
///
/// # Panics
/// If `ip` says no.
pub fn ip(arguments: &[&str]) {
    succeed(Command::new("ip").args(arguments));
}

fn tun(name: &str) -> std::io::Result<File> {
    let device = OpenOptions::new().read(true).write(true).open("/dev/net/tun")?;
    // SAFETY: all zero is a value of each of its fields.
    let mut wish: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, letter) in wish.ifr_name.iter_mut().zip(name.bytes()) {
        *place = c_char::from_ne_bytes([letter]);
    }
    let flags = libc::IFF_TUN | libc::IFF_NO_PI;
    wish.ifr_ifru.ifru_flags = flags.try_into().expect("16 bits");
    // SAFETY: the descriptor is open, and the request reads such a struct.
    let made = unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, &raw const wish) };
    if made == 0 { Ok(device) } else { Err(Error::last_os_error()) }
}

/// Takes packets from each end to the other until the process ends.
fn carry(near: File, far: File, judge: &Arc<impl Fn(Way, &[u8]) -> Fate + Send + Sync + 'static>) {
    let ends = Arc::new((near, far));
    for way in [Way::Out, Way::Back] {
        let (ends, judge) = (Arc::clone(&ends), Arc::clone(judge));
        thread::spawn(move || {
            let (mut from, mut to) = match way {
                Way::Out => (&ends.0, &ends.1),
                Way::Back => (&ends.1, &ends.0),
            };
            let mut buffer = vec![0; 65_536];
            while let Ok(length) = from.read(&mut buffer) {
                let packet = &buffer[..length];
                // Namespaces greet their neighbours by IPv6; nobody asked for it.
                if packet[0] >> 4 != 4 {
                    continue;
                }
                let written = match judge(way, packet) {
                    Fate::Passes => to.write_all(packet),
                    Fate::Vanishes => Ok(()),
                    Fate::Answered(answer) => from.write_all(&answer),
                };
                if written.is_err() {
                    break;
                }
            }
        });
    }
}

/// The answer "destination unreachable" of this code to a packet (RFC 792), as if the other end had sent it.
#[must_use]
pub fn unreachable(packet: &[u8], code: u8) -> Vec<u8> {
    // What it quotes: the header of the packet and eight octets more.
    let quoted = &packet[..packet.len().min(28)];
    let mut answer = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0];
    answer.extend_from_slice(&packet[16..20]);
    answer.extend_from_slice(&packet[12..16]);
    answer.extend_from_slice(&[3, code, 0, 0, 0, 0, 0, 0]);
    answer.extend_from_slice(quoted);
    let length = u16::try_from(answer.len()).expect("a short packet");
    answer[2..4].copy_from_slice(&length.to_be_bytes());
    let sum = checksum(&answer[..20]);
    answer[10..12].copy_from_slice(&sum);
    let sum = checksum(&answer[20..]);
    answer[22..24].copy_from_slice(&sum);
    answer
}

/// The checksum of RFC 1071.
fn checksum(octets: &[u8]) -> [u8; 2] {
    let pairs = octets.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = pairs.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(!sum & 0xffff).expect("16 bits").to_be_bytes()
}

/// How many octets of TCP payload an IPv4 packet carries; `None` if it is none of TCP.
#[must_use]
pub fn payload(packet: &[u8]) -> Option<usize> {
    let header = usize::from(packet[0] & 15) * 4;
    let is_tcp = packet[9] == 6 && packet.len() >= header + 20;
    is_tcp.then(|| packet.len() - header - usize::from(packet[header + 12] >> 4) * 4)
}
