//! The command line as its users meet it: what it prints, what it keeps, and how it ends.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use relayprobe::Verdict;
use relayprobe::identity::AuthorizationKind;
use relayprobe::matrix::{Family, Name};
use relayprobe::plan::{Measure, Vantage};
use relayprobe_tests::dialogue;
use relayprobe_tests::program::{
    IDENTITY, LAB, assert_fits_schema, closed_port, command, json, probe, run, schema, start, text, workspace,
};
use relayprobe_tests::sockets::Listening;
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn bad_usage_ends_with_64_and_says_what_would_be_right() {
    for (arguments, words) in [
        (vec![], "Usage: relayprobe"),
        (vec!["prob"], "probe"),
        (vec!["probe"], "HOST[:PORT]"),
        (vec!["probe", "192.0.2.1", "--matrix", "huge"], "quick, standard, full"),
        (vec!["probe", "192.0.2.1", "--profile", "x"], "patient, brisk, lab"),
        (vec!["probe", "192.0.2.1", "--measure", "x"], "inbound-filter"),
        (vec!["probe", "192.0.2.1", "--vantage", "x"], "provider-network"),
        (vec!["probe", "192.0.2.1", "--connections", "4"], "1..=3"),
        (vec!["probe", "192.0.2.1", "--until", "soon"], "2026-11-23"),
        (vec!["probe", "192.0.2.1", "--scope", "a b"], "192.0.2.0/24"),
        (vec!["probe", "192.0.2.1", "--authorization", "me:x"], "customer-contract"),
        (vec!["probe", "192.0.2.1", "--helo", "a_b"], "mail.example.org"),
        (vec!["probe", "192.0.2.1:0"], "1 to 65535"),
        (vec!["probe", "192.0.2.0/24"], "name its mail servers"),
        (vec!["probe", "192.0.2.1", "--ports", "25,,587"], "like 25,587"),
        (vec!["probe", "192.0.2.1", "--sink", "127.0.0.1"], "like 192.0.2.1:25"),
        (vec!["probe", "192.0.2.1", "--source", "198.51.100.9"], "cannot send from it"),
        (vec!["probe", "192.0.2.1", "--retry-after", "x"], "number of seconds"),
        (vec!["listings", "notanip"], "like 192.0.2.1 or"),
        (vec!["probe", "2001:db8::1:x"], "in brackets"),
        (vec!["probe", "smtp://mail.example"], "a mail server is wanted"),
        (vec!["probe", "192.0.2.1", "--matrix", "full", "--case", "snd-null"], "--case"),
        (vec!["cases", "--json", "--markdown"], "--markdown"),
        (vec!["judge"], "<REPORT>"),
    ] {
        let (code, out, err) = run(&arguments);
        assert_eq!(code, 64, "{arguments:?}: {err}");
        assert!(out.is_empty() && err.contains(words), "{arguments:?} should say {words}: {err}");
    }
}

