//! Real `OpenSMTPD` and Sendmail, with Debian's binaries and their own error limits.

use relayprobe::{Report, Selection, Verdict};
use relayprobe_tests::servers::{opensmtpd, sendmail};
use relayprobe_tests::survey::{accepted, shown, survey, unanswered};

fn assert_closed(report: &Report, what: &str) {
    assert_eq!(unanswered(report), Vec::<String>::new(), "{what}\n{}", shown(report));
    assert_eq!(report.verdict, Verdict::Closed, "{what}\n{}", shown(report));
}

#[test]
fn a_closed_opensmtpd_answers_every_case_and_is_closed() {
    let server = opensmtpd::start(opensmtpd::Flavour::Closed, None);
    for selection in [Selection::Quick, Selection::Standard, Selection::Full] {
        assert_closed(&survey(&server, selection), &format!("{selection:?}"));
    }
}

#[test]
fn an_open_opensmtpd_is_suspected() {
    let report = survey(&opensmtpd::start(opensmtpd::Flavour::Open, None), Selection::Quick);
    assert_eq!(report.verdict, Verdict::Suspected, "{}", shown(&report));
    assert!(accepted(&report).contains(&"snd-third-party"), "{}", shown(&report));
}

#[test]
fn a_closed_sendmail_answers_every_case_and_is_closed() {
    let server = sendmail::start(sendmail::Flavour::Closed, None);
    for selection in [Selection::Quick, Selection::Standard, Selection::Full] {
        assert_closed(&survey(&server, selection), &format!("{selection:?}"));
    }
}

#[test]
fn an_open_sendmail_is_suspected() {
    let report = survey(&sendmail::start(sendmail::Flavour::Open, None), Selection::Quick);
    assert_eq!(report.verdict, Verdict::Suspected, "{}", shown(&report));
    assert!(accepted(&report).contains(&"snd-third-party"), "{}", shown(&report));
}
