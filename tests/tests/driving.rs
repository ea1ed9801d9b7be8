//! What whoever drives a session can count on.

use std::time::Duration;

use relayprobe::identity::Identity;
use relayprobe::moment::{Date, Moment};
use relayprobe::plan::{DriverTls, Profile};
use relayprobe::session::{Event, Input, Output};
use relayprobe::transcript::{End, What};
use relayprobe::{Matrix, Plan, Report, Selection, Session, Target, Verdict};
use relayprobe_tests::dialogue::{self, Dialogue};
use relayprobe_tests::script::Server;
use relayprobe_tests::virtual_time::{ADDRESS, Engine, START, converse};

/// A session that is watched, and whose time is told late.
struct Watched {
    session: Session,
    late: Duration,
    events: Vec<Event>,
    /// The names for which TLS was to begin.
    names: Vec<String>,
}

impl Engine for Watched {
    fn poll(&mut self) -> Output {
        let output = self.session.poll_output();
        match &output {
            Output::Event(event) => self.events.push(event.clone()),
            Output::StartTls(_, name) => self.names.push(name.clone()),
            _ => {}
        }
        output
    }

    fn take(&mut self, input: Input<'_>, now: Moment) {
        let late = if matches!(input, Input::Tick) { self.late } else { Duration::ZERO };
        self.session.handle_input(input, now.after(late));
    }
}

fn server(text: &str) -> Dialogue {
    dialogue::parse("driving", &format!("{text}\n= driven\n"))
}

fn drive(plan: Plan, dialogue: &Dialogue, late: Duration) -> (Report, Vec<Event>, Vec<String>) {
    let session = Session::new(plan, START);
    let mut watched = Watched { session, late, events: Vec::new(), names: Vec::new() };
    let _ = converse(&mut watched, Server::new(dialogue), usize::MAX);
    let (record, transcript) = watched.session.into_parts();
    (Report::new(record, transcript), watched.events, watched.names)
}

fn plan(dialogue: &Dialogue) -> Plan {
    dialogue.plan(ADDRESS.parse().expect("an address"))
}

#[test]
fn whoever_waits_is_told_what_is_asked_again_and_when() {
    let greylisting = server(
        "@ cases snd-null snd-probe-domain\n@ retries 360\non RCPT TO:<*@probe.example> #1: 450 4.2.0 Greylisted\n\
         on RCPT TO:<*@probe.example> #2: 450 4.2.0 Greylisted",
    );
    let (_, events, _) = drive(plan(&greylisting), &greylisting, Duration::ZERO);
    let retried: Vec<(u16, u64)> = events
        .iter()
        .filter_map(|event| match event {
            Event::Retrying { probes, at } => Some((*probes, at.since(START).as_secs())),
            _ => None,
        })
        .collect();
    assert_eq!(retried, [(2, 360)]);
}

#[test]
fn a_reply_that_came_in_time_counts_however_late_it_is_looked_at() {
    let closed = server("@ offers PIPELINING\n@ profile brisk");
    let (report, ..) = drive(plan(&closed), &closed, Duration::from_secs(61));
    let mut entries = report.transcript.connections.iter().flat_map(|connection| &connection.entries);
    let is_given_up = entries.any(|entry| matches!(entry.what, What::Deadline { .. }));
    assert!(report.verdict == Verdict::Closed && !is_given_up, "{}", report.transcript_text());
}

#[test]
fn tls_is_begun_for_the_name_of_the_target_or_for_its_address() {
    let offering = server("@ offers PIPELINING STARTTLS\n@ matrix standard");
    for (name, expected) in [(None, "127.0.0.1"), (Some("mx.target.example"), "mx.target.example")] {
        let mut target = Target::new([127, 0, 0, 1].into(), 2525);
        target.name = name.map(|name| name.parse().expect("a domain"));
        let (report, _, names) =
            drive(of(target, &[2525], Matrix::select(Selection::Standard)), &offering, Duration::ZERO);
        assert!(!names.is_empty() && names.iter().all(|name| name == expected), "{names:?}");
        assert_eq!(report.transcript.end, Some(End::Complete));
    }
}

#[test]
fn tls_that_nobody_asked_for_keeps_no_port_from_its_turn() {
    let offering = server("@ offers PIPELINING STARTTLS");
    let target = Target::new([127, 0, 0, 1].into(), 2525);
    let named = Matrix::named(["snd-probe-domain"]).expect("a case");
    let (report, ..) = drive(of(target, &[2525, 587], named), &offering, Duration::ZERO);
    let asked = |port: u16| {
        let path = report.run.paths.iter().position(|path| path.port == port);
        report.transcript.connections.iter().any(|connection| Some(usize::from(connection.path)) == path)
    };
    assert!(asked(2525) && asked(587), "{}", report.text());
}

fn of(mut target: Target, ports: &[u16], matrix: Matrix) -> Plan {
    target.domains.push("target.example".parse().expect("a domain"));
    let identity = Identity::new("probe.example".parse().expect("a domain"));
    Plan::builder(target, identity, "own-server:x".parse().expect("a leave"))
        .matrix(matrix)
        .allow_private()
        .profile(Profile::Lab)
        .tls(DriverTls::Able)
        .ports(ports)
        .build(Date::from_unix(1_795_000_000), 7)
        .expect("a plan")
}
