//! Measures what a sweep costs for each host in flight: memory while all of them wait, and processor time in all.
//!
//! `cargo run --release -p relayprobe-tests --example sweep-cost -- [HOSTS [IN-FLIGHT]]`
//!
//! The servers are a process of their own. In the first part they stay silent after the first answers, until all hosts
//! are in flight; in the second they answer at once. Needs as many open files as there are hosts in flight (`ulimit -n`).

use std::alloc::{GlobalAlloc, Layout, System};
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use relayprobe::driver::tokio::{Pace, Sweep, Swept};
use relayprobe::driver::{self, Stop};
use relayprobe::identity::Identity;
use relayprobe::plan::Profile;
use relayprobe::{Plan, PlanError, Target};
use relayprobe_tests::hosts::Hosts;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is passed on to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn main() {
    let mut arguments = env::args().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some("serve") {
        return serve(&arguments.next().unwrap_or_default());
    }
    let number = |text: Option<String>, usual| text.map_or(usual, |text| text.parse().expect("a number"));
    let hosts: u32 = number(first, 4_096);
    let in_flight = number(arguments.next(), hosts) as usize;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!("{hosts} hosts, {in_flight} in flight");
    anatomy();
    for kind in ["waiting", "answering"] {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["serve", kind])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("servers");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("their output")).read_line(&mut line).expect("a line");
        let port = line.trim().parse().expect("a port");
        runtime.block_on(sweep(kind, hosts, in_flight, port));
        drop(child.stdin.take());
        child.wait().expect("their end");
    }
}

/// What a run consists of before it has begun.
fn anatomy() {
    let live = || LIVE.load(Ordering::Relaxed);
    let idle = live();
    let plan = plan([127, 20, 0, 1].into(), 25).expect("a plan");
    let planned = live() - idle;
    let probes = plan.record().probes.len();
    let run = driver::tokio::run(plan, &Stop::new(), |_| {});
    println!(
        "a plan of {probes} probes: {} octets and {planned} behind them; a run in its task: {} octets",
        size_of::<Plan>(),
        size_of_val(&run)
    );
}

/// Servers until standard input ends.
fn serve(kind: &str) {
    let rules = if kind == "waiting" {
        "on RCPT TO:<*@probe.example> #2: !wait 15|554 5.7.1 Relay access denied"
    } else {
        ""
    };
    let hosts = Hosts::start(&[rules], |_| 0);
    println!("{}", hosts.port);
    std::io::stdin().read_line(&mut String::new()).expect("the end");
}

async fn sweep(kind: &str, hosts: u32, in_flight: usize, port: u16) {
    let (idle, resident) = (LIVE.load(Ordering::Relaxed), memory("VmRSS"));
    let (begin, before) = (Instant::now(), processor_time());
    let mut pace = Pace::default();
    pace.in_flight = in_flight;
    pace.network_pause = Duration::ZERO;
    pace.per_network = 256;
    pace.per_second = 1_000_000;
    let list = (0..hosts).map(|at| IpAddr::from((0x7f14_0000_u32 + at).to_be_bytes()));
    let mut sweep = Sweep::new(list.map(|at| (at, at)), |at| plan(*at, port), pace, &Stop::new());
    let (mut reports, mut json) = (0, 0);
    if kind == "waiting" {
        // Until all are in flight and have been asked. Dropping the sweep ends them.
        let early = tokio::time::timeout(Duration::from_secs(10), sweep.next()).await;
        let live = LIVE.load(Ordering::Relaxed) - idle;
        let running = sweep.counts().running;
        println!(
            "waiting: {running} in flight{}, {} octets allocated for each, {} KiB resident for each, {} MiB in all",
            if early.is_ok() { " (and some have ended)" } else { "" },
            live / running,
            (memory("VmRSS") - resident) / running,
            memory("VmRSS") / 1_024,
        );
        return;
    }
    while let Some(swept) = sweep.next().await {
        let Swept::Report(_, report) = swept else { panic!("{swept:?}") };
        assert_eq!(report.verdict.as_str(), "closed", "{:?}", report.reasons);
        reports += 1;
        json = report.to_json().len();
    }
    let used = processor_time().saturating_sub(before);
    println!(
        "{kind}: {reports} closed in {:.1} s, {} us of processor for each, {json} octets of JSON each",
        begin.elapsed().as_secs_f32(),
        used.as_micros() / u128::from(hosts),
    );
}

fn plan(address: IpAddr, port: u16) -> Result<Plan, PlanError> {
    let mut target = Target::new(address, port);
    target.domains.push("target.example".parse().expect("a domain"));
    let identity = Identity::new("probe.example".parse().expect("a domain"));
    Plan::builder(target, identity, "own-server:tests".parse().expect("a leave"))
        .allow_private()
        // The deadlines of `lab` are too short for a machine on which thousands of servers answer, too.
        .profile(Profile::Brisk)
        .build(driver::now(), driver::seed())
}

/// A line of what Linux says of this process, in KiB.
fn memory(key: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).expect(key);
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Processor time of this process, user and system, by a clock of 100 ticks a second.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(") ").next().expect("a name");
    let ticks = after_name.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().expect("ticks"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
