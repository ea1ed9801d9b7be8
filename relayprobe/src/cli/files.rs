//! How many files this program may have open.

/// Files that are open besides connections: standard streams, the store, the list, the runtime's own, name lookups.
const OTHERS: u64 = 64;

/// Room for so many connections at once, or as many as the system allows.
///
/// A connection that the system has no file for would look as if its server could not be reached.
#[cfg(unix)]
pub fn room_for(connections: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    if current.is_some_and(|current| current < needed) {
        let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
        // If it is not allowed, the limit is what it was.
        let _raised = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum });
    }
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX).saturating_sub(OTHERS).max(1);
    connections.min(usize::try_from(allowed).unwrap_or(usize::MAX))
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub const fn room_for(connections: usize) -> usize {
    connections
}
