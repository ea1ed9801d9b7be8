//! Why a server refused, from step, code, enhanced code and words.

use alloc::vec::Vec;
use core::iter;

use crate::address::Domain;
use crate::octets::Octets;
use crate::plan::RunRecord;
use crate::transcript::Step;
use crate::wire::{self, Reply, Wording};

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Why {
    /// Relaying.
    RelayDenied,
    /// A login is wanted (RFC 4954 §6).
    AuthRequired,
    /// TLS is wanted first (RFC 3207 §4).
    TlsRequired,
    /// The sender.
    SenderRefused,
    /// The server took the recipient for one of its own, and it does not exist.
    UnknownRecipient,
    /// The form of the address, or of the command.
    AddressSyntax,
    /// Us: our address, our reputation, our HELO.
    TesterRefused,
    /// Some other policy.
    Policy,
    /// It does not say.
    Unclear,
}

impl Why {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RelayDenied => "relay-denied",
            Self::AuthRequired => "auth-required",
            Self::TlsRequired => "tls-required",
            Self::SenderRefused => "sender-refused",
            Self::UnknownRecipient => "unknown-recipient",
            Self::AddressSyntax => "address-syntax",
            Self::TesterRefused => "tester-refused",
            Self::Policy => "policy",
            Self::Unclear => "unclear",
        }
    }

    /// Whether a refusal for this reason says by itself that the server does not relay.
    pub(crate) const fn is_about_relaying(self) -> bool {
        match self {
            Self::RelayDenied | Self::AuthRequired | Self::UnknownRecipient => true,
            Self::TlsRequired
            | Self::SenderRefused
            | Self::AddressSyntax
            | Self::TesterRefused
            | Self::Policy
            | Self::Unclear => false,
        }
    }

    /// Whether a refusal in these words names no reason, or only hints at one.
    pub(crate) fn is_vague(self, words: &Wording<'_>) -> bool {
        match self {
            Self::Policy | Self::Unclear => true,
            Self::RelayDenied => !words.names_relaying(),
            Self::AuthRequired
            | Self::TlsRequired
            | Self::SenderRefused
            | Self::UnknownRecipient
            | Self::AddressSyntax
            | Self::TesterRefused => false,
        }
    }

    /// Whether words give the reason, and not a code alone: whoever refuses all that it is asked may keep its code.
    pub(crate) fn is_in_words(self, words: &Wording<'_>) -> bool {
        !self.is_vague(words) && (self != Self::UnknownRecipient || words.knows_no_recipient())
    }

    /// Reads a refusal at `step`.
    ///
    /// Words that name relaying come first, unless the reply gives a ground that only we may have met; what merely
    /// hints at relaying, such as X.7.1, comes last.
    pub fn of(step: Step, reply: &Reply<'_>) -> Self {
        Self::read(step, &Wording::of(*reply))
    }

    pub(crate) fn read(step: Step, words: &Wording<'_>) -> Self {
        let reply = &words.reply;
        let enhanced = |pairs: &[(u16, u16)]| has_enhanced(reply, pairs);
        let code = reply.code().number();
        // Behind a message X.7.1 is as often about its content: there only words name relaying.
        let at_recipient = matches!(step, Step::Rcpt | Step::Data);
        if words.names_relaying() {
            Self::RelayDenied
        } else if words.asks_for_tls() || enhanced(&[(7, 10), (7, 11)]) {
            Self::TlsRequired
        } else if enhanced(&[(7, 25)])
            || reply.enhanced().is_some_and(|code| code.subject == 7 && code.detail >= OF_ONE_PROVIDER)
            || words.judges_tester()
            || words.names_client()
            || matches!(step, Step::Greeting | Step::Hello)
        {
            // Before a wish for login: lists of dial-up addresses offer login as the way round them.
            Self::TesterRefused
        } else if words.asks_for_login() || enhanced(&[(7, 57)]) || code == 530 {
            Self::AuthRequired
        } else if enhanced(&[(1, 7), (1, 8), (7, 20), (7, 21), (7, 22), (7, 23), (7, 24), (7, 26), (7, 27)])
            || words.doubts_sender()
            || words.names_sender()
        {
            Self::SenderRefused
        } else if matches!(code, 500..=504 | 555)
            || enhanced(&[(1, 3), (5, 2), (5, 4)])
            || words.names_syntax()
        {
            Self::AddressSyntax
        } else if step == Step::Mail {
            Self::SenderRefused
        } else if enhanced(UNKNOWN) || words.knows_no_recipient() && !words.speaks_to_us() {
            if code == 551 { Self::RelayDenied } else { Self::UnknownRecipient }
        } else if at_recipient && words.speaks_to_us() {
            Self::TesterRefused
        } else if at_recipient
            && !words.gives_other_ground()
            && (enhanced(&[(7, 1), (7, 54), (7, 64)]) || code == 551 || words.touches_relaying())
        {
            Self::RelayDenied
        } else if reply.enhanced().is_some_and(|code| code.subject == 7) {
            Self::Policy
        } else {
            Self::Unclear
        }
    }
}

