//! A relay may hand a message over more than once, days later, or long after its run: every token counts for its own probe of
//! its own run, and for nothing else.

use relayprobe::identity::Identity;
use relayprobe::moment::Date;
use relayprobe::outcome::Outcome;
use relayprobe::plan::{Profile, Prove};
use relayprobe::receipt::{Arrival, Classified, ReceiptKind, classify_each};
use relayprobe::transcript::{Step, What};
use relayprobe::{Matrix, Plan, Report, Target, Verdict};
use relayprobe_tests::receiving::{self, Client, Receiving};
use relayprobe_tests::script::Server;
use relayprobe_tests::{dialogue, virtual_time};

const CASES: [&str; 3] = ["snd-null", "snd-probe-domain", "pct-domain"];
const PLANNED: Date = Date::from_unix(1_795_473_834);
const DAY: u64 = 86_400;

/// What a relay took from us.
struct Letter {
    probe: u16,
    sender: String,
    recipient: String,
    /// As it was written, with its end.
    octets: Vec<u8>,
}

/// A run against a server that takes everything, with what it then has in its queue.
struct Run {
    report: Report,
    letters: Vec<Letter>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let address = virtual_time::ADDRESS.parse::<std::net::SocketAddr>().expect("an address");
        let mut target = Target::new(address.ip(), address.port());
        target.domains.push("target.example".parse().expect("a domain"));
        let mut identity = Identity::new("probe.example".parse().expect("a domain"));
        identity.sender_domain = "tester.example".parse().expect("a domain");
        let plan = Plan::builder(target, identity, "own-server:tests".parse().expect("a leave"))
            .allow_private()
            .profile(Profile::Lab)
            .matrix(Matrix::named(CASES).expect("known cases"))
            .prove(Prove::All, &dialogue::keyring())
            .build(PLANNED, seed)
            .expect("a plan");
        let takes_all =
            "on RCPT TO:<*probe.example*>: 250 2.1.5 Ok\non DATA: 354 go on\n= verdict suspected\n";
        let server = Server::new(&dialogue::parse("takes-all", takes_all));
        let report = virtual_time::drive(plan, server, usize::MAX).report;
        let letters = letters(&report);
        assert_eq!((report.verdict, letters.len()), (Verdict::Suspected, CASES.len()), "{}", report.text());
        Self { report, letters }
    }

    fn letter(&self, case: &str) -> &Letter {
        let is_it = |letter: &&Letter| self.report.probes[usize::from(letter.probe)].case == case;
        self.letters.iter().find(is_it).expect(case)
    }

    /// Takes in what came, as of its coming.
    fn take(&mut self, arrival: &Arrival) -> Vec<Classified> {
        let run = self.report.run.clone();
        let found =
            classify_each(arrival, &dialogue::keyring(), &|name| (name == run.run).then(|| run.clone()));
        for classified in &found {
            if let Classified::Receipt(receipt) = classified {
                self.report.add((**receipt).clone()).expect("a receipt of this run");
            }
        }
        found
    }

    fn outcome(&self, case: &str) -> &Outcome {
        let probe = self.report.probes.iter().find(|probe| probe.case == case && probe.beside.is_none());
        &probe.expect(case).outcome
    }

    fn pending(&self) -> usize {
        let pending = |case: &&&str| self.outcome(case).as_str() == "accepted-pending";
        CASES.iter().filter(pending).count()
    }
}

fn letters(report: &Report) -> Vec<Letter> {
    let mut letters = Vec::new();
    let mut envelope = [String::new(), String::new()];
    for entry in report.transcript.connections.iter().flat_map(|connection| &connection.entries) {
        let What::Command { step, probe, octets } = &entry.what else { continue };
        let path =
            || octets.escaped().split_once('<').and_then(|(_, path)| Some(path.rsplit_once('>')?.0.into()));
        match step {
            Step::Mail => envelope[0] = path().expect("a sender"),
            Step::Rcpt => envelope[1] = format!("{}@probe.example", user(report, probe.expect("a probe"))),
            Step::Message => letters.push(Letter {
                probe: probe.expect("a probe"),
                sender: envelope[0].clone(),
                recipient: envelope[1].clone(),
                octets: octets.as_bytes().to_vec(),
            }),
            _ => {}
        }
    }
    letters
}

/// What stands for a probe in its addresses.
fn user(report: &Report, probe: u16) -> &str {
    report.run.probe(probe).expect("a probe of the run").user()
}

/// A relay that hands over what it has, as often as it likes, to whom it likes.
struct Relay {
    sink: Receiving,
    client: Client,
    handed: usize,
}

impl Relay {
    fn start() -> Self {
        let sink = Receiving::start(receiving::options());
        let mut client = sink.client();
        assert_eq!(client.ask("EHLO mx.target.example"), "250");
        Self { sink, client, handed: 0 }
    }

    fn hand_over(&mut self, letter: &Letter) -> Arrival {
        self.hand_over_to(letter, &[&letter.recipient])
    }