#[test]
fn what_a_plan_refuses_ends_with_64_and_names_the_option() {
    // Whatever else fails, the scope keeps the run from beginning.
    let fixed = [&IDENTITY[..], &["--scope", "192.0.2.0/24"]].concat();
    for (arguments, words) in [
        (vec!["127.0.0.1"], "127.0.0.1 is loopback (127.0.0.0/8)"),
        (vec!["10.0.0.1"], "--allow-private"),
        (vec!["[fe80::1]:25"], "--allow-private"),
        (vec!["169.254.169.254", "--allow-private"], "metadata"),
        (vec!["8.8.8.8:80"], "--allow-port"),
        (vec!["8.8.8.8", "--ports", "25,80"], "--allow-port"),
        (vec!["192.0.2.1:25", "--allow-private", "--ports", "25"], "--ports"),
        (vec!["198.51.100.1", "--allow-private"], "outside the scope"),
        (vec!["192.0.2.1", "--allow-private", "--until", "2020-01-01"], "ended on 2020-01-01"),
        (vec!["192.0.2.1", "--allow-private", "--source", "::1"], "--source"),
        (vec!["192.0.2.1", "--allow-private", "--other-address", "8.8.4.4"], "one IPv4, one IPv6"),
        (vec!["192.0.2.1", "--allow-private", "--domain", "probe.example"], "belongs to the target"),
        (
            vec!["192.0.2.1", "--allow-private", "--domain", "a.example", "--mailbox", "me@b.example"],
            "--domain",
        ),
        (vec!["192.0.2.1", "--allow-private", "--lure-mx", "a.stranger.example"], "lure"),
        (
            vec!["192.0.2.1", "--allow-private", "--sink-ip", "192.0.2.1", "--sink-ip", "192.0.2.2"],
            "--sink-ip",
        ),
        (vec!["192.0.2.1", "--allow-private", "--window", "8d"], "--window is about messages"),
        (vec!["192.0.2.1", "--allow-private", "--way-in", "127.0.0.1:25"], "--way-in is about messages"),
        (vec!["192.0.2.1", "--allow-private", "--prove", "all"], "--prove is about messages"),
        (vec!["192.0.2.1", "--allow-private", "--at-once", "3"], "--at-once"),
        (vec!["192.0.2.1", "--allow-private", "--provider-network", "10.0.0.0/8"], "--provider-network"),
        (vec!["192.0.2.1", "--allow-private", "--retry-after", "0"], "whole number of seconds"),
        (vec!["192.0.2.1", "--allow-private", "--probe-uri", "foo"], "leads nowhere"),
        (
            vec!["192.0.2.1", "--allow-private", "--domain", "a.example", "--sender-domain", "a.example"],
            "within a mail domain of the target",
        ),
        (vec!["192.0.2.1", "--allow-private", "--case", "nonsense"], "relayprobe cases"),
        (vec!["192.0.2.1", "--allow-private", "--case", "ctl-end"], "--case ID"),
        (vec!["192.0.2.1", "--allow-private", "--define-case", "x"], "an id, a sender and a recipient"),
        (vec!["192.0.2.1", "--allow-private", "--define-case", "x <> <victim@stranger.example>"], "victim"),
        (
            vec![
                "192.0.2.1",
                "--allow-private",
                "--define-case",
                "snd-null <> <{probe-user}@{probe-domain}>",
            ],
            "built-in",
        ),
    ] {
        let (code, out, err) = run(&[&["probe"], &*arguments, &fixed].concat());
        assert_eq!(code, 64, "{arguments:?}: {err}");
        assert!(out.is_empty() && err.contains(words), "{arguments:?} should say {words}: {err}");
    }
}

#[test]
fn without_identity_or_leave_nobody_is_tested() {
    let (code, _, err) = run(&["probe", "192.0.2.1", "--authorization", "request:x"]);
    assert!(code == 64 && err.contains("--probe-domain DOMAIN"), "{err}");
    let (code, _, err) = run(&["probe", "192.0.2.1", "--probe-domain", "probe.example"]);
    assert!(code == 64 && err.contains("--authorization KIND:REFERENCE"), "{err}");
}

#[test]
fn a_name_is_looked_up_and_its_address_checked() {
    let (code, _, err) = run(&[&["probe", "localhost"], &IDENTITY[..]].concat());
    assert!(code == 64 && err.contains("loopback"), "{err}");
    let (code, _, err) = run(&[&["probe", "nobody.invalid"], &IDENTITY[..]].concat());
    assert!(code == 64 && err.contains("nobody.invalid has no address"), "{code} {err}");
}

#[test]
fn whoever_asked_not_to_be_tested_is_not() {
    let room = TempDir::new().unwrap();
    let list = room.path().join("never");
    fs::write(&list, "# by mail\n127.0.0.0/8\n").unwrap();
    let never = ["--never-test", text(&list)];
    let (code, _, err) = probe("127.0.0.1:2525", &never);
    assert!(code == 64 && err.contains("127.0.0.1 is on the never-test list"), "{err}");
    let (code, _, err) = probe("localhost:2525", &never);
    assert!(code == 64 && err.contains("never-test"), "{err}");
    fs::write(&list, "ok.example\n!!\n").unwrap();
    let (code, _, err) = probe("127.0.0.1:2525", &never);
    assert!(code == 64 && err.contains("line 2"), "{err}");
}

