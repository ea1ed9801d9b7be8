//! Every dialogue file, through every consumer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use relayprobe::Transcript;
use relayprobe::driver::Stop;
use relayprobe::link::TlsFacts;
use relayprobe::moment::Moment;
use relayprobe::transcript::What;
use relayprobe_tests::dialogue::Dialogue;
use relayprobe_tests::sockets::Listening;
use relayprobe_tests::{dialogue, expect, virtual_time};

/// Runs a check on every dialogue and tells of all that fail.
fn each(check: impl Fn(&Dialogue)) {
    let failed: Vec<String> = dialogue::all()
        .into_iter()
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
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    each(|dialogue| {
        // Hours of silence only pass in virtual time.
        if dialogue.has("virtual") {
            return;
        }
        let bare = timeless(virtual_time::run(dialogue, usize::MAX).report.transcript);
        for driver in ["blocking", "tokio"] {
            let server = Listening::start(dialogue);
            let plan = dialogue.plan(server.address);
            let report = match driver {
                "blocking" => relayprobe::driver::blocking::run(plan, &Stop::new(), |_| {}),
                _ => runtime.block_on(relayprobe::driver::tokio::run(plan, &Stop::new(), |_| {})),
            };
            expect::check(dialogue, &report, Some(&server.server()), driver);
            // With several connections at once their order is chance.
            if !dialogue.has("connections") {
                let driven = timeless(report.transcript);
                assert!(driven == bare, "{} ({driver})\n{driven:#?}\ninstead of\n{bare:#?}", dialogue.name);
            }
        }
    });
}

/// A transcript without what differs from run to run: times, and the keys of TLS.
fn timeless(mut transcript: Transcript) -> Transcript {
    transcript.ended = Moment::ZERO;
    for connection in &mut transcript.connections {
        connection.begun = Moment::ZERO;
        for entry in &mut connection.entries {
            entry.at = Moment::ZERO;
            if let What::Secured { tls } = &mut entry.what {
                *tls = TlsFacts::new(String::new(), String::new(), Vec::new());
            }
        }
    }
    transcript
}
