"""Every dialogue gives the same from Python as from Rust: bare, on the calling thread, and in an event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Peer
from dialogues import NAMES, SETTINGS, converse, plan, wishes

import relayprobe
from relayprobe import Report, Session, _aio, _core, _tls

Start = Callable[..., Peer]
# Hours of silence only pass in virtual time.
ON_SOCKETS = [name for name in NAMES if "virtual" not in dict(SETTINGS[name])]


@pytest.mark.parametrize("name", NAMES)
def test_a_bare_session_gives_the_report_of_rust(name: str, peer: Start) -> None:
    server = peer("converse", name)
    session = Session(plan(name, server.host, server.port), 1.0)
    expected = converse(session, server)
    report = session.report()
    assert report.to_json() == expected
    assert Report.from_json(expected) == report


def check(server: Peer, report: Report) -> None:
    """Rust says whether the report is what the dialogue expects, and has the transcript of its own session."""
    assert server.process.stdin is not None and server.process.stdout is not None
    server.process.stdin.write(report.to_json() + "\n")
    server.process.stdin.flush()
    assert server.process.stdout.readline() == '"ok"\n', report.transcript


@pytest.mark.parametrize("name", ON_SOCKETS)
def test_both_drivers_find_what_the_dialogue_expects(name: str, peer: Start) -> None:
    server = peer("dialogue", name)
    wish = wishes(name, server.host, server.port)
    with_messages = "prove" in wish

    def asked() -> Report:
        if not with_messages:
            return relayprobe.probe(**wish)
        # Nobody waits for messages here: the dialogue says what comes back.
        return Report._of(_core.run(plan(name, server.host, server.port), None, None))

    async def asked_async() -> Report:
        if not with_messages:
            return await relayprobe.probe_async(**wish)
        loop = asyncio.get_running_loop()
        session = _core.Session(plan(name, server.host, server.port), loop.time())
        context = _tls.observer()
        return Report._of(await _aio._Driver(loop, session, context, None, None).run())

    check(server, asked())
    check(server, asyncio.run(asked_async()))


def test_results_are_the_json(peer: Start) -> None:
    """What the objects say is what the JSON says, for every dialogue."""
    for name in NAMES:
        server = peer("converse", name)
        session = Session(plan(name, server.host, server.port), 1.0)
        converse(session, server)
        report = session.report()
        data: dict[str, Any] = json.loads(report.to_json())
        assert report.verdict == data["verdict"] and report.exit_code == data["exit_code"]
        assert [reason.word for reason in report.reasons] == [reason["reason"] for reason in data["reasons"]]
        assert [path.verdict for path in report.paths] == [path["verdict"] for path in data["paths"]]
        for probe, entry in zip(report.probes, data["probes"], strict=True):
            assert (probe.case, probe.outcome, probe.why) == (entry["case"], entry["outcome"], entry.get("why"))
        assert report.run.name == data["run"]["run"]
