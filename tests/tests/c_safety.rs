//! The rules of the C interface, its NULLs, and calls in any order: under `AddressSanitizer`, `UndefinedBehaviorSanitizer`,
//! `LeakSanitizer` and valgrind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use relayprobe_tests::c_library::{compile, folder, run, succeed};
use relayprobe_tests::c_nulls;
use relayprobe_tests::dialogue::named;
use relayprobe_tests::program::{text, workspace};
use relayprobe_tests::sockets::Listening;

/// POSIX for `strdup`, which C99 has not.
const LANGUAGE: [&str; 2] = ["-std=c99", "-D_POSIX_C_SOURCE=200809L"];
const SANITIZERS: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

fn sanitized(source: &str) -> PathBuf {
    compile(source, &[&LANGUAGE[..], &SANITIZERS].concat())
}

fn run_sanitized(program: &Path, arguments: &[&str]) {
    succeed(
        Command::new(program)
            .args(arguments)
            .env("ASAN_OPTIONS", "detect_leaks=1:detect_stack_use_after_return=1"),
    );
}

fn under_valgrind(program: &Path, arguments: &[&str]) {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=all"]);
    succeed(valgrind.arg(program).args(arguments));
}

fn nulls() -> String {
    let header =
        fs::read_to_string(workspace().join("relayprobe-ffi/include/relayprobe.h")).expect("the header");
    let source = folder().join("nulls.c");
    fs::write(&source, c_nulls::program(&header)).expect("the program can be written");
    fs::copy(workspace().join("relayprobe-ffi/tests/c/check.h"), folder().join("check.h"))
        .expect("check.h is there");
    text(&source).to_owned()
}

#[test]
fn the_rules_hold_under_sanitizers() {
    run_sanitized(&sanitized("tests/c/rules.c"), &[]);
}

#[test]
fn the_rules_hold_under_valgrind() {
    under_valgrind(&compile("tests/c/rules.c", &LANGUAGE), &[]);
}

#[test]
fn every_function_takes_every_null_under_sanitizers_and_valgrind() {
    let source = nulls();
    run_sanitized(&sanitized(&source), &[]);
    under_valgrind(&compile(&source, &LANGUAGE), &[]);
}

#[test]
fn threads_are_told_apart() {
    run_sanitized(&compile("tests/c/threads.c", &[&LANGUAGE[..], &SANITIZERS, &["-pthread"]].concat()), &[]);
    under_valgrind(&compile("tests/c/threads.c", &[&LANGUAGE[..], &["-pthread"]].concat()), &[]);
}

#[test]
fn calls_in_any_order_do_no_harm_under_sanitizers() {
    let program = sanitized("tests/c/random.c");
    for seed in 0..40 {
        run_sanitized(&program, &[&seed.to_string(), "20000"]);
    }
}

#[test]
fn calls_in_any_order_do_no_harm_under_valgrind() {
    let program = compile("tests/c/random.c", &LANGUAGE);
    for seed in 1000..1004 {
        under_valgrind(&program, &[&seed.to_string(), "2000"]);
    }
}

/// The examples are clean too, with a server at the other end.
#[test]
fn the_examples_leak_nothing() {
    for name in ["closed-pipelined", "open", "tcp-accept-reset"] {
        let server = Listening::start(&named(name));
        let (address, port) = (server.address.to_string(), server.address.port().to_string());
        let agent = compile("examples/agent.c", &[&["-std=c99"][..], &SANITIZERS].concat());
        let (status, out, err) = run(&agent, &["-l", &address]);
        assert_eq!((status, err.as_str()), (0, ""), "{name}: {out}");
        let one_call = compile("examples/one_call.c", &[&["-std=c99"][..], &SANITIZERS].concat());
        let (status, _, err) = run(&one_call, &["127.0.0.1", &port, "lab"]);
        assert!(status <= 3 && err.is_empty(), "{name}: {status} {err}");
    }
}
