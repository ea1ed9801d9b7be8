//! Our own receiving server, against any client.

use std::sync::Arc;

use relayprobe::Identity;
use relayprobe::moment::Date;
use relayprobe::sink::{End, Kept, Mode, Output, SinkOptions, SinkSession};

use crate::reader::Reader;

/// Octets of a message that is taken.
const MESSAGE: usize = 2_000;

/// Any octets, cut anywhere: the same answers, whole replies, bounded, and it takes nothing for strangers.
pub(crate) fn check(octets: &[u8]) {
    let mut choices = Reader(octets);
    let (flags, cut) = (choices.octet(), usize::from(choices.octet()));
    let said = choices.0;
    let whole = talk(said, said.len(), flags);
    let pieces = talk(said, cut, flags);
    assert_eq!(pieces, whole, "in pieces of {cut}");
    for line in whole.replies.split_inclusive(|&octet| octet == b'\n') {
        let text = line.strip_suffix(b"\r\n").expect("a line ends in CRLF");
        assert!(text.len() < 510 && text.iter().all(|octet| (b' '..=b'~').contains(octet)));
        assert!(text.first_chunk::<3>().is_some_and(|code| code.iter().all(u8::is_ascii_digit)));
    }
}

/// What came of a connection.
#[derive(Debug, Default, PartialEq, Eq)]
struct Talk {
    replies: Vec<u8>,
    arrivals: Vec<relayprobe::receipt::Arrival>,
}

fn talk(octets: &[u8], cut: usize, flags: u8) -> Talk {
    let mut identity = Identity::new("probe.example".parse().expect("a domain"));
    identity.sender_domain = "tester.example".parse().expect("a domain");
    let mut options = SinkOptions::new(&identity);
    options.mode = if flags & 1 == 0 { Mode::Accept } else { Mode::Refuse };
    options.limits.message = MESSAGE;
    let now = Date::from_unix(1_795_473_834);
    let mut session = SinkSession::new(Arc::new(options), Some([192, 0, 2, 1].into()), now);
    let mut pieces = octets.chunks(cut.max(1));
    let mut talk = Talk::default();
    for _ in 0..octets.len() * 4 + 1_000 {
        match session.poll_output() {
            Output::Send(octets) => talk.replies.extend_from_slice(&octets),
            Output::Arrived(arrival) => {
                assert!(arrival.message.as_bytes().len() <= MESSAGE, "a message beyond the limit");
                talk.arrivals.push(arrival);
                session.handle_kept(if flags & 2 == 0 { Kept::Safe } else { Kept::Failed });
            }
            Output::Wait => match pieces.next() {
                Some(piece) => session.handle_received(piece, now),
                None => session.handle_end(if flags & 4 == 0 { End::Lost } else { End::TooSlow }, now),
            },
            Output::Close => return talk,
            _ => {}
        }
    }
    panic!("the connection does not end");
}
