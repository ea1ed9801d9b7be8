use alloc::string::{String, ToString};

use super::*;
use crate::address::{Domain, ScopeError};
use crate::matrix::{self, Case, CaseError};
use crate::message::Letter;
use crate::plan::error::DAILY_REFUSALS;
use crate::plan::names::Names;

fn target() -> Target {
    Target::new("198.18.0.1".parse().unwrap(), 25)
}

fn identity() -> Identity {
    Identity::new("probe.example".parse().unwrap())
}

fn builder(target: Target) -> PlanBuilder {
    Plan::builder(target, identity(), "own-server:test".parse().unwrap()).allow_private()
}

fn build(builder: PlanBuilder) -> Result<Plan, PlanError> {
    builder.build(Date::from_unix(1_795_473_834), 7)
}

#[test]
fn a_quick_plan_stays_below_the_daily_limit() {
    let plan = build(builder(target())).unwrap();
    assert!(plan.record().expected_refusals() <= DAILY_REFUSALS, "{}", plan.record().expected_refusals());
    assert_eq!(plan.record().paths.len(), 2);
}

#[test]
fn special_addresses_need_leave() {
    for text in ["127.0.0.1", "10.0.0.1", "169.254.1.1", "::1", "::ffff:10.0.0.1"] {
        let target = Target::new(text.parse().unwrap(), 25);
        let refused = build(Plan::builder(target, identity(), "own-server:test".parse().unwrap()));
        assert!(matches!(refused, Err(PlanError::Address(ScopeError::Special { .. }))), "{text}");
    }
    for text in ["169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fd00:ec2::254"] {
        let metadata = Target::new(text.parse().unwrap(), 25);
        assert!(
            matches!(build(builder(metadata)), Err(PlanError::Address(ScopeError::Metadata { .. }))),
            "{text}"
        );
    }
}

#[test]
fn nobody_tests_an_address_at_which_no_server_can_be() {
    for text in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::", "ff02::1", "64:ff9b::e000:1"] {
        let target = Target::new(text.parse().unwrap(), 25);
        assert!(
            matches!(build(builder(target)), Err(PlanError::Address(ScopeError::NoHost { .. }))),
            "{text}"
        );
    }
}

#[test]
fn a_server_on_trial_listens_where_nobody_else_does() {
    let on = |port| build(builder(Target::new("127.0.0.1".parse().unwrap(), port)));
    assert_eq!(on(22), Err(PlanError::Port { port: 22 }));
    assert!(on(25).is_ok() && on(1_024).is_ok() && on(40_000).is_ok());
}

fn keyring() -> Keyring {
    Keyring::new([7; 32], Date::from_unix(1_795_000_000))
}

#[test]
fn a_proof_names_its_recipients_by_tokens() {
    let survey = build(builder(target())).unwrap();
    let proof = build(builder(target()).prove(Prove::Families, &keyring())).unwrap();
    assert!(survey.record().prove.is_none() && proof.record().prove == Some(Prove::Families));
    for probe in &proof.record().probes {
        let token: crate::token::Token = probe.user.parse().unwrap();
        assert_eq!((token.run(), token.probe()), (proof.record().run.clone(), probe.number));
        assert!(keyring().verify(&token, &proof.record().binding(probe).unwrap()), "{}", probe.user);
    }
    // Numbers are what people compare between runs.
    let ids = |plan: &Plan| plan.record().probes.iter().map(|probe| probe.case).collect::<Vec<_>>();
    assert_eq!(ids(&survey), ids(&proof));
    assert!(!alloc::format!("{proof:?}").contains("0707"), "no key in a plan");
}

#[test]
fn a_way_in_is_the_last_path_and_has_one_control() {
    let way_in = "127.0.0.1:2525".parse().unwrap();
    let plan = build(builder(target()).prove(Prove::All, &keyring()).way_in(way_in)).unwrap();
    let record = plan.record();
    assert_eq!((record.way_in, record.target_paths().len() + 1), (Some(way_in), record.paths.len()));
    let own: Vec<&str> = record
        .probes
        .iter()
        .filter(|probe| record.is_way_in(probe.path))
        .map(|probe| &*record.case(probe).unwrap().id)
        .collect();
    assert_eq!(own, [matrix::PATH]);
    // A survey sends no message, not even to ourselves.
    let survey = build(builder(target()).way_in(way_in)).unwrap();
    assert_eq!((survey.record().way_in, survey.record().target_paths()), (None, &*survey.record().paths));
    let list = NeverTest::parse("127.0.0.0/8\n").unwrap();
    let refused = build(builder(target()).prove(Prove::All, &keyring()).way_in(way_in).never_test(list));
    assert!(matches!(refused, Err(PlanError::NeverTest { .. })));
}

