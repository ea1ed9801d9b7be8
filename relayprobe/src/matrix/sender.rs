//! Sender variants with a plain recipient: is relaying decided by what `MAIL` says?
//!
//! Anyone can write any sender, so no sender may open the relay (RFC 2505 §2.1).

use super::case::{Need, Odd, Tier};
use super::row::{PLAIN, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "snd-third-party",
        tier: Tier::Quick,
        needs: &[Need::SecondDomain],
        why: "Mail between two strangers passes: there is no relay control at all.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-probe-domain",
        tier: Tier::Quick,
        mail: "<{sender-user}@{probe-domain}>",
        why: "Mail between strangers passes once the sender's domain is one that holds up to checks.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-equals-rcpt",
        tier: Tier::Standard,
        mail: "<{probe-user}@{probe-domain}>",
        why: "A stranger who writes to his own address is let through because both paths agree.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-null",
        tier: Tier::Quick,
        mail: "<>",
        why: "Whatever looks like a bounce is relayed, since the relay check skips the empty sender.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-bare-user",
        tier: Tier::Standard,
        mail: "<{sender-user}>",
        odd: Odd::Sender,
        why: "A sender without domain is given the server's own one and then counts as trusted.",
        source: "Postfix check_sender_access",
        ..PLAIN
    },
    Row {
        id: "snd-own-domain",
        tier: Tier::Quick,
        mail: "<{sender-user}@{target-domain}>",
        why: "Claiming a sender in the server's own domain is enough to relay.",
        source: "sendmail relay_local_from",
        ..PLAIN
    },
    Row {
        id: "snd-own-host",
        tier: Tier::Quick,
        mail: "<{sender-user}@{target-host}>",
        why: "Claiming a sender at the server's host name is enough to relay.",
        source: "sendmail relay_local_from",
        ..PLAIN
    },
    Row {
        id: "snd-own-rdns",
        tier: Tier::Standard,
        mail: "<{sender-user}@{target-rdns}>",
        why: "Claiming a sender at the reverse name of the server's address is enough to relay.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-own-ip",
        tier: Tier::Standard,
        mail: "<{sender-user}@[{target-ip}]>",
        odd: Odd::Sender,
        why: "Claiming a sender at the server's IPv4 literal is enough to relay.",
        source: "sendmail relay_local_from",
        ..PLAIN
    },
    Row {
        id: "snd-own-ip6",
        tier: Tier::Full,
        mail: "<{sender-user}@[IPv6:{target-ip6}]>",
        odd: Odd::Sender,
        why: "Claiming a sender at the server's IPv6 literal is enough to relay.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-own-bareip",
        tier: Tier::Full,
        mail: "<{sender-user}@{target-ip}>",
        odd: Odd::Sender,
        why: "The server's address without brackets passes for a trusted sender domain.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-own-postmaster",
        tier: Tier::Quick,
        mail: "<postmaster@{target-domain}>",
        why: "Whoever claims to be the server's postmaster may relay.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-own-user",
        tier: Tier::Quick,
        mail: "<{local-user}@{target-domain}>",
        why: "Whoever names an existing mailbox as sender may relay; invented names do not show it.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-own-daemon",
        tier: Tier::Full,
        mail: "<mailer-daemon@{target-domain}>",
        why: "Whoever claims to be the server's bounce daemon may relay.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-own-subdomain",
        tier: Tier::Standard,
        mail: "<{sender-user}@{token}.{target-domain}>",
        odd: Odd::Sender,
        why: "Any name under the server's domain, even an invented one, is a trusted sender domain.",
        source: "sendmail relay_mail_from",
        ..PLAIN
    },
    Row {
        id: "snd-localhost",
        tier: Tier::Standard,
        mail: "<{sender-user}@localhost>",
        odd: Odd::Sender,
        why: "A sender at localhost passes for one of the server's own.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    // Express, because Domino 4.63 to 5.0.8 loops on a bounce to such a sender (CVE-2000-1203).
    Row {
        id: "snd-loopback-literal",
        tier: Tier::Express,
        mail: "<{sender-user}@[127.0.0.1]>",
        odd: Odd::Sender,
        why: "A sender at the loopback address passes for one of the server's own.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-empty-domain",
        tier: Tier::Full,
        mail: "<{sender-user}@>",
        odd: Odd::Sender,
        why: "An empty sender domain is filled in with the server's own one and then trusted.",
        source: "RFC 5321 §4.1.2",
        ..PLAIN
    },
    Row {
        id: "snd-unresolvable",
        tier: Tier::Standard,
        mail: "<{sender-user}@{token}.invalid>",
        odd: Odd::Sender,
        why: "Relaying is checked only for sender domains that resolve.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-bang",
        tier: Tier::Full,
        mail: "<{sender-domain}!{sender-user}>",
        odd: Odd::Sender,
        why: "A UUCP path as sender passes for a local user, who may relay.",
        source: "RFC 2505 §2.1",
        ..PLAIN
    },
    Row {
        id: "snd-own-bang",
        tier: Tier::Full,
        mail: "<{target-domain}!{sender-user}>",
        odd: Odd::Sender,
        why: "A UUCP path as sender is trusted because it begins with the server's own domain.",
        source: "sendmail relay_local_from",
        ..PLAIN
    },
    Row {
        id: "snd-own-percent",
        tier: Tier::Full,
        mail: "<{sender-user}%{sender-domain}@{target-domain}>",
        why: "A foreign sender is trusted because the server's own domain follows the percent form.",
        source: "OpenSMTPD match mail-from",
        ..PLAIN
    },
    Row {
        id: "snd-own-route",
        tier: Tier::Full,
        mail: "<@{target-domain}:{sender}>",
        why: "A foreign sender is trusted because a source route puts the server's name in front.",
        source: "RFC 5321 appendix F.2",
        ..PLAIN
    },
    Row {
        id: "snd-own-quoted",
        tier: Tier::Full,
        mail: r#"<"{sender}"@{target-domain}>"#,
        odd: Odd::Sender,
        why: "A foreign sender in quotes is trusted because the server's own domain stands behind it.",
        source: "Exim accept senders",
        ..PLAIN
    },
    Row {
        id: "snd-upstream-domain",
        tier: Tier::Standard,
        mail: "<{sender-user}@{isp-domain}>",
        why: "A sender in the provider's domain is trusted, here or at the provider's outgoing host.",
        source: "CVE-2005-0431",
        ..PLAIN
    },
    Row {
        id: "snd-hosted-domain",
        tier: Tier::Standard,
        mail: "<{sender-user}@{hosted-domain}>",
        why: "A sender in one of the hosted domains is enough to relay.",
        source: "sendmail relay_local_from",
        ..PLAIN
    },
];
