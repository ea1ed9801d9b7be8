//! x
mod io;
pub use io::{Event, Input, Output};
use crate::{moment::Moment, plan::Plan, transcript::Transcript};
/// x
pub struct Session;
impl Session {
    /// x
    pub fn new(_plan: Plan, _now: Moment) -> Self { Self }
    /// x
    pub fn handle_input(&mut self, _input: Input<'_>, _now: Moment) {}
    /// x
    pub fn poll_output(&mut self) -> Output { Output::Finished }
    /// x
    pub fn stop(&mut self, _now: Moment) {}
    /// x
    pub fn into_parts(self) -> (crate::plan::RunRecord, Transcript) { loop {} }
}
