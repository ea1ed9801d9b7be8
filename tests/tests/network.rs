//! What a network does to a run: it refuses, hides, or loses packets on the way. In namespaces, as root.

#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relayprobe::Report;
use relayprobe::driver::{self, Stop};
use relayprobe_tests::c_library::compile;
use relayprobe_tests::dialogue::{self, Dialogue};
use relayprobe_tests::hosts::Hosts;
use relayprobe_tests::liar::{Liar, Tcp};
use relayprobe_tests::program;
use relayprobe_tests::sockets::Listening;
use relayprobe_tests::wire::{FAR, Fate, Way, apart, between, ip, payload, unreachable};
use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};

/// The domain of the host with many addresses is this server's.
const KNOWS: &str = "on RCPT TO:<postmaster@manifold.liar.example>: 250 2.1.5 Ok";
/// Messages that are far longer than any command.
const OPEN: &str = "@ cases snd-null\n@ prove all\non RCPT TO:<*@probe.example>: 250 2.1.5 Ok\non DATA: 354 go on\n= asked\n";

fn run(dialogue: &Dialogue, address: SocketAddr) -> (Report, Duration) {
    let begin = Instant::now();
    let report = driver::blocking::run(dialogue.plan(address), &Stop::new(), |_| {});
    (report, begin.elapsed())
}

/// A run over a wire, and how long it took.
fn over(judge: impl Fn(Way, &[u8]) -> Fate + Send + Sync + 'static, text: &str) -> (Report, Duration) {
    let dialogue = dialogue::parse("network", text);
    let served = dialogue.clone();
    let serve = move || {
        let listener = TcpListener::bind((FAR, 0)).expect("a port");
        Listening::start_on(&served, listener).address
    };
    between(judge, serve, |address| run(&dialogue, address))
}

/// The verdict, and how the server could not be reached.
fn word(report: &Report) -> (&str, Value) {
    let data = json!(report);
    (report.verdict.as_str(), data["how"].clone())
}

#[test]
fn a_router_that_says_why_is_heard() {
    // Linux tells programs of some codes in the same words.
    for (code, how) in [
        (0, "no-route"),
        (1, "no-route"),
        (3, "refused"),
        (9, "no-route"),
        (10, "no-route"),
        (13, "no-route"),
    ] {
        let judge = move |way, packet: &[u8]| match way {
            Way::Out => Fate::Answered(unreachable(packet, code)),
            Way::Back => Fate::Passes,
        };
        let (report, took) = over(judge, "= asked\n");
        assert_eq!(word(&report), ("unreachable", json!(how)), "code {code}\n{}", report.text());
        assert!(took < Duration::from_secs(2), "code {code}: {took:?}");
    }
}

#[test]
fn a_route_that_refuses_is_told_from_a_silence() {
    for (kind, how) in [
        ("unreachable", "no-route"),
        ("prohibit", "prohibited"),
        ("throw", "no-route"),
        ("blackhole", "other"),
    ] {
        let (report, took) = apart(|| {
            ip(&["route", "add", kind, "10.99.0.1"]);
            run(&dialogue::parse("network", "= asked\n"), "10.99.0.1:25".parse().expect("an address"))
        });
        assert_eq!(word(&report), ("unreachable", json!(how)), "{kind}\n{}", report.text());
        assert!(took < Duration::from_secs(2), "{kind}: {took:?}");
    }
}

#[test]
fn a_server_beyond_ipv6_that_is_not_there_is_unreachable_at_once() {
    let (report, took) = apart(|| {
        run(&dialogue::parse("network", "= asked\n"), "[2001:db8::1]:25".parse().expect("an address"))
    });
    assert_eq!(word(&report), ("unreachable", json!("no-route")), "{}", report.text());
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// The program, and then another, with a file in the place of the system's resolver configuration.
fn configured(file: &Path, program: &Path, arguments: &[&str]) -> (i32, String) {
    let script = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", "sh", "-c", script]).arg(file).arg(program).args(arguments);
    let output = command.output().expect("unshare");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("a status"), String::from_utf8_lossy(&text).into_owned())
}

/// A resolver configuration.
fn configuration(text: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(text).expect("a file");
    file
}

