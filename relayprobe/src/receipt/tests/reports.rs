//! Delivery reports as servers write them.

use super::*;

/// What a report of one of four servers says of a failure at `remote`, with our words or with others.
fn report(lab: &Lab, form: Form, recipient: &str, group: &str) -> String {
    let sender = lab.sender();
    let (head, words, kind) = match form {
        Form::Postfix => (
            "From: MAILER-DAEMON@mail.target.example (Mail Delivery System)\r\nAuto-Submitted: auto-replied\r\n",
            "This is the mail system at host mail.target.example.\r\n",
            "message/rfc822",
        ),
        Form::Exim => (
            "From: Mail Delivery System <Mailer-Daemon@mail.target.example>\r\nAuto-Submitted: auto-replied\r\n",
            "This message was created automatically by mail delivery software.\r\n",
            "message/rfc822",
        ),
        Form::Sendmail => (
            "From: Mail Delivery Subsystem <MAILER-DAEMON@mail.target.example>\r\nAuto-Submitted: auto-generated (failure)\r\n",
            "The original message was received at Mon, 23 Nov 2026 21:05:53 GMT\r\n",
            "text/rfc822-headers",
        ),
        Form::OpenSmtpd => (
            "From: Mailer Daemon <MAILER-DAEMON@mail.target.example>\r\n",
            "Hi!\r\n\r\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\r\n",
            "text/rfc822-headers",
        ),
    };
    let outer = match form {
        Form::OpenSmtpd => "multipart/mixed",
        Form::Postfix | Form::Exim | Form::Sendmail => "multipart/report; report-type=delivery-status",
    };
    let returned = match kind {
        "message/rfc822" => lab.relayed(),
        _ => lab.relayed().split("\r\n\r\n").next().unwrap().to_string() + "\r\n",
    };
    format!(
        "Received: by mail.target.example (Postfix) id 1; Mon, 23 Nov 2026 21:05:53 +0000 (UTC)\r\n{head}To: {sender}\r\n\
        Subject: Undelivered Mail\r\nMIME-Version: 1.0\r\nContent-Type: {outer}; boundary=\"x/y\"\r\n\r\n\
        --x/y\r\nContent-Type: text/plain\r\n\r\n{words}\r\n--x/y\r\nContent-Type: message/delivery-status\r\n\r\n\
        Reporting-MTA: dns; mail.target.example\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\n{group}\r\n\
        --x/y\r\nContent-Type: {kind}\r\n\r\n{returned}\r\n--x/y--\r\n"
    )
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Postfix,
    Exim,
    Sendmail,
    OpenSmtpd,
}

const FORMS: [Form; 4] = [Form::Postfix, Form::Exim, Form::Sendmail, Form::OpenSmtpd];

fn kind(lab: &Lab, recipient: &str, group: &str) -> ReceiptKind {
    let kinds = FORMS.map(|form| {
        let message = report(lab, form, recipient, group);
        let receipt = lab.receipt(&lab.arrival("", &lab.sender(), &message));
        assert_eq!(
            receipt.reported.as_ref().unwrap().reporter.as_ref().unwrap().as_bytes(),
            b"mail.target.example"
        );
        assert_eq!(receipt.input.unwrap().as_bytes(), b"mail.target.example", "{form:?}");
        receipt.kind
    });
    assert!(kinds.iter().all(|kind| *kind == kinds[0]), "{kinds:?}");
    kinds[0]
}

#[test]
fn a_refusal_by_our_own_server_is_reported() {
    let lab = Lab::plain();
    let ours = lab.recipient();
    for group in [
        "Action: failed\r\nStatus: 5.7.1\r\nRemote-MTA: dns; sink.probe.example\r\nDiagnostic-Code: smtp; 550 5.7.1 no\r\n",
        "Action: failed\r\nStatus: 5.7.1\r\nRemote-MTA: dns; [198.18.0.53]\r\n",
        "Action: failed\r\nStatus: 5.7.1\r\nRemote-MTA: dns; mx1.probe.example\r\n",
        "Action: failed\r\nDiagnostic-Code: smtp; 550 5.7.1\r\n relayprobe: seen, not delivered\r\n",
        "Action: failed\r\nDiagnostic-Code: X-Unix; host sink.probe.example[198.18.0.53]:25 said no\r\n",
        "Action: delayed\r\nRemote-MTA: dns; sink.probe.example\r\n",
        "Action: relayed\r\n",
        "Action: Failed\r\nRemote-MTA: dns;sink.probe.example (198.18.0.53, the server for the domain)\r\n",
    ] {
        assert_eq!(kind(&lab, &ours, group), ReceiptKind::Reported, "{group}");
    }
}

