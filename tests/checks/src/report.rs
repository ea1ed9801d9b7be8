//! Stored reports: whoever could write to one must not bring down who reads it.

use relayprobe::Report;

/// Any text as a stored report.
pub(crate) fn check(octets: &[u8]) {
    let Ok(text) = core::str::from_utf8(octets) else { return };
    let Ok(report) = Report::from_json(text) else { return };
    let stored = report.to_json();
    let again = Report::from_json(&stored).expect("a report can be read again");
    assert!(again == report && again.to_json() == stored, "a stored report is another one");
    for shown in [report.text(), report.transcript_text(), stored] {
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    }
    let redacted = report.redacted();
    assert!(redacted.verdict == report.verdict, "redacted, it is judged otherwise");
    let _messages = report.messages();
}
