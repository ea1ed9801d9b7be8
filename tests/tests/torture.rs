//! Each thing that can go wrong, at each thing that happens in a full session; and some of it on real sockets.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use relayprobe::driver::{self, Stop};

use relayprobe::link::{ConnId, Loss, TlsFacts};
use relayprobe::moment::Moment;
use relayprobe::session::{Input, Output};
use relayprobe::transcript::{Connection, Step, What};
use relayprobe::{Report, Session, Verdict};
use relayprobe_tests::dialogue::{self, Action, Dialogue};
use relayprobe_tests::script::{Intake, Server};
use relayprobe_tests::sockets::Listening;
use relayprobe_tests::virtual_time::ADDRESS;

/// Sessions from connect to close: with RSET, with DATA, with BDAT, with TLS, in groups and one command at a time.
const SCRIPTS: [(&str, &str); 6] = [
    ("closed, in groups", "@ offers PIPELINING"),
    ("closed, in lockstep", "@ cases snd-third-party snd-null pct-domain"),
    (
        "takes messages",
        "@ cases snd-third-party snd-null pct-domain\n@ prove all\n@ offers PIPELINING\non RCPT TO:<*probe.example*: 250 2.1.5 Ok\non DATA: 354 go on",
    ),
    (
        "takes chunks",
        "@ cases ses-bdat\n@ prove all\n@ offers PIPELINING CHUNKING\non RCPT TO:<*probe.example*: 250 2.1.5 Ok\non DATA: 354 go on",
    ),
    ("inside TLS", "@ implicit-tls\n@ cases snd-third-party snd-null"),
    (
        "with STARTTLS",
        "@ cases snd-third-party snd-null\n@ offers PIPELINING STARTTLS\non clear MAIL*: 530 5.7.0 Must issue a STARTTLS command first",
    ),
];

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The connection ends in order.
    End,
    /// It is reset.
    Reset,
    /// It is lost in a way that TLS reports.
    Tls,
    /// The system gives up on it.
    TimedOut,
    /// Nothing comes any more, and nothing goes out.
    Silence,
    /// From here on octets come one by one.
    OneByOne,
    /// The driver wakes for nothing, often.
    Wakes,
    /// The clock jumps an hour ahead.
    Ahead,
    /// The clock jumps back.
    Back,
    /// The caller stops.
    Stop,
    /// What happened is told twice.
    Twice,
}

const FAULTS: [Fault; 11] = [
    Fault::End,
    Fault::Reset,
    Fault::Tls,
    Fault::TimedOut,
    Fault::Silence,
    Fault::OneByOne,
    Fault::Wakes,
    Fault::Ahead,
    Fault::Back,
    Fault::Stop,
    Fault::Twice,
];

/// Something that the network does.
#[derive(Clone, Debug)]
enum Happening {
    Connected,
    Sent,
    Octets(Vec<u8>),
    Secured,
    Lost(Loss),
}

struct Peer {
    id: ConnId,
    intake: Intake,
    coming: VecDeque<Happening>,
    secured: bool,
    silent: bool,
}

/// What came of a session in which something went wrong.
struct Outcome {
    report: Report,
    /// What happened, until then or at all.
    happened: usize,
    /// Connections that were never closed and never lost.
    open: usize,
}

