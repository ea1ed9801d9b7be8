//! Sweeps over many servers at once.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use relayprobe::driver::tokio::{Pace, Sweep, Swept};
use relayprobe::driver::{self, Stop};
use relayprobe::identity::Identity;
use relayprobe::plan::{NeverTest, PlanError, Profile};
use relayprobe::{Plan, Target, Verdict};
use relayprobe_tests::hosts::Hosts;
use tokio::runtime::{Builder, Runtime};

/// Closed, one that accepts everything, one that sends us away, one that is no mail server.
const KINDS: [&str; 4] = [
    "",
    "on RCPT TO:<*@probe.example>: 250 2.1.5 Ok",
    "on greeting: 554 5.7.1 You are not welcome|!close",
    "on greeting: SSH-2.0-OpenSSH_9.6|!close",
];
const VERDICTS: [Verdict; 4] =
    [Verdict::Closed, Verdict::Suspected, Verdict::TesterBlocked, Verdict::NotSmtp];

/// What comes of a target by its address.
fn kind(address: IpAddr) -> usize {
    let IpAddr::V4(v4) = address else { panic!("{address} is IPv6") };
    usize::from(v4.octets()[3] % 4)
}

/// So many hosts in each of so many networks, sorted by address.
fn list(networks: u8, hosts: u8) -> impl Iterator<Item = (IpAddr, IpAddr)> + Send {
    let all = (1..=networks).flat_map(move |network| (1..=hosts).map(move |host| [127, 7, network, host]));
    all.map(|octets| (octets.into(), octets.into()))
}

fn plan(address: IpAddr, port: u16) -> Result<Plan, PlanError> {
    plan_as(Profile::Lab, address, port)
}

fn plan_as(profile: Profile, address: IpAddr, port: u16) -> Result<Plan, PlanError> {
    let mut target = Target::new(address, port);
    target.domains.push("target.example".parse().expect("a domain"));
    let mut identity = Identity::new("probe.example".parse().expect("a domain"));
    identity.sender_domain = "tester.example".parse().expect("a domain");
    let never = NeverTest::parse("127.7.1.2\n").expect("a list");
    Plan::builder(target, identity, "own-server:tests".parse().expect("a leave"))
        .allow_private()
        .profile(profile)
        .never_test(never)
        .build(driver::now(), driver::seed())
}

/// As fast as it goes.
fn pace(in_flight: usize, per_network: usize) -> Pace {
    let mut pace = Pace::default();
    pace.in_flight = in_flight;
    pace.per_network = per_network;
    pace.network_pause = Duration::ZERO;
    pace.per_second = 1_000_000;
    pace
}

fn runtimes() -> [Runtime; 2] {
    let many = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    [Builder::new_current_thread().enable_all().build(), many].map(|runtime| runtime.expect("a runtime"))
}

#[test]
fn a_thousand_targets_have_the_right_verdicts_and_no_network_more_than_its_share() {
    for (runtime, per_network) in runtimes().into_iter().zip([1, 3]) {
        let hosts = Hosts::start(&KINDS, kind);
        let port = hosts.port;
        let mut reports = BTreeMap::new();
        let counts = runtime.block_on(async {
            let make = |address: &IpAddr| plan(*address, port);
            let mut sweep = Sweep::new(list(50, 20), make, pace(64, per_network), &Stop::new());
            while let Some(swept) = sweep.next().await {
                match swept {
                    Swept::Report(address, report) => {
                        assert_eq!(report.run.target.address, address);
                        assert!(reports.insert(address, report.verdict).is_none(), "{address} twice");
                    }
                    Swept::Refused(address, PlanError::NeverTest { .. }) => {
                        assert_eq!(address, IpAddr::from([127, 7, 1, 2]));
                    }
                    other => panic!("{other:?}"),
                }
                let counts = sweep.counts();
                assert!(counts.running <= 64, "{counts:?}");
                let known = counts.reports + counts.refused;
                assert_eq!(counts.taken, known + (counts.running + counts.waiting) as u64, "{counts:?}");
            }
            sweep.counts()
        });
        assert_eq!((counts.taken, counts.reports, counts.refused, counts.repeated), (1_000, 999, 1, 0));
        for (address, verdict) in &reports {
            assert_eq!(*verdict, VERDICTS[kind(*address)], "{address}");
        }
        let seen = hosts.seen();
        assert_eq!(seen.most_in_a_network, per_network, "at most, and it is made use of");
        assert!(seen.most > 20, "many at once: {}", seen.most);
        assert!(!seen.connections.contains(&[127, 7, 1, 2].into()), "who must not be tested was not asked");
    }
}

