//! The command line as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(relayprobe::cli::main(std::env::args_os()))
}