/// Runs a session in which `fault` takes the place of the happening of this number, or comes with it.
fn torture(dialogue: &Dialogue, at: usize, fault: Option<Fault>) -> Outcome {
    let mut server = Server::new(dialogue);
    let mut now = Moment::from_micros(10_000_000_000);
    let mut session = Session::new(dialogue.plan(ADDRESS.parse().expect("an address")), now);
    let mut peers: Vec<Peer> = Vec::new();
    let mut happened = 0;
    let mut one_by_one = false;
    for _ in 0..300_000 {
        match session.poll_output() {
            Output::Connect(id, _) => {
                let mut peer = Peer::new(id);
                peer.act(server.connected());
                peers.push(peer);
            }
            Output::Send(id, octets) => {
                if let Some(peer) = peers.iter_mut().find(|peer| peer.id == id) {
                    peer.coming.push_front(Happening::Sent);
                    peer.intake.take(&octets);
                    while let Some(actions) = peer.intake.next(&mut server, peer.secured) {
                        peer.act(actions);
                    }
                }
            }
            Output::StartTls(id, _) => {
                if let Some(peer) = peers.iter_mut().find(|peer| peer.id == id) {
                    peer.secured = true;
                    peer.coming.push_front(Happening::Secured);
                }
            }
            Output::Close(id) => peers.retain(|peer| peer.id != id),
            Output::Wait(until) => {
                let next = peers.iter_mut().find(|peer| !peer.silent && !peer.coming.is_empty());
                let Some(peer) = next else {
                    now = now.max(until);
                    session.handle_input(Input::Tick, now);
                    continue;
                };
                let (id, Some(happening)) = (peer.id, peer.coming.pop_front()) else { continue };
                let now_wrong = fault.filter(|_| happened == at);
                happened += 1;
                if let Some(fault) = now_wrong {
                    let lost = match fault {
                        Fault::End => Some(Loss::Closed),
                        Fault::Reset => Some(Loss::Reset),
                        Fault::Tls => Some(Loss::Tls),
                        Fault::TimedOut => Some(Loss::TimedOut),
                        _ => None,
                    };
                    if let Some(loss) = lost {
                        session.handle_input(Input::Lost(id, loss), now);
                        peers.retain(|peer| peer.id != id);
                        continue;
                    }
                    match fault {
                        Fault::Silence => {
                            peer.silent = true;
                            continue;
                        }
                        Fault::OneByOne => one_by_one = true,
                        Fault::Wakes => {
                            (0..200).for_each(|_| session.handle_input(Input::Tick, now));
                        }
                        Fault::Ahead => now = now.after(Duration::from_hours(1)),
                        Fault::Back => session.handle_input(Input::Tick, Moment::ZERO),
                        Fault::Stop => session.stop(now),
                        Fault::Twice => hand(&mut session, id, &happening, now),
                        _ => {}
                    }
                }
                if let (Happening::Octets(octets), true) = (&happening, one_by_one) {
                    for octet in octets {
                        session.handle_input(Input::Received(id, &[*octet]), now);
                    }
                } else {
                    hand(&mut session, id, &happening, now);
                }
                if matches!(happening, Happening::Lost(_)) {
                    peers.retain(|peer| peer.id != id);
                }
            }
            Output::Finished => {
                let (record, transcript) = session.into_parts();
                return Outcome { report: Report::new(record, transcript), happened, open: peers.len() };
            }
            _ => {}
        }
    }
    panic!("the session does not end");
}

fn hand(session: &mut Session, id: ConnId, happening: &Happening, now: Moment) {
    match happening {
        Happening::Connected => session.handle_input(Input::Connected(id), now),
        Happening::Sent => session.handle_input(Input::Sent(id), now),
        Happening::Octets(octets) => session.handle_input(Input::Received(id, octets), now),
        Happening::Secured => {
            let facts = TlsFacts::new("TLSv1_3".into(), "TLS13_AES_256_GCM_SHA384".into(), Vec::new());
            session.handle_input(Input::Secured(id, facts), now);
        }
        Happening::Lost(loss) => session.handle_input(Input::Lost(id, *loss), now),
    }
}

impl Peer {
    fn new(id: ConnId) -> Self {
        let coming = VecDeque::from([Happening::Connected]);
        Self { id, intake: Intake::default(), coming, secured: false, silent: false }
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(octets) => self.coming.push_back(Happening::Octets(octets)),
                Action::Close => self.coming.push_back(Happening::Lost(Loss::Closed)),
                // The session begins TLS by itself, and these servers do nothing else.
                _ => {}
            }
        }
    }
}

fn commands(connection: &Connection) -> impl Iterator<Item = (Step, Option<u16>)> {
    connection.entries.iter().filter_map(|entry| match &entry.what {
        What::Command { step, probe, .. } => Some((*step, *probe)),
        _ => None,
    })
}

