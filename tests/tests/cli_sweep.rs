//! `relayprobe probe --targets`, as its users meet it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use relayprobe_tests::hosts::Hosts;
use relayprobe_tests::program::{IDENTITY, LAB, assert_fits_schema, command, json, run, text};
use serde_json::Value;
use tempfile::TempDir;

/// As fast as it goes: it is all on one machine.
const FAST: [&str; 4] = ["--per-second", "10000", "--network-pause", "0s"];
const OPEN: &str = "on RCPT TO:<*@probe.example>: 250 2.1.5 Ok";

#[test]
fn a_list_is_tested_and_each_report_is_a_line() {
    let kind = |address: IpAddr| usize::from(!address.to_string().ends_with(".9"));
    let hosts = Hosts::start(&[OPEN, ""], kind);
    let room = TempDir::new().unwrap();
    let list = write(
        &room,
        &format!(
            "# customers\n127.9.1.1:{port}\n\n  127.9.1.9:{port}  # opens at night\r\n[::ffff:127.9.1.1]:{port}\n\
             127.9.2.1:{port}\n169.254.169.254:{port}\nlocalhost:{port}\n",
            port = hosts.port
        ),
    );
    let (code, out, err) = sweep(&list, &[]);
    let reports: BTreeMap<String, Value> =
        out.lines().map(json).map(|report| (address(&report), report)).collect();
    reports.values().for_each(assert_fits_schema);
    let verdicts: Vec<(&str, &str)> = reports
        .iter()
        .map(|(address, report)| (address.as_str(), report["verdict"].as_str().unwrap()))
        .collect();
    let closed = |address| (address, "closed");
    let expected =
        [closed("127.0.0.1"), closed("127.9.1.1"), ("127.9.1.9", "suspected"), closed("127.9.2.1")];
    assert_eq!(verdicts, expected, "{err}");
    assert_eq!(out.lines().count(), 4);
    assert_eq!(code, 1, "one is suspected, though one was not tested: {err}");
    assert!(err.contains("169.254.169.254") && err.contains("is not tested"), "{err}");
    assert!(err.contains("is left out") && err.contains("127.9.1.1 is in the list before"), "{err}");
    assert!(err.contains("4 tested, 1 not tested, 1 named twice"), "{err}");
    let seen = hosts.seen().connections;
    assert!(!seen.iter().any(|address| address.to_string() == "169.254.169.254"));
}

