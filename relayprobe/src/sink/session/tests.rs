use super::*;
use crate::Identity;

/// Has the shape of a token, and no MAC.
const TOKEN: &str = "jaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A session and what became of it.
struct Talk {
    session: SinkSession,
    said: String,
    arrivals: Vec<Arrival>,
    counted: Vec<Count>,
    kept: Kept,
    closed: bool,
}

fn options() -> SinkOptions {
    let mut identity = Identity::new("probe.example".parse().unwrap());
    identity.sender_domain = "tester.example".parse().unwrap();
    SinkOptions::new(&identity)
}

fn talk_with(options: SinkOptions) -> Talk {
    let peer = Some("::ffff:192.0.2.9".parse().unwrap());
    let session = SinkSession::new(Arc::new(options), peer, Date::from_unix(5));
    let mut talk = Talk {
        session,
        said: String::new(),
        arrivals: Vec::new(),
        counted: Vec::new(),
        kept: Kept::Safe,
        closed: false,
    };
    assert_eq!(talk.hear(""), "220 probe.example ESMTP relayprobe\r\n");
    talk
}

fn talk() -> Talk {
    let mut talk = talk_with(options());
    talk.hear("EHLO relay.example\r\n");
    talk
}

impl Talk {
    /// What is said to this.
    fn hear(&mut self, octets: &str) -> String {
        self.hear_octets(octets.as_bytes())
    }

    fn hear_octets(&mut self, octets: &[u8]) -> String {
        self.session.handle_received(octets, Date::from_unix(6));
        self.run()
    }

    fn end(&mut self, end: End) -> String {
        self.session.handle_end(end, Date::from_unix(7));
        self.run()
    }

    fn run(&mut self) -> String {
        self.said.clear();
        loop {
            match self.session.poll_output() {
                Output::Send(octets) => self.said.push_str(core::str::from_utf8(&octets).unwrap()),
                Output::Arrived(arrival) => {
                    assert_eq!(self.session.poll_output(), Output::Wait, "nothing is said before it is kept");
                    self.arrivals.push(arrival);
                    self.session.handle_kept(self.kept);
                }
                Output::Count(count) => self.counted.push(count),
                Output::Wait => return self.said.clone(),
                Output::Close => {
                    self.closed = true;
                    return self.said.clone();
                }
            }
        }
    }

    /// The codes that are said to this.
    fn codes(&mut self, octets: &str) -> Vec<String> {
        self.hear(octets).lines().map(|line| line.chars().take(3).collect()).collect()
    }

    fn handovers(&self) -> Vec<Handover> {
        self.arrivals.iter().map(|arrival| arrival.handover).collect()
    }
}

fn message(sender: &str, recipient: &str, text: &str) -> String {
    format!("MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n{text}\r\n.\r\n")
}

#[test]
fn a_message_is_taken_as_it_came() {
    let mut talk = talk();
    let text = format!(
        "MAIL From:<probe@tester.example> SIZE=20\r\n\
         RCPT To:<{TOKEN}@probe.example> ORCPT=rfc822;{TOKEN}%25probe.example@t.example NOTIFY=NEVER\r\n\
         DATA\r\nSubject: x\r\n\r\n..dot\r\n\x01\r\n.\r\nQUIT\r\n"
    );
    assert_eq!(talk.codes(&text), ["250", "250", "354", "250", "221"]);
    let arrival = &talk.arrivals[0];
    assert_eq!((arrival.handover, arrival.at), (Handover::Taken, Date::from_unix(6)));
    assert_eq!(arrival.message.as_bytes(), b"Subject: x\r\n\r\n.dot\r\n\x01\r\n");
    let envelope = arrival.envelope.as_ref().unwrap();
    assert_eq!(envelope.peer.unwrap().to_string(), "192.0.2.9");
    assert_eq!(envelope.helo.to_string(), "relay.example");
    assert_eq!(envelope.sender.to_string(), "probe@tester.example");
    assert_eq!(envelope.recipients[0].address.to_string(), format!("{TOKEN}@probe.example"));
    let original = envelope.recipients[0].original.as_ref().unwrap().to_string();
    assert_eq!(original, format!("rfc822;{TOKEN}%25probe.example@t.example"));
    assert!(talk.closed && talk.arrivals.len() == 1);
}

#[test]
fn cut_anywhere_the_same_arrives() {
    let text = format!(
        "{}{}RSET\r\nFOO\r\nQUIT\r\n",
        message("a@b.example", &format!("{TOKEN}@probe.example"), "x\n.\ny\r\n..\r\n"),
        message("", &format!("\"{TOKEN}> x\"@probe.example"), "."),
    );
    let mut whole = talk();
    let said = whole.hear(&text);
    for size in 1..40 {
        let mut talk = talk();
        let pieces: Vec<String> = text.as_bytes().chunks(size).map(|piece| talk.hear_octets(piece)).collect();
        assert_eq!((pieces.concat(), &talk.arrivals), (said.clone(), &whole.arrivals), "{size}");
    }
    assert_eq!(whole.handovers(), [Handover::Taken; 2]);
}

