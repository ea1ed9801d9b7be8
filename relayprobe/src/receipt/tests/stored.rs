//! Messages that another server received for us.

use super::*;

const LINE: &str = "Received: from mail.target.example (unknown [198.18.0.10])\r\n\tby mx.probe.example (Postfix) with ESMTP id 4Xy\r\n\
    \tfor <x@probe.example>; Mon, 23 Nov 2026 21:05:55 +0000 (UTC)\r\n";

#[test]
fn the_envelope_stands_above_the_topmost_line() {
    let lab = Lab::plain();
    let (sender, recipient) = (lab.sender(), lab.recipient());
    let postfix = format!(
        "Return-Path: <{sender}>\r\nX-Original-To: {recipient}\r\nDelivered-To: probe@mx.probe.example\r\n{LINE}"
    );
    let exim = format!(
        "Return-path: <{sender}>\r\nEnvelope-to: {recipient}, other@probe.example\r\nDelivery-date: Mon, 23 Nov 2026 21:05:55 +0000\r\n\
        Received: from [198.18.0.10] (helo=mail.target.example)\r\n\tby mx.probe.example with esmtp (Exim 4.96)\r\n\tid X\r\n"
    );
    let dovecot = format!(
        "Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\nReceived: from mx.probe.example ([127.0.0.1])\r\n\tby mx.probe.example with LMTP\r\n\tid X\r\n{LINE}"
    );
    for above in [postfix, exim, dovecot] {
        let arrival = Arrival::from_message(format!("{above}{}", lab.relayed()).as_bytes(), DATE);
        let envelope = arrival.envelope.as_ref().unwrap();
        assert_eq!(envelope.peer, Some(TARGET.parse().unwrap()), "{above}");
        assert_eq!(envelope.helo.as_bytes(), b"mail.target.example");
        assert_eq!(arrival.message.as_bytes(), lab.relayed().as_bytes());
        let receipt = lab.receipt(&arrival);
        assert_eq!((receipt.kind, receipt.trace.hops.len()), (ReceiptKind::Relayed, 1));
    }
}

#[test]
fn nothing_below_the_topmost_line_is_envelope() {
    let lab = Lab::plain();
    // Written by whoever handed it over.
    let forged =
        format!("Return-Path: <{}>\r\nX-Original-To: {}\r\n{}", lab.sender(), lab.recipient(), lab.relayed());
    let stored =
        format!("Return-Path: <x@y.example>\r\nX-Original-To: someone@probe.example\r\n{LINE}{forged}");
    let arrival = Arrival::from_message(stored.as_bytes(), DATE);
    assert_eq!(arrival.envelope.as_ref().unwrap().sender.as_bytes(), b"x@y.example");
    assert_eq!(lab.kind(&arrival), ReceiptKind::Forwarded);
    // Without a Return-Path there is no envelope, and without a Received line nothing is taken away.
    assert_eq!(Arrival::from_message(format!("{LINE}{}", lab.sent()).as_bytes(), DATE).envelope, None);
    let bare = Arrival::from_message(lab.sent().as_bytes(), DATE);
    assert_eq!((bare.envelope, bare.message.as_bytes()), (None, lab.sent().as_bytes()));
}

#[test]
fn without_a_field_the_line_names_the_recipient() {
    let stored = format!("Return-Path: <>\r\n{LINE}Subject: x\r\n\r\n");
    let envelope = Arrival::from_message(stored.as_bytes(), DATE).envelope.unwrap();
    assert_eq!(envelope.recipients[0].address.as_bytes(), b"x@probe.example");
    assert_eq!(envelope.sender.as_bytes(), b"");
}

/// What a server writes whose filter hands every message back to it.
const FILTERED: &str = "Received: from localhost (localhost [127.0.0.1])\r\n\tby mx.probe.example (Postfix) with ESMTP id B2;\r\n\t\
    Mon, 23 Nov 2026 21:05:56 +0000\r\n\
    Received: from mx.probe.example ([127.0.0.1])\r\n\tby localhost (mx.probe.example [127.0.0.1]) (amavisd-new, port 10024)\r\n\
    \twith ESMTP id xyz; Mon, 23 Nov 2026 21:05:56 +0000\r\n";
const FETCHED: &str = "Received: from mx.probe.example [203.0.113.25]\r\n\tby desk.example with IMAP (fetchmail-6.4.37)\r\n\t\
    for <desk@localhost> (single-drop); Mon, 23 Nov 2026 21:06:00 +0000\r\n";

#[test]
fn the_ways_behind_the_receiving_server_are_not_the_handover() {
    let lab = Lab::plain();
    for above in [FILTERED, FETCHED] {
        let stored = format!(
            "Return-Path: <{}>\r\nX-Original-To: {}\r\n{above}{LINE}{}",
            lab.sender(),
            lab.recipient(),
            lab.relayed()
        );
        let receipt = lab.receipt(&Arrival::from_message(stored.as_bytes(), DATE));
        let egress = receipt.egress.as_ref().unwrap();
        assert_eq!((receipt.kind, egress.address), (ReceiptKind::Relayed, TARGET.parse().ok()), "{above}");
    }
}

#[test]
fn behind_a_proxy_on_its_machine_the_topmost_line_is_the_handover() {
    let lab = Lab::plain();
    let proxied = LINE.replace("unknown [198.18.0.10]", "localhost [127.0.0.1]");
    let stored = format!(
        "Return-Path: <{}>\r\nX-Original-To: {}\r\n{proxied}{}",
        lab.sender(),
        lab.recipient(),
        lab.relayed()
    );
    let receipt = lab.receipt(&Arrival::from_message(stored.as_bytes(), DATE));
    let egress = receipt.egress.as_ref().unwrap();
    assert_eq!((receipt.kind, egress.address), (ReceiptKind::Relayed, "127.0.0.1".parse().ok()));
}

#[test]
fn a_target_that_receives_for_us_relays_nothing_by_that() {
    let lab = Lab::plain();
    let postfix = |name: &str, client: &str| {
        format!(
            "Received: from {name} ({client})\r\n\tby mx.probe.example (Postfix) with ESMTP id A1;\r\n\t\
            Mon, 23 Nov 2026 21:05:55 +0000\r\n"
        )
    };
    let by_name = postfix("probe.example", "unknown [203.0.113.5]");
    // Some write a client's reverse name alone.
    let by_reverse_name = postfix("tester.example", "tester.example [203.0.113.5]");
    let elsewhere = "Received: from filter.probe.example ([10.0.0.9])\r\n\tby mx.probe.example (Postfix) with ESMTP id B2;\r\n\t\
        Mon, 23 Nov 2026 21:05:56 +0000\r\n\
        Received: from mx.probe.example ([10.0.0.8])\r\n\tby filter.probe.example with ESMTP id F1;\r\n\t\
        Mon, 23 Nov 2026 21:05:56 +0000\r\n";
    for above in ["", FILTERED, FETCHED, elsewhere] {
        for line in [&by_name, &by_reverse_name] {
            let stored = format!(
                "Return-Path: <{}>\r\nDelivered-To: {}\r\n{above}{line}{}",
                lab.sender(),
                lab.recipient(),
                lab.sent()
            );
            let arrival = Arrival::from_message(stored.as_bytes(), DATE);
            assert_eq!(lab.kind(&arrival), ReceiptKind::Reported, "{stored}");
        }
    }
}
