//! Postfix as Debian ships it, made to relay for nobody, for everybody, or for whom it should not.

use super::server::{Instance, Server, free_address};
use super::{DOMAIN, HOST, Recipe, SMARTHOST, Sink};

/// What a Postfix instance does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Refuses other domains for good (554).
    Closed,
    /// The shipped default: refuses other domains for now (454).
    ClosedDefault,
    /// Relays for every client.
    Open,
    /// Relays for whoever claims a sender at its own domain.
    TrustsOwnSenders,
    /// Relays for whoever greets with its own domain.
    TrustsHelo,
    /// Puts off every recipient (451).
    Greylists,
    /// Refuses every sender until the client logs in (530), which it has no way to do.
    WantsLogin,
    /// Refuses the client in the greeting (554) and everything after it.
    RejectsClients,
    /// Greets, and refuses the client at every recipient (554).
    RejectsClientsLate,
    /// `Closed`, and offers STARTTLS with a self-signed certificate.
    StartTls,
    /// `Closed`, and takes no mail without STARTTLS (530).
    MustStartTls,
    /// `Closed`, and puts off senders under `.invalid` as if the DNS did not know them (450).
    RejectsUnknownSenders,
    /// Takes every recipient at its own domain and throws the mail away; refuses other domains (554).
    CatchAll,
    /// The second stage of a relay, [`SMARTHOST`]: relays for every client on loopback.
    Smarthost,
    /// Takes every recipient of every domain and throws the mail away, whatever the sink.
    Swallows,
    /// Takes every recipient at its own domain, routed forms too, and then bounces unknown ones to the
    /// sender; refuses other domains (554).
    AcceptsThenBounces,
    /// `Closed`, and first asks the sink whether it takes the recipient.
    CallsOut,
}

/// What the log says when a delivery has been put off.
pub const DEFERRED: &str = "status=deferred";

/// Delivers what waits in the queue, now.
pub const FLUSH: &str = "postqueue -f";

/// How Postfix is unpacked.
pub const RECIPE: Recipe = Recipe {
    name: "postfix",
    packages: &["postfix"],
    accounts: &[("postfix", 101), ("postdrop", 102)],
    setup: "
cp /usr/share/postfix/dynamicmaps.cf /etc/postfix/
mkdir -p /var/lib/postfix /var/spool/postfix
cd /var/spool/postfix
mkdir -p pid active bounce corrupt defer deferred flush hold incoming private saved trace public maildrop
chown postfix active bounce corrupt defer deferred flush hold incoming private saved trace /var/lib/postfix
chmod 700 active bounce corrupt defer deferred flush hold incoming private saved trace /var/lib/postfix
chown postfix:postdrop public maildrop
chmod 2710 public
chmod 1730 maildrop
chown root:postdrop /usr/sbin/postdrop /usr/sbin/postqueue
chmod 2555 /usr/sbin/postdrop /usr/sbin/postqueue
",
};

/// Starts an instance and waits until it greets.
///
/// # Panics
/// If it cannot be unpacked or started.
pub fn start(flavour: Flavour, sink: Sink) -> Server {
    let outside = sink.map_or_else(
        || "default_transport = discard:".to_owned(),
        |sink| format!("relayhost = [{}]:{}", sink.ip(), sink.port()),
    );
    start_as(Setup {
        host: if flavour == Flavour::Smarthost { SMARTHOST } else { HOST },
        main: format!("{outside}\n{}", settings(flavour)),
        master: "",
        files: Vec::new(),
        before: "",
    })
}

