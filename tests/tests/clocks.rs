//! Clocks that are wrong, or are set during a run: what time it is said to be decides nothing.

use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use relayprobe_tests::c_library::succeed;
use relayprobe_tests::dialogue;
use relayprobe_tests::program::{IDENTITY, LAB, closed_port, command, json, workspace};
use relayprobe_tests::sockets::Listening;
use serde_json::Value;
use tempfile::TempDir;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Before 1970, whenever this runs.
const BEFORE_TIME: i64 = -100_000_000_000;

/// What is wrong with a clock, in seconds.
#[derive(Clone, Copy, Debug, Default)]
struct Wrong {
    /// So much all the time.
    shift: i64,
    /// So much more each time that it is looked at.
    step: i64,
    /// So much more after two seconds.
    jump: i64,
}

/// Runs the program under such a clock.
fn run(wrong: Wrong, arguments: &[&str]) -> (i32, Value, String) {
    static LIBRARY: OnceLock<TempDir> = OnceLock::new();
    let folder = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let source = workspace().join("tests/src/clock.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o"]).arg(folder.path().join("clock.so")).arg(source);
        succeed(&mut compiler);
        folder
    });
    let mut command = command(arguments);
    command.env("LD_PRELOAD", folder.path().join("clock.so"));
    for (name, seconds) in [("SHIFT", wrong.shift), ("STEP", wrong.step), ("JUMP", wrong.jump)] {
        command.env(format!("CLOCK_{name}"), seconds.to_string());
    }
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().expect("it runs");
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr).into_owned());
    assert!(!err.contains("panicked"), "{err}");
    let report = if out.is_empty() { Value::Null } else { json(&out) };
    (status.code().expect("an exit status"), report, err)
}

#[test]
fn a_relay_is_proven_whatever_the_clock_says() {
    let off = |shift| Wrong { shift, ..Wrong::default() };
    let steps = |step| Wrong { step, ..Wrong::default() };
    for wrong in [
        off(BEFORE_TIME),
        off(60 * 365 * DAY),
        Wrong { shift: BEFORE_TIME, step: 1, jump: 0 },
        Wrong { shift: BEFORE_TIME, step: 0, jump: -BEFORE_TIME },
        steps(HOUR),
        steps(7 * HOUR),
        steps(30 * DAY),
        steps(-HOUR),
        steps(-30 * DAY),
    ] {
        let (code, report, err) = run(wrong, &["demo", "--json"]);
        let found = (code, report["verdict"].as_str());
        assert_eq!(found, (0, Some("open-relay")), "{wrong:?}: {err} {}", report["reasons"]);
    }
}

#[test]
fn the_clock_is_wrong_where_a_test_says_so() {
    let year = |shift| {
        let (_, report, _) = run(Wrong { shift, ..Wrong::default() }, &["demo", "--json"]);
        let date = report["run"]["date"].as_str().expect("a date").to_owned();
        date[..4].parse::<u32>().expect("a year")
    };
    assert_eq!(year(BEFORE_TIME), 1970);
    assert!(year(60 * 365 * DAY) > year(0) + 58);
}

#[test]
fn a_clock_that_is_set_ends_no_window() {
    let takes_all = "@ offers PIPELINING\non RCPT*: 250 2.1.5 Ok\non DATA: 354 go on\n= verdict suspected\n";
    let steps = |step| Wrong { step, ..Wrong::default() };
    let jumps = |jump| Wrong { jump, ..Wrong::default() };
    for wrong in [steps(HOUR), steps(7 * HOUR), steps(-HOUR), jumps(7 * HOUR), jumps(30 * DAY), jumps(-DAY)] {
        let server = Listening::start(&dialogue::parse("takes-all", takes_all));
        let (target, sink) = (server.address.to_string(), format!("127.0.0.1:{}", closed_port()));
        let wishes = ["--sink", &*sink, "--prove", "all", "--messages", "40", "--wait", "4s"];
        let arguments = [&["probe", &*target, "--json"], &IDENTITY[..], &LAB, &wishes].concat();
        let (code, report, err) = run(wrong, &arguments);
        let found = (code, report["verdict"].as_str());
        assert_eq!(found, (1, Some("suspected")), "{wrong:?}: {err} {}", report["reasons"]);
        assert!(report["pending_until"].is_string(), "{wrong:?}: {}", report["as_of"]);
    }
}
