use alloc::format;
use alloc::string::{String, ToString};
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::identity::Identity;
use crate::plan::{Plan, RunRecord};
use crate::target::Target;
use crate::token::{Keyring, LIFE, Token};

mod answers;
mod reports;
mod stored;

const DATE: Date = Date::from_unix(1_795_473_834);
const TARGET: &str = "198.18.0.10";
const SMARTHOST: &str = "198.18.0.20";

/// A run, its keys, and one of its probes.
struct Lab {
    record: RunRecord,
    keys: Keyring,
    token: Token,
}

impl Lab {
    /// The probe whose sender has this form.
    fn new(sender: &str) -> Self {
        Self::of(|case| case.mail.argument.as_str() == sender)
    }

    /// The first probe of a case like this.
    fn of(wanted: impl Fn(&crate::Case) -> bool) -> Self {
        let mut target = Target::new(TARGET.parse().unwrap(), 25);
        target.domains.push("target.example".parse().unwrap());
        let mut identity = Identity::new("probe.example".parse().unwrap());
        identity.sender_domain = "sender.example".parse().unwrap();
        identity.sink_host = Some("sink.probe.example".parse().unwrap());
        identity.sink_ipv4 = Some("198.18.0.53".parse().unwrap());
        let builder = Plan::builder(target, identity, "own-server:test".parse().unwrap()).allow_private();
        let plan = builder.build(DATE, 0xab_cdef_0123).unwrap();
        let record = plan.record().clone();
        let keys = Keyring::new([7; 32], DATE);
        let is_it = |probe: &&crate::plan::Probe| wanted(record.case(probe).unwrap());
        let probe = record.probes.iter().find(is_it).unwrap_or_else(|| panic!("no such case")).number;
        let token = issue(&record, &keys, probe);
        Self { record, keys, token }
    }

    fn plain() -> Self {
        Self::new("<{sender}>")
    }

    fn sender(&self) -> String {
        format!("b{}@sender.example", self.token)
    }

    fn recipient(&self) -> String {
        format!("{}@probe.example", self.token)
    }

    /// The test message, as it left us.
    fn sent(&self) -> String {
        let token = self.token;
        format!(
            "From: \"Example relay test\" <relaytest@probe.example>\r\nTo: {token}@probe.example\r\n\
            Subject: [Example Relay Test] run {} case 1/20 {token}\r\nMessage-ID: <{token}@probe.example>\r\n\
            Auto-Submitted: auto-generated\r\nRelayprobe-Test: v=1; token={token}\r\n\
            Content-Type: text/plain; charset=us-ascii\r\n\r\nThis is a test message.\r\n\
            -- relayprobe 1 token={token}\r\n",
            self.record.run
        )
    }

    /// The test message, as the target hands it on.
    fn relayed(&self) -> String {
        format!(
            "Received: from probe.example (unknown [203.0.113.5])\r\n\tby mail.target.example (Postfix) with ESMTP id ED56F99E059\r\n\
            \tfor <{}>; Mon, 23 Nov 2026 20:59:36 +0000 (UTC)\r\n{}",
            self.recipient(),
            self.sent()
        )
    }

    fn arrival(&self, sender: &str, recipient: &str, message: &str) -> Arrival {
        Arrival {
            at: DATE,
            handover: Handover::Taken,
            envelope: Some(Envelope {
                by: None,
                peer: Some(self.record.target.address),
                helo: b"mail.target.example".as_slice().into(),
                sender: sender.as_bytes().into(),
                recipients: [EnvelopeRecipient { address: recipient.as_bytes().into(), original: None }]
                    .into(),
            }),
            message: message.as_bytes().into(),
        }
    }

    fn own(&self, message: &str) -> Arrival {
        self.arrival(&self.sender(), &self.recipient(), message)
    }

    fn classify(&self, arrival: &Arrival) -> Classified {
        let run = |name: &str| (name == self.record.run).then(|| self.record.clone());
        classify(arrival, &self.keys, &run)
    }

    /// What it is to each probe.
    fn kinds(&self, arrival: &Arrival) -> Vec<(u16, ReceiptKind)> {
        let run = |name: &str| (name == self.record.run).then(|| self.record.clone());
        let receipt = |classified| match classified {
            Classified::Receipt(receipt) => (receipt.probe, receipt.kind),
            other => panic!("{other:?}"),
        };
        classify_each(arrival, &self.keys, &run).into_iter().map(receipt).collect()
    }

