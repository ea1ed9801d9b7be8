"""Runs against many targets at once, by the sweep of the Rust driver: no thread a target, and the interpreter's lock released."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING

from . import _core
from ._errors import Error, PlanError
from ._plan import Options, Wishes, as_store
from ._report import Report
from ._who import Address, Authorization, Identity, Target, as_target, look_up

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Many", "Progress", "probe_many"]

log = logging.getLogger("relayprobe")

# How often signals are looked for.
SLICE = 0.1
# Names that are looked up at once.
LOOKUPS = 8


@dataclass(frozen=True, slots=True)
class Progress:
    """How far many runs are."""

    taken: int
    """Targets taken from the iterable."""
    waiting: int
    """Of these, targets that wait for their turn."""
    running: int
    reports: int
    refused: int
    """Targets that may not be tested, or whose name has no address."""
    repeated: int
    """Targets whose address was had before."""


def probe_many(
    targets: Iterable[str | Address | Target],
    *,
    identity: Identity,
    authorization: str | Authorization,
    concurrency: int = 256,
    per_network: int = 1,
    network_pause: float | timedelta = 1.0,
    per_second: int = 20,
    store: _core.Store | str | PathLike[str] | None = None,
    stop: _core.Stop | None = None,
    progress: Callable[[Progress], object] | None = None,
    **options: Unpack[Options],
) -> Many:
    """Surveys many targets, and gives their reports as they finish: ``for report in probe_many(…)``, or ``async for``.

    ``concurrency`` runs at once, ``per_network`` of them in one network (a /24 of IPv4, a /48 of IPv6), which is then left alone for
    ``network_pause`` seconds; ``per_second`` runs begin in a second. ``targets`` is read as it is needed, and an address is tested once.
    A target that may not be tested, or whose name has no address, ends nothing: it is logged as a warning and stands in
    ``refused``. With a ``store`` earlier runs are heeded, reports are kept before they are given, and the same call goes on where a
    killed one ended. ``stop`` ends the runs politely and gives what they found. ``progress`` is called after each target. An option that
    is wrong raises :class:`InputError` before a target is taken. A text that can be no target raises it when its turn comes; the next
    call goes on behind it.

    Messages are for one server at a time: ``prove`` is refused here; give what is ``suspected`` to :func:`probe`.
    """
    if options.get("prove") is not None:
        raise PlanError("many targets are surveyed with envelopes: leave prove= out, and prove what is suspected one by one", "many")
    if isinstance(targets, str):
        raise TypeError("targets is a list, not a str")
    wishes = Wishes(identity, authorization, None, as_store(store), options)
    pause = network_pause.total_seconds() if isinstance(network_pause, timedelta) else float(network_pause)
    pace = (concurrency, per_network, pause, per_second)
    core = _core.Many(wishes.identity, wishes.authorization, wishes.options, wishes.store, pace)
    return Many(core, iter(targets), wishes, stop, progress)


class Many(Iterator[Report], AsyncIterator[Report]):
    """Runs under way against many targets. Leaving ``with`` or ``async with``, and ``close``, end them at once."""

    def __init__(
        self,
        core: _core.Many,
        targets: Iterator[str | Address | Target],
        wishes: Wishes,
        stop: _core.Stop | None,
        progress: Callable[[Progress], object] | None,
    ) -> None:
        self.refused: list[tuple[Target, Error]] = []
        """Targets that were not tested, and why not."""
        self._core: _core.Many | None = core
        self._targets: Iterator[str | Address | Target] | None = targets
        self._wishes = wishes
        self._stop = stop
        self._progress = progress
        self._pool: ThreadPoolExecutor | None = None
        self._looking: list[tuple[Target, Future[Address]]] = []
        self._ready: list[tuple[Target, Address]] = []
        self._known: dict[int, Target] = {}
        self._number = 0
        self._lost = 0
        self._last = Progress(0, 0, 0, 0, 0, 0)

    @property
    def progress(self) -> Progress:
        """How far it is."""
        if self._core is not None:
            taken, waiting, running, reports, refused, repeated = self._core.counts()
            self._last = Progress(taken + self._lost, waiting, running, reports, refused + self._lost, repeated)
        return self._last

    def __iter__(self) -> Many:
        return self

    def __next__(self) -> Report:
        while True:
            report = self._step(SLICE)
            if report is not None:
                return report

    def __aiter__(self) -> Many:
        return self

    async def __anext__(self) -> Report:
        while True:
            try:
                # What is there is taken at once; a thread waits for the rest, so that the event loop never does.
                report: object = self._step(0.0) or await asyncio.to_thread(self._settle, SLICE)
            except StopIteration:
                raise StopAsyncIteration from None
            if report is _OVER:
                raise StopAsyncIteration
            if isinstance(report, Report):
                return report

    def _settle(self, patience: float) -> object:
        # No coroutine and no thread of a pool can raise StopIteration.
        try:
            return self._step(patience)
        except StopIteration:
            return _OVER

    def _step(self, patience: float) -> Report | None:
        """Feeds the sweep, and takes what became of one target."""
        core = self._core
        if core is None:
            raise StopIteration
        if self._stop is not None and self._stop.stopped:
            self._targets = None
            self._looking.clear()
            self._ready.clear()
            core.stop()
        self._feed(core)
        try:
            found = core.next(patience)
        except StopIteration:
            self.close()
            raise
        if found is None:
            return None
        number, report, fault = found
        target = self._known.pop(number)
        if fault is not None:
            self._refuse(target, fault)
        if self._progress is not None:
            self._progress(self.progress)
        return None if report is None else Report._of(report)

    def _feed(self, core: _core.Many) -> None:
        """Hands over as many targets as there is room for."""
        for entry in [entry for entry in self._looking if entry[1].done()]:
            self._looking.remove(entry)
            target, future = entry
            try:
                self._ready.append((target, future.result()))
            except Error as fault:
                self._lost += 1
                self._refuse(target, fault)
        while core.is_hungry():
            if self._ready:
                target, address = self._ready.pop()
                self._known[self._number] = target
                core.feed(self._number, address, target.port, *target._parts())
                self._number += 1
            elif self._targets is None or len(self._looking) >= LOOKUPS:
                break
            else:
                self._take(self._targets)
        if self._targets is None and not self._looking and not self._ready:
            core.end()

    def _take(self, targets: Iterator[str | Address | Target]) -> None:
        try:
            target = as_target(next(targets))
        except StopIteration:
            self._targets = None
            return
        if target.address is not None:
            self._ready.append((target, target.address))
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(LOOKUPS, "relayprobe-lookup")
        submitted = self._pool.submit(look_up, target, self._wishes.source, self._wishes.servers)
        self._looking.append((target, submitted))

    def _refuse(self, target: Target, fault: Error) -> None:
        self.refused.append((target, fault))
        log.warning("%s port %d is not tested: %s", target.host, target.port, fault)

    def close(self) -> None:
        """Ends what is under way at once; what it found so far is lost. ``stop=`` keeps it."""
        self._last = self.progress
        if self._core is not None:
            self._core.close()
            self._core = None
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Many:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Many:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_OVER = object()
