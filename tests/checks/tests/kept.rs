//! Every check, on all octets that are kept for it.

use std::fs;
use std::path::{Path, PathBuf};

use relayprobe_checks::{CHECKS, run};

/// The files of a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
    files.sort();
    files
}

fn fuzz(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(part)
}

#[test]
fn what_once_broke_a_check_and_what_fuzzers_begin_with_breaks_none() {
    for (name, _) in CHECKS {
        let seeds = files(&fuzz("seeds").join(name));
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for file in seeds.iter().chain(&files(&fuzz("regressions").join(name))) {
            // Shown if the check panics.
            println!("{}", file.display());
            run(name, &fs::read(file).expect("a readable file"));
        }
    }
}

#[test]
fn every_check_has_a_fuzz_target_and_every_kept_file_has_a_check() {
    let name = |file: &PathBuf| file.file_stem().expect("a name").to_string_lossy().into_owned();
    let checks: Vec<String> = CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let targets: Vec<String> = files(&fuzz("fuzz_targets")).iter().map(name).collect();
    assert_eq!(targets, checks);
    let manifest = fs::read_to_string(fuzz("Cargo.toml")).expect("the manifest");
    for (file, name) in files(&fuzz("fuzz_targets")).iter().zip(&checks) {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in the manifest");
        let text = fs::read_to_string(file).expect("a target");
        assert!(text.contains(&format!("run(\"{name}\", octets)")), "{name} runs another check");
    }
    for part in ["seeds", "regressions"] {
        let folders: Vec<String> = files(&fuzz(part)).iter().map(name).collect();
        assert!(folders.iter().all(|folder| checks.contains(folder)), "{part}: {folders:?}");
    }
}
