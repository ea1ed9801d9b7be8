//! Real Postfix, with Debian's binaries and its own error limits.

use relayprobe::{Selection, Verdict};
use relayprobe_tests::servers::postfix::{Flavour, start};
use relayprobe_tests::survey::{accepted, errors, rounds, shown, survey, unanswered};

/// `smtpd_soft_error_limit`: from this error on, Postfix holds every reply back for a second.
const SOFT_ERROR_LIMIT: usize = 10;

#[test]
fn a_closed_postfix_answers_every_case_and_is_closed() {
    let server = start(Flavour::Closed, None);
    for selection in [Selection::Quick, Selection::Standard, Selection::Full] {
        let report = survey(&server, selection);
        assert_eq!(unanswered(&report), Vec::<String>::new(), "{selection:?}\n{}", shown(&report));
        assert_eq!(report.verdict, Verdict::Closed, "{selection:?}\n{}", shown(&report));
        for connection in &report.transcript.connections {
            assert!(errors(connection) < SOFT_ERROR_LIMIT, "{selection:?}\n{}", shown(&report));
            assert!(rounds(connection) <= 2 || selection != Selection::Quick, "{}", shown(&report));
        }
    }
}

#[test]
fn the_shipped_default_that_refuses_for_now_is_closed() {
    let report = survey(&start(Flavour::ClosedDefault, None), Selection::Quick);
    assert_eq!(report.verdict, Verdict::Closed, "{}", shown(&report));
}

#[test]
fn an_open_postfix_is_suspected_for_nearly_every_case() {
    let report = survey(&start(Flavour::Open, None), Selection::Quick);
    assert_eq!((report.verdict, report.exit_code), (Verdict::Suspected, 1), "{}", shown(&report));
    let found = accepted(&report);
    for id in [
        "snd-third-party",
        "snd-probe-domain",
        "snd-null",
        "pct-domain",
        "q-domain",
        "rt-domain",
        "bang-domain",
    ] {
        assert!(found.contains(&id), "{id}\n{}", shown(&report));
    }
}

#[test]
fn trust_in_own_senders_shows_in_exactly_those_cases() {
    let report = survey(&start(Flavour::TrustsOwnSenders, None), Selection::Quick);
    assert_eq!(report.verdict, Verdict::Suspected, "{}", shown(&report));
    let expected =
        ["snd-own-domain", "snd-own-host", "snd-own-postmaster", "snd-own-user", "helo-own-sender-own"];
    assert_eq!(accepted(&report), expected, "{}", shown(&report));
}

#[test]
fn trust_in_helo_shows_in_exactly_those_cases() {
    let report = survey(&start(Flavour::TrustsHelo, None), Selection::Quick);
    assert_eq!(accepted(&report), ["helo-own-domain", "helo-own-sender-own"], "{}", shown(&report));
}

#[test]
fn greylisting_is_never_closed() {
    let report = survey(&start(Flavour::Greylists, None), Selection::Quick);
    assert_eq!(report.verdict, Verdict::Undetermined, "{}", shown(&report));
    assert_eq!(accepted(&report), Vec::<&str>::new());
}

#[test]
fn a_server_that_wants_a_login_for_everything_is_closed() {
    let report = survey(&start(Flavour::WantsLogin, None), Selection::Quick);
    assert_eq!(report.verdict, Verdict::Closed, "{}", shown(&report));
}

#[test]
fn a_server_that_rejects_us_has_blocked_the_tester() {
    for flavour in [Flavour::RejectsClients, Flavour::RejectsClientsLate] {
        let report = survey(&start(flavour, None), Selection::Quick);
        assert_eq!(
            (report.verdict, report.exit_code),
            (Verdict::TesterBlocked, 3),
            "{flavour:?}\n{}",
            shown(&report)
        );
    }
}

#[test]
fn a_server_that_offers_starttls_is_judged_inside_it_too() {
    let report = survey(&start(Flavour::StartTls, None), Selection::Standard);
    assert_eq!(report.verdict, Verdict::Closed, "{}", shown(&report));
    assert_eq!(report.paths[1].verdict, Some(Verdict::Closed), "{}", shown(&report));
}

#[test]
fn a_server_that_insists_on_starttls_is_closed_inside_it() {
    for selection in [Selection::Quick, Selection::Standard] {
        let report = survey(&start(Flavour::MustStartTls, None), selection);
        assert_eq!(report.verdict, Verdict::Closed, "{selection:?}\n{}", shown(&report));
    }
}

#[test]
fn a_server_that_checks_senders_is_closed_all_the_same() {
    let report = survey(&start(Flavour::RejectsUnknownSenders, None), Selection::Standard);
    assert_eq!(report.verdict, Verdict::Closed, "{}", shown(&report));
}

#[test]
fn a_catch_all_for_its_own_domain_relays_nothing_and_is_no_more_than_suspected() {
    let report = survey(&start(Flavour::CatchAll, None), Selection::Quick);
    assert!(matches!(report.verdict, Verdict::Closed | Verdict::Suspected), "{}", shown(&report));
}
