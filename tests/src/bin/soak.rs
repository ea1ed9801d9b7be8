//! Runs against honest and hostile servers, again and again: `soak COUNT [AT_ONCE]`.
//!
//! Every verdict must be right, and neither memory nor descriptors may grow. The servers are a process of their own.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use relayprobe::driver::{self, Stop};
use relayprobe_tests::hostile::Program;
use relayprobe_tests::process::{descriptors, status};

/// Octets that the process may grow by once a tenth of the runs is done.
const GROWTH: u64 = 8 << 20;
/// Figures that are told on the way.
const TOLD: usize = 20;
/// Faults without waits, or the machine would idle.
const SOON: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).map(|word| word.parse().expect("a number"));
    let count: usize = words.next().unwrap_or(200_000);
    let at_once: usize = words.next().unwrap_or(64);
    let servers = std::env::current_exe().expect("this program").with_file_name("hostile-server");
    let program = Program::start(&servers);
    let mut faults: Vec<_> = program.faults.iter().filter(|(fault, _)| fault.within <= SOON).collect();
    faults.extend(program.faults.iter().filter(|(fault, _)| fault.dialogue.name == "data-accepts"));
    faults.retain(|(fault, _)| fault.repeats());
    println!("{count} runs, {at_once} at once, {} kinds of servers", faults.len());
    let (next, wrong, begin) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Instant::now());
    let sizes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let run = next.fetch_add(1, Ordering::Relaxed);
                    if run >= count {
                        break;
                    }
                    if run.is_multiple_of((count / TOLD).max(1)) {
                        let (size, open) = (status("VmRSS"), descriptors());
                        println!("{run} runs, {:?}: {} KiB, {open} descriptors", begin.elapsed(), size >> 10);
                        sizes.lock().expect("a list").push(size);
                    }
                    let (fault, address) = faults[run % faults.len()];
                    let report = driver::blocking::run(fault.dialogue.plan(*address), &Stop::new(), |_| {});
                    // How long it took says more about the machine here.
                    wrong.lock().expect("a list").extend(fault.judge(&report, Duration::ZERO).err());
                }
            });
        }
    });
    let (wrong, sizes) = (wrong.into_inner().expect("a list"), sizes.into_inner().expect("a list"));
    let (early, last) = (sizes.get(TOLD / 10).copied().unwrap_or_default(), status("VmRSS"));
    let open = descriptors();
    println!(
        "{count} runs in {:?}: {} wrong, from {} KiB to {} KiB, {open} descriptors",
        begin.elapsed(),
        wrong.len(),
        early >> 10,
        last >> 10
    );
    for wrong in wrong.iter().take(5) {
        println!("{wrong}");
    }
    // Standard streams, the pipe to the servers, and nothing of any run.
    let flat = last <= early + GROWTH && open <= 8;
    if wrong.is_empty() && flat { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
