"""What a run found."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import FrozenInstanceError, dataclass, field
from datetime import datetime
from functools import cached_property
from ipaddress import ip_address
from typing import Any

from . import _core, _dates
from ._errors import ReceiptError
from ._names import Listing
from ._octets import Octets
from ._who import Address, Authorization, Identity, Target, address_or_none
from ._words import (
    Acceptance,
    How,
    Measure,
    OutcomeWord,
    Profile,
    Prove,
    ReasonWord,
    ReceiptKind,
    Selection,
    Vantage,
    Verdict,
    Why,
)

__all__ = [
    "Egress",
    "Hop",
    "PathVerdict",
    "Probe",
    "Reason",
    "Receipt",
    "Report",
    "Reported",
    "Run",
    "Server",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is not a better one."""

    word: ReasonWord
    probes: tuple[int, ...] = ()
    """Numbers of the probes it is about."""
    why: str | None = None
    """What a refusal was about, or why something was not tested."""
    measure: Measure | None = None
    path: int | None = None
    verdict: Verdict | None = None

    @classmethod
    def _from(cls, data: dict[str, Any]) -> Reason:
        probes = data.get("probes", [data["probe"]] if "probe" in data else [])
        return cls(
            ReasonWord(data["reason"]),
            tuple(probes),
            data.get("why"),
            Measure(data["measure"]) if "measure" in data else None,
            data.get("path"),
            Verdict(data["verdict"]) if "verdict" in data else None,
        )


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself."""

    name: str | None
    greeting: Octets | None


@dataclass(frozen=True, slots=True)
class PathVerdict:
    """What was found over one path."""

    path: int
    port: int
    tls: str
    verdict: Verdict | None
    """Nothing if the path was not needed."""
    reasons: tuple[Reason, ...]

    @classmethod
    def _from(cls, data: dict[str, Any]) -> PathVerdict:
        verdict = data["verdict"]
        return cls(
            data["path"],
            data["port"],
            data["tls"],
            None if verdict is None else Verdict(verdict),
            tuple(Reason._from(reason) for reason in data["reasons"]),
        )


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of one probe: one case over one path."""

    number: int
    case: str
    family: str
    path: int
    outcome: OutcomeWord
    stage: str | None = None
    """At which step it was refused or put off."""
    why: Why | None = None
    """What the refusal is about."""
    reply: Octets | None = None
    until: datetime | None = None
    """Until when its message is waited for."""
    receipts: tuple[int, ...] = ()
    """Indices of its receipts."""
    reason: str | None = None
    """Why it was not tested, or makes no sense here."""
    lacks: str | None = None
    """The name or the keyword that was missing."""
    beside: int | None = None
    queue_id: Octets | None = None
    """What the target calls its message: what to look for in its logs."""
    confirmed: bool = False
    """Whether the target wrote the queue id that it gave us into the message that came back."""
    acceptance: Acceptance | None = None
    """What an acceptance says; nothing for a control."""

    @property
    def is_control(self) -> bool:
        """Whether it says nothing about relaying by itself."""
        return self.acceptance is None

    @classmethod
    def _from(cls, data: dict[str, Any]) -> Probe:
        return cls(
            data["number"],
            data["case"],
            data["family"],
            data["path"],
            OutcomeWord(data["outcome"]),
            data.get("stage"),
            Why(data["why"]) if "why" in data else None,
            _octets(data.get("reply")),
            _dates.optional(data.get("until")),
            tuple(data.get("receipts", ())),
            data.get("reason"),
            data.get("name", data.get("need")),
            data.get("beside"),
            _octets(data.get("queue_id")),
            data.get("confirmed", False),
            Acceptance(data["acceptance"]) if "acceptance" in data else None,
        )


@dataclass(frozen=True, slots=True)
class Egress:
    """The machine that handed a message over."""

    address: Address | None
    helo: Octets
    kind: str
    """``direct`` for the target itself, ``smarthost`` for another machine behind it, or ``unknown``."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A Received line."""

    quality: str
    peer: Address | None
    helo: Octets | None
    reverse_name: Octets | None
    by: Octets | None
    protocol: Octets | None
    id: Octets | None
    recipient: Octets | None
    raw: Octets


