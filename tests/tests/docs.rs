//! Documents say what the code does: examples, tables and links.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use relayprobe::Verdict;
use relayprobe::identity::AuthorizationKind;
use relayprobe::plan::{Limits, Measure, Profile, Vantage};
use relayprobe::sink::SinkLimits;
use relayprobe::token;
use relayprobe::verdict::{NoReceipt, Shows, effect};
use relayprobe_tests::dialogue;
use relayprobe_tests::expect;
use relayprobe_tests::program;
use relayprobe_tests::sockets::Listening;

#[path = "../../relayprobe/examples/own_loop.rs"]
#[expect(dead_code, reason = "its main is for people")]
mod own_loop;

#[test]
fn rust_in_the_documents_is_that_of_the_examples() {
    let examples =
        ["survey", "prove", "sweep", "own_loop"].map(|name| read(&format!("relayprobe/examples/{name}.rs")));
    for document in ["README.md", "docs/rust.md"] {
        let text = read(document);
        let blocks: Vec<&str> =
            text.split("```rust\n").skip(1).filter_map(|part| part.split("```").next()).collect();
        assert!(!blocks.is_empty(), "{document} has Rust in it");
        for block in blocks {
            assert!(
                examples.iter().any(|example| example.contains(block)),
                "{document}, in no example:\n{block}"
            );
        }
    }
}

#[test]
fn c_in_the_guide_is_that_of_the_examples() {
    let examples = ["one_call", "agent", "tls", "check_open_relay"];
    let examples = examples.map(|name| trimmed(&read(&format!("relayprobe-ffi/examples/{name}.c"))));
    let guide = read("docs/c.md");
    let mut count = 0;
    for block in guide.split("```c\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        count += 1;
        let block = trimmed(block);
        assert!(examples.iter().any(|example| example.contains(block.trim_end())), "no example has\n{block}");
    }
    assert!(count >= 3, "{count} blocks were compared");
}

/// Without indentation, which lists change.
fn trimmed(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_loop_of_the_guide_finds_what_the_drivers_find() {
    for name in ["closed-pipelined", "closed-lockstep", "open", "pipe-extra"] {
        let dialogue = dialogue::all().into_iter().find(|dialogue| dialogue.name == name).expect(name);
        let server = Listening::start(&dialogue);
        let report = own_loop::run(dialogue.plan(server.address));
        expect::check(&dialogue, &report, Some(&server.server()), "the loop of the guide");
    }
}

#[test]
fn links_lead_to_files() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document");
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            if !document.with_file_name(target).exists() {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links to nothing:\n{}", broken.join("\n"));
}

#[test]
fn every_chapter_is_in_the_book() {
    let summary = read("docs/SUMMARY.md");
    for document in documents() {
        let Ok(chapter) = document.strip_prefix(root().join("docs")) else { continue };
        let chapter = chapter.display().to_string();
        assert!(
            chapter == "SUMMARY.md" || summary.contains(&format!("({chapter})")),
            "{chapter} is not in SUMMARY.md"
        );
    }
}

#[test]
fn options_of_the_readme_are_in_the_chapter_of_the_command_line() {
    let chapter = read("docs/cli.md");
    for document in ["README.md", "docs/verdicts.md", "docs/limits.md"] {
        let text = read(document);
        let words =
            text.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).filter(|word| word.starts_with("--"));
        for option in words.filter(|word| {
            !word.trim_matches('-').is_empty() && !["--release", "--features", "--path"].contains(word)
        }) {
            assert!(chapter.contains(&format!("`{option}")), "{document}: {option} is not in docs/cli.md");
        }
    }
    for kind in AuthorizationKind::ALL {
        assert!(chapter.contains(kind.as_str()), "docs/cli.md has no {}", kind.as_str());
    }
}

#[test]
fn verdicts_stand_with_their_exit_status() {
    for document in ["README.md", "docs/verdicts.md"] {
        let text = read(document);
        for verdict in Verdict::ALL {
            let (head, status) = (format!("| `{verdict}` |"), format!(" {} |", verdict.exit_code()));
            let stands = text.lines().any(|line| line.starts_with(&head) && line.ends_with(&status));
            assert!(stands, "{document} has no row for {verdict} with its status");
        }
    }
}

