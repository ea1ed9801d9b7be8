//! Unbound, a DNS server, as Debian ships it, with zones of the tests' own.

use std::fmt::Write as _;

use super::Recipe;
use super::server::{Instance, Server, free_address};

/// How Unbound is unpacked.
pub const RECIPE: Recipe =
    Recipe { name: "unbound", packages: &["unbound"], accounts: &[("unbound", 101)], setup: "" };

/// Starts an instance with records of `example.` and of the reverse zone of 127.0.0.0/8, and tells its address.
///
/// # Panics
/// If it cannot be unpacked or started.
#[must_use]
pub fn with_reverse(zone: &str, reverse: &str) -> (Server, String) {
    let server = start(&[
        ("example.", "/instance-example.zone", zone),
        ("127.in-addr.arpa.", "/instance-reverse.zone", reverse),
    ]);
    let addr = server.addr.to_string();
    (server, addr)
}

/// Starts an instance that has these zones: name, file and records in the form of a zone file. Names in `test.` are refused,
/// and whatever else lies outside is asked of a loopback address at which nobody is.
///
/// # Panics
/// If it cannot be unpacked or started.
#[must_use]
pub fn start(zones: &[(&'static str, &'static str, &str)]) -> Server {
    let addr = free_address();
    let mut config = format!(
        "server:\n interface: {ip}@{port}\n access-control: 127.0.0.0/8 allow\n username: \"\"\n chroot: \"\"\n \
         directory: \"/instance\"\n pidfile: \"\"\n use-syslog: no\n logfile: \"\"\n verbosity: 1\n num-threads: 1\n \
         do-not-query-localhost: no\n do-ip6: no\n rrset-roundrobin: no\n unblock-lan-zones: yes\n insecure-lan-zones: yes\n \
         module-config: \"iterator\"\n local-zone: \"127.in-addr.arpa.\" nodefault\n \
         local-zone: \"test.\" always_refuse\nremote-control:\n control-enable: no\nforward-zone:\n name: \".\"\n \
         forward-addr: 127.255.255.254@1\n",
        ip = addr.ip(),
        port = addr.port(),
    );
    let mut files = Vec::new();
    for (zone, file, records) in zones {
        // Writing to a string cannot fail.
        let _written = write!(
            config,
            "auth-zone:\n name: \"{zone}\"\n zonefile: \"{file}\"\n for-upstream: no\n for-downstream: yes\n \
             fallback-enabled: no\n"
        );
        let head = format!(
            "$ORIGIN {zone}\n$TTL 60\n@ SOA ns.example. root.example. 1 60 60 60 60\n@ NS ns.example.\n"
        );
        files.push((*file, head + records));
    }
    files.push(("/etc/unbound/tests.conf", config));
    let command = "exec unbound -d -p -c /etc/unbound/tests.conf".to_owned();
    Server::start_listening(&RECIPE, &Instance { addr, files, command })
}
