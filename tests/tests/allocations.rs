//! What is taken from the allocator: by the reply parser nothing, once its buffer has grown, and by a run little more than
//! its report holds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use relayprobe::moment::Moment;
use relayprobe::session::{Input, Output};
use relayprobe::wire::{ReplyDecoder, ReplyLimits};
use relayprobe::{Report, Session};
use relayprobe_tests::dialogue;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is passed on to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[test]
fn a_reply_allocates_nothing() {
    let ehlo = b"250-mx.target.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 DSN\r\n";
    let refusal = b"554 5.7.1 <rp@probe.example>: Relay access denied\r\n";
    let mut decoder = ReplyDecoder::new(ReplyLimits::default());
    let mut read = |octets: &[u8]| {
        let mut rest = octets;
        let code = decoder.read(&mut rest).expect("a whole reply").expect("a good one").code();
        assert!(rest.is_empty());
        code
    };
    read(ehlo);
    let before = COUNT.get();
    for _ in 0..1_000 {
        assert_eq!(read(ehlo).number(), 250);
        assert_eq!(read(refusal).number(), 554);
    }
    assert_eq!(COUNT.get() - before, 0);
}

#[test]
fn a_closed_server_takes_few_allocations() {
    let plan = dialogue::parse("closed", "@ no-budget\n= closed\n").plan(([127, 0, 0, 1], 2_525).into());
    let (mut session, mut now) = (Session::new(plan, Moment::ZERO), Moment::ZERO);
    let mut commands = 0;
    let mut count = 0;
    let report = loop {
        let (id, replies) = match counted(&mut count, || session.poll_output()) {
            Output::Connect(id, _) => (id, b"220 mx.target.example ESMTP\r\n".to_vec()),
            Output::Send(id, octets) => (id, answer(&octets, &mut commands)),
            Output::Wait(until) => {
                now = now.max(until);
                counted(&mut count, || session.handle_input(Input::Tick, now));
                continue;
            }
            Output::Finished => {
                break counted(&mut count, || {
                    let (record, transcript) = session.into_parts();
                    Report::new(record, transcript)
                });
            }
            _ => continue,
        };
        counted(&mut count, || {
            session.handle_input(Input::Connected(id), now);
            session.handle_input(Input::Sent(id), now);
            session.handle_input(Input::Received(id, &replies), now);
        });
    };
    assert_eq!(report.verdict.as_str(), "closed", "{}", report.text());
    // It was sixteen when each octet was kept by itself, and seven when each line was made by itself.
    assert!(count <= 4 * commands, "{count} for {commands} commands");
}

/// Adds what a step allocates.
fn counted<T>(count: &mut usize, step: impl FnOnce() -> T) -> T {
    let before = COUNT.get();
    let done = step();
    *count += COUNT.get() - before;
    done
}

fn answer(lines: &[u8], commands: &mut usize) -> Vec<u8> {
    let mut reply = |line: &[u8]| -> &[u8] {
        *commands += 1;
        match line.to_ascii_lowercase().get(..8) {
            Some(verb) if verb.starts_with(b"ehlo") => b"250-mx.target.example\r\n250 PIPELINING\r\n",
            Some(b"rcpt to:") if line.starts_with(b"RCPT TO:<postmaster@target.") => b"250 2.1.5 Ok\r\n",
            Some(verb) if verb.starts_with(b"rcpt") => b"554 5.7.1 Relay access denied\r\n",
            None if line == b"QUIT\r\n" => b"221 2.0.0 Bye\r\n",
            _ => b"250 2.0.0 Ok\r\n",
        }
    };
    lines.split_inclusive(|&octet| octet == b'\n').flat_map(|line| reply(line).to_vec()).collect()
}
