//! The keys that make and check tokens.

use core::ffi::c_char;

use relayprobe::Keyring;
use relayprobe::moment::Date;
use relayprobe::token::Key;

use crate::guard::{guard, guard_text, place, text, values};
use crate::handle::{Opaque, free, handle, make};
use crate::report::Lent;
use crate::status::{Fault, relayprobe_status};

/// The secret keys that tie a message that comes back to a run. See relayprobe_plan_set_prove().
///
/// Not part of any plan, report or log. A keyring is used by one thread at a time.
pub struct relayprobe_keyring {
    _opaque: [u8; 0],
}

impl Opaque for relayprobe_keyring {
    type Value = Ring;
    const TAG: u64 = u64::from_be_bytes(*b"rp-keys1");
    const NAME: &'static str = "relayprobe_keyring";
}

/// A keyring, and the text of it that C holds.
#[derive(Debug)]
pub(crate) struct Ring {
    keys: Keyring,
    text: Lent,
}

impl core::ops::Deref for Ring {
    type Target = Keyring;

    fn deref(&self) -> &Keyring {
        &self.keys
    }
}

/// Makes a keyring of one key, from 32 octets that nobody can guess (getrandom()) and the date (seconds since 1970). No
/// pointer may be NULL. Free it with relayprobe_keyring_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_keyring_new(
    secret: *const u8,
    length: usize,
    date: u64,
    keyring: *mut *mut relayprobe_keyring,
) -> relayprobe_status {
    guard(|| {
        let keyring = place(keyring, "keyring")?;
        // SAFETY: passed on to the caller.
        let secret = unsafe { self::secret(secret, length)? };
        keyring.put(make(Ring { keys: Keyring::new(secret, Date::from_unix(date)), text: Lent::default() }));
        Ok(())
    })
}

/// Reads the form in which a keyring is kept: `text` is what relayprobe_keyring_text() gave, or the key file of the
/// command line. No pointer may be NULL. Free it with relayprobe_keyring_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_keyring_from_text(
    text: *const c_char,
    keyring: *mut *mut relayprobe_keyring,
) -> relayprobe_status {
    guard(|| {
        let keyring = place(keyring, "keyring")?;
        // SAFETY: passed on to the caller.
        let text = unsafe { self::text(text, "text")? };
        let read = Keyring::from_text(text);
        let keys = read.map_err(|fault| Fault::new(relayprobe_status::Unreadable, fault))?;
        keyring.put(make(Ring { keys, text: Lent::default() }));
        Ok(())
    })
}

/// Puts a new key into use, made as for relayprobe_keyring_new(). Older ones still check what they made, for 8 days.
/// No pointer may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_keyring_roll(
    keyring: *mut relayprobe_keyring,
    secret: *const u8,
    length: usize,
    date: u64,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut ring, secret) = unsafe { (handle(keyring, "keyring")?, self::secret(secret, length)?) };
        ring.keys.roll(secret, Date::from_unix(date));
        Ok(())
    })
}

/// The form in which a keyring is kept, for a file that only its owner can read. It holds the secrets. NULL after an
/// error. The string stays until the next call with this keyring. `keyring` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_keyring_text(keyring: *mut relayprobe_keyring) -> *const c_char {
    guard_text(|| {
        // SAFETY: passed on to the caller.
        let mut ring = unsafe { handle(keyring, "keyring")? };
        let text = ring.keys.to_text();
        Ok(ring.text.lend(text))
    })
}

/// Frees a keyring. NULL is fine. Plans that were given it keep their copy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_keyring_free(keyring: *mut relayprobe_keyring) {
    // SAFETY: passed on to the caller.
    guard(|| unsafe { free(keyring) });
}

unsafe fn secret(pointer: *const u8, length: usize) -> Result<[u8; Key::OCTETS], Fault> {
    if pointer.is_null() {
        return Err(Fault::null("secret"));
    }
    // SAFETY: passed on to the caller.
    let octets = unsafe { values(pointer, length, "secret")? };
    octets.try_into().map_err(|_| {
        Fault::argument(format_args!("a secret has {} octets; {length} were given", Key::OCTETS))
    })
}