#[test]
fn messages_have_their_limits() {
    let proof = || builder(target()).prove(Prove::All, &keyring());
    for given in [0, 65] {
        assert_eq!(build(proof().messages(given)), Err(PlanError::Messages { given }));
    }
    for given in [0, Limits::LONGEST_WINDOW + 1] {
        assert_eq!(build(proof().window(Duration::from_secs(given))), Err(PlanError::Window { given }));
    }
    let history = History { last_run: None, refusals_today: 0, messages_today: 60 };
    let refused = build(proof().history(history));
    assert_eq!(refused, Err(PlanError::ManyMessages { planned: 12, today: 60 }));
    let mut identity = identity();
    identity.organisation = "x".repeat(200).parse().unwrap();
    identity.probe_uri = alloc::format!("tel:{}", "1".repeat(196)).parse().unwrap();
    let long = Plan::builder(target(), identity, "own-server:test".parse().unwrap())
        .allow_private()
        .prove(Prove::All, &keyring());
    assert!(matches!(build(long), Err(PlanError::LongMessage { length }) if length > Letter::LIMIT));
}

#[test]
fn only_mail_ports_of_public_addresses_are_asked() {
    let public = Target::new("8.8.8.8".parse().unwrap(), 22);
    let builder = Plan::builder(public, identity(), "own-server:test".parse().unwrap());
    assert_eq!(build(builder.clone()), Err(PlanError::Port { port: 22 }));
    assert!(build(builder.allow_port(22)).is_ok());
}

#[test]
fn who_asked_not_to_be_tested_is_not() {
    let list = NeverTest::parse("198.18.0.0/15\n").unwrap();
    assert!(matches!(build(builder(target()).never_test(list)), Err(PlanError::NeverTest { .. })));
    let mut named = target();
    named.domains.push("mail.quiet.example".parse().unwrap());
    let list = NeverTest::parse("quiet.example\n").unwrap();
    assert!(matches!(build(builder(named).never_test(list)), Err(PlanError::NeverTest { .. })));
}

#[test]
fn the_authorization_is_a_limit() {
    let mut leave: Authorization = "customer-contract:K1".parse().unwrap();
    leave.until = Some(Date::from_unix(5));
    let ended = Plan::builder(target(), identity(), leave.clone()).allow_private();
    assert!(matches!(build(ended), Err(PlanError::Ended { .. })));
    leave.until = None;
    leave.networks.push("192.0.2.0/24".parse().unwrap());
    let outside = Plan::builder(target(), identity(), leave).allow_private();
    assert!(matches!(build(outside), Err(PlanError::OutOfScope { .. })));
}

#[test]
fn a_target_is_left_alone_for_a_day() {
    let history =
        History { last_run: Some(Date::from_unix(1_795_473_000)), refusals_today: 0, messages_today: 0 };
    assert!(matches!(build(builder(target()).history(history)), Err(PlanError::TooSoon { .. })));
    assert!(build(builder(target()).history(history).again()).is_ok());
}

#[test]
fn many_refusals_a_day_must_be_asked_for() {
    let history = History { last_run: None, refusals_today: 20, messages_today: 0 };
    let refused = build(builder(target()).history(history));
    assert!(matches!(refused, Err(PlanError::ManyRefusals { today: 20, .. })));
    let matrix = Matrix::select(Selection::Standard);
    assert!(build(builder(target()).history(history).matrix(matrix)).is_ok());
    assert!(matches!(build(builder(target()).ports(&[25, 587])), Err(PlanError::ManyRefusals { .. })));
}

#[test]
fn a_changed_case_is_refused() {
    let mut case = Matrix::select(Selection::Quick).cases().first().unwrap().clone();
    case.rcpt.argument = matrix::built_in().find(|c| c.id == "ctl-unknown-local").unwrap().rcpt.argument;
    let matrix = Matrix::select(Selection::Quick).with(case);
    assert!(matches!(build(builder(target()).matrix(matrix)), Err(PlanError::ForeignCase { .. })));
}

#[test]
fn a_case_of_ones_own_is_taken() {
    let case = Case::custom("mine", "<>", "<{probe-user}@{probe-domain}@localhost>").unwrap();
    let matrix = Matrix::named([]).unwrap().with(case);
    assert_eq!(build(builder(target()).matrix(matrix)).unwrap().record().selection, Selection::Named);
    assert!(matches!(Case::custom("mine", "<>", "<a@b>"), Err(CaseError::Literal { .. })));
    assert_eq!(build(builder(target()).matrix(Matrix::named([]).unwrap())), Err(PlanError::NoCases));
}

#[test]
fn a_way_in_is_a_mail_server_too() {
    let way_in = |text: &str| build(builder(target()).way_in(text.parse().unwrap()));
    assert_eq!(way_in("8.8.8.8:80"), Err(PlanError::Port { port: 80 }));
    assert_eq!(way_in("127.0.0.1:0"), Err(PlanError::Port { port: 0 }));
    assert!(matches!(way_in("169.254.169.254:80"), Err(PlanError::Address(ScopeError::Metadata { .. }))));
    assert!(way_in("8.8.8.8:25").is_ok() && way_in("127.0.0.1:8080").is_ok());
}

#[test]
fn what_is_deferred_is_not_asked_without_end() {
    assert!(build(builder(target()).retries(&[1; 8])).is_ok());
    assert_eq!(build(builder(target()).retries(&[1; 9])), Err(PlanError::Retries { given: 9 }));
}

