//! The way of the data, kept: a module imports only from its left, and only drivers and programs need `std`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The top-level modules of the library in the order of the data.
const ORDER: [&str; 25] = [
    "octets",
    "moment",
    "link",
    "address",
    "wire",
    "target",
    "identity",
    "lookup",
    "matrix",
    "token",
    "message",
    "plan",
    "transcript",
    "refusal",
    "session",
    "trace",
    "receipt",
    "outcome",
    "verdict",
    "report",
    "driver",
    "dns",
    "mailbox",
    "sink",
    "cli",
];

/// Modules that may use `std`: sockets, clocks and files live there.
const WITH_STD: [&str; 5] = ["driver", "dns", "mailbox", "sink", "cli"];

#[test]
fn every_module_has_its_place_in_the_order() {
    let library = code(&source().join("lib.rs"));
    let declared = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let mut declared: Vec<&str> = declared.collect();
    let mut ordered = ORDER.to_vec();
    declared.sort_unstable();
    ordered.sort_unstable();
    assert_eq!(declared, ordered, "modules of lib.rs, and the order in this test");
}

#[test]
fn a_module_imports_only_from_its_left() {
    let exports = exports();
    let mut wrong = Vec::new();
    for (module, file) in files() {
        for (line, text) in code(&file).lines().enumerate().map(|(at, text)| (at + 1, text)) {
            for name in crate_paths(text) {
                let from = exports.get(&name).unwrap_or(&name);
                match (place(from), place(&module)) {
                    (None, _) if name == "{" => {
                        wrong.push(format!("{}:{line}: a `use` for each module, please", shown(&file)));
                    }
                    (None, _) => wrong.push(format!("{}:{line}: no module is called {name}", shown(&file))),
                    (from_place, own) if from != &module && from_place > own => {
                        wrong.push(format!("{}:{line}: {module} imports from {from}", shown(&file)));
                    }
                    _ => {}
                }
            }
            // A path that climbs out of its module hides where it leads.
            let climb = if file.parent() == Some(&source()) { "super::" } else { "super::super::" };
            if text.contains(climb) {
                wrong.push(format!("{}:{line}: write crate:: instead of {climb}", shown(&file)));
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the order {ORDER:?}:\n{}", wrong.join("\n"));
}

#[test]
fn the_core_does_not_name_std() {
    let core = files().into_iter().filter(|(module, _)| !WITH_STD.contains(&module.as_str()));
    let mut wrong = Vec::new();
    for (_, file) in core.chain([("lib".to_owned(), source().join("lib.rs"))]) {
        for (at, text) in code(&file).lines().enumerate() {
            if after(text, "std").any(|rest| rest.starts_with("::") || rest.starts_with(';')) {
                wrong.push(format!("{}:{}: {}", shown(&file), at + 1, text.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "std in the core:\n{}", wrong.join("\n"));
}

#[test]
fn paths_are_found_wherever_they_stand() {
    assert_eq!(crate_paths("use crate::plan::{Budget, Names};"), ["plan"]);
    assert_eq!(crate_paths("use crate::{link::Loss, wire::{Code, Reply}, Plan};"), ["{"]);
    assert_eq!(crate_paths("fn f(x: &crate::octets::Octets) -> crate::Plan {"), ["octets", "Plan"]);
    assert_eq!(crate_paths("use relayprobe_crate::x; pub(crate) fn f() {}"), [""; 0]);
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("relayprobe").join("src")
}

/// Every source file of the library with its top-level module, test files left out.
fn files() -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    for module in ORDER {
        files.push((module.to_owned(), source().join(format!("{module}.rs"))));
        collect(module, &source().join(module), &mut files);
    }
    files
}

fn collect(module: &str, folder: &Path, files: &mut Vec<(String, PathBuf)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("a folder entry").path()) {
        if path.is_dir() {
            collect(module, &path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
            files.push((module.to_owned(), path));
        }
    }
}

/// The code of a file, line by line: comments are blanked, and tests, which stand last, are left out.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
    let (code, tests) = text.split_once("#[cfg(test)]\n").unwrap_or((&text, ""));
    // Were anything behind the tests, it would not be looked at.
    let last = tests.lines().skip(1).all(|line| line.is_empty() || line == "}" || line.starts_with(' '));
    let is_tests = tests.is_empty() || tests.starts_with("mod tests");
    assert!(is_tests && last, "{}: tests stand at the end, in `mod tests`", shown(file));
    let uncommented = |line: &str| {
        let comment = line.trim_start().starts_with("//");
        let kept = if comment { "" } else { line.split(" // ").next().unwrap_or_default() };
        format!("{kept}\n")
    };
    code.lines().map(uncommented).collect()
}

/// What `crate::` leads to, for each path on a line; `{` for a group of paths.
fn crate_paths(line: &str) -> Vec<String> {
    let first = |text: &str| match text.strip_prefix('{') {
        Some(_) => "{".to_owned(),
        None => text.chars().take_while(|&c| is_name(c)).collect(),
    };
    after(line, "crate").filter_map(|rest| rest.strip_prefix("::")).map(first).collect()
}

/// What follows a word, wherever it stands by itself.
fn after<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(word)
        .filter(|&(at, _)| !line[..at].ends_with(|c: char| is_name(c) || c == ':'))
        .map(move |(at, _)| &line[at + word.len()..])
}

const fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The names that lib.rs exports again, with their modules.
fn exports() -> BTreeMap<String, String> {
    let library = code(&source().join("lib.rs"));
    let mut exports = BTreeMap::new();
    for line in library.lines().filter_map(|line| line.strip_prefix("pub use ")) {
        let (module, names) = line.split_once("::").expect("a module and its names");
        for name in names.trim_matches(['{', '}', ';']).split(',') {
            exports.insert(name.trim().to_owned(), module.to_owned());
        }
    }
    exports
}

fn place(module: &str) -> Option<usize> {
    ORDER.iter().position(|&name| name == module)
}

fn shown(file: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(""));
    file.strip_prefix(root).unwrap_or(file).display().to_string()
}
