//! Every fault of the table through the C interface: by sessions in a loop of the program's own, 64 in one thread, by
//! `relayprobe_run` in 64 threads, and one after another for what each costs in memory.

#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use relayprobe::Report;
use relayprobe_tests::c_library::{compile, pkg_config_of, run};
use relayprobe_tests::hostile::{Fault, GROWTH, Program, SESSION};

type Served = (Fault, SocketAddr);

/// Runs at once; the program's own number.
const AT_ONCE: u64 = 64;

/// What became of one fault.
struct Found {
    name: String,
    verdict: String,
    took: Duration,
    /// Octets by which the process grew, where it ran alone.
    grown: u64,
    /// Its report, where others ran beside it.
    json: String,
}

fn program(more: &[&str]) -> PathBuf {
    let flags = pkg_config_of("openssl");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    compile("tests/c/hostile.c", &[&["-std=c99", "-pthread"][..], more, &flags].concat())
}

fn servers() -> Program {
    Program::start(Path::new(env!("CARGO_BIN_EXE_hostile-server")))
}

/// Runs all that is served, and says what became of each, and by how many octets the process grew.
fn found(program: &Path, mode: &str, served: &[Served]) -> (Vec<Found>, u64) {
    let mut command = Command::new(program);
    command.arg(mode).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let lines: String = served.iter().map(line).collect();
    child.stdin.take().expect("its input").write_all(lines.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && err.is_empty(), "{}: {err}", output.status);
    let (each, growth) = out.trim_end().rsplit_once("growth\t").expect("the growth of all");
    let kib = |text: &str| text.parse::<i64>().map_or(0, |kib| u64::try_from(kib).unwrap_or(0)) << 10;
    let read = |line: &str| {
        let [name, verdict, took, grown, json] = line.splitn(5, '\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let took = Duration::from_millis(took.parse().expect("milliseconds"));
        Found { name: name.into(), verdict: verdict.into(), took, grown: kib(grown), json: json.into() }
    };
    let all: Vec<Found> = each.lines().map(read).collect();
    assert_eq!(all.len(), served.len(), "each has an end");
    (all, kib(growth))
}

fn line((fault, address): &Served) -> String {
    let setting = |key: &str| fault.dialogue.setting(key).unwrap_or("-").to_owned();
    let implicit = if fault.dialogue.has("implicit-tls") { "yes" } else { "-" };
    let (host, port) = (address.ip(), address.port());
    let wishes = ["matrix", "cases", "mailbox", "prove"].map(setting).join("\t");
    format!("{}\t{host}\t{port}\t{wishes}\t{implicit}\n", fault.dialogue.name)
}

fn assert_all_are_met(program: &Path, mode: &str, most: u64) {
    let servers = servers();
    let (all, growth) = found(program, mode, &servers.faults);
    let judge = |found: &Found| {
        let (fault, _) = servers.faults.iter().find(|(fault, _)| fault.dialogue.name == found.name)?;
        let report = Report::from_json(&found.json).expect("a report");
        assert_eq!(report.verdict.as_str(), found.verdict, "{}", found.name);
        fault.judge(&report, found.took).err()
    };
    let wrong: Vec<String> = all.iter().filter_map(judge).collect();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
    println!("{mode}: {} KiB", growth >> 10);
    assert!(growth <= most, "{mode}: {} KiB", growth >> 10);
}

#[test]
fn every_fault_is_met_by_64_sessions_in_a_loop_of_ones_own() {
    assert_all_are_met(&program(&[]), "loop", AT_ONCE * SESSION);
}

#[test]
fn every_fault_is_met_by_64_threads() {
    assert_all_are_met(&program(&[]), "threads", AT_ONCE * SESSION);
}

/// Sanitizers keep what was freed, so that memory says nothing here.
#[test]
fn every_fault_is_met_under_sanitizers() {
    let sanitized = program(&["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    assert_all_are_met(&sanitized, "loop", u64::MAX);
}

/// The loop of the guide leaves a server that sends without end inside TLS.
#[test]
fn the_example_with_tls_is_not_held_up_by_a_flood() {
    let flags = pkg_config_of("openssl");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let example = compile("examples/tls.c", &[&["-std=c99"][..], &flags].concat());
    let servers = servers();
    for name in ["tls-flood", "tls-handshake-flood", "flood-after-no"] {
        let (fault, address) =
            servers.faults.iter().find(|(fault, _)| fault.dialogue.name == name).expect(name);
        let begin = Instant::now();
        let (status, out, err) =
            run(&example, &["-l", &address.ip().to_string(), &address.port().to_string()]);
        assert_eq!((status, err.as_str()), (0, ""), "{name}");
        let judged = fault.judge(&Report::from_json(&out).expect("a report"), begin.elapsed());
        assert_eq!(judged, Ok(()));
    }
}

#[test]
fn no_fault_makes_the_process_grow() {
    let servers = servers();
    // A flood needs no time: the others are met above.
    let soon = servers.faults.iter().filter(|(fault, _)| fault.within <= Duration::from_secs(10));
    let soon: Vec<Served> = soon.cloned().collect();
    assert!(soon.len() > 50, "only {} faults", soon.len());
    let (mut all, _) = found(&program(&[]), "alone", &soon);
    all.sort_unstable_by_key(|found| found.grown);
    let (median, most) = (&all[all.len() / 2], all.last().expect("one at least"));
    println!("growth: median {} KiB, most {} KiB ({})", median.grown >> 10, most.grown >> 10, most.name);
    assert!(most.grown <= median.grown + GROWTH, "{}: {} KiB", most.name, most.grown >> 10);
}
