"""What all tests share. They run against the installed package, never the source tree."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import relayprobe
from relayprobe import Identity

ROOT = Path(__file__).resolve().parents[2]
SERVER = Path(os.environ.get("RELAYPROBE_TEST_SERVERS", ROOT / "target/debug/test-servers"))
# Serves every fault of a hostile server; docs/hostile.md says what its line means.
HOSTILE = SERVER.with_name("hostile-server")


def pytest_configure() -> None:
    where = Path(relayprobe.__file__).resolve()
    assert "site-packages" in where.parts, f"the tests are for the installed package, not {where}"


class Peer:
    """A server of the Rust suite in a process of its own. It says on one line of JSON where it is, and ends with its input."""

    def __init__(self, *arguments: str, program: Path = SERVER) -> None:
        command = [str(program), *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.facts = json.loads(self.process.stdout.readline() or "null")
        assert self.facts is not None, f"{command} did not start"

    @property
    def host(self) -> str:
        return str(self.facts["host"])

    @property
    def port(self) -> int:
        return int(self.facts["port"])

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    """Starts servers, and ends them after the test."""
    peers: list[Peer] = []

    def start(*arguments: str) -> Peer:
        peers.append(Peer(*arguments))
        return peers[-1]

    yield start
    for each in peers:
        each.close()


@pytest.fixture
def identity() -> Identity:
    return Identity(probe_domain="probe.example", contact="abuse@probe.example")
