//! Programs in C against the installed library: that they compile, link and find what Rust finds.

use std::fs;
use std::path::Path;
use std::process::Command;

use relayprobe::Report;
use relayprobe_tests::c_library::{
    STRICT, compile, compile_with, folder, install, installed, pkg_config, pkg_config_of, run, succeed,
};
use relayprobe_tests::dialogue::named;
use relayprobe_tests::expect;
use relayprobe_tests::program::{text, workspace};
use relayprobe_tests::sockets::Listening;

#[test]
fn the_header_is_good_c_of_every_age_and_good_cxx() {
    for standard in ["-std=c99", "-std=c11", "-std=c17", "-std=c2x"] {
        let program = compile("tests/c/header.c", &[standard, "-Wconversion", "-Wstrict-prototypes"]);
        assert_eq!(run(&program, &[]), (0, concat!(env!("CARGO_PKG_VERSION"), "\n").into(), String::new()));
    }
    for standard in ["-std=c++11", "-std=c++20"] {
        let program = compile_with("c++", "tests/c/header.c", &["-xc++", standard, "-Wconversion"]);
        assert_eq!(run(&program, &[]).0, 0, "{standard}");
    }
}

#[test]
fn only_what_the_list_names_is_exported() {
    let library = installed().join("lib/librelayprobe.so");
    let said = succeed(Command::new("nm").args(["-D", "--defined-only", text(&library)])).stdout;
    let said = String::from_utf8(said).expect("names");
    let mut exported: Vec<&str> = said.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    exported.sort_unstable();
    let list = fs::read_to_string(workspace().join("relayprobe-ffi/symbols.txt")).expect("the list");
    assert_eq!(exported, list.lines().collect::<Vec<_>>(), "relayprobe-ffi/symbols.txt");
    assert!(exported.iter().all(|name| name.starts_with("relayprobe_")));
    let header =
        fs::read_to_string(workspace().join("relayprobe-ffi/include/relayprobe.h")).expect("the header");
    for name in exported {
        assert!(header.contains(&format!("{name}(")), "{name} is not in the header");
    }
}

#[test]
fn the_shared_library_has_its_name_and_needs_the_c_library_alone() {
    let library = installed().join("lib/librelayprobe.so");
    let said = succeed(Command::new("readelf").args(["-dW", text(&library)])).stdout;
    let said = String::from_utf8(said).expect("a table");
    let values = |tag: &str| -> Vec<String> {
        let lines = said.lines().filter(|line| line.contains(tag));
        lines.filter_map(|line| Some(line.split_once('[')?.1.split(']').next()?.to_owned())).collect()
    };
    assert_eq!(values("(SONAME)"), ["librelayprobe.so.0.1"]);
    for needed in values("(NEEDED)") {
        let system = ["libc.so.", "libgcc_s.so.", "libm.so.", "ld-linux"];
        assert!(system.iter().any(|start| needed.starts_with(start)), "it needs {needed}");
    }
    let symbols = succeed(Command::new("nm").args(["-C", text(&library)])).stdout;
    let symbols = String::from_utf8_lossy(&symbols).into_owned();
    assert!(!symbols.contains("tokio"), "tokio is inside");
    // Undefined symbols are what it asks of the system: no thread is made, and no signal handled.
    let asked = succeed(Command::new("nm").args(["-D", "--undefined-only", text(&library)])).stdout;
    let asked = String::from_utf8(asked).expect("names");
    for call in ["pthread_create", "sigaction", "signal", "fork", "posix_spawnp"] {
        let wanted = |line: &str| {
            line.split_whitespace().last().is_some_and(|name| name.split('@').next() == Some(call))
        };
        assert!(!asked.lines().any(wanted), "it asks for {call}");
    }
}

#[test]
fn no_asynchronous_runtime_is_inside() {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--package", "relayprobe-ffi", "--edges", "normal", "--prefix", "none"]);
    let said = String::from_utf8(succeed(tree.current_dir(workspace())).stdout).expect("a list");
    let names: Vec<&str> = said.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"rustls"), "{said}");
    assert!(!names.contains(&"tokio"), "{said}");
}

#[test]
fn a_staged_installation_is_found_by_pkg_config_and_links_statically() {
    let stage = tempfile::tempdir_in(folder()).expect("a folder");
    install("dev", stage.path(), Path::new("/opt/probe"));
    for file in [
        "include/relayprobe.h",
        "lib/librelayprobe.a",
        "lib/librelayprobe.so.0.1",
        "lib/librelayprobe.so",
        "lib/pkgconfig/relayprobe.pc",
        "lib/cmake/relayprobe/relayprobe-config.cmake",
        "share/man/man3/librelayprobe.3",
    ] {
        assert!(stage.path().join("opt/probe").join(file).exists(), "{file}");
    }
    let pc = fs::read_to_string(stage.path().join("opt/probe/lib/pkgconfig/relayprobe.pc")).expect("a file");
    assert!(pc.starts_with("prefix=/opt/probe\n"), "{pc}");
    assert!(!pc.contains('@'), "{pc}");

    let program = stage.path().join("static");
    let mut flags = pkg_config(installed(), &["--cflags", "--libs", "--static"]);
    for flag in &mut flags {
        if flag == "-lrelayprobe" {
            *flag = "-l:librelayprobe.a".into();
        }
    }
    let source = workspace().join("relayprobe-ffi/tests/c/header.c");
    succeed(
        Command::new("cc").args(["-std=c99"]).args(STRICT).arg(source).arg("-o").arg(&program).args(flags),
    );
    assert_eq!(run(&program, &[]).0, 0);
    let needed = succeed(Command::new("readelf").args(["-dW", text(&program)])).stdout;
    assert!(!String::from_utf8_lossy(&needed).contains("librelayprobe"), "it is linked statically");
}