#[test]
fn a_sweep_that_was_killed_goes_on_where_it_ended() {
    // Some take their time, so that something is under way when it ends.
    let hosts = Hosts::start(&["", "on RSET #2: !wait 1|250 2.0.0 Ok"], is_slow);
    let room = TempDir::new().unwrap();
    let store = room.path().join("store");
    let all = addresses(20, 10);
    let list = write(&room, &lines(&all, hosts.port));
    let options = ["--store", text(&store), "--at-once", "8"];
    let mut printed = Vec::new();
    // Twice, so that what was begun again is ended again, too.
    let mut cut = BTreeSet::new();
    for tenths in [3, 6] {
        let output = room.path().join(format!("out{tenths}"));
        let mut child = begin(&list, &options, &output);
        wait_until(|| reaches(&store, all.len() * tenths / 10, &cut), &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        cut = &begun(&store) - &kept(&store);
        assert!(!cut.is_empty(), "something was under way");
        printed.extend(fs::read_to_string(&output).unwrap().lines().map(str::to_owned));
    }
    let finished = kept(&store);
    let (begun, before) = (count(&store.join("runs")), finished.len());
    assert!(begun > before && before < all.len(), "{begun} begun, {before} ended");
    let visited = hosts.seen().connections.len();
    let (code, out, err) = sweep(&list, &options);
    assert_eq!(code, 0, "{err}");
    let rest: BTreeSet<String> = out.lines().map(|line| address(&json(line))).collect();
    // Exactly the rest, of which nothing was tested before.
    assert_eq!(rest.len(), all.len() - before, "{err}");
    assert!(rest.is_disjoint(&finished));
    assert!(err.contains(&format!("{before} of the list were tested in the last 24 hours")), "{err}");
    let asked: BTreeSet<String> =
        hosts.seen().connections[visited..].iter().map(ToString::to_string).collect();
    assert_eq!(asked, rest, "nobody else was asked");
    // Every target has one report, and none was shown twice.
    assert_eq!(count(&store.join("reports")), all.len());
    assert_eq!(kept(&store), all.iter().cloned().collect());
    let whole = printed.iter().filter(|line| serde_json::from_str::<Value>(line).is_ok());
    let mut shown: Vec<String> = whole.map(|line| address(&json(line))).collect();
    shown.extend(rest);
    let once: BTreeSet<&String> = shown.iter().collect();
    assert_eq!(once.len(), shown.len());
    // Once more there is nothing to do.
    let (code, out, err) = sweep(&list, &options);
    assert!(code == 0 && out.is_empty(), "{err}");
    assert!(err.contains("0 tested, 0 not tested"), "{err}");
}

#[test]
fn what_was_found_before_counts_for_the_exit_status() {
    let hosts = Hosts::start(&[OPEN], |_| 0);
    let room = TempDir::new().unwrap();
    let store = room.path().join("store");
    let list = write(&room, &lines(&addresses(1, 2), hosts.port));
    for out in [2, 0] {
        let (code, lines, err) = sweep(&list, &["--store", text(&store)]);
        assert_eq!((code, lines.lines().count()), (1, out), "{err}");
    }
}

#[test]
fn a_file_of_reports_has_each_once_though_a_kill_tore_its_last_line() {
    let hosts = Hosts::start(&["", "on RSET #2: !wait 1|250 2.0.0 Ok"], is_slow);
    let room = TempDir::new().unwrap();
    let (store, output) = (room.path().join("store"), room.path().join("reports.jsonl"));
    let all = addresses(6, 10);
    let list = write(&room, &lines(&all, hosts.port));
    let options = ["--store", text(&store), "--output", text(&output), "--at-once", "8"];
    let mut cut = BTreeSet::new();
    for tenths in [3, 6] {
        let mut child = begin(&list, &options, &room.path().join("out"));
        wait_until(|| reaches(&store, all.len() * tenths / 10, &cut), &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        cut = &begun(&store) - &kept(&store);
        // A kill leaves any part of a line, or none of it: here the last report is torn, and the one before is missing.
        let text = fs::read_to_string(&output).unwrap();
        let mut whole: Vec<&str> = text.lines().collect();
        let torn = whole.pop().unwrap();
        whole.pop().unwrap();
        fs::write(&output, whole.join("\n") + "\n" + &torn[..torn.len() / 2]).unwrap();
    }
    let (code, out, err) = sweep(&list, &options);
    assert!(code == 0 && out.is_empty(), "{code} {out} {err}");
    let text = fs::read_to_string(&output).unwrap();
    let mut shown: Vec<String> = text.lines().map(|line| address(&json(line))).collect();
    shown.sort();
    let mut expected = all.clone();
    expected.sort();
    assert_eq!(shown, expected, "each target once");
    let mut stored: Vec<String> =
        files(&store.join("reports")).map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut written: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    stored.sort();
    written.sort();
    assert!(stored == written, "what was written again is what was kept");
    // Nothing is left to do, and nothing is added.
    let (code, _, err) = sweep(&list, &options);
    assert!(code == 0 && err.contains("0 tested, 0 not tested"), "{err}");
    assert!(fs::read_to_string(&output).unwrap() == text);
    // Another file has all of it from the store, without a question to anybody.
    let (visited, other) = (hosts.seen().connections.len(), room.path().join("other.jsonl"));
    let (code, _, err) = sweep(&list, &["--store", options[1], "--output", self::text(&other)]);
    assert_eq!((code, fs::read_to_string(&other).unwrap().lines().count()), (0, all.len()), "{err}");
    assert_eq!(hosts.seen().connections.len(), visited);
}

#[test]
fn a_file_of_something_else_is_not_written_to() {
    let hosts = Hosts::start(&[""], |_| 0);
    let room = TempDir::new().unwrap();
    let store = room.path().join("store");
    let list = write(&room, &lines(&addresses(1, 1), hosts.port));
    let before = fs::read_to_string(&list).unwrap();
    let (code, _, err) = sweep(&list, &["--store", text(&store), "--output", &list]);
    assert!(code == 64 && err.contains("line 1: this is no report of a sweep"), "{code} {err}");
    assert_eq!(fs::read_to_string(&list).unwrap(), before);
    let (code, _, err) = sweep(&list, &["--output", text(&room.path().join("new"))]);
    assert!(code == 64 && err.contains("--store"), "{code} {err}");
    assert!(hosts.seen().connections.is_empty());
}

#[test]
fn a_target_is_begun_again_once() {
    let hosts = Hosts::start(&["on greeting: !wait 60"], |_| 0);
    // One case provokes so few refusals that these alone would let it begin many times a day.
    for more in [&[][..], &["--case", "snd-null"]] {
        let before = hosts.seen().connections.len();
        let room = TempDir::new().unwrap();
        let store = room.path().join("store");
        let list = write(&room, &lines(&addresses(1, 1), hosts.port));
        let options = [&["--store", text(&store)], more].concat();
        for round in 1..=2 {
            let mut child = begin(&list, &options, &room.path().join("out"));
            wait_until(|| hosts.seen().connections.len() == before + round, &mut child);
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let (code, out, err) = sweep(&list, &options);
        assert!(code == 3 && out.is_empty(), "{err}");
        assert!(err.contains("its run of the last 24 hours has left no report"), "{err}");
        assert!(err.contains("0 tested, 1 not tested"), "{err}");
        assert_eq!(hosts.seen().connections.len(), before + 2);
    }
}

#[test]
fn a_run_that_was_purged_was_a_run() {
    let hosts = Hosts::start(&[""], |_| 0);
    let room = TempDir::new().unwrap();
    let store = room.path().join("store");
    let list = write(&room, &lines(&addresses(1, 1), hosts.port));
    assert_eq!(sweep(&list, &["--store", text(&store)]).0, 0);
    let visited = hosts.seen().connections.len();
    for kept in ["runs", "reports"] {
        files(&store.join(kept)).for_each(|path| fs::remove_file(path).unwrap());
    }
    let (code, out, err) = sweep(&list, &["--store", text(&store)]);
    assert!(code == 3 && out.is_empty() && err.contains("has left no report"), "{code} {err}");
    assert_eq!(hosts.seen().connections.len(), visited);
}

#[test]
fn what_is_wrong_with_one_target_does_not_hold_up_the_others() {
    let hosts = Hosts::start(&[""], |_| 0);
    let room = TempDir::new().unwrap();
    let store = room.path().join("store");
    let list = write(&room, &lines(&addresses(1, 3), hosts.port));
    assert_eq!(sweep(&write(&room, &lines(&addresses(1, 1), hosts.port)), &["--store", text(&store)]).0, 0);
    fs::write(store.join("targets/127.9.1.1.json"), "{").unwrap();
    write(&room, &lines(&addresses(1, 3), hosts.port));
    let (code, out, err) = sweep(&list, &["--store", text(&store)]);
    assert_eq!((code, out.lines().count()), (3, 2), "{err}");
    assert!(err.contains("127.9.1.1.json is damaged"), "{err}");
    // A port in the list and --ports: each of them is told, and there is no target at all.
    let list = write(&room, &lines(&addresses(10, 200), hosts.port));
    let (code, out, err) = sweep(&list, &["--ports", "25,587"]);
    assert!(code == 3 && out.is_empty(), "{code}");
    assert!(err.contains("0 tested, 2000 not tested, 0 named twice"));
    assert_eq!(err.matches("is not tested: ").count(), 2_000);
}

#[test]
fn one_store_has_one_sweep_at_a_time() {
    let hosts = Hosts::start(&["on greeting: !wait 60"], |_| 0);
    let room = TempDir::new().unwrap();
    let store = room.path().join("store");
    let list = write(&room, &lines(&addresses(2, 1), hosts.port));
    let mut child = begin(&list, &["--store", text(&store)], &room.path().join("out"));
    wait_until(|| hosts.seen().connections.len() == 2, &mut child);
    let (code, out, err) = sweep(&list, &["--store", text(&store)]);
    assert!(code == 74 && out.is_empty() && err.contains("another sweep is under way"), "{code} {err}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn ctrl_c_ends_a_sweep_and_keeps_what_was_learnt() {
    let slow = |address: IpAddr| usize::from(address > IpAddr::from([127, 9, 5, 0]));
    let hosts = Hosts::start(&["", "on RSET #2: !wait 60"], slow);
    let room = TempDir::new().unwrap();
    let list = write(&room, &lines(&addresses(20, 1), hosts.port));
    let output = room.path().join("out");
    let mut child = begin(&list, &["--at-once", "8", "--profile", "brisk"], &output);
    let ended = || fs::read_to_string(&output).unwrap().lines().count();
    wait_until(|| hosts.seen().open() == 8 && ended() == 4, &mut child);
    assert_eq!(interrupt(&mut child), Some(3));
    let reports: Vec<Value> = fs::read_to_string(&output).unwrap().lines().map(json).collect();
    let with = |verdict: &str| reports.iter().filter(|report| report["verdict"] == verdict).count();
    assert_eq!((with("closed"), with("undetermined"), reports.len()), (4, 8, 12));
}

#[test]
fn what_ctrl_c_cut_short_is_made_again_once() {
    let slow = |address: IpAddr| usize::from(address > IpAddr::from([127, 9, 5, 0]));
    let hosts = Hosts::start(&["", "on RSET #2: !wait 2|250 2.0.0 Ok"], slow);
    let room = TempDir::new().unwrap();
    let (store, output) = (room.path().join("store"), room.path().join("reports.jsonl"));
    let list = write(&room, &lines(&addresses(9, 1), hosts.port));
    let options = ["--store", text(&store), "--output", text(&output)];
    let all = |closed, undetermined| {
        let all = [("closed".to_owned(), closed), ("undetermined".to_owned(), undetermined)];
        all.into_iter().filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>()
    };
    for round in 1..=2 {
        let mut child = begin(&list, &options, &room.path().join("out"));
        wait_until(
            || hosts.seen().waits == 5 * round && verdicts(&output) == all(4, 5 * (round - 1)),
            &mut child,
        );
        interrupt(&mut child);
        // What was learnt stays, and what was asked again has a line of its own.
        assert_eq!(verdicts(&output), all(4, 5 * round));
    }
    let visited = hosts.seen().connections.len();
    let (code, _, err) = sweep(&list, &options);
    assert!(code == 3 && err.contains("0 tested, 0 not tested"), "{code} {err}");
    assert_eq!(hosts.seen().connections.len(), visited);
}

#[test]
fn what_ctrl_c_cut_short_is_ended_by_the_next() {
    let hosts = Hosts::start(&["on RSET #2: !wait 2|250 2.0.0 Ok"], |_| 0);
    let room = TempDir::new().unwrap();
    let (store, output) = (room.path().join("store"), room.path().join("reports.jsonl"));
    let list = write(&room, &lines(&addresses(5, 1), hosts.port));
    let options = ["--store", text(&store), "--output", text(&output)];
    let mut child = begin(&list, &options, &room.path().join("out"));
    wait_until(|| hosts.seen().waits == 5, &mut child);
    assert_eq!(interrupt(&mut child), Some(3));
    let (code, _, err) = sweep(&list, &options);
    assert!(code == 0 && err.contains("5 tested, 0 not tested"), "{code} {err}");
    assert_eq!(verdicts(&output), [("closed".into(), 5), ("undetermined".into(), 5)].into());
}

#[test]
fn a_list_with_a_fault_is_refused_before_anybody_is_asked() {
    let hosts = Hosts::start(&[""], |_| 0);
    let room = TempDir::new().unwrap();
    let good = format!("127.9.1.1:{}\n", hosts.port);
    for (bad, words) in [
        ("0.0.0.0/0", "line 2: 0.0.0.0/0 is a network"),
        ("192.0.2.0/30 # four", "is a network; name the mail servers in it one by one"),
        ("2001:db8::/120", "is a network"),
        ("a b", "line 2"),
        ("mail.example:0", "not a port"),
        ("127.1", "line 2"),
        (&"x".repeat(5_000), "longer than 1024 octets"),
    ] {
        let list = write(&room, &format!("{good}{bad}\n"));
        let (code, out, err) = sweep(&list, &[]);
        assert!(code == 64 && out.is_empty() && err.contains(words), "{bad}: {code} {err}");
    }
    let (code, _, err) = sweep(&write(&room, "# nobody\n\n"), &[]);
    assert!(code == 64 && err.contains("names no target"), "{err}");
    fs::write(room.path().join("list"), b"\xff\n").unwrap();
    let (code, _, err) = sweep(text(&room.path().join("list")), &[]);
    assert!(code == 64 && err.contains("UTF-8"), "{err}");
    let (code, _, err) = sweep("/nowhere/list", &[]);
    assert!(code == 74 && err.contains("/nowhere/list"), "{err}");
    let list = write(&room, &good);
    for (more, words) in [
        (&["--sink", "127.0.0.1:0"][..], "leave out --stage prove, --sink and --receipts"),
        (&["--stage", "prove", "--store", "x"], "envelopes only"),
        (&["--transcript", "x"], "cannot be used with"),
        (&["--again"], "cannot be used with"),
        (&["--ptr", "a.example"], "cannot be used with"),
        (&["--at-once", "0"], "0 is not in 1..=65536"),
    ] {
        let (code, out, err) = sweep(&list, more);
        assert!(code == 64 && out.is_empty() && err.contains(words), "{more:?}: {code} {err}");
    }
    let (code, _, err) = run(&["probe"]);
    assert!(code == 64 && err.contains("HOST[:PORT]"), "{err}");
    assert!(hosts.seen().connections.is_empty());
}

#[test]
fn a_sweep_without_a_reader_ends() {
    let hosts = Hosts::start(&[""], |_| 0);
    let room = TempDir::new().unwrap();
    let list = write(&room, &lines(&addresses(200, 10), hosts.port));
    let mut child =
        prepare(&list, &["--at-once", "4"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(hosts.seen().connections.len() < 1_000, "{}", hosts.seen().connections.len());
}

fn sweep(list: &str, more: &[&str]) -> (i32, String, String) {
    run(&[&["probe", "--targets", list], &IDENTITY[..], &LAB, &FAST, more].concat())
}

fn prepare(list: &str, more: &[&str]) -> Command {
    // What comes last holds.
    let lab: Vec<&str> = if more.contains(&"--profile") { LAB[2..].to_vec() } else { LAB.to_vec() };
    command(&[&["probe", "--targets", list], &IDENTITY[..], &lab, &FAST, more].concat())
}

fn begin(list: &str, more: &[&str], output: &Path) -> Child {
    let output = fs::File::create(output).unwrap();
    prepare(list, more).stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn().unwrap()
}

/// So many addresses in each of so many networks.
fn addresses(networks: u8, hosts: u8) -> Vec<String> {
    let all =
        (1..=networks).flat_map(|network| (1..=hosts).map(move |host| format!("127.9.{network}.{host}")));
    all.collect()
}

fn lines(addresses: &[String], port: u16) -> String {
    addresses.iter().fold(String::new(), |mut lines, address| {
        writeln!(lines, "{address}:{port}").unwrap();
        lines
    })
}

fn write(room: &TempDir, list: &str) -> String {
    let path = room.path().join("list");
    fs::write(&path, list).unwrap();
    text(&path).into()
}

fn address(report: &Value) -> String {
    report["run"]["target"]["address"].as_str().unwrap().into()
}

/// Ends a program politely, and tells its exit status.
fn interrupt(child: &mut Child) -> Option<i32> {
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    child.wait().unwrap().code()
}

/// How many lines of a file have which verdict.
fn verdicts(output: &Path) -> BTreeMap<String, usize> {
    let mut verdicts = BTreeMap::new();
    // It may not be there yet, and end in half a line.
    let text = fs::read_to_string(output).unwrap_or_default();
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        *verdicts.entry(json(line)["verdict"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    verdicts
}

/// The middle and the end of each network.
fn is_slow(address: IpAddr) -> usize {
    usize::from([".7", ".10"].iter().any(|end| address.to_string().ends_with(end)))
}

/// Whether a sweep has so many reports, and one of each run that was cut short before: a second time would be the last.
fn reaches(store: &Path, reports: usize, cut: &BTreeSet<String>) -> bool {
    count(&store.join("reports")) >= reports && cut.is_subset(&kept(store))
}

/// The targets with a run in the store.
fn begun(store: &Path) -> BTreeSet<String> {
    let run = |path| json(&fs::read_to_string(path).unwrap());
    files(&store.join("runs")).map(|path| run(path)["target"]["address"].as_str().unwrap().into()).collect()
}

/// The targets with a report in the store.
fn kept(store: &Path) -> BTreeSet<String> {
    files(&store.join("reports")).map(|path| address(&json(&fs::read_to_string(path).unwrap()))).collect()
}

/// Files of a directory that are whole.
fn files(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let files = fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "json"))
}

/// Files in a directory that may not be there yet.
fn count(directory: &Path) -> usize {
    if directory.exists() { files(directory).count() } else { 0 }
}

fn wait_until(holds: impl Fn() -> bool, child: &mut Child) {
    let end = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < end, "it takes too long");
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        thread::sleep(Duration::from_millis(5));
    }
}
