"""From wishes to a plan: everything a run needs, checked once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from os import PathLike
from typing import TYPE_CHECKING, Any, TypedDict

from . import _core, _dates
from ._errors import InputError, PlanError
from ._who import Address, Authorization, Identity, Target, as_authorization, as_servers, as_target, look_up
from ._words import Measure, Profile, Prove, Selection, Vantage

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["History", "Options", "plan"]


@dataclass(frozen=True, slots=True)
class History:
    """What earlier runs did to the same target address; the package keeps no memory of its own unless given a store."""

    last_run: datetime | None = None
    refusals_today: int = 0
    messages_today: int = 0


class Options(TypedDict, total=False):
    """How a run is made. All are keyword arguments of ``plan``, ``probe``, ``probe_async`` and ``probe_many``."""

    matrix: Selection | str
    """How many cases: quick, standard or full; quick unless given."""
    cases: Sequence[str]
    """Only these cases, and the controls. Such a run never finds a server closed."""
    define_cases: Sequence[tuple[str, str, str]]
    """Cases of your own: id, sender, recipient, like ``("mine", "<{sender}>", "<{probe-user}%{probe-domain}@{target-host}>")``."""
    ports: Sequence[int]
    """Ports to ask on, the main one first; the target's unless given."""
    allow_ports: Sequence[int]
    """Ports that are mail ports here although they are none of the usual ones."""
    tls_ports: Sequence[int]
    """Ports that speak TLS from the first octet, as 465 does."""
    allow_private: bool
    """Allow loopback, private and link-local targets."""
    profile: Profile | str
    """Deadlines and paces: brisk unless given."""
    connections: int
    """Connections open at once, 1 to 3."""
    lockstep: bool
    """Never send commands in groups."""
    budget: tuple[int, int, int]
    """Refusals, odd forms and transactions of one connection, for servers of your own."""
    retries: Sequence[int]
    """Seconds after which deferred cases are asked again, one entry a try; the profile decides unless given."""
    vantage: Vantage | str
    """From where you look; outside unless given, except for a loopback target."""
    measures: Sequence[Measure | str]
    """Blocks in force around the target."""
    never_test: str | Iterable[object]
    """Networks and domains that asked not to be tested: the text of a list, or its entries."""
    source: IPv4Address | IPv6Address | str
    """Local address to connect from."""
    servers: Iterable[str]
    """DNS servers to ask for the target's name, at most three, as for :func:`resolve`; those of the system unless given."""
    again: bool
    """Test now although the target was tested less than a day ago."""
    history: History
    """What earlier runs did to the target."""
    prove: Prove | str
    """Which accepted cases get a message: families or all; a survey with envelopes alone unless given."""
    messages: int
    """Messages of the run at the most, 1 to 64; 12 unless given."""
    window: float | timedelta
    """After how many seconds a message that did not come back is taken for not relayed; six hours unless given."""
    way_in: tuple[str | IPv4Address | IPv6Address, int] | str
    """Where others reach your receiving server, so that a message of your own can show that it works."""
    tls: bool
    """Whether the driver can do TLS; the drivers of this package can."""
    date: datetime
    """The date of the run; now unless given."""
    seed: int
    """What names the run; chance unless given. It must not repeat."""


_DEFAULTS: dict[str, Any] = {
    "matrix": "quick",
    "cases": None,
    "define_cases": (),
    "ports": None,
    "allow_ports": (),
    "tls_ports": (),
    "allow_private": False,
    "profile": "brisk",
    "connections": 1,
    "lockstep": False,
    "budget": None,
    "retries": None,
    "vantage": None,
    "measures": (),
    "never_test": None,
    "source": None,
    "servers": None,
    "again": False,
    "history": None,
    "prove": None,
    "messages": None,
    "window": None,
    "way_in": None,
    "tls": True,
    "date": None,
    "seed": None,
}


def plan(
    target: str | Address | Target,
    *,
    identity: Identity,
    authorization: str | Authorization,
    keys: _core.Keyring | None = None,
    store: _core.Store | str | PathLike[str] | None = None,
    **options: Unpack[Options],
) -> _core.Plan:
    """A run that may take place, for a ``Session``; or ``PlanError``, which says what would be right.

    With ``prove``, ``keys`` make the tokens of the messages. With a ``store``, its keys do, earlier runs are heeded,
    and the run is written down. ``options`` are those of :class:`Options`.
    """
    wishes = Wishes(identity, authorization, keys, as_store(store), options)
    asked = as_target(target)
    return wishes.plan(asked, look_up(asked, wishes.source, wishes.servers))