#[test]
fn a_search_list_makes_no_other_host_of_a_name() {
    let program = program::program();
    let plugin = compile("examples/check_open_relay.c", &["-std=c99"]);
    let who = configuration(
        b"[identity]\nprobe-domain = \"probe.example\"\n[authorization]\nkind = \"own-server\"\nreference = \"x\"\n",
    );
    let results = TempDir::new().expect("a folder");
    apart(|| {
        let liar = Liar::start_on(53, Tcp::Answers);
        let file = configuration(b"search search.example\nnameserver 127.0.0.1\noptions ndots:5\n");
        let server = Hosts::start(&[""], |_| 0);
        // Others fall for it.
        let (_, found) = configured(file.path(), Path::new("getent"), &["ahosts", "searched.test"]);
        assert!(found.contains("127.9.1.1"), "the search list works: {found}");
        let before = liar.names().len();
        let port = server.port.to_string();
        let list = configuration(format!("searched.test:{port}\n").as_bytes());
        let list = program::text(list.path());
        let target = format!("searched.test:{port}");
        for whom in [&[&*target][..], &["searched"], &["--mx", "searched.test"], &["--targets", list]] {
            let arguments = [&["probe"], whom, &program::IDENTITY, &program::LAB].concat();
            let (code, said) = configured(file.path(), program, &arguments);
            assert!(matches!(code, 3 | 64) && said.contains("no such name"), "{whom:?}: {code} {said}");
        }
        let (code, said) = configured(file.path(), program, &["resolve", "searched.test"]);
        assert!(code == 64 && said.contains("no such name"), "{said}");
        let arguments = [
            "-H",
            "searched.test",
            "-c",
            program::text(who.path()),
            "-s",
            program::text(results.path()),
            "-l",
        ];
        let (code, said) = configured(file.path(), &plugin, &[&arguments[..], &["-p", &port]].concat());
        assert!(code == 3 && said.contains("searched.test: "), "{code} {said}");
        let asked = liar.names().split_off(before);
        assert!(asked.iter().all(|name| ["searched", "searched.test"].contains(&&**name)), "{asked:?}");
        assert_eq!(server.seen().connections, [] as [IpAddr; 0]);
    });
}

#[test]
fn a_resolver_configuration_of_any_kind_is_used_or_told() {
    let program = program::program();
    apart(|| {
        let liar = Liar::start_on(53, Tcp::Answers);
        let resolve = |file: &Path| configured(file, program, &["resolve", "host.liar.example"]);
        for broken in [&b""[..], b"# nobody\n", b"nameserver\n", b"nameserver x\n", b"\xff\0\n"] {
            let (code, said) = resolve(configuration(broken).path());
            assert!(code == 74 && said.contains("the system names no DNS server"), "{broken:?}: {said}");
            assert!(said.contains("--dns ADDRESS"), "{said}");
        }
        // It can be opened, and not be read.
        let (code, said) = resolve(Path::new("/proc/self/mem"));
        assert!(code == 74 && said.contains("the system names no DNS server"), "{said}");
        let many: Vec<String> = (1..=50).map(|at| format!("nameserver 127.0.0.{at}")).collect();
        for usable in [&*many.join("\n"), "nameserver fe80::1%lo\nnameserver 127.0.0.1\n"] {
            let (code, said) = resolve(configuration(usable.as_bytes()).path());
            assert!(code == 0 && said.contains("127.9.1.1"), "{usable}: {said}");
        }
        assert!(!liar.names().is_empty());
    });
}

#[test]
fn packets_that_never_come_are_a_timeout() {
    let (report, took) = over(|_, _| Fate::Vanishes, "= asked\n");
    assert_eq!(word(&report), ("unreachable", json!("timed-out")), "{}", report.text());
    assert!(took < Duration::from_secs(12), "{took:?}");
}

/// A firewall that lets the handshake pass, and from some packet on nothing more.
#[test]
fn packets_that_vanish_on_the_way_never_make_a_verdict() {
    let after = |last: usize| {
        let seen = AtomicUsize::new(0);
        let judge = move |_, packet: &[u8]| {
            let carries = payload(packet).is_some_and(|octets| octets > 0);
            let seen = seen.fetch_add(usize::from(carries), Ordering::Relaxed);
            if seen >= last && carries { Fate::Vanishes } else { Fate::Passes }
        };
        let (report, took) = over(judge, "= asked\n");
        assert_eq!(report.exit_code, 3, "after {last}: {}", report.text());
        assert!(took < Duration::from_secs(40), "after {last}: {took:?}");
    };
    thread::scope(|scope| {
        for last in [0, 1, 2, 5, 9, 14, 20] {
            scope.spawn(move || after(last));
        }
    });
}