    fn receipt(&self, arrival: &Arrival) -> Receipt {
        match self.classify(arrival) {
            Classified::Receipt(receipt) => *receipt,
            other => panic!("{other:?}"),
        }
    }

    fn kind(&self, arrival: &Arrival) -> ReceiptKind {
        self.receipt(arrival).kind
    }
}

fn issue(record: &RunRecord, keys: &Keyring, probe: u16) -> Token {
    let binding = record.binding(record.probe(probe).unwrap()).unwrap();
    keys.issue(record.seed & ((1 << 40) - 1), probe, &binding)
}

#[test]
fn the_message_in_its_own_envelope_is_relayed() {
    let lab = Lab::plain();
    let receipt = lab.receipt(&lab.own(&lab.relayed()));
    assert_eq!((receipt.kind, receipt.probe), (ReceiptKind::Relayed, lab.token.probe()));
    assert_eq!((&receipt.run, receipt.sha256.len()), (&lab.record.run, 64));
    assert_eq!(receipt.egress.unwrap().kind, EgressKind::Direct);
    assert_eq!(receipt.input.unwrap().as_bytes(), b"mail.target.example");
    assert_eq!(receipt.trace.hops[0].id.as_ref().unwrap().as_bytes(), b"ED56F99E059");
    assert_eq!(receipt.recipient.unwrap().as_bytes(), lab.recipient().as_bytes());
    assert_eq!(receipt.sender.unwrap().as_bytes(), lab.sender().as_bytes());
    assert!(receipt.reported.is_none());
}

#[test]
fn what_we_handed_to_our_own_server_is_no_proof() {
    let lab = Lab::plain();
    let by = |helo: &str, message: &str| {
        let mut arrival = lab.own(message);
        arrival.envelope.as_mut().unwrap().helo = helo.as_bytes().into();
        lab.kind(&arrival)
    };
    assert_eq!(by("PROBE.example", &lab.sent()), ReceiptKind::Reported);
    // A relay leaves its line, or its name.
    assert_eq!(by("probe.example", &lab.relayed()), ReceiptKind::Relayed);
    assert_eq!(by("mail.target.example", &lab.sent()), ReceiptKind::Relayed);
}

#[test]
fn a_refused_or_interrupted_message_is_an_attempt() {
    let lab = Lab::plain();
    let mut arrival = lab.own(&lab.relayed());
    arrival.handover = Handover::Refused;
    assert_eq!(lab.kind(&arrival), ReceiptKind::Attempted);
    arrival.handover = Handover::Interrupted;
    assert_eq!(lab.kind(&arrival), ReceiptKind::Attempted);
    // Broken off before the token.
    arrival.message = lab.relayed().as_bytes()[..100].into();
    assert_eq!(lab.kind(&arrival), ReceiptKind::Hint);
    // Broken off within the header, behind the Message-ID.
    let end = lab.relayed().find("Auto-Submitted").unwrap();
    arrival.message = lab.relayed().as_bytes()[..end].into();
    assert_eq!(lab.kind(&arrival), ReceiptKind::Attempted);
}

#[test]
fn a_recipient_alone_is_a_hint() {
    let lab = Lab::plain();
    for sender in ["", "double-bounce@target.example", &lab.sender()] {
        let mut arrival = lab.arrival(sender, &lab.recipient(), "");
        arrival.handover = Handover::Recipient;
        assert_eq!(lab.kind(&arrival), ReceiptKind::Hint, "{sender}");
    }
}

#[test]
fn recipients_come_rewritten() {
    let lab = Lab::plain();
    let (token, upper) = (lab.token.to_string(), lab.token.to_string().to_uppercase());
    for recipient in [
        format!("\"mail.target:{token}\"@probe.example"),
        format!("\" {token}\"@probe.example"),
        format!("{upper}@PROBE.EXAMPLE"),
        format!("{token}@[198.18.0.53]"),
        format!("{token}@lure.probe.example"),
        format!("<{token}@probe.example"),
    ] {
        let arrival = lab.arrival(&lab.sender(), &recipient, &lab.relayed());
        assert_eq!(lab.kind(&arrival), ReceiptKind::Relayed, "{recipient}");
    }
}

