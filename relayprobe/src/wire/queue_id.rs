//! stub
use super::Reply;
/// stub
pub fn queue_id<'a>(reply: &Reply<'a>) -> Option<&'a [u8]> {
    let line = reply.lines().next()?;
    let at = line.windows(10).position(|w| w == b"queued as ")?;
    line.get(at + 10..)
}
