//! `OpenSMTPD` as Debian ships it.

use super::server::{Instance, Server, free_address, outside_or_nowhere};
use super::{DOMAIN, HOST, Recipe, Sink};

/// What an `OpenSMTPD` instance does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Refuses other domains: no rule matches them.
    Closed,
    /// Relays for every client.
    Open,
}

/// What the log says when a delivery has been put off; 10 s after the attempt.
pub const DEFERRED: &str = "result=\"TempFail\"";

/// Delivers what waits in the queue, now: also to hosts it has given up for a while.
pub const FLUSH: &str = "
smtpctl show routes | while IFS=. read -r route rest; do smtpctl resume route $route; done
smtpctl schedule all
";

/// How `OpenSMTPD` is unpacked.
pub const RECIPE: Recipe = Recipe {
    name: "opensmtpd",
    packages: &["opensmtpd"],
    accounts: &[("opensmtpd", 101), ("opensmtpq", 102)],
    setup: "
mkdir -p /var/lib/opensmtpd/empty /var/spool/smtpd
chmod 711 /var/spool/smtpd
chown root:opensmtpq /usr/sbin/smtpctl
chmod 2755 /usr/sbin/smtpctl
",
};

/// Starts an instance and waits until it greets. Without a sink, mail for outside waits in a queue that ends
/// with the server.
///
/// # Panics
/// If it cannot be unpacked or started.
pub fn start(flavour: Flavour, sink: Sink) -> Server {
    let addr = free_address();
    let rule = match flavour {
        Flavour::Closed => "",
        Flavour::Open => "match from any for any action \"outside\"\n",
    };
    // No rule says `from local`: to it, every loopback client is local.
    let config = format!(
        "table aliases file:/etc/aliases\n\
         listen on {ip} port {port} hostname {HOST}\n\
         action \"local\" mbox alias <aliases>\n\
         action \"outside\" relay host \"smtp://{outside}\" src {ip}\n\
         match from any for domain {{ {DOMAIN} }} action \"local\"\n{rule}",
        ip = addr.ip(),
        port = addr.port(),
        outside = outside_or_nowhere(sink),
    );
    let instance = Instance {
        addr,
        files: vec![("/etc/smtpd.conf", config)],
        command: "exec smtpd -d -T rules".to_owned(),
    };
    Server::start(&RECIPE, &instance)
}
