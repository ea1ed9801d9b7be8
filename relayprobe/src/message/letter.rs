//! The words of the test message.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use crate::identity::{AuthorizationKind, Identity};
use crate::moment::Date;
use crate::octets::escape;

/// What one test message says. Nothing in it is a third party's: only the tester, the target and the envelope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<'a> {
    /// Who tests.
    pub(crate) identity: &'a Identity,
    /// What gives the leave. Its reference is not here, so it cannot be sent.
    pub(crate) authorization: AuthorizationKind,
    /// The server under test.
    pub(crate) target: SocketAddr,
    /// The address that the test comes from, if known.
    pub(crate) source: Option<IpAddr>,
    /// The name of the run.
    pub(crate) run: &'a str,
    /// The id of the case.
    pub(crate) case: &'a str,
    /// Which message of the run this is, from 1.
    pub(crate) number: u16,
    /// How many there are at most.
    pub(crate) of: u16,
    /// The token of this probe.
    pub(crate) token: &'a str,
    /// When it is sent.
    pub(crate) date: Date,
    /// The `MAIL` line as sent, without CRLF.
    pub(crate) mail: &'a str,
    /// The `RCPT` line as sent, without CRLF.
    pub(crate) rcpt: &'a str,
}

impl Letter<'_> {
    /// Octets that a message should not pass.
    pub(crate) const LIMIT: usize = 2_048;

    /// The whole message, header and body, in lines that end in CRLF; dots are not stuffed.
    pub(crate) fn compose(&self) -> Vec<u8> {
        let mut text = String::with_capacity(Self::LIMIT);
        for (name, value) in self.fields() {
            flow(&mut text, name, &value, " ");
        }
        for paragraph in [self.dutch(), self.english()] {
            text.push_str("\r\n");
            for line in paragraph.lines() {
                flow(&mut text, "", line, "");
            }
        }
        text.push_str("\r\n");
        self.facts(&mut text);
        text.into_bytes()
    }

    fn fields(&self) -> [(&'static str, String); 12] {
        let Self { identity, run, case, number, of, token, .. } = self;
        let Identity { organisation, contact, probe_domain, .. } = identity;
        // A quote or a backslash would end the quoted string (RFC 5322 §3.2.4).
        let quoted = organisation.as_str().replace('\\', "\\\\").replace('"', "\\\"");
        let by = self.source.map_or_else(|| identity.helo.to_string(), |source| source.to_string());
        let test = format!(
            "v=1; run={run}; case={case}; n={number}/{of}; target={}; at={}; by={by}; token={token}",
            self.target, self.date
        );
        [
            ("From: ", format!("\"{quoted} relay test\" <{contact}>")),
            ("To: ", format!("<{token}@{probe_domain}>")),
            ("Subject: ", format!("[{organisation} Relay Test] run {run} case {number}/{of} {case}")),
            ("Date: ", self.date.to_rfc_5322()),
            ("Message-ID: ", format!("<{token}.{case}@{probe_domain}>")),
            // Keeps automatic answers away (RFC 3834 §5), Exchange's too.
            ("Auto-Submitted: ", "auto-generated".into()),
            ("X-Auto-Response-Suppress: ", "All".into()),
            ("Relayprobe-Test: ", test),
            ("Relayprobe-Info: ", identity.probe_uri.as_str().into()),
            ("MIME-Version: ", "1.0".into()),
            ("Content-Type: ", "text/plain; charset=us-ascii".into()),
            ("Content-Language: ", "nl, en".into()),
        ]
    }

    fn dutch(&self) -> String {
        let leave = match self.authorization {
            AuthorizationKind::OwnServer => "het is onze eigen server",
            AuthorizationKind::CustomerContract => "een contract met de beheerder",
            AuthorizationKind::Request => "een verzoek van de beheerder",
            AuthorizationKind::Complaint => "een klacht over de server",
            AuthorizationKind::PeerInitiated => "een verzoek vanaf de server",
        };
        format!(
            "Dit is een test van {}, geen spam. Wij kijken of onderstaande mailserver post van vreemden \
             doorstuurt naar vreemden (open relay). Aanleiding: {leave}.\n\
             Staat dit in uw eigen mailbox, dan is het niet doorgestuurd en bewijst het NIETS. Of andere \
             berichten wel zijn doorgestuurd, ziet u in uw logs: zoek op run, token of afzender. Stuur \
             dit niet door als bewijs.",
            self.identity.organisation
        )
    }

    fn english(&self) -> String {
        let leave = match self.authorization {
            AuthorizationKind::OwnServer => "it is our own server",
            AuthorizationKind::CustomerContract => "a contract with its operator",
            AuthorizationKind::Request => "a request by its operator",
            AuthorizationKind::Complaint => "a complaint about the server",
            AuthorizationKind::PeerInitiated => "a request from the server",
        };
        format!(
            "This is a test by {}, not spam. We check whether the mail server below passes on mail from \
             strangers to strangers (open relay). Reason: {leave}.\n\
             If this is in your own mailbox, it was not passed on and proves NOTHING. Your logs show \
             if others were: search for run, token or sender. Please do not forward this as proof.",
            self.identity.organisation
        )
    }

    /// What to write to and to search for, under words that both languages have.
    ///
    /// The last line is for programs. It does not begin with dashes: what follows `-- ` is a signature, which mail
    /// programs hide and leave out when they quote (RFC 3676 §4.3).
    fn facts(&self, out: &mut String) {
        let Self { run, case, token, .. } = self;
        flow(out, "Contact, opt-out: ", &self.identity.contact.to_string(), "");
        flow(out, "Server: ", &self.target.to_string(), "");
        for command in [self.mail, self.rcpt] {
            let command = shown(command);
            let verb = command.find(' ').map_or(0, |blank| blank + 1);
            let (verb, rest) = command.split_at_checked(verb).unwrap_or_default();
            flow(out, verb, rest, "");
        }
        flow(out, "relayprobe 1 ", &format!("run={run} case={case} token={token}"), "");
    }
}