/// What a Postfix has of its own.
pub(super) struct Setup {
    /// Its name; the rest after the first dot is its domain.
    pub(super) host: &'static str,
    /// Lines of main.cf that follow all others.
    pub(super) main: String,
    /// Lines of master.cf likewise.
    pub(super) master: &'static str,
    /// Files beside these two.
    pub(super) files: Vec<(&'static str, String)>,
    /// Shell commands that come first.
    pub(super) before: &'static str,
}

/// Starts an instance and waits until it greets.
pub(super) fn start_as(setup: Setup) -> Server {
    let addr = free_address();
    let Setup { host, main, master, mut files, before } = setup;
    let (_, domain) = host.split_once('.').expect("a host has a domain");
    let names = format!(
        "myhostname = {host}\nmydomain = {domain}\nmyorigin = {domain}\n\
         mydestination = {domain}, {host}, localhost\nsmtp_bind_address = {}\n",
        addr.ip(),
    );
    files.push(("/etc/postfix/main.cf", format!("{MAIN}{names}{main}")));
    files.push(("/etc/postfix/master.cf", format!("{addr} inet n - n - - smtpd\n{MASTER}{master}")));
    let command = format!("{before}\nexec /usr/lib/postfix/sbin/master -d");
    Server::start(&RECIPE, &Instance { addr, files, command })
}

/// Debian's main.cf, then what keeps it off the DNS and off outside networks.
const MAIN: &str = "\
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
readme_directory = no
compatibility_level = 3.6
mailbox_size_limit = 0
recipient_delimiter = +

alias_maps = inline:{ postmaster=alice, abuse=alice, root=alice }
alias_database =

inet_protocols = ipv4
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtp_host_lookup = native
maillog_file = /instance/log
maillog_file_prefixes = /instance
";

const MASTER: &str = "\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";

/// Loopback clients are strangers: only an address no test has is trusted.
pub(super) const STRANGERS: &str = "mynetworks = 192.0.2.77/32\n";

pub(super) const CLOSED: &str = "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n";

const CERTIFICATE: &str = "\
smtpd_tls_cert_file = /etc/ssl/mail.pem
smtpd_tls_key_file = /etc/ssl/mail.key
";

fn settings(flavour: Flavour) -> String {
    match flavour {
        Flavour::Closed => format!("{STRANGERS}{CLOSED}"),
        Flavour::ClosedDefault => format!(
            "{STRANGERS}smtpd_relay_restrictions = \
             permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination\n"
        ),
        Flavour::Open => format!("mynetworks = 0.0.0.0/0\n{CLOSED}"),
        Flavour::TrustsOwnSenders => format!(
            "{STRANGERS}smtpd_relay_restrictions = \
             check_sender_access inline:{{ {DOMAIN}=OK }}, reject_unauth_destination\n"
        ),
        Flavour::TrustsHelo => format!(
            "{STRANGERS}smtpd_relay_restrictions = \
             check_helo_access inline:{{ {DOMAIN}=OK, {HOST}=OK }}, reject_unauth_destination\n"
        ),
        Flavour::Greylists => format!(
            "{STRANGERS}smtpd_relay_restrictions = check_recipient_access \
             static:{{451 4.7.1 Greylisting in action, please come back later}}, reject_unauth_destination\n"
        ),
        Flavour::WantsLogin => format!(
            "{STRANGERS}{CLOSED}smtpd_delay_reject = no\n\
             smtpd_sender_restrictions = check_sender_access static:{{530 5.7.0 Authentication required}}\n"
        ),
        Flavour::RejectsClients => {
            format!("{STRANGERS}{CLOSED}smtpd_delay_reject = no\nsmtpd_client_restrictions = reject\n")
        }
        Flavour::RejectsClientsLate => format!("{STRANGERS}{CLOSED}smtpd_client_restrictions = reject\n"),
        Flavour::StartTls => format!("{STRANGERS}{CLOSED}{CERTIFICATE}smtpd_tls_security_level = may\n"),
        Flavour::MustStartTls => {
            format!("{STRANGERS}{CLOSED}{CERTIFICATE}smtpd_tls_security_level = encrypt\n")
        }
        Flavour::RejectsUnknownSenders => format!(
            "{STRANGERS}{CLOSED}smtpd_sender_restrictions = reject_non_fqdn_sender, \
             check_sender_access inline:{{ {{ invalid = 450 4.1.8 Domain not found }} }}\n"
        ),
        Flavour::CatchAll => {
            format!("{STRANGERS}{CLOSED}local_recipient_maps =\nlocal_transport = discard:\n")
        }
        Flavour::Smarthost => format!("mynetworks = 127.0.0.0/8\n{CLOSED}"),
        Flavour::Swallows => format!(
            "mynetworks = 0.0.0.0/0\n{CLOSED}local_recipient_maps =\n\
             transport_maps = static:discard:swallowed\n"
        ),
        // A routed form is a strange user name to it, and no route.
        Flavour::AcceptsThenBounces => format!(
            "{STRANGERS}{CLOSED}local_recipient_maps =\nallow_percent_hack = no\nswap_bangpath = no\n\
             resolve_dequoted_address = no\nallow_untrusted_routing = yes\n"
        ),
        // The answer is not kept, and when none comes the relay check decides.
        Flavour::CallsOut => format!(
            "{STRANGERS}smtpd_relay_restrictions = reject_unverified_recipient, reject_unauth_destination\n\
             address_verify_map =\naddress_verify_sender =\naddress_verify_poll_delay = 1s\n\
             unverified_recipient_reject_code = 550\n"
        ),
    }
}
