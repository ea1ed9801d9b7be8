//! From cases and paths to the probes of a run.

use alloc::vec::Vec;

use super::error::PlanError;
use super::record::{Probe, User};
use crate::matrix::{self, Case, Tier};
use crate::target::Path;
use crate::token;

/// The first path is asked everything, every further one the quick tier (group N of the catalogue). The way in to our
/// own server, if there is one, is the last path and has its own control alone.
pub(super) fn probes(
    cases: &[Case],
    paths: &[Path],
    way_in: Option<usize>,
    name: impl Fn(u16, Path) -> User,
) -> Result<Vec<Probe>, PlanError> {
    // The first path asks a case once more if it is accepted, and a control beside it.
    let mut drafts: Vec<(usize, usize, Option<usize>)> = Vec::with_capacity(3 * cases.len());
    let find = |id: &str| cases.iter().position(|case| case.id == id);
    let each_sender = find(matrix::EACH_SENDER);
    for path in 0..way_in.unwrap_or(paths.len()) {
        let wanted = |case: &Case| path == 0 || case.tier == Tier::Quick || case.tier == Tier::Express;
        let controls = cases.iter().enumerate().filter(|(_, case)| case.is_control() && wanted(case));
        for (at, case) in controls.clone() {
            let elsewhere = way_in.is_some() && case.id == matrix::PATH;
            if !elsewhere && !matches!(&*case.id, matrix::END | matrix::EACH_SENDER | matrix::REPEAT) {
                drafts.push((at, path, None));
            }
        }
        let first_case = drafts.len();
        for (at, case) in cases.iter().enumerate().filter(|(_, case)| !case.is_control() && wanted(case)) {
            if let Some(control) = each_sender.filter(|_| path == 0 && case.has_own_sender()) {
                drafts.push((control, path, Some(drafts.len() + 1)));
            }
            drafts.push((at, path, None));
        }
        if let Some(control) = find(matrix::REPEAT).filter(|_| path == 0) {
            for beside in first_case..drafts.len() {
                if drafts
                    .get(beside)
                    .is_some_and(|&(at, ..)| cases.get(at).is_some_and(|case| !case.is_control()))
                {
                    drafts.push((control, path, Some(beside)));
                }
            }
        }
        drafts.extend(find(matrix::END).map(|at| (at, path, None)));
    }
    drafts.extend(way_in.and_then(|path| Some((find(matrix::PATH)?, path, None))));
    if drafts.len() > token::PROBES {
        return Err(PlanError::ManyProbes { count: drafts.len() });
    }
    let index = |at: usize| u16::try_from(at).map_err(|_| PlanError::ManyProbes { count: drafts.len() });
    let mut probes = Vec::with_capacity(drafts.len());
    for (number, &(case, path, beside)) in drafts.iter().enumerate() {
        let number = index(number)?;
        probes.push(Probe {
            number,
            case: index(case)?,
            path: index(path)?,
            beside: beside.map(index).transpose()?,
            user: paths.get(path).map(|&way| name(number, way)).unwrap_or_default(),
        });
    }
    Ok(probes)
}
