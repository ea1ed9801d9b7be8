//! A server that falters once or twice and is closed otherwise is found closed, wherever it falters.

use relayprobe_tests::dialogue::parse;
use relayprobe_tests::expect;
use relayprobe_tests::virtual_time::run;

/// How it falters.
const FALTERS: [&str; 5] = [" 421 4.3.2 Too busy|!close", " !close", " !reset", "", " !half-close"];

/// Where: at the command, and which of them in the run. Whoever never greets at first is out of reach.
const PLACES: [(&str, &[usize]); 6] = [
    ("greeting", &[2, 3, 4, 5, 6, 7, 8]),
    ("EHLO*", &[1, 2, 3, 4, 5, 6, 7, 8]),
    ("MAIL*", &[1, 3, 7, 9, 14, 22]),
    ("RCPT*", &[1, 3, 7, 9, 14, 20]),
    ("RSET*", &[1, 2, 7, 12]),
    ("QUIT*", &[1, 2, 5]),
];

/// Checks that it is found closed wherever it falters so many times in a row.
#[track_caller]
fn assert_recovers(settings: &str, times: usize) {
    for (place, numbers) in PLACES {
        for (number, falter) in numbers.iter().flat_map(|number| FALTERS.map(|falter| (number, falter))) {
            let rule = |at: usize| format!("on {place} #{at}:{falter}\n");
            let rules = (*number..number + times).map(rule).collect::<Vec<_>>().concat();
            let dialogue = parse(&rules, &format!("{settings}{rules}= verdict closed\n"));
            expect::check(&dialogue, &run(&dialogue, usize::MAX).report, None, settings);
        }
    }
}

#[test]
fn one_fault_is_overcome() {
    assert_recovers("@ offers PIPELINING\n", 1);
}

#[test]
fn one_fault_is_overcome_without_pipelining() {
    assert_recovers("", 1);
}

#[test]
fn two_faults_in_a_row_are_overcome() {
    assert_recovers("@ offers PIPELINING\n", 2);
}

#[test]
fn faults_beside_other_connections_are_overcome() {
    assert_recovers("@ offers PIPELINING\n@ connections 3\n", 1);
    assert_recovers("@ offers PIPELINING\n@ connections 3\n", 2);
}

#[test]
fn one_fault_is_overcome_in_the_standard_matrix() {
    assert_recovers("@ offers PIPELINING\n@ matrix standard\n", 1);
}
