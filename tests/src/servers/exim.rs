//! Exim with the recipient checks of Debian's configuration.

use std::net::IpAddr;

use super::server::{Instance, Server, free_address};
use super::{Recipe, Sink};

/// What an Exim instance does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Refuses other domains: `550 relay not permitted`.
    Closed,
    /// Relays for every client.
    Open,
    /// Takes any local part with a percent sign at its own domain and routes it on: `user%far@target.example`
    /// goes to `user@far`. Refuses other domains.
    PercentRouted,
    /// Relays for whoever claims a sender at its own domain.
    TrustsOwnSenders,
    /// Takes every recipient at its own domain, routed and quoted forms too, and then bounces unknown ones to
    /// the sender. Refuses other domains.
    AcceptsThenBounces,
    /// `PercentRouted`, and from the fifth recipient of a connection on refuses all but its own mailboxes without a word
    /// of why.
    Penalises,
    /// `Closed`, and turns away a client that has another connection open.
    OneAtATime,
    /// `Closed`, and first asks the sink whether it takes the recipient.
    CallsOut,
}

/// What the log says when a delivery has been put off.
pub const DEFERRED: &str = " defer (";

/// Delivers what waits in the queue, now.
pub const FLUSH: &str = "exim4 -qff";

/// How Exim is unpacked.
pub const RECIPE: Recipe = Recipe {
    name: "exim",
    packages: &["exim4-daemon-light"],
    accounts: &[("Debian-exim", 101)],
    setup: "
mkdir -p /var/spool/exim4 /var/log/exim4
chown Debian-exim:Debian-exim /var/spool/exim4 /var/log/exim4
chmod 750 /var/spool/exim4
ln -s /instance/log /var/log/exim4/mainlog
ln -s /instance/log /var/log/exim4/paniclog
",
};

/// Starts an instance and waits until it greets.
///
/// # Panics
/// If it cannot be unpacked or started.
pub fn start(flavour: Flavour, sink: Sink) -> Server {
    let addr = free_address();
    let instance = Instance {
        addr,
        files: vec![("/etc/exim4/exim4.conf", config(flavour, addr.ip(), sink))],
        command: format!("exec exim4 -bdf -q30m -oX '<; [{}]:{}'", addr.ip(), addr.port()),
    };
    Server::start(&RECIPE, &instance)
}

fn config(flavour: Flavour, own: IpAddr, sink: Sink) -> String {
    let relay_from_hosts = match flavour {
        Flavour::Open => "*",
        Flavour::Closed
        | Flavour::PercentRouted
        | Flavour::TrustsOwnSenders
        | Flavour::AcceptsThenBounces
        | Flavour::Penalises
        | Flavour::OneAtATime
        | Flavour::CallsOut => "",
    };
    let at_once = if flavour == Flavour::OneAtATime { "smtp_accept_max_per_host = 1\n" } else { "" };
    let percent_hack_domains = match flavour {
        // Not `+local_domains`: Exim remembers what it found there, and would take the far domain for its own.
        Flavour::PercentRouted | Flavour::Penalises => "percent_hack_domains = target.example\n",
        Flavour::Closed
        | Flavour::Open
        | Flavour::TrustsOwnSenders
        | Flavour::AcceptsThenBounces
        | Flavour::OneAtATime
        | Flavour::CallsOut => "",
    };
    let accepted_first = match flavour {
        // The address has been taken apart by now; only the command still has the percent sign.
        Flavour::PercentRouted => PERCENT.to_owned(),
        Flavour::Penalises => format!("{PENALTY}{PERCENT}"),
        Flavour::TrustsOwnSenders => "  accept\n    senders = *@target.example\n".to_owned(),
        Flavour::AcceptsThenBounces => "  accept\n    domains = +local_domains\n".to_owned(),
        // When no answer comes, the relay check decides.
        Flavour::CallsOut => {
            "  deny\n    domains = !+local_domains\n    !verify = recipient/callout=10s,defer_ok\n".to_owned()
        }
        Flavour::Closed | Flavour::Open | Flavour::OneAtATime => String::new(),
    };
    let outside = match sink {
        Some(sink) => format!(
            "  driver = manualroute\n  route_list = * {}\n  self = send\n  transport = remote_smtp\n",
            sink.ip(),
        ),
        None => "  driver = redirect\n  data = :blackhole:\n".to_owned(),
    };
    let port = sink.map_or(25, |sink| sink.port());

    format!(
        "hostlist relay_from_hosts = {relay_from_hosts}\n{percent_hack_domains}{at_once}{MAIN}\
         begin acl\n\nacl_check_mail:\n  accept\n\nacl_check_rcpt:\n{accepted_first}{ACL}\
         begin routers\n\noutside:\n{outside}  domains = !+local_domains\n  no_more\n\n{ROUTERS}\
         begin transports\n\nremote_smtp:\n  driver = smtp\n  port = {port}\n  allow_localhost\n\
         \x20 interface = {own}\n\
         {TRANSPORTS}begin retry\n* * F,2h,15m\n\nbegin rewrite\n\nbegin authenticators\n"
    )
}

