//! Runs against many targets, so many at once.

use core::fmt;
use core::future::poll_fn;
use core::net::IpAddr;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use std::boxed::Box;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Instant;

use ::tokio::sync::Notify;
use ::tokio::task::JoinSet;
use ::tokio::task::coop::consume_budget;
use ::tokio::time::{Sleep, sleep};

use super::schedule::{Pace, Schedule, Turn};
use super::{Watch, begin, clock, drive};
use crate::driver::{SLICE, Stop};
use crate::plan::Plan;
use crate::report::Report;

/// Runs against many targets, so many at once, at a [pace](Pace) that no network and no server is harmed by.
///
/// Targets are taken from an iterator as they are needed, and each is planned when its turn has come: a long list takes
/// no more memory than its addresses, which are remembered because an address is tested once. Networks take turns, so
/// one with many targets holds up nobody else's.
///
/// Each run is a task of its own on the runtime that [`next`](Self::next) is polled on, so that all its threads take
/// part. Dropping the sweep ends them at once, and what they found so far is lost; [`Stop`] keeps it.
pub struct Sweep<'a, T, E> {
    /// Nothing once it has ended.
    source: Option<Source<'a, T>>,
    plan: Planner<'a, T, E>,
    schedule: Schedule<T>,
    runs: JoinSet<(IpAddr, T, Box<Report>)>,
    stop: Stop,
    bell: Arc<Notify>,
    counts: Counts,
}

type Source<'a, T> = Box<dyn FnMut(&mut Context<'_>) -> Poll<Option<(IpAddr, T)>> + Send + 'a>;
type Planner<'a, T, E> = Box<dyn FnMut(&T) -> Result<Plan, E> + Send + 'a>;

/// What became of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Swept<T, E> {
    /// Its run has ended.
    Report(T, Box<Report>),
    /// No plan could be made, and nobody was asked.
    Refused(T, E),
    /// Its address was had before in this sweep.
    Repeated(T),
}

/// How far a sweep is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Targets taken from the iterator.
    pub taken: u64,
    /// Of these, targets that wait for their turn.
    pub waiting: usize,
    /// Runs under way, and runs that have ended and were not told yet.
    pub running: usize,
    /// Reports told.
    pub reports: u64,
    /// Targets that no plan could be made for.
    pub refused: u64,
    /// Targets whose address was had before.
    pub repeated: u64,
}

