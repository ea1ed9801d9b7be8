"""Many targets: reports as they finish, from one call, in a loop and in an event loop."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

import relayprobe
from relayprobe import Identity, InputError, Many, Progress, Stop, Target, TargetError, Verdict, probe_many

OPTIONS: dict[str, Any] = {
    "authorization": "own-server:tests",
    "allow_private": True,
    "profile": "lab",
    "vantage": "outside",
    "per_network": 64,
    "network_pause": 0.0,
    "per_second": 10_000,
}


class Closed(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 mx.target.example ESMTP\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            outside = verb == b"RCPT" and b"@probe.example" in line
            answer = b"554 5.7.1 Relay access denied" if outside else b"250 2.0.0 Ok"
            self.wfile.write((b"221 Bye" if verb == b"QUIT" else answer) + b"\r\n")
            if verb == b"QUIT":
                return


class Hosts(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 256


@pytest.fixture
def port() -> Iterator[int]:
    """A server that all addresses of 127/8 lead to."""
    with Hosts(("0.0.0.0", 0), Closed) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def targets(port: int, count: int) -> list[Target]:
    first = ipaddress.IPv4Address("127.0.3.1")
    return [Target(first + number, port) for number in range(count)]


def test_reports_come_as_they_finish(port: int, identity: Identity) -> None:
    seen: list[Progress] = []
    runs = probe_many(targets(port, 40), identity=identity, progress=seen.append, cases=["snd-null"], **OPTIONS)
    reports = list(tqdm(runs, total=40, disable=None))
    assert {str(report.address) for report in reports} == {f"127.0.3.{number}" for number in range(1, 41)}
    assert seen[-1].reports == 40 and runs.progress.running == 0 and not runs.refused


def test_an_event_loop_goes_on_meanwhile(port: int, identity: Identity) -> None:
    async def run() -> tuple[int, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticking = asyncio.create_task(tick())
        count = 0
        async with probe_many(targets(port, 40), identity=identity, cases=["snd-null"], **OPTIONS) as runs:
            async for report in runs:
                count += "554" in report.transcript
        ticking.cancel()
        return count, ticks

    count, ticks = asyncio.run(run())
    assert count == 40 and ticks > 10


def test_one_bad_target_ends_nothing(port: int, identity: Identity, caplog: pytest.LogCaptureFixture) -> None:
    good = targets(port, 3)
    listed: list[Any] = [good[0], "no-such-name.invalid", "169.254.169.254", good[1], good[0], good[2]]
    runs = probe_many(listed, identity=identity, cases=["snd-null"], **OPTIONS)
    assert len(list(runs)) == 3
    faults = {str(target.host): fault.code for target, fault in runs.refused}
    assert faults == {"no-such-name.invalid": "no-address", "169.254.169.254": "metadata"}
    assert isinstance(next(fault for target, fault in runs.refused if target.address is None), TargetError)
    assert (runs.progress.repeated, runs.progress.refused, runs.progress.reports) == (1, 2, 3)
    assert len([record for record in caplog.records if "is not tested" in record.getMessage()]) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("cases", ["nonsense"]), ("profile", "hasty"), ("never_test", "192.0.2.0/33"), ("define_cases", [("mine", "<", ">")])],
)
def test_an_option_that_is_wrong_is_told_before_any_target_is_taken(identity: Identity, field: str, value: Any) -> None:
    options: dict[str, Any] = {**OPTIONS, field: value}
    with pytest.raises(InputError) as caught:
        probe_many(iter([]), identity=identity, **options)
    assert caught.value.fields["field"] == field


def test_targets_are_read_as_they_are_needed(port: int, identity: Identity) -> None:
    read = 0

    def endless() -> Iterator[Target]:
        nonlocal read
        for target in targets(port, 200_000):
            read += 1
            yield target

    with probe_many(endless(), identity=identity, concurrency=4, cases=["snd-null"], **OPTIONS) as runs:
        for _ in range(10):
            assert next(runs).verdict in (Verdict.UNDETERMINED, Verdict.CLOSED)
        assert read < 2_000
    with pytest.raises(StopIteration):
        next(runs)


def test_stop_keeps_what_was_found(identity: Identity) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        stop = Stop()
        hosts = [Target("127.0.0.1", silent.getsockname()[1])]
        threading.Timer(0.3, stop.stop).start()
        begin = time.monotonic()
        reports = list(probe_many(hosts, identity=identity, stop=stop, **OPTIONS))
        assert time.monotonic() - begin < 3
        assert "stopped" in [reason.word for reason in reports[0].reasons]


def test_a_store_goes_on_where_it_was_left(port: int, identity: Identity, tmp_path: Path) -> None:
    store = relayprobe.Store(tmp_path / "store")
    first: Many = probe_many(targets(port, 6), identity=identity, store=store, **OPTIONS)
    assert len(list(first)) == 6
    again = probe_many(targets(port, 8), identity=identity, store=store, **OPTIONS)
    assert sorted(str(report.address) for report in again) == ["127.0.3.7", "127.0.3.8"]
    assert {fault.code for _, fault in again.refused} == {"too-soon"}
    assert len(list((tmp_path / "store" / "reports").iterdir())) == 8


def test_messages_are_for_one_server_at_a_time(identity: Identity) -> None:
    with pytest.raises(relayprobe.PlanError, match="one by one"):
        probe_many([], identity=identity, authorization="own-server:x", prove="all")
