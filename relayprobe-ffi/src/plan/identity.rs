//! Who tests. It stands in every HELO and in every message.

use core::ffi::c_char;
use core::net::IpAddr;

use relayprobe::Identity;

use super::relayprobe_plan;
use crate::guard::{guard, parsed};
use crate::handle::handle;
use crate::status::relayprobe_status;

/// The domain of every test recipient, your own; its MX is your receiving server. Required. `plan` and `domain` must not
/// be NULL.
///
/// The rest of who tests follows from it: it is also the HELO name, the sender domain and the organisation, the contact
/// is its postmaster. The functions that say otherwise come after this one; calling it again begins anew.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_probe_domain(
    plan: *mut relayprobe_plan,
    domain: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, domain) = unsafe { (handle(plan, "plan")?, parsed(domain, "domain")?) };
        plan.identity = Some(Identity::new(domain));
        Ok(())
    })
}

/// The name of your organisation: 1 to 200 printable characters of ASCII. `plan` and `name` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_organisation(
    plan: *mut relayprobe_plan,
    name: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, name) = unsafe { (handle(plan, "plan")?, parsed(name, "name")?) };
        plan.identity_mut()?.organisation = name;
        Ok(())
    })
}

/// What to call ourselves in EHLO; should resolve forward and back. `plan` and `name` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_helo(
    plan: *mut relayprobe_plan,
    name: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, name) = unsafe { (handle(plan, "plan")?, parsed(name, "name")?) };
        plan.identity_mut()?.helo = name;
        Ok(())
    })
}

/// The domain of the test senders, your own; best in another zone than the probe domain. `plan` and `domain` must not be
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_sender_domain(
    plan: *mut relayprobe_plan,
    domain: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, domain) = unsafe { (handle(plan, "plan")?, parsed(domain, "domain")?) };
        plan.identity_mut()?.sender_domain = domain;
        Ok(())
    })
}

/// The mailbox where people reach you. `plan` and `mailbox` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_contact(
    plan: *mut relayprobe_plan,
    mailbox: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, mailbox) = unsafe { (handle(plan, "plan")?, parsed(mailbox, "mailbox")?) };
        plan.identity_mut()?.contact = mailbox;
        Ok(())
    })
}

/// A page that describes the test (RFC 9511). `plan` and `uri` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_probe_uri(
    plan: *mut relayprobe_plan,
    uri: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, uri) = unsafe { (handle(plan, "plan")?, parsed(uri, "uri")?) };
        plan.identity_mut()?.probe_uri = uri;
        Ok(())
    })
}

/// The name of your receiving server. `plan` and `name` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_sink_host(
    plan: *mut relayprobe_plan,
    name: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, name) = unsafe { (handle(plan, "plan")?, parsed(name, "name")?) };
        plan.identity_mut()?.sink_host = Some(name);
        Ok(())
    })
}

/// The address of your receiving server, as text; one of each family can be set. `plan` and `address` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_sink_address(
    plan: *mut relayprobe_plan,
    address: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, address) = unsafe { (handle(plan, "plan")?, parsed(address, "address")?) };
        match address {
            IpAddr::V4(v4) => plan.identity_mut()?.sink_ipv4 = Some(v4),
            IpAddr::V6(v6) => plan.identity_mut()?.sink_ipv6 = Some(v6),
        }
        Ok(())
    })
}

/// A name in your zones whose MX records name your receiving server and the server under test. `plan` and `name` must
/// not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_lure_mx(
    plan: *mut relayprobe_plan,
    name: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, name) = unsafe { (handle(plan, "plan")?, parsed(name, "name")?) };
        plan.identity_mut()?.lure_mx = Some(name);
        Ok(())
    })
}

/// A name in your zones with the address of the server under test and no MX. `plan` and `name` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_lure_a(
    plan: *mut relayprobe_plan,
    name: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, name) = unsafe { (handle(plan, "plan")?, parsed(name, "name")?) };
        plan.identity_mut()?.lure_a = Some(name);
        Ok(())
    })
}
