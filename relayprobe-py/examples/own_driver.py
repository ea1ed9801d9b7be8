"""A driver of one's own for `Session`, on plain sockets: `own_driver.py ADDRESS`. Without TLS.

Event loops differ in how they wait; everything else is said by the session. No call here waits but `select`, so that
no server can hold it up: every deadline is the session's.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import time

import relayprobe
from relayprobe import Identity, Output, Report, Session


def drive(session: Session) -> Report:
    now = time.monotonic
    sockets: dict[int, socket.socket] = {}
    connecting: set[int] = set()
    unsent: dict[int, bytes] = {}

    def close(number: int) -> None:
        sockets.pop(number).close()
        connecting.discard(number)
        unsent.pop(number, None)

    def lose(number: int, loss: str) -> None:
        close(number)
        session.handle_lost(number, loss, now())

    def step(number: int, opened: socket.socket, readable: bool) -> None:
        if number in connecting:
            connecting.remove(number)
            if code := opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                lose(number, relayprobe.loss(OSError(code, "connect")))
            else:
                session.handle_connected(number, now())
        elif readable:
            try:
                data = opened.recv(16_384)
            except OSError as fault:
                return lose(number, relayprobe.loss(fault))
            if not data:
                return lose(number, "closed")
            session.handle_received(number, data, now())
        else:
            # What cannot be written is a loss that the next read shows, after what the server sent before it.
            with contextlib.suppress(OSError):
                unsent[number] = unsent[number][opened.send(unsent[number]) :]
            if not unsent[number]:
                del unsent[number]
                session.handle_sent(number, now())

    while True:
        match session.poll_output():
            case Output.Connect(number, address, port, _):
                sockets[number] = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)
                sockets[number].setblocking(False)
                connecting.add(number)
                try:
                    sockets[number].connect((str(address), port))
                except BlockingIOError:
                    pass
                except OSError as fault:
                    lose(number, relayprobe.loss(fault))
            case Output.Send(number, data):
                unsent[number] = data
            case Output.Close(number):
                close(number)
            case Output.Wait(until):
                left = max(0.0, until - now())
                writers = [sockets[number] for number in connecting | unsent.keys()]
                readable, writable, _ = select.select(list(sockets.values()), writers, [], left)
                for number, opened in list(sockets.items()):
                    if opened in readable or opened in writable:
                        step(number, opened, opened in readable)
                if not left:
                    session.handle_tick(now())
            case Output.Finished():
                return session.report()


def main(address: str) -> int:
    identity = Identity(probe_domain="probe.example")
    # This driver can do no TLS, and the plan is told so.
    plan = relayprobe.plan(address, identity=identity, authorization="own-server:mx1", tls=False)
    report = drive(Session(plan, time.monotonic()))
    print(report.text())
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
