//! By whose leave, and who asked not to be tested.

use core::ffi::c_char;

use relayprobe::address::{Domain, Network};
use relayprobe::moment::Date;
use relayprobe::plan::{History, NeverTest};

use super::{Again, relayprobe_plan};
use crate::guard::{guard, parsed, text};
use crate::handle::handle;
use crate::status::{Fault, relayprobe_status};

/// Says by whose leave the test runs, as KIND:REFERENCE, such as "customer-contract:K123". Required. `plan` and `who`
/// must not be NULL.
///
/// The kinds are own-server, customer-contract, request, complaint and peer-initiated. The kind stands in every message;
/// the reference stays in the report and is never sent. Calling it again forgets scope and end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_authorization(
    plan: *mut relayprobe_plan,
    who: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, who) = unsafe { (handle(plan, "plan")?, parsed(who, "who")?) };
        plan.authorization = Some(who);
        Ok(())
    })
}

/// A network like 192.0.2.0/24 or a domain like example.org that the leave covers; everything unless one is added.
/// `plan` and `scope` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_add_scope(
    plan: *mut relayprobe_plan,
    scope: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, scope) = unsafe { (handle(plan, "plan")?, text(scope, "scope")?) };
        let leave = plan.authorization_mut()?;
        match (scope.parse::<Network>(), scope.parse::<Domain>()) {
            (Ok(network), _) => leave.networks.push(network),
            (Err(_), Ok(domain)) => leave.domains.push(domain),
            (Err(_), Err(fault)) => {
                return Err(Fault::argument(format_args!(
                    "scope is neither a network nor a domain: {fault}"
                )));
            }
        }
        Ok(())
    })
}

/// The last second of the leave, in seconds since 1970; 0 for none, as it is otherwise. `plan` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_authorization_end(
    plan: *mut relayprobe_plan,
    date: u64,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        plan.authorization_mut()?.until = (date > 0).then(|| Date::from_unix(date));
        Ok(())
    })
}

/// Who asked not to be tested: the text of a list with a network, an address or a domain on each line; # begins a
/// comment. It takes the place of an earlier list. `plan` and `list` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_never_test(
    plan: *mut relayprobe_plan,
    list: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, list) = unsafe { (handle(plan, "plan")?, text(list, "list")?) };
        plan.never_test = NeverTest::parse(list).map_err(Fault::argument)?;
        Ok(())
    })
}

/// What earlier runs did to the same server: when the last one began (seconds since 1970, 0 for never), and how many
/// refusals and messages there were today. `plan` must not be NULL.
///
/// The library remembers nothing from run to run; this is how it keeps to one run a day and to the limits of a day.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_history(
    plan: *mut relayprobe_plan,
    last_run: u64,
    refusals_today: u32,
    messages_today: u32,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        plan.target()?;
        plan.history = History {
            last_run: (last_run > 0).then(|| Date::from_unix(last_run)),
            refusals_today,
            messages_today,
        };
        Ok(())
    })
}

/// Tests servers although they were tested less than a day ago: a person asks for it. `plan` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_again(plan: *mut relayprobe_plan) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        unsafe { handle(plan, "plan")? }.again = Again::Now;
        Ok(())
    })
}
