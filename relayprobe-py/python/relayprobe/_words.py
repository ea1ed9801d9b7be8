"""The words that people store. They never change their meaning."""

from __future__ import annotations

from enum import Enum

__all__ = [
    "Acceptance",
    "AuthorizationKind",
    "How",
    "Measure",
    "OutcomeWord",
    "Profile",
    "Prove",
    "ReasonWord",
    "ReceiptKind",
    "Selection",
    "Vantage",
    "Verdict",
    "Why",
]


class _Word(str, Enum):
    """A string like any other: ``Verdict.OPEN_RELAY == "open-relay"``."""

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, spec: str) -> str:
        return format(str(self.value), spec)


class Verdict(_Word):
    """The result of a run."""

    OPEN_RELAY = "open-relay"
    SUSPECTED = "suspected"
    ACCEPTS_WITHOUT_RELAYING = "accepts-without-relaying"
    CLOSED = "closed"
    NO_MAIL_SERVICE = "no-mail-service"
    TESTER_BLOCKED = "tester-blocked"
    UNREACHABLE = "unreachable"
    NOT_SMTP = "not-smtp"
    UNDETERMINED = "undetermined"


class How(_Word):
    """How a server was unreachable."""

    REFUSED = "refused"
    TIMED_OUT = "timed-out"
    NO_ROUTE = "no-route"
    PROHIBITED = "prohibited"
    NO_ADDRESS = "no-address"
    DROPPED = "dropped"
    OTHER = "other"


class OutcomeWord(_Word):
    """What came of a probe."""

    REFUSED = "refused"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    ACCEPTED_PENDING = "accepted-pending"
    ACCEPTED_NO_RECEIPT = "accepted-no-receipt"
    ACCEPTED_THEN_BOUNCED = "accepted-then-bounced"
    DELIVERED_LOCALLY = "delivered-locally"
    RELAY_ATTEMPTED = "relay-attempted"
    RELAY_REPORTED = "relay-reported"
    RELAYED = "relayed"
    NOT_APPLICABLE = "not-applicable"
    NOT_TESTED = "not-tested"


class Why(_Word):
    """What a refusal is about."""

    RELAY_DENIED = "relay-denied"
    AUTH_REQUIRED = "auth-required"
    TLS_REQUIRED = "tls-required"
    SENDER_REFUSED = "sender-refused"
    UNKNOWN_RECIPIENT = "unknown-recipient"
    ADDRESS_SYNTAX = "address-syntax"
    TESTER_REFUSED = "tester-refused"
    POLICY = "policy"
    UNCLEAR = "unclear"


class ReasonWord(_Word):
    """Why a verdict is not a better one."""

    DEFERRED = "deferred"
    PENDING = "pending"
    UNPROVEN = "unproven"
    SINK_UNPROVEN = "sink-unproven"
    NOT_TESTED = "not-tested"
    LOCAL_NOT_ACCEPTED = "local-not-accepted"
    CONTROL_MISSING = "control-missing"
    OTHER_REFUSAL = "other-refusal"
    UNREAD_REFUSAL = "unread-refusal"
    ACCEPTS_EVERYTHING = "accepts-everything"
    NO_PLAIN_CASE = "no-plain-case"
    TLS_REQUIRED = "tls-required"
    BUSY = "busy"
    OUT_OF_STEP = "out-of-step"
    CUT_OFF = "cut-off"
    PARTIAL_MATRIX = "partial-matrix"
    STOPPED = "stopped"
    LIMIT = "limit"
    IDENTITY_CHANGED = "identity-changed"
    MEASURE_IN_FORCE = "measure-in-force"
    PATH_NOT_TESTED = "path-not-tested"


class ReceiptKind(_Word):
    """What came back."""

    RELAYED = "relayed"
    ATTEMPTED = "attempted"
    REPORTED = "reported"
    DELAYED = "delayed"
    BOUNCED = "bounced"
    DELIVERED_LOCALLY = "delivered-locally"
    FORWARDED = "forwarded"
    HINT = "hint"
    LATE = "late"


class Acceptance(_Word):
    """What an acceptance says: a correct server refuses a telling case."""

    TELLING = "telling"
    UNINFORMATIVE = "uninformative"


class AuthorizationKind(_Word):
    """What gives the leave to test."""

    OWN_SERVER = "own-server"
    CUSTOMER_CONTRACT = "customer-contract"
    REQUEST = "request"
    COMPLAINT = "complaint"
    PEER_INITIATED = "peer-initiated"


class Selection(_Word):
    """How many cases are asked."""

    NAMED = "named"
    QUICK = "quick"
    STANDARD = "standard"
    FULL = "full"


class Profile(_Word):
    """Deadlines and paces."""

    PATIENT = "patient"
    BRISK = "brisk"
    LAB = "lab"


class Prove(_Word):
    """Which of the accepted cases get a message."""

    FAMILIES = "families"
    ALL = "all"


class Vantage(_Word):
    """From where a run looks at its target."""

    OUTSIDE = "outside"
    PROVIDER_NETWORK = "provider-network"
    TARGET_NETWORK = "target-network"
    LOOPBACK = "loopback"


class Measure(_Word):
    """A block in force around the target."""

    INBOUND_FILTER = "inbound-filter"
    INBOUND_BLOCK = "inbound-block"
    SMARTHOST_BLOCK = "smarthost-block"
    OUTBOUND_PORT_BLOCK = "outbound-port-block"