#[test]
fn a_configuration_stands_in_for_options_and_options_override_it() {
    let room = TempDir::new().unwrap();
    let file = room.path().join("config.toml");
    fs::write(
        &file,
        "[identity]\nprobe-domain = \"probe.example\"\nhelo = \"tester.example\"\nsink-ip = [\"192.0.2.1\", \"2001:db8::1\"]\n\n\
         [authorization]\nkind = \"request\"\nreference = \"T1\"\nscope = [\"127.0.0.0/8\"]\nuntil = 9999-12-31\n",
    )
    .unwrap();
    let target = format!("127.0.0.1:{}", closed_port());
    let fixed = ["probe", &target, "--allow-private", "--profile", "lab", "--json", "--config", text(&file)];
    let (code, out, err) = run(&fixed);
    assert_eq!(code, 3, "{err}");
    let report = json(&out);
    assert_eq!(report["run"]["identity"]["helo"], "tester.example");
    assert_eq!(report["run"]["identity"]["sink_ipv6"], "2001:db8::1");
    assert_eq!(report["run"]["authorization"]["kind"], "request");
    assert_eq!(report["run"]["authorization"]["networks"][0], "127.0.0.0/8");
    assert_eq!(report["run"]["authorization"]["until"], "9999-12-31T23:59:59Z");
    let (_, out, _) =
        run(&[&fixed[..], &["--helo", "other.example", "--authorization", "own-server:x"]].concat());
    let report = json(&out);
    assert_eq!(report["run"]["identity"]["helo"], "other.example");
    assert_eq!(report["run"]["authorization"]["reference"], "x");
    let (code, _, err) = run(&[&fixed[..], &["--scope", "192.0.2.0/24"]].concat());
    assert!(code == 64 && err.contains("outside the scope"), "{err}");
}

#[test]
fn a_fault_of_the_configuration_is_told_with_its_place() {
    let room = TempDir::new().unwrap();
    let file = room.path().join("config.toml");
    for (content, words) in [
        ("[identity]\nprobe-domain = \"probe.example\"\nhello = \"x\"\n", "line 3, column 1"),
        ("[identity]\nhelo = \"a_b\"\n", "line 2, column 8"),
        ("[identity\n", "line 1, column 10"),
        ("[identities]\n", "line 1, column 2"),
        ("[authorization]\nkind = \"me\"\n", "line 2, column 8"),
        ("[authorization]\n\nuntil = \"soon\"\n", "line 3"),
        ("[authorization]\nuntil = 3\n", "is not a date"),
        ("[authorization]\nscope = [\"a b\"]\n", "line 2, column 9"),
        (
            "[identity]\nprobe-domain = \"probe.example\"\n[authorization]\nkind = \"request\"\n",
            "has no reference",
        ),
        ("\u{feff}[identity]\nhelo = \"\u{1b}[2J\"\n", "is no configuration"),
    ] {
        fs::write(&file, content).unwrap();
        let (code, out, err) = run(&["probe", "192.0.2.1", "--config", text(&file)]);
        assert!(code == 64 && out.is_empty(), "{content}: {err}");
        assert!(err.contains(words) && !err.contains('\u{1b}'), "{content} should say {words}: {err}");
    }
    fs::write(&file, vec![b'#'; (1 << 20) + 1]).unwrap();
    let (code, _, err) = run(&["probe", "192.0.2.1", "--config", text(&file)]);
    assert!(code == 64 && err.contains("larger than 1048576"), "{err}");
    let (code, _, err) = run(&["probe", "192.0.2.1", "--config", "/nowhere/x"]);
    assert!(code == 64 && err.contains("/nowhere/x"), "{err}");
}

#[test]
fn a_closed_port_is_unreachable() {
    let (code, out, err) = probe(&format!("127.0.0.1:{}", closed_port()), &["--json"]);
    let report = json(&out);
    assert_eq!((code, &err[..]), (3, ""));
    assert_eq!((&report["verdict"], &report["how"]), (&"unreachable".into(), &"refused".into()));
    assert_eq!(report["run"]["vantage"], "loopback");
    assert!(out.ends_with("}\n") && out.lines().count() == 1);
    assert_fits_schema(&report);
}

#[test]
fn a_server_that_refuses_strangers_is_closed() {
    let server = serve("");
    for matrix in ["quick", "standard", "full"] {
        let (code, out, err) = probe(&server, &["--matrix", matrix, "--json"]);
        let report = json(&out);
        assert_eq!((code, &report["verdict"]), (0, &"closed".into()), "{matrix}: {}{err}", report["reasons"]);
        assert_fits_schema(&report);
    }
    let (code, out, _) = probe(&server, &[]);
    assert!(code == 0 && out.starts_with("closed: 127.0.0.1 port "), "{out}");
}

