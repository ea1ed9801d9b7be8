//! A session behind the C interface: the shared library, loaded, and called as a program in C calls it.

use std::ffi::{CStr, CString, c_char, c_void};
use std::net::SocketAddr;
use std::ptr;
use std::sync::OnceLock;

use libloading::Library;
use relayprobe::link::{ConnId, Endpoint, Loss};
use relayprobe::moment::Moment;
use relayprobe::session::{Event, Input, Output};

use crate::c_library::installed;
use crate::dialogue::{Dialogue, keyring};
use crate::servers::{DOMAIN, Server};
use crate::virtual_time::{Engine, START};

/// A handle of any kind.
type Handle = *mut c_void;

/// `relayprobe_output`, written down a second time: if the library's changes, the dialogues fail.
#[repr(C)]
struct CallerOutput {
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
    path: u32,
    probe: u32,
    count: u32,
    total: u32,
}

macro_rules! functions {
    ($($name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions that are called.
        struct Functions {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            fn load(library: &'static Library) -> Self {
                Self {
                    // SAFETY: the types are those of the header.
                    $($name: unsafe { *library.get(stringify!($name)).expect(stringify!($name)) },)*
                }
            }
        }
    };
}

functions! {
    relayprobe_last_error() -> *const c_char;
    relayprobe_plan_new() -> Handle;
    relayprobe_plan_free(Handle);
    relayprobe_plan_set_target(Handle, *const c_char, u16) -> i32;
    relayprobe_plan_add_domain(Handle, *const c_char) -> i32;
    relayprobe_plan_set_mailbox(Handle, *const c_char) -> i32;
    relayprobe_plan_set_expected_host(Handle, *const c_char) -> i32;
    relayprobe_plan_set_source(Handle, *const c_char) -> i32;
    relayprobe_plan_set_probe_domain(Handle, *const c_char) -> i32;
    relayprobe_plan_set_sender_domain(Handle, *const c_char) -> i32;
    relayprobe_plan_set_authorization(Handle, *const c_char) -> i32;
    relayprobe_plan_allow_private(Handle) -> i32;
    relayprobe_plan_set_tls(Handle, i32) -> i32;
    relayprobe_plan_set_matrix(Handle, i32) -> i32;
    relayprobe_plan_set_cases(Handle, *const c_char) -> i32;
    relayprobe_plan_add_case(Handle, *const c_char, *const c_char, *const c_char) -> i32;
    relayprobe_plan_set_profile(Handle, i32) -> i32;
    relayprobe_plan_set_connections(Handle, u32) -> i32;
    relayprobe_plan_add_implicit_tls(Handle, u16) -> i32;
    relayprobe_plan_set_budget(Handle, u16, u16, u16) -> i32;
    relayprobe_plan_set_grouping(Handle, i32) -> i32;
    relayprobe_plan_set_retries(Handle, *const u32, usize) -> i32;
    relayprobe_plan_add_measure(Handle, i32) -> i32;
    relayprobe_plan_set_vantage(Handle, i32) -> i32;
    relayprobe_plan_set_prove(Handle, i32, Handle) -> i32;
    relayprobe_plan_set_messages(Handle, u16) -> i32;
    relayprobe_keyring_from_text(*const c_char, *mut Handle) -> i32;
    relayprobe_keyring_free(Handle);
    relayprobe_session_new(Handle, u64, u64, u64, *mut Handle) -> i32;
    relayprobe_session_free(Handle);
    relayprobe_session_poll(Handle, *mut CallerOutput) -> i32;
    relayprobe_session_connected(Handle, u32, u64) -> i32;
    relayprobe_session_sent(Handle, u32, u64) -> i32;
    relayprobe_session_received(Handle, u32, *const u8, usize, u64) -> i32;
    relayprobe_session_add_certificate(Handle, u32, *const u8, usize) -> i32;
    relayprobe_session_secured(Handle, u32, *const c_char, *const c_char, u64) -> i32;
    relayprobe_session_lost(Handle, u32, i32, u64) -> i32;
    relayprobe_session_tick(Handle, u64) -> i32;
    relayprobe_session_report(Handle, *mut Handle) -> i32;
    relayprobe_run(Handle, Handle, *mut Handle) -> i32;
    relayprobe_report_json(Handle) -> *const c_char;
    relayprobe_report_exit_code(Handle) -> i32;
    relayprobe_report_verdict(Handle) -> i32;
    relayprobe_verdict_name(i32) -> *const c_char;
    relayprobe_report_probe_count(Handle) -> i32;
    relayprobe_report_probe_case(Handle, u32) -> *const c_char;
    relayprobe_report_probe_outcome(Handle, u32) -> i32;
    relayprobe_outcome_name(i32) -> *const c_char;
    relayprobe_report_from_json(*const c_char, usize, *mut Handle) -> i32;
    relayprobe_report_judge(Handle, u64) -> i32;
    relayprobe_report_add_message(Handle, Handle, *const u8, usize, u64, *mut i32) -> i32;
    relayprobe_report_free(Handle);
}

fn c() -> &'static Functions {
    static FUNCTIONS: OnceLock<Functions> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        let path = installed().join("lib/librelayprobe.so");
        // SAFETY: it runs nothing when it is loaded.
        let library =
            unsafe { Library::new(&path) }.unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
        Functions::load(Box::leak(Box::new(library)))
    })
}

