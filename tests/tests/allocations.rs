//! What the reply parser takes from the allocator: nothing, once its buffer has grown.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use relayprobe::wire::{ReplyDecoder, ReplyLimits};

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
