//! What the command line says of itself: its commands and their options.

use crate::program::run;

/// A command or an option.
#[derive(Debug)]
pub struct Entry {
    /// `probe`, or `domain` for `--domain`.
    pub name: String,
    /// What stands after it: `HOST[:PORT]`, or `DOMAIN`.
    pub argument: String,
    /// What it is.
    pub text: String,
}

/// The commands, without `help`.
#[must_use]
pub fn commands() -> Vec<Entry> {
    let (_, help, _) = run(&["--help"]);
    let part = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("commands");
    let mut found: Vec<Entry> = Vec::new();
    for line in part.lines() {
        match (indent(line), line.trim().split_once("  "), found.last_mut()) {
            (2, Some((name, text)), _) => {
                found.push(Entry { name: name.into(), argument: String::new(), text: text.trim().into() });
            }
            (_, _, Some(last)) => append(&mut last.text, line),
            other => panic!("{line}: {other:?}"),
        }
    }
    found.retain(|command| command.name != "help");
    for command in &mut found {
        command.argument = usage(&command.name);
    }
    found
}

/// What a command wants, such as `[OPTIONS] <REPORT>`.
fn usage(command: &str) -> String {
    let (_, help, _) = run(&[command, "--help"]);
    let usage = help.split("Usage: ").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("usage");
    usage.split_whitespace().skip(2).collect::<Vec<_>>().join(" ")
}

/// The options of a command, without `--help`.
#[must_use]
pub fn options(command: &str) -> Vec<Entry> {
    let (_, help, _) = run(&[command, "--help"]);
    let mut found: Vec<Entry> = Vec::new();
    let mut open = false;
    for line in help.lines() {
        let body = line.trim();
        if (1..=6).contains(&indent(line)) && body.starts_with('-') {
            let (head, text) = body.split_once("  ").unwrap_or((body, ""));
            let rest = head.split("--").nth(1).expect("a long name");
            let (name, argument) = rest.split_once(' ').unwrap_or((rest, ""));
            found.push(Entry {
                name: name.trim_end_matches('.').into(),
                argument: argument.trim_matches(['<', '>', '.', '[', ']']).into(),
                text: text.trim().into(),
            });
            open = true;
        } else if let (true, 9.., Some(last)) = (open, indent(line), found.last_mut()) {
            append(&mut last.text, line);
        } else {
            open = false;
        }
    }
    found.retain(|option| option.name != "help" && option.name != "version");
    found
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn append(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(line.trim());
}