fn done(status: i32) {
    assert_eq!(status, 0, "{}", last_error());
}

fn last_error() -> String {
    // SAFETY: it is never NULL, and stays until the next error on this thread.
    read(unsafe { (c().relayprobe_last_error)() })
}

fn read(text: *const c_char) -> String {
    assert!(!text.is_null(), "{}", "a string of the library is NULL");
    // SAFETY: the library ends its strings with a NUL.
    unsafe { CStr::from_ptr(text) }.to_str().expect("UTF-8").to_owned()
}

fn word(text: &str) -> CString {
    CString::new(text).expect("no NUL in it")
}

/// The place of a word in the order of the header's enum, which counts from 1.
fn number(words: &[&str], word: &str) -> i32 {
    let place =
        words.iter().position(|known| *known == word).unwrap_or_else(|| panic!("no number for {word}"));
    i32::try_from(place).expect("few words") + 1
}

/// A plan in C.
#[derive(Debug)]
pub struct CPlan(Handle);

impl CPlan {
    /// The plan of a dialogue, against a server at `address`.
    ///
    /// # Panics
    /// If the library says no.
    #[must_use]
    pub fn of(dialogue: &Dialogue, address: SocketAddr) -> Self {
        let c = c();
        // SAFETY: every handle is live, and every string ends with a NUL and stays for the call.
        unsafe {
            let plan = (c.relayprobe_plan_new)();
            let made = Self(plan);
            done((c.relayprobe_plan_set_target)(
                plan,
                word(&address.ip().to_string()).as_ptr(),
                address.port(),
            ));
            if !dialogue.has("no-domain") {
                let domain = word(dialogue.setting("domain").unwrap_or("target.example"));
                done((c.relayprobe_plan_add_domain)(plan, domain.as_ptr()));
            }
            if let Some(name) = dialogue.setting("expect-host") {
                done((c.relayprobe_plan_set_expected_host)(plan, word(name).as_ptr()));
            }
            if let Some(name) = dialogue.setting("mailbox") {
                done((c.relayprobe_plan_set_mailbox)(plan, word(name).as_ptr()));
            }
            done((c.relayprobe_plan_set_probe_domain)(plan, c"probe.example".as_ptr()));
            if let Some(name) = dialogue.setting("sender-domain") {
                done((c.relayprobe_plan_set_sender_domain)(plan, word(name).as_ptr()));
            }
            done((c.relayprobe_plan_set_authorization)(plan, c"own-server:dialogue".as_ptr()));
            done((c.relayprobe_plan_allow_private)(plan));
            done((c.relayprobe_plan_set_tls)(plan, i32::from(!dialogue.has("no-tls"))));
            let profile = dialogue.setting("profile").unwrap_or("lab");
            done((c.relayprobe_plan_set_profile)(plan, number(&["patient", "brisk", "lab"], profile)));
            made.ask(dialogue);
            made.limit(dialogue, address.port());
            made.prove(dialogue);
            made
        }
    }