#[test]
fn our_own_receiving_server_is_no_target() {
    for sink in ["198.18.0.1:25", "[::ffff:198.18.0.1]:25"] {
        let own = builder(target()).way_in(sink.parse().unwrap());
        assert!(matches!(build(own), Err(PlanError::TargetIsSink { .. })), "{sink}");
    }
    let mut known = identity();
    known.sink_ipv4 = Some("198.18.0.1".parse().unwrap());
    let own = Plan::builder(target(), known, "own-server:test".parse().unwrap()).allow_private();
    assert!(matches!(build(own.clone()), Err(PlanError::TargetIsSink { .. })));
    // Another server on the same machine.
    assert!(build(own.ports(&[2525])).is_ok());
    assert!(build(builder(target()).way_in("198.18.0.1:2525".parse().unwrap())).is_ok());
}

#[test]
fn the_probe_domain_is_not_the_targets() {
    let mut own = target();
    own.domains.push("probe.example".parse().unwrap());
    assert!(matches!(build(builder(own)), Err(PlanError::ProbeDomainIsTarget { .. })));
}

#[test]
fn the_sender_domain_is_not_the_targets() {
    let mut identity = identity();
    identity.sender_domain = "bounces.target.example".parse().unwrap();
    let mut own = target();
    own.domains = ["target.example".parse().unwrap()].into();
    let built = build(Plan::builder(own, identity, "own-server:test".parse().unwrap()).allow_private());
    assert!(matches!(built, Err(PlanError::SenderDomainIsTarget { .. })));
}

#[test]
fn the_probe_uri_is_one() {
    for (text, is_one) in [
        ("https://probe.example/", true),
        ("MAILTO:desk@probe.example", true),
        ("tel:+1-201-555-0123", true),
        ("foo", false),
        ("probe.example/.well-known/probing.txt", false),
        ("https:", false),
        ("1a:b", false),
    ] {
        let mut identity = identity();
        identity.probe_uri = text.parse().unwrap();
        let built =
            build(Plan::builder(target(), identity, "own-server:test".parse().unwrap()).allow_private());
        assert_eq!(matches!(built, Err(PlanError::ProbeUri { .. })), !is_one, "{text}");
    }
}

#[test]
fn the_probe_domain_is_one_that_somebody_can_have() {
    for name in ["localhost", "probe", "mx.localhost", "desk.local"] {
        let identity = Identity::new(name.parse().unwrap());
        let built =
            build(Plan::builder(target(), identity, "own-server:test".parse().unwrap()).allow_private());
        assert!(matches!(built, Err(PlanError::ProbeDomainIsNobodys { .. })), "{name}");
    }
}

#[test]
fn ports_become_paths() {
    let matrix = Matrix::select(Selection::Standard);
    let plan = build(builder(target()).ports(&[25, 465, 587]).matrix(matrix)).unwrap();
    let paths: Vec<String> = plan.record().paths.iter().map(ToString::to_string).collect();
    assert_eq!(
        paths,
        ["port 25", "port 25 with STARTTLS", "port 465 with TLS", "port 587", "port 587 with STARTTLS"]
    );
}

#[test]
fn each_own_sender_has_its_control_beside_it() {
    let plan = build(builder(target()).matrix(Matrix::select(Selection::Standard))).unwrap();
    let record = plan.record();
    let mut count = 0;
    for probe in &record.probes {
        let Some(beside) = probe.beside else { continue };
        let case = record.case(record.probe(beside).unwrap()).unwrap();
        assert!(!case.is_control());
        count += u32::from(record.case(probe).unwrap().id == matrix::EACH_SENDER && case.has_own_sender());
    }
    assert!(count > 10);
}

#[test]
fn run_names_are_forty_bits_of_base32() {
    assert_eq!(run_name(0), "aaaaaaaa");
    assert_eq!(run_name(u64::MAX), "77777777");
    assert_ne!(run_name(1), run_name(2));
}

#[test]
fn a_name_of_the_dns_stands_in_until_the_server_says_its_own() {
    let mut target = target();
    let rcpt = |target: Target, host: Option<&str>| {
        let plan = build(builder(target).matrix(Matrix::named(["bang-host"]).unwrap())).unwrap();
        let record = plan.record();
        let host: Option<Domain> = host.map(|text| text.parse().unwrap());
        let of_case =
            |probe: &&crate::plan::Probe| record.case(probe).is_some_and(|case| case.id == "bang-host");
        let probe = record.probes.iter().find(of_case).unwrap();
        Names::new(record, probe, host.as_ref()).rcpt().map(|line| line.text().to_string()).ok()
    };
    assert_eq!(rcpt(target.clone(), None), None, "nothing is known");
    target.mail_host = Some("mx.target.example".parse().unwrap());
    assert!(rcpt(target.clone(), None).unwrap().ends_with("@mx.target.example>"));
    assert!(rcpt(target, Some("own.example")).unwrap().ends_with("@own.example>"));
}
