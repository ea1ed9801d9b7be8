//! No fault makes the process of a tester grow. Alone in its process, so that nobody else's memory is counted.

#![cfg(target_os = "linux")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use relayprobe::driver::{self, Stop};
use relayprobe_tests::hostile::{Fault, GROWTH, Program, SESSION};
use relayprobe_tests::process::status;

/// Runs at once.
const AT_ONCE: usize = 64;

/// How much the process grew at most while `work` was done.
fn growth(work: impl FnOnce()) -> u64 {
    fs::write("/proc/self/clear_refs", "5").expect("the peak can be forgotten");
    let before = status("VmRSS");
    work();
    status("VmHWM").saturating_sub(before)
}

fn run(fault: &Fault, address: SocketAddr) {
    let report = driver::blocking::run(fault.dialogue.plan(address), &Stop::new(), |_| {});
    let right = fault.verdicts.iter().any(|verdict| verdict == report.verdict.as_str());
    assert!(right, "{}: {}", fault.dialogue.name, report.verdict);
}

#[test]
fn no_fault_makes_the_process_grow() {
    let program = Program::start(Path::new(env!("CARGO_BIN_EXE_hostile-server")));
    // A flood needs no time: the others are met elsewhere.
    let soon = program.faults.iter().filter(|(fault, _)| fault.within <= Duration::from_secs(10));
    let faults: Vec<(Fault, SocketAddr)> = soon.cloned().collect();
    assert!(faults.len() > 50, "only {} faults", faults.len());
    let mut growths: Vec<(u64, &str)> = faults
        .iter()
        .map(|(fault, address)| (growth(|| run(fault, *address)), fault.dialogue.name.as_str()))
        .collect();
    growths.sort_unstable();
    let median = growths[growths.len() / 2].0;
    let (most, whose) = growths[growths.len() - 1];
    assert!(most <= median + GROWTH, "{whose}: {} KiB, the median is {} KiB", most >> 10, median >> 10);
    println!("growth: median {} KiB, most {} KiB ({whose})", median >> 10, most >> 10);
    let together = growth(|| {
        std::thread::scope(|scope| {
            for (fault, address) in faults.iter().filter(|(fault, _)| fault.repeats()).cycle().take(AT_ONCE) {
                scope.spawn(|| run(fault, *address));
            }
        });
    });
    println!("{AT_ONCE} at once: {} KiB", together >> 10);
    assert!(together <= AT_ONCE as u64 * SESSION, "{AT_ONCE} at once: {} KiB", together >> 10);
}
