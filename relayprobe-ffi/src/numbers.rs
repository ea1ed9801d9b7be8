//! The numbers that C has for our words. Each is written out and never used for anything else.

use core::ffi::{CStr, c_char};

use relayprobe::address::Scope;
use relayprobe::link::Loss;
use relayprobe::lookup::Family;
use relayprobe::outcome::Outcome;
use relayprobe::plan::{Grouping, Measure, Profile, Prove, Vantage};
use relayprobe::receipt::{Classified, ReceiptKind};
use relayprobe::{Selection, Verdict};

use crate::names::Entry;
use crate::status::Fault;

/// How much is asked. See relayprobe_plan_set_matrix().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_matrix {
    /// About twenty envelopes and their controls.
    Quick = 1,
    /// Quick, and what a retest before lifting a block needs.
    Standard = 2,
    /// Everything that can be sent without asking.
    Full = 3,
}

/// Deadlines and paces. See relayprobe_plan_set_profile().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_profile {
    /// At least what RFC 5321 asks for, with retries over hours.
    Patient = 1,
    /// A run that ends while somebody waits.
    Brisk = 2,
    /// For servers of one's own on the same machine.
    Lab = 3,
}

/// From where the run looks. See relayprobe_plan_set_vantage().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_vantage {
    /// From outside every network of the server's operator and provider.
    Outside = 1,
    /// From the provider's own network.
    ProviderNetwork = 2,
    /// From the server's own network.
    TargetNetwork = 3,
    /// From the same machine.
    Loopback = 4,
}

/// A block in force around the server. See relayprobe_plan_add_measure().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_measure {
    /// A filter keeps out connections from the internet; the provider still gets through.
    InboundFilter = 1,
    /// Connections from the internet are blocked.
    InboundBlock = 2,
    /// The server may not use its provider's smarthost.
    SmarthostBlock = 3,
    /// The server may not connect to port 25 elsewhere.
    OutboundPortBlock = 4,
}

/// Which of the accepted cases get a message. See relayprobe_plan_set_prove().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_prove {
    /// One for each family and path, the most telling.
    Families = 1,
    /// All of them.
    All = 2,
}

/// Whether commands go out in groups. See relayprobe_plan_set_grouping().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_grouping {
    /// In groups where the server offers PIPELINING (RFC 2920).
    Offered = 1,
    /// One command at a time, always.
    Never = 2,
}

/// Why a connection could not be made, or ended. See relayprobe_session_lost().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_loss {
    /// Nothing listens there (ECONNREFUSED).
    Refused = 1,
    /// No answer in time (ETIMEDOUT).
    TimedOut = 2,
    /// No route to the network or the host (EHOSTUNREACH, ENETUNREACH).
    NoRoute = 3,
    /// A filter says so (EACCES, EPERM).
    Prohibited = 4,
    /// The local address or the protocol family cannot be used here (EADDRNOTAVAIL, EAFNOSUPPORT).
    NoAddress = 5,
    /// The server ended the connection in order: recv() returned 0.
    Closed = 6,
    /// The server reset the connection (ECONNRESET, EPIPE).
    Reset = 7,
    /// The TLS handshake failed.
    Tls = 8,
    /// Anything else.
    Other = 9,
}

/// The result of a run.
///
/// Treat a number that you do not know as RELAYPROBE_VERDICT_UNDETERMINED.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_verdict {
    /// A message of ours came back through it, or was being handed to us: it relays. Exit code 2.
    OpenRelay = 1,
    /// Something that a correct server refuses was accepted; nothing is proven yet. Exit code 1.
    Suspected = 2,
    /// It accepts what a correct server refuses, and relays nothing of it. Exit code 0.
    AcceptsWithoutRelaying = 3,
    /// Every relay case was refused. Exit code 0.
    Closed = 4,
    /// The server turns us away, whatever we ask. Exit code 3.
    TesterBlocked = 5,
    /// There was nothing to talk to. Exit code 3.
    Unreachable = 6,
    /// Something answered that is no mail server. Exit code 3.
    NotSmtp = 7,
    /// Anything else. Exit code 3.
    Undetermined = 8,
    /// A domain says that it takes no mail; no run of a server ends so. Exit code 0.
    NoMailService = 9,
}