#[test]
fn words_of_the_report_schema_are_explained() {
    let schema: serde_json::Value = serde_json::from_str(&read("docs/report.schema.json")).expect("a schema");
    let chapter = read("docs/verdicts.md");
    let definitions = schema["$defs"].as_object().expect("definitions");
    for name in ["probe_report", "not_tested", "reason", "verdict", "why"] {
        let definition = definitions.get(name).unwrap_or_else(|| panic!("the schema has no {name}"));
        let mut words = Vec::new();
        collect(definition, &mut words);
        for word in words {
            assert!(
                chapter.contains(&format!("`{word}`")),
                "docs/verdicts.md does not explain {word} ({name})"
            );
        }
    }
}

#[test]
fn the_table_of_measures_is_that_of_the_code() {
    let chapter = read("docs/verdicts.md");
    for measure in [None].into_iter().chain(Measure::ALL.map(Some)) {
        let outside = effect(measure, Vantage::Outside);
        let inside = effect(measure, Vantage::ProviderNetwork);
        let name = measure.map_or("none".to_owned(), |measure| format!("`{}`", measure.as_str()));
        let row = format!(
            "| {name} | {} | {} | {} |",
            shows(outside.shows),
            shows(inside.shows),
            receipt(inside.no_receipt)
        );
        assert!(chapter.contains(&row), "docs/verdicts.md has no row\n{row}");
        for vantage in Vantage::ALL {
            let expected = if vantage == Vantage::Outside { outside } else { inside };
            assert_eq!(
                effect(measure, vantage),
                expected,
                "one column for all that is inside: {}",
                vantage.as_str()
            );
        }
    }
}

fn shows(shows: Shows) -> &'static str {
    match shows {
        Shows::TrueState => "the true state",
        Shows::TrueForThisNetwork => "the state for this network",
        Shows::TheBlock => "the block",
        Shows::AcceptanceOnly => "acceptance only",
        _ => "something new",
    }
}

fn receipt(no_receipt: NoReceipt) -> &'static str {
    match no_receipt {
        NoReceipt::NotRelayed => "was not relayed",
        NoReceipt::Nothing => "means nothing",
        _ => "something new",
    }
}

#[test]
fn the_tables_of_limits_are_those_of_the_code() {
    let chapter = read("docs/limits.md");
    let [patient, brisk, lab] = [Profile::Patient, Profile::Brisk, Profile::Lab].map(Limits::of);
    let seconds = |name: &str, of: fn(&Limits) -> u64| {
        let mut row = format!("| {name} |");
        for limits in [&patient, &brisk, &lab] {
            let millis = of(limits);
            let fraction = if millis.is_multiple_of(1_000) {
                String::new()
            } else {
                format!(".{}", millis % 1_000 / 100)
            };
            write!(row, " {}{fraction} |", millis / 1_000).expect("a string takes it");
        }
        row
    };
    let retries: Vec<String> = patient.retries.iter().map(ToString::to_string).collect();
    let rows = [
        seconds("connect", |limits| limits.deadlines.connect),
        seconds("greeting", |limits| limits.deadlines.greeting),
        seconds("EHLO, HELO, STARTTLS", |limits| limits.deadlines.hello),
        seconds("TLS handshake", |limits| limits.deadlines.handshake),
        seconds("MAIL, RCPT, DATA", |limits| limits.deadlines.envelope),
        seconds("end of a message", |limits| limits.deadlines.message),
        seconds("RSET", |limits| limits.deadlines.reset),
        seconds("write", |limits| limits.deadlines.write),
        seconds("QUIT", |limits| limits.deadlines.quit),
        seconds("connection", |limits| limits.deadlines.connection),
        seconds("run", |limits| limits.deadlines.run),
        seconds("seconds between connections", |limits| limits.pause),
        seconds("seconds after the first `421`, doubled each time", |limits| limits.backoff),
        format!("| deferred cases are asked again after, in seconds | {} | – | – |", retries.join(", ")),
        format!("| octets of a reply line | {} |", brisk.reply.line),
        format!("| lines of a reply | {} |", brisk.reply.lines),
        format!("| octets of a reply | {} |", brisk.reply.reply),
        format!("| octets received on a connection | {} |", brisk.received_per_connection),
        format!("| octets received in a run | {} |", brisk.received_per_run),
        format!("| octets kept of a reply | {} |", brisk.kept_per_reply),
        format!("| octets kept of a connection | {} |", brisk.kept_per_connection),
        format!(
            "| times a probe is asked after its connection was cut or fell out of step | {} |",
            brisk.attempts
        ),
        format!("| messages | {} |", brisk.messages),
        format!("| messages, if more are asked for | {} |", Limits::MOST_MESSAGES),
        format!("| octets of a message | {} |", constant("message/letter.rs", "LIMIT")),
        format!(
            "| seconds after which a message that does not come counts as not relayed | {} |",
            brisk.window
        ),
        format!("A connection brings at most {} messages.", constant("session/proof.rs", "A_CONNECTION")),
    ];
    for row in rows {
        assert!(chapter.contains(&row), "docs/limits.md has no row\n{row}");
    }
}