/// What holds whatever went wrong.
fn check(name: &str, fault: Fault, at: usize, usual: Verdict, outcome: &Outcome) {
    let report = &outcome.report;
    let told = || format!("{name}: {fault:?} at {at}\n{}\n{}", report.text(), report.transcript_text());
    assert_eq!(outcome.open, 0, "a connection is left open: {}", told());
    let verdict = report.verdict;
    let doubt = [Verdict::Undetermined, Verdict::TesterBlocked, Verdict::Unreachable, Verdict::NotSmtp];
    // A server that takes what a closed one refuses stays suspected for what it took.
    let taken = usual == Verdict::Suspected && verdict == Verdict::Suspected;
    assert!(verdict == usual || taken || doubt.contains(&verdict), "{verdict}: {}", told());
    if matches!(fault, Fault::OneByOne | Fault::Wakes | Fault::Back) {
        assert_eq!(verdict, usual, "nothing went wrong: {}", told());
    }
    let mut begun: Vec<u16> = Vec::new();
    for connection in &report.transcript.connections {
        let last = connection.entries.last().map(|entry| &entry.what);
        assert!(matches!(last, Some(What::Closed | What::Lost { .. })), "not closed: {}", told());
        let messages = commands(connection).filter(|(step, _)| *step == Step::Message);
        begun.extend(messages.filter_map(|(_, probe)| probe));
    }
    let count = begun.len();
    begun.sort_unstable();
    begun.dedup();
    assert_eq!(begun.len(), count, "a message was sent twice: {}", told());
    // Writing and reading takes longer than all the rest.
    if at.is_multiple_of(8) {
        assert!(Report::from_json(&report.to_json()).is_ok_and(|again| again == *report), "{}", told());
    }
}

#[test]
fn each_fault_at_each_happening_ends_in_a_right_verdict() {
    let mut cases = 0;
    for (name, text) in SCRIPTS {
        let dialogue = dialogue::parse(name, &format!("{text}\n= verdict closed\n"));
        let whole = torture(&dialogue, usize::MAX, None);
        assert!(whole.happened > 15, "{name}: only {} things happen", whole.happened);
        for at in 0..whole.happened {
            for fault in FAULTS {
                let outcome = torture(&dialogue, at, Some(fault));
                check(name, fault, at, whole.report.verdict, &outcome);
                cases += 1;
            }
        }
    }
    println!("{cases} cases");
    assert!(cases >= 2_000, "only {cases} cases");
}

/// Runs at once.
const AT_ONCE: usize = 64;

/// A server that ends after so many octets, and how.
type Cut = (usize, usize, Option<Action>);

#[test]
fn a_server_that_ends_after_any_octet_is_met_on_real_sockets() {
    let scripts: Vec<Dialogue> = SCRIPTS[..4]
        .iter()
        .map(|(name, text)| dialogue::parse(name, &format!("{text}\n= verdict closed\n")))
        .collect();
    let usual: Vec<Verdict> =
        scripts.iter().map(|script| torture(script, usize::MAX, None).report.verdict).collect();
    let mut cuts: Vec<Cut> = Vec::new();
    for (script, _) in SCRIPTS[..4].iter().enumerate() {
        cuts.extend((0..1_200).step_by(23).map(|octets| (script, octets, Some(Action::Close))));
        cuts.extend((0..1_200).step_by(29).map(|octets| (script, octets, Some(Action::Reset))));
        // Silence takes as long as the deadlines.
        cuts.extend((0..1_200).step_by(307).map(|octets| (script, octets, None)));
    }
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((script, octets, then)) = cuts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut server = Server::new(&scripts[*script]);
                    server.falls_silent_after = Some(*octets);
                    server.then.clone_from(then);
                    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
                    let plan = scripts[*script].plan(Listening::serve(server, listener).address);
                    let report = if octets % 2 == 0 {
                        driver::blocking::run(plan, &Stop::new(), |_| {})
                    } else {
                        runtime.block_on(driver::tokio::run(plan, &Stop::new(), |_| {}))
                    };
                    let doubt = matches!(
                        report.verdict,
                        Verdict::Undetermined
                            | Verdict::Unreachable
                            | Verdict::TesterBlocked
                            | Verdict::NotSmtp
                    );
                    if report.verdict != usual[*script] && !doubt {
                        let told = format!("{script} after {octets}, {then:?}: {}", report.verdict);
                        wrong.lock().expect("a list").push(told + &report.transcript_text());
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("a list");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    println!("{} cases on sockets", cuts.len());
    assert!(cuts.len() >= 350);
}