    /// The plan by which [`survey`](crate::survey::survey) asks a real server.
    ///
    /// # Panics
    /// If the library says no.
    #[must_use]
    pub fn survey(server: &Server, matrix: &str) -> Self {
        let (c, address) = (c(), word(&server.addr.ip().to_string()));
        let mailbox = word(&format!("alice@{DOMAIN}"));
        // SAFETY: as in `of`.
        unsafe {
            let plan = (c.relayprobe_plan_new)();
            let made = Self(plan);
            done((c.relayprobe_plan_set_target)(plan, address.as_ptr(), server.addr.port()));
            done((c.relayprobe_plan_add_domain)(plan, word(DOMAIN).as_ptr()));
            done((c.relayprobe_plan_set_mailbox)(plan, mailbox.as_ptr()));
            done((c.relayprobe_plan_set_probe_domain)(plan, c"probe.example".as_ptr()));
            done((c.relayprobe_plan_set_sender_domain)(plan, c"tester.example".as_ptr()));
            done((c.relayprobe_plan_set_authorization)(plan, c"own-server:tests".as_ptr()));
            done((c.relayprobe_plan_allow_private)(plan));
            done((c.relayprobe_plan_set_source)(plan, c"127.0.0.2".as_ptr()));
            done((c.relayprobe_plan_set_profile)(plan, number(&["patient", "brisk", "lab"], "lab")));
            done((c.relayprobe_plan_set_matrix)(plan, number(&["quick", "standard", "full"], matrix)));
            made
        }
    }

    /// What is asked.
    unsafe fn ask(&self, dialogue: &Dialogue) {
        let (c, plan) = (c(), self.0);
        // SAFETY: as in `of`.
        unsafe {
            match (dialogue.setting("matrix"), dialogue.setting("cases")) {
                (Some(name), _) => {
                    done((c.relayprobe_plan_set_matrix)(plan, number(&["quick", "standard", "full"], name)));
                }
                (None, Some(cases)) => done((c.relayprobe_plan_set_cases)(plan, word(cases).as_ptr())),
                (None, None) => {}
            }
            for (_, value) in dialogue.settings.iter().filter(|(key, _)| key == "define") {
                let mut parts = value.splitn(3, ' ').map(word);
                let mut part = || parts.next().unwrap_or_default();
                let (id, sender, recipient) = (part(), part(), part());
                done((c.relayprobe_plan_add_case)(plan, id.as_ptr(), sender.as_ptr(), recipient.as_ptr()));
            }
        }
    }

    /// How fast, how much, from where.
    unsafe fn limit(&self, dialogue: &Dialogue, port: u16) {
        let (c, plan) = (c(), self.0);
        // SAFETY: as in `of`.
        unsafe {
            if let Some(count) = dialogue.setting("connections") {
                done((c.relayprobe_plan_set_connections)(plan, count.parse().expect("a number")));
            }
            if dialogue.has("implicit-tls") {
                done((c.relayprobe_plan_add_implicit_tls)(plan, port));
            }
            if dialogue.has("no-budget") {
                done((c.relayprobe_plan_set_budget)(plan, u16::MAX, u16::MAX, u16::MAX));
            }
            if dialogue.has("lockstep") {
                done((c.relayprobe_plan_set_grouping)(plan, number(&["offered", "never"], "never")));
            }
            if let Some(seconds) = dialogue.setting("retries") {
                let seconds: Vec<u32> =
                    seconds.split(' ').map(|text| text.parse().expect("seconds")).collect();
                done((c.relayprobe_plan_set_retries)(plan, seconds.as_ptr(), seconds.len()));
            }
            if let Some(name) = dialogue.setting("measure") {
                let known = ["inbound-filter", "inbound-block", "smarthost-block", "outbound-port-block"];
                done((c.relayprobe_plan_add_measure)(plan, number(&known, name)));
            }
            if let Some(name) = dialogue.setting("vantage") {
                let known = ["outside", "provider-network", "target-network", "loopback"];
                done((c.relayprobe_plan_set_vantage)(plan, number(&known, name)));
            }
        }
    }

    /// Whether messages are sent.
    unsafe fn prove(&self, dialogue: &Dialogue) {
        let (c, plan) = (c(), self.0);
        // SAFETY: as in `of`.
        unsafe {
            if let Some(name) = dialogue.setting("prove") {
                let keys = CKeyring::new();
                let which = number(&["families", "all"], if name == "all" { "all" } else { "families" });
                done((c.relayprobe_plan_set_prove)(plan, which, keys.0));
            }
            if let Some(count) = dialogue.setting("messages") {
                done((c.relayprobe_plan_set_messages)(plan, count.parse().expect("a number")));
            }
        }
    }

