//! Every dialogue file, through every consumer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use relayprobe::driver::Stop;
use relayprobe::outcome::{Outcome, outcomes};
use relayprobe::transcript::Step;
use relayprobe::verdict::Reason;
use relayprobe::{Report, matrix};
use relayprobe_tests::dialogue::Dialogue;
use relayprobe_tests::expect::{self, assert_same, timeless};
use relayprobe_tests::script::Server;
use relayprobe_tests::sockets::Listening;
use relayprobe_tests::{dialogue, virtual_time};

/// Runs a check on every dialogue, or on the one that `DIALOGUE` names, and tells of all that fail.
fn each(check: impl Fn(&Dialogue)) {
    let only = std::env::var("DIALOGUE").ok();
    let failed: Vec<String> = dialogue::all()
        .into_iter()
        .filter(|dialogue| only.as_ref().is_none_or(|name| *name == dialogue.name))
        .filter(|dialogue| catch_unwind(AssertUnwindSafe(|| check(dialogue))).is_err())
        .map(|dialogue| dialogue.name)
        .collect();
    assert!(failed.is_empty(), "{} dialogues failed: {}", failed.len(), failed.join(", "));
}

#[test]
fn the_bare_session_answers_every_dialogue() {
    each(|dialogue| {
        let run = virtual_time::run(dialogue, usize::MAX);
        expect::check(dialogue, &run.report, Some(&run.server), "bare session");
    });
}

#[test]
fn every_report_fits_the_schema_and_is_judged_the_same_again() {
    let schema = include_str!("../../docs/report.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    each(|dialogue| {
        let report = virtual_time::run(dialogue, usize::MAX).report;
        let text = report.to_json();
        let value = serde_json::from_str(&text).expect("a report is JSON");
        let faults: Vec<String> = validator
            .iter_errors(&value)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", dialogue.name);
        assert_eq!(Report::from_json(&text).expect("a report").to_json(), text, "{}", dialogue.name);
    });
}

#[test]
fn reasons_name_the_probes_whose_outcomes_gave_them() {
    each(|dialogue| {
        let report = virtual_time::run(dialogue, usize::MAX).report;
        let found = outcomes(&report.run, &report.transcript, &report.receipts, report.as_of);
        assert!(found.iter().eq(report.probes.iter().map(|probe| &probe.outcome)), "{}", dialogue.name);
        for reason in &report.reasons {
            let (probes, word) = match reason {
                Reason::Deferred { probes } => (probes, "deferred"),
                Reason::NotTested { probes, .. } => (probes, "not-tested"),
                _ => continue,
            };
            let gave_it = |&probe: &u16| found[usize::from(probe)].as_str() == word;
            assert!(probes.iter().all(gave_it), "{}: {reason:?}", dialogue.name);
        }
    });
}

#[test]
fn what_was_refused_is_not_to_be_repeated() {
    each(|dialogue| {
        let report = virtual_time::run(dialogue, usize::MAX).report;
        for repeat in report.probes.iter().filter(|probe| probe.case == matrix::REPEAT) {
            let beside = repeat.beside.map(|beside| &report.probes[usize::from(beside)].outcome);
            let refused = matches!(beside, Some(Outcome::Refused { stage: Step::Rcpt, .. }));
            let senseless = matches!(repeat.outcome, Outcome::NotApplicable { .. });
            assert!(!refused || senseless, "{}: {:?}", dialogue.name, repeat.outcome);
        }
    });
}

#[test]
fn a_redacted_report_is_judged_the_same_and_names_nobody() {
    let schema = include_str!("../../docs/report.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    each(|dialogue| {
        let mut named = dialogue.clone();
        // Each counts only where the dialogue has none of its own.
        for (setting, value) in [
            ("mailbox", "alice@target.example"),
            ("contact", "carol@probe.example"),
            ("authorization", "complaint:Mallory 4711"),
        ] {
            named.settings.push((setting.into(), value.into()));
        }
        for dialogue in [dialogue, &named] {
            let report = virtual_time::run(dialogue, usize::MAX).report;
            let redacted = report.redacted();
            let text = redacted.to_json();
            let value = serde_json::from_str(&text).expect("a report is JSON");
            assert!(validator.is_valid(&value), "{}: {text}", dialogue.name);
            let again = Report::from_json(&text).expect("a report");
            assert!(again == redacted, "{}: another report when read again", dialogue.name);
            assert!(again.redacted() == again, "{}: another report when redacted again", dialogue.name);
            assert_same(&findings(&again), &findings(&report), &dialogue.name);
            let shown = [text, again.text(), again.transcript_text()].concat();
            for name in ["alice", "carol", "mallory", "4711"] {
                assert!(!shown.to_ascii_lowercase().contains(name), "{}: {name} in {shown}", dialogue.name);
            }
        }
    });
}

/// All that a report finds, a line each, without the words of the server.
fn findings(report: &Report) -> Vec<String> {
    let probes = report.probes.iter().map(|probe| {
        let mut probe = serde_json::to_value(probe).expect("JSON");
        probe.as_object_mut().expect("an object").remove("reply");
        probe.to_string()
    });
    let found = (report.verdict, report.how, report.settled, report.as_of, report.pending_until);
    let run = format!("{found:?} {:?} {:?} {:?}", report.reasons, report.paths, report.server.name);
    std::iter::once(run).chain(probes).collect()
}

#[test]
fn octets_cut_anywhere_give_the_same_report() {
    each(|dialogue| {
        let whole = virtual_time::run(dialogue, usize::MAX).report;
        for piece in [1, 2, 3, 7, 64] {
            let cut = virtual_time::run(dialogue, piece).report;
            assert!(
                cut == whole,
                "{} in pieces of {piece}\n{}\ninstead of\n{}",
                dialogue.name,
                cut.transcript_text(),
                whole.transcript_text()
            );
        }
    });
}

#[test]
fn both_drivers_write_the_transcript_of_the_bare_session() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    each(|dialogue| {
        // Hours of silence only pass in virtual time.
        if dialogue.has("virtual") {
            return;
        }
        for driver in ["blocking", "tokio"] {
            let server = Listening::start(dialogue);
            let plan = dialogue.plan(server.address);
            let mut report = match driver {
                "blocking" => relayprobe::driver::blocking::run(plan, &Stop::new(), |_| {}),
                _ => runtime.block_on(relayprobe::driver::tokio::run(plan, &Stop::new(), |_| {})),
            };
            dialogue.come_back(&mut report);
            expect::check(dialogue, &report, Some(&server.server()), driver);
            // What comes before its command, or with several connections at once, comes in an order of chance.
            if !dialogue.has("connections") && !dialogue.has("racing") {
                // At the same address, because tokens are bound to it.
                let plan = dialogue.plan(server.address);
                let bare = virtual_time::drive(plan, Server::new(dialogue), usize::MAX);
                let bare = timeless(&bare.report.transcript);
                assert_same(&timeless(&report.transcript), &bare, &format!("{} ({driver})", dialogue.name));
            }
        }
    });
}
