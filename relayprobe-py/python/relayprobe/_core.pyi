"""The native part: types are converted here, and nothing is decided."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, final

from typing_extensions import disjoint_base

from ._errors import Error
from ._report import Report as _Report

_Address = IPv4Address | IPv6Address
_Path = str | PathLike[str]

__all__ = [
    "Arrival",
    "Arrivals",
    "Event",
    "Keyring",
    "Many",
    "Output",
    "Plan",
    "Report",
    "Session",
    "Sink",
    "Stop",
    "Store",
    "VERSION",
    "Waiting",
    "addresses",
    "authorization",
    "cases",
    "check_way_in",
    "claim",
    "classify",
    "command",
    "forked",
    "host",
    "identity",
    "listings",
    "load",
    "load_lists",
    "loss",
    "plan",
    "resolve",
    "run",
    "self_check",
    "target",
]

VERSION: str

def addresses(name: str, servers: list[str]) -> list[_Address]: ...
def authorization(kind: str, reference: str, networks: list[str], domains: list[str], until: str | None) -> str: ...
def cases() -> str: ...
def check_way_in(report: Report, keys: Keyring, stop: Stop | None) -> Report: ...
def claim(interpreter: int) -> None: ...
def classify(
    what: bytes | Arrival, keys: Keyring, runs: Callable[[str], Report | None], at: int | None
) -> list[tuple[str, str | None]]: ...
def command(arguments: list[str]) -> int: ...
def forked() -> None: ...
def host(text: str) -> tuple[_Address | None, str | None, int | None]: ...
def identity(fields: dict[str, str]) -> str: ...
def listings(lists: str, addresses: list[_Address], servers: list[str]) -> str: ...
def load_lists(path: _Path) -> str: ...
def resolve(domain: str, provider: list[str], servers: list[str]) -> str: ...
def self_check(
    identity: str, source: _Address | None, text: str | None, authorities: _Path | None, servers: list[str]
) -> str: ...
def load(path: _Path) -> tuple[str | None, str | None]: ...
def loss(errno: int) -> str: ...
def plan(
    target: str,
    identity: str,
    authorization: str,
    options: dict[str, Any],
    keys: Keyring | None,
    store: Store | None,
) -> Plan: ...
def run(plan: Plan, stop: Stop | None, progress: Callable[[Event], object] | None) -> Report: ...
def target(address: _Address, port: int, domains: list[str], fields: dict[str, str]) -> str: ...

@final
class Arrival:
    """Something that arrived at our receiving server, before anybody knows what it is."""

    @property
    def unix(self) -> int:
        """When, in seconds since 1970."""
    @property
    def handover(self) -> str:
        """How far the handover went: ``recipient``, ``interrupted``, ``refused`` or ``taken``."""
    @property
    def peer(self) -> _Address | None:
        """Who handed it over."""
    @property
    def sender(self) -> bytes | None:
        """The sender, without brackets."""
    @property
    def recipients(self) -> list[bytes]:
        """The recipients, without brackets."""
    @property
    def message(self) -> bytes:
        """The message as far as it came."""
    def __eq__(self, other: object, /) -> bool: ...

@final
class Arrivals:
    """What arrives from now on."""

@disjoint_base
class Event:
    """Progress, for people."""

    def __eq__(self, other: object, /) -> bool: ...
    @final
    class Connecting(Event):
        """A connection is begun."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(cls, connection: int, path: int) -> Event.Connecting: ...
        @property
        def connection(self) -> int: ...
        @property
        def path(self) -> int: ...

    @final
    class Answered(Event):
        """A probe was answered, for now."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(cls, probe: int, code: int) -> Event.Answered: ...
        @property
        def probe(self) -> int: ...
        @property
        def code(self) -> int: ...

    @final
    class Settled(Event):
        """So many probes are settled."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(cls, settled: int, all: int) -> Event.Settled: ...
        @property
        def settled(self) -> int: ...
        @property
        def all(self) -> int: ...

    @final
    class Proving(Event):
        """Messages are sent for what was accepted."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(cls, messages: int) -> Event.Proving: ...
        @property
        def messages(self) -> int: ...

    @final
    class Retrying(Event):
        """Deferred probes will be asked again, at this moment of the driver's clock."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(cls, probes: int, at: float) -> Event.Retrying: ...
        @property
        def probes(self) -> int: ...
        @property
        def at(self) -> float: ...

@final
class Keyring:
    """The keys that make and check tokens. They are never part of a plan, a report or a log."""

    @staticmethod
    def new() -> Keyring:
        """A keyring of one new key that nobody can guess."""
    @staticmethod
    def load(path: _Path) -> Keyring:
        """Reads a keyring from its file, which only its owner may read."""
    @staticmethod
    def from_text(text: str) -> Keyring:
        """Reads the form in which a keyring is kept."""
    def to_text(self) -> str:
        """The form in which a keyring is kept: a line a key. It is secret."""

@final
class Many:
    """A sweep that is under way."""

    def __new__(
        cls,
        identity: str,
        authorization: str,
        options: dict[str, Any],
        store: Store | None,
        pace: tuple[int, int, float, int],
    ) -> Many: ...
    def feed(
        self, number: int, address: _Address, port: int, domains: list[str], fields: dict[str, str]
    ) -> bool: ...
    def is_hungry(self) -> bool: ...
    def end(self) -> None: ...
    def stop(self) -> None: ...
    def next(self, patience: float) -> tuple[int, Report | None, Error | None] | None: ...
    def counts(self) -> tuple[int, int, int, int, int, int]: ...
    def close(self) -> None: ...

