//! Automatic answers.

use super::*;

#[test]
fn an_automatic_answer_is_delivery_at_the_targets_side() {
    let lab = Lab::plain();
    for field in [
        "Auto-Submitted: auto-replied",
        "auto-submitted: Auto-Replied (vacation)",
        "X-Autoreply: yes",
        "Precedence: auto_reply",
        "X-Other: nothing that tells",
    ] {
        let message = format!(
            "From: postmaster@target.example\r\n{field}\r\nIn-Reply-To: <{}@probe.example>\r\nSubject: Re: [Example Relay Test]\r\n\r\nI am away.\r\n",
            lab.token
        );
        for sender in ["", "postmaster@target.example"] {
            let arrival = lab.arrival(sender, &lab.sender(), &message);
            assert_eq!(lab.kind(&arrival), ReceiptKind::DeliveredLocally, "{field}");
        }
    }
}

#[test]
fn a_receipt_of_reading_and_a_challenge_are_answers() {
    let lab = Lab::plain();
    let read = format!(
        "From: a@target.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=q\r\n\r\n\
        --q\r\n\r\nIt was shown.\r\n--q\r\nContent-Type: message/disposition-notification\r\n\r\n\
        Final-Recipient: rfc822; a@target.example\r\nOriginal-Message-ID: <{}@probe.example>\r\n\r\n--q--\r\n",
        lab.token
    );
    let challenge = format!(
        "From: a@target.example\r\nSubject: Please confirm your message\r\n\r\nYou wrote: token={}\r\n",
        lab.token
    );
    for message in [read, challenge] {
        let arrival = lab.arrival("", &lab.sender(), &message);
        assert_eq!(lab.kind(&arrival), ReceiptKind::DeliveredLocally, "{message}");
    }
}

#[test]
fn our_own_mark_is_no_answer() {
    let lab = Lab::plain();
    assert!(lab.sent().contains("Auto-Submitted: auto-generated"));
    assert_eq!(lab.kind(&lab.own(&lab.relayed())), ReceiptKind::Relayed);
}
