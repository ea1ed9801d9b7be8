//! What is known of the server.

use core::ffi::c_char;
use core::net::IpAddr;

use relayprobe::Target;
use relayprobe::plan::{DriverTls, History};

use super::{Private, relayprobe_plan};
use crate::guard::{guard, parsed, values};
use crate::handle::handle;
use crate::status::{Fault, relayprobe_status};

/// Names the server: an IPv4 or IPv6 address as text, and a port, mostly 25. Required. `plan` and `address` must not be
/// NULL.
///
/// What was said about an earlier server is forgotten: its names, domains, mailbox, other address and history. So this
/// comes first, and the functions that say more about the server after it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_target(
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
        plan.target = Some(Target::new(address, port));
        plan.history = History::default();
        Ok(())
    })
}

/// The host name by which you know the server; used for TLS only. `plan` and `name` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_target_name(
    plan: *mut relayprobe_plan,
    name: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, name) = unsafe { (handle(plan, "plan")?, parsed(name, "name")?) };
        plan.target_mut()?.name = Some(name);
        Ok(())
    })
}

/// A mail domain of the server's own, the main one first. `plan` and `domain` must not be NULL.
///
/// Without any the controls use the names that the server gives itself, and the verdict may be undetermined.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_add_domain(
    plan: *mut relayprobe_plan,
    domain: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, domain) = unsafe { (handle(plan, "plan")?, parsed(domain, "domain")?) };
        plan.target_mut()?.domains.push(domain);
        Ok(())
    })
}

/// A real mailbox on the server, named by its operator for controls. It never gets a message. `plan` and `mailbox` must
/// not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_mailbox(
    plan: *mut relayprobe_plan,
    mailbox: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, mailbox) = unsafe { (handle(plan, "plan")?, parsed(mailbox, "mailbox")?) };
        plan.target_mut()?.mailbox = Some(mailbox);
        Ok(())
    })
}

/// The reverse name of the server's address. `plan` and `name` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_reverse_name(
    plan: *mut relayprobe_plan,
    name: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, name) = unsafe { (handle(plan, "plan")?, parsed(name, "name")?) };
        plan.target_mut()?.reverse_name = Some(name);
        Ok(())
    })
}

/// Another address of the same host in the other family, for forms that hold it. It is not connected to. `plan` and
/// `address` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_other_address(
    plan: *mut relayprobe_plan,
    address: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, address) = unsafe { (handle(plan, "plan")?, parsed(address, "address")?) };
        plan.target_mut()?.other_address = Some(address);
        Ok(())
    })
}

/// What the server called itself when it was last tested; another name now makes the verdict undetermined. `plan` and
/// `name` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_expected_host(
    plan: *mut relayprobe_plan,
    name: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, name) = unsafe { (handle(plan, "plan")?, parsed(name, "name")?) };
        plan.target_mut()?.expected_host = Some(name);
        Ok(())
    })
}

/// The domain of the server's internet provider. `plan` and `domain` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_provider_domain(
    plan: *mut relayprobe_plan,
    domain: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, domain) = unsafe { (handle(plan, "plan")?, parsed(domain, "domain")?) };
        plan.target_mut()?.provider_domain = Some(domain);
        Ok(())
    })
}

/// Which ports to ask on, the main one first; the target's otherwise, also after a count of 0. `plan` must not be NULL,
/// nor `ports` unless the count is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_ports(
    plan: *mut relayprobe_plan,
    ports: *const u16,
    count: usize,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, ports) = unsafe { (handle(plan, "plan")?, values(ports, count, "ports")?) };
        plan.ports = ports.to_vec();
        Ok(())
    })
}

/// Takes a port for a mail port although it is none of the usual ones. `plan` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_allow_port(
    plan: *mut relayprobe_plan,
    port: u16,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        if !plan.allowed_ports.contains(&port) {
            plan.allowed_ports.push(port);
        }
        Ok(())
    })
}

/// Takes a port for one on which TLS begins with the first octet, as it does on 465. `plan` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_add_implicit_tls(
    plan: *mut relayprobe_plan,
    port: u16,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        if !plan.implicit_tls.contains(&port) {
            plan.implicit_tls.push(port);
        }
        Ok(())
    })
}

/// Allows loopback, private and link-local targets, on mail ports and from 1024 on. `plan` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_allow_private(plan: *mut relayprobe_plan) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        unsafe { handle(plan, "plan")? }.private = Private::Allowed;
        Ok(())
    })
}

/// Local address to connect from, as text; the system's choice otherwise. `plan` and `address` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_source(
    plan: *mut relayprobe_plan,
    address: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, address) = unsafe { (handle(plan, "plan")?, parsed(address, "address")?) };
        plan.source = Some(address);
        Ok(())
    })
}

/// Whether your own loop can do TLS: 1 it can, 0 it cannot, which is what is assumed otherwise. `plan` must not be NULL.
///
/// With 0, probes behind TLS are "not-tested". relayprobe_run() has TLS of its own and takes no notice of this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_tls(plan: *mut relayprobe_plan, able: i32) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        plan.tls = match able {
            0 => DriverTls::Unable,
            1 => DriverTls::Able,
            _ => return Err(Fault::argument(format_args!("able is {able}: 0 or 1 is wanted"))),
        };
        Ok(())
    })
}