#[test]
fn senders_come_wrapped_or_as_the_case_has_them() {
    let lab = Lab::plain();
    let token = lab.token;
    for sender in [
        String::new(),
        "<>".into(),
        format!("SRS0=HHHH=TT=sender.example=b{token}@mail.target.example"),
        format!("prvs=1234567890=b{token}@sender.example"),
        format!("B{}@SENDER.EXAMPLE", token.to_string().to_uppercase()),
    ] {
        let arrival = lab.arrival(&sender, &lab.recipient(), &lab.relayed());
        assert_eq!(lab.kind(&arrival), ReceiptKind::Relayed, "{sender}");
    }
    let stranger = lab.arrival("someone@target.example", &lab.recipient(), &lab.relayed());
    assert_eq!(lab.kind(&stranger), ReceiptKind::Forwarded);
}

#[test]
fn a_sender_of_the_targets_own_is_as_sent() {
    let lab = Lab::new("<postmaster@{target-domain}>");
    for (sender, kind) in [
        ("postmaster@target.example", ReceiptKind::Relayed),
        ("Postmaster@TARGET.example", ReceiptKind::Relayed),
        ("SRS0=HH=TT=target.example=postmaster@x.example", ReceiptKind::Relayed),
        ("prvs=12=postmaster@target.example", ReceiptKind::Relayed),
        ("", ReceiptKind::Relayed),
        ("alice@target.example", ReceiptKind::Forwarded),
    ] {
        assert_eq!(lab.kind(&lab.arrival(sender, &lab.recipient(), &lab.relayed())), kind, "{sender}");
    }
}

#[test]
fn what_people_and_lists_send_on_is_forwarded() {
    let lab = Lab::plain();
    for field in [
        "Resent-From: postmaster@target.example",
        "X-Forwarded-To: x@probe.example",
        "In-Reply-To: <x@target.example>",
    ] {
        let message = format!("{field}\r\n{}", lab.relayed());
        assert_eq!(lab.kind(&lab.own(&message)), ReceiptKind::Forwarded, "{field}");
    }
    // A relay that adds these is no closed one, and a list that does is no relay.
    for field in [
        "List-Unsubscribe: <https://gateway.target.example/>",
        "Delivered-To: postmaster@target.example",
        "X-Original-To: postmaster@target.example",
    ] {
        let message = format!("{field}\r\n{}", lab.relayed());
        assert_eq!(lab.kind(&lab.own(&message)), ReceiptKind::Reported, "{field}");
        let arrival = lab.arrival("list@target.example", &lab.recipient(), &message);
        assert_eq!(lab.kind(&arrival), ReceiptKind::Forwarded, "{field}");
    }
    // Attached, or quoted.
    let attached = format!(
        "From: postmaster@target.example\r\nSubject: Fwd: what is this?\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nSee below.\r\n--x\r\n\
        Content-Type: message/rfc822\r\n\r\n{}\r\n--x--\r\n",
        lab.sent()
    );
    let quoted = format!("From: a@target.example\r\nSubject: Fwd\r\n\r\n> token={}\r\n", lab.token);
    for message in [attached, quoted] {
        for recipient in ["relaytest@probe.example", &lab.recipient()] {
            let arrival = lab.arrival("postmaster@target.example", recipient, &message);
            assert_eq!(lab.kind(&arrival), ReceiptKind::Forwarded, "{message}");
        }
    }
    // To another recipient, or to none that is known.
    let mut arrival = lab.arrival(&lab.sender(), "relaytest@probe.example", &lab.relayed());
    assert_eq!(lab.kind(&arrival), ReceiptKind::Forwarded);
    arrival.envelope = None;
    assert_eq!(lab.kind(&arrival), ReceiptKind::Forwarded);
    // Sent back to the sender as it was.
    let returned = lab.arrival("", &lab.sender(), &lab.relayed());
    assert_ne!(lab.kind(&returned), ReceiptKind::Relayed);
}