#[test]
fn what_a_report_says_is_kept() {
    let lab = Lab::plain();
    let group = "Action: failed\r\nStatus: 5.7.1\r\nRemote-MTA: dns; sink.probe.example\r\n\
        Diagnostic-Code: smtp; 550 5.7.1\r\n relayprobe: seen; not delivered\r\n";
    let message = report(&lab, Form::Postfix, &lab.recipient(), group);
    let reported = lab.receipt(&lab.arrival("", &lab.sender(), &message)).reported.unwrap();
    let text = |octets: Option<Octets>| octets.unwrap().escaped();
    assert_eq!(text(reported.remote), "sink.probe.example");
    assert_eq!(text(reported.action), "failed");
    assert_eq!(text(reported.status), "5.7.1");
    assert_eq!(text(reported.diagnostic), "550 5.7.1 relayprobe: seen; not delivered");
}

#[test]
fn a_failure_at_the_targets_own_side_is_a_bounce() {
    let lab = Lab::plain();
    for (recipient, group) in [
        ("x@target.example", "Action: failed\r\nStatus: 5.0.0\r\n"),
        ("x%probe.example@target.example", "Action: failed\r\nStatus: 5.1.1\r\n"),
        ("x@target.example", "Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; inside.target.example\r\n"),
        (&*lab.recipient(), "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: x-local; User unknown\r\n"),
    ] {
        assert_eq!(kind(&lab, recipient, group), ReceiptKind::Bounced, "{recipient} {group}");
    }
}

#[test]
fn a_failure_of_unknown_place_is_doubt() {
    let lab = Lab::plain();
    for group in [
        // OpenSMTPD names no remote host.
        "Action: failed\r\nStatus: 5.0.0\r\n",
        "Action: failed\r\nRemote-MTA: dns; smarthost.isp.example\r\n",
        "Action: failed\r\nRemote-MTA: dns; 127.0.0.1\r\n",
        // Our own server may have a name that the plan does not know, and not take every address.
        "Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.desk.example\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n",
        "Action: delayed\r\nStatus: 4.4.1\r\n",
        "",
    ] {
        assert_eq!(kind(&lab, &lab.recipient(), group), ReceiptKind::Delayed, "{group}");
    }
}

#[test]
fn success_is_delivery_at_the_targets_side() {
    let lab = Lab::plain();
    for group in ["Action: delivered\r\nStatus: 2.0.0\r\n", "Action: expanded\r\n"] {
        assert_eq!(kind(&lab, &lab.recipient(), group), ReceiptKind::DeliveredLocally);
    }
}

#[test]
fn of_several_recipients_the_one_with_the_token_is_read() {
    let lab = Lab::plain();
    let group = format!(
        "Action: failed\r\nStatus: 5.1.1\r\n\r\nFinal-Recipient: rfc822; {}\r\nAction: failed\r\n\
        Remote-MTA: dns; sink.probe.example\r\n",
        lab.recipient()
    );
    assert_eq!(kind(&lab, "x@target.example", &group), ReceiptKind::Reported);
}

