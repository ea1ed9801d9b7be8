//! The command line's program, built and run.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

/// Options that say who tests, and by whose leave.
pub const IDENTITY: [&str; 4] = ["--probe-domain", "probe.example", "--authorization", "own-server:demo"];
/// Options for a server of one's own on this machine.
pub const LAB: [&str; 5] = ["--profile", "lab", "--allow-private", "--domain", "target.example"];

/// Runs it, and returns its exit status and what it wrote to standard output and standard error.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command(arguments).stdin(Stdio::null()).output().unwrap();
    let err = String::from_utf8_lossy(&stderr).into_owned();
    assert!(!err.contains("panicked"), "{err}");
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), err)
}

/// Probes a target with the usual options and `more`.
pub fn probe(target: &str, more: &[&str]) -> (i32, String, String) {
    run(&[&["probe", target], &IDENTITY[..], &LAB, more].concat())
}

/// Begins to probe a target, and does not wait for it.
pub fn start(target: &str, more: &[&str]) -> Child {
    let arguments = [&["probe", target], &IDENTITY[..], &LAB, more].concat();
    command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The program with these arguments.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments);
    command
}

/// The program, built once: cargo does not build another package's program for a test.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        forget_this_package(&mut cargo);
        let built = cargo
            .args(["build", "--package", "relayprobe", "--features", "cli", "--bin", "relayprobe"])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(workspace())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(built.status.success(), "relayprobe can be built");
        let messages = String::from_utf8(built.stdout).unwrap();
        let executable = |line| json(line)["executable"].as_str().map(PathBuf::from);
        messages.lines().rev().find_map(executable).expect("cargo says where the program is")
    })
}

/// What cargo tells a test about its own package would have every build script run anew.
pub fn forget_this_package(command: &mut Command) {
    let ours = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(ours)) {
        command.env_remove(name);
    }
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Reads JSON.
pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

/// The schema of reports.
pub fn schema() -> Value {
    schema_of("report")
}

/// A schema of the documentation: of a `report`, or of the summary of a `domain`.
pub fn schema_of(what: &str) -> Value {
    json(&fs::read_to_string(workspace().join(format!("docs/{what}.schema.json"))).unwrap())
}

/// Checks a report against the schema.
pub fn assert_fits_schema(report: &Value) {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    let faults = faults(VALIDATOR.get_or_init(|| validator("report")), report);
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Checks the summary of a domain against its schema.
pub fn assert_fits_domain_schema(summary: &Value) {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    let faults = faults(VALIDATOR.get_or_init(|| validator("domain")), summary);
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Whether a value is a summary of a domain.
pub fn fits_domain_schema(summary: &Value) -> bool {
    validator("domain").is_valid(summary)
}

fn validator(what: &str) -> Validator {
    jsonschema::draft202012::new(&schema_of(what)).unwrap()
}

fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

/// A port on which nothing listens.
pub fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
