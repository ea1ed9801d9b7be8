"""Signals, threads, event loops, forks: how the package behaves in a program."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Peer

import relayprobe
from relayprobe import Event, ForkError, Identity, Session, Sink, Stop, Target, Verdict

Start = Callable[..., Peer]
OPTIONS: dict[str, Any] = {"authorization": "own-server:tests", "allow_private": True, "profile": "lab"}


@pytest.fixture
def silent() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        yield listener.getsockname()[1]


def test_ctrl_c_ends_a_run_within_half_a_second() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # The machine may be busy, so the fastest of a few counts.
        assert min(seconds_to_an_end_by_ctrl_c(listener) for _ in range(3)) < 0.5


def seconds_to_an_end_by_ctrl_c(listener: socket.socket) -> float:
    """How long a run that waits for a greeting goes on after Ctrl-C."""
    script = (
        "import relayprobe, signal\n"
        # Whoever starts the tests in the background of a shell has them ignore Ctrl-C.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "who = relayprobe.Identity(probe_domain='probe.example')\n"
        "target = '127.0.0.1:%d'\n"
        "try:\n"
        "    relayprobe.probe(target, identity=who, authorization='own-server:x', allow_private=True)\n"
        "except KeyboardInterrupt:\n"
        "    print('ended', flush=True)\n"
    ) % listener.getsockname()[1]
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        connection, _ = listener.accept()
        with connection:
            begin = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "ended\n"
            took = time.monotonic() - begin
        assert process.wait(10) == 0
        return took


def test_the_lock_is_released(silent: int, identity: Identity) -> None:
    """While a run waits in one thread, another thread computes."""
    stop = Stop()
    found: list[relayprobe.Report] = []

    def run() -> None:
        found.append(relayprobe.probe(f"127.0.0.1:{silent}", identity=identity, stop=stop, **OPTIONS))

    thread = threading.Thread(target=run)
    thread.start()
    begin, turns = time.monotonic(), 0
    while time.monotonic() - begin < 0.3:
        turns += 1
    assert turns > 1_000 and thread.is_alive()
    stop.stop()
    thread.join(5)
    assert found[0].verdict is Verdict.UNDETERMINED or found[0].verdict is Verdict.UNREACHABLE


def test_threads_run_side_by_side(peer: Start, identity: Identity) -> None:
    servers = [peer("dialogue", "closed-pipelined") for _ in range(4)]
    reports: list[relayprobe.Report] = []

    def run(server: Peer) -> None:
        target = Target(server.host, server.port, domains=("target.example",))
        reports.append(relayprobe.probe(target, identity=identity, **OPTIONS))

    threads = [threading.Thread(target=run, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [report.verdict for report in reports] == [Verdict.CLOSED] * 4


def test_a_hundred_at_a_time_without_threads(identity: Identity) -> None:
    most = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        most = max(most, len(busy) + 1)
        busy.add(writer)
        writer.write(b"220 mx.target.example ESMTP\r\n")
        while line := await reader.readline():
            # So slow that all of them are under way at once.
            await asyncio.sleep(0.02)
            verb = line[:4].upper()
            answer = {b"RCPT": b"554 5.7.1 Relay access denied", b"QUIT": b"221 Bye"}.get(verb, b"250 Ok")
            writer.write(answer + b"\r\n")
            if verb == b"QUIT":
                break
        writer.close()
        busy.discard(writer)

    busy: set[asyncio.StreamWriter] = set()

    async def all_of_them() -> list[relayprobe.Report]:
        # Every address of 127/8 is this machine.
        server = await asyncio.start_server(serve, "0.0.0.0", 0, backlog=256)
        port = server.sockets[0].getsockname()[1]
        before = threading.active_count()
        runs = [
            relayprobe.probe_async(Target(f"127.0.2.{number}", port), identity=identity, cases=["snd-null"], **OPTIONS)
            for number in range(1, 101)
        ]
        reports = await asyncio.gather(*runs)
        assert threading.active_count() == before
        server.close()
        return reports

    reports = asyncio.run(all_of_them())
    assert len(reports) == 100 and most > 50
    assert all("554" in report.transcript for report in reports)


def test_cancelling_closes_the_connection_at_once(silent: int, identity: Identity) -> None:
    async def run() -> float:
        accepted = asyncio.Event()
        closed = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.set()
            await reader.read()
            closed.set()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        task = asyncio.create_task(relayprobe.probe_async(f"127.0.0.1:{port}", identity=identity, **OPTIONS))
        await accepted.wait()
        begin = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(closed.wait(), 1)
        server.close()
        return time.monotonic() - begin

    assert asyncio.run(run()) < 0.2


def test_stop_keeps_what_was_found(silent: int, identity: Identity) -> None:
    stop = Stop()
    threading.Timer(0.2, stop.stop).start()
    report = relayprobe.probe(f"127.0.0.1:{silent}", identity=identity, stop=stop, **OPTIONS)
    assert stop.stopped and "stopped" in [reason.word for reason in report.reasons]


def test_progress_is_shown(peer: Start, identity: Identity) -> None:
    server = peer("dialogue", "closed-pipelined")
    events: list[Event] = []
    target = Target(server.host, server.port, domains=("target.example",))
    relayprobe.probe(target, identity=identity, progress=events.append, **OPTIONS)
    assert any(isinstance(event, Event.Connecting) for event in events)
    assert any(isinstance(event, Event.Settled) and event.settled > 0 for event in events)
    with pytest.raises(ZeroDivisionError):
        relayprobe.probe(target, identity=identity, progress=lambda _: 1 // 0, **OPTIONS)


def test_logging_is_quiet_and_never_raw(peer: Start, identity: Identity, caplog: pytest.LogCaptureFixture) -> None:
    server = peer("dialogue", "banner-escapes")
    with caplog.at_level(logging.DEBUG, "relayprobe"):
        relayprobe.probe(Target(server.host, server.port), identity=identity, **OPTIONS)
    assert caplog.records and all(record.name == "relayprobe" for record in caplog.records)
    assert all("\x1b" not in record.getMessage() for record in caplog.records)
    handlers = logging.getLogger("relayprobe").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


def in_child(plan: relayprobe.Plan, session: Session, sink: Sink, queue: Any) -> None:
    codes = []
    for use in (session.poll_output, sink.arrivals):
        try:
            use()
        except ForkError as fault:
            codes.append(str(fault))
    # What is made anew in the child works there.
    codes.append(type(Session(plan, 0.0).poll_output()).__name__)
    queue.put(codes)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_fails_clearly(identity: Identity) -> None:
    plan = relayprobe.plan("127.0.0.1:2525", identity=identity, authorization="own-server:x", allow_private=True)
    context = multiprocessing.get_context("fork")
    queue: Any = context.Queue()
    with Sink(identity) as sink:
        child = context.Process(target=in_child, args=(plan, Session(plan, 0.0), sink, queue))
        child.start()
        first, second, third = queue.get(timeout=10)
        child.join(10)
        assert child.exitcode == 0
        assert "fork" in first and "session" in first and "fork" in second and "sink" in second
        assert third == "Progress"
        # The parent's own go on.
        assert sink.arrivals() == []


def test_a_second_interpreter_fails_clearly() -> None:
    script = (
        "import relayprobe\n"
        "try:\n    import _interpreters as interpreters\nexcept ImportError:\n"
        "    import _xxsubinterpreters as interpreters\n"
        "number = interpreters.create()\n"
        "code = 'import relayprobe'\n"
        "try:\n"
        "    run = getattr(interpreters, 'run_string')\n"
        "    fault = run(number, code)\n"
        "    print(fault.formatted if fault is not None else 'imported')\n"
        "except Exception as fault:\n    print(fault)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    assert "in another interpreter" in told.stdout or "subinterpreter" in told.stdout, told


def test_the_command_line_is_the_programs() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "relayprobe", *arguments], capture_output=True, text=True, timeout=120)

    assert run("--version").stdout == f"relayprobe {relayprobe.__version__}\n"
    assert relayprobe.cases() == json.loads(run("cases", "--json").stdout)
    wrong = run("probe")
    assert wrong.returncode == 64 and "Usage" in wrong.stderr and not wrong.stdout
    demo = run("demo")
    assert demo.returncode == 0 and "open-relay: 127.0.0.1" in demo.stdout, demo.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["cases"], ["cases", "--json"], ["demo", "--json"]])
def test_what_cannot_be_written_ends_with_74_and_what_nobody_reads_as_usual(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "relayprobe", *arguments]
    with open("/dev/full", "wb") as full:
        told = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert told.returncode == 74 and "standard output" in told.stderr, told
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
        assert process.wait(120) == 0


@pytest.mark.parametrize("content", ["x = " + "[" * 100_000, "a." * 100_000 + "a = 1", "#" * (1 << 21)])
def test_a_configuration_that_is_too_large_or_too_deep_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "relayprobe.toml"
    path.write_text(content)
    for load in (Identity.load, relayprobe.Authorization.load):
        with pytest.raises(relayprobe.Error):
            load(path)
