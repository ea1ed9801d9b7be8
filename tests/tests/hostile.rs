//! Every fault of the table, 64 at a time, through both drivers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use relayprobe::driver::{self, Stop};
use relayprobe_tests::hostile::{Fault, Served, faults};

/// Runs at once.
const AT_ONCE: usize = 64;

fn served() -> Vec<(Fault, Served)> {
    let serve = |fault: Fault| {
        let served = fault.serve();
        (fault, served)
    };
    faults().into_iter().map(serve).collect()
}

#[test]
fn every_fault_is_met_by_64_threads() {
    let (all, next, wrong) = (served(), AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((fault, served)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begin = Instant::now();
                    let plan = fault.dialogue.plan(served.address);
                    let report = driver::blocking::run(plan, &Stop::new(), |_| {});
                    let judged = fault.judge(&report, begin.elapsed());
                    wrong.lock().expect("a list").extend(judged.err());
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("a list");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_fault_is_met_by_64_tasks() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let wrong = runtime.expect("a runtime").block_on(in_tasks());
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

async fn in_tasks() -> Vec<String> {
    let all = served();
    let mut wrong = Vec::new();
    for wave in all.chunks(AT_ONCE) {
        let runs = wave.iter().map(|(fault, served)| {
            let (fault, plan) = (fault.clone(), fault.dialogue.plan(served.address));
            tokio::spawn(async move {
                let begin = Instant::now();
                let report = driver::tokio::run(plan, &Stop::new(), |_| {}).await;
                fault.judge(&report, begin.elapsed())
            })
        });
        for run in runs.collect::<Vec<_>>() {
            wrong.extend(run.await.expect("no panic").err());
        }
    }
    wrong
}
