//! How fast, how much, from where.

use relayprobe::plan::Budget;

use super::relayprobe_plan;
use crate::guard::{guard, values};
use crate::handle::handle;
use crate::numbers::{GROUPINGS, MEASURES, PROFILES, VANTAGES, value};
use crate::status::{Fault, relayprobe_status};

/// Deadlines and paces: one of relayprobe_profile; RELAYPROBE_PROFILE_BRISK otherwise. `plan` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_profile(
    plan: *mut relayprobe_plan,
    profile: i32,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        plan.profile = value(&PROFILES, profile, "relayprobe_profile")?;
        Ok(())
    })
}

/// Connections open at once, 1 to 3; 1 otherwise. `plan` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_connections(
    plan: *mut relayprobe_plan,
    count: u32,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        let right = u8::try_from(count).ok().filter(|count| (1..=3).contains(count));
        plan.connections = right
            .ok_or_else(|| Fault::argument(format_args!("1 to 3 connections are possible, not {count}")))?;
        Ok(())
    })
}

/// What one connection may ask, instead of what the kind of server allows: refusals to be expected, forms that strict
/// servers call a syntax error, and transactions. UINT16_MAX lifts a limit. `plan` must not be NULL.
///
/// For servers of your own: an unknown server's limit is only learnt by being punished.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_budget(
    plan: *mut relayprobe_plan,
    refusals: u16,
    odd: u16,
    transactions: u16,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        unsafe { handle(plan, "plan")? }.budget = Some(Budget { refusals, odd, transactions });
        Ok(())
    })
}

/// Whether commands go out in groups: one of relayprobe_grouping; the profile decides otherwise. `plan` must not be
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_grouping(
    plan: *mut relayprobe_plan,
    grouping: i32,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        plan.grouping = Some(value(&GROUPINGS, grouping, "relayprobe_grouping")?);
        Ok(())
    })
}

/// Seconds to wait before deferred probes are asked again, an entry for each try; the profile decides otherwise. `plan`
/// must not be NULL, nor `seconds` unless the count is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_retries(
    plan: *mut relayprobe_plan,
    seconds: *const u32,
    count: usize,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, seconds) = unsafe { (handle(plan, "plan")?, values(seconds, count, "seconds")?) };
        plan.retries = Some(seconds.to_vec());
        Ok(())
    })
}

/// From where the run looks: one of relayprobe_vantage; otherwise RELAYPROBE_VANTAGE_LOOPBACK at a loopback address, and
/// RELAYPROBE_VANTAGE_OUTSIDE at any other. `plan` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_vantage(
    plan: *mut relayprobe_plan,
    vantage: i32,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        plan.vantage = Some(value(&VANTAGES, vantage, "relayprobe_vantage")?);
        Ok(())
    })
}

/// A block in force around the server: one of relayprobe_measure. It changes what a run can show. `plan` must not be
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_add_measure(
    plan: *mut relayprobe_plan,
    measure: i32,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        let measure = value(&MEASURES, measure, "relayprobe_measure")?;
        if !plan.measures.contains(&measure) {
            plan.measures.push(measure);
        }
        Ok(())
    })
}
