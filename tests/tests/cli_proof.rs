//! The command line where messages are sent: what its users see, and what is left on disk.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use relayprobe_tests::program::{assert_fits_schema, closed_port, command, json, run, text};
use relayprobe_tests::receiving::{Client, Receiving, options};
use relayprobe_tests::servers::probe_domain;
use relayprobe_tests::servers::{Server, postfix};
use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// Options of a tester whose people are reached elsewhere.
const TESTER: [&str; 8] = [
    "--probe-domain",
    "probe.example",
    "--sender-domain",
    "tester.example",
    "--contact",
    "abuse@desk.example",
    "--authorization",
    "own-server:cli",
];

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a loopback port")
}

fn prove(server: &Server, more: &[&str]) -> (i32, Value, String) {
    let target = server.addr.to_string();
    let options = ["--profile", "lab", "--allow-private", "--domain", "target.example", "--json"];
    let source = ["--mailbox", "alice@target.example", "--source", "127.0.0.2"];
    let (code, out, err) = run(&[&["probe", &target], &TESTER[..], &options, &source, more].concat());
    let report = if out.is_empty() { Value::Null } else { json(&out) };
    (code, report, err)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// The files of a folder, by name.
fn listed(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|fault| panic!("{}: {fault}", folder.display()));
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// The only report of a store. What begins with a dot is a draft, and gone in a moment.
fn stored_report(store: &Path) -> PathBuf {
    let reports = store.join("reports");
    let name = listed(&reports).into_iter().find(|name| !name.starts_with('.')).expect("a report");
    reports.join(name)
}

#[test]
fn the_demonstration_proves_its_server_and_says_so() {
    let (code, out, _) = run(&["demo"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("\nopen-relay: 127.0.0.1 port "), "{out}");
    for line in ["snd-null                RELAYED", "pct-domain              RELAYED"] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    let (code, out, _) = run(&["demo", "--json"]);
    let report = json(&out);
    assert_fits_schema(&report);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("open-relay")));
    let outcome = |id: &str| {
        let probes = report["probes"].as_array().expect("probes").iter();
        probes.clone().find(|probe| probe["case"] == id).expect("the case")["outcome"].clone()
    };
    assert_eq!(outcome("snd-null"), "relayed");
    assert_eq!(outcome("bang-domain"), "accepted-no-receipt");
    assert_eq!(outcome("snd-third-party"), "refused");
}

#[test]
fn a_run_with_its_own_sink_proves_and_keeps_what_came() {
    let (sink, store) = (free_address(), folder());
    let server = postfix::start(postfix::Flavour::Open, Some(sink));
    let place = sink.to_string();
    let (code, report, err) = prove(&server, &["--sink", &place, "--store", text(store.path())]);
    assert_eq!((code, &report["verdict"]), (2, &Value::from("open-relay")), "{err}");
    assert_fits_schema(&report);
    assert!(!report["receipts"].as_array().expect("receipts").is_empty());
    let keys = store.path().join("keys");
    assert_eq!((mode(&keys), mode(&store.path().join("receipts"))), (0o600, 0o700));
    assert!(!listed(&store.path().join("receipts/new")).is_empty());
    // The secret stays where it is.
    let ring = fs::read_to_string(&keys).expect("keys");
    let secret = ring.split_whitespace().last().expect("a secret").to_owned();
    assert!(!report.to_string().contains(&secret) && !err.contains(&secret));
    // What is stored is judged the same, and with the receipts of the store too.
    let stored = stored_report(store.path());
    let (code, out, _) = run(&["judge", text(&stored), "--store", text(store.path()), "--json"]);
    assert_eq!((code, &json(&out)["verdict"]), (2, &Value::from("open-relay")));
}

#[test]
fn silence_is_believed_after_a_sign_of_life() {
    let sink = free_address();
    let server = postfix::start(postfix::Flavour::Swallows, Some(sink));
    let place = sink.to_string();
    let options = ["--sink", &place, "--prove", "all", "--messages", "40", "--window", "3s", "--wait", "5s"];
    let (code, report, err) = prove(&server, &options);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("accepts-without-relaying")), "{err}");
    assert_eq!(report["settled"], Value::from(true));
    // One message a family leaves others unproven, and then silence settles nothing.
    let (code, report, _) = prove(&server, &["--sink", &place, "--window", "3s", "--wait", "5s", "--again"]);
    assert_eq!((code, &report["verdict"]), (1, &Value::from("suspected")));
}

