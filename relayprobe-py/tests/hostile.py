"""Runs against hostile servers, in a process of their own, so that nobody else's memory is counted.

`hostile.py WAY` reads on standard input what `hostile-server` says of its faults, and writes what became of each:

- `threads`: by `probe`, 64 threads at once
- `tasks`: by `probe_async`, 64 tasks at once in one event loop
- `bare`: by a `Session` and the driver of `examples/own_driver.py`, 64 threads at once
- `alone`: by `probe`, one after another, with what each made the process grow by
"""

from __future__ import annotations

import asyncio
import json
import mailbox
import runpy
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import relayprobe
from relayprobe import Identity, Keyring, Report, Session, Target

AT_ONCE = 64
Fault = dict[str, Any]


def wishes(fault: Fault) -> dict[str, Any]:
    """The arguments of `plan`, which are among those of `probe`."""
    target = Target(fault["address"], fault["port"], domains=("target.example",), mailbox=fault["mailbox"])
    options: dict[str, Any] = {"cases": fault["cases"]} if fault["cases"] else {"matrix": fault["matrix"]}
    if fault["implicit_tls"]:
        options["tls_ports"] = [fault["port"]]
    if fault["prove"]:
        options |= {"prove": fault["prove"], "keys": Keyring.new()}
    return {
        "target": target,
        "identity": Identity(probe_domain="probe.example"),
        "authorization": "own-server:tests",
        "allow_private": True,
        "profile": "lab",
        "vantage": "outside",
        **options,
    }


def with_mailbox(fault: Fault, empty: str) -> dict[str, Any]:
    """The arguments of `probe`: messages would come to a mailbox, and nobody waits for them."""
    return wishes(fault) | ({"receipts": empty, "wait": 0} if fault["prove"] else {})


def told(fault: Fault, report: Report, begin: float, **more: int) -> dict[str, Any]:
    took = time.monotonic() - begin
    return {"fault": fault["fault"], "verdict": report.verdict, "took_ms": took * 1_000, "text": report.text(), **more}


def in_threads(faults: list[Fault], empty: str) -> list[dict[str, Any]]:
    def run(fault: Fault) -> dict[str, Any]:
        begin = time.monotonic()
        return told(fault, relayprobe.probe(**with_mailbox(fault, empty)), begin)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, faults))


def in_tasks(faults: list[Fault], empty: str) -> list[dict[str, Any]]:
    async def run(fault: Fault, places: asyncio.Semaphore) -> dict[str, Any]:
        async with places:
            begin = time.monotonic()
            return told(fault, await relayprobe.probe_async(**with_mailbox(fault, empty)), begin)

    async def run_all() -> list[dict[str, Any]]:
        places = asyncio.Semaphore(AT_ONCE)
        return await asyncio.gather(*(run(fault, places) for fault in faults))

    return asyncio.run(run_all())


def bare(faults: list[Fault]) -> list[dict[str, Any]]:
    example = Path(__file__).resolve().parents[1] / "examples" / "own_driver.py"
    drive = runpy.run_path(str(example))["drive"]

    def run(fault: Fault) -> dict[str, Any]:
        plan = relayprobe.plan(**wishes(fault), tls=False)
        begin = time.monotonic()
        return told(fault, drive(Session(plan, begin)), begin)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, faults))


def alone(faults: list[Fault], empty: str) -> list[dict[str, Any]]:
    def run(fault: Fault) -> dict[str, Any]:
        before = forget_peak()
        begin = time.monotonic()
        report = relayprobe.probe(**with_mailbox(fault, empty))
        return told(fault, report, begin, grown_kib=status("VmHWM") - before)

    return [run(fault) for fault in faults]


def status(key: str) -> int:
    """A size of this process, in KiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def forget_peak() -> int:
    """Forgets how large the process was at most; how large it is, in KiB."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return status("VmRSS")


def main(way: str) -> None:
    faults: list[Fault] = json.load(sys.stdin)
    # The code itself is read from disk as it is first used: that is not the servers' doing.
    for fault in faults:
        if fault["fault"] in ("close-at-quit", "tls-ok-selfsigned"):
            relayprobe.probe(**wishes(fault))
    before = forget_peak()
    with tempfile.TemporaryDirectory() as folder:
        empty = str(Path(folder) / "probe")
        mailbox.Maildir(empty, create=True)
        if way == "threads":
            found = in_threads(faults, empty)
        elif way == "tasks":
            found = in_tasks(faults, empty)
        elif way == "bare":
            found = bare(faults)
        else:
            found = alone(faults, empty)
    json.dump({"found": found, "grown_kib": status("VmHWM") - before}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
