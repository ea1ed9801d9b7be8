"""The examples do what they say."""

from __future__ import annotations

import importlib.util
import inspect
import json
import mailbox
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from conftest import Peer

from relayprobe import Identity, Report, Session, Sink, Target, Verdict, plan, probe

Start = Callable[..., Peer]
FOLDER = Path(__file__).resolve().parents[1] / "examples"
LAB = {"allow_private": True, "profile": "lab", "vantage": "outside"}
CONFIG = """
[identity]
probe-domain = "probe.example"
contact = "abuse@probe.example"
[authorization]
kind = "own-server"
reference = "our servers"
"""


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "relayprobe.toml"
    path.write_text(CONFIG)
    return str(path)


def request(sender: str, subject: str = "Relay test, please") -> bytes:
    text = f"From: Customer <{sender}>\nReply-To: thief@elsewhere.example\nReceived: from [127.9.9.9] by mx\nSubject: {subject}\n\nTest 127.9.9.9!\n"
    return text.encode()


def test_a_request_has_the_customers_own_server_tested(peer: Start, config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = example("abuse_mailbox")
    monkeypatch.setattr(desk, "OPTIONS", LAB)
    server = peer("server", "postfix", "closed")
    customers = tmp_path / "customers.csv"
    customers.write_text(f"contract,contact,server\nK123,postmaster@target.example,{server.host}:{server.port}\n")
    requests = mailbox.Maildir(tmp_path / "requests", create=True)
    answers = mailbox.Maildir(tmp_path / "answers", create=True)
    for raw in (
        request("postmaster@target.example"),
        request("stranger@elsewhere.example"),
        request("postmaster@target.example", "My bill"),
        request("Postmaster@Target.example"),
    ):
        requests.add(raw)
    arguments = (config, str(customers), str(tmp_path / "requests"), str(tmp_path / "answers"), str(tmp_path / "store"))
    assert desk.main(*arguments) == 0
    written = sorted((message["Subject"], message["To"]) for message in answers)
    # Asked twice on one day, it is tested once, and nobody but the customer on file hears of it.
    assert [to for _, to in written] == ["postmaster@target.example"] * 2
    assert written[0][0] == "Your mail server was not tested" and written[1][0].startswith("Your mail server: ")
    (report,) = (tmp_path / "store" / "reports").iterdir()
    assert str(Report.from_json(report.read_text()).address) == server.host
    assert not list((tmp_path / "requests" / "new").iterdir())


def test_a_monitor_tells_of_changes(peer: Start, config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monitor = example("monitor")
    monkeypatch.setattr(monitor, "OPTIONS", LAB)
    closed, open_ = peer("server", "postfix", "closed"), peer("server", "exim", "open")
    servers = [f"{server.host}:{server.port}" for server in (closed, open_)]
    state = str(tmp_path / "state.json")
    assert monitor.main(config, state, *servers) == 0
    first = capsys.readouterr().out
    assert f"{servers[1]}: new -> suspected" in first
    assert monitor.main(config, state, *servers) == 0
    assert servers[1] not in capsys.readouterr().out


def test_only_a_proof_becomes_an_event(peer: Start) -> None:
    events = example("intelmq_event")
    who = Identity(probe_domain="probe.example", sender_domain="tester.example")
    with Sink(who) as sink:
        address, port = sink.address
        server = peer("server", "postfix", "open", f"{address}:{port}")
        target = Target(server.host, server.port, domains=("target.example",))
        proven = probe(target, identity=who, authorization="own-server:x", sink=sink, source="127.0.0.2", **LAB)  # type: ignore[arg-type]
    assert proven.verdict is Verdict.OPEN_RELAY
    found = events.event(proven)
    assert found["source.ip"] == server.host and found["classification.identifier"] == "openrelay"
    assert found["extra.relayprobe.handed_over_by"] and found["extra.relayprobe.cases"]
    data = proven.to_dict() | {"receipts": []}
    assert events.event(Report.from_json(json.dumps(data))) is None
    piped = subprocess.run(
        [sys.executable, FOLDER / "intelmq_event.py"],
        input=f"{proven.to_json()}\n{json.dumps(data)}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(piped.stdout) == json.loads(json.dumps(found))


def test_the_guide_shows_the_driver() -> None:
    guide = (FOLDER.parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
    assert inspect.getsource(example("own_driver").drive) in guide


def test_a_driver_of_ones_own(peer: Start) -> None:
    own = example("own_driver")
    server = peer("dialogue", "closed-pipelined")
    target = Target(server.host, server.port, domains=("target.example",))
    made = plan(target, identity=Identity(probe_domain="probe.example"), authorization="own-server:x", tls=False, **LAB)  # type: ignore[arg-type]
    report = own.drive(Session(made, time.monotonic()))
    assert report.verdict is Verdict.CLOSED, report.text()