#[test]
fn a_message_that_does_not_fit_through_is_possibly_delivered_and_never_sent_again() {
    let bodies = AtomicUsize::new(0);
    let judge = move |_, packet: &[u8]| {
        // Small replies and commands pass, and nobody says that the rest is too long.
        let fits = packet.len() <= 700;
        bodies.fetch_add(usize::from(!fits), Ordering::Relaxed);
        if fits { Fate::Passes } else { Fate::Vanishes }
    };
    let (report, took) = over(judge, OPEN);
    assert_eq!(report.verdict.as_str(), "suspected", "{}", report.text());
    let probe = report.probes.iter().find(|probe| probe.case == "snd-null").expect("the case");
    assert_eq!(probe.outcome.as_str(), "accepted-pending", "{}", report.text());
    assert!(took < Duration::from_secs(25), "{took:?}");
    let transcript = report.transcript_text();
    assert_eq!(transcript.matches("C: DATA").count(), 1, "{transcript}");
}

#[test]
fn an_answer_that_does_not_fit_through_is_no_answer() {
    let judge = |way, packet: &[u8]| match way {
        Way::Back if packet.len() > 700 => Fate::Vanishes,
        _ => Fate::Passes,
    };
    let long = "on EHLO*: 250-mx.target.example|!flood 60 250-XKEYWORDXKEYWORDXKEYWORD\\x0d\\x0a|250 HELP\n= asked\n";
    let (report, took) = over(judge, long);
    assert_eq!(report.exit_code, 3, "{}", report.text());
    assert!(took < Duration::from_secs(40), "{took:?}");
}

/// An ICMP error in the middle is a hint that anybody can send (RFC 5927): TCP goes on, and so does the run.
#[test]
fn an_error_message_in_the_middle_ends_nothing() {
    let once = Mutex::new(0);
    let judge = move |way, packet: &[u8]| {
        let carries = payload(packet).is_some_and(|octets| octets > 0);
        if way == Way::Out && carries {
            let mut count = once.lock().expect("a number");
            *count += 1;
            if *count % 5 == 1 {
                return Fate::Answered(unreachable(packet, 1));
            }
        }
        Fate::Passes
    };
    let (report, took) = over(judge, "@ offers PIPELINING\n= asked\n");
    assert_eq!(report.verdict.as_str(), "closed", "{}\n{}", report.text(), report.transcript_text());
    assert!(took < Duration::from_secs(25), "{took:?}");
}

/// One address has no route, one is silent, one answers: three targets, and what one says is no other's verdict.
#[test]
fn the_addresses_of_a_host_are_never_mixed() {
    // Built before the network is gone.
    program::program();
    let begin = Instant::now();
    let (code, out, err) = between(
        |_, _| Fate::Vanishes,
        || (),
        |()| {
            let (hosts, liar) = (Hosts::start(&[KNOWS], |_| 0), Liar::start(Tcp::Answers));
            let (port, dns) = (hosts.port.to_string(), liar.addr.to_string());
            let target =
                ["probe", "--mx", "manifold.liar.example", "--ports", &port, "--dns", &dns, "--json"];
            program::run(
                &[&target[..], &program::IDENTITY, &["--profile", "lab", "--allow-private"]].concat(),
            )
        },
    );
    assert!(begin.elapsed() < Duration::from_secs(40), "{:?}", begin.elapsed());
    let mut reports: Vec<Value> = out.lines().map(program::json).collect();
    let summary = reports.pop().expect("a summary");
    assert_eq!((code, reports.len()), (3, 3), "{err}");
    assert_ne!(summary["verdict"], "closed", "{summary}");
    for report in &reports {
        let address = report["run"]["target"]["address"].as_str().expect("an address");
        let expected = match address {
            "127.9.1.1" => ("closed", Value::Null),
            "10.87.0.2" => ("unreachable", json!("timed-out")),
            "2001:db8::1" => ("unreachable", json!("no-route")),
            other => panic!("nobody knows {other}"),
        };
        assert_eq!(
            (report["verdict"].as_str(), &report["how"]),
            (Some(expected.0), &expected.1),
            "{address}"
        );
        let heard = report["transcript"].to_string().contains("\"what\":\"reply\"");
        assert_eq!(heard, address == "127.9.1.1", "{address} has the words of another");
    }
}
