//! Which library this is.

use core::ffi::c_char;

/// The version of the interface that this header describes. See relayprobe_abi_version().
pub const RELAYPROBE_ABI_VERSION: u32 = 1;

/// The version of the interface that the loaded library has.
///
/// It is RELAYPROBE_ABI_VERSION of the header that the library was built with. Functions and constants are added without
/// a new number, and structs grow at their end. The number goes up when something that was there changes or goes; the
/// SONAME changes with it. A program that loads the library with dlopen() compares it with its own
/// RELAYPROBE_ABI_VERSION before it calls anything else.
#[unsafe(no_mangle)]
pub extern "C" fn relayprobe_abi_version() -> u32 {
    RELAYPROBE_ABI_VERSION
}

/// The version of the library, such as "0.1.0". The string is static.
#[unsafe(no_mangle)]
pub extern "C" fn relayprobe_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
