"""What comes back to the probe domain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from types import TracebackType

from . import _core, _dates
from ._plan import endpoint
from ._report import Receipt, Report
from ._who import Address, Identity

__all__ = ["Counts", "Forged", "NotOurs", "Sink", "UnknownRun", "classify"]


@dataclass(frozen=True, slots=True)
class UnknownRun:
    """It carries the token of a run that is not known here."""

    run: str


@dataclass(frozen=True, slots=True)
class Forged:
    """It carries what looks like a token and is none of ours, or is one for another target."""

    run: str


@dataclass(frozen=True, slots=True)
class NotOurs:
    """It carries no token."""


Runs = Iterable[Report] | Mapping[str, Report] | Callable[[str], "Report | None"]


def classify(
    raw: bytes | _core.Arrival,
    *,
    keys: _core.Keyring,
    runs: Runs,
    at: datetime | None = None,
) -> Receipt | UnknownRun | Forged | NotOurs:
    """Says what a message is that another server received for the probe domain, as ``imaplib`` or ``mailbox`` read it.

    One that carries the tokens of several probes is a receipt of the first; ``Report.add`` counts each.

    ``runs`` are the reports it may belong to: some of them, a mapping from the name of a run, or a function that looks one
    up. ``at`` is when it came, now unless given.
    """
    date = None if at is None else _dates.unix("at", at)
    kind, found = _core.classify(raw, keys, _finder(runs), date)[0]
    if kind == "receipt":
        return Receipt.from_json(found or "")
    if kind == "unknown-run":
        return UnknownRun(found or "")
    return Forged(found or "") if kind == "forged" else NotOurs()


def _finder(runs: Runs) -> Callable[[str], _core.Report | None]:
    if isinstance(runs, Report):
        runs = [runs]
    if isinstance(runs, Mapping):
        look_up: Callable[[str], Report | None] = runs.get
    elif callable(runs):
        look_up = runs
    else:
        look_up = {report._inner.run: report for report in runs}.get

    def find(run: str) -> _core.Report | None:
        report = look_up(run)
        return None if report is None else report._inner

    return find


@dataclass(frozen=True, slots=True)
class Counts:
    """What came to a receiving server."""

    taken: int
    refused: int
    recipients_only: int
    not_ours: int


class Sink:
    """A receiving server for the probe domain. It takes test messages alone, and sends nothing anywhere.

    It listens from the moment it is made until ``close``, or to the end of ``with`` or ``async with``. Give it to ``probe`` as
    ``sink=``; what comes for nobody who waits is kept for ``arrivals``.
    """

    __slots__ = ("_core",)

    def __init__(
        self,
        identity: Identity,
        listen: str | tuple[str | Address, int] = "127.0.0.1:0",
        *,
        mode: str = "accept",
        spool: str | PathLike[str] | None = None,
    ) -> None:
        """``mode`` is ``accept``, or ``refuse``: then messages are looked at and not taken. What is put into a ``spool``
        outlives a crash."""
        address, port = endpoint("listen", listen)
        self._core = _core.Sink(identity._json(), address, port, mode, spool)

    @property
    def address(self) -> tuple[Address, int]:
        """Where it listens."""
        return self._core.address

    def arrivals(self) -> list[_core.Arrival]:
        """What has come since this was last asked, up to ten thousand arrivals: for ``classify`` and ``Report.add``."""
        return self._core.drain()

    def counts(self) -> Counts | None:
        """What came so far; nothing after ``close``."""
        counts = self._core.counts()
        return None if counts is None else Counts(*counts)

    def close(self) -> None:
        """Ends all connections, with a word to their clients. It waits a second at most."""
        self._core.stop()

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Sink:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        address, port = self.address
        return f"<Sink on {address} port {port}>"


def cases() -> list[dict[str, object]]:
    """The built-in test cases, as ``relayprobe cases --json`` prints them."""
    found: list[dict[str, object]] = json.loads(_core.cases())
    return found