    /// Runs the plan by the library's own driver.
    ///
    /// # Panics
    /// If the library says no.
    #[must_use]
    pub fn run(&self) -> CReport {
        let mut report = ptr::null_mut();
        // SAFETY: the plan is live; NULL will do for the stop.
        done(unsafe { (c().relayprobe_run)(self.0, ptr::null_mut(), &raw mut report) });
        CReport(report)
    }
}

impl Drop for CPlan {
    fn drop(&mut self) {
        // SAFETY: it is freed once.
        unsafe { (c().relayprobe_plan_free)(self.0) }
    }
}

/// The dialogues' keys in C.
#[derive(Debug)]
pub struct CKeyring(Handle);

impl CKeyring {
    /// The key of every dialogue.
    ///
    /// # Panics
    /// If the library says no.
    #[expect(clippy::new_without_default, reason = "keys have no default")]
    #[must_use]
    pub fn new() -> Self {
        let mut keys = ptr::null_mut();
        let text = word(&keyring().to_text());
        // SAFETY: the text ends with a NUL.
        done(unsafe { (c().relayprobe_keyring_from_text)(text.as_ptr(), &raw mut keys) });
        Self(keys)
    }
}

impl Drop for CKeyring {
    fn drop(&mut self) {
        // SAFETY: it is freed once.
        unsafe { (c().relayprobe_keyring_free)(self.0) }
    }
}

/// A session in C.
#[derive(Debug)]
pub struct CSession(Handle);

impl CSession {
    /// The session of a dialogue, with its date and seed.
    ///
    /// # Panics
    /// If the library says no.
    #[must_use]
    pub fn new(plan: &CPlan) -> Self {
        let (mut session, now) = (ptr::null_mut(), START.as_micros());
        // SAFETY: the plan is live.
        done(unsafe {
            (c().relayprobe_session_new)(plan.0, 1_795_473_834, 0x1234_5678_9abc, now, &raw mut session)
        });
        Self(session)
    }

    /// Its report.
    ///
    /// # Panics
    /// If the library says no.
    #[must_use]
    pub fn report(self) -> CReport {
        let mut report = ptr::null_mut();
        // SAFETY: the session is live.
        done(unsafe { (c().relayprobe_session_report)(self.0, &raw mut report) });
        CReport(report)
    }
}

impl Engine for CSession {
    fn poll(&mut self) -> Output {
        // SAFETY: all zero is a value of each of its fields.
        let mut output: CallerOutput = unsafe { std::mem::zeroed() };
        output.struct_size = size_of::<CallerOutput>();
        // SAFETY: the session is live, and the struct is as large as it says.
        done(unsafe { (c().relayprobe_session_poll)(self.0, &raw mut output) });
        let id = ConnId(output.connection);
        match output.kind {
            1 => {
                let address = read(output.text).parse().expect("an address");
                let port = u16::try_from(output.port).expect("a port");
                let source =
                    (!output.source.is_null()).then(|| read(output.source).parse().expect("an address"));
                Output::Connect(id, Endpoint::new(SocketAddr::new(address, port), source))
            }
            // SAFETY: so many octets are there, until they are reported sent.
            2 => {
                Output::Send(id, unsafe { std::slice::from_raw_parts(output.octets, output.length) }.to_vec())
            }
            3 => Output::StartTls(id, read(output.text)),
            4 => Output::Close(id),
            5 => {
                assert!((1..=5).contains(&output.event), "event {}", output.event);
                Output::Event(Event::Progress { settled: 0, all: 0 })
            }
            6 => Output::Wait(Moment::from_micros(output.until)),
            7 => Output::Finished,
            other => panic!("an output of kind {other}"),
        }
    }

