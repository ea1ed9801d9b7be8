//! What the C interface adds: the same calls and the same survey, in Rust and through an installed librelayprobe.
//!
//! `LIBRELAYPROBE=/usr/local/lib/librelayprobe.so cargo bench --bench c_calls`

use std::ffi::{c_char, c_void};
use std::hint::black_box;
use std::sync::OnceLock;

use divan::Bencher;
use libloading::Library;
use relayprobe::moment::Moment;
use relayprobe::session::Input;
use relayprobe::{Selection, Session};

use closed::{plan, replies, run};

#[allow(dead_code)]
mod closed;

fn main() {
    divan::main();
}

type Handle = *mut c_void;

/// `relayprobe_output`.
#[repr(C)]
struct Output {
    struct_size: usize,
    kind: i32,
    connection: u32,
    octets: *const u8,
    length: usize,
    text: *const c_char,
    source: *const c_char,
    until: u64,
    port: u32,
    event: i32,
    numbers: [u32; 4],
}

/// A function of the library, by its name and the type that the header gives it.
macro_rules! c {
    ($name:ident: fn($($kind:ty),*) $(-> $result:ty)?) => {{
        static FUNCTION: OnceLock<unsafe extern "C" fn($($kind),*) $(-> $result)?> = OnceLock::new();
        *FUNCTION.get_or_init(|| find(stringify!($name)))
    }};
}

/// A function whose type is that of the header.
fn find<F: Copy>(name: &str) -> F {
    // SAFETY: only `c` calls it, with the types of the header.
    unsafe { *library().get(name).expect(name) }
}

fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let path = std::env::var_os("LIBRELAYPROBE").expect("LIBRELAYPROBE says where librelayprobe.so is");
        // SAFETY: it runs nothing when it is loaded.
        unsafe { Library::new(path) }.expect("a library")
    })
}

/// The plan of `closed`, in C.
fn c_plan(matrix: i32) -> Handle {
    // SAFETY: the handle is live, and every string ends with a NUL.
    unsafe {
        let plan = c!(relayprobe_plan_new: fn() -> Handle)();
        let statuses = [
            c!(relayprobe_plan_set_target: fn(Handle, *const c_char, u16) -> i32)(
                plan,
                c"127.0.0.1".as_ptr(),
                2_525,
            ),
            c!(relayprobe_plan_add_domain: fn(Handle, *const c_char) -> i32)(
                plan,
                c"target.example".as_ptr(),
            ),
            c!(relayprobe_plan_set_probe_domain: fn(Handle, *const c_char) -> i32)(
                plan,
                c"probe.example".as_ptr(),
            ),
            c!(relayprobe_plan_set_authorization: fn(Handle, *const c_char) -> i32)(
                plan,
                c"own-server:bench".as_ptr(),
            ),
            c!(relayprobe_plan_allow_private: fn(Handle) -> i32)(plan),
            c!(relayprobe_plan_set_matrix: fn(Handle, i32) -> i32)(plan, matrix),
            c!(relayprobe_plan_set_profile: fn(Handle, i32) -> i32)(plan, 3),
            c!(relayprobe_plan_set_budget: fn(Handle, u16, u16, u16) -> i32)(
                plan,
                u16::MAX,
                u16::MAX,
                u16::MAX,
            ),
        ];
        assert_eq!(statuses, [0; 8]);
        plan
    }
}

fn c_session(plan: Handle) -> Handle {
    let mut session = std::ptr::null_mut();
    let new = c!(relayprobe_session_new: fn(Handle, u64, u64, u64, *mut Handle) -> i32);
    // SAFETY: the plan is live.
    assert_eq!(unsafe { new(plan, relayprobe::driver::now().unix(), 1, 0, &raw mut session) }, 0);
    session
}

/// What `closed::run` does, in C; gives the report.
fn c_run(session: Handle) -> Handle {
    let poll = c!(relayprobe_session_poll: fn(Handle, *mut Output) -> i32);
    let connected = c!(relayprobe_session_connected: fn(Handle, u32, u64) -> i32);
    let sent = c!(relayprobe_session_sent: fn(Handle, u32, u64) -> i32);
    let received = c!(relayprobe_session_received: fn(Handle, u32, *const u8, usize, u64) -> i32);
    let tick = c!(relayprobe_session_tick: fn(Handle, u64) -> i32);
    let greeting = b"220 mx.target.example ESMTP\r\n";
    let mut now = 0;
    // SAFETY: the session is live, and what pointers lead to stays for the call.
    unsafe {
        let mut output: Output = std::mem::zeroed();
        output.struct_size = size_of::<Output>();
        loop {
            assert_eq!(poll(session, &raw mut output), 0);
            let id = output.connection;
            match output.kind {
                1 => {
                    connected(session, id, now);
                    received(session, id, greeting.as_ptr(), greeting.len(), now);
                }
                2 => {
                    let answer = replies(std::slice::from_raw_parts(output.octets, output.length));
                    sent(session, id, now);
                    received(session, id, answer.as_ptr(), answer.len(), now);
                }
                6 => {
                    now = now.max(output.until);
                    tick(session, now);
                }
                7 => break,
                _ => {}
            }
        }
        let mut report = std::ptr::null_mut();
        assert_eq!(
            c!(relayprobe_session_report: fn(Handle, *mut Handle) -> i32)(session, &raw mut report),
            0
        );
        c!(relayprobe_session_free: fn(Handle))(session);
        report
    }
}

#[divan::bench]
fn tick_rust(bencher: Bencher) {
    let mut session = Session::new(plan(Selection::Quick), Moment::ZERO);
    bencher.bench_local(|| black_box(&mut session).handle_input(Input::Tick, Moment::ZERO));
}

#[divan::bench]
fn tick_c(bencher: Bencher) {
    let session = c_session(c_plan(1));
    let tick = c!(relayprobe_session_tick: fn(Handle, u64) -> i32);
    // SAFETY: the session is live.
    bencher.bench_local(|| unsafe { tick(black_box(session), 0) });
}

#[divan::bench]
fn exit_code_rust(bencher: Bencher) {
    let report = run(plan(Selection::Quick));
    bencher.bench_local(|| black_box(&report).exit_code);
}

#[divan::bench]
fn exit_code_c(bencher: Bencher) {
    let report = c_run(c_session(c_plan(1)));
    let exit_code = c!(relayprobe_report_exit_code: fn(Handle) -> i32);
    // SAFETY: the report is live.
    bencher.bench_local(|| unsafe { exit_code(black_box(report)) });
}

/// Planned anew each time, as in C.
#[divan::bench(args = [Selection::Quick, Selection::Standard])]
fn survey_rust(selection: Selection) {
    drop(black_box(run(plan(selection))));
}

#[divan::bench(args = [1, 2])]
fn survey_c(bencher: Bencher, matrix: i32) {
    let plan = c_plan(matrix);
    bencher.bench_local(|| {
        let report = black_box(c_run(c_session(plan)));
        // SAFETY: it is freed once.
        unsafe { c!(relayprobe_report_free: fn(Handle))(report) };
    });
}
