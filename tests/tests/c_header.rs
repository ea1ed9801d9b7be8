//! The header is that of the source.

use std::fs;

use relayprobe_tests::program::workspace;

/// Writes the header anew instead of comparing it.
const WRITE: &str = "WRITE_HEADER";

#[test]
fn the_header_is_made_from_the_source() {
    let folder = workspace().join("relayprobe-ffi");
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).expect("cbindgen.toml");
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_crate(&folder)
        .generate()
        .expect("a header can be made");
    let mut made = Vec::new();
    bindings.write(&mut made);
    let made = String::from_utf8(made).expect("a header is text");
    let header = folder.join("include/relayprobe.h");
    if std::env::var_os(WRITE).is_some() {
        fs::write(&header, &made).expect("the header can be written");
    }
    let kept = fs::read_to_string(&header).unwrap_or_default();
    assert!(
        kept == made,
        "{} is not what the source says: run this test with {WRITE}=1, and look at what changed",
        header.display()
    );
}

#[test]
fn every_function_says_which_pointers_may_not_be_null() {
    let header =
        fs::read_to_string(workspace().join("relayprobe-ffi/include/relayprobe.h")).expect("a header");
    let mut count = 0;
    for (head, rest) in header.split("/**\n").skip(1).filter_map(|part| part.split_once(" */\n")) {
        let declaration = rest.split(';').next().unwrap_or_default();
        let Some((name, parameters)) = declaration.split_once('(') else { continue };
        if !name.contains("relayprobe_") || name.contains('{') {
            continue;
        }
        count += 1;
        assert!(!head.trim().is_empty(), "{name} has no documentation");
        if parameters.contains('*') {
            assert!(head.contains("NULL"), "{name} says nothing of NULL");
        }
    }
    assert!(count > 80, "{count} functions were looked at");
}