    fn take(&mut self, input: Input<'_>, now: Moment) {
        let (c, session, now) = (c(), self.0, now.as_micros());
        // SAFETY: the session is live; what pointers lead to stays for the call.
        done(unsafe {
            match input {
                Input::Connected(id) => (c.relayprobe_session_connected)(session, id.0, now),
                Input::Sent(id) => (c.relayprobe_session_sent)(session, id.0, now),
                Input::Received(id, octets) => {
                    (c.relayprobe_session_received)(session, id.0, octets.as_ptr(), octets.len(), now)
                }
                Input::Secured(id, facts) => {
                    for certificate in &facts.certificates {
                        let der = certificate.as_bytes();
                        done((c.relayprobe_session_add_certificate)(session, id.0, der.as_ptr(), der.len()));
                    }
                    let (version, cipher) = (word(&facts.version), word(&facts.cipher));
                    (c.relayprobe_session_secured)(session, id.0, version.as_ptr(), cipher.as_ptr(), now)
                }
                Input::Lost(id, loss) => (c.relayprobe_session_lost)(session, id.0, self::loss(loss), now),
                Input::Tick => (c.relayprobe_session_tick)(session, now),
                other => panic!("C has no word for {other:?}"),
            }
        });
    }
}

impl Drop for CSession {
    fn drop(&mut self) {
        // SAFETY: it is freed once.
        unsafe { (c().relayprobe_session_free)(self.0) }
    }
}

fn loss(loss: Loss) -> i32 {
    match loss {
        Loss::Refused => 1,
        Loss::TimedOut => 2,
        Loss::NoRoute => 3,
        Loss::Prohibited => 4,
        Loss::NoAddress => 5,
        Loss::Closed => 6,
        Loss::Reset => 7,
        Loss::Tls => 8,
        _ => 9,
    }
}

/// A report in C.
#[derive(Debug)]
pub struct CReport(Handle);

impl CReport {
    /// Reads a stored report.
    ///
    /// # Panics
    /// If the library says no.
    #[must_use]
    pub fn from_json(json: &str) -> Self {
        let mut report = ptr::null_mut();
        // SAFETY: so many octets are there.
        done(unsafe { (c().relayprobe_report_from_json)(json.as_ptr().cast(), json.len(), &raw mut report) });
        Self(report)
    }

    /// Its JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // SAFETY: the report is live.
        read(unsafe { (c().relayprobe_report_json)(self.0) })
    }

    /// The word of its verdict.
    #[must_use]
    pub fn verdict(&self) -> String {
        // SAFETY: the report is live.
        read(unsafe { (c().relayprobe_verdict_name)((c().relayprobe_report_verdict)(self.0)) })
    }

    /// Its exit code.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        // SAFETY: the report is live.
        unsafe { (c().relayprobe_report_exit_code)(self.0) }
    }

    /// Case and outcome of every probe, by the functions that go through them.
    #[must_use]
    pub fn probes(&self) -> Vec<(String, String)> {
        let c = c();
        // SAFETY: the report is live.
        let count = unsafe { (c.relayprobe_report_probe_count)(self.0) };
        let one = |probe: u32| {
            // SAFETY: the report is live.
            unsafe {
                let case = read((c.relayprobe_report_probe_case)(self.0, probe));
                let outcome = (c.relayprobe_report_probe_outcome)(self.0, probe);
                (case, read((c.relayprobe_outcome_name)(outcome)))
            }
        };
        (0..u32::try_from(count).unwrap_or_else(|_| panic!("{}", last_error()))).map(one).collect()
    }

    /// Judges it as of a later date.
    ///
    /// # Panics
    /// If the library says no.
    pub fn judge(&self, date: u64) {
        // SAFETY: the report is live.
        done(unsafe { (c().relayprobe_report_judge)(self.0, date) });
    }

    /// Takes in a message, and says what it turned out to be.
    ///
    /// # Panics
    /// If the library says no.
    #[must_use]
    pub fn add_message(&self, keys: &CKeyring, message: &[u8], date: u64) -> i32 {
        let mut kind = 0;
        // SAFETY: report and keys are live, and so many octets are there.
        done(unsafe {
            let (start, length) = (message.as_ptr(), message.len());
            (c().relayprobe_report_add_message)(self.0, keys.0, start, length, date, &raw mut kind)
        });
        kind
    }
}

impl Drop for CReport {
    fn drop(&mut self) {
        // SAFETY: it is freed once.
        unsafe { (c().relayprobe_report_free)(self.0) }
    }
}