#[test]
fn qmail_reports_in_plain_text() {
    let lab = Lab::plain();
    let report = |said: &str| {
        format!(
            "Date: 23 Nov 2026 21:05:53 -0000\r\nFrom: MAILER-DAEMON@target.example\r\nTo: {}\r\nSubject: failure notice\r\n\r\n\
            Hi. This is the qmail-send program at target.example.\r\n\
            I'm afraid I wasn't able to deliver your message to the following addresses.\r\n\
            This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n<{}>:\r\n{said}\r\n\r\n\
            --- Below this line is a copy of the message.\r\n\r\nReturn-Path: <{}>\r\n{}",
            lab.sender(),
            lab.recipient(),
            lab.sender(),
            lab.relayed()
        )
    };
    for (said, kind) in [
        (
            "198.18.0.53 does not like recipient.\r\nRemote host said: 550 5.7.1 no\r\nGiving up on 198.18.0.53.",
            ReceiptKind::Reported,
        ),
        ("Remote host said: 550 5.7.1 relayprobe: seen, not delivered", ReceiptKind::Reported),
        ("Sorry, no such user here. (#5.1.1)", ReceiptKind::Bounced),
        ("Sorry, I couldn't find any host named probe.example. (#5.1.2)", ReceiptKind::Delayed),
    ] {
        let receipt = lab.receipt(&lab.arrival("", &lab.sender(), &report(said)));
        let reported = receipt.reported.unwrap();
        assert_eq!(receipt.kind, kind, "{said}");
        assert_eq!(reported.reporter.unwrap().as_bytes(), b"target.example");
        assert!(reported.diagnostic.unwrap().as_bytes().starts_with(&said.as_bytes()[..9]));
        if said.contains("(#") {
            assert!(reported.status.unwrap().as_bytes().starts_with(b"5.1."));
        }
    }
}

#[test]
fn a_returned_message_without_status_is_a_report_if_a_daemon_sends_it() {
    let lab = Lab::plain();
    let message = |from: &str, words: &str| {
        format!(
            "From: {from}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n\r\n{words}\r\n--z\r\n\
            Content-Type: message/rfc822\r\n\r\n{}\r\n--z--\r\n",
            lab.sent()
        )
    };
    let arrival = |from, words| lab.arrival("x@target.example", &lab.sender(), &message(from, words));
    let daemon = "MAILER-DAEMON@target.example";
    assert_eq!(lab.kind(&arrival(daemon, "host 198.18.0.53 said no")), ReceiptKind::Reported);
    assert_eq!(lab.kind(&arrival(daemon, "User unknown")), ReceiptKind::Bounced);
    assert_eq!(lab.kind(&arrival(daemon, "It failed")), ReceiptKind::Delayed);
    assert_eq!(lab.kind(&arrival("a@target.example", "User unknown")), ReceiptKind::DeliveredLocally);
}

#[test]
fn the_null_sender_alone_makes_no_report() {
    let lab = Lab::new("<>");
    let arrival = lab.arrival("", &lab.recipient(), &lab.relayed());
    assert_eq!(lab.kind(&arrival), ReceiptKind::Relayed);
}

#[test]
fn the_smarthost_may_report() {
    let lab = Lab::plain();
    let message = report(
        &lab,
        Form::Postfix,
        &lab.recipient(),
        "Remote-MTA: dns; sink.probe.example\r\nAction: failed\r\n",
    );
    let mut arrival = lab.arrival("", &lab.sender(), &message);
    arrival.envelope.as_mut().unwrap().peer = Some(SMARTHOST.parse().unwrap());
    assert_eq!(lab.receipt(&arrival).egress.unwrap().kind, EgressKind::Unknown);
}

#[test]
fn a_report_broken_off_anywhere_is_never_a_relay() {
    let lab = Lab::plain();
    for form in FORMS {
        let message =
            report(&lab, form, &lab.recipient(), "Action: failed\r\nRemote-MTA: dns; sink.probe.example\r\n");
        for end in (0..message.len()).step_by(7) {
            let mut arrival = lab.arrival("", &lab.sender(), "");
            arrival.message = message.as_bytes()[..end].into();
            for handover in [Handover::Taken, Handover::Interrupted, Handover::Refused] {
                arrival.handover = handover;
                let kind = lab.kind(&arrival);
                assert!(!matches!(kind, ReceiptKind::Relayed | ReceiptKind::Attempted), "{end} {kind:?}");
            }
        }
    }
}