#[test]
fn the_extensions_are_those_that_we_do() {
    let mut talk = talk_with(options());
    assert_eq!(
        talk.hear("ehlo x\r\n"),
        "250-probe.example\r\n250-PIPELINING\r\n250-SIZE 65536\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
         250-ENHANCEDSTATUSCODES\r\n250 DSN\r\n"
    );
    assert_eq!(talk.hear("HELO x\r\n"), "250 probe.example\r\n");
    for command in ["AUTH PLAIN AAAA", "STARTTLS", "BDAT 5 LAST", "EXPN x", "ETRN x", "HELP"] {
        assert_eq!(talk.codes(&format!("{command}\r\n")), ["502"], "{command}");
    }
    assert_eq!(talk.codes("VRFY x\r\n"), ["252"]);
}

#[test]
fn strangers_domains_are_refused() {
    let mut talk = talk();
    assert_eq!(talk.codes("MAIL FROM:<probe@tester.example>\r\n"), ["250"]);
    let said = talk.hear("RCPT TO:<someone\x1b@other.example>\r\n");
    assert_eq!(said, "550 5.7.1 <someone\\x1b@other.example> is not in a domain of this host\r\n");
    assert_eq!(talk.codes("RCPT TO:<@probe.example:x@other.example>\r\nDATA\r\n"), ["550", "503"]);
    assert_eq!(talk.codes("RCPT TO:<x%other.example@probe.example>\r\n"), ["250"]);
    assert_eq!(talk.counted, [Count::Stranger; 2]);
}

#[test]
fn odd_recipients_are_taken() {
    for local in ["\" x\"", "\"a@b,c\"", "\"a> b\"", "<x", "\u{fc}", "x%y", "@a:x", "\"x", "x."] {
        let mut talk = talk();
        let text = message("", &format!("{local}@PROBE.example"), TOKEN);
        assert_eq!(talk.codes(&text), ["250", "250", "354", "250"], "{local}");
        let recipients = &talk.arrivals[0].envelope.as_ref().unwrap().recipients;
        assert_eq!(recipients[0].address.as_bytes(), format!("{local}@PROBE.example").as_bytes());
    }
}

#[test]
fn a_recipient_without_a_message_is_a_hint_however_it_ends() {
    let begun = format!("MAIL FROM:<>\r\nRCPT TO:<{TOKEN}@probe.example>\r\n");
    for end in ["RSET\r\n", "QUIT\r\n", "MAIL FROM:<>\r\n", "EHLO x\r\n"] {
        let mut talk = talk();
        talk.hear(&begun);
        assert!(talk.arrivals.is_empty());
        talk.hear(end);
        assert_eq!(talk.handovers(), [Handover::Recipient], "{end}");
        assert!(talk.arrivals[0].message.as_bytes().is_empty());
    }
    for end in [End::Lost, End::TooSlow, End::Stopped] {
        let mut talk = talk();
        talk.hear(&begun);
        talk.end(end);
        assert_eq!(talk.handovers(), [Handover::Recipient], "{end:?}");
        assert!(talk.closed);
    }
}

#[test]
fn people_who_are_only_verified_leave_no_trace() {
    let mut talk = talk();
    talk.hear("MAIL FROM:<>\r\nRCPT TO:<anna@probe.example>\r\nRSET\r\n");
    assert_eq!((talk.handovers(), &talk.counted[..]), (Vec::new(), &[Count::HintNotOurs][..]));
}

#[test]
fn half_a_message_is_kept_as_far_as_it_came() {
    let mut talk = talk();
    talk.hear(&format!("MAIL FROM:<>\r\nRCPT TO:<{TOKEN}@probe.example>\r\nDATA\r\nSubject: x\r\n.\n"));
    assert_eq!(talk.end(End::Lost), "");
    assert_eq!(talk.handovers(), [Handover::Interrupted]);
    assert_eq!(talk.arrivals[0].message.as_bytes(), b"Subject: x\r\n\n");
    assert!(talk.closed);
}

#[test]
fn refusing_concerns_our_own_senders_only() {
    let mut options = options();
    options.mode = Mode::Refuse;
    let recipient = format!("{TOKEN}@probe.example");
    for (sender, code, handover) in [
        ("probe@tester.example", "550", Handover::Refused),
        ("probe@a.tester.example", "550", Handover::Refused),
        ("alice@target.example", "250", Handover::Taken),
        ("", "250", Handover::Taken),
    ] {
        let mut talk = talk_with(options.clone());
        talk.hear("EHLO x\r\n");
        assert_eq!(talk.codes(&message(sender, &recipient, "x")), ["250", "250", "354", code], "{sender}");
        assert_eq!(talk.handovers(), [handover]);
        assert_eq!(talk.arrivals[0].message.as_bytes(), b"x\r\n");
    }
}

