//! Names and addresses, for agents that have a resolver of their own: what may be connected to, what is asked, and what an
//! answer means.

use core::ffi::c_char;
use core::net::IpAddr;

use relayprobe::address::{Domain, Scope};
use relayprobe::lookup::{self, Family};

use crate::guard::{guard, guard_number, parsed, place, text};
use crate::numbers::{LIST_TESTS, SCOPES, relayprobe_list_state, value};
use crate::status::{Fault, relayprobe_status};

/// Whether a server at an address may be tested at all: RELAYPROBE_STATUS_OK, or RELAYPROBE_STATUS_INVALID_PLAN for an
/// address of a special-purpose range, a metadata service, or one at which no server can be.
///
/// `address` is IPv4 or IPv6 without brackets; an address that carries another is judged by that one. `scope` is one of
/// relayprobe_scope. Ask for the address that you are about to connect to, not for one that its name had before: names can
/// be made to lead anywhere. relayprobe_plan_check() and relayprobe_session_new() ask the same of their plan.
///
/// `address` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_address_check(address: *const c_char, scope: i32) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let address: IpAddr = unsafe { parsed(address, "address")? };
        let scope: Scope = value(&SCOPES, scope, "scope")?;
        scope.check(address).map_err(|fault| Fault::new(relayprobe_status::InvalidPlan, fault))
    })
}

/// Puts the name at which the reverse name of an address is found (PTR), such as "1.2.0.192.in-addr.arpa", into a buffer
/// of `size` octets, with a NUL. 256 are always enough; RELAYPROBE_STATUS_INVALID_ARGUMENT if they are not.
///
/// `address` and `buffer` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_reverse_name(
    address: *const c_char,
    buffer: *mut c_char,
    size: usize,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let address: IpAddr = unsafe { parsed(address, "address")? };
        // SAFETY: the same.
        unsafe { put(lookup::reverse_name(address), buffer, size) }
    })
}

/// Puts the name at which a block list has an address (RFC 5782), such as "1.2.0.192.bl.example", into a buffer of `size`
/// octets, with a NUL. 256 are always enough. Ask for A records of it, and for TXT records if it is listed.
///
/// Before you believe a list, see that it works: of the names that relayprobe_list_test_name() gives, the first must be
/// listed and the second must not.
///
/// `address`, `zone` and `buffer` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_list_name(
    address: *const c_char,
    zone: *const c_char,
    buffer: *mut c_char,
    size: usize,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (address, zone): (IpAddr, Domain) =
            unsafe { (parsed(address, "address")?, parsed(zone, "zone")?) };
        // SAFETY: the same.
        unsafe { put(lookup::query_name(address, &zone), buffer, size) }
    })
}

/// Puts the name of a test entry of a block list (RFC 5782 section 5) into a buffer of `size` octets, with a NUL. 256 are
/// always enough. `test` is one of relayprobe_list_test.
///
/// `zone` and `buffer` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_list_test_name(
    test: i32,
    zone: *const c_char,
    buffer: *mut c_char,
    size: usize,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let zone: Domain = unsafe { parsed(zone, "zone")? };
        let (family, listed): (Family, Entry) = value(&LIST_TESTS, test, "test")?;
        let entry = match listed {
            Entry::Listed => family.listed(),
            Entry::Unlisted => family.unlisted(),
        };
        // SAFETY: the same.
        unsafe { put(lookup::test_name(entry, &zone), buffer, size) }
    })
}

/// What a block list has answered: one of relayprobe_list_state, or a negative status.
///
/// `answers` is where the addresses of its A records stand, with blanks between them, such as "127.0.0.2 127.0.0.4"; empty
/// if there is no such name or no record. If your resolver failed or nothing came there is no answer to decode: nothing is
/// known. A listing never changes a verdict.
///
/// `answers` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_list_decode(answers: *const c_char) -> i32 {
    guard_number(|| {
        // SAFETY: passed on to the caller.
        let answers = unsafe { text(answers, "answers")? };
        let read = |word: &str| {
            word.parse().map_err(|_| Fault::argument(format_args!("answers: \"{word}\" is no address")))
        };
        let answers: Vec<IpAddr> = answers.split_ascii_whitespace().map(read).collect::<Result<_, _>>()?;
        Ok(match lookup::decode(&answers) {
            Ok(codes) if codes.is_empty() => relayprobe_list_state::NotListed,
            Ok(_) => relayprobe_list_state::Listed,
            Err(_) => relayprobe_list_state::Unknown,
        } as i32)
    })
}

/// Which of the two test entries of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    /// The one that it has.
    Listed,
    /// The one that it has not.
    Unlisted,
}

/// Puts a name into the caller's buffer.
unsafe fn put(name: Option<Domain>, buffer: *mut c_char, size: usize) -> Result<(), Fault> {
    place(buffer, "buffer")?;
    let name = name.ok_or_else(|| Fault::argument("zone: the name would be longer than names can be"))?;
    let octets = name.as_str().as_bytes();
    if octets.len() >= size {
        return Err(Fault::argument(format_args!("size: {} octets are needed", octets.len() + 1)));
    }
    // SAFETY: it is not NULL, and the caller says that there is room for `size` octets, which are more than are written.
    unsafe {
        core::ptr::copy_nonoverlapping(octets.as_ptr(), buffer.cast::<u8>(), octets.len());
        buffer.add(octets.len()).write(0);
    }
    Ok(())
}
