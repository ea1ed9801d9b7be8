//! Handles: what C holds a pointer to.

use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU8, Ordering};
use std::sync::Once;
use std::thread;

use crate::status::{Fault, relayprobe_status};

/// A type that C knows by name only, and what is behind it.
pub(crate) trait Opaque {
    /// What is behind the pointer.
    type Value;
    /// Tells handles of one kind from those of another, and from those that were freed.
    const TAG: u64;
    /// What C calls it.
    const NAME: &'static str;
}

/// The tag comes first in each, so that it can be read before anything else is believed.
#[repr(C)]
struct Kept<T> {
    tag: u64,
    state: AtomicU8,
    value: T,
}

/// Nobody is using it.
const FREE: u8 = 0;
/// A call is using it.
const BUSY: u8 = 1;
/// A call panicked while it used it.
const BROKEN: u8 = 2;
/// What is left of a tag after a handle was freed.
const GONE: u64 = 0;

/// Gives a value to C, which gives it back to [`free`].
pub(crate) fn make<H: Opaque>(value: H::Value) -> *mut H {
    keep_quiet();
    Box::into_raw(Box::new(Kept { tag: H::TAG, state: AtomicU8::new(FREE), value })).cast()
}

/// The value of a handle, for one call.
pub(crate) unsafe fn handle<'a, H: Opaque>(
    pointer: *const H,
    name: &str,
) -> Result<Held<'a, H::Value>, Fault> {
    // SAFETY: passed on to the caller.
    let kept = unsafe { look::<H>(pointer, name)? };
    // SAFETY: the tag says what it is. Nothing but this field is touched before the handle is ours.
    let state = unsafe { &(*kept).state };
    match state.compare_exchange(FREE, BUSY, Ordering::Acquire, Ordering::Relaxed) {
        // SAFETY: whoever comes until it is given back sees that it is busy.
        Ok(_) => Ok(Held { state, value: unsafe { &mut (*kept).value } }),
        Err(BROKEN) => Err(Fault::new(
            relayprobe_status::Internal,
            format_args!("{name} was left broken by a fault of relayprobe and can only be freed"),
        )),
        Err(_) => Err(Fault::new(
            relayprobe_status::Busy,
            format_args!("{name} is in use by another call: one thread at a time may use a {}", H::NAME),
        )),
    }
}

/// The value of a handle that any number of threads may look at.
pub(crate) unsafe fn shared<'a, H: Opaque<Value: Sync>>(
    pointer: *const H,
    name: &str,
) -> Result<&'a H::Value, Fault> {
    // SAFETY: passed on to the caller; nobody asks for it by `handle`.
    Ok(unsafe { &(*look::<H>(pointer, name)?).value })
}

/// Takes a handle back. One that is in use is left alone: a leak is better than what comes else.
pub(crate) unsafe fn free<H: Opaque>(pointer: *mut H) -> Result<(), Fault> {
    if pointer.is_null() {
        return Ok(());
    }
    // SAFETY: passed on to the caller.
    let kept = unsafe { look::<H>(pointer, H::NAME)? };
    // SAFETY: the tag says what it is.
    if unsafe { &(*kept).state }.swap(BUSY, Ordering::Acquire) == BUSY {
        return Err(Fault::new(
            relayprobe_status::Busy,
            format_args!("a {} is in use and was not freed", H::NAME),
        ));
    }
    // SAFETY: `make` made it of a box, and nobody else is using it.
    unsafe {
        // Helps those who use it again, as long as nothing else took the place.
        (&raw mut (*kept).tag).write_volatile(GONE);
        drop(Box::from_raw(kept));
    }
    Ok(())
}

unsafe fn look<H: Opaque>(pointer: *const H, name: &str) -> Result<*mut Kept<H::Value>, Fault> {
    let kept = pointer.cast_mut().cast::<Kept<H::Value>>();
    if kept.is_null() {
        return Err(Fault::null(name));
    }
    // SAFETY: every handle begins with a tag; the caller says that it is one.
    if !kept.is_aligned() || unsafe { (&raw const (*kept).tag).read() } != H::TAG {
        return Err(Fault::new(
            relayprobe_status::WrongHandle,
            format_args!("{name} is no live {}", H::NAME),
        ));
    }
    Ok(kept)
}

/// A handle in use by a call.
pub(crate) struct Held<'a, T> {
    state: &'a AtomicU8,
    value: &'a mut T,
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        self.state.store(if thread::panicking() { BROKEN } else { FREE }, Ordering::Release);
    }
}

/// A fault of ours is told by a status, not on a stream of the program's.
///
/// This is the hook of the standard library within this library, which the program shares with nobody.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    if cfg!(not(test)) {
        ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::guard;

    struct One;
    impl Opaque for One {
        type Value = Vec<u8>;
        const TAG: u64 = 1;
        const NAME: &'static str = "one";
    }
    struct Other;
    impl Opaque for Other {
        type Value = u8;
        const TAG: u64 = 2;
        const NAME: &'static str = "other";
    }

    fn status(call: impl FnOnce() -> Result<(), Fault>) -> relayprobe_status {
        guard(call)
    }

    #[test]
    fn a_handle_of_another_kind_is_seen() {
        let one = make::<One>(vec![1]);
        // SAFETY: it is a handle, if of another kind.
        let seen = status(|| unsafe { handle(one.cast::<Other>(), "x") }.map(drop));
        assert_eq!(seen, relayprobe_status::WrongHandle);
        // SAFETY: as above.
        assert_eq!(status(|| unsafe { free(one.cast::<Other>()) }), relayprobe_status::WrongHandle);
        // SAFETY: it came from `make`.
        assert_eq!(status(|| unsafe { free(one) }), relayprobe_status::Ok);
    }

    #[test]
    fn a_handle_in_use_is_seen_and_not_freed() {
        let one = make::<One>(vec![1]);
        // SAFETY: it came from `make`.
        let held = unsafe { handle(one, "one") }.unwrap();
        // SAFETY: it came from `make`.
        assert_eq!(status(|| unsafe { handle(one, "one") }.map(drop)), relayprobe_status::Busy);
        // SAFETY: it came from `make`.
        assert_eq!(status(|| unsafe { free(one) }), relayprobe_status::Busy);
        drop(held);
        // SAFETY: it came from `make`.
        assert_eq!(status(|| unsafe { free(one) }), relayprobe_status::Ok);
    }

    #[test]
    fn a_panic_breaks_the_handle_in_use_and_no_other() {
        let (one, two) = (make::<One>(vec![1]), make::<One>(vec![2]));
        let broken = status(|| {
            // SAFETY: it came from `make`.
            let _held = unsafe { handle(one, "one")? };
            panic!("while it is held")
        });
        assert_eq!(broken, relayprobe_status::Internal);
        // SAFETY: both came from `make`.
        assert_eq!(status(|| unsafe { handle(one, "one") }.map(drop)), relayprobe_status::Internal);
        // SAFETY: as above.
        assert_eq!(status(|| unsafe { handle(two, "two") }.map(drop)), relayprobe_status::Ok);
        for pointer in [one, two] {
            // SAFETY: as above.
            assert_eq!(status(|| unsafe { free(pointer) }), relayprobe_status::Ok);
        }
    }
}
