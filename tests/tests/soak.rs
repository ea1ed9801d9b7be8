//! A short soak; the long one is `cargo run --release -p relayprobe-tests --bin soak`.

#![cfg(target_os = "linux")]

use std::process::Command;

#[test]
fn neither_memory_nor_descriptors_grow_and_no_verdict_is_wrong() {
    // The servers are built with it, and lie beside it.
    assert!(std::path::Path::new(env!("CARGO_BIN_EXE_hostile-server")).exists());
    let output = Command::new(env!("CARGO_BIN_EXE_soak")).args(["600", "16"]).output().expect("the program");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
}
