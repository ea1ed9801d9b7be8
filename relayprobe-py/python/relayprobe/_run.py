"""A run on the calling thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from math import inf
from os import PathLike, fspath
from typing import TYPE_CHECKING

from . import _core
from ._errors import InputError, PlanError
from ._plan import Options, Wishes, as_store, without_messages
from ._receipts import Sink
from ._report import Report
from ._who import Address, Authorization, Identity, Target, as_target, look_up

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["probe"]

log = logging.getLogger("relayprobe")

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]
SLICE = 0.1


def probe(
    target: str | Address | Target,
    *,
    identity: Identity,
    authorization: str | Authorization,
    receipts: Paths | None = None,
    sink: Sink | str | tuple[str | Address, int] | None = None,
    wait: float | timedelta | None = None,
    keys: _core.Keyring | None = None,
    store: _core.Store | str | PathLike[str] | None = None,
    stop: _core.Stop | None = None,
    progress: Callable[[_core.Event], object] | None = None,
    **options: Unpack[Options],
) -> Report:
    """Finds out whether a mail server is an open relay. Blocks, without the interpreter's lock.

    Without ``receipts`` and ``sink`` envelopes alone are sent, and the worst verdict is ``suspected``. ``receipts`` is a Maildir or
    an mbox file (or several) into which another server puts the mail of the probe domain; ``sink`` a :class:`Sink`, or the
    address on which to run one meanwhile. Then what was accepted is proven with messages, and they are waited for: ``wait``
    seconds, or until the first proof or two minutes. ``options`` are those of :class:`Options`.

    A refusal, a silence, a broken line or a server out of reach is a finding. Only what the caller did wrong raises an
    :class:`Error`. ``stop`` ends the run politely and keeps its record; Ctrl-C ends it within half a second.
    """
    asked = as_target(target)
    proof = Proof(identity, receipts, sink, wait, keys, as_store(store), options)
    try:
        wishes = Wishes(identity, authorization, proof.keys, proof.store, proof.options)
        plan = wishes.plan(asked, look_up(asked, wishes.source, wishes.servers))
        proof.listen()
        begun(plan)
        core = _core.run(plan, stop, progress)
        waiting = proof.waiting(core)
        while waiting is not None and proof.keys is not None and (step := waiting.step()) != "nothing":
            notice(waiting)
            if step == "way-in":
                waiting.report = _core.check_way_in(waiting.report, proof.keys, stop)
                continue
            if stop is not None and stop.stopped:
                waiting.stop()
            time.sleep(SLICE)
        return proof.finish(core if waiting is None else waiting.report)
    finally:
        proof.close()


class Proof:
    """What a run needs that sends messages: where they come back, and how long they are waited for."""

    def __init__(
        self,
        identity: Identity,
        receipts: Paths | None,
        sink: Sink | str | tuple[str | Address, int] | None,
        wait: float | timedelta | None,
        keys: _core.Keyring | None,
        store: _core.Store | None,
        options: Options,
    ) -> None:
        self.store = store
        self.mailboxes = _paths(receipts)
        self.options: Options = {**options}
        named = sink is not None or bool(self.mailboxes)
        if named and "prove" not in options:
            self.options["prove"] = "families"
        self.proves = self.options.get("prove") is not None
        if self.proves and not named and store is None:
            message = (
                "messages would be sent and nobody would see them come back: name receipts=, sink=, or the store= of a "
                "running `relayprobe sink`"
            )
            raise PlanError(message, "nowhere")
        if self.proves and keys is None:
            keys = _core.Keyring.new() if store is None else store.keys()
        self.keys = keys
        self.patience = wait.total_seconds() if isinstance(wait, timedelta) else wait
        if self.patience is not None and not 0 <= self.patience < inf:
            message = f"wait: seconds from 0 on are wanted, like 60, not {self.patience}"
            raise InputError(message, "input", {"field": "wait", "value": str(self.patience)})
        if not self.proves:
            without_messages({"wait": wait}, ["wait"])
        self.own: Sink | None = None
        self.sink: Sink | None = None
        self.arrivals: list[_core.Arrivals] = []
        if isinstance(sink, Sink) or sink is None:
            self.sink = sink
        elif self.proves:
            self.own = self.sink = Sink(identity, sink)
        if self.proves and self.sink is not None and "way_in" not in options:
            address, port = self.sink.address
            if not address.is_unspecified:
                self.options["way_in"] = (address, port)

    def listen(self) -> None:
        """Whatever comes from now on is seen."""
        if self.sink is not None:
            self.arrivals.append(self.sink._core.subscribe())

    def waiting(self, core: _core.Report) -> _core.Waiting | None:
        """The wait for what comes back to a run; nothing for a survey."""
        if not self.proves or self.keys is None:
            return None
        # A store that no receiving server fills has nothing to wait for.
        follows = self.store if self.sink is None and not self.mailboxes else None
        return _core.Waiting(core, self.keys, self.patience, self.mailboxes, follows, self.arrivals)

    def finish(self, core: _core.Report) -> Report:
        if self.store is not None:
            self.store.settle(core)
        log.info("run %s: %s port %d is %s", core.run, core.address, core.port, core.verdict)
        return Report._of(core, self.keys)

    def close(self) -> None:
        if self.own is not None:
            self.own.close()


def begun(plan: _core.Plan) -> None:
    log.debug("run %s: %s port %d is asked", plan.run, plan.address, plan.port)


def notice(waiting: _core.Waiting) -> None:
    for note in waiting.notes():
        log.warning("%s", note)
    for run in waiting.forged():
        log.warning("something came with a token of run %s that no key here has made; it counts for nothing", run)


def _paths(receipts: Paths | None) -> list[str]:
    if receipts is None:
        return []
    if isinstance(receipts, (str, PathLike)):
        return [fspath(receipts)]
    return [fspath(path) for path in receipts]