/// From X.7.500 on one large provider has codes of its own, and nearly all are about who sends.
const OF_ONE_PROVIDER: u16 = 500;

const UNKNOWN: &[(u16, u16)] = &[(1, 1), (1, 6), (2, 1)];

/// Whether a refusal is about room for mail, or a fault of the server's own network. RFC 5321 §4.5.3.1.10 has clients
/// take such a 552 for temporary.
pub(crate) fn lacks_room(reply: &Reply<'_>) -> bool {
    reply.code().number() == 552
        || has_enhanced(reply, &[(2, 2), (2, 3), (3, 1), (3, 4), (4, 0), (4, 3), (4, 5), (4, 6), (5, 3)])
}

/// Whether a refusal says that our probe domain could not be found: it was looked up before relaying was considered.
pub(crate) fn cannot_find_domain(words: &Wording<'_>, domain: &Domain) -> bool {
    has_enhanced(&words.reply, &[(1, 2), (1, 10), (4, 4), (4, 310), (4, 312)])
        || words.says_not_found()
        || words.says_missing() && wire::holds_word(&words.reply, domain.as_str())
}

/// Whether a refusal in words of relaying is one, and not only for now.
///
/// A default Postfix says `454 4.7.1 … Relay access denied` to every stranger, so a temporary code alone does not make it
/// pass. But other servers name relaying where their next hop is down or their greylist has us wait: what has another
/// enhanced code, or any word that is not known, is about the moment.
pub(crate) fn refuses_relaying(words: &Wording<'_>, record: &RunRecord) -> bool {
    let reply = &words.reply;
    let says_nothing_else = || {
        let of_policy = reply.enhanced().is_none_or(|code| code.is(7, 0) || code.is(7, 1));
        of_policy && reply.code().number() != 452 && wire::gives_no_ground(reply, &names_asked_for(record))
    };
    words.names_relaying() && (reply.code().is_permanent() || says_nothing_else())
}

/// Names that a refusal may quote without giving a ground.
pub(crate) fn names_asked_for(record: &RunRecord) -> Vec<&str> {
    let RunRecord { identity, target, .. } = record;
    let ours = iter::once(&identity.probe_domain).chain(&identity.lure_mx).chain(&identity.lure_a);
    let names = ours.chain(&target.name).chain(&target.domains);
    names.map(Domain::as_str).collect()
}

/// How much of one answer another repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Likeness {
    Other,
    Words,
    WordsAndCodes,
}

/// Compares the answers to two recipients.
pub(crate) fn likeness(one: &Octets, other: &Octets) -> Likeness {
    let Some((one, other)) = Reply::parse(one.as_bytes()).ok().zip(Reply::parse(other.as_bytes()).ok())
    else {
        return if one == other { Likeness::WordsAndCodes } else { Likeness::Other };
    };
    if !wire::are_in_the_same_words(&one, &other) {
        Likeness::Other
    } else if (one.code(), one.enhanced()) == (other.code(), other.enhanced()) {
        Likeness::WordsAndCodes
    } else {
        Likeness::Words
    }
}

/// Whether a refusal is what a control came to meet `later`, and not at `first`.
pub(crate) fn came_later(refusal: &Octets, first: Option<&Octets>, later: &Octets) -> bool {
    likeness(refusal, later) > first.map_or(Likeness::Other, |first| likeness(first, later))
}