class Wishes:
    """Everything of a plan but its target, checked once for many."""

    __slots__ = ("authorization", "identity", "keys", "options", "servers", "source", "store")

    def __init__(
        self,
        identity: Identity,
        authorization: str | Authorization,
        keys: _core.Keyring | None,
        store: _core.Store | None,
        options: Options,
    ) -> None:
        if not isinstance(identity, Identity):
            raise TypeError(f"identity is an Identity, not {type(identity).__name__}")
        unknown = set(options) - set(_DEFAULTS)
        if unknown:
            raise TypeError(f"no option is called {', '.join(sorted(unknown))}")
        self.identity = identity._json()
        self.authorization = as_authorization(authorization)._json()
        self.store = store
        self.options = _converted({**_DEFAULTS, **options})
        self.servers = as_servers(self.options.pop("servers"))
        self.source: Address | None = self.options["source"]
        if self.options["prove"] is not None and keys is None:
            if store is None:
                raise PlanError("messages are proven with keys: give keys=, or store=", "no-keys")
            keys = store.keys()
        self.keys = keys
        if self.options["prove"] is None:
            without_messages(self.options, ("messages", "window", "way_in"))

    def plan(self, target: Target, address: Address) -> _core.Plan:
        try:
            return _core.plan(
                target._json(address), self.identity, self.authorization, self.options, self.keys, self.store
            )
        except OverflowError as fault:
            raise InputError(f"a number is out of range: {fault}", "input", {"field": "options"}) from fault


def without_messages(options: Mapping[str, object], names: Iterable[str]) -> None:
    """Nothing may be asked for that has no effect where no message is sent."""
    for name in names:
        if options[name] is not None:
            message = f"{name} is about messages, and none would be sent: ask for some (prove=, or sink= or receipts= of probe)"
            raise InputError(message, "input", {"field": name, "value": str(options[name])})


def as_store(store: _core.Store | str | PathLike[str] | None) -> _core.Store | None:
    return store if store is None or isinstance(store, _core.Store) else _core.Store(store)


def _converted(options: dict[str, Any]) -> dict[str, Any]:
    """The types of the native part."""
    for name in ("matrix", "profile", "vantage", "prove"):
        options[name] = None if options[name] is None else str(options[name])
    for name in ("cases", "define_cases", "measures"):
        if isinstance(options[name], str):
            raise TypeError(f"{name} is a list, not a str")
        if options[name] is None:
            continue
        options[name] = [str(entry) if isinstance(entry, str) else entry for entry in options[name]]
    for name in ("ports", "allow_ports", "tls_ports", "retries"):
        options[name] = None if options[name] is None else list(options[name])
    if options["source"] is not None:
        options["source"] = _address("source", options["source"])
    if options["way_in"] is not None:
        options["way_in"] = endpoint("way_in", options["way_in"])
    if options["never_test"] is not None and not isinstance(options["never_test"], str):
        options["never_test"] = "\n".join(str(entry) for entry in options["never_test"])
    if isinstance(options["window"], timedelta):
        options["window"] = options["window"].total_seconds()
    if options["date"] is not None:
        options["date"] = _dates.unix("date", options["date"])
    history = options["history"]
    if history is not None:
        last = None if history.last_run is None else _dates.unix("last_run", history.last_run)
        options["history"] = (last, history.refusals_today, history.messages_today)
    return options


def _address(field: str, text: object) -> Address:
    if isinstance(text, (IPv4Address, IPv6Address)):
        return text
    try:
        return ip_address(str(text))
    except ValueError as fault:
        raise InputError(f"{field}: {fault}", "input", {"field": field, "value": str(text)}) from fault


def endpoint(field: str, where: object) -> tuple[Address, int]:
    """``("127.0.0.1", 2525)`` or ``"127.0.0.1:2525"``."""
    if isinstance(where, tuple):
        return _address(field, where[0]), where[1]
    host, colon, port = str(where).rpartition(":")
    if not colon or not port.isdecimal():
        message = f"{field}: {where!r} is not ADDRESS:PORT"
        raise InputError(message, "input", {"field": field, "value": str(where)})
    return _address(field, host.removeprefix("[").removesuffix("]")), int(port)
