//! Real servers through the C interface: the verdicts and outcomes of the library in Rust.

use std::thread;

use relayprobe::{Report, Selection};
use relayprobe_tests::c_session::{CPlan, CReport};
use relayprobe_tests::servers::{Server, exim, opensmtpd, postfix, sendmail};
use relayprobe_tests::survey::{shown, survey};

type Matrix = (&'static str, Selection);

const QUICK: Matrix = ("quick", Selection::Quick);
const STANDARD: Matrix = ("standard", Selection::Standard);

fn assert_same(name: &str, server: &Server, (matrix, selection): Matrix) {
    let rust = survey(server, selection);
    let c: CReport = CPlan::survey(server, matrix).run();
    let read = Report::from_json(&c.json()).expect("a report");
    let what = || format!("{name}, {matrix}\nRust:\n{}\nC:\n{}", shown(&rust), shown(&read));
    assert_eq!(
        (c.verdict(), c.exit_code()),
        (rust.verdict.as_str().to_owned(), rust.exit_code.into()),
        "{}",
        what()
    );
    let probes =
        rust.probes.iter().map(|probe| (probe.case.clone().into_owned(), probe.outcome.as_str().to_owned()));
    assert_eq!(c.probes(), probes.collect::<Vec<_>>(), "{}", what());
}

#[test]
fn closed_servers_are_closed_in_c_too() {
    let servers = [
        ("Postfix", postfix::start(postfix::Flavour::Closed, None), &[QUICK, STANDARD][..]),
        ("Exim", exim::start(exim::Flavour::Closed, None), &[QUICK, STANDARD][..]),
        ("OpenSMTPD", opensmtpd::start(opensmtpd::Flavour::Closed, None), &[QUICK]),
        ("Sendmail", sendmail::start(sendmail::Flavour::Closed, None), &[QUICK]),
    ];
    // Some of them answer slowly by design; they can do so at the same time.
    thread::scope(|scope| {
        for (name, server, matrices) in &servers {
            scope.spawn(move || matrices.iter().for_each(|matrix| assert_same(name, server, *matrix)));
        }
    });
}

#[test]
fn open_and_half_open_servers_are_found_in_c_too() {
    let servers = [
        ("open Postfix", postfix::start(postfix::Flavour::Open, None)),
        ("open Exim", exim::start(exim::Flavour::Open, None)),
        ("open OpenSMTPD", opensmtpd::start(opensmtpd::Flavour::Open, None)),
        ("open Sendmail", sendmail::start(sendmail::Flavour::Open, None)),
        ("Postfix that trusts its own senders", postfix::start(postfix::Flavour::TrustsOwnSenders, None)),
        ("Postfix that trusts HELO", postfix::start(postfix::Flavour::TrustsHelo, None)),
        ("Exim with percent routing", exim::start(exim::Flavour::PercentRouted, None)),
        ("Postfix that insists on STARTTLS", postfix::start(postfix::Flavour::MustStartTls, None)),
        ("Postfix that wants a login", postfix::start(postfix::Flavour::WantsLogin, None)),
        ("Postfix that rejects us", postfix::start(postfix::Flavour::RejectsClients, None)),
        ("Postfix by default", postfix::start(postfix::Flavour::ClosedDefault, None)),
    ];
    for (name, server) in &servers {
        assert_same(name, server, QUICK);
    }
}
