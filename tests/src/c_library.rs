//! librelayprobe as its users get it: installed, and programs in C compiled against it.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::program::{forget_this_package, text, workspace};

/// Warnings that no file in C or C++ of ours may give.
pub const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Where the debug build of the library was installed.
pub fn installed() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let prefix = folder().join("installed");
        install("dev", Path::new(""), &prefix);
        prefix
    })
}

/// Installs a build of the library under `destdir`, for a life at `prefix`.
pub fn install(profile: &str, destdir: &Path, prefix: &Path) {
    let mut script = Command::new(workspace().join("relayprobe-ffi/install.sh"));
    forget_this_package(&mut script);
    script.args([destdir, prefix]).env("PROFILE", profile).env_remove("LIBDIR");
    succeed(&mut script);
}

/// Where programs in C and the library for them are put.
pub fn folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let folder = target.join("librelayprobe");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::canonicalize(folder).unwrap()
}

/// What pkg-config says of the library installed at `prefix`.
pub fn pkg_config(prefix: &Path, options: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).args(options).arg("relayprobe");
    let said = String::from_utf8(succeed(&mut command).stdout).unwrap();
    said.split_whitespace().map(str::to_owned).collect()
}

/// What pkg-config says of a library of the system.
pub fn pkg_config_of(library: &str) -> Vec<String> {
    let said = succeed(Command::new("pkg-config").args(["--cflags", "--libs", library])).stdout;
    String::from_utf8(said).unwrap().split_whitespace().map(str::to_owned).collect()
}

/// Compiles and links a file against the installed library, by what pkg-config says of it, without a warning.
pub fn compile(source: &str, options: &[&str]) -> PathBuf {
    compile_with("cc", source, options)
}

/// The same by another compiler.
pub fn compile_with(compiler: &str, source: &str, options: &[&str]) -> PathBuf {
    /// Each program is made once: another test may be running it.
    static MADE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let source = workspace().join("relayprobe-ffi").join(source);
    let name = source.file_stem().unwrap().to_string_lossy().into_owned();
    let mut program = format!("{name}-{compiler}");
    program.extend(options.iter().flat_map(|option| option.chars()).filter(char::is_ascii_alphanumeric));
    let program = folder().join(program);
    let prefix = installed();
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if made.contains(&program) {
        return program;
    }
    let mut command = Command::new(compiler);
    let (libraries, flags): (Vec<&str>, Vec<&str>) =
        options.iter().partition(|option| option.starts_with("-l"));
    command.args(flags).args(STRICT).arg("-g").arg(&source).arg("-o").arg(&program).args(libraries);
    command.args(pkg_config(prefix, &["--cflags", "--libs"]));
    command.arg(format!("-Wl,-rpath,{}", prefix.join("lib").display()));
    succeed(&mut command);
    made.insert(program.clone());
    program
}

/// Runs a command that must succeed.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|fault| panic!("{command:?}: {fault}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Runs a program, and returns its exit status and what it wrote to standard output and standard error.
pub fn run(program: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|fault| panic!("{}: {fault}", text(program)));
    let read = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap_or(-1), read(output.stdout), read(output.stderr))
}