/// A command line in ASCII. Of one too long for a message, the start.
fn shown(command: &str) -> String {
    const MOST: usize = 200;
    match command.as_bytes().get(..MOST) {
        Some(start) if command.len() > MOST => escape(start) + "...",
        _ => escape(command.as_bytes()),
    }
}

/// Adds `text` in lines of at most 78 octets where its blanks allow (RFC 5322 §2.1.1), the later ones after `indent`.
///
/// `name` is not left alone in its line: not every server finds a field's value in the next.
fn flow(out: &mut String, name: &str, text: &str, indent: &str) {
    out.push_str(name);
    let mut width = name.len();
    for (at, word) in text.split(' ').enumerate() {
        // A line of a header that holds only blanks would end it for some, so no break where blanks follow each other.
        if at > 0 && !word.is_empty() && width + 1 + word.len() > 78 {
            out.push_str("\r\n");
            out.push_str(indent);
            width = indent.len();
        } else if at > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += word.len();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    const TOKEN: &str = "jaaqcaqdaqcqmbyibefawdanby";

    /// The longest that still counts as ordinary: 30 characters of organisation, 60 of URI, 25 of each domain.
    fn ordinary() -> Identity {
        let mut identity = Identity::new("relaytest.isp.example.net".parse().unwrap());
        identity.organisation = "Example Internet Provider B.V.".parse().unwrap();
        identity.sender_domain = "bounces.isp2.example.test".parse().unwrap();
        identity.helo = "prober.of.isp.example.net".parse().unwrap();
        identity.contact = "relaytest@mail.of.isp.example.net".parse().unwrap();
        identity.probe_uri = "https://prober.of.isp.example.net/.well-known/probing.txt#re".parse().unwrap();
        identity
    }

    fn letter(identity: &Identity) -> Letter<'_> {
        Letter {
            identity,
            authorization: AuthorizationKind::CustomerContract,
            target: "192.0.2.10:25".parse().unwrap(),
            source: None,
            run: "aebagbaf",
            case: "pct-ip",
            number: 3,
            of: 9,
            token: TOKEN,
            date: Date::from_unix(1_795_473_834),
            mail: "MAIL FROM:<bjaaqcaqdaqcqmbyibefawdanby@tester.example>",
            rcpt: "RCPT TO:<jaaqcaqdaqcqmbyibefawdanby%probe.example@[192.0.2.10]>",
        }
    }

    fn text(letter: &Letter<'_>) -> String {
        String::from_utf8(letter.compose()).unwrap()
    }

    #[test]
    fn the_message_is_as_written_down() {
        let mut identity = Identity::new("probe.example".parse().unwrap());
        identity.organisation = "Example ISP".parse().unwrap();
        let golden = include_str!("golden.txt").lines().flat_map(|line| [line, "\r\n"]);
        assert_eq!(text(&letter(&identity)), golden.collect::<String>());
    }

    #[test]
    fn an_ordinary_message_is_small() {
        let (identity, token) = (ordinary(), TOKEN);
        let mail = format!("MAIL FROM:<{token}@bounces.isp2.example.test> RET=HDRS ENVID={token}");
        let rcpt = format!("RCPT TO:<{token}%relaytest.isp.example.net@mail.customer.example.org>");
        for authorization in AuthorizationKind::ALL {
            let length = Letter {
                authorization,
                target: "[2001:db8:1234:5678:9abc:def0:1234:5678]:10025".parse().unwrap(),
                source: Some("2001:db8:1234:5678:9abc:def0:1234:5678".parse().unwrap()),
                case: "rcp-own-percent-inside",
                number: 214,
                of: 214,
                mail: &mail,
                rcpt: &rcpt,
                ..letter(&identity)
            }
            .compose()
            .len();
            assert!(length <= Letter::LIMIT, "{length} octets, {}", authorization.as_str());
        }
    }

    /// Each rule for a message, with the messages that break it.
    #[test]
    fn every_message_keeps_the_rules() {
        let mut awkward = ordinary();
        awkward.organisation = ["\"A\\B\" -- .  Relay   Tests <Q&A>, From X;", " long".repeat(30).as_str()]
            .concat()
            .parse()
            .unwrap();
        let long = format!("RCPT TO:<{}@probe.example>", "x".repeat(480));
        let envelopes = [
            ("MAIL FROM:<>", "RCPT TO:<jaaqcaqdaqcqmbyibefawdanby@relaytest.isp.example.net>"),
            ("MAIL FROM:<jö@bounces.isp2.example.test> SMTPUTF8", "RCPT TO:<x@relaytest\u{3002}isp>"),
            ("MAIL FROM: <\"a  b\"@target.example>", long.as_str()),
            ("", "RCPT"),
        ];
        for (identity, (mail, rcpt)) in
            [ordinary(), awkward].iter().flat_map(|identity| envelopes.map(|envelope| (identity, envelope)))
        {
            for source in [None, Some("2001:db8::9".parse().unwrap())] {
                let text = text(&Letter { source, mail, rcpt, ..letter(identity) });
                let broken = RULES.iter().find(|(_, rule)| !rule(&text)).map(|(name, _)| *name);
                assert_eq!(broken, None, "{text}");
            }
        }
    }

    type Rule = (&'static str, fn(&str) -> bool);

    const RULES: [Rule; 8] = [
        ("lines of printable ASCII that end in CRLF", |text| {
            text.ends_with("\r\n")
                && text.split_terminator("\r\n").flat_map(str::bytes).all(|b| (b' '..=b'~').contains(&b))
        }),
        ("no line over 998 octets, and none over 78 that has a blank to break at", |text| {
            text.split("\r\n").all(|line| {
                let words = line.trim_start().split(' ').filter(|word| word.len() > 1).count();
                line.len() <= 78 || (line.len() <= 998 && words <= 2)
            })
        }),
        ("no line of blanks, and no lone field name, in the header", |text| {
            header(text).split("\r\n").all(|line| !line.trim().is_empty() && !line.ends_with(':'))
        }),
        ("every field once", |text| {
            let lines = header(text).split("\r\n").filter(|line| !line.starts_with(' '));
            let names: Vec<&str> = lines.map(|line| line.split(':').next().unwrap_or_default()).collect();
            let wanted = "From To Subject Date Message-ID Auto-Submitted X-Auto-Response-Suppress \
                          Relayprobe-Test Relayprobe-Info MIME-Version Content-Type Content-Language";
            names.join(" ") == wanted
        }),
        ("no address of a stranger", |text| {
            let known = [
                "relaytest.isp.example.net",
                "bounces.isp2.example.test",
                "mail.of.isp.example.net",
                "target.example",
                "probe.example",
                "relaytest\\xe3\\x80\\x82isp",
            ];
            let end = |c: char| !c.is_ascii_alphanumeric() && !"-.\\".contains(c);
            let mut domains = text.split('@').skip(1);
            domains.all(|after| known.contains(&after.split(end).next().unwrap_or_default()))
        }),
        ("the token in Message-ID, own field and last line", |text| {
            let last = text.trim_end().rsplit("\r\nrelayprobe 1 ").next().unwrap_or_default();
            text.matches(TOKEN).count() >= 4 && last.ends_with(TOKEN)
        }),
        ("no signature mark", |text| !text.contains("\r\n-- ") && !text.contains("\r\n--\r\n")),
        ("one message on the wire", |text| {
            let stream = crate::message::encode(text.as_bytes());
            stream.strip_suffix(b".\r\n").is_some_and(|body| body.len() >= text.len())
        }),
    ];

    fn header(text: &str) -> &str {
        text.split("\r\n\r\n").next().unwrap_or_default()
    }

    #[test]
    fn both_languages_tell_the_same() {
        let identity = ordinary();
        let mut reasons = BTreeSet::new();
        for authorization in AuthorizationKind::ALL {
            let letter = Letter { authorization, ..letter(&identity) };
            for text in [letter.dutch(), letter.english()] {
                assert!(
                    text.contains(identity.organisation.as_str()) && text.contains("open relay"),
                    "{text}"
                );
                reasons.insert(text);
            }
        }
        assert_eq!(reasons.len(), 2 * AuthorizationKind::ALL.len());
    }

    #[test]
    fn what_is_not_ascii_is_shown_escaped() {
        let identity = ordinary();
        let text = text(&Letter { rcpt: "RCPT TO:<x@probe\u{3002}example>", ..letter(&identity) });
        assert!(text.contains("\r\nRCPT TO:<x@probe\\xe3\\x80\\x82example>\r\n"), "{text}");
    }
}
