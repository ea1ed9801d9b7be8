//! The border: no panic gets past it, and nothing is read through a pointer that was not looked at.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};
use core::fmt::Write as _;
use core::panic::AssertUnwindSafe;
use core::str::FromStr;
use core::{ptr, slice};
use std::panic::catch_unwind;

use crate::status::{Fault, relayprobe_status};

/// Octets of the longest message, its NUL included.
const MESSAGE: usize = 1024;

thread_local! {
    /// Of fixed size and without a destructor, so that threads may end and the library may be unloaded at any time.
    static LAST: UnsafeCell<[u8; MESSAGE]> = const { UnsafeCell::new([0; MESSAGE]) };
}

/// What was wrong with the last call on this thread that failed, in words that say what would be right.
///
/// Empty before anything has failed; calls that succeed leave it as it is. The string belongs to the thread and stays
/// until the next call on it fails. It is one line, whatever it quotes, and no format: print it with `"%s"`. Longer messages
/// are cut at 1023 octets. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn relayprobe_last_error() -> *const c_char {
    LAST.try_with(|last| last.get().cast::<c_char>().cast_const()).unwrap_or(c"".as_ptr())
}

/// Runs a function whose result is a status.
pub(crate) fn guard(call: impl FnOnce() -> Result<(), Fault>) -> relayprobe_status {
    match caught(call) {
        Ok(()) => relayprobe_status::Ok,
        Err(status) => status,
    }
}

/// Runs a function whose result is a number of zero or more, or a status.
pub(crate) fn guard_number(call: impl FnOnce() -> Result<i32, Fault>) -> i32 {
    caught(call).unwrap_or_else(|status| status as i32)
}

/// Runs a function whose result is a string, or NULL.
pub(crate) fn guard_text(call: impl FnOnce() -> Result<*const c_char, Fault>) -> *const c_char {
    caught(call).unwrap_or(ptr::null())
}

/// Runs a function whose result is a handle, or NULL.
pub(crate) fn guard_handle<H>(call: impl FnOnce() -> *mut H) -> *mut H {
    caught(|| Ok(call())).unwrap_or(ptr::null_mut())
}

fn caught<T>(call: impl FnOnce() -> Result<T, Fault>) -> Result<T, relayprobe_status> {
    // What a panic leaves behind is a handle that is marked as such.
    let fault = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(fault)) => fault,
        Err(payload) => {
            let words = payload.downcast_ref::<String>().map(String::as_str);
            let words = words.or(payload.downcast_ref::<&str>().copied()).unwrap_or("no words");
            let fault =
                Fault::new(relayprobe_status::Internal, format_args!("a fault of relayprobe: {words}"));
            // A payload may panic again when it is dropped; a string does not, and nothing else is thrown here.
            core::mem::forget(payload);
            fault
        }
    };
    remember(&fault.words);
    Err(fault.status)
}

/// Keeps words for `relayprobe_last_error`, cut at a character, on one line of a log and without the NUL that nothing may
/// hide behind.
fn remember(words: &str) {
    let words = words.replace(char::is_control, "?");
    let mut cut = words.len().min(MESSAGE - 1);
    while !words.is_char_boundary(cut) {
        cut -= 1;
    }
    let _ended = LAST.try_with(|last| {
        // SAFETY: only this thread has this place, and nothing else of it is running.
        let last = unsafe { &mut *last.get() };
        let octets = words.as_bytes().iter().take(cut).copied();
        last.iter_mut().zip(octets.chain([0])).for_each(|(to, from)| *to = from);
    });
}

/// A text that the caller gave. It is borrowed for the call.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, Fault> {
    if pointer.is_null() {
        return Err(Fault::null(name));
    }
    // SAFETY: the caller says that it ends with a NUL and stays for the call.
    let octets = unsafe { CStr::from_ptr(pointer) };
    octets.to_str().map_err(|fault| Fault::argument(format_args!("{name} is not UTF-8: {fault}")))
}

/// A text that has a form.
pub(crate) unsafe fn parsed<T: FromStr<Err: core::fmt::Display>>(
    pointer: *const c_char,
    name: &str,
) -> Result<T, Fault> {
    // SAFETY: passed on to the caller.
    let text = unsafe { text(pointer, name)? };
    text.parse().map_err(|fault| {
        let mut words = String::new();
        // Writing to a string does not fail.
        let _written = write!(words, "{name}: {fault}");
        Fault::argument(words)
    })
}

/// Values that the caller gave by pointer and count. They are borrowed for the call. NULL will do for none.
pub(crate) unsafe fn values<'a, T>(pointer: *const T, count: usize, name: &str) -> Result<&'a [T], Fault> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Fault::null(name));
    }
    if !pointer.is_aligned() || count > isize::MAX.unsigned_abs() / size_of::<T>().max(1) {
        return Err(Fault::argument(format_args!("{name}: a count of {count} cannot be right")));
    }
    // SAFETY: the caller says that so many are there; it was looked at as far as that is possible.
    Ok(unsafe { slice::from_raw_parts(pointer, count) })
}

/// A place where the caller wants something put.
pub(crate) fn place<T>(pointer: *mut T, name: &str) -> Result<Place<T>, Fault> {
    if pointer.is_null() { Err(Fault::null(name)) } else { Ok(Place(pointer)) }
}

/// A place that is not NULL.
pub(crate) struct Place<T>(*mut T);

impl<T> Place<T> {
    /// Puts a value there.
    pub(crate) fn put(self, value: T) {
        // SAFETY: it is not NULL, and the caller says that there is room; nothing there is read or dropped.
        unsafe { self.0.write_unaligned(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last() -> String {
        // SAFETY: it is never NULL and always ends with a NUL.
        unsafe { CStr::from_ptr(relayprobe_last_error()) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_becomes_a_status_with_its_words() {
        assert_eq!(guard(|| panic!("boom {}", 7)), relayprobe_status::Internal);
        assert_eq!(last(), "a fault of relayprobe: boom 7");
        assert_eq!(guard_number(|| panic!("boom")), -14);
        assert!(guard_text(|| panic!("boom")).is_null());
        assert!(guard_handle::<u8>(|| panic!("boom")).is_null());
        assert_eq!(guard(|| Ok(())), relayprobe_status::Ok);
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let words = "é".repeat(2_000);
        assert_eq!(guard(|| Err(Fault::argument(&words))), relayprobe_status::InvalidArgument);
        assert_eq!(last(), "é".repeat(511));
    }

    #[test]
    fn a_message_is_one_line_without_anything_that_steers_a_terminal() {
        let words = "a\0b\r\nc\u{1b}[2Jd\u{85}\u{7f}";
        assert_eq!(guard(|| Err(Fault::argument(words))), relayprobe_status::InvalidArgument);
        assert_eq!(last(), "a?b??c?[2Jd??");
    }

    #[test]
    fn threads_have_messages_of_their_own() {
        assert_eq!(guard(|| Err(Fault::argument("mine"))), relayprobe_status::InvalidArgument);
        assert_eq!(std::thread::spawn(last).join().unwrap(), "");
        assert_eq!(last(), "mine");
    }
}
