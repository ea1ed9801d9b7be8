//! Gives the shared library its name. While the version is 0.x the ABI may change with the second number, so that is
//! part of the name; from 1.0 on the first number alone will do.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let number = |name: &str| env::var(name).unwrap_or_default();
    let (major, minor) = (number("CARGO_PKG_VERSION_MAJOR"), number("CARGO_PKG_VERSION_MINOR"));
    let abi = if major == "0" { format!("0.{minor}") } else { major };
    let system = number("CARGO_CFG_TARGET_OS");
    // Systems of another object format have other ways.
    if env::var_os("CARGO_CFG_UNIX").is_some() && !["macos", "ios"].contains(&&*system) {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,librelayprobe.so.{abi}");
    }
}
