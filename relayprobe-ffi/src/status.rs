//! Why a call did not do what was asked.

use core::ffi::c_char;

use relayprobe::PlanError;

/// What a function returns that can fail: RELAYPROBE_STATUS_OK, or a negative number that says why not.
///
/// Numbers are never used for anything else. A number that you do not know is an error all the same. After an error
/// relayprobe_last_error() says in words what was wrong and what would be right.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_status {
    /// Done.
    Ok = 0,
    /// A pointer is NULL that must not be.
    NullPointer = -1,
    /// A pointer leads to no handle of this kind: another kind, or one that was freed.
    WrongHandle = -2,
    /// Another thread is using the handle at this moment.
    Busy = -3,
    /// A number or a text makes no sense.
    InvalidArgument = -4,
    /// Something has to be said first: the server, who tests, or by whose leave.
    Incomplete = -5,
    /// The plan asks for something that cannot or must not be done.
    InvalidPlan = -6,
    /// The authorization does not cover this server, or has ended.
    NotAuthorized = -7,
    /// The owner asked not to be tested.
    NeverTest = -8,
    /// The server was tested less than a day ago, or would be asked too much today.
    TooSoon = -9,
    /// The session has given its report; only relayprobe_session_free() is left.
    SessionOver = -10,
    /// The field struct_size of a struct was not set to its size.
    StructSize = -11,
    /// The text is no report or no keyring.
    Unreadable = -12,
    /// The receipt does not belong to this report.
    OtherRun = -13,
    /// A fault of the library. The handle is good for nothing but to be freed. Please report it.
    Internal = -14,
}

/// What an error number means, in general; relayprobe_last_error() says it of the case at hand. The string is static.
#[unsafe(no_mangle)]
pub extern "C" fn relayprobe_status_text(status: i32) -> *const c_char {
    let found = TEXTS.iter().find(|(known, _)| *known as i32 == status);
    found.map_or(c"unknown status", |(_, text)| text).as_ptr()
}

const TEXTS: [(relayprobe_status, &core::ffi::CStr); 15] = [
    (relayprobe_status::Ok, c"done"),
    (relayprobe_status::NullPointer, c"a pointer is NULL that must not be"),
    (relayprobe_status::WrongHandle, c"a pointer leads to no live handle of this kind"),
    (relayprobe_status::Busy, c"another thread is using the handle"),
    (relayprobe_status::InvalidArgument, c"a number or a text makes no sense"),
    (relayprobe_status::Incomplete, c"something has to be said first"),
    (relayprobe_status::InvalidPlan, c"the plan cannot or must not be done"),
    (relayprobe_status::NotAuthorized, c"the authorization does not cover this"),
    (relayprobe_status::NeverTest, c"the owner asked not to be tested"),
    (relayprobe_status::TooSoon, c"the server was asked enough for today"),
    (relayprobe_status::SessionOver, c"the session has given its report"),
    (relayprobe_status::StructSize, c"struct_size is not the size of the struct"),
    (relayprobe_status::Unreadable, c"the text cannot be read"),
    (relayprobe_status::OtherRun, c"the receipt belongs to another run"),
    (relayprobe_status::Internal, c"a fault of the library"),
];

/// A status with its words.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) status: relayprobe_status,
    pub(crate) words: String,
}

impl Fault {
    #[expect(clippy::needless_pass_by_value, reason = "words are made where they are given")]
    pub(crate) fn new(status: relayprobe_status, words: impl ToString) -> Self {
        Self { status, words: words.to_string() }
    }

    pub(crate) fn null(name: &str) -> Self {
        Self::new(relayprobe_status::NullPointer, format_args!("{name} is NULL"))
    }

    pub(crate) fn argument(words: impl ToString) -> Self {
        Self::new(relayprobe_status::InvalidArgument, words)
    }

    /// `what` has to be set by `function` first.
    pub(crate) fn incomplete(what: &str, function: &str) -> Self {
        Self::new(
            relayprobe_status::Incomplete,
            format_args!("{what} is not known yet: call {function} first"),
        )
    }
}

impl From<PlanError> for Fault {
    fn from(error: PlanError) -> Self {
        let status = match &error {
            PlanError::OutOfScope { .. } | PlanError::Ended { .. } => relayprobe_status::NotAuthorized,
            PlanError::NeverTest { .. } => relayprobe_status::NeverTest,
            PlanError::TooSoon { .. } | PlanError::ManyRefusals { .. } | PlanError::ManyMessages { .. } => {
                relayprobe_status::TooSoon
            }
            _ => relayprobe_status::InvalidPlan,
        };
        Self::new(status, error)
    }
}