impl<'a, T: Send + 'static, E> Sweep<'a, T, E> {
    /// A sweep over `targets`, each with the address that its plan is for. `plan` makes the plan when it is due.
    ///
    /// `stop` ends it from elsewhere: what runs ends politely and is told, what has not begun is not.
    pub fn new<I>(
        targets: I,
        plan: impl FnMut(&T) -> Result<Plan, E> + Send + 'a,
        pace: Pace,
        stop: &Stop,
    ) -> Self
    where
        I: IntoIterator<Item = (IpAddr, T), IntoIter: Send + 'a>,
    {
        let mut targets = targets.into_iter();
        Self::polled(move |_| Poll::Ready(targets.next()), plan, pace, stop)
    }

    /// The same with targets that may have to be waited for, such as names that are being looked up. `targets` is
    /// polled as a stream is.
    pub fn polled(
        targets: impl FnMut(&mut Context<'_>) -> Poll<Option<(IpAddr, T)>> + Send + 'a,
        plan: impl FnMut(&T) -> Result<Plan, E> + Send + 'a,
        pace: Pace,
        stop: &Stop,
    ) -> Self {
        Self {
            source: Some(Box::new(targets)),
            plan: Box::new(plan),
            schedule: Schedule::new(pace),
            runs: JoinSet::new(),
            stop: stop.clone(),
            bell: Arc::new(Notify::new()),
            counts: Counts::default(),
        }
    }

    /// What became of the next target, in the order in which they end; `None` when all is done.
    ///
    /// Runs begin while this is polled, and go on by themselves. Dropping the future loses nothing.
    ///
    /// # Panics
    ///
    /// The future panics outside a tokio runtime, in one that was built without I/O or time, and if a run panics.
    pub async fn next(&mut self) -> Option<Swept<T, E>> {
        // Many targets that are refused or repeated would not let a single thread come to the runs.
        consume_budget().await;
        loop {
            let mut alarm = pin!(sleep(SLICE));
            if let Step::Told(swept) = poll_fn(|context| self.poll(context, alarm.as_mut())).await {
                return swept;
            }
        }
    }

    /// How far it is.
    pub const fn counts(&self) -> Counts {
        Counts { waiting: self.schedule.waiting(), running: self.schedule.running(), ..self.counts }
    }

    fn poll(&mut self, context: &mut Context<'_>, mut alarm: Pin<&mut Sleep>) -> Poll<Step<T, E>> {
        self.heed_stop();
        loop {
            let now = clock();
            match self.runs.poll_join_next(context) {
                Poll::Ready(Some(Ok((address, item, report)))) => {
                    self.schedule.ended(address, now);
                    self.counts.reports += 1;
                    return Poll::Ready(Step::Told(Some(Swept::Report(item, report))));
                }
                // Nobody else can abort a run.
                Poll::Ready(Some(Err(error))) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    Err(_) => continue,
                },
                Poll::Ready(None) | Poll::Pending => {}
            }
            match self.schedule.turn(now) {
                Turn::Begin(address, item) => {
                    if let Some(refused) = self.begin(address, item) {
                        return Poll::Ready(Step::Told(Some(refused)));
                    }
                }
                Turn::Wait(until) => match self.take(context) {
                    Poll::Ready(Some(repeated)) => return Poll::Ready(Step::Told(Some(repeated))),
                    Poll::Ready(None) => {}
                    Poll::Pending if self.source.is_none() && self.schedule.is_done() => {
                        return Poll::Ready(Step::Told(None));
                    }
                    Poll::Pending => {
                        advance(alarm.as_mut(), until, now);
                        return alarm.as_mut().poll(context).map(|()| Step::Again);
                    }
                },
            }
        }
    }

    /// Takes a target if one could begin: pending if there is none to take, or none wanted.
    fn take(&mut self, context: &mut Context<'_>) -> Poll<Option<Swept<T, E>>> {
        let Some(source) = self.source.as_mut().filter(|_| self.schedule.is_hungry()) else {
            return Poll::Pending;
        };
        match source(context) {
            Poll::Ready(Some((address, item))) => {
                self.counts.taken += 1;
                Poll::Ready(self.schedule.offer(address, item).err().map(|item| {
                    self.counts.repeated += 1;
                    Swept::Repeated(item)
                }))
            }
            Poll::Ready(None) => {
                self.source = None;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn begin(&mut self, address: IpAddr, item: T) -> Option<Swept<T, E>> {
        match (self.plan)(&item) {
            Ok(plan) => {
                let (stop, watch) = (self.stop.clone(), Watch::Bell(Arc::clone(&self.bell)));
                let begun = begin(plan, &stop, |_| {}, &watch);
                self.runs.spawn(async move { (address, item, Box::new(drive(begun, watch).await)) });
                None
            }
            Err(error) => {
                self.schedule.refused(address);
                self.counts.refused += 1;
                Some(Swept::Refused(item, error))
            }
        }
    }

    fn heed_stop(&mut self) {
        if self.stop.is_stopped() {
            self.source = None;
            self.schedule.clear();
            self.bell.notify_waiters();
        }
    }
}

/// What polling brought.
enum Step<T, E> {
    Told(Option<Swept<T, E>>),
    /// It is time to look again.
    Again,
}

/// Rings earlier if there is something to do earlier.
fn advance(mut alarm: Pin<&mut Sleep>, until: Option<Instant>, now: Instant) {
    let Some(until) = until.map(|until| until.max(now).into()) else { return };
    if until < alarm.deadline() {
        alarm.as_mut().reset(until);
    }
}

impl<T, E> fmt::Debug for Sweep<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep").field("counts", &self.counts).finish_non_exhaustive()
    }
}
