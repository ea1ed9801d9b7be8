//! The desk's own Postfix, as it receives for the probe domain beside its other mail.
//!
//! To main.cf:
//!
//! ```text
#![doc = include_str!("probe_domain/main.cf")]
//! ```
//!
//! The probe domain must not stand in `mydestination` as well. The Maildir belongs to the user and group with
//! those numbers. Each file in its `new` begins with what Postfix adds: `Return-Path` (the envelope sender),
//! `X-Original-To` and `Delivered-To` (the envelope recipient), then its own `Received`.
//!
//! A program can take the messages instead. To main.cf, beside the lines above:
//!
//! ```text
#![doc = include_str!("probe_domain/pipe.main.cf")]
//! ```
//!
//! and to master.cf, with the program's own user:
//!
//! ```text
#![doc = include_str!("probe_domain/pipe.master.cf")]
//! ```
//!
//! No shell sees these arguments. The program reads the message from its standard input and exits with 0; if it
//! exits with 75, Postfix tries again later.

use super::postfix::{CLOSED, STRANGERS, Setup, start_as};
use super::server::Server;

/// Where the mail of the probe domain is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Into [`MAILDIR`].
    Maildir,
    /// To a program, which writes the arguments, one a line, an empty line and the message into a file of
    /// [`PIPED`].
    Pipe,
}

/// What the recipe adds to main.cf.
pub const MAIN: &str = include_str!("probe_domain/main.cf");

/// What the variant with a program adds to main.cf after that.
pub const PIPE_MAIN: &str = include_str!("probe_domain/pipe.main.cf");

/// What the variant with a program adds to master.cf.
pub const PIPE_MASTER: &str = include_str!("probe_domain/pipe.master.cf");

/// The Maildir, under [`Server::folder`].
pub const MAILDIR: &str = "relayprobe/Maildir";

/// What the program took, under [`Server::folder`].
pub const PIPED: &str = "relayprobe/piped";

/// The host's own name: the desk has other mail too.
const HOST: &str = "mx.desk.example";

/// Starts an instance and waits until it greets.
///
/// # Panics
/// If it cannot be unpacked or started.
pub fn start(store: Store) -> Server {
    let desk = format!("{STRANGERS}{CLOSED}default_transport = error:5.7.1 this host relays nothing\n{MAIN}");
    let (main, master, files) = match store {
        Store::Maildir => (desk, "", Vec::new()),
        Store::Pipe => (desk + PIPE_MAIN, PIPE_MASTER, vec![(PROGRAM, TAKE_MESSAGE.to_owned())]),
    };
    start_as(Setup { host: HOST, main, master, files, before: PREPARE })
}

const PREPARE: &str = "
echo relayprobe:x:990:990::/nonexistent:/usr/sbin/nologin >>/etc/passwd
echo relayprobe:x:990: >>/etc/group
mkdir -p /instance/relayprobe/piped
chown -R relayprobe:relayprobe /instance/relayprobe
ln -s /instance/relayprobe /var/spool/relayprobe
test ! -f /usr/local/bin/take-message || chmod 755 /usr/local/bin/take-message
";

const PROGRAM: &str = "/usr/local/bin/take-message";

/// A file has its final name only when it is complete, as in a Maildir.
const TAKE_MESSAGE: &str = r#"#!/bin/sh -e
new=$(mktemp /instance/relayprobe/incoming.XXXXXX)
{ printf '%s\n' "$@" ""; cat; } >"$new"
mv "$new" /instance/relayprobe/piped/
"#;
