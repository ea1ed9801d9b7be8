//! What is asked.

use core::ffi::c_char;

use relayprobe::{Case, Matrix, Selection};

use super::relayprobe_plan;
use crate::guard::{guard, text};
use crate::handle::handle;
use crate::numbers::{SELECTIONS, value};
use crate::status::{Fault, relayprobe_status};

/// How much is asked: one of relayprobe_matrix; RELAYPROBE_MATRIX_QUICK otherwise. `plan` must not be NULL.
///
/// Cases that were added before are forgotten.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_matrix(
    plan: *mut relayprobe_plan,
    matrix: i32,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        plan.matrix = Matrix::select(value(&SELECTIONS, matrix, "relayprobe_matrix")?);
        Ok(())
    })
}

/// Asks cases by name instead of a whole matrix: `ids` holds one or more, with blanks between them. `plan` and `ids`
/// must not be NULL.
///
/// Controls come along by themselves. Such a run never says that a server is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_set_cases(
    plan: *mut relayprobe_plan,
    ids: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let (mut plan, ids) = unsafe { (handle(plan, "plan")?, text(ids, "ids")?) };
        plan.matrix = Matrix::named(ids.split_ascii_whitespace()).map_err(Fault::argument)?;
        Ok(())
    })
}

/// Adds a case of your own: its id, and what is written for the sender and the recipient, such as "<{sender}>" and
/// "<{probe-user}%{probe-domain}@{target-domain}>". No pointer may be NULL.
///
/// The recipient must be in the probe domain, whichever way the form is read; others are refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relayprobe_plan_add_case(
    plan: *mut relayprobe_plan,
    id: *const c_char,
    sender: *const c_char,
    recipient: *const c_char,
) -> relayprobe_status {
    guard(|| {
        // SAFETY: passed on to the caller.
        let mut plan = unsafe { handle(plan, "plan")? };
        // SAFETY: passed on to the caller.
        let (id, sender) = unsafe { (text(id, "id")?, text(sender, "sender")?) };
        // SAFETY: passed on to the caller.
        let recipient = unsafe { text(recipient, "recipient")? };
        let case = Case::custom(id, sender, recipient).map_err(Fault::argument)?;
        let matrix = core::mem::replace(&mut plan.matrix, Matrix::select(Selection::Quick));
        plan.matrix = matrix.with(case);
        Ok(())
    })
}
