//! Where what is printed cannot go: no command panics, and its exit status says so.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};

use relayprobe_tests::dialogue;
use relayprobe_tests::liar::{Liar, Tcp};
use relayprobe_tests::program::{IDENTITY, LAB, command, json, text};
use relayprobe_tests::sockets::Listening;
use tempfile::TempDir;

/// Where a stream of a command goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Kept,
    /// A disk without room.
    Full,
    /// A reader that has gone away.
    Gone,
}

impl Place {
    fn open(self) -> Stdio {
        match self {
            Self::Kept => Stdio::piped(),
            Self::Full => OpenOptions::new().write(true).open("/dev/full").expect("a full disk").into(),
            Self::Gone => io::pipe().expect("a pipe").1.into(),
        }
    }
}

/// A room with a stored report and a list of targets, a mail server and a DNS server, for commands that want them.
struct Room {
    folder: TempDir,
    server: Listening,
    names: Liar,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Listening::start(&dialogue::parse("closed", "= verdict closed\n"));
        let room = Self { folder, server, names: Liar::start(Tcp::Answers) };
        let done = run(&room.probing(&["--json"]), Place::Kept, Place::Kept);
        fs::write(room.path("report.json"), &done.stdout).expect("it can be written");
        fs::write(room.path("probing.txt"), "Contact: mailto:abuse@probe.example\n")
            .expect("it can be written");
        fs::write(room.path("lists.toml"), "[[lists]]\nzone = \"good.liar.example\"\n")
            .expect("it can be written");
        fs::write(room.path("targets"), format!("{}\n", room.server.address)).expect("it can be written");
        room
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        text(&self.path(name)).to_owned()
    }

    fn probing(&self, more: &[&str]) -> Vec<String> {
        let target = self.server.address.to_string();
        [&["probe", &*target], &IDENTITY[..], &LAB, more].concat().into_iter().map(str::to_owned).collect()
    }

    /// Commands that print a result, each good for any number of times.
    fn commands(&self) -> Vec<Vec<String>> {
        let (dns, there) = (self.names.addr.to_string(), self.name("probing.txt"));
        let lists = self.name("lists.toml");
        let report = self.name("report.json");
        let check = ["self-check", "--probe-domain", "probe.example"];
        let fixed = [
            vec!["--help"],
            vec!["--version"],
            vec!["help", "probe"],
            vec!["cases"],
            vec!["cases", "--json"],
            vec!["cases", "--markdown"],
            vec!["demo"],
            vec!["demo", "--json"],
            vec!["judge", &report],
            vec!["judge", &report, "--json"],
            vec!["redact", &report],
            vec!["resolve", "rebinding.liar.example", "--dns", &dns],
            vec!["resolve", "rebinding.liar.example", "--dns", &dns, "--json"],
            vec!["listings", "192.0.2.1", "--config", &lists, "--dns", &dns],
            [&check[..], &["--dns", &dns, "--probing-txt", &there]].concat(),
            [&check[..], &["--dns", &dns, "--probing-txt", &there, "--json"]].concat(),
            [&check[..], &["--write-probing-txt", "-"]].concat(),
        ];
        let mut commands: Vec<Vec<String>> =
            fixed.iter().map(|command| command.iter().map(|&word| word.to_owned()).collect()).collect();
        commands.push(self.probing(&[]));
        commands.push(self.probing(&["--json"]));
        commands
    }
}

/// Runs the program, its two streams going there.
fn run(arguments: &[String], out: Place, err: Place) -> Output {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = command(&arguments);
    command.stdin(Stdio::null()).stdout(out.open()).stderr(err.open());
    command.spawn().expect("it begins").wait_with_output().expect("it ends")
}

fn code(done: &Output) -> i32 {
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(!err.contains("panicked"), "{err}");
    done.status.code().expect("no signal ends it")
}

#[test]
fn a_result_that_cannot_be_written_ends_with_74_and_one_that_nobody_wants_as_usual() {
    let room = Room::new();
    for arguments in room.commands() {
        let usual = run(&arguments, Place::Kept, Place::Kept);
        assert!(!usual.stdout.is_empty(), "{arguments:?} {usual:?}");
        let full = run(&arguments, Place::Full, Place::Kept);
        assert_eq!(code(&full), 74, "{arguments:?} {full:?}");
        let told = String::from_utf8_lossy(&full.stderr).into_owned();
        assert!(told.contains("standard output"), "{arguments:?} {told}");
        assert_eq!(code(&run(&arguments, Place::Gone, Place::Kept)), code(&usual), "{arguments:?}");
    }
}

#[test]
fn a_sweep_whose_reports_cannot_be_written_ends_with_74_and_one_that_nobody_wants_stops() {
    let room = Room::new();
    let targets = room.name("targets");
    let sweep = [&["probe", "--targets", &*targets], &IDENTITY[..], &LAB].concat();
    let sweep: Vec<String> = sweep.into_iter().map(str::to_owned).collect();
    for (place, expected) in [(Place::Kept, 0), (Place::Full, 74), (Place::Gone, 3)] {
        let done = run(&sweep, place, Place::Kept);
        assert_eq!(code(&done), expected, "{place:?} {done:?}");
    }
}

#[test]
fn words_that_cannot_be_said_change_no_result() {
    let room = Room::new();
    let wrong = ["--nonsense", "probe", "judge /nowhere", "redact /nowhere"];
    let wrong = wrong.map(|line| line.split(' ').map(str::to_owned).collect());
    for arguments in room.commands().into_iter().chain(wrong) {
        let usual = run(&arguments, Place::Kept, Place::Kept);
        for place in [Place::Full, Place::Gone] {
            let done = run(&arguments, Place::Kept, place);
            assert_eq!(code(&done), code(&usual), "{arguments:?} {place:?}");
            assert_eq!(done.stdout.is_empty(), usual.stdout.is_empty(), "{arguments:?} {place:?}");
            let both = run(&arguments, Place::Full, place);
            assert_eq!(code(&both), if usual.stdout.is_empty() { code(&usual) } else { 74 }, "{arguments:?}");
        }
    }
}

#[test]
fn what_is_kept_is_kept_though_nothing_can_be_printed() {
    let room = Room::new();
    let store = room.name("store");
    let done = run(&room.probing(&["--store", &store]), Place::Full, Place::Kept);
    assert_eq!(code(&done), 74, "{done:?}");
    let reports = Path::new(&store).join("reports");
    let report = fs::read_dir(reports).expect("reports").next().expect("one").expect("an entry").path();
    let report = json(&fs::read_to_string(report).expect("a report"));
    assert_eq!(report["verdict"], "closed");
    // A first set-up prints its zone last.
    let config = room.name("config");
    let options = ["init", "--config", &*config, "--store", &*store, "--probe-domain", "probe.example"];
    let done = run(&options.map(str::to_owned), Place::Full, Place::Kept);
    assert!(code(&done) == 74 && Path::new(&config).exists(), "{done:?}");
    // What has no result says nothing.
    let options = ["purge", "--store", &*store, "--older-than", "1d"].map(str::to_owned);
    assert_eq!(code(&run(&options, Place::Full, Place::Full)), 0);
}
