#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| relayprobe_checks::run("lookup", octets));