/// What came of one probe.
///
/// Treat a number that you do not know as RELAYPROBE_OUTCOME_NOT_TESTED.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_outcome {
    /// Refused for good, or for now in words that name relaying.
    Refused = 1,
    /// Refused for now, and no retry is left.
    Deferred = 2,
    /// The envelope was accepted; no message was sent.
    Accepted = 3,
    /// The message was accepted and may still come back.
    AcceptedPending = 4,
    /// The message was accepted and did not come back in time.
    AcceptedNoReceipt = 5,
    /// A report says that the message failed at the server's own side.
    AcceptedThenBounced = 6,
    /// The message ended at the server's own side.
    DeliveredLocally = 7,
    /// The server handed the message to our receiving server, which refused it: proof.
    RelayAttempted = 8,
    /// Only a report says that the server handed the message on. A strong hint, no proof.
    RelayReported = 9,
    /// The message came to our receiving server: proof.
    Relayed = 10,
    /// The case makes no sense here.
    NotApplicable = 11,
    /// It should have been tested and was not, or its answer does not count.
    NotTested = 12,
}

/// What a message turned out to be. See relayprobe_report_add_message().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_receipt {
    /// It carries no token: not a message of ours.
    NotOurs = 1,
    /// It carries what looks like a token and is none of ours, or is one for another server.
    Forged = 2,
    /// It is of a run of ours, but not of this report's.
    UnknownRun = 3,
    /// Our message came with its own envelope: the server relays.
    Relayed = 4,
    /// Our message was handed over and refused, or broke off: the server relays.
    Attempted = 5,
    /// A report says that the server tried to hand it on, or did. A strong hint, no proof.
    Reported = 6,
    /// A report says that it is still being tried.
    Delayed = 7,
    /// A report says that it failed at the server's own side.
    Bounced = 8,
    /// An automatic answer, or a report of success, from the server's own side.
    DeliveredLocally = 9,
    /// A person, a list or an alias sent it on.
    Forwarded = 10,
    /// Only a recipient was named.
    Hint = 11,
    /// It came after the token's life: an old queue was let go.
    Late = 12,
}

/// How far a test may reach. See relayprobe_address_check().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_scope {
    /// Hosts of the internet.
    Internet = 1,
    /// Loopback, private and link-local hosts too.
    Private = 2,
}

/// A test entry of a block list. See relayprobe_list_test_name().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_list_test {
    /// Every list of IPv4 addresses has it.
    Ipv4Listed = 1,
    /// No list of IPv4 addresses has it.
    Ipv4Unlisted = 2,
    /// Every list of IPv6 addresses has it.
    Ipv6Listed = 3,
    /// No list of IPv6 addresses has it.
    Ipv6Unlisted = 4,
}

/// What a block list says. See relayprobe_list_decode().
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum relayprobe_list_state {
    /// It does not have the entry.
    NotListed = 1,
    /// It has the entry.
    Listed = 2,
    /// Its answer is worth nothing: a refusal, or no code of a list.
    Unknown = 3,
}

/// What a system error (errno) says about a connection: one of relayprobe_loss, for relayprobe_session_lost().
///
/// EAGAIN, EINTR and EINPROGRESS are no losses; do not ask about them.
#[unsafe(no_mangle)]
pub extern "C" fn relayprobe_loss_from_errno(error: i32) -> i32 {
    let loss = relayprobe::driver::loss(&std::io::Error::from_raw_os_error(error));
    LOSSES.iter().find(|(_, known)| *known == loss).map_or(relayprobe_loss::Other, |&(number, _)| number)
        as i32
}

/// The stored word for a verdict, such as "open-relay"; "undetermined" for a number that is none. The string is static.
#[unsafe(no_mangle)]
pub extern "C" fn relayprobe_verdict_name(verdict: i32) -> *const c_char {
    name(&VERDICTS, verdict, c"undetermined")
}

/// The stored word for an outcome, such as "refused"; "not-tested" for a number that is none. The string is static.
#[unsafe(no_mangle)]
pub extern "C" fn relayprobe_outcome_name(outcome: i32) -> *const c_char {
    name(&OUTCOMES, outcome, c"not-tested")
}