/// Whether its enhanced status code has one of these subjects and details.
fn has_enhanced(reply: &Reply<'_>, pairs: &[(u16, u16)]) -> bool {
    reply.enhanced().is_some_and(|code| pairs.iter().any(|&(subject, detail)| code.is(subject, detail)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::moment::Date;
    use crate::plan::Plan;
    use crate::target::Target;

    fn why(step: Step, text: &str) -> Why {
        let octets = alloc::format!("{text}\r\n");
        Why::of(step, &Reply::parse(octets.as_bytes()).unwrap())
    }

    #[test]
    fn recipients_are_refused_for_many_reasons() {
        for (text, expected) in [
            ("554 5.7.1 <x@y>: Relay access denied", Why::RelayDenied),
            ("454 4.7.1 <x@y>: Relay access denied", Why::RelayDenied),
            ("550 relay not permitted", Why::RelayDenied),
            ("550 5.7.1 <x@y>... Relaying denied. IP name lookup failed [192.0.2.1]", Why::RelayDenied),
            ("513 Relaying denied.", Why::RelayDenied),
            ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Why::RelayDenied),
            ("550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Why::RelayDenied),
            ("550 5.1.2 Relay not allowed.", Why::RelayDenied),
            ("554 Relay rejected for policy reasons.", Why::RelayDenied),
            ("550 Delivery is not allowed to this address.", Why::RelayDenied),
            ("550 I cannot deliver mail for <x@y>", Why::RelayDenied),
            ("551 5.1.6 user not local; please try elsewhere", Why::RelayDenied),
            ("551 no", Why::RelayDenied),
            ("550 5.7.1 no", Why::RelayDenied),
            ("554 5.7.1 <x@spamhaus-probe.example>: Relay access denied", Why::RelayDenied),
            ("550 5.7.1 Unable to relay for x@dnsbl.example", Why::RelayDenied),
            ("550 Invalid recipient: <x@y>", Why::UnknownRecipient),
            ("550 5.1.1 <x@y>: Recipient address rejected: User unknown", Why::UnknownRecipient),
            ("530 SMTP authentication is required.", Why::AuthRequired),
            ("530 5.7.57 Client not authenticated to send mail", Why::AuthRequired),
            ("530 no", Why::AuthRequired),
            ("550 5.7.57 no", Why::AuthRequired),
            ("530 5.7.0 Must issue a STARTTLS command first", Why::TlsRequired),
            (
                "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using relays.example",
                Why::TesterRefused,
            ),
            ("550 5.7.25 no reverse name", Why::TesterRefused),
            ("550 5.7.1 Too many recipients from you today", Why::TesterRefused),
            ("554 5.7.1 Sending quota used up", Why::TesterRefused),
            ("550 5.7.23 SPF validation failed", Why::SenderRefused),
            ("553 5.1.8 <x@y>: Sender address rejected: Domain not found", Why::SenderRefused),
            ("501 5.1.3 Recipient address syntax error", Why::AddressSyntax),
            ("550 restricted characters in address", Why::AddressSyntax),
            ("555 5.5.4 unsupported parameter", Why::AddressSyntax),
            ("550 5.7.9 no", Why::Policy),
            ("550 No such domain at this location", Why::RelayDenied),
            ("550 5.1.2 No such domain", Why::Unclear),
            ("550 5.1.2 Domain not local", Why::RelayDenied),
            (
                "553-you are trying to use me [mx.target.example]\r\n553-as a relay, but I have not been configured to let\r\n553 you [192.0.2.1, probe.example] do this.",
                Why::RelayDenied,
            ),
            (
                "550 5.4.1 Recipient address rejected: Access denied. AS(1) [mx.target.example]",
                Why::UnknownRecipient,
            ),
            ("550 5.7.1 Relaying denied: null sender may not relay", Why::SenderRefused),
            ("550 no", Why::Unclear),
            ("550", Why::Unclear),
        ] {
            assert_eq!(why(Step::Rcpt, text), expected, "{text}");
        }
    }

    #[test]
    fn grounds_that_others_may_not_meet_come_before_the_word_relay() {
        for (text, expected) in [
            ("554 5.7.1 Your country is not allowed here", Why::TesterRefused),
            ("553 sorry, your mail relay (192.0.2.1) is in our RBL", Why::TesterRefused),
            ("550 5.7.1 Dynamic IP address. Please relay through your ISP's smarthost", Why::TesterRefused),
            ("554 5.7.1 Relay tests are not welcome here, [192.0.2.1] is blocked", Why::TesterRefused),
            ("550 generic hostname, use your provider's mail relay", Why::TesterRefused),
            ("554 5.7.1 Use your own mail relay, dial-up ranges are refused here", Why::TesterRefused),
            ("550 5.7.1 You are sending too fast to relay", Why::TesterRefused),
            ("550 5.7.1 Please use a fully qualified HELO to relay here", Why::TesterRefused),
            ("550 5.7.1 Unable to relay for dynamic IP ranges", Why::TesterRefused),
            (
                "550-5.7.1 [192.0.2.1] is not authorized to send directly to us.\r\n550 5.7.1 Please use the relay of your service provider",
                Why::TesterRefused,
            ),
            ("550 Your domain does not exist", Why::TesterRefused),
            ("550 5.7.1 Connection from 192.0.2.1 refused by our policy", Why::TesterRefused),
            ("554 ERROR: Mail Refused - <192.0.2.1> - See http://security.example/", Why::TesterRefused),
            ("550 5.7.1 Relaying denied: you must use STARTTLS", Why::TlsRequired),
            ("550 5.7.1 Relaying denied (XBL)", Why::TesterRefused),
            ("550 5.7.1 Relay denied: 192.0.2.1 is in our deny list", Why::TesterRefused),
            ("550 5.7.1 Your IP looks like a consumer broadband line. Relaying denied", Why::TesterRefused),
            ("550 5.7.1 Relaying denied: no rDNS", Why::TesterRefused),
            (
                "550 permanent failure for one or more recipients (x@y:550 rejected due to rate control)",
                Why::TesterRefused,
            ),
            ("550 5.7.708 Service unavailable. Access denied", Why::TesterRefused),
            ("550 5.7.1 Relay verweigert: Ihre IP-Adresse steht auf einer Sperrliste", Why::TesterRefused),
            ("550 5.7.1 Relaying denied: softfail", Why::SenderRefused),
            ("523 5.7.10 Encryption Needed", Why::TlsRequired),
            ("550 5.7.1 Relaying denied: SERVFAIL", Why::Policy),
            ("454 4.7.1 Relay access denied, policy server unavailable", Why::Policy),
            ("550 5.7.1 192.0.2.1 is blocked", Why::TesterRefused),
            ("550 relay denied (score 7.5)", Why::TesterRefused),
            ("550 relay not permitted for new IPs", Why::TesterRefused),
            ("550 relay not permitted while queue paused", Why::Unclear),
            ("550 5.7.1 Client IP not whitelisted for relay", Why::TesterRefused),
            ("550 5.7.1 Access from this network to our relay is restricted", Why::TesterRefused),
            ("550 5.7.1 No reverse lookup for the client of this relay", Why::TesterRefused),
            ("550 5.7.1 Client does not have permissions to send as this sender", Why::SenderRefused),
            ("550 5.7.1 the relay is under maintenance, come back tomorrow", Why::Policy),
            ("550 5.7.1 SPF: 192.0.2.1 is not allowed to relay mail for probe.example", Why::SenderRefused),
            ("554 5.7.1 sender-domain is a known spam relay", Why::TesterRefused),
            ("553 sorry, the envelope sender is in my list of bad relays (#5.7.1)", Why::SenderRefused),
            ("550 5.7.1 greylisting: relaying is deferred, try again later", Why::Policy),
            ("550 5.7.1 Relay of mail from unregistered senders is postponed", Why::SenderRefused),
            ("554 5.3.0 internal error in relay module", Why::Unclear),
            ("550 5.1.2 unable to relay: no MX record for probe.example", Why::Unclear),
            ("550 5.4.1 cannot find relay for domain probe.example: NXDOMAIN", Why::Unclear),
        ] {
            assert_eq!(why(Step::Rcpt, text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_added_to_a_refusal_to_relay_does_not_change_it() {
        for text in [
            "550 5.7.1 <x@y>... Relaying denied. IP name possibly forged [192.0.2.1]",
            "550 5.7.1 <x@y>... Relaying denied. Proper authentication required.",
            "553 sorry, relaying denied from your location [192.0.2.1] (#5.7.1)",
            "550-h [192.0.2.1]:1025 is currently not permitted to relay through this\r\n550 server. Perhaps you have not logged in.",
            "501 5.7.1 This system is not configured to relay mail",
            "550 5.7.1 You are not allowed to send mail to other domains through this server",
            "553 sorry, that domain isn't allowed to be relayed thru this MTA without authentication (#5.7.1)",
            "550 not local host probe.example, not a gateway",
        ] {
            assert_eq!(why(Step::Rcpt, text), Why::RelayDenied, "{text}");
        }
        let login = "503 This mail server requires authentication when sending to a non-local address. Please check your settings";
        assert_eq!(why(Step::Rcpt, login), Why::AuthRequired);
    }

    #[test]
    fn a_sender_is_refused_at_mail_unless_the_words_differ() {
        assert_eq!(why(Step::Mail, "550 5.7.1 no"), Why::SenderRefused);
        assert_eq!(why(Step::Mail, "530 5.7.0 Authentication required"), Why::AuthRequired);
        assert_eq!(why(Step::Mail, "501 <x>: sender address must contain a domain"), Why::AddressSyntax);
    }

    #[test]
    fn a_refusal_before_any_address_is_about_us() {
        assert_eq!(why(Step::Greeting, "554 no SMTP service here"), Why::TesterRefused);
        assert_eq!(why(Step::Hello, "550 5.7.1 bad HELO"), Why::TesterRefused);
    }

    #[test]
    fn what_came_later_is_told_by_words_and_then_by_codes() {
        let octets = |text: &str| Octets::from(alloc::format!("{text}\r\n").as_bytes());
        let later = |refusal, first: Option<&str>, later| {
            came_later(&octets(refusal), first.map(octets).as_ref(), &octets(later))
        };
        assert!(later("550 Banned", Some("550 5.1.1 User unknown"), "550 Banned"));
        assert!(later("554 5.7.1 Banned", Some("550 5.1.1 User unknown"), "550 Banned"));
        assert!(later("554 5.7.1 Rejected", Some("550 5.1.1 Rejected"), "554 5.7.1 Rejected"));
        assert!(later("550 Banned", None, "550 Banned"));
        assert!(!later("550 Banned", Some("550 5.1.1 User unknown"), "550 5.1.1 User unknown"));
        assert!(!later("550 Rejected", Some("550 Rejected"), "550 Rejected"));
        assert!(!later("550 5.1.1 Rejected", Some("550 5.1.1 Rejected"), "554 5.7.1 Rejected"));
        assert!(!later("550 Relaying denied", None, "550 Banned"));
    }

    #[test]
    fn what_cannot_be_read_is_compared_by_its_octets() {
        let [one, other] = [b"550-no\r\n550".as_slice(), b"550-no\r\n55"].map(Octets::from);
        assert_eq!(likeness(&one, &one), Likeness::WordsAndCodes);
        assert_eq!(likeness(&one, &other), Likeness::Other);
    }

    #[test]
    fn room_is_lacked_by_code_or_by_enhanced_code() {
        let lacks = |text: &'static [u8]| lacks_room(&Reply::parse(text).unwrap());
        assert!(lacks(b"552 too many recipients\r\n") && lacks(b"554 5.4.5 congested\r\n"));
        assert!(lacks(b"552 5.2.2 mailbox full\r\n"));
        assert!(!lacks(b"554 5.7.1 no\r\n") && !lacks(b"550 no\r\n"));
    }

    #[test]
    fn a_domain_that_was_looked_up_shows() {
        let domain = "probe.example".parse().unwrap();
        let says = |text: &str| {
            let octets = alloc::format!("{text}\r\n");
            cannot_find_domain(&Wording::of(Reply::parse(octets.as_bytes()).unwrap()), &domain)
        };
        for text in [
            "556 5.1.10 null MX",
            "550 Unrouteable address",
            "550 5.4.310 DNS domain probe.example does not exist [x]",
            "550 MX of probe.example doesn't exist",
            "550 5.1.1 Domain of recipient Probe.Example: not found",
            "550 No valid MX for probe.example",
            "550 cannot route to probe.example",
        ] {
            assert!(says(text), "{text}");
        }
        for text in [
            "554 5.7.1 Relay access denied",
            "550 5.1.1 <x@probe.example> does not exist",
            "550 5.1.1 mailbox for x@probe.example not found",
            "550 user does not exist",
        ] {
            assert!(!says(text), "{text}");
        }
    }

    #[test]
    fn a_temporary_refusal_of_relaying_says_nothing_else() {
        let target = Target::new("192.0.2.10".parse().unwrap(), 25);
        let identity = Identity::new("probe.example".parse().unwrap());
        let builder = Plan::builder(target, identity, "own-server:test".parse().unwrap()).allow_private();
        let plan = builder.build(Date::from_unix(1_795_473_834), 1).unwrap();
        let refuses = |text: &str| {
            let octets = alloc::format!("{text}\r\n");
            refuses_relaying(&Wording::of(Reply::parse(octets.as_bytes()).unwrap()), plan.record())
        };
        for text in [
            "454 4.7.1 <x@y>: Relay access denied",
            "450 relay not permitted",
            "550 cannot relay: DNS failure",
        ] {
            assert!(refuses(text), "{text}");
        }
        for text in [
            "451 4.4.4 Unable to relay: connection to next hop timed out",
            "450 4.4.1 relay not permitted",
            "452 relay not permitted",
            "451 Cannot relay: DNS failure",
            "450 4.3.0 relay rejected: milter failure",
            "451 unable to relay: smarthost down",
            "450 4.7.1 Relay access denied, retry after 300 seconds",
            "450 4.7.1 relay denied: unknown triplet, delayed for 60 seconds",
            "451 4.7.0 first attempt, relay denied",
            "450 4.7.25 relay access denied",
            "450 4.7.1 relaying not allowed yet",
            "451 relay not permitted at present",
        ] {
            assert!(!refuses(text), "{text}");
        }
    }
}