#[test]
fn failures_that_are_reported_at_once_end_no_wait() {
    let sink = free_address();
    let server = postfix::start(postfix::Flavour::AcceptsThenBounces, Some(sink));
    let place = sink.to_string();
    let options = ["--sink", &place, "--prove", "all", "--messages", "40", "--window", "6s", "--wait", "20s"];
    let begin = Instant::now();
    let (code, report, err) = prove(&server, &options);
    assert!(begin.elapsed() >= Duration::from_secs(6), "{err}");
    let probes = report["probes"].as_array().expect("probes");
    let of = |wanted: &str| probes.iter().filter(|probe| probe["outcome"] == wanted).count();
    assert!(of("accepted-then-bounced") > 0 && of("accepted-no-receipt") == 0, "{err}");
    assert_eq!((code, &report["verdict"]), (0, &Value::from("accepts-without-relaying")), "{err}");
}

/// A receiving server by itself; killed when it is dropped.
struct Standing {
    child: Child,
    told: BufReader<std::process::ChildStderr>,
}

impl Standing {
    fn start(sink: SocketAddr, store: &Path, more: &[&str]) -> Self {
        let place = sink.to_string();
        let options = [&["sink", &place, "--store", text(store)], &TESTER[..6], more].concat();
        let mut child =
            command(&options).stderr(Stdio::piped()).stdin(Stdio::null()).spawn().expect("a sink");
        let mut told = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut line = String::new();
        told.read_line(&mut line).expect("a line");
        assert!(line.starts_with("listening on "), "{line}");
        Self { child, told }
    }

