//! Sendmail, its configuration made by its own m4 files as Debian's is.
//!
//! Stock Sendmail relays for 127.0.0.1 whatever else it is told, and that is where a client on loopback comes
//! from unless it binds another address. Tests must connect from 127.0.0.2.

use super::server::{Instance, Server, free_address, outside_or_nowhere};
use super::{DOMAIN, HOST, Recipe, Sink};

/// What a Sendmail instance does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Refuses other domains, except from 127.0.0.1.
    Closed,
    /// Relays for every client (`promiscuous_relay`).
    Open,
}

/// What the log says when a delivery has been put off.
pub const DEFERRED: &str = "stat=Deferred";

/// Delivers what waits in the queue, now: also to hosts it remembers as down.
pub const FLUSH: &str = "rm -rf /var/lib/sendmail/host_status/*; sendmail -q";

/// How Sendmail is unpacked. It logs to syslog only, so a small syslog daemon comes along.
pub const RECIPE: Recipe = Recipe {
    name: "sendmail",
    packages: &["sendmail-bin", "sendmail-cf", "m4", "sed", "busybox"],
    accounts: &[("smmta", 101), ("smmsp", 102)],
    setup: "
mkdir -p /var/spool/mqueue /var/spool/mqueue-client /var/lib/sendmail/host_status /run/sendmail/mta
chown smmta:smmsp /var/spool/mqueue /var/lib/sendmail /run/sendmail/mta /etc/mail
chmod 2750 /var/spool/mqueue
chown smmsp:smmsp /var/spool/mqueue-client
chmod 2770 /var/spool/mqueue-client
chown root:root /var/mail
chmod 3777 /var/mail
mv /etc/aliases /etc/mail/aliases
ln -s mail/aliases /etc/aliases
ln -s /usr/libexec/sendmail/sendmail /usr/sbin/sendmail
",
};

/// Starts an instance and waits until it greets. Without a sink, mail for outside waits in a queue that ends
/// with the server.
///
/// # Panics
/// If it cannot be unpacked or started.
pub fn start(flavour: Flavour, sink: Sink) -> Server {
    let addr = free_address();
    let relaying = match flavour {
        Flavour::Closed => "",
        Flavour::Open => "FEATURE(`promiscuous_relay')dnl\n",
    };
    let outside = outside_or_nowhere(sink);
    let config = format!(
        "{HEAD}DAEMON_OPTIONS(`Family=inet, Name=MTA-v4, Port={port}, Addr={ip}')dnl\n\
         CLIENT_OPTIONS(`Family=inet, Addr={ip}')dnl\n\
         define(`SMART_HOST', `relay:[{outside_ip}]')dnl\n\
         define(`RELAY_MAILER_ARGS', `TCP $h {outside_port}')dnl\n\
         {relaying}{TAIL}",
        port = addr.port(),
        ip = addr.ip(),
        outside_ip = outside.ip(),
        outside_port = outside.port(),
    );
    let instance = Instance {
        addr,
        files: vec![
            ("/etc/mail/sendmail.mc", config),
            ("/etc/mail/local-host-names", format!("{DOMAIN}\n{HOST}\nlocalhost\n")),
        ],
        command: "busybox syslogd -O /instance/log
            m4 /etc/mail/sendmail.mc >/etc/mail/sendmail.cf
            makemap hash /etc/mail/access </dev/null
            sendmail -bi
            exec /usr/sbin/sendmail -bD"
            .to_owned(),
    };
    Server::start(&RECIPE, &instance)
}

const HEAD: &str = "\
divert(-1)dnl
divert(0)dnl
define(`_USE_ETC_MAIL_')dnl
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
VERSIONID(`relayprobe')dnl
OSTYPE(`debian')dnl
DOMAIN(`debian-mta')dnl
FEATURE(`no_default_msa')dnl
";

/// Debian's settings, except the greeting pause and the question who the client's user is, which only take
/// time; and with no DNS: names come from files, and a sender's domain need not exist.
const TAIL: &str = "\
define(`confPRIVACY_FLAGS',dnl
`needmailhelo,needexpnhelo,needvrfyhelo,restrictqrun,restrictexpand,nobodyreturn,authwarnings')dnl
define(`confCONNECTION_RATE_THROTTLE', `15')dnl
define(`confCONNECTION_RATE_WINDOW_SIZE',`10m')dnl
FEATURE(`use_cw_file')dnl
FEATURE(`access_db', , `skip')dnl
FEATURE(`delay_checks', `friend', `n')dnl
define(`confBAD_RCPT_THROTTLE',`3')dnl
FEATURE(`conncontrol', `nodelay', `terminate')dnl
FEATURE(`ratecontrol', `nodelay', `terminate')dnl
define(`confTO_IDENT', `0s')dnl
define(`confDOMAIN_NAME', `mail.target.example')dnl
undefine(`confBIND_OPTS')dnl
define(`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch-nodns')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`local_lmtp', `/usr/libexec/sendmail/mail.local')dnl
MAILER_DEFINITIONS
MAILER(`local')dnl
MAILER(`smtp')dnl
";