/// The value of a private constant, read from the source.
fn constant(file: &str, name: &str) -> usize {
    let source = read(&format!("relayprobe/src/{file}"));
    let value =
        source.split(&format!("const {name}: usize = ")).nth(1).and_then(|rest| rest.split(';').next());
    let digits = value.unwrap_or_else(|| panic!("{file} has no {name}")).replace('_', "");
    digits.parse().unwrap_or_else(|fault| panic!("{file}, {name}: {fault}"))
}

#[test]
fn the_limits_of_the_receiving_server_are_those_of_the_code() {
    let chapter = read("docs/proof.md");
    let limits = SinkLimits::default();
    for row in [
        format!("| octets of a message | {} |", limits.message),
        format!("| octets of a command line | {} |", limits.line),
        format!("| connections at once | {} |", limits.connections),
        format!(
            "| connections at once from one peer (IPv4 address, or IPv6 /64) | {} |",
            limits.connections_per_peer
        ),
        format!("| seconds without a word | {} |", limits.idle.as_secs()),
        format!("| seconds of a connection | {} |", limits.session.as_secs()),
        format!("| refusals on a connection | {} |", limits.errors),
        format!("| transactions on a connection | {} |", limits.transactions),
        format!("| recipients of a transaction | {} |", limits.recipients),
        format!("| a token lives | {} days |", token::LIFE / 86_400),
    ] {
        assert!(chapter.contains(&row), "docs/proof.md has no row\n{row}");
    }
}

#[test]
fn the_chapter_of_proof_shows_what_is_sent_and_what_counts() {
    let chapter = read("docs/proof.md");
    let message = read("relayprobe/src/message/golden.txt");
    assert!(chapter.contains(&format!("```text\n{message}```")), "docs/proof.md shows another message");
    let schema: serde_json::Value = serde_json::from_str(&read("docs/report.schema.json")).expect("a schema");
    let kinds = schema["$defs"]["receipt"]["properties"]["kind"]["enum"].as_array().expect("kinds");
    let shown: Vec<&str> = rows(&chapter, "## What counts").collect();
    assert_eq!(shown.len(), kinds.len(), "one row for each kind of receipt: {shown:?}");
    for kind in kinds {
        let head = format!("| `{}` |", kind.as_str().expect("a word"));
        assert!(shown.iter().any(|row| row.starts_with(&head)), "docs/proof.md has no row for {kind}");
    }
    for file in ["main.cf", "pipe.main.cf", "pipe.master.cf"] {
        let recipe = read(&format!("tests/src/servers/probe_domain/{file}"));
        assert!(chapter.contains(&format!("```text\n{recipe}```")), "docs/proof.md does not show {file}");
    }
    let said = read("relayprobe/src/sink/session.rs");
    let refusal = "550 5.7.1 relayprobe: seen, not delivered";
    assert!(chapter.contains(refusal) && said.contains(refusal), "what refuse mode says");
}

/// The rows of the first table behind a heading, without its head.
fn rows<'a>(chapter: &'a str, heading: &str) -> impl Iterator<Item = &'a str> {
    let (_, section) = chapter.split_once(heading).unwrap_or_else(|| panic!("there is no {heading}"));
    let table = section.lines().skip_while(|line| !line.starts_with('|'));
    table.take_while(|line| line.starts_with('|')).skip(2)
}