    /// Waits until it says something.
    fn await_line(&mut self, words: &str) {
        loop {
            let mut line = String::new();
            let count = self.told.read_line(&mut line).expect("a line");
            assert!(count > 0, "it ended without saying {words}");
            if line.contains(words) {
                return;
            }
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_late_receipt_moves_a_stored_verdict_and_says_so() {
    let (way_out, own, store) = (free_address(), free_address(), folder());
    // Nobody listens at its way out yet.
    let server = postfix::start(postfix::Flavour::Open, Some(way_out));
    let place = own.to_string();
    let kept = ["--store", text(store.path())];
    let options = ["--sink", &place, "--prove", "all", "--messages", "40", "--window", "2s", "--wait", "3s"];
    let (code, report, err) = prove(&server, &[&options[..], &kept].concat());
    assert_eq!((code, &report["verdict"]), (0, &Value::from("accepts-without-relaying")), "{err}");
    // Another program listens there, on the same store, and the queue is let go.
    let note = store.path().join("note");
    let tell = format!("echo $RELAYPROBE_WAS $RELAYPROBE_VERDICT $RELAYPROBE_TARGET > {}", note.display());
    let mut standing = Standing::start(way_out, store.path(), &["--on-change", &tell]);
    server.wait_for_log(postfix::DEFERRED);
    server.run(postfix::FLUSH);
    standing.await_line("accepts-without-relaying is now open-relay");
    let begin = Instant::now();
    let expected = format!("accepts-without-relaying open-relay {}\n", server.addr.ip());
    while fs::read_to_string(&note).unwrap_or_default() != expected {
        assert!(begin.elapsed() < PATIENCE, "the command was not run");
        std::thread::sleep(Duration::from_millis(20));
    }
    let stored = stored_report(store.path());
    assert_eq!(json(&fs::read_to_string(stored).expect("a report"))["verdict"], "open-relay");
}

#[test]
fn a_run_finds_what_a_standing_sink_received() {
    let (sink, store) = (free_address(), folder());
    let _standing = Standing::start(sink, store.path(), &[]);
    let server = postfix::start(postfix::Flavour::Open, Some(sink));
    let place = sink.to_string();
    let options = ["--stage", "prove", "--store", text(store.path()), "--way-in", &place];
    let (code, report, err) = prove(&server, &options);
    assert_eq!((code, &report["verdict"]), (2, &Value::from("open-relay")), "{err}");
}

#[test]
fn the_desks_own_postfix_receives_for_the_probe_domain() {
    let desk = probe_domain::start(probe_domain::Store::Maildir);
    let maildir = desk.folder().join(probe_domain::MAILDIR);
    let server = postfix::start(postfix::Flavour::Open, Some(desk.addr));
    let store = folder();
    let way_in = desk.addr.to_string();
    let options = ["--receipts", text(&maildir), "--way-in", &way_in, "--store", text(store.path())];
    let (code, report, err) = prove(&server, &options);
    assert_eq!((code, &report["verdict"]), (2, &Value::from("open-relay")), "{err}");
    let relayed = report["receipts"]
        .as_array()
        .expect("receipts")
        .iter()
        .filter(|receipt| receipt["kind"] == "relayed" && receipt["input"] == "mail.target.example");
    // The line that the desk's own server wrote names who handed it over.
    let egress: Vec<&Value> = relayed.map(|receipt| &receipt["egress"]).collect();
    assert!(!egress.is_empty(), "{report}");
    for egress in egress {
        assert_eq!(
            (&egress["kind"], &egress["helo"]),
            (&Value::from("direct"), &Value::from("mail.target.example"))
        );
    }
}

#[test]
fn a_message_from_a_pipe_is_taken_into_the_store() {
    let desk = probe_domain::start(probe_domain::Store::Pipe);
    let piped = desk.folder().join(probe_domain::PIPED);
    let server = postfix::start(postfix::Flavour::Open, Some(desk.addr));
    let store = folder();
    let kept = text(store.path()).to_owned();
    let options = ["--stage", "prove", "--store", &kept, "--wait", "1s", "--case", "snd-null"];
    let (code, report, err) = prove(&server, &options);
    assert_eq!((code, &report["verdict"]), (1, &Value::from("suspected")), "{err}");
    // The transport's program is this one; here it is called by hand, with what Postfix gave to another.
    let begin = Instant::now();
    let message = loop {
        assert!(begin.elapsed() < PATIENCE, "nothing came: {}", desk.log());
        let files = if piped.exists() { listed(&piped) } else { Vec::new() };
        if let Some(name) = files.first() {
            let whole = fs::read(piped.join(name)).expect("a file");
            let start = whole.windows(2).position(|pair| pair == b"\n\n").expect("arguments first") + 2;
            break whole[start..].to_vec();
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let mut child = command(&["receive", "--store", &kept])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    child.stdin.take().expect("it is piped").write_all(&message).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("suspected is now open-relay"), "{told}");
}

/// A message that nobody sent for a run, and one that is a report.
const OTHERS: [(&str, i32); 2] = [
    ("Return-Path: <someone@elsewhere.example>\nReceived: from a by b; now\nSubject: hello\n\nhello\n", 67),
    ("Return-Path: <>\nReceived: from a by b; now\nSubject: Undelivered\n\nsorry\n", 0),
];

#[test]
fn somebodys_mail_is_neither_kept_nor_lost() {
    let place = folder();
    let (store, typo) = (place.path().join("store"), place.path().join("stroe"));
    let config = place.path().join("relayprobe.toml");
    let (code, _, err) =
        run(&[&["init", "--store", text(&store), "--config", text(&config)], &TESTER[..6]].concat());
    assert_eq!(code, 0, "{err}");
    let receive = |store: &Path, options: &[&str], message: &str| {
        let arguments = [&["receive", "--store", text(store)][..], options].concat();
        let mut child =
            command(&arguments).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
        // It may end before it has read.
        let _written = child.stdin.take().expect("it is piped").write_all(message.as_bytes());
        child.wait().expect("it ends").code()
    };
    for (message, refused) in OTHERS {
        for (options, expected) in [(&[][..], 0), (&["--refuse-others"][..], refused)] {
            assert_eq!(receive(&store, options, message), Some(expected), "{message}");
            // Where no store is none is made: the mail stays in the server's queue.
            assert_eq!((receive(&typo, options, message), typo.exists()), (Some(75), false), "{message}");
        }
    }
    assert_eq!(listed(&store.join("receipts/new")), Vec::<String>::new());
    assert_eq!(listed(&store.join("receipts/cur")), Vec::<String>::new());
}

#[test]
fn a_mailbox_that_cannot_be_there_shows_before_anybody_is_asked() {
    let options = ["probe", "127.0.0.1:2525", "--allow-private", "--receipts", "/nonexistent/place/Maildir"];
    let (code, out, err) = run(&[&options[..], &TESTER].concat());
    assert!(code == 74 && out.is_empty() && err.contains("/nonexistent/place/Maildir"), "{code} {err}");
}

#[test]
fn a_first_setup_is_private_and_tells_the_zone() {
    let place = folder();
    let (store, config) = (place.path().join("store"), place.path().join("relayprobe.toml"));
    let options = [
        &["init", "--store", text(&store), "--config", text(&config)],
        &TESTER[..6],
        &["--sink-host", "mx.probe.example", "--sink-ip", "192.0.2.25"],
    ]
    .concat();
    let (code, out, err) = run(&options);
    assert_eq!(code, 0, "{err}");
    assert_eq!((mode(&store), mode(&config), mode(&store.join("keys"))), (0o700, 0o600, 0o600));
    for line in [
        "probe.example.\tIN\tMX\t10 mx.probe.example.",
        "tester.example.\tIN\tMX\t10 mx.probe.example.",
        "mx.probe.example.\tIN\tA\t192.0.2.25",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    // Again: nothing is lost, and a new key leaves the older one where it is.
    let (before, keys) =
        (fs::read(&config).expect("it is there"), fs::read_to_string(store.join("keys")).expect("keys"));
    let again = ["init", "--store", text(&store), "--config", text(&config), "--roll-key"];
    let (code, _, err) = run(&again);
    assert_eq!(code, 0, "{err}");
    assert_eq!(fs::read(&config).expect("it is there"), before);
    let rolled = fs::read_to_string(store.join("keys")).expect("keys");
    assert!(rolled.starts_with(&keys) && rolled.lines().count() == 2, "{}", rolled.lines().count());
    // What was written can be used.
    let (code, _, err) = run(&[
        "probe",
        &format!("127.0.0.1:{}", closed_port()),
        "--allow-private",
        "--profile",
        "lab",
        "--config",
        text(&config),
        "--authorization",
        "own-server:x",
    ]);
    assert_eq!(code, 3, "{err}");
}

#[test]
fn keys_that_others_can_read_are_not_used() {
    let store = folder();
    let options = ["init", "--store", text(store.path()), "--config"];
    let config = store.path().join("c.toml");
    let (code, _, err) = run(&[&options[..], &[text(&config)], &TESTER[..6]].concat());
    assert_eq!(code, 0, "{err}");
    let keys = store.path().join("keys");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).expect("a mode");
    let (code, _, err) = run(&["receive", "--store", text(store.path())]);
    assert!(code == 75 && err.contains("chmod 600"), "{code} {err}");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).expect("a mode");
    for damaged in ["", "x", "0 2026-11-25T00:00:00Z ab"] {
        fs::write(&keys, damaged).expect("a file");
        let (code, _, err) = run(&["receive", "--store", text(store.path())]);
        assert!(code == 75 && err.contains("key"), "{code} {err}");
    }
}

#[test]
fn a_report_without_names_is_judged_the_same() {
    let (sink, place) = (free_address(), folder());
    let server = postfix::start(postfix::Flavour::Open, Some(sink));
    let address = sink.to_string();
    let (_, report, _) = prove(&server, &["--sink", &address]);
    let file = place.path().join("report.json");
    fs::write(&file, report.to_string()).expect("a file");
    let (code, out, err) = run(&["redact", text(&file)]);
    assert_eq!(code, 0, "{err}");
    for name in ["alice", "own-server:cli", "\"cli\""] {
        assert!(!out.contains(name), "{name}");
    }
    let redacted = json(&out);
    assert_fits_schema(&redacted);
    assert_eq!(redacted["verdict"], report["verdict"]);
    let again = place.path().join("redacted.json");
    fs::write(&again, &out).expect("a file");
    let (code, out, _) = run(&["judge", text(&again), "--json"]);
    assert_eq!((code, &json(&out)["verdict"]), (2, &report["verdict"]));
}

#[test]
fn a_store_forgets_what_is_old() {
    let (sink, store) = (free_address(), folder());
    let server = postfix::start(postfix::Flavour::Open, Some(sink));
    let place = sink.to_string();
    let (code, _, err) = prove(&server, &["--sink", &place, "--store", text(store.path())]);
    assert_eq!(code, 2, "{err}");
    let (code, _, _) = run(&["purge", "--store", text(store.path()), "--older-than", "1d"]);
    assert_eq!((code, listed(&store.path().join("reports")).len()), (0, 1));
    std::thread::sleep(Duration::from_millis(1_100));
    let (code, _, err) = run(&["purge", "--store", text(store.path()), "--older-than", "0s"]);
    assert_eq!(code, 0, "{err}");
    for room in ["reports", "runs", "receipts/new", "receipts/cur"] {
        assert_eq!(listed(&store.path().join(room)), Vec::<String>::new(), "{room}");
    }
}

#[test]
fn a_proof_that_nobody_could_see_is_refused() {
    let (code, out, err) =
        run(&[&["probe", "127.0.0.1:1", "--allow-private", "--stage", "prove"], &TESTER[..]].concat());
    assert!(code == 64 && out.is_empty() && err.contains("--sink"), "{code} {err}");
}

/// Two runs of a store against a port where nobody listens: their names, and a token of each.
fn two_runs(store: &Path) -> [(String, String); 2] {
    let nobody = free_address().to_string();
    [0, 1].map(|_| {
        let options = [
            "--allow-private",
            "--again",
            "--stage",
            "prove",
            "--store",
            text(store),
            "--wait",
            "0s",
            "--case",
            "snd-null",
            "--json",
        ];
        let (_, out, err) = run(&[&["probe", &nobody], &TESTER[..], &options].concat());
        let report = if out.is_empty() { panic!("{err}") } else { json(&out) };
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        (text(&report["run"]["run"]), text(&report["run"]["probes"][0]["user"]))
    })
}

fn hand_over(sink: SocketAddr, token: &str) {
    let (mut client, _) = Client::connect(sink);
    assert_eq!(client.ask("EHLO mail.target.example"), "250");
    let message = format!("Message-ID: <{token}.x@probe.example>\r\n\r\ntest");
    let code = client.send(&format!("b{token}@tester.example"), &format!("{token}@probe.example"), &message);
    assert_eq!(code, "250");
}

#[test]
fn a_damaged_report_stops_nobody() {
    let (sink, store) = (free_address(), folder());
    let [(damaged, first), (whole, second)] = two_runs(store.path());
    for room in ["reports", "runs"] {
        let room = store.path().join(room);
        let name = listed(&room).into_iter().find(|name| name.contains(&damaged)).expect("its file");
        let text = fs::read(room.join(&name)).expect("a text");
        fs::write(room.join(&name), &text[..text.len() / 2]).expect("half a text");
        let mut standing = Standing::start(sink, store.path(), &[]);
        hand_over(sink, &first);
        standing.await_line(&name);
        hand_over(sink, &second);
        standing.await_line(&format!("of run {whole}"));
        // What came for it is not lost: once the file is mended, it is taken in.
        fs::write(room.join(&name), &text).expect("a whole text");
        standing.await_line(&format!("of run {damaged}"));
    }
}

#[test]
fn a_foreign_file_in_the_spool_does_not_keep_the_others() {
    let store = folder();
    let [(name, token), _] = two_runs(store.path());
    let sink = free_address();
    let mut standing = Standing::start(sink, store.path(), &[]);
    hand_over(sink, &token);
    standing.await_line(&format!("of run {name}"));
    drop(standing);
    fs::write(store.path().join("receipts/new/0-foreign"), "{").expect("a file");
    std::thread::sleep(Duration::from_millis(1_100));
    let (code, _, err) = run(&["purge", "--store", text(store.path()), "--older-than", "0s"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("0-foreign") && err.contains("5 files older than"), "{err}");
}

#[test]
fn a_mailbox_that_is_not_there_is_told_before_anything_is_sent() {
    // It takes all that a message could be sent for.
    let server = Receiving::start(options());
    let target = server.sink.address().to_string();
    let lab = ["--allow-private", "--profile", "lab", "--wait", "1s", "--case", "snd-null"];
    let nowhere = folder().path().join("missing");
    let (code, out, err) =
        run(&[&["probe", &target], &TESTER[..], &lab, &["--receipts", text(&nowhere)]].concat());
    assert!(out.is_empty() && err.contains("missing"), "{out}{err}");
    assert_eq!((code, server.sink.counts().connections), (74, 0), "{err}");
    // Nor does one file that cannot be read hide the others.
    let maildir = folder();
    for name in ["new", "cur", "tmp", "new/1.not.a.file"] {
        fs::create_dir(maildir.path().join(name)).expect("a folder");
    }
    let here = ["--receipts", text(maildir.path())];
    let (code, out, err) = run(&[&["probe", &target], &TESTER[..], &lab, &here].concat());
    assert_eq!(code, 1, "{out}{err}");
}

#[test]
fn an_edited_report_sends_nothing_to_anybody() {
    let (store, victim) = (folder(), Receiving::start(options()));
    let place = victim.sink.address();
    let nobody = free_address().to_string();
    let lab = ["--allow-private", "--profile", "lab", "--wait", "0s", "--case", "snd-null", "--json"];
    let way = ["--stage", "prove", "--store", text(store.path()), "--way-in", &nobody];
    let (_, out, err) = run(&[&["probe", &free_address().to_string()], &TESTER[..], &lab, &way].concat());
    let mut report = if out.is_empty() { panic!("{err}") } else { json(&out) };
    report["run"]["way_in"] = place.to_string().into();
    let paths = report["run"]["paths"].as_array_mut().expect("paths");
    paths.last_mut().expect("the way in")["port"] = place.port().into();
    for probe in report["run"]["probes"].as_array_mut().expect("probes") {
        probe["user"] = "someone".into();
    }
    let file = store.path().join("edited.json");
    fs::write(&file, report.to_string()).expect("a file");
    let check = ["judge", text(&file), "--store", text(store.path()), "--check-sink"];
    let (code, _, err) = run(&check);
    assert_eq!((code, victim.sink.counts().connections), (64, 0), "{err}");
}