#[test]
fn cmake_finds_the_package() {
    let build = tempfile::tempdir_in(folder()).expect("a folder");
    let project = workspace().join("relayprobe-ffi/tests/cmake");
    let prefix = format!("-DCMAKE_PREFIX_PATH={}", installed().display());
    succeed(Command::new("cmake").arg("-S").arg(project).arg("-B").arg(build.path()).arg(prefix));
    succeed(Command::new("cmake").arg("--build").arg(build.path()));
    for program in ["shared", "static"] {
        assert_eq!(run(&build.path().join(program), &[]).0, 0, "{program}");
    }
}

#[test]
fn one_call_finds_what_the_driver_finds() {
    let program = compile("examples/one_call.c", &["-std=c99"]);
    for (name, code, verdict) in
        [("closed-pipelined", 0, "closed:"), ("open", 1, "suspected:"), ("banner-554", 3, "tester-blocked:")]
    {
        let server = Listening::start(&named(name));
        let port = server.address.port().to_string();
        let (status, out, err) = run(&program, &["127.0.0.1", &port, "lab"]);
        assert_eq!((status, err.as_str()), (code, ""), "{name}: {out}");
        assert!(out.starts_with(verdict), "{name}: {out}");
    }
    let (status, out, err) = run(&program, &["127.0.0.1", "25"]);
    assert_eq!((status, out.as_str()), (3, ""), "{err}");
    assert!(err.contains("127.0.0.1 is"), "{err}");
}

#[test]
fn what_a_server_says_is_never_a_format() {
    // With these, `%n` in a format that can be written to ends a program, and one that is no literal is an error.
    let options = ["-std=c99", "-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-Wformat=2"];
    let server = Listening::start(&named("banner-percent"));
    let (place, port) = (server.address.to_string(), server.address.port().to_string());
    let (status, out, err) = run(&compile("examples/one_call.c", &options), &["127.0.0.1", &port, "lab"]);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("%n%s%99999999d"), "{out}");
    let (status, out, err) = run(&compile("examples/agent.c", &options), &["-l", &place]);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert_eq!(out.lines().count(), 1, "{out}");
    let flags = pkg_config_of("openssl");
    let flags = [&options[..], &flags.iter().map(String::as_str).collect::<Vec<_>>()].concat();
    let (status, out, err) = run(&compile("examples/tls.c", &flags), &["-l", "127.0.0.1", &port]);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("%n%hhn%1$s%*d"), "{out}");
}

#[test]
fn an_agent_tests_fifty_servers_in_one_thread() {
    let program = compile("examples/agent.c", &["-std=c99"]);
    let kinds = ["closed-pipelined", "closed-lockstep", "open", "banner-554", "tcp-accept-reset"];
    let servers: Vec<(&str, Listening)> = (0..50)
        .map(|at| kinds[at % kinds.len()])
        .map(|name| (name, Listening::start(&named(name))))
        .collect();
    let addresses: Vec<String> = servers.iter().map(|(_, server)| server.address.to_string()).collect();
    let mut arguments = vec!["-l"];
    arguments.extend(addresses.iter().map(String::as_str));
    let (status, out, err) = run(&program, &arguments);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert_eq!(out.lines().count(), 50, "{out}");
    for ((name, server), address) in servers.iter().zip(&addresses) {
        let line = out.lines().find(|line| line.starts_with(&format!("{address} "))).expect(address);
        let words: Vec<&str> = line.split(' ').collect();
        let expected = match *name {
            "closed-pipelined" | "closed-lockstep" => ["closed", "0"],
            "open" => ["suspected", "1"],
            "banner-554" => ["tester-blocked", "3"],
            _ => ["unreachable", "3"],
        };
        assert_eq!(words[1..3], expected, "{name}: {line}");
        if *name == "closed-lockstep" {
            assert_eq!(server.counts().early, 0, "a command overtook a reply");
        }
    }
}

#[test]
fn an_agent_does_tls_by_openssl() {
    let flags = pkg_config_of("openssl");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let options = [&["-std=c99", "-fsanitize=address,undefined"][..], &flags].concat();
    let program = compile("examples/tls.c", &options);
    for (name, implicit) in [
        ("starttls-standard", false),
        ("implicit-tls", true),
        ("starttls-454", false),
        ("starttls-injection", false),
    ] {
        let dialogue = named(name);
        let server = Listening::start(&dialogue);
        let port = server.address.port().to_string();
        let arguments =
            if implicit { &["-l", "-i", "127.0.0.1", &port][..] } else { &["-l", "127.0.0.1", &port] };
        let (status, out, err) = run(&program, arguments);
        assert_eq!((status, err.as_str()), (0, ""), "{name}: {out}");
        let report = Report::from_json(&out).expect("a report");
        expect::check(&dialogue, &report, Some(&server.server()), "OpenSSL");
    }
}