/// Debian's options, without its look-ups of client names in the DNS.
const MAIN: &str = "\
primary_hostname = mail.target.example
qualify_domain = target.example
domainlist local_domains = target.example : mail.target.example : localhost
domainlist relay_to_domains =
acl_smtp_mail = acl_check_mail
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
host_lookup =
rfc1413_query_timeout = 0s
dns_again_means_nonexist = *
tls_advertise_hosts =
smtputf8_advertise_hosts =
prdr_enable = true
local_from_check = false
local_sender_retain = true
untrusted_set_sender = *
ignore_bounce_errors_after = 2d
timeout_frozen_after = 7d
freeze_tell = postmaster
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
write_rejectlog = false
trusted_users = uucp
keep_environment =

";

const PERCENT: &str =
    "  accept\n    condition = ${if match{$smtp_command}{\\N(?i)%[^@]*@target\\.example>\\N}}\n";

const PENALTY: &str = "
  accept
    local_parts = postmaster : alice
    domains = +local_domains

  deny
    condition = ${if >{0$acl_c_asked}{3}}

  warn
    set acl_c_asked = ${eval:0$acl_c_asked+1}

";

/// What is left of Debian's `acl_check_rcpt` and `acl_check_data` with no options set, in its order and words.
const ACL: &str = r"
  accept
    hosts = :

  deny
    domains = +local_domains
    local_parts = ^[.] : ^.*[@%!/|`#&?]
    message = restricted characters in address

  deny
    domains = !+local_domains
    local_parts = ^[./|] : ^.*[@%!`#&?] : ^.*/\\.\\./
    message = restricted characters in address

  accept
    local_parts = postmaster
    domains = +local_domains : +relay_to_domains

  deny
    condition = ${if and {{>{$rcpt_count}{10}}{<{$recipients_count}{${eval:$rcpt_count/2}}}}}
    message = Rejected for too many bad recipients
    logwrite = REJECT [$sender_host_address]: bad recipient count high [${eval:$rcpt_count-$recipients_count}]

  accept
    hosts = +relay_from_hosts
    control = submission/sender_retain
    control = dkim_disable_verify

  accept
    authenticated = *
    control = submission/sender_retain
    control = dkim_disable_verify

  require
    message = relay not permitted
    domains = +local_domains : +relay_to_domains

  require
    verify = recipient

  accept

acl_check_data:
  deny
    condition = ${if > {$max_received_linelength}{998}}
    message = maximum allowed line length is 998 octets, got $max_received_linelength

  deny
    !verify = header_syntax
    message = header syntax
    log_message = header syntax ($acl_verify_message)

  accept

";

const ROUTERS: &str = "\
system_aliases:
  driver = redirect
  allow_fail
  allow_defer
  data = ${lookup{$local_part}lsearch{/etc/aliases}}

local_user:
  driver = accept
  check_local_user
  local_parts = ! root
  transport = mail_spool
  cannot_route_message = Unknown user

";

const TRANSPORTS: &str = "
mail_spool:
  driver = appendfile
  file = /var/mail/$local_part_data
  delivery_date_add
  envelope_to_add
  return_path_add
  group = mail
  mode = 0660
  mode_fail_narrower = false

";