#[test]
fn what_cannot_be_kept_is_not_confirmed() {
    for mode in [Mode::Accept, Mode::Refuse] {
        let mut options = options();
        options.mode = mode;
        let mut talk = talk_with(options);
        talk.kept = Kept::Failed;
        talk.hear("EHLO x\r\n");
        let text = message("a@tester.example", &format!("{TOKEN}@probe.example"), "x");
        assert_eq!(talk.codes(&text), ["250", "250", "354", "451"]);
    }
}

#[test]
fn a_persons_mail_is_refused_with_the_way_to_people() {
    for mode in [Mode::Accept, Mode::Refuse] {
        let mut options = options();
        options.mode = mode;
        let mut talk = talk_with(options);
        talk.hear("EHLO x\r\n");
        let said = talk.hear(&message("anna@other.example", "postmaster@probe.example", "Please stop."));
        assert!(said.ends_with(
            "550 5.7.1 no test message of ours; people are reached at <postmaster@probe.example>\r\n"
        ));
        let said = talk.codes(&message("", "postmaster@probe.example", "Undeliverable"));
        assert_eq!(said, ["250", "250", "354", "250"], "a report is never bounced");
        assert_eq!(talk.handovers(), []);
        assert_eq!(talk.counted, [Count::NotOurs, Count::ReportNotOurs]);
    }
}

#[test]
fn commands_out_of_turn_and_broken_lines_have_their_codes() {
    let mut talk = talk_with(options());
    for (line, code) in [
        ("MAIL FROM:<>", "503"),
        ("EHLO", "501"),
        ("HELO x", "250"),
        ("RCPT TO:<x@probe.example>", "503"),
        ("DATA", "503"),
        ("MAIL FROM:<> SIZE=65537", "552"),
        ("MAIL FROM:<> FOO=BAR", "555"),
        ("MAIL FROM:<>", "250"),
        ("DATA", "503"),
        ("RCPT TO:", "501"),
        ("", "500"),
        ("\0", "500"),
        ("FOO", "500"),
        ("NOOP", "250"),
        ("RSET", "250"),
    ] {
        assert_eq!(talk.codes(&format!("{line}\r\n")), [code], "{line}");
    }
    assert!(!talk.closed);
}

#[test]
fn a_line_that_is_too_long_is_skipped() {
    let mut talk = talk();
    for size in [1, 4_096, 100_000] {
        for piece in "x".repeat(200_000).as_bytes().chunks(size) {
            talk.hear_octets(piece);
            assert!(talk.session.input.capacity() < 4 * (4_096 + size), "{size}");
        }
        assert_eq!(talk.codes("\r\nNOOP\r\n"), ["500", "250"]);
    }
}

#[test]
fn a_message_that_is_too_long_is_refused_and_cut() {
    let mut talk = talk();
    talk.hear(&format!("MAIL FROM:<>\r\nRCPT TO:<{TOKEN}@probe.example>\r\nDATA\r\n"));
    for _ in 0..1_000 {
        talk.hear(&"x\r\n".repeat(3_000));
    }
    assert_eq!(talk.codes(".\r\n"), ["552"]);
    assert_eq!(talk.handovers(), [Handover::Refused]);
    assert_eq!(talk.arrivals[0].message.as_bytes().len(), 65_536);
}

#[test]
fn counts_on_a_connection_end() {
    let mut talk = talk();
    assert_eq!(talk.codes(&"FOO\r\n".repeat(50)).len(), 21);
    assert!(talk.closed && talk.said.ends_with("421 4.7.0 probe.example has seen too many errors\r\n"));

    let mut talk = self::talk();
    let codes = talk.codes(&"MAIL FROM:<>\r\n".repeat(1_005));
    assert_eq!((codes.len(), codes.last().map(String::as_str), talk.closed), (1_001, Some("421"), true));

    let mut talk = self::talk();
    talk.hear("MAIL FROM:<>\r\n");
    let codes = talk.codes(&"RCPT TO:<x@probe.example>\r\n".repeat(102));
    assert_eq!(codes.iter().filter(|code| *code == "452").count(), 2);
}

#[test]
fn nothing_is_said_after_the_end() {
    let mut talk = talk();
    talk.hear("QUIT\r\n");
    assert_eq!((talk.hear("NOOP\r\n"), talk.end(End::TooSlow)), (String::new(), String::new()));
    let mut talk = self::talk();
    assert_eq!(talk.codes("QUIT\r\nNOOP\r\n"), ["221"]);
    let mut talk = self::talk();
    assert_eq!(talk.end(End::TooSlow), "421 4.4.2 probe.example has waited long enough\r\n");
}
