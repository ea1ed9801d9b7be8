//! The plugin for Nagios: its states, its words, and that it does not hammer a server.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use relayprobe_tests::c_library::{compile, folder, run};
use relayprobe_tests::dialogue::named;
use relayprobe_tests::program::text;
use relayprobe_tests::sockets::Listening;

/// What the plugin reads of a configuration, and a folder of its own for results.
struct Plugin {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Plugin {
    fn new() -> Self {
        let folder = tempfile::tempdir_in(folder()).expect("a folder");
        let config = "# Who tests.\n[identity]\nprobe-domain = \"probe.example\" # ours\nsink-ip = [\"192.0.2.1\", \"2001:db8::1\"]\n\
                      \n[authorization]\nkind = \"own-server\"\nreference = \"mx1\"\nscope = [ \"127.0.0.0/8\" ]\n";
        fs::write(folder.path().join("relayprobe.toml"), config).expect("a file");
        Self {
            program: compile("examples/check_open_relay.c", &["-std=c99", "-fsanitize=address,undefined"]),
            folder,
        }
    }

    fn config(&self) -> String {
        text(&self.folder.path().join("relayprobe.toml")).into()
    }

    fn check(&self, port: u16, more: &[&str]) -> (i32, String) {
        let (config, results, port) = (self.config(), self.folder.path().join("results"), port.to_string());
        let usual = [
            "-H",
            "127.0.0.1",
            "-d",
            "target.example",
            "-c",
            &config,
            "-s",
            text(&results),
            "-l",
            "-p",
            &port,
        ];
        let (status, out, err) = run(&self.program, &[&usual[..], more].concat());
        assert_eq!(err, "");
        (status, out)
    }