@disjoint_base
class Output:
    """Something that the driver starts."""

    @final
    class Connect(Output):
        """Open a connection; then ``handle_connected`` or ``handle_lost``."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(
            cls, connection: int, address: _Address, port: int, source: _Address | None
        ) -> Output.Connect: ...
        @property
        def connection(self) -> int: ...
        @property
        def address(self) -> _Address: ...
        @property
        def port(self) -> int: ...
        @property
        def source(self) -> _Address | None: ...

    @final
    class Send(Output):
        """Write everything; then ``handle_sent`` or ``handle_lost``."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(cls, connection: int, data: bytes) -> Output.Send: ...
        @property
        def connection(self) -> int: ...
        @property
        def data(self) -> bytes: ...

    @final
    class StartTls(Output):
        """Do a TLS handshake; then ``handle_secured`` or ``handle_lost``."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(cls, connection: int, server_name: str) -> Output.StartTls: ...
        @property
        def connection(self) -> int: ...
        @property
        def server_name(self) -> str: ...

    @final
    class Close(Output):
        """Close the connection."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(cls, connection: int) -> Output.Close: ...
        @property
        def connection(self) -> int: ...

    @final
    class Progress(Output):
        """Show progress."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(cls, event: Event) -> Output.Progress: ...
        @property
        def event(self) -> Event: ...

    @final
    class Wait(Output):
        """Nothing to do until octets arrive, a connection changes, or this moment comes; then ``handle_tick``."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(cls, until: float) -> Output.Wait: ...
        @property
        def until(self) -> float: ...

    @final
    class Finished(Output):
        """The run is over."""

        __match_args__: ClassVar[tuple[str, ...]]
        def __new__(cls) -> Output.Finished: ...

@final
class Plan:
    """A run that may take place."""

    def to_json(self) -> str:
        """The run record as JSON: what is stored before the first connection."""
    @property
    def run(self) -> str: ...
    @property
    def date(self) -> int: ...
    @property
    def address(self) -> _Address: ...
    @property
    def port(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class Report:
    """What a run found, with all its evidence."""

    @staticmethod
    def from_json(text: str) -> Report: ...
    def to_json(self) -> str: ...
    def text(self) -> str: ...
    def transcript(self) -> str: ...
    def add(self, receipt: str) -> Report: ...
    def judge(self, as_of: int) -> Report: ...
    def redacted(self) -> Report: ...
    def with_listings(self, listings: str) -> Report: ...
    @property
    def addresses(self) -> list[_Address]: ...
    @property
    def messages(self) -> int: ...
    @property
    def verdict(self) -> str: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def how(self) -> str | None: ...
    @property
    def settled(self) -> bool: ...
    @property
    def as_of(self) -> int: ...
    @property
    def pending_until(self) -> int | None: ...
    @property
    def run(self) -> str: ...
    @property
    def address(self) -> _Address: ...
    @property
    def port(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@disjoint_base
class Session:
    """A run that opens no socket and reads no clock."""

    def __new__(cls, plan: Plan, now: float) -> Session: ...
    @staticmethod
    def check_way_in(report: Report, keys: Keyring, now: float) -> Session | None:
        """A session that only sees once more whether our own receiving server is there."""
    def poll_output(self) -> Output:
        """What to do next."""
    def handle_connected(self, connection: int, now: float) -> None:
        """The connection was made."""
    def handle_sent(self, connection: int, now: float) -> None:
        """Everything of the last ``Send`` was written."""
    def handle_received(self, connection: int, data: bytes, now: float) -> None:
        """Octets came; inside TLS once it is on."""
    def handle_secured(
        self, connection: int, version: str, cipher: str, certificates: list[bytes], now: float
    ) -> None:
        """The TLS handshake is done."""
    def handle_lost(self, connection: int, loss: str, now: float) -> None:
        """The connection could not be made, or has ended, or its handshake failed."""
    def handle_tick(self, now: float) -> None:
        """Time has passed, and everything that has arrived has been handed over."""
    def stop(self, now: float) -> None:
        """Ends the run politely; go on until ``Finished``."""
    def end(self) -> Report:
        """Ends the session, and judges what was recorded so far."""

@final
class Sink:
    """A running receiving server."""

    def __new__(
        cls, identity: str, address: _Address, port: int, mode: str, spool: _Path | None
    ) -> Sink: ...
    @property
    def address(self) -> tuple[_Address, int]: ...
    def drain(self) -> list[Arrival]: ...
    def subscribe(self) -> Arrivals: ...
    def counts(self) -> tuple[int, int, int, int] | None: ...
    def stop(self) -> None: ...

@final
class Stop:
    """Ends runs from elsewhere, politely: another thread, another task, a signal handler. It stays stopped."""

    def __new__(cls) -> Stop: ...
    def stop(self) -> None:
        """Ends the runs that were given this handle."""
    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""

@final
class Store:
    """A directory with keys, run records, reports and what was done to each target."""

    def __new__(cls, path: _Path) -> Store: ...
    def keys(self) -> Keyring:
        """The keys; the first one is made now if there is none yet."""
    def keep(self, report: _Report) -> Path:
        """Keeps a report in the place of an earlier one of the same run, and tells where."""
    def settle(self, report: Report) -> Path:
        """Keeps the report of a run that has just ended, and counts its messages."""

@final
class Waiting:
    """A wait for what comes back to a run."""

    def __new__(
        cls,
        report: Report,
        keys: Keyring,
        patience: float | None,
        mailboxes: list[str],
        store: Store | None,
        arrivals: list[Arrivals],
    ) -> Waiting: ...
    def step(self) -> str: ...
    def stop(self) -> None: ...
    @property
    def report(self) -> Report: ...
    @report.setter
    def report(self, report: Report) -> None: ...
    def notes(self) -> list[str]: ...
    def forged(self) -> list[str]: ...
