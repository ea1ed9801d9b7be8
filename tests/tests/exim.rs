//! Real Exim, with Debian's binaries and its own error limits.

use relayprobe::{Matrix, Selection, Verdict};
use relayprobe_tests::servers::exim::{Flavour, start};
use relayprobe_tests::survey::{accepted, shown, survey, survey_with, unanswered};

#[test]
fn a_closed_exim_answers_every_case_and_is_closed() {
    let server = start(Flavour::Closed, None);
    for selection in [Selection::Quick, Selection::Standard, Selection::Full] {
        let report = survey(&server, selection);
        assert_eq!(unanswered(&report), Vec::<String>::new(), "{selection:?}\n{}", shown(&report));
        assert_eq!(report.verdict, Verdict::Closed, "{selection:?}\n{}", shown(&report));
        let cut = ["too many", "Too many"].iter().any(|words| report.transcript_text().contains(words));
        assert!(!cut, "{selection:?}\n{}", shown(&report));
    }
}

#[test]
fn an_exim_that_takes_one_connection_at_a_time_is_asked_one_at_a_time() {
    let server = start(Flavour::OneAtATime, None);
    let report = survey_with(&server, |builder| {
        builder.matrix(Matrix::select(Selection::Standard)).connections_at_once(3)
    });
    assert_eq!(unanswered(&report), Vec::<String>::new(), "{}", shown(&report));
    assert_eq!(report.verdict, Verdict::Closed, "{}", shown(&report));
    assert!(report.transcript_text().contains("421 Too many concurrent"), "{}", shown(&report));
}

#[test]
fn an_open_exim_is_suspected() {
    let report = survey(&start(Flavour::Open, None), Selection::Quick);
    assert_eq!((report.verdict, report.exit_code), (Verdict::Suspected, 1), "{}", shown(&report));
    assert!(accepted(&report).contains(&"snd-third-party"), "{}", shown(&report));
}

#[test]
fn a_routed_percent_form_shows_in_exactly_those_cases() {
    let report = survey(&start(Flavour::PercentRouted, None), Selection::Quick);
    assert_eq!(report.verdict, Verdict::Suspected, "{}", shown(&report));
    assert_eq!(accepted(&report), ["pct-domain"], "{}", shown(&report));
}

#[test]
fn a_penalty_that_spares_known_mailboxes_hides_no_routed_form() {
    for selection in [Selection::Quick, Selection::Standard] {
        let report = survey(&start(Flavour::Penalises, None), selection);
        let prohibited = report.transcript_text().contains("550 Administrative prohibition");
        assert!(prohibited, "{selection:?}\n{}", shown(&report));
        assert_eq!(report.verdict, Verdict::Suspected, "{selection:?}\n{}", shown(&report));
        assert!(accepted(&report).contains(&"pct-domain"), "{selection:?}\n{}", shown(&report));
    }
}

#[test]
fn trust_in_own_senders_shows_in_exactly_those_cases() {
    let report = survey(&start(Flavour::TrustsOwnSenders, None), Selection::Quick);
    let found = accepted(&report);
    for id in ["snd-own-domain", "snd-own-postmaster", "snd-own-user", "helo-own-sender-own"] {
        assert!(found.contains(&id), "{id}\n{}", shown(&report));
    }
    for id in ["snd-third-party", "snd-probe-domain", "snd-null", "helo-own-domain"] {
        assert!(!found.contains(&id), "{id}\n{}", shown(&report));
    }
}
