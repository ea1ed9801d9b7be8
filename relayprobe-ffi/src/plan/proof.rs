//! Messages: whether they are sent, and by which way they come back.

use core::ffi::c_char;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use super::relayprobe_plan;
use crate::guard::{guard, parsed};
use crate::handle::handle;
use crate::keyring::relayprobe_keyring;
use crate::numbers::{PROVES, value};
use crate::status::{Fault, relayprobe_status};

/// Sends messages for the cases that are accepted: `which` is one of relayprobe_prove. Envelopes alone otherwise. `plan`
/// and `keyring` must not be NULL; the keyring is copied.
///
/// Somebody must listen at the probe domain from then on, and what comes goes into relayprobe_report_add_message().
/// Recipients are only ever in your own domains.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_prove(
    plan: *mut relayprobe_plan,
    which: i32,
    keyring: *mut relayprobe_keyring,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, keyring) = unsafe { (handle(plan, "plan")?, handle(keyring, "keyring")?) };
        plan.proof = Some((value(&PROVES, which, "relayprobe_prove")?, keyring.clone()));
        Ok(())
    })
}

/// Messages of the run, 1 to 64; 12 otherwise. `plan` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_messages(
    plan: *mut relayprobe_plan,
    count: u16,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        unsafe { handle(plan, "plan")? }.messages = Some(count);
        Ok(())
    })
}

/// After how many seconds a message that was accepted and has not come back is taken for not relayed, 1 to 691200 (8
/// days); 21600 (6 hours) otherwise. `plan` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_window(
    plan: *mut relayprobe_plan,
    seconds: u64,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        unsafe { handle(plan, "plan")? }.window = Some(Duration::from_secs(seconds));
        Ok(())
    })
}

/// Where your receiving server is reached by those who deliver to the probe domain: an address as text, and a port.
/// `plan` and `address` must not be NULL.
///
/// A run with proof then begins with a message of our own by that way: without it nobody can say later that nothing
/// came.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_way_in(
    plan: *mut relayprobe_plan,
    address: *const c_char,
    port: u16,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, address) = unsafe { (handle(plan, "plan")?, parsed::<IpAddr>(address, "address")?) };
        if port == 0 {
            return Err(Fault::argument("port is 0: mail servers listen on 25"));
        }
        plan.way_in = Some(SocketAddr::new(address, port));
        Ok(())
    })
}