#[test]
fn the_words_of_dialogues_are_those_of_the_code() {
    let chapter = read("docs/dialogues.md");
    let sources: String = ["dialogue", "script", "sockets", "virtual_time"]
        .map(|file| read(&format!("tests/src/{file}.rs")))
        .concat();
    let sources = sources + &read("tests/tests/dialogues.rs");
    // Words in code, of every row's first cell up to their arguments.
    let documented = |heading: &str| -> Vec<String> {
        let cells = rows(&chapter, heading).filter_map(|row| row.split('|').nth(1).map(str::to_owned));
        let words = |cell: String| -> Vec<String> {
            cell.split('`')
                .skip(1)
                .step_by(2)
                .filter_map(|code| code.split(' ').next())
                .map(Into::into)
                .collect()
        };
        cells.flat_map(words).collect()
    };
    let settings = documented("## The run");
    let asked = ["has(\"", "setting(\"", "key == \""];
    let mut known: Vec<&str> = asked
        .iter()
        .flat_map(|call| sources.split(call).skip(1).filter_map(|rest| rest.split('"').next()))
        .collect();
    known.sort_unstable();
    known.dedup();
    assert!(known.len() > 20, "settings are found in the code: {known:?}");
    for setting in known {
        assert!(settings.iter().any(|word| word == setting), "docs/dialogues.md has no setting {setting}");
    }
    let expectations = documented("## What must come of it");
    let source = read("tests/src/expect.rs");
    let (_, arms) = source.split_once("Some(match key {").expect("the expectations");
    let arms = arms.split("_ =>").next().unwrap_or_default().lines();
    let keys = arms.filter_map(|line| line.strip_prefix("        \"")?.split_once("\" =>"));
    let keys: Vec<&str> = keys.map(|(key, _)| key).collect();
    assert!(keys.len() > 10, "expectations are found in the code: {keys:?}");
    for key in keys {
        assert!(expectations.iter().any(|word| word == key), "docs/dialogues.md has no expectation {key}");
    }
}

#[test]
fn every_option_and_variable_of_the_program_is_in_its_chapter() {
    let chapter = read("docs/cli.md");
    let (_, commands, _) = program::run(&["--help"]);
    let (_, list) = commands.split_once("Commands:\n").expect("commands");
    // Text that is too long for a line goes on farther to the right.
    let names = list.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    let names = names.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() > 7, "commands are found: {names:?}");
    for name in names {
        assert!(chapter.contains(&format!("\nrelayprobe {name} ")), "docs/cli.md has no {name}");
        let (status, help, _) = program::run(&[name, "--help"]);
        assert_eq!(status, 0, "{name} --help");
        let options = help.lines().filter_map(|line| {
            let line = line.trim_start();
            line.strip_prefix("-h, ")
                .unwrap_or(line)
                .split([' ', '.'])
                .next()
                .filter(|word| word.starts_with("--"))
        });
        for option in options.filter(|option| *option != "--help") {
            let stands = [" ", "`", "\\", "]"].iter().any(|end| chapter.contains(&format!("{option}{end}")));
            assert!(stands, "docs/cli.md does not explain {option} of {name}");
        }
    }
    let desk = read("relayprobe/src/cli/desk.rs");
    for variable in desk.split(".env(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(chapter.contains(&format!("| `{variable}` |")), "docs/cli.md does not explain {variable}");
    }
}

/// The budgets are private to the session, so this reads its source.
#[test]
fn the_table_of_budgets_is_that_of_the_code() {
    let chapter = read("docs/limits.md");
    let source = read("relayprobe/src/session/budget.rs");
    let budgets: Vec<(&str, Vec<&str>)> = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => Budget { "))
        .map(|(kind, fields)| {
            let figures = fields.split(|c: char| !c.is_ascii_digit()).filter(|figure| !figure.is_empty());
            (kind, figures.collect())
        })
        .collect();
    assert_eq!(budgets.len(), 5, "kinds of server with a budget");
    for (kind, figures) in budgets {
        let row = format!("| {kind} | {} |", figures.join(" | "));
        assert!(chapter.contains(&row), "docs/limits.md has no row\n{row}");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|fault| panic!("{file}: {fault}"))
}

/// Every Markdown file for people.
fn documents() -> Vec<PathBuf> {
    let folders = [root(), root().join("docs"), root().join("docs/decisions")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let paths = entries.map(|entry| entry.expect("a folder entry").path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect()
}

/// Every `const` and `enum` word within a schema.
fn collect(value: &serde_json::Value, words: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, inner) in fields {
                match (key.as_str(), inner) {
                    ("const", serde_json::Value::String(word)) => words.push(word.clone()),
                    ("enum", serde_json::Value::Array(all)) => {
                        words.extend(all.iter().filter_map(|word| word.as_str().map(str::to_owned)));
                    }
                    _ => collect(inner, words),
                }
            }
        }
        serde_json::Value::Array(all) => all.iter().for_each(|inner| collect(inner, words)),
        _ => {}
    }
}
