//! A report without the names of people, where a server and everything that came back is full of them.

use relayprobe::Report;
use relayprobe::moment::Date;
use relayprobe::plan::Redaction;
use relayprobe::report::Change;
use relayprobe_tests::{dialogue, expect, virtual_time};
use serde_json::json;

const TALKATIVE: &str = r#"
@ offers PIPELINING
@ cases snd-null snd-probe-domain pct-domain
@ prove all
@ mailbox alice@target.example
@ contact carol.tester@probe.example
@ authorization request:Mallory 4711
on greeting: 220 mx.target.example ESMTP, ask bob.admin@target.example
on EHLO*: 250-mx.target.example greets carol.tester@probe.example|250-PIPELINING|250 HELP alice
on RCPT TO:<alice@target.example>: 250 2.1.5 alice... Recipient ok
on RCPT TO:<*%probe.example@target.example>: 250 2.1.5 <"Alice B"@target.example> will see to it
on RCPT TO:<*@target.example>: 550 5.1.1 User unknown. Did you mean ALICE or bob.admin@target.example?
on RCPT TO:<*@probe.example> #1: 250 2.1.5 Ok, says alice
on RCPT TO:<*@probe.example>: 554 5.7.1 Relay access denied; write to <bob.admin@target.example>
on DATA: 354 go on, alice@target.example
= verdict open-relay
"#;

const NAMES: [&str; 6] = ["alice", "bob", "carol", "mallory", "4711", "dave"];

fn report() -> Report {
    let dialogue = dialogue::parse("talkative", TALKATIVE);
    let mut report = virtual_time::run(&dialogue, usize::MAX).report;
    let receipt = receipt(&report, 3);
    report.add(receipt).expect("a receipt of this run");
    expect::check(&dialogue, &report, None, "bare session");
    report
}

/// A receipt in which everybody is named.
fn receipt(report: &Report, seconds: u64) -> relayprobe::receipt::Receipt {
    let probe = report.probes.iter().find(|probe| probe.case == "pct-domain").expect("the case");
    let user = report.run.probes[usize::from(probe.number)].user();
    let receipt = json!({
        "kind": "relayed", "at": Date::from_unix(report.as_of.unix() + seconds), "run": report.run.run, "probe": probe.number,
        "egress": { "address": "192.0.2.7", "helo": "alice", "kind": "smarthost" },
        "input": "mx.target.example",
        "sender": format!("SRS0=hash=tt=probe.example=b{user}+dave@relay.example"),
        "recipient": format!("{user}@probe.example"),
        "original_recipient": "rfc822;dave",
        "reported": {
            "reporter": "dns; mx.target.example", "remote": "dns; alice", "action": "relayed", "status": "2.0.0",
            "diagnostic": "smtp; 550 5.1.1 <dave@target.example>... alice is away"
        },
        "trace": { "hops": [{
            "quality": "parsed", "peer": "127.0.0.1", "helo": "probe.example", "by": "mx.target.example",
            "recipient": "dave",
            "raw": format!("from probe.example (HELO probe.example) (Authenticated sender: dave) (envelope-from <alice@target.example>) by mx.target.example with ESMTP id 4bCd5 for <{user}@probe.example>; Mon, 23 Nov 2026 22:43:54 +0000")
        }] },
        "sha256": "00"
    });
    serde_json::from_value(receipt).expect("a receipt")
}

fn assert_nobody_is_named(report: &Report) {
    let shown = [report.to_json(), report.text(), report.transcript_text()].concat();
    for name in NAMES {
        assert!(!shown.to_ascii_lowercase().contains(name), "{name} in {shown}");
    }
}

#[test]
fn nobody_is_named_and_everything_else_is_there() {
    let report = report();
    let redacted = report.redacted();
    assert_nobody_is_named(&redacted);
    assert_eq!(redacted.run.redaction, Redaction::People);
    assert!(redacted.text().contains("Redacted: names of people were taken out."));
    let receipt = &redacted.receipts[0];
    let user = redacted.run.probes[usize::from(receipt.probe)].user();
    // The same person has the same name everywhere, and our own tokens tie the evidence together as before.
    let mailbox = redacted.run.target.mailbox.as_ref().expect("a mailbox").to_string();
    let transcript = redacted.transcript_text();
    assert!(transcript.contains(&format!("C: RCPT TO:<{mailbox}>")), "{transcript}");
    assert!(
        transcript.contains(&format!("C: RCPT TO:<{user}%probe.example@target.example>")),
        "{transcript}"
    );
    assert!(receipt.trace.hops[0].raw.to_string().contains(&format!("for <{user}@probe.example>")));
    assert!(receipt.trace.hops[0].raw.to_string().contains(&format!("(envelope-from <{mailbox}>)")));
    assert!(
        receipt.sender.as_ref().expect("a sender").to_string().contains(&format!("=probe.example=b{user}+"))
    );
    assert_eq!(redacted.server.name, report.server.name);
    assert_eq!(Report::from_json(&redacted.to_json()).expect("a report"), redacted);
    assert_eq!(redacted.redacted(), redacted);
}

#[test]
fn what_comes_later_is_redacted_too() {
    let report = report();
    let mut redacted = report.redacted();
    // The receipt that it has already, with the names that it had.
    let known = report.receipts[0].clone();
    assert_eq!(redacted.add(known), Ok(Change::None));
    assert_eq!(redacted.receipts.len(), 1);
    let mut later = receipt(&report, 60);
    // A mailbox without its domain is only found by who knows it.
    (later.egress, later.reported) = (None, None);
    assert_eq!(redacted.add(later), Ok(Change::None));
    assert_eq!(redacted.receipts.len(), 2);
    assert_nobody_is_named(&redacted);
}

#[test]
fn a_report_of_before_has_nothing_taken_out() {
    let text = report().to_json();
    assert!(!text.contains("redaction"));
    assert_eq!(Report::from_json(&text).expect("a report").run.redaction, Redaction::None);
}
