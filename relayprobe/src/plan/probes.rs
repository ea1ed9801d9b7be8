//! From cases and paths to the probes of a run.

use alloc::vec::Vec;

use super::error::PlanError;
use super::record::Probe;
use crate::matrix::{self, Case, Tier};

/// The first path is asked everything, every further one the quick tier (group N of the catalogue).
pub(super) fn probes(cases: &[Case], paths: usize, run: &str) -> Result<Vec<Probe>, PlanError> {
    let mut drafts: Vec<(usize, usize, Option<usize>)> = Vec::new();
    let find = |id: &str| cases.iter().position(|case| case.id == id);
    for path in 0..paths {
        let wanted = |case: &Case| path == 0 || case.tier == Tier::Quick || case.tier == Tier::Express;
        let controls = cases.iter().enumerate().filter(|(_, case)| case.is_control() && wanted(case));
        for (at, case) in controls.clone() {
            if !matches!(&*case.id, matrix::END | matrix::EACH_SENDER | matrix::REPEAT) {
                drafts.push((at, path, None));
            }
        }
        let first_case = drafts.len();
        for (at, case) in cases.iter().enumerate().filter(|(_, case)| !case.is_control() && wanted(case)) {
            if let Some(control) = find(matrix::EACH_SENDER).filter(|_| path == 0 && case.has_own_sender()) {
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
    let index = |at: usize| u16::try_from(at).map_err(|_| PlanError::ManyProbes { count: drafts.len() });
    drafts
        .iter()
        .enumerate()
        .map(|(number, &(case, path, beside))| {
            Ok(Probe {
                number: index(number)?,
                case: index(case)?,
                path: index(path)?,
                beside: beside.map(index).transpose()?,
                user: alloc::format!("rp{run}{number:03}"),
            })
        })
        .collect()
}
