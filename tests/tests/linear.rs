//! Mail of anybody's making costs as much as it is long: twice the mail, twice the work, counted in instructions.

use std::env;
use std::process::Command;
use std::thread;

use relayprobe::moment::Date;
use relayprobe::receipt::{Arrival, Classified, classify_each};
use relayprobe::trace::Trace;
use relayprobe_tests::{dialogue, virtual_time};

/// Octets of a message that is counted, and of the one of twice its length.
const SIZE: usize = 4 << 10;
/// What twice the mail may cost.
const MOST: f64 = 2.25;

/// A form that grows with what is repeated in it.
struct Form {
    name: &'static str,
    start: &'static str,
    again: &'static str,
    end: &'static str,
}

const FORMS: &[Form] = &[
    Form {
        name: "received lines",
        start: "",
        again: "Received: from a (b [192.0.2.1]) by c with SMTP id 1 for <d@e.example>; Mon, 23 Nov 2026 20:59:36 +0000\r\n",
        end: "\r\n",
    },
    Form { name: "a header line", start: "Subject: ", again: "a b;", end: "\r\n\r\n" },
    Form { name: "a folded header", start: "Received: from a\r\n", again: "\tby b\r\n", end: "\r\n" },
    Form { name: "a Received line of comments", start: "Received: from a ", again: "(", end: "\r\n\r\n" },
    Form { name: "closed comments", start: "Received: from a ", again: "(b [1]) ", end: "\r\n\r\n" },
    Form { name: "brackets", start: "Received: from ", again: "[", end: "\r\n\r\n" },
    Form { name: "nested quotes", start: "Received: from a by \"", again: "\\\"\"", end: "\r\n\r\n" },
    Form {
        name: "quotes in a type",
        start: "Content-Type: text/plain; a=\"",
        again: "\\\"\";b=\"",
        end: "\r\n\r\n",
    },
    Form { name: "encoded words", start: "Subject: ", again: "=?utf-8?B?YQ==?= ", end: "\r\n\r\n" },
    Form { name: "digits", start: "Subject: x\r\n\r\n", again: "1", end: "\r\n" },
    Form { name: "digits in addresses", start: "Received: from a ([1", again: "1.1", end: "])\r\n\r\n" },
    Form { name: "half of a token", start: "Subject: x\r\n\r\n", again: "jaaaaaaaaaaa", end: "\r\n" },
    Form { name: "words like tokens", start: "\r\n", again: "jaaaaaaaaaaaaaaaaaaaaaaaaa ", end: "\r\n" },
    Form { name: "fields", start: "", again: "a:b\r\n", end: "\r\n" },
    Form { name: "dashes", start: "Content-Type: multipart/mixed; boundary=b\r\n\r\n", again: "--", end: "" },
    Form {
        name: "parts",
        start: "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
        again: "--b\r\n\r\na\r\n",
        end: "--b--\r\n",
    },
    Form {
        name: "messages in a message",
        start: "",
        again: "Content-Type: message/rfc822\r\n\r\n",
        end: "Subject: x\r\n\r\n",
    },
    Form {
        name: "recipients of a report",
        start: "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n",
        again: "\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\n",
        end: "",
    },
    Form {
        name: "a report of qmail",
        start: "\r\nHi. This is the qmail-send program at a.\r\n",
        again: "\r\n<a@b.example>:\r\nno\r\n",
        end: "",
    },
    Form { name: "html", start: "Content-Type: text/html\r\n\r\n", again: "<a <b \">", end: "" },
    Form {
        name: "quoted-printable",
        start: "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
        again: "=\r\n=4",
        end: "",
    },
    Form { name: "nothing but line ends", start: "\r\n", again: "\n\r", end: "" },
    Form { name: "angle brackets", start: "Return-Path: ", again: "<", end: "\r\nTo: <<<a@b\r\n\r\n" },
];

fn message(form: &Form, size: usize) -> Vec<u8> {
    let again = form.again.repeat(size / form.again.len());
    [form.start, &again, form.end].concat().into_bytes()
}

/// Reads a message as something that came to our run.
fn read(octets: &[u8]) -> Vec<Classified> {
    let dialogue = dialogue::parse("closed", "@ cases snd-null\n= all refused\n");
    let run = dialogue.plan(virtual_time::ADDRESS.parse().expect("an address")).into_record();
    let arrival = Arrival::from_message(octets, Date::from_unix(1_795_473_834));
    classify_each(&arrival, &dialogue::keyring(), &|_| Some(run.clone()))
}

/// Runs inside valgrind, for the test below; by itself it reads every form once.
#[test]
fn mail_is_read() {
    let wanted = env::var("LINEAR_FORM").ok().and_then(|number| number.parse::<usize>().ok());
    let size = env::var("LINEAR_SIZE").ok().and_then(|size| size.parse().ok()).unwrap_or(200 << 10);
    for (_, form) in FORMS.iter().enumerate().filter(|(at, _)| wanted.is_none_or(|wanted| wanted == *at)) {
        let found = read(&message(form, size));
        assert_eq!(found.len(), 1, "{}: {found:?}", form.name);
        assert!(!matches!(found[0], Classified::Receipt(_)), "{}: {found:?}", form.name);
    }
}

/// Instructions that reading a form of a size takes.
fn instructions(form: usize, size: usize) -> f64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(env::current_exe().expect("this program")).args([
        "--exact",
        "mail_is_read",
        "--test-threads=1",
    ]);
    valgrind.env("LINEAR_FORM", form.to_string()).env("LINEAR_SIZE", size.to_string());
    let done = valgrind.output().expect("valgrind runs");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{} {told}", String::from_utf8_lossy(&done.stdout));
    let count = told.lines().find_map(|line| line.split_once("Collected :")).map(|(_, count)| count.trim());
    count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no count: {told}"))
}

#[test]
fn twice_the_mail_is_twice_the_work() {
    let nothing = instructions(FORMS.len(), 0);
    let measured = |form: usize| {
        let [once, twice] = [SIZE, 2 * SIZE].map(|size| instructions(form, size) - nothing);
        (FORMS[form].name, once, twice)
    };
    // Two at a time.
    let measured: Vec<_> = thread::scope(|scope| {
        let half = |rest: usize| {
            scope.spawn(move || (rest..FORMS.len()).step_by(2).map(measured).collect::<Vec<_>>())
        };
        let halves = [half(0), half(1)];
        halves.into_iter().flat_map(|half| half.join().expect("it counts")).collect()
    });
    for (name, once, twice) in measured {
        assert!(twice / once <= MOST, "{name}: {once} instructions, and {twice} for twice as much");
    }
}

#[test]
fn of_ten_thousand_received_lines_a_hundred_are_read() {
    let lines = "Received: from a (b [192.0.2.1]) by c with SMTP id 1; Mon, 23 Nov 2026 20:59:36 +0000\r\n"
        .repeat(10_000);
    let trace = Trace::read(format!("{lines}\r\n").as_bytes());
    assert_eq!(trace.hops.len(), Trace::LIMIT);
    assert_eq!(Trace::LIMIT, 100);
    let line = format!("Received: from {} by c\r\n\r\n", "a".repeat(1 << 20));
    let trace = Trace::read(line.as_bytes());
    assert_eq!(trace.hops.len(), 1);
    assert!(trace.hops[0].raw.as_bytes().len() <= line.len());
}