@dataclass(frozen=True, slots=True)
class Reported:
    """What a delivery report says, in its own words."""

    reporter: Octets | None = None
    remote: Octets | None = None
    action: Octets | None = None
    status: Octets | None = None
    diagnostic: Octets | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Something that came back for one probe."""

    kind: ReceiptKind
    at: datetime
    run: str
    probe: int
    egress: Egress | None
    """The machine that handed it over."""
    input: Octets | None
    """What the machine calls itself that took the message from us."""
    sender: Octets | None
    recipient: Octets | None
    original_recipient: Octets | None
    reported: Reported | None
    hops: tuple[Hop, ...]
    """The way it took, the latest first."""
    sha256: str
    json: str = field(repr=False)
    """The form it has in a report."""

    @classmethod
    def from_json(cls, text: str) -> Receipt:
        """Reads the form it has in a report."""
        data = json.loads(text)
        egress, reported = data.get("egress"), data.get("reported")
        return cls(
            ReceiptKind(data["kind"]),
            _dates.read(data["at"]),
            data["run"],
            data["probe"],
            Egress(address_or_none(egress["address"]), Octets.from_escaped(egress["helo"]), egress["kind"])
            if egress
            else None,
            _octets(data.get("input")),
            _octets(data.get("sender")),
            _octets(data.get("recipient")),
            _octets(data.get("original_recipient")),
            Reported(**{name: _octets(value) for name, value in reported.items()}) if reported else None,
            tuple(_hop(hop) for hop in data["trace"]["hops"]),
            data["sha256"],
            text,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """What was planned. All of it stands in ``report.to_dict()["run"]``."""

    name: str
    date: datetime
    target: Target
    identity: Identity
    authorization: Authorization
    vantage: Vantage
    measures: tuple[Measure, ...]
    profile: Profile
    selection: Selection
    matrix_version: int
    prove: Prove | None
    way_in: str | None
    source: Address | None

    @classmethod
    def _from(cls, data: dict[str, Any]) -> Run:
        return cls(
            data["run"],
            _dates.read(data["date"]),
            Target._from(data["target"]),
            Identity._from(data["identity"]),
            Authorization._from(data["authorization"]),
            Vantage(data["vantage"]),
            tuple(Measure(word) for word in data["measures"]),
            Profile(data["profile"]),
            Selection(data["selection"]),
            data["matrix_version"],
            None if data["prove"] is None else Prove(data["prove"]),
            data["way_in"],
            address_or_none(data["source"]),
        )


class Report:
    """What a run found, with all its evidence. It does not change: what comes later makes another report."""

    __slots__ = ("__dict__", "_inner", "_keys")
    __match_args__ = ("verdict", "reasons")

    _inner: _core.Report
    _keys: _core.Keyring | None

    def __init__(self) -> None:
        raise TypeError("a report comes from a run, or from Report.from_json")

    @classmethod
    def _of(cls, core: _core.Report, keys: _core.Keyring | None = None) -> Report:
        report = cls.__new__(cls)
        object.__setattr__(report, "_inner", core)
        object.__setattr__(report, "_keys", keys)
        return report

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Reads a stored report and judges it anew from its evidence, as of its own date."""
        return cls._of(_core.Report.from_json(text))

    def to_json(self) -> str:
        """The JSON form, on one line: octet for octet what Rust and the command line write."""
        return self._inner.to_json()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form as a dictionary of one's own; its schema is in the documentation."""
        data: dict[str, Any] = json.loads(self.to_json())
        return data

    def text(self) -> str:
        """The report as a person reads it."""
        return self._inner.text()

    @property
    def verdict(self) -> Verdict:
        """The result."""
        return Verdict(self._inner.verdict)

    @property
    def exit_code(self) -> int:
        """0 it does not relay, 1 suspected, 2 open relay, 3 nothing is known."""
        return self._inner.exit_code

    @property
    def how(self) -> How | None:
        """How the server was unreachable, if it was."""
        how = self._inner.how
        return None if how is None else How(how)

    @property
    def settled(self) -> bool:
        """Whether nothing that is still to come can change the verdict."""
        return self._inner.settled

    @property
    def as_of(self) -> datetime:
        """The moment as of which it was judged."""
        return _dates.from_unix(self._inner.as_of)

    @property
    def pending_until(self) -> datetime | None:
        """Until when messages are waited for, if some are."""
        until = self._inner.pending_until
        return None if until is None else _dates.from_unix(until)

    @property
    def address(self) -> Address:
        """What was tested."""
        return self._inner.address

    @property
    def port(self) -> int:
        """The main port that was tested."""
        return self._inner.port

    @property
    def messages(self) -> int:
        """How many messages were begun for the target."""
        return self._inner.messages

    @cached_property
    def _data(self) -> dict[str, Any]:
        return self.to_dict()

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the verdict is not a better one."""
        return tuple(Reason._from(reason) for reason in self._data["reasons"])

    @cached_property
    def server(self) -> Server:
        """What the server says of itself."""
        server = self._data["server"]
        return Server(server["name"], _octets(server["greeting"]))

    @cached_property
    def paths(self) -> tuple[PathVerdict, ...]:
        """What was found over each path."""
        return tuple(PathVerdict._from(path) for path in self._data["paths"])

    @cached_property
    def probes(self) -> tuple[Probe, ...]:
        """What came of each probe."""
        return tuple(Probe._from(probe) for probe in self._data["probes"])

    @cached_property
    def receipts(self) -> tuple[Receipt, ...]:
        """What came back."""
        return tuple(Receipt.from_json(json.dumps(receipt)) for receipt in self._data["receipts"])

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The address that was tested, and those of the machines that handed its messages on."""
        return tuple(self._inner.addresses)

    @cached_property
    def listings(self) -> tuple[Listing, ...]:
        """What block lists say of these, if they were asked. No verdict depends on it."""
        return tuple(Listing._from(listing) for listing in self._data.get("listings", ()))

    def with_listings(self, listings: Iterable[Listing]) -> Report:
        """This report with what :func:`listings` found."""
        found = "[" + ",".join(listing.json for listing in listings) + "]"
        return Report._of(self._inner.with_listings(found), self._keys)

    @cached_property
    def run(self) -> Run:
        """What was planned."""
        return Run._from(self._data["run"])

    @cached_property
    def transcript(self) -> str:
        """The dialogue as a person reads it: ``S:`` and ``C:`` lines, escaped."""
        return self._inner.transcript()

    @property
    def judge_version(self) -> int:
        """Version of the judgement."""
        version: int = self._data["judge_version"]
        return version

    def add(self, what: Receipt | bytes | _core.Arrival, *, keys: _core.Keyring | None = None) -> Report:
        """This report with something that came back; as of its coming, if that is later.

        A message is checked with ``keys``; the report of a run in this process knows those of its run. A message that is
        no receipt of this run raises ``ReceiptError``.
        """
        if isinstance(what, Receipt):
            return Report._of(self._inner.add(what.json), self._keys)
        keys = keys or self._keys
        if keys is None:
            message = "a message is checked with the keys of its run, which no report holds: give keys="
            raise ReceiptError(message, "no-keys", {"run": self._inner.run})
        inner = self._inner
        for kind, found in _core.classify(what, keys, self._find, None):
            if kind != "receipt" or found is None:
                message = f"the message is no receipt of run {self._inner.run}: {kind}"
                raise ReceiptError(message, kind, {"run": self._inner.run})
            inner = inner.add(found)
        return Report._of(inner, self._keys)

    def _find(self, run: str) -> _core.Report | None:
        return self._inner if run == self._inner.run else None

    def redacted(self) -> Report:
        """This report without the names of people, judged the same. A redacted report stays one."""
        return Report._of(self._inner.redacted(), self._keys)

    def judge(self, as_of: datetime | None = None) -> Report:
        """The same evidence judged as of a later date, now unless given: windows may have ended since."""
        date = _dates.now() if as_of is None else _dates.unix("as_of", as_of)
        return Report._of(self._inner.judge(date), self._keys)

    def __setattr__(self, name: str, value: object) -> None:
        # What cached properties keep goes around this.
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        return self._inner == other._inner if isinstance(other, Report) else NotImplemented

    def __hash__(self) -> int:
        return hash((self._inner.run, self._inner.as_of, self._inner.verdict))

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Report.from_json, (self.to_json(),)

    def __copy__(self) -> Report:
        return self

    def __deepcopy__(self, memo: object) -> Report:
        return self

    def __repr__(self) -> str:
        settled = "" if self.settled else ", not settled"
        return f"<Report of {self.address} port {self.port}: {self.verdict}{settled}, run {self._inner.run}>"


def judge(report: Report | str, as_of: datetime | None = None) -> Report:
    """Judges a report, or the JSON of one, anew: as of its own date unless another is given."""
    found = Report.from_json(report) if isinstance(report, str) else report
    return found if as_of is None else found.judge(as_of)


def _octets(text: str | None) -> Octets | None:
    return None if text is None else Octets.from_escaped(text)


def _hop(data: dict[str, Any]) -> Hop:
    peer = data.get("peer")
    return Hop(
        data["quality"],
        None if peer is None else ip_address(peer),
        _octets(data.get("helo")),
        _octets(data.get("reverse_name")),
        _octets(data.get("by")),
        _octets(data.get("with")),
        _octets(data.get("id")),
        _octets(data.get("recipient")),
        Octets.from_escaped(data["raw"]),
    )