#[test]
fn tokens_survive_what_gateways_do() {
    let lab = Lab::plain();
    let token = lab.token.to_string();
    let relayed = lab.relayed();
    let base64 = |text: &str| data_encoding::BASE64_MIME.encode(text.as_bytes());
    let folded = relayed.replace("Test] run", "Test]\r\n run");
    let footer = format!("{relayed}\r\n-- \r\nThis message was scanned.\r\n");
    let lower = relayed.replace("Message-ID", "message-id").replace("Relayprobe-Test", "relayprobe-test");
    let upper = relayed.replace(&token, &token.to_uppercase());
    let twice = format!("Subject: one\r\nMessage-ID: <x@y>\r\nSubject: two\r\n{relayed}");
    let garbage = relayed.replace("a test message", "\u{80}\u{ff}a\u{0}b");
    for message in [folded, footer, lower, upper, twice, garbage] {
        assert_eq!(lab.kind(&lab.own(&message)), ReceiptKind::Relayed, "{message}");
    }
    // Only a body that is encoded has the token.
    let head = "From: a@target.example\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n";
    let soft = format!("{}=\r\n{}", &token[..10], &token[10..]);
    for message in [
        format!("{head}Content-Transfer-Encoding: base64\r\n\r\n{}", base64(&format!("re: {token}."))),
        format!("{head}Content-Transfer-Encoding: quoted-printable\r\n\r\nre:=20{soft}=2E\r\n"),
        format!("{head}Subject: =?utf-8?B?{}?=\r\n\r\n", data_encoding::BASE64.encode(token.as_bytes())),
        format!("no header at all {token}"),
    ] {
        let arrival = lab.arrival("a@target.example", "relaytest@probe.example", &message);
        assert_eq!(lab.kind(&arrival), ReceiptKind::Forwarded, "{message}");
    }
}

#[test]
fn changed_tokens_are_forged_and_others_are_not_ours() {
    let lab = Lab::plain();
    let run = lab.record.run.clone();
    let token = lab.token.to_string();
    // The claim is whole, the MAC is not.
    let last = if token.ends_with('a') { 'e' } else { 'a' };
    for at in 12..26 {
        let other = if at == 25 {
            last
        } else if &token[at..=at] == "a" {
            'b'
        } else {
            'a'
        };
        let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        for recipient in [format!("{changed}@probe.example"), format!("b{changed}@sender.example")] {
            let arrival = lab.arrival("", &recipient, "Subject: x\r\n\r\n");
            assert_eq!(lab.classify(&arrival), Classified::Forged { run: run.clone() }, "{changed}");
        }
        // Next to a good one it is nothing.
        let arrival = lab.own(&format!("X-Other: {changed}\r\n{}", lab.relayed()));
        assert_eq!(lab.kind(&arrival), ReceiptKind::Relayed);
    }
    let nobody = |_: &str| None;
    assert_eq!(classify(&lab.own(&lab.relayed()), &lab.keys, &nobody), Classified::UnknownRun { run });
    for text in ["", "Subject: hello\r\n\r\nnothing", "\u{0}\u{ff}garbage"] {
        assert_eq!(lab.classify(&lab.arrival("a@b.example", "c@probe.example", text)), Classified::NotOurs);
    }
    // Look-alikes within longer words are everywhere in encoded attachments.
    let noise = format!("Subject: x\r\n\r\n{}", "lmnopqrstuvwxyzabcdefghij".repeat(200));
    assert_eq!(lab.classify(&lab.arrival("a@b.example", "c@probe.example", &noise)), Classified::NotOurs);
}

#[test]
fn a_token_for_another_target_is_forged() {
    let lab = Lab::plain();
    let mut other = lab.record.clone();
    other.target.address = "198.18.0.11".parse().unwrap();
    let lie = issue(&other, &lab.keys, lab.token.probe());
    let arrival = lab.arrival("", &format!("{lie}@probe.example"), "");
    assert!(matches!(lab.classify(&arrival), Classified::Forged { .. }));
    let foreign = Keyring::new([9; 32], DATE);
    let lie = issue(&lab.record, &foreign, lab.token.probe());
    let arrival = lab.arrival("", &format!("{lie}@probe.example"), "");
    assert!(matches!(lab.classify(&arrival), Classified::Forged { .. }));
}