    fn hand_over_to(&mut self, letter: &Letter, recipients: &[&str]) -> Arrival {
        self.handed += 1;
        assert_eq!(self.client.ask(&format!("MAIL FROM:<{}>", letter.sender)), "250");
        for recipient in recipients {
            assert_eq!(self.client.ask(&format!("RCPT TO:<{recipient}>")), "250");
        }
        assert_eq!(self.client.ask("DATA"), "354");
        let received = format!(
            "Received: from probe.example (unknown [203.0.113.5]) by mx.target.example (Postfix)\r\n\t\
            with ESMTP id Q{}; Mon, 23 Nov 2026 20:59:36 +0000 (UTC)\r\n",
            self.handed
        );
        assert!(self.client.say(received.as_bytes()) && self.client.say(&letter.octets));
        assert!(self.client.reply().starts_with("250"));
        let mut arrival = self.sink.next();
        // The runs are of another day than this one.
        arrival.at = Date::from_unix(PLANNED.unix() + 5);
        arrival
    }
}

#[test]
fn a_message_that_comes_three_times_proves_its_own_case_alone() {
    let mut run = Run::new(1);
    let mut relay = Relay::start();
    for _ in 0..3 {
        let arrival = relay.hand_over(run.letter("pct-domain"));
        run.take(&arrival);
    }
    assert_eq!(run.report.verdict, Verdict::OpenRelay);
    assert!(matches!(run.outcome("pct-domain"), Outcome::Relayed { receipts } if receipts.len() == 3));
    assert_eq!(run.pending(), 2, "{}", run.report.text());
}

#[test]
fn a_message_that_comes_days_later_moves_a_verdict_that_was_given() {
    let mut run = Run::new(1);
    let mut relay = Relay::start();
    run.report.judge(Date::from_unix(PLANNED.unix() + DAY));
    assert_eq!((run.report.verdict, run.pending()), (Verdict::Suspected, 0), "{}", run.report.text());
    // The report was stored in between.
    run.report = Report::from_json(&run.report.to_json()).expect("a report");
    let mut arrival = relay.hand_over(run.letter("snd-null"));
    arrival.at = Date::from_unix(PLANNED.unix() + 4 * DAY);
    run.take(&arrival);
    assert_eq!((run.report.verdict, run.report.as_of), (Verdict::OpenRelay, arrival.at));
    // It comes once more, after its token's life: that takes nothing away.
    arrival.at = Date::from_unix(PLANNED.unix() + 40 * DAY);
    run.take(&arrival);
    assert_eq!(run.report.verdict, Verdict::OpenRelay);
    assert!(matches!(run.outcome("snd-null"), Outcome::Relayed { receipts } if receipts.len() == 1));
}

#[test]
fn a_message_of_another_run_proves_nothing_in_this_one() {
    let (mut old, mut new) = (Run::new(1), Run::new(2));
    let mut relay = Relay::start();
    assert_ne!(old.report.run.run, new.report.run.run);
    let replayed = relay.hand_over(old.letter("pct-domain"));
    assert_eq!(new.take(&replayed), [Classified::UnknownRun { run: old.report.run.run.clone() }]);
    assert_eq!((new.report.verdict, new.pending()), (Verdict::Suspected, 3), "{}", new.report.text());
    // Nor does it if it is sent to the recipients of this run, with those of its own or without them.
    let letter = old.letter("pct-domain");
    let recipient = new.letter("pct-domain").recipient.clone();
    for recipients in
        [&[&*recipient][..], &[&*letter.recipient, &recipient], &[&*recipient, &letter.recipient]]
    {
        let arrival = relay.hand_over_to(letter, recipients);
        new.take(&arrival);
        let proof = |kind| matches!(kind, ReceiptKind::Relayed | ReceiptKind::Attempted);
        assert!(new.report.receipts.iter().all(|receipt| !proof(receipt.kind)), "{:?}", new.report.receipts);
        assert_eq!((new.report.verdict, new.pending()), (Verdict::Suspected, 3), "{}", new.report.text());
    }
    // In its own run it is what it is.
    old.take(&replayed);
    assert_eq!(old.report.verdict, Verdict::OpenRelay);
}

#[test]
fn a_message_for_two_recipients_is_proof_of_its_own_probe() {
    for first in ["snd-null", "pct-domain"] {
        let mut run = Run::new(1);
        let mut relay = Relay::start();
        let recipients =
            [run.letter(first), run.letter(if first == "snd-null" { "pct-domain" } else { "snd-null" })];
        let recipients = recipients.map(|letter| letter.recipient.clone());
        let arrival = relay.hand_over_to(run.letter("pct-domain"), &[&*recipients[0], &recipients[1]]);
        assert_eq!(run.take(&arrival).len(), 2);
        assert_eq!(run.report.verdict, Verdict::OpenRelay, "{}", run.report.text());
        assert_eq!(run.outcome("pct-domain").as_str(), "relayed");
        assert_eq!(run.pending(), 2, "{}", run.report.text());
    }
}