#[test]
fn a_server_that_accepts_strangers_is_suspected() {
    let server = serve("on RCPT TO:<*@probe.example>: 250 2.1.5 Ok");
    let (code, out, err) =
        probe(&server, &["--matrix", "standard", "--json", "--sender-domain", "sender.example"]);
    let report = json(&out);
    assert_eq!((code, &report["verdict"]), (1, &"suspected".into()), "{err}");
    assert_fits_schema(&report);
}

#[test]
fn named_and_own_cases_are_asked() {
    let server = serve("");
    let own = "my-case <{sender}> <{probe-user}%{probe-domain}@{target-host}>";
    let (code, out, err) = probe(&server, &["--case", "snd-null", "--define-case", own, "--json"]);
    let report = json(&out);
    assert_eq!((code, &report["verdict"]), (3, &"undetermined".into()), "{err}");
    let outcome = |id: &str| {
        report["probes"].as_array().unwrap().iter().find(|probe| probe["case"] == id).unwrap()["outcome"]
            .clone()
    };
    assert_eq!((outcome("snd-null"), outcome("my-case")), ("refused".into(), "refused".into()));
    assert_fits_schema(&report);
}

#[test]
fn nothing_a_server_sends_steers_a_terminal_or_a_page() {
    let server = serve(concat!(
        r"on greeting: !raw 220 mx.target.example \x1b[31m\x1b]0;x\x07<script>\x00\x9b\xff\x0d\x0a",
        "\n",
        r"on RCPT TO:<*@probe.example>: !raw 554 5.7.1 Relay access denied \x1b[2J\xe2\x80\xae\x0d\x0a",
    ));
    let room = TempDir::new().unwrap();
    let file = room.path().join("transcript");
    let harmless = |text: &str| text.chars().all(|c| c == '\n' || (' '..='~').contains(&c));
    let (code, out, err) = probe(&server, &["--transcript", text(&file)]);
    assert!(code == 0 && harmless(&out) && err.is_empty(), "{out:?} {err:?}");
    assert!(out.contains("\\x1b[31m"), "{out}");
    let transcript = fs::read_to_string(&file).unwrap();
    assert!(harmless(&transcript) && transcript.contains("\\x1b[2J"), "{transcript:?}");
    let (code, out, _) = probe(&server, &["--json"]);
    // JSON has no other characters than what it was given in: markup is a matter of whoever shows it.
    assert!(code == 0 && out.chars().all(|c| c == '\n' || c == '§' || (' '..='~').contains(&c)));
    assert_fits_schema(&json(&out));
}

