"""A run in an asyncio event loop: no thread, and cancelling closes every connection at once."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from os import PathLike
from typing import TYPE_CHECKING

from . import _core
from ._plan import Options, Wishes, as_store
from ._receipts import Sink
from ._report import Report
from ._run import SLICE, Paths, Proof, begun, notice
from ._session import loss
from ._tls import Tls, observer
from ._who import Address, Authorization, Identity, Target, as_target, look_up

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["probe_async"]

READ = 16_384
BEGUN = (0, errno.EINPROGRESS, errno.EINTR)
BLOCKED = (BlockingIOError, InterruptedError)


async def probe_async(
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
    ssl_context: ssl.SSLContext | None = None,
    **options: Unpack[Options],
) -> Report:
    """Finds out whether a mail server is an open relay, as :func:`probe` does, in the running event loop.

    Cancelling closes the connections at once and the record is lost; ``stop`` ends the run politely and keeps it. The loop
    must be able to watch sockets (``add_reader``), as those of Unix and uvloop do. ``ssl_context`` is for STARTTLS and implicit
    TLS; one that takes any certificate unless given.
    """
    asked = as_target(target)
    proof = Proof(identity, receipts, sink, wait, keys, as_store(store), options)
    context = observer() if ssl_context is None else ssl_context
    loop = asyncio.get_running_loop()
    try:
        wishes = Wishes(identity, authorization, proof.keys, proof.store, proof.options)
        plan = wishes.plan(asked, await _look_up(asked, wishes))
        proof.listen()
        begun(plan)
        session = _core.Session(plan, loop.time())
        core = await _Driver(loop, session, context, stop, progress).run()
        waiting = proof.waiting(core)
        # Mailboxes are files, and reading many may take long.
        files = bool(proof.mailboxes) or (proof.store is not None and proof.sink is None)
        while waiting is not None and proof.keys is not None:
            step = await asyncio.to_thread(waiting.step) if files else waiting.step()
            if step == "nothing":
                break
            notice(waiting)
            if step == "way-in":
                look = _core.Session.check_way_in(waiting.report, proof.keys, loop.time())
                if look is not None:
                    waiting.report = await _Driver(loop, look, context, stop, None).run()
                continue
            if stop is not None and stop.stopped:
                waiting.stop()
            await asyncio.sleep(SLICE)
        return proof.finish(core if waiting is None else waiting.report)
    finally:
        proof.close()


async def _look_up(target: Target, wishes: Wishes) -> Address:
    # Asking takes a thread, as it does with the loop's own getaddrinfo.
    if isinstance(target.host, str):
        return await asyncio.to_thread(look_up, target, wishes.source, wishes.servers)
    return target.host


class _Layer(Enum):
    CONNECTING = 1
    CLEAR = 2
    SHAKING = 3
    SECURE = 4


class _Driver:
    """A session, its connections and the loop's clock. It does what the session says, and decides nothing."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: _core.Session,
        context: ssl.SSLContext,
        stop: _core.Stop | None,
        progress: Callable[[_core.Event], object] | None,
    ) -> None:
        self.loop = loop
        self.session = session
        self.context = context
        self.stop = stop
        self.progress = progress
        self.connections: dict[int, _Connection] = {}
        self.waiter: asyncio.Future[None] | None = None

    async def run(self) -> _core.Report:
        session, now = self.session, self.loop.time
        stopping = False
        try:
            while True:
                if not stopping and self.stop is not None and self.stop.stopped:
                    stopping = True
                    session.stop(now())
                match session.poll_output():
                    case _core.Output.Wait(until):
                        left = until - now()
                        if left <= 0:
                            for connection in list(self.connections.values()):
                                connection.receive()
                            session.handle_tick(now())
                        elif ready := [each for each in self.connections.values() if each.is_ready()]:
                            for connection in ready:
                                connection.step()
                        else:
                            await self.wait(left if stopping or self.stop is None else min(left, SLICE))
                    case _core.Output.Connect(number, address, port, source):
                        self.connect(number, address, port, source)
                    case _core.Output.Send(number, data):
                        if asked := self.connections.get(number):
                            asked.send(data)
                    case _core.Output.StartTls(number, name):
                        if asked := self.connections.get(number):
                            asked.start_tls(name)
                    case _core.Output.Close(number):
                        if asked := self.connections.pop(number, None):
                            asked.close()
                    case _core.Output.Progress(event):
                        if self.progress is not None:
                            self.progress(event)
                    case _core.Output.Finished():
                        return session.end()
        finally:
            for connection in self.connections.values():
                connection.close()

    async def wait(self, span: float) -> None:
        """Until a socket is ready, at most so long."""
        self.waiter = self.loop.create_future()
        alarm = self.loop.call_later(span, self.wake)
        for connection in self.connections.values():
            connection.watch()
        try:
            await self.waiter
        finally:
            alarm.cancel()
            self.waiter = None

    def wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def connect(self, number: int, address: Address, port: int, source: Address | None) -> None:
        """Begins to connect without waiting."""
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        try:
            opened = socket.socket(family, socket.SOCK_STREAM)
        except OSError as fault:
            return self.lose(number, loss(fault))
        opened.setblocking(False)
        try:
            if source is not None:
                opened.bind((str(source), 0))
            code = opened.connect_ex((str(address), port))
            if code not in BEGUN:
                raise OSError(code, "connect")
        except OSError as fault:
            opened.close()
            return self.lose(number, loss(fault))
        self.connections[number] = _Connection(self, number, opened)
        return None

    def lose(self, number: int, loss: str) -> None:
        """A connection has ended, or could not be made."""
        if connection := self.connections.pop(number, None):
            connection.close()
        self.session.handle_lost(number, loss, self.loop.time())