/// The stored word for what a message turned out to be, such as "relayed"; "not-ours" for a number that is none. The
/// string is static.
#[unsafe(no_mangle)]
pub extern "C" fn relayprobe_receipt_name(receipt: i32) -> *const c_char {
    name(&RECEIPTS, receipt, c"not-ours")
}

/// A number with its stored word.
type Named<N> = (N, &'static CStr);

fn name<N: Copy + Number>(table: &[Named<N>], number: i32, other: &'static CStr) -> *const c_char {
    table.iter().find(|(known, _)| known.number() == number).map_or(other, |&(_, name)| name).as_ptr()
}

/// An enum of the header.
pub(crate) trait Number {
    /// As C sees it.
    fn number(self) -> i32;
}

macro_rules! numbers {
    ($($name:ident)*) => { $(impl Number for $name {
        fn number(self) -> i32 {
            self as i32
        }
    })* };
}
numbers! {
    relayprobe_matrix relayprobe_profile relayprobe_vantage relayprobe_measure relayprobe_prove relayprobe_grouping
    relayprobe_loss relayprobe_verdict relayprobe_outcome relayprobe_receipt relayprobe_scope relayprobe_list_test
}

/// The value that a number stands for.
pub(crate) fn value<N: Copy + Number, T: Copy>(
    table: &[(N, T)],
    number: i32,
    what: &str,
) -> Result<T, Fault> {
    let found = table.iter().find(|(known, _)| known.number() == number);
    found.map(|&(_, value)| value).ok_or_else(|| {
        let last = table.last().map_or(0, |(last, _)| last.number());
        Fault::argument(format_args!("{number} is no {what}: 1 to {last} are known"))
    })
}

pub(crate) const SELECTIONS: [(relayprobe_matrix, Selection); 3] = [
    (relayprobe_matrix::Quick, Selection::Quick),
    (relayprobe_matrix::Standard, Selection::Standard),
    (relayprobe_matrix::Full, Selection::Full),
];

pub(crate) const PROFILES: [(relayprobe_profile, Profile); 3] = [
    (relayprobe_profile::Patient, Profile::Patient),
    (relayprobe_profile::Brisk, Profile::Brisk),
    (relayprobe_profile::Lab, Profile::Lab),
];

pub(crate) const VANTAGES: [(relayprobe_vantage, Vantage); 4] = [
    (relayprobe_vantage::Outside, Vantage::Outside),
    (relayprobe_vantage::ProviderNetwork, Vantage::ProviderNetwork),
    (relayprobe_vantage::TargetNetwork, Vantage::TargetNetwork),
    (relayprobe_vantage::Loopback, Vantage::Loopback),
];

pub(crate) const MEASURES: [(relayprobe_measure, Measure); 4] = [
    (relayprobe_measure::InboundFilter, Measure::InboundFilter),
    (relayprobe_measure::InboundBlock, Measure::InboundBlock),
    (relayprobe_measure::SmarthostBlock, Measure::SmarthostBlock),
    (relayprobe_measure::OutboundPortBlock, Measure::OutboundPortBlock),
];

pub(crate) const PROVES: [(relayprobe_prove, Prove); 2] =
    [(relayprobe_prove::Families, Prove::Families), (relayprobe_prove::All, Prove::All)];

pub(crate) const GROUPINGS: [(relayprobe_grouping, Grouping); 2] =
    [(relayprobe_grouping::Offered, Grouping::Offered), (relayprobe_grouping::Never, Grouping::Never)];

pub(crate) const LOSSES: [(relayprobe_loss, Loss); 9] = [
    (relayprobe_loss::Refused, Loss::Refused),
    (relayprobe_loss::TimedOut, Loss::TimedOut),
    (relayprobe_loss::NoRoute, Loss::NoRoute),
    (relayprobe_loss::Prohibited, Loss::Prohibited),
    (relayprobe_loss::NoAddress, Loss::NoAddress),
    (relayprobe_loss::Closed, Loss::Closed),
    (relayprobe_loss::Reset, Loss::Reset),
    (relayprobe_loss::Tls, Loss::Tls),
    (relayprobe_loss::Other, Loss::Other),
];

pub(crate) const SCOPES: [(relayprobe_scope, Scope); 2] =
    [(relayprobe_scope::Internet, Scope::Internet), (relayprobe_scope::Private, Scope::Private)];

pub(crate) const LIST_TESTS: [(relayprobe_list_test, (Family, Entry)); 4] = [
    (relayprobe_list_test::Ipv4Listed, (Family::Ipv4, Entry::Listed)),
    (relayprobe_list_test::Ipv4Unlisted, (Family::Ipv4, Entry::Unlisted)),
    (relayprobe_list_test::Ipv6Listed, (Family::Ipv6, Entry::Listed)),
    (relayprobe_list_test::Ipv6Unlisted, (Family::Ipv6, Entry::Unlisted)),
];

const VERDICTS: [Named<relayprobe_verdict>; 9] = [
    (relayprobe_verdict::OpenRelay, c"open-relay"),
    (relayprobe_verdict::Suspected, c"suspected"),
    (relayprobe_verdict::AcceptsWithoutRelaying, c"accepts-without-relaying"),
    (relayprobe_verdict::Closed, c"closed"),
    (relayprobe_verdict::TesterBlocked, c"tester-blocked"),
    (relayprobe_verdict::Unreachable, c"unreachable"),
    (relayprobe_verdict::NotSmtp, c"not-smtp"),
    (relayprobe_verdict::Undetermined, c"undetermined"),
    (relayprobe_verdict::NoMailService, c"no-mail-service"),
];

/// The number of a verdict; whatever is new is undetermined until it has a number.
pub(crate) const fn verdict(verdict: Verdict) -> relayprobe_verdict {
    match verdict {
        Verdict::OpenRelay => relayprobe_verdict::OpenRelay,
        Verdict::Suspected => relayprobe_verdict::Suspected,
        Verdict::AcceptsWithoutRelaying => relayprobe_verdict::AcceptsWithoutRelaying,
        Verdict::Closed => relayprobe_verdict::Closed,
        Verdict::TesterBlocked => relayprobe_verdict::TesterBlocked,
        Verdict::Unreachable => relayprobe_verdict::Unreachable,
        Verdict::NotSmtp => relayprobe_verdict::NotSmtp,
        Verdict::NoMailService => relayprobe_verdict::NoMailService,
        _ => relayprobe_verdict::Undetermined,
    }
}

const OUTCOMES: [Named<relayprobe_outcome>; 12] = [
    (relayprobe_outcome::Refused, c"refused"),
    (relayprobe_outcome::Deferred, c"deferred"),
    (relayprobe_outcome::Accepted, c"accepted"),
    (relayprobe_outcome::AcceptedPending, c"accepted-pending"),
    (relayprobe_outcome::AcceptedNoReceipt, c"accepted-no-receipt"),
    (relayprobe_outcome::AcceptedThenBounced, c"accepted-then-bounced"),
    (relayprobe_outcome::DeliveredLocally, c"delivered-locally"),
    (relayprobe_outcome::RelayAttempted, c"relay-attempted"),
    (relayprobe_outcome::RelayReported, c"relay-reported"),
    (relayprobe_outcome::Relayed, c"relayed"),
    (relayprobe_outcome::NotApplicable, c"not-applicable"),
    (relayprobe_outcome::NotTested, c"not-tested"),
];

/// The number of an outcome; whatever is new is not tested until it has a number.
pub(crate) const fn outcome(outcome: &Outcome) -> relayprobe_outcome {
    match outcome {
        Outcome::Refused { .. } => relayprobe_outcome::Refused,
        Outcome::Deferred { .. } => relayprobe_outcome::Deferred,
        Outcome::Accepted { .. } => relayprobe_outcome::Accepted,
        Outcome::AcceptedPending { .. } => relayprobe_outcome::AcceptedPending,
        Outcome::AcceptedNoReceipt { .. } => relayprobe_outcome::AcceptedNoReceipt,
        Outcome::AcceptedThenBounced { .. } => relayprobe_outcome::AcceptedThenBounced,
        Outcome::DeliveredLocally { .. } => relayprobe_outcome::DeliveredLocally,
        Outcome::RelayAttempted { .. } => relayprobe_outcome::RelayAttempted,
        Outcome::RelayReported { .. } => relayprobe_outcome::RelayReported,
        Outcome::Relayed { .. } => relayprobe_outcome::Relayed,
        Outcome::NotApplicable { .. } => relayprobe_outcome::NotApplicable,
        _ => relayprobe_outcome::NotTested,
    }
}

const RECEIPTS: [Named<relayprobe_receipt>; 12] = [
    (relayprobe_receipt::NotOurs, c"not-ours"),
    (relayprobe_receipt::Forged, c"forged"),
    (relayprobe_receipt::UnknownRun, c"unknown-run"),
    (relayprobe_receipt::Relayed, c"relayed"),
    (relayprobe_receipt::Attempted, c"attempted"),
    (relayprobe_receipt::Reported, c"reported"),
    (relayprobe_receipt::Delayed, c"delayed"),
    (relayprobe_receipt::Bounced, c"bounced"),
    (relayprobe_receipt::DeliveredLocally, c"delivered-locally"),
    (relayprobe_receipt::Forwarded, c"forwarded"),
    (relayprobe_receipt::Hint, c"hint"),
    (relayprobe_receipt::Late, c"late"),
];

/// The number of what a message turned out to be.
pub(crate) const fn receipt(classified: &Classified) -> relayprobe_receipt {
    match classified {
        Classified::Receipt(receipt) => kind(receipt.kind),
        Classified::Forged { .. } => relayprobe_receipt::Forged,
        Classified::UnknownRun { .. } => relayprobe_receipt::UnknownRun,
        _ => relayprobe_receipt::NotOurs,
    }
}

/// Whatever is new proves nothing until it has a number.
const fn kind(kind: ReceiptKind) -> relayprobe_receipt {
    match kind {
        ReceiptKind::Relayed => relayprobe_receipt::Relayed,
        ReceiptKind::Attempted => relayprobe_receipt::Attempted,
        ReceiptKind::Reported => relayprobe_receipt::Reported,
        ReceiptKind::Delayed => relayprobe_receipt::Delayed,
        ReceiptKind::Bounced => relayprobe_receipt::Bounced,
        ReceiptKind::DeliveredLocally => relayprobe_receipt::DeliveredLocally,
        ReceiptKind::Forwarded => relayprobe_receipt::Forwarded,
        ReceiptKind::Late => relayprobe_receipt::Late,
        _ => relayprobe_receipt::Hint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(pointer: *const c_char) -> &'static str {
        // SAFETY: the strings of the tables are static.
        unsafe { CStr::from_ptr(pointer) }.to_str().unwrap()
    }

    #[test]
    fn every_verdict_has_its_number_and_word() {
        for known in Verdict::ALL {
            assert_eq!(word(relayprobe_verdict_name(verdict(known) as i32)), known.as_str());
        }
        assert_eq!(VERDICTS.len(), Verdict::ALL.len());
        assert_eq!(word(relayprobe_verdict_name(0)), "undetermined");
    }

    #[test]
    fn every_kind_of_receipt_has_its_number_and_word() {
        use ReceiptKind::{
            Attempted, Bounced, Delayed, DeliveredLocally, Forwarded, Hint, Late, Relayed, Reported,
        };
        for known in [Relayed, Attempted, Reported, Delayed, Bounced, DeliveredLocally, Forwarded, Hint, Late]
        {
            assert_eq!(word(relayprobe_receipt_name(kind(known) as i32)), known.as_str());
        }
    }

    #[test]
    fn numbers_count_from_one_without_a_gap() {
        fn check<N: Copy + Number, T>(table: &[(N, T)]) {
            let numbers: Vec<i32> = table.iter().map(|(number, _)| number.number()).collect();
            assert_eq!(numbers, (1..).take(table.len()).collect::<Vec<i32>>());
        }
        check(&SELECTIONS);
        check(&PROFILES);
        check(&VANTAGES);
        check(&MEASURES);
        check(&PROVES);
        check(&GROUPINGS);
        check(&LOSSES);
        check(&VERDICTS);
        check(&OUTCOMES);
        check(&RECEIPTS);
        assert_eq!((Vantage::ALL.len(), Measure::ALL.len()), (VANTAGES.len(), MEASURES.len()));
    }
}
