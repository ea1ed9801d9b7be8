//! `relayprobe demo`: what a run looks like, on loopback alone.

// Nothing but its tests starts the server yet.
#[cfg_attr(not(test), expect(dead_code, reason = "the command itself is still to come"))]
mod flawed;