#[test]
fn a_silent_network_holds_up_nobody_else() {
    let silent = |address: IpAddr| usize::from(address < IpAddr::from([127, 7, 2, 0]));
    let hosts = Hosts::start(&["", "on greeting: !wait 60"], silent);
    let port = hosts.port;
    let [runtime, _] = runtimes();
    runtime.block_on(async {
        let stop = Stop::new();
        // All of the silent network stands first in the list.
        let crowd = list(1, 200).chain(list(10, 10).filter(|(address, _)| silent(*address) == 0));
        let make = |address: &IpAddr| {
            // Silence is to last longer than everything else.
            let profile = if silent(*address) == 1 { Profile::Brisk } else { Profile::Lab };
            plan_as(profile, *address, port)
        };
        let mut sweep = Sweep::new(crowd, make, pace(8, 1), &stop);
        for told in 0..90 {
            let Some(Swept::Report(address, report)) = sweep.next().await else { panic!("after {told}") };
            assert_eq!((silent(address), report.verdict), (0, Verdict::Closed), "{address}");
        }
        assert_eq!((sweep.counts().running, sweep.counts().waiting), (1, 199));
        stop.stop();
        let Some(Swept::Report(_, report)) = sweep.next().await else { panic!("no report of what ran") };
        assert_eq!(report.verdict, Verdict::Undetermined);
        assert_eq!(sweep.next().await, None::<Swept<IpAddr, PlanError>>);
    });
}

#[test]
fn a_stop_keeps_what_was_learnt_and_begins_nothing_more() {
    let hosts = Hosts::start(&["on RSET #3: !wait 60"], |_| 0);
    let port = hosts.port;
    for runtime in runtimes() {
        let before = hosts.seen().connections.len();
        runtime.block_on(async {
            let stop = Stop::new();
            let long = list(200, 100);
            let mut sweep = Sweep::new(long, |address| plan(*address, port), pace(100, 1), &stop);
            let early = tokio::time::timeout(Duration::from_millis(600), sweep.next()).await;
            assert!(early.is_err(), "all of them hang: {early:?}");
            let begin = Instant::now();
            stop.stop();
            let mut reports = 0;
            while let Some(swept) = sweep.next().await {
                let Swept::Report(_, report) = swept else { panic!("{swept:?}") };
                assert_eq!(report.verdict, Verdict::Undetermined);
                assert!(!report.transcript.connections.is_empty(), "what was said is kept");
                reports += 1;
            }
            assert_eq!(reports, 100);
            // A tenth of a second to notice it, and one for QUIT, which is not answered any more.
            assert!(begin.elapsed() < Duration::from_millis(2_500), "{:?}", begin.elapsed());
        });
        assert_eq!(hosts.seen().connections.len() - before, 100);
    }
}

#[test]
fn the_same_target_a_thousand_times_is_tested_once() {
    let hosts = Hosts::start(&[""], |_| 0);
    let port = hosts.port;
    let [runtime, _] = runtimes();
    runtime.block_on(async {
        let address = IpAddr::from([127, 7, 9, 9]);
        let list = std::iter::repeat_n((address, ()), 1_000);
        let mut sweep = Sweep::new(list, |()| plan(address, port), pace(64, 64), &Stop::new());
        let mut reports = 0;
        while let Some(swept) = sweep.next().await {
            reports += usize::from(matches!(swept, Swept::Report(..)));
        }
        assert_eq!((reports, sweep.counts().repeated), (1, 999));
    });
    let seen = hosts.seen();
    assert!(seen.connections.len() < 10 && seen.most == 1, "{seen:?}");
}

#[test]
fn a_sweep_that_is_dropped_closes_its_connections_at_once() {
    let hosts = Hosts::start(&["on RCPT*: !wait 1"], |_| 0);
    let port = hosts.port;
    let [_, runtime] = runtimes();
    let mut sweep = Sweep::new(list(50, 1), |address| plan(*address, port), pace(50, 1), &Stop::new());
    let waited =
        runtime.block_on(async { tokio::time::timeout(Duration::from_millis(500), sweep.next()).await });
    assert!(waited.is_err());
    drop(sweep);
    let end = Instant::now() + Duration::from_secs(10);
    while hosts.seen().open() > 0 {
        assert!(Instant::now() < end, "{} connections are open", hosts.seen().open());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(hosts.seen().connections.len(), 50, "nothing began after that");
}
