"""A driver of one's own for `Session`, on plain sockets: `own_driver.py ADDRESS`. Twenty lines, without TLS.

Event loops differ in how they wait; everything else is said by the session.
"""

from __future__ import annotations

import select
import socket
import sys
import time

import relayprobe
from relayprobe import Identity, Output, Report, Session


def drive(session: Session) -> Report:
    sockets: dict[int, socket.socket] = {}
    while True:
        match session.poll_output():
            case Output.Connect(number, address, port, _):
                try:
                    sockets[number] = socket.create_connection((str(address), port), timeout=30)
                    session.handle_connected(number, time.monotonic())
                except OSError as fault:
                    session.handle_lost(number, relayprobe.loss(fault), time.monotonic())
            case Output.Send(number, data):
                sockets[number].sendall(data)
                session.handle_sent(number, time.monotonic())
            case Output.Close(number):
                sockets.pop(number).close()
            case Output.Wait(until):
                ready, _, _ = select.select(list(sockets.values()), [], [], max(0.0, until - time.monotonic()))
                for number in [number for number, opened in sockets.items() if opened in ready]:
                    data = sockets[number].recv(16_384)
                    if data:
                        session.handle_received(number, data, time.monotonic())
                    else:
                        sockets.pop(number).close()
                        session.handle_lost(number, "closed", time.monotonic())
                if not ready:
                    session.handle_tick(time.monotonic())
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
