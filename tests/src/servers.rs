//! Real mail servers on loopback, one private instance per handle.
//!
//! Debian's mail server packages exclude one another, so none is installed: [`root`] unpacks each program with
//! everything it needs into a root of its own, once per checkout, and [`server`] runs instances over that root
//! in namespaces of their own. Tests must run as root with the right to mount (in a container: `--privileged`),
//! on a Debian that can fetch packages; apt, dpkg, tar, coreutils and util-linux do the work.
//!
//! Every server is the host `mail.target.example` and takes mail for `target.example`: to `alice`, to
//! `postmaster`, to `abuse`, and to nobody else unless its flavour says so. Two Postfixes are other hosts:
//! the smarthost `smarthost.isp.example`, and the server of the [probe domain](probe_domain). Error limits are
//! those the makers ship. Nothing leaves loopback: mail for outside goes at once to the sink a test names, from
//! the address the server listens at, or is thrown away.
//!
//! ```text
//! let server = servers::postfix::start(servers::postfix::Flavour::Open, None);
//! let client = std::net::TcpStream::connect(server.addr);
//! ```

use std::net::SocketAddr;

pub use self::root::{Recipe, Root, prepare};
pub use self::server::{Server, free_address};

pub mod exim;
pub mod opensmtpd;
pub mod postfix;
pub mod probe_domain;
pub mod root;
pub mod sendmail;
pub mod server;
pub mod unbound;

/// The mail domain of every server that is tested.
pub const DOMAIN: &str = "target.example";

/// The host name of every server that is tested.
pub const HOST: &str = "mail.target.example";

/// The host name of the smarthost.
pub const SMARTHOST: &str = "smarthost.isp.example";

/// The mail domain of the server that receives for the tester.
pub const PROBE_DOMAIN: &str = "probe.example";

/// Where a server's outgoing mail goes: to this address over SMTP, or nowhere.
pub type Sink = Option<SocketAddr>;

type Start = fn(Sink) -> Server;

/// Servers by name, for those who start them from outside.
const SERVERS: &[(&str, Start)] = &[
    ("postfix-closed", |sink| postfix::start(postfix::Flavour::Closed, sink)),
    ("postfix-default", |sink| postfix::start(postfix::Flavour::ClosedDefault, sink)),
    ("postfix-open", |sink| postfix::start(postfix::Flavour::Open, sink)),
    ("postfix-trusts-own-senders", |sink| postfix::start(postfix::Flavour::TrustsOwnSenders, sink)),
    ("postfix-starttls", |sink| postfix::start(postfix::Flavour::StartTls, sink)),
    ("postfix-greylists", |sink| postfix::start(postfix::Flavour::Greylists, sink)),
    ("exim-closed", |sink| exim::start(exim::Flavour::Closed, sink)),
    ("exim-open", |sink| exim::start(exim::Flavour::Open, sink)),
    ("opensmtpd-open", |sink| opensmtpd::start(opensmtpd::Flavour::Open, sink)),
    ("opensmtpd-closed", |sink| opensmtpd::start(opensmtpd::Flavour::Closed, sink)),
    ("sendmail-open", |sink| sendmail::start(sendmail::Flavour::Open, sink)),
    ("sendmail-closed", |sink| sendmail::start(sendmail::Flavour::Closed, sink)),
];

/// Starts the server of this name; the names that there are, otherwise.
pub fn start(name: &str, sink: Sink) -> Result<Server, String> {
    let names = || SERVERS.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
    let (_, start) = SERVERS.iter().find(|(known, _)| *known == name).ok_or_else(names)?;
    Ok(start(sink))
}
