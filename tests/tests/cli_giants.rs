//! Files that are too large, too deep or too many: a command says so, in bounded memory, and never falls over.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use relayprobe_tests::dialogue;
use relayprobe_tests::program::{IDENTITY, LAB, program, run, text};
use relayprobe_tests::sockets::Listening;
use tempfile::TempDir;

/// What a command may reserve; a file is read whole into a part of it, or not at all.
const KIBIBYTES: u64 = 1 << 20;

/// Runs the program with little memory.
fn confined(arguments: &[&str], input: Stdio) -> (i32, String, String) {
    let script = format!("ulimit -v {KIBIBYTES}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(program()).args(arguments).stdin(input);
    let done = shell.output().expect("it runs");
    let [out, err] = [done.stdout, done.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
    assert!(!err.contains("panicked") && !err.contains("overflow"), "{err}");
    (done.status.code().unwrap_or_else(|| panic!("a signal ended it: {err}")), out, err)
}

/// A file of nothing but NUL, which takes no room on the disk.
fn giant(folder: &TempDir, octets: u64) -> String {
    let path = folder.path().join("giant");
    File::create(&path).and_then(|file| file.set_len(octets)).expect("it can be made");
    text(&path).to_owned()
}

fn written(path: &Path, content: &str) -> String {
    fs::write(path, content).expect("it can be written");
    text(path).to_owned()
}

#[test]
fn giant_files_are_refused_unread() {
    let folder = TempDir::new().expect("a folder");
    let giant = giant(&folder, 16 << 30);
    for arguments in [
        vec!["probe", "192.0.2.1", "--config", &giant],
        vec!["self-check", "--config", &giant],
        vec!["listings", "192.0.2.1", "--config", &giant],
        vec!["judge", &giant],
        vec!["redact", &giant],
        [&["probe", "192.0.2.1", "--never-test", &giant], &IDENTITY[..]].concat(),
        vec!["self-check", "--probe-domain", "probe.example", "--probing-txt", &giant],
    ] {
        let (code, out, err) = confined(&arguments, Stdio::null());
        assert!(out.is_empty() && err.contains("larger than"), "{arguments:?} {code} {err}");
        assert!(code == 64 || code == 74, "{arguments:?} {code} {err}");
    }
    let targets = [&["probe", "--targets", &*giant], &IDENTITY[..], &LAB].concat();
    let (code, out, err) = confined(&targets, Stdio::null());
    assert!(code == 64 && out.is_empty() && err.contains("longer than 1024 octets"), "{code} {err}");
}

#[test]
fn files_that_nest_without_end_are_refused() {
    let folder = TempDir::new().expect("a folder");
    for depth in [10_000, 200_000] {
        let many = |text: &str| text.repeat(depth);
        for content in [
            format!("x = {}", many("[")),
            format!("x = {}{}", many("["), many("]")),
            format!("x = {}", many("{a=")),
            format!("{}a = 1", many("a.")),
            format!("[{}a]", many("a.")),
            format!("[identity]\n{}probe-domain = 1", many("a.")),
            format!("[[{}a]]", many("a.")),
        ] {
            let config = written(&folder.path().join("config"), &content);
            let (code, out, err) = confined(&["probe", "192.0.2.1", "--config", &config], Stdio::null());
            assert!(code == 64 && out.is_empty(), "{} {code} {err:.300}", &content[..20]);
            assert!(err.contains("is no configuration"), "{err:.300}");
        }
        let nested = [
            many("["),
            many("{\"a\":"),
            format!("{{\"format\":1,\"run\":{}}}", many("[")),
            many("[") + &many("]"),
        ];
        for content in nested {
            let report = written(&folder.path().join("report"), &content);
            let (code, out, err) = confined(&["judge", &report], Stdio::null());
            assert!(code == 64 && out.is_empty(), "{} {code} {err:.300}", &content[..20]);
        }
    }
}

#[test]
fn ten_thousand_targets_are_each_told() {
    let folder = TempDir::new().expect("a folder");
    let target = |n: u32| format!("127.{}.{}.1:2525", 10 + n / 250, n % 250);
    let lines: Vec<String> = (0..10_000).map(target).collect();
    let list = written(&folder.path().join("list"), &lines.join("\n"));
    // With a port in the list and --ports nobody is asked.
    let arguments = [&["probe", "--targets", &list, "--ports", "25,587"], &IDENTITY[..], &LAB].concat();
    let (code, out, err) = confined(&arguments, Stdio::null());
    assert!(code == 3 && out.is_empty(), "{code}");
    assert!(err.contains("0 tested, 10000 not tested, 0 named twice"));
    assert_eq!(err.matches("is not tested: ").count(), 10_000);
    // The same one ten thousand times is one.
    let server = Listening::start(&dialogue::parse("closed", "= verdict closed\n"));
    let list = written(&folder.path().join("list"), &format!("{}\n", server.address).repeat(10_000));
    let arguments = [&["probe", "--targets", &list], &IDENTITY[..], &LAB].concat();
    let (code, out, err) = confined(&arguments, Stdio::null());
    assert!(code == 0 && out.lines().count() == 1, "{code} {err:.1000}");
    assert!(err.contains("1 tested, 0 not tested, 9999 named twice"), "{err:.1000}");
}

#[test]
fn what_a_message_quotes_begins_no_line() {
    let (code, _, err) = run(&["judge", "/nowhere/x\nclosed: 192.0.2.1"]);
    assert!(code == 64 && err.lines().count() == 1 && err.contains("x\\x0aclosed"), "{err}");
    // The lines of a broken configuration are its own.
    let folder = TempDir::new().expect("a folder");
    let config = written(&folder.path().join("config"), "[identity]\nhelo = \n");
    let (code, _, err) = run(&["probe", "192.0.2.1", "--config", &config]);
    assert!(code == 64 && err.lines().count() > 1 && err.contains("helo = "), "{err}");
}