class _Connection:
    """One connection: plain or in TLS, never waiting. Every step does what can be done now."""

    __slots__ = (
        "broken",
        "driver",
        "layer",
        "number",
        "outgoing",
        "readable",
        "sending",
        "socket",
        "tls",
        "watches_reads",
        "watches_writes",
        "writable",
    )

    def __init__(self, driver: _Driver, number: int, opened: socket.socket) -> None:
        self.driver = driver
        self.number = number
        self.socket = opened
        self.layer = _Layer.CONNECTING
        self.tls: Tls | None = None
        self.outgoing = b""
        # Whether the session waits to hear that everything was written.
        self.sending = False
        # Why nothing more can be written. It is told after everything was read that the server sent before.
        self.broken: str | None = None
        self.readable = self.writable = False
        self.watches_reads = self.watches_writes = False

    def is_writing(self) -> bool:
        return self.layer is _Layer.CONNECTING or bool(self.outgoing)

    def is_ready(self) -> bool:
        # A handshake that cannot write would not read either.
        reads = self.readable and not (self.layer is _Layer.SHAKING and self.outgoing)
        return reads or (self.writable and self.is_writing()) or self.broken is not None

    def watch(self) -> None:
        """Has the loop tell what the socket is ready for."""
        if not self.watches_reads and not self.readable and self.layer is not _Layer.CONNECTING:
            self.watches_reads = True
            self.driver.loop.add_reader(self.socket, self.on_readable)
        if not self.watches_writes and not self.writable and self.is_writing():
            self.watches_writes = True
            self.driver.loop.add_writer(self.socket, self.on_writable)

    def on_readable(self) -> None:
        if self.readable:
            # Told again before anybody read: nobody wants to know now.
            self.watches_reads = False
            self.driver.loop.remove_reader(self.socket)
        self.readable = True
        self.driver.wake()

    def on_writable(self) -> None:
        # There is nearly always room to write: who does not need it must not ask.
        self.watches_writes = False
        self.driver.loop.remove_writer(self.socket)
        self.writable = True
        self.driver.wake()

    def send(self, data: bytes) -> None:
        """Begins to write. What is written whole at once is told at once."""
        if self.layer is _Layer.CLEAR:
            self.outgoing = data
        elif self.layer is _Layer.SECURE and self.tls is not None:
            self.tls.write(data)
            self.outgoing += self.tls.records()
        else:
            return
        self.sending = True
        self.transmit()

    def start_tls(self, name: str) -> None:
        """Begins a TLS handshake. From here on only TLS takes octets from the socket."""
        try:
            self.tls = Tls(self.driver.context, name)
        except (ssl.SSLError, ValueError):
            return self.driver.lose(self.number, "tls")
        self.layer = _Layer.SHAKING
        self.shake()
        return None

    def step(self) -> None:
        """Does what readiness allows."""
        if self.layer is _Layer.CONNECTING:
            self.establish()
        elif self.layer is _Layer.SHAKING:
            self.shake()
        else:
            told = self.writable and self.transmit()
            if not told and (self.readable or self.broken is not None):
                self.receive()

    def establish(self) -> None:
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            return self.driver.lose(self.number, _core.loss(code))
        self.layer = _Layer.CLEAR
        return self.driver.session.handle_connected(self.number, self.driver.loop.time())

    def receive(self) -> None:
        """Reads once, whatever the loop said about readiness."""
        if self.layer is _Layer.CONNECTING:
            return None
        if self.layer is _Layer.SHAKING:
            return self.shake()
        try:
            octets = self.socket_read() if self.tls is None else self.tls_read(self.tls)
        except BLOCKED:
            return None if self.broken is None else self.driver.lose(self.number, self.broken)
        except OSError as fault:
            return self.driver.lose(self.number, self.broken or loss(fault))
        if octets == b"":
            return self.driver.lose(self.number, self.broken or "closed")
        return self.driver.session.handle_received(self.number, octets, self.driver.loop.time())

    def socket_read(self) -> bytes:
        try:
            return self.socket.recv(READ)
        except BLOCKED:
            self.readable = False
            raise

    def tls_read(self, tls: Tls) -> bytes:
        while (octets := tls.read(READ)) is None:
            tls.feed(self.socket_read())
        # What TLS itself has to answer.
        self.outgoing += tls.records()
        return octets

    def shake(self) -> None:
        tls = self.tls
        if tls is None:
            return None
        if self.broken is not None:
            return self.driver.lose(self.number, self.broken)
        try:
            while True:
                done = tls.shake()
                self.outgoing += tls.records()
                self.transmit()
                if self.broken is not None:
                    return self.driver.lose(self.number, self.broken)
                if done or self.outgoing:
                    break
                tls.feed(self.socket_read())
        except BLOCKED:
            return None
        except ssl.SSLError:
            # The peer may want to know why.
            self.outgoing += tls.records()
            self.transmit()
            return self.driver.lose(self.number, "tls")
        except OSError as fault:
            return self.driver.lose(self.number, loss(fault))
        if not done or self.outgoing:
            return None
        self.layer = _Layer.SECURE
        return self.driver.session.handle_secured(self.number, *tls.facts(), self.driver.loop.time())

    def transmit(self) -> bool:
        """Writes what there is room for; whether the session was told that everything is written."""
        while self.outgoing:
            try:
                count = self.socket.send(self.outgoing)
            except BLOCKED:
                self.writable = False
                return False
            except OSError as fault:
                self.broken = self.broken or loss(fault)
                self.outgoing = b""
                self.sending = False
                return False
            self.outgoing = self.outgoing[count:]
        if not self.sending:
            return False
        self.sending = False
        self.driver.session.handle_sent(self.number, self.driver.loop.time())
        return True

    def close(self) -> None:
        """Says goodbye where the protocol has a word for it, and closes."""
        if self.layer is _Layer.SECURE and self.tls is not None and self.broken is None:
            self.tls.say_goodbye()
            try:
                self.socket.send(self.outgoing + self.tls.records())
            except OSError:
                # Whoever is gone needs no goodbye.
                pass
        if not self.driver.loop.is_closed():
            self.driver.loop.remove_reader(self.socket)
            self.driver.loop.remove_writer(self.socket)
        self.socket.close()