    fn result(&self, port: u16, end: &str) -> PathBuf {
        self.folder.path().join(format!("results/127.0.0.1-{port}.json{end}"))
    }
}

#[test]
fn the_plugin_asks_once_a_day_and_shows_the_result_in_between() {
    let plugin = Plugin::new();
    let server = Listening::start(&named("closed-pipelined"));
    let port = server.address.port();
    let (status, first) = plugin.check(port, &[]);
    assert_eq!(status, 0, "{first}");
    assert!(first.starts_with("OPEN RELAY OK - 127.0.0.1: closed, "), "{first}");
    assert!(first.contains(" refused, 0 accepted, tested 0 min ago | refused="), "{first}");
    assert_eq!(first.lines().count(), 1, "{first}");
    let asked = server.server().connections;
    assert!(asked > 0, "it was asked");

    let (status, second) = plugin.check(port, &["-v"]);
    assert_eq!((status, server.server().connections), (0, asked), "it was not asked again: {second}");
    assert!(second.lines().nth(1).is_some_and(|line| line.starts_with("closed: 127.0.0.1")), "{second}");
    assert_eq!(second.matches('|').count(), 1, "{second}");

    // A day and a minute later.
    let begun = fs::read_to_string(plugin.result(port, ".begun")).expect("the time is kept");
    let before = begun.trim().parse::<u64>().expect("seconds") - 86_460;
    fs::write(plugin.result(port, ".begun"), format!("{before:020}\n")).expect("it can be written");
    let (status, third) = plugin.check(port, &[]);
    assert_eq!(status, 0, "{third}");
    assert!(server.server().connections > asked, "it was asked again: {third}");

    // A run that was killed: the server is left alone all the same.
    fs::remove_file(plugin.result(port, "")).expect("there is a result");
    let asked = server.server().connections;
    let (status, fourth) = plugin.check(port, &[]);
    assert_eq!((status, server.server().connections), (3, asked), "{fourth}");
    assert!(fourth.contains("cut off"), "{fourth}");
}

#[test]
fn the_plugin_shows_what_a_server_says_as_it_is() {
    let plugin = Plugin::new();
    let server = Listening::start(&named("banner-percent"));
    let (status, out) = plugin.check(server.address.port(), &["-v"]);
    assert_eq!(status, 0, "{out}");
    assert!(out.starts_with("OPEN RELAY OK") && out.contains("%n%s%99999999d"), "{out}");
}

#[test]
fn the_plugin_has_the_states_of_nagios() {
    let plugin = Plugin::new();
    for (name, status, line) in [
        ("open", 1, "OPEN RELAY WARNING - 127.0.0.1: suspected"),
        ("banner-554", 3, "OPEN RELAY UNKNOWN - 127.0.0.1: tester-blocked"),
        ("tcp-accept-reset", 3, "OPEN RELAY UNKNOWN - 127.0.0.1: unreachable"),
    ] {
        let server = Listening::start(&named(name));
        let found = plugin.check(server.address.port(), &[]);
        assert_eq!(found.0, status, "{name}: {}", found.1);
        assert!(found.1.starts_with(line), "{name}: {}", found.1);
    }
    // A run that takes too long ends politely.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (status, out) = plugin.check(silent.local_addr().expect("an address").port(), &["-t", "1"]);
    assert_eq!(status, 3, "{out}");
    assert!(out.starts_with("OPEN RELAY UNKNOWN - 127.0.0.1: undetermined"), "{out}");
}

#[test]
fn the_plugin_says_what_is_wrong_and_asks_nobody() {
    let plugin = Plugin::new();
    let server = Listening::start(&named("closed-pipelined"));
    let port = server.address.port();
    let config = plugin.config();
    let program = &plugin.program;
    let refused = |arguments: &[&str], words: &str| {
        let (status, out, _) = run(program, arguments);
        assert_eq!(status, 3, "{out}");
        assert!(out.contains(words), "{out}");
    };
    refused(&["-V"], concat!("check_open_relay ", env!("CARGO_PKG_VERSION")));
    refused(&["-h"], "-H HOST");
    refused(&[], "-H HOST and -c CONFIG are needed");
    refused(&["-H", "127.0.0.1", "-c", "/nowhere"], "/nowhere: No such file");
    refused(&["-H", "127.0.0.1", "-c", &config, "-p", "0"], "-p wants a port");
    // No leave for this machine without -l, nor for a server out of scope.
    refused(&["-H", "127.0.0.1", "-c", &config, "-s", text(plugin.folder.path())], "127.0.0.1");
    for (wrong, words) in [
        ("[identity]\nprobe-domain = \"probe.example\"\n", "kind and reference"),
        ("[identity]\nprobe-domain = \"probe.example\"\nHELO = 3\n", ":3: no key with a value"),
        ("[identity]\nprobe-domain = probe.example\n", ":2: no string in quotes"),
        (
            "[identity]\nprobe-domain = \"probe.example\"\ncolour = \"red\"\n[authorization]\nkind = \"request\"\nreference = \"1\"\n",
            ":3: colour is not known here",
        ),
        (
            "[identity]\nprobe-domain = \"probe.example\"\nhelo = \"a b\"\n[authorization]\nkind = \"request\"\nreference = \"1\"\n",
            ":3: name: ",
        ),
        (
            "[identity]\nprobe-domain = \"probe.example\"\n[authorization]\nkind = \"whim\"\nreference = \"1\"\n",
            "who: ",
        ),
    ] {
        fs::write(&config, wrong).expect("a file");
        let (status, out) = plugin.check(port, &[]);
        assert_eq!(status, 3, "{out}");
        assert!(out.contains(words), "{wrong}: {out}");
    }
    assert_eq!(server.server().connections, 0);
}

#[test]
fn the_plugin_keeps_results_where_nobody_else_writes() {
    let plugin = Plugin::new();
    let server = Listening::start(&named("closed-pipelined"));
    let results = plugin.folder.path().join("results");
    fs::create_dir(&results).expect("a folder");
    fs::set_permissions(&results, fs::Permissions::from_mode(0o777)).expect("permissions");
    let (status, out) = plugin.check(server.address.port(), &[]);
    assert_eq!((status, server.server().connections), (3, 0), "{out}");
    assert!(out.contains("only the user who runs this"), "{out}");
}