#[test]
fn of_two_tokens_the_recipients_decides() {
    let lab = Lab::plain();
    let other = issue(&lab.record, &lab.keys, lab.token.probe() + 1);
    let arrival = lab.arrival(&lab.sender(), &format!("{other}@probe.example"), &lab.relayed());
    let receipt = lab.receipt(&arrival);
    // A replay: the message of one probe does not prove another.
    assert_eq!((receipt.probe, receipt.kind), (other.probe(), ReceiptKind::Forwarded));
    let message = format!("X-Note: {other}\r\n{}", lab.relayed());
    let arrival = lab.arrival("", "relaytest@probe.example", &message);
    assert_eq!(lab.receipt(&arrival).probe, lab.token.probe());
}

#[test]
fn each_token_of_a_message_counts_on_its_own() {
    let lab = Lab::plain();
    let other = issue(&lab.record, &lab.keys, lab.token.probe() + 1);
    // Handed over to the recipients of two, in whatever order: it is the message of one.
    let strangers = [format!("{other}@probe.example"), lab.recipient()];
    for recipients in [strangers.clone(), [strangers[1].clone(), strangers[0].clone()]] {
        let mut arrival = lab.own(&lab.relayed());
        let named =
            |address: &String| EnvelopeRecipient { address: address.as_bytes().into(), original: None };
        arrival.envelope.as_mut().unwrap().recipients = recipients.iter().map(named).collect();
        let found = lab.kinds(&arrival);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.contains(&(lab.token.probe(), ReceiptKind::Relayed)), "{found:?}");
        assert!(found.contains(&(other.probe(), ReceiptKind::Forwarded)), "{found:?}");
        assert_eq!(lab.receipt(&arrival).probe, found[0].0, "the first is what it is");
    }
    // Merged by a list, in a digest: somebody sent both on.
    let digest = format!("Subject: digest\r\n\r\n{}\r\n----\r\n{other}\r\n{other}\r\n", lab.sent());
    let found = lab.kinds(&lab.arrival("list@target.example", "relaytest@probe.example", &digest));
    assert_eq!(found, [(lab.token.probe(), ReceiptKind::Forwarded), (other.probe(), ReceiptKind::Forwarded)]);
    // An automatic answer says what became of one message; beside it nothing is settled.
    let answer = format!("Auto-Submitted: auto-replied\r\nSubject: away\r\n\r\n{} {other}\r\n", lab.token);
    let found = lab.kinds(&lab.arrival("", &lab.sender(), &answer));
    assert_eq!(
        found,
        [(lab.token.probe(), ReceiptKind::DeliveredLocally), (other.probe(), ReceiptKind::Forwarded)]
    );
}

#[test]
fn a_message_full_of_tokens_has_a_limit() {
    let lab = Lab::plain();
    let tokens: Vec<String> = lab
        .record
        .probes
        .iter()
        .map(|probe| issue(&lab.record, &lab.keys, probe.number).to_string())
        .collect();
    assert!(tokens.len() > 16);
    let found = lab.kinds(&lab.arrival("", "relaytest@probe.example", &tokens.join("\r\n").repeat(40)));
    assert_eq!(found.len(), 16);
}

#[test]
fn a_receipt_of_a_clock_that_is_slow_is_one() {
    let lab = Lab::plain();
    let mut arrival = lab.own(&lab.relayed());
    // Before the message was sent, before the run was planned, in the year 1970.
    for at in [DATE.unix() - 5 * 3_600, DATE.unix() - LIFE * 9, 0] {
        arrival.at = Date::from_unix(at);
        let receipt = lab.receipt(&arrival);
        assert_eq!((receipt.kind, receipt.at.unix()), (ReceiptKind::Relayed, at));
    }
}

#[test]
fn a_case_about_a_role_has_no_token_in_its_recipient() {
    let lab = Lab::of(|case| case.id == "rcp-role-postmaster");
    let relayed = |recipient: &str| lab.kind(&lab.arrival(&lab.sender(), recipient, &lab.relayed()));
    assert_eq!(relayed("postmaster@probe.example"), ReceiptKind::Relayed);
    assert_eq!(relayed("Postmaster@PROBE.example"), ReceiptKind::Relayed);
    assert_eq!(relayed("abuse@probe.example"), ReceiptKind::Forwarded);
    assert_eq!(
        Lab::plain().kind(&{
            let plain = Lab::plain();
            plain.arrival(&plain.sender(), "postmaster@probe.example", &plain.relayed())
        }),
        ReceiptKind::Forwarded
    );
}

