"""Whatever a server does, a run ends in time, in bounded memory, and with a verdict that is right or says that it does not know."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import HOSTILE, Peer

PROGRAM = Path(__file__).with_name("hostile.py")
TOGETHER = ("threads", "tasks", "bare")
AT_ONCE = 64
# What one of 64 sessions may take in Rust with everything full.
SESSION_KIB = 448
# Each ends by then, or the time of every fault is over.
PATIENCE = 120


class Way:
    """One way to run all faults, in a process of its own with servers of its own."""

    def __init__(self, name: str) -> None:
        self.servers = Peer(program=HOSTILE)
        self.faults: dict[str, dict[str, Any]] = {fault["fault"]: fault for fault in self.servers.facts}
        # A flood needs no time: what takes longer is met together with others.
        asked = [fault for fault in self.faults.values() if name != "alone" or fault["within_ms"] <= 10_000]
        command = [sys.executable, str(PROGRAM), name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked))
        self.process.stdin.close()
        self.process.stdin = None
        self.asked = len(asked)

    def end(self) -> dict[str, Any]:
        out, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0
        result: dict[str, Any] = json.loads(out)
        assert len(result["found"]) == self.asked
        return result

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.servers.close()


@pytest.fixture(scope="module")
def ways() -> Iterator[dict[str, Way]]:
    """All at once: they spend their time waiting."""
    started = {name: Way(name) for name in (*TOGETHER, "alone")}
    yield started
    for way in started.values():
        way.close()


def rights(fault: dict[str, Any], name: str) -> list[str]:
    """Verdicts that are right. A driver without TLS leaves the cases behind it untested, and says so."""
    needs_tls = fault["matrix"] == "standard" or fault["implicit_tls"]
    return [*fault["verdicts"], *(["undetermined"] if name == "bare" and needs_tls else [])]


@pytest.mark.parametrize("name", TOGETHER)
def test_every_fault_is_met_64_at_a_time(name: str, ways: dict[str, Way]) -> None:
    way = ways[name]
    result = way.end()
    wrong = []
    for found in result["found"]:
        fault = way.faults[found["fault"]]
        right, within = rights(fault, name), fault["within_ms"]
        if found["verdict"] not in right:
            wrong.append(f"{fault['fault']}: {found['verdict']} instead of {right}\n{found['text']}")
        elif found["took_ms"] > within:
            wrong.append(f"{fault['fault']}: took {found['took_ms']:.0f} ms, more than {within}")
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong)
    assert result["grown_kib"] <= AT_ONCE * SESSION_KIB


def test_no_fault_makes_the_process_grow(ways: dict[str, Way]) -> None:
    way = ways["alone"]
    grown = {found["fault"]: found["grown_kib"] for found in way.end()["found"]}
    assert len(grown) > 50
    median = statistics.median(grown.values())
    too_much = {name: kib for name, kib in grown.items() if kib > median + way.faults[name]["growth_kib"]}
    assert not too_much, f"the median is {median} KiB"
