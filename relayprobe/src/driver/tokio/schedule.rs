//! Whose turn it is in a sweep.

use core::cmp::Reverse;
use core::net::IpAddr;
use core::time::Duration;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::time::Instant;

/// How far the beginnings of runs may lag behind their pace before what they missed is forgotten.
const LAG: Duration = Duration::from_millis(50);

/// How many runs a sweep makes at once, and how soon after one another.
///
/// A network is what one operator is likely to answer for: 256 IPv4 addresses (/24), or a site of IPv6 (/48).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// Runs at once; 256 unless set, and 0 counts as 1. Each needs a file descriptor for each of its connections.
    pub in_flight: usize,
    /// Runs at once in one network; 1 unless set, and 0 counts as 1.
    pub per_network: usize,
    /// How long a network is left alone after each run in it, one second unless set.
    pub network_pause: Duration,
    /// Runs begun in a second; 20 unless set, and 0 counts as 1.
    pub per_second: u32,
    /// Targets that may wait because their networks are busy; 16,384 unless set. With so many of them nothing else is
    /// read, so a long list that is sorted by address goes faster when it is shuffled.
    pub waiting: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            in_flight: 256,
            per_network: 1,
            network_pause: Duration::from_secs(1),
            per_second: 20,
            waiting: 16_384,
        }
    }
}

/// Targets by network, each network in its turn.
#[derive(Debug)]
pub(super) struct Schedule<T> {
    pace: Pace,
    lanes: HashMap<Network, Lane<T>>,
    /// Networks in which a run may begin, each once.
    ready: VecDeque<Network>,
    /// When a place in a network is free again.
    resting: BinaryHeap<Reverse<(Instant, Network)>>,
    seen: Seen,
    waiting: usize,
    running: usize,
    /// No run begins before this.
    next: Option<Instant>,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn<T> {
    /// Begin this one.
    Begin(IpAddr, T),
    /// Nothing before this moment, unless a run ends or a target comes.
    Wait(Option<Instant>),
}

/// One network.
#[derive(Debug)]
struct Lane<T> {
    waiting: VecDeque<(IpAddr, T)>,
    /// Places taken by runs, and by the pauses after them.
    taken: usize,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// In the queue of networks that are ready.
    Ready,
    /// Nothing waits in it, or its places are taken.
    Aside,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Network {
    V4(u32),
    V6(u128),
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.to_bits() >> 8),
            IpAddr::V6(v6) => Self::V6(v6.to_bits() >> 80),
        }
    }
}

/// Addresses that were had: ten megabytes for a million of IPv4.
#[derive(Debug, Default)]
struct Seen {
    v4: HashSet<u32>,
    v6: HashSet<u128>,
}

impl Seen {
    /// Whether it is the first time.
    fn insert(&mut self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(v4) => self.v4.insert(v4.to_bits()),
            IpAddr::V6(v6) => self.v6.insert(v6.to_bits()),
        }
    }
}

impl<T> Schedule<T> {
    pub(super) fn new(pace: Pace) -> Self {
        let pace = Pace {
            in_flight: pace.in_flight.max(1),
            per_network: pace.per_network.max(1),
            per_second: pace.per_second.max(1),
            waiting: pace.waiting.max(1),
            ..pace
        };
        Self {
            pace,
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            resting: BinaryHeap::new(),
            seen: Seen::default(),
            waiting: 0,
            running: 0,
            next: None,
        }
    }

    /// Whether another target could begin, and none that waits can.
    pub(super) fn is_hungry(&self) -> bool {
        self.ready.is_empty() && self.running < self.pace.in_flight && self.waiting < self.pace.waiting
    }

    /// Whether nothing waits and nothing runs.
    pub(super) const fn is_done(&self) -> bool {
        self.waiting == 0 && self.running == 0
    }

    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) const fn running(&self) -> usize {
        self.running
    }

    /// Takes in a target, or gives it back if its address was had before.
    pub(super) fn offer(&mut self, address: IpAddr, item: T) -> Result<(), T> {
        if !self.seen.insert(address) {
            return Err(item);
        }
        let network = Network::of(address);
        let lane = self.lanes.entry(network).or_insert_with(|| Lane {
            waiting: VecDeque::new(),
            taken: 0,
            standing: Standing::Aside,
        });
        lane.waiting.push_back((address, item));
        self.waiting += 1;
        self.line_up(network);
        Ok(())
    }

    /// What is to be done now. What begins must end with [`ended`](Self::ended), or be [`refused`](Self::refused).
    pub(super) fn turn(&mut self, now: Instant) -> Turn<T> {
        self.wake(now);
        if self.running >= self.pace.in_flight {
            return Turn::Wait(None);
        }
        if self.ready.is_empty() {
            return Turn::Wait(self.resting.peek().filter(|_| self.waiting > 0).map(|Reverse((at, _))| *at));
        }
        if let Some(next) = self.next.filter(|&next| now < next) {
            return Turn::Wait(Some(next));
        }
        let Some(network) = self.ready.pop_front() else { return Turn::Wait(None) };
        let Some(lane) = self.lanes.get_mut(&network) else { return Turn::Wait(Some(now)) };
        lane.standing = Standing::Aside;
        let Some((address, item)) = lane.waiting.pop_front() else { return Turn::Wait(Some(now)) };
        lane.taken += 1;
        self.waiting -= 1;
        self.running += 1;
        // Timers are coarse; what they are late is made up for, and no more.
        let from = self.next.map_or(now, |next| now.checked_sub(LAG).map_or(next, |lag| next.max(lag)));
        self.next = Some(from + self.interval());
        self.line_up(network);
        Turn::Begin(address, item)
    }

    /// A run has ended: its place in its network is left empty for a while.
    pub(super) fn ended(&mut self, address: IpAddr, now: Instant) {
        self.running = self.running.saturating_sub(1);
        self.resting.push(Reverse((now + self.pace.network_pause, Network::of(address))));
        self.wake(now);
    }

    /// What should have begun did not, and nobody was asked: as if it had never had its turn.
    pub(super) fn refused(&mut self, address: IpAddr) {
        self.running = self.running.saturating_sub(1);
        self.next = self.next.and_then(|next| next.checked_sub(self.interval()));
        self.free(Network::of(address));
    }

    /// Forgets what waits.
    pub(super) fn clear(&mut self) {
        self.waiting = 0;
        self.ready.clear();
        self.lanes.retain(|_, lane| {
            lane.waiting = VecDeque::new();
            lane.standing = Standing::Aside;
            lane.taken > 0
        });
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1) / self.pace.per_second
    }

    fn wake(&mut self, now: Instant) {
        while let Some(&Reverse((at, network))) = self.resting.peek() {
            if at > now {
                return;
            }
            self.resting.pop();
            self.free(network);
        }
    }

    /// A place in a network is free again.
    fn free(&mut self, network: Network) {
        if let Some(lane) = self.lanes.get_mut(&network) {
            lane.taken = lane.taken.saturating_sub(1);
        }
        self.line_up(network);
    }

    /// Puts a network where it belongs: among those that are ready, aside, or away.
    fn line_up(&mut self, network: Network) {
        let Entry::Occupied(mut entry) = self.lanes.entry(network) else { return };
        let lane = entry.get_mut();
        if lane.waiting.is_empty() && lane.taken == 0 {
            entry.remove();
        } else if !lane.waiting.is_empty()
            && lane.taken < self.pace.per_network
            && lane.standing == Standing::Aside
        {
            lane.standing = Standing::Ready;
            self.ready.push_back(network);
        }
    }
}

#[cfg(test)]
mod tests;