#[test]
fn an_original_recipient_is_read() {
    let lab = Lab::plain();
    let mut arrival = lab.arrival("", "someone@probe.example", "");
    arrival.handover = Handover::Recipient;
    let xtext = format!("rfc822;\"x+20{}\"+40probe.example@mail.target.example", lab.token);
    arrival.envelope.as_mut().unwrap().recipients[0].original = Some(xtext.as_bytes().into());
    let receipt = lab.receipt(&arrival);
    assert_eq!(receipt.original_recipient.unwrap().as_bytes(), xtext.as_bytes());
    assert_eq!(search::original(b"rfc822;a+2Bb+40c+zz+"), b"a+b@c+zz+");
}

#[test]
fn what_comes_after_the_life_of_its_token_is_late() {
    let lab = Lab::plain();
    let mut arrival = lab.own(&lab.relayed());
    arrival.at = Date::from_unix(DATE.unix() + LIFE);
    assert_eq!(lab.kind(&arrival), ReceiptKind::Relayed);
    arrival.at = Date::from_unix(DATE.unix() + LIFE + 1);
    assert_eq!(lab.kind(&arrival), ReceiptKind::Late);
}

#[test]
fn a_way_through_two_machines_ends_at_a_smarthost() {
    let lab = Lab::plain();
    let hop = |by: &str| format!("Received: from a (a [198.18.0.10]) by {by} (Postfix) with ESMTP id X\r\n");
    let egress = |message: &str, peer: &str| {
        let mut arrival = lab.own(message);
        arrival.envelope.as_mut().unwrap().peer = Some(peer.parse().unwrap());
        let receipt = lab.receipt(&arrival);
        assert_eq!(receipt.kind, ReceiptKind::Relayed);
        assert_eq!(receipt.input.map(|input| input.escaped()).as_deref().unwrap_or("-"), {
            if message.starts_with("From:") { "-" } else { "mail.target.example" }
        });
        receipt.egress.unwrap().kind
    };
    let (one, sent) = (lab.relayed(), lab.sent());
    assert_eq!(egress(&format!("{}{one}", hop("smarthost.isp.example")), SMARTHOST), EgressKind::Smarthost);
    assert_eq!(egress(&format!("{}{one}", hop("MAIL.target.example")), SMARTHOST), EgressKind::Direct);
    assert_eq!(egress(&one, SMARTHOST), EgressKind::Direct);
    assert_eq!(egress(&sent, SMARTHOST), EgressKind::Unknown);
    assert_eq!(egress(&sent, "::ffff:198.18.0.10"), EgressKind::Direct);
}

#[test]
fn messages_within_messages_do_not_use_up_the_stack() {
    let lab = Lab::plain();
    let nested = "Content-Type: message/rfc822\n\n".repeat(50_000);
    let inner = "Content-Type: message/rfc822\n\n".repeat(1_600);
    let hidden = format!(
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{}",
        data_encoding::BASE64_MIME.encode(inner.as_bytes())
    );
    let encoded = [format!("{nested}{}", lab.sent()), hidden];
    let arrivals = encoded.map(|message| lab.own(&message));
    let small = thread::Builder::new().stack_size(1 << 20);
    let done =
        small.spawn(move || arrivals.iter().map(|arrival| lab.kind(arrival)).collect::<Vec<_>>()).unwrap();
    assert_eq!(done.join().unwrap(), [ReceiptKind::Forwarded; 2]);
}

proptest! {
    #[test]
    fn any_octets_are_classified(octets in prop::collection::vec(any::<u8>(), 0..600), at in 0..900_usize) {
        let lab = Lab::plain();
        let mut message = lab.relayed().into_bytes();
        let at = at.min(message.len());
        message.splice(at..at, octets);
        let mut arrival = lab.own("");
        arrival.message = message.into();
        // The recipient has the token.
        prop_assert!(matches!(lab.classify(&arrival), Classified::Receipt(_)));
        prop_assert_eq!(Arrival::from_message(arrival.message.as_bytes(), DATE).at, DATE);
    }
}
