"""Results behave as values of Python do."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address, ip_address

import pytest
from conftest import Peer
from dialogues import converse, plan

import relayprobe
from relayprobe import (
    Authorization,
    Error,
    Identity,
    InputError,
    Octets,
    PlanError,
    Report,
    ReportError,
    Session,
    Target,
    TargetError,
    Verdict,
)

Start = Callable[..., Peer]


@pytest.fixture
def report(peer: Start) -> Report:
    server = peer("converse", "prove-open")
    session = Session(plan("prove-open", server.host, server.port), 1.0)
    converse(session, server)
    return session.report()


def test_words_are_strings() -> None:
    word: str = Verdict.OPEN_RELAY
    assert word == "open-relay" and f"{word}" == "open-relay"
    assert {"open-relay": 1}[Verdict.OPEN_RELAY] == 1
    assert Verdict("closed") is Verdict.CLOSED


def test_a_report_is_a_value(report: Report) -> None:
    again = Report.from_json(report.to_json())
    assert again == report and hash(again) == hash(report) and {again: 1}[report] == 1
    assert pickle.loads(pickle.dumps(report)) == report
    assert copy.copy(report) is report and copy.deepcopy(report) is report
    assert report != "a report"
    with pytest.raises(FrozenInstanceError):
        report.verdict = "closed"  # type: ignore[assignment, misc]
    with pytest.raises(FrozenInstanceError):
        del report._inner
    with pytest.raises(TypeError, match="from_json"):
        Report()
    assert repr(report) == f"<Report of 127.0.0.1 port 2525: suspected, not settled, run {report.run.name}>"
    match report:
        case Report("suspected", reasons):
            assert reasons == report.reasons
        case _:
            pytest.fail("a report can be matched by its verdict")


def test_every_part_is_a_value(report: Report) -> None:
    parts = [report.run, report.server, *report.paths, *report.reasons, *report.probes, report.run.identity, report.run.target]
    for part in parts:
        assert pickle.loads(pickle.dumps(part)) == part
        assert hash(part) == hash(pickle.loads(pickle.dumps(part)))
        assert repr(part).startswith(type(part).__name__)
    with pytest.raises(FrozenInstanceError):
        report.probes[0].case = "mine"  # type: ignore[misc]


def test_dates_are_aware_and_addresses_are_addresses(report: Report) -> None:
    assert report.address == IPv4Address("127.0.0.1") and report.run.target.host == ip_address("127.0.0.1")
    assert report.as_of.tzinfo is timezone.utc and report.run.date.tzinfo is timezone.utc
    pending = report.pending_until
    assert pending is not None and pending - report.run.date <= timedelta(hours=7)
    later = report.judge(pending + timedelta(seconds=1))
    assert later.pending_until is None and later.as_of > report.as_of
    with pytest.raises(InputError, match="time zone"):
        report.judge(datetime(2027, 1, 1))


def test_texts(report: Report) -> None:
    assert report.text().startswith("suspected: 127.0.0.1 port 2525")
    assert "C: EHLO" in report.transcript
    assert report.to_dict()["verdict"] == "suspected"
    redacted = report.redacted()
    assert redacted.verdict == report.verdict and redacted.to_json() != report.to_json()


def test_octets_show_what_they_are() -> None:
    octets = Octets.from_escaped("a\\x00\\\\")
    assert octets == b"a\x00\\" and str(octets) == "a\\x00\\\\" and octets == bytes(octets)


def test_targets_and_identities() -> None:
    assert Target("192.0.2.1:2525") == Target(ip_address("192.0.2.1"), 2525)
    assert Target("[2001:db8::1]:26").port == 26
    assert Target("mx.example.org").name == "mx.example.org"
    assert Authorization.parse("customer-contract:K123").reference == "K123"
    identity = Identity(probe_domain="probe.example")
    assert identity.helo == "probe.example" and identity == Identity(probe_domain="probe.example")


def test_what_the_caller_did_wrong_is_an_error(identity: Identity) -> None:
    def planned(target: object = "192.0.2.1", **options: object) -> None:
        relayprobe.plan(target, identity=identity, authorization="own-server:x", **options)  # type: ignore[arg-type]

    for wrong, kind, word in (
        (lambda: planned("127.0.0.1"), PlanError, "special-address"),
        (lambda: planned(Target("127.0.0.1", 80), allow_private=True), PlanError, "port"),
        (lambda: planned(matrix="huge"), InputError, "input"),
        (lambda: planned(cases=["nonsense"]), InputError, "input"),
        (lambda: planned(prove="all"), PlanError, "no-keys"),
        (
            lambda: relayprobe.probe("192.0.2.1", identity=identity, authorization="own-server:x", wait=-1),
            InputError,
            "input",
        ),
        (
            lambda: relayprobe.probe("192.0.2.1", identity=identity, authorization="own-server:x", wait=5),
            InputError,
            "input",
        ),
        (lambda: planned(messages=3), InputError, "input"),
        (lambda: planned(window=60), InputError, "input"),
        (lambda: planned(way_in="192.0.2.1:25"), InputError, "input"),
        (lambda: relayprobe.listings("192.0.2.1", []), InputError, "input"),
        (lambda: Authorization.parse("K123"), InputError, "input"),
        (lambda: Identity(probe_domain="no domain"), InputError, "input"),
        (lambda: Report.from_json("{"), ReportError, "json"),
        (
            lambda: relayprobe.probe("no-such-name.invalid", identity=identity, authorization="own-server:x"),
            TargetError,
            "no-address",
        ),
    ):
        with pytest.raises(kind) as raised:
            wrong()
        assert isinstance(raised.value, Error) and raised.value.code == word and str(raised.value)
        again = pickle.loads(pickle.dumps(raised.value))
        assert (str(again), again.code, again.fields) == (str(raised.value), raised.value.code, raised.value.fields)
    with pytest.raises(TypeError, match="matrx"):
        planned(matrx="quick")
    with pytest.raises(TypeError):
        planned(25)
    with pytest.raises(TypeError, match="list"):
        relayprobe.probe_many("192.0.2.1", identity=identity, authorization="own-server:x")