#[test]
fn a_store_is_private_and_holds_record_and_report() {
    let room = TempDir::new().unwrap();
    let store = room.path().join("store");
    let (code, out, err) =
        probe(&format!("127.0.0.1:{}", closed_port()), &["--store", text(&store), "--json"]);
    assert_eq!(code, 3, "{err}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let only = |directory: &str| fs::read_dir(store.join(directory)).unwrap().next().unwrap().unwrap().path();
    for directory in ["", "runs", "reports", "targets"] {
        assert_eq!(mode(&store.join(directory)), 0o700, "{directory}");
    }
    for directory in ["runs", "reports", "targets"] {
        assert_eq!(fs::read_dir(store.join(directory)).unwrap().count(), 1, "{directory}");
        assert_eq!(mode(&only(directory)), 0o600, "{directory}");
    }
    assert_eq!(fs::read_to_string(only("reports")).unwrap(), out);
    assert_eq!(json(&fs::read_to_string(only("runs")).unwrap()), json(&out)["run"]);
    assert_eq!(only("targets").file_name().unwrap(), "127.0.0.1.json");
    assert_eq!(only("runs").file_name(), only("reports").file_name());
}

#[test]
fn a_store_that_others_can_write_is_refused() {
    let room = TempDir::new().unwrap();
    let target = format!("127.0.0.1:{}", closed_port());
    let refused = |store: &Path, words: &str| {
        let (code, out, err) = probe(&target, &["--store", text(store)]);
        assert!(code == 74 && out.is_empty() && err.contains(words), "{code} {err}");
    };
    let real = room.path().join("real");
    fs::create_dir(&real).unwrap();
    fs::set_permissions(&real, PermissionsExt::from_mode(0o777)).unwrap();
    refused(&real, "chmod go-w");
    fs::set_permissions(&real, PermissionsExt::from_mode(0o700)).unwrap();
    let link = room.path().join("link");
    symlink(&real, &link).unwrap();
    refused(&link, "symbolic link");
    refused(&link.join(""), "symbolic link");
    let file = room.path().join("file");
    fs::write(&file, "").unwrap();
    refused(&file, "not a directory");
    refused(&room.path().join("no/such"), "no/such");
    symlink(room.path(), real.join("runs")).unwrap();
    refused(&real, "symbolic link");
}

#[test]
fn the_same_target_is_not_tested_again_by_machine_within_a_day() {
    let room = TempDir::new().unwrap();
    let store = room.path().join("store");
    let target = format!("127.0.0.1:{}", closed_port());
    let again = |more: &[&str]| probe(&target, &[&["--store", text(&store)], more].concat());
    assert_eq!(again(&[]).0, 3);
    let (code, _, err) = again(&[]);
    assert!(code == 64 && err.contains("--again") && err.contains("the next run is due on"), "{err}");
    let (code, _, err) = again(&["--again"]);
    assert!(code == 64 && err.contains("would pass 30") && err.contains("--matrix"), "{err}");
    assert_eq!(again(&["--again", "--matrix", "standard"]).0, 3);
    let index = json(&fs::read_to_string(store.join("targets/127.0.0.1.json")).unwrap());
    let refusals: Vec<u64> =
        index["refusals"].as_object().unwrap().values().map(|v| v.as_u64().unwrap()).collect();
    assert!(refusals.iter().sum::<u64>() > 60, "{index}");
    fs::write(store.join("targets/127.0.0.1.json"), "{").unwrap();
    let (code, _, err) = again(&["--again"]);
    assert!(code == 74 && err.contains("damaged"), "{err}");
}

#[test]
fn a_run_that_was_killed_counts() {
    let room = TempDir::new().unwrap();
    let store = room.path().join("store");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = silent.local_addr().unwrap().to_string();
    let mut child = start(&target, &["--store", text(&store)]);
    // The server is only reached once the record is there.
    let reached = silent.accept().unwrap();
    assert_eq!(fs::read_dir(store.join("runs")).unwrap().count(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(reached);
    let (code, _, err) = probe(&target, &["--store", text(&store)]);
    assert!(code == 64 && err.contains("--again"), "{err}");
    assert_eq!(fs::read_dir(store.join("reports")).unwrap().count(), 0);
}

#[test]
fn ctrl_c_ends_a_run_politely_and_keeps_what_was_learnt() {
    let server = serve("on MAIL* #3: !wait 2|250 2.1.0 Ok");
    let arguments = [&["probe", &server], &IDENTITY[..], &LAB, &["--json"]].concat();
    let child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_millis(700));
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let Output { status, stdout, .. } = child.wait_with_output().unwrap();
    let report = json(std::str::from_utf8(&stdout).unwrap());
    assert_fits_schema(&report);
    assert_eq!((status.code(), &report["verdict"]), (Some(3), &Value::from("undetermined")));
    assert!(report["reasons"].to_string().contains("stopped"), "{}", report["reasons"]);
}

#[test]
fn of_runs_at_the_same_time_one_wins() {
    let room = TempDir::new().unwrap();
    let store = room.path().join("store");
    let target = format!("127.0.0.1:{}", closed_port());
    let children: Vec<Child> = (0..6).map(|_| start(&target, &["--store", text(&store)])).collect();
    let mut codes: Vec<i32> =
        children.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [3, 64, 64, 64, 64, 64]);
}

#[test]
fn what_cannot_be_written_ends_with_74() {
    let target = format!("127.0.0.1:{}", closed_port());
    let (code, out, err) = probe(&target, &["--transcript", "/nowhere/x"]);
    assert!(code == 74 && out.is_empty() && err.contains("/nowhere/x"), "{err}");
    let (code, out, err) = probe(&target, &["--transcript", "/dev/full"]);
    assert!(code == 74 && out.starts_with("unreachable") && err.contains("/dev/full"), "{err}");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = command(&["cases"]).stdout(full).output().unwrap();
    assert_eq!(done.status.code(), Some(74), "{done:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let mut child = command(&["cases"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!((done.status.code(), &*done.stderr), (Some(0), &b""[..]));
}

#[test]
fn judging_a_stored_report_says_the_same() {
    let room = TempDir::new().unwrap();
    let file = room.path().join("report.json");
    let server = serve("");
    for target in [server, format!("127.0.0.1:{}", closed_port())] {
        let (code, out, _) = probe(&target, &["--json"]);
        fs::write(&file, &out).unwrap();
        assert_eq!(run(&["judge", text(&file), "--json"]), (code, out.clone(), String::new()));
        let (judged, shown, _) = run(&["judge", text(&file)]);
        assert!(judged == code && shown.starts_with(json(&out)["verdict"].as_str().unwrap()), "{shown}");
        let mut child =
            command(&["judge", "-", "--json"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(out.as_bytes()).unwrap();
        assert_eq!(child.wait_with_output().unwrap().stdout, out.as_bytes());
    }
}

#[test]
fn a_report_that_cannot_be_judged_is_refused() {
    let room = TempDir::new().unwrap();
    let file = room.path().join("report.json");
    let (_, out, _) = probe(&format!("127.0.0.1:{}", closed_port()), &["--json"]);
    let newer = out.replacen("{\"format\":1,", "{\"format\":2,", 1);
    let hostile = out.replacen("\"lab\"", "\"\\u001b[2J\"", 1);
    let cut = out.get(..out.len() / 2).unwrap();
    for (content, words) in [
        ("", "not a relayprobe report"),
        ("{}", "format"),
        ("<html>", "line 1 column 1"),
        (cut, "EOF"),
        (&newer, "format 2; this version reads up to 1"),
        (&hostile, "\\x1b[2J"),
    ] {
        fs::write(&file, content).unwrap();
        let (code, out, err) = run(&["judge", text(&file)]);
        assert!(code == 64 && out.is_empty(), "{words}: {code} {out}");
        assert!(err.contains(words) && !err.contains('\u{1b}'), "should say {words}: {err}");
    }
    fs::write(&file, b"\xff").unwrap();
    let (code, _, err) = run(&["judge", text(&file)]);
    assert!(code == 64 && err.contains("UTF-8"), "{err}");
    let named = out.replacen("\"run\":{\"run\":\"", "\"run\":{\"run\":\"\\u001b[2J\\u009b", 1);
    fs::write(&file, named).unwrap();
    let (code, out_of_file, _) = run(&["judge", text(&file)]);
    assert!(code == 3 && out_of_file.contains("\\x1b[2J\\xc2\\x9b"), "{out_of_file}");
    let changed = out.replacen("\"verdict\":\"unreachable\"", "\"verdict\":\"closed\"", 1);
    fs::write(&file, changed).unwrap();
    let (code, _, err) = run(&["judge", text(&file)]);
    assert!(code == 3 && err.contains("the stored verdict is closed"), "{err}");
}

#[test]
fn the_chapter_of_cases_is_the_table() {
    let chapter = fs::read_to_string(workspace().join("docs/cases.md")).unwrap();
    let (code, out, _) = run(&["cases", "--markdown"]);
    assert_eq!(code, 0);
    assert!(out == chapter, "docs/cases.md is old: relayprobe cases --markdown > docs/cases.md");
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(out.lines().filter(|line| line.starts_with('|')).all(|line| cells(line) == 9));
    let listed = json(&run(&["cases", "--json"]).1).as_array().unwrap().len();
    assert_eq!(listed, out.lines().filter(|line| line.starts_with("| `")).count());
    assert_eq!(listed + 1, run(&["cases"]).1.lines().count());
}

#[test]
fn the_schema_knows_every_word() {
    let schema = schema();
    let words = |pointer: &str| -> Vec<String> {
        let list = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).as_array().unwrap();
        list.iter().map(|word| word.as_str().unwrap().to_string()).collect()
    };
    assert_eq!(words("/$defs/verdict/enum"), Verdict::ALL.map(Verdict::as_str));
    assert_eq!(words("/$defs/family/enum"), Family::ALL.map(Family::as_str));
    assert_eq!(words("/$defs/measure/enum"), Measure::ALL.map(Measure::as_str));
    assert_eq!(words("/$defs/run/properties/vantage/enum"), Vantage::ALL.map(Vantage::as_str));
    let kinds = AuthorizationKind::ALL.map(AuthorizationKind::as_str);
    assert_eq!(words("/$defs/authorization/properties/kind/enum"), kinds);
    let names: Vec<&str> = Name::ALL.iter().map(|name| name.as_str()).collect();
    assert_eq!(words("/$defs/name/enum"), names);
}

/// A scripted server that offers PIPELINING, and follows these rules.
fn serve(rules: &str) -> String {
    let dialogue = dialogue::parse("command line", &format!("@ offers PIPELINING\n{rules}\n= served\n"));
    Listening::start(&dialogue).address.to_string()
}
