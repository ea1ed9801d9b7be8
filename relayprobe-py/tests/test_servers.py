"""Real mail servers get the same verdicts from Python as from Rust."""

from __future__ import annotations

import asyncio
import json
import mailbox
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Peer

import relayprobe
from relayprobe import Forged, Identity, Keyring, NotOurs, Receipt, Report, Sink, Store, Target, Verdict, classify

Start = Callable[..., Peer]
WHO = Identity(probe_domain="probe.example", sender_domain="tester.example")


def target(server: Peer) -> Target:
    return Target(server.host, server.port, domains=("target.example",), mailbox="alice@target.example")


def survey(server: Peer) -> Report:
    return relayprobe.probe(
        target(server),
        identity=WHO,
        authorization="own-server:tests",
        allow_private=True,
        source="127.0.0.2",
        vantage="outside",
        profile="lab",
    )


@pytest.mark.parametrize(
    "program, flavour",
    [
        ("postfix", "closed"),
        ("postfix", "default"),
        ("postfix", "open"),
        ("postfix", "starttls"),
        ("postfix", "greylists"),
        ("exim", "closed"),
        ("exim", "open"),
        ("sendmail", "closed"),
        ("opensmtpd", "closed"),
    ],
)
def test_a_survey_finds_what_rust_finds(program: str, flavour: str, peer: Start) -> None:
    server = peer("survey", program, flavour)
    report = survey(server)
    assert report.verdict == server.facts["verdict"], report.text()
    found = [[probe.case, probe.path, probe.beside, probe.outcome] for probe in report.probes]
    assert found == server.facts["probes"]

    async def surveyed() -> Report:
        return await relayprobe.probe_async(
            target(server),
            identity=WHO,
            authorization="own-server:tests",
            allow_private=True,
            source="127.0.0.2",
            vantage="outside",
            profile="lab",
        )

    again = asyncio.run(surveyed())
    assert [probe.outcome for probe in again.probes] == [probe.outcome for probe in report.probes]
    assert again.verdict == report.verdict


def proven(server: Peer, sink: Sink, **options: object) -> Report:
    return relayprobe.probe(
        target(server),
        identity=WHO,
        authorization="own-server:tests",
        allow_private=True,
        source="127.0.0.2",
        profile="lab",
        sink=sink,
        **options,  # type: ignore[arg-type]
    )


def test_an_open_postfix_is_proven_through_a_sink(peer: Start) -> None:
    with Sink(WHO) as sink:
        address, port = sink.address
        server = peer("server", "postfix", "open", f"{address}:{port}")
        report = proven(server, sink)
        assert report.verdict is Verdict.OPEN_RELAY and report.exit_code == 2, report.text()
        # Our own message by the way in is a receipt too.
        relayed = [receipt for receipt in report.receipts if not report.probes[receipt.probe].is_control]
        assert relayed and {receipt.kind for receipt in relayed} == {"relayed"}
        assert {str(receipt.egress.address) for receipt in relayed if receipt.egress} == {server.host}
        counts = sink.counts()
        assert counts is not None and counts.taken >= len(relayed)
        # Pickled and read again it is the same, proof included.
        assert Report.from_json(report.to_json()).verdict is Verdict.OPEN_RELAY
    assert sink.counts() is None


def test_an_event_loop_proves_it_too(peer: Start) -> None:
    async def run() -> Report:
        async with Sink(WHO) as sink:
            address, port = sink.address
            server = await asyncio.to_thread(peer, "server", "postfix", "open", f"{address}:{port}")
            return await relayprobe.probe_async(
                target(server),
                identity=WHO,
                authorization="own-server:tests",
                allow_private=True,
                source="127.0.0.2",
                profile="lab",
                sink=sink,
            )

    report = asyncio.run(run())
    assert report.verdict is Verdict.OPEN_RELAY, report.text()


def test_messages_that_another_server_received(peer: Start, tmp_path: Path) -> None:
    """A Maildir, `classify` and `Report.add`: the desk's own mail server owns port 25."""
    keys = Keyring.new()
    maildir = mailbox.Maildir(tmp_path / "probe", create=True)
    with Sink(WHO) as sink:
        address, port = sink.address
        server = peer("server", "postfix", "open", f"{address}:{port}")
        options = {"keys": keys, "cases": ["snd-probe-domain"], "wait": 20.0}
        proof = proven(server, sink, **options)
        arrivals = sink.arrivals()
    assert proof.verdict is Verdict.OPEN_RELAY
    first = next(arrival for arrival in arrivals if len(arrival.message) > 100 and b"snd-probe-domain" in arrival.message)
    maildir.add(stored(first, server.host))
    unproven = Report.from_json(bare(proof))
    assert unproven.verdict is Verdict.SUSPECTED
    raw = maildir.get_bytes(maildir.keys()[0])
    receipt = classify(raw, keys=keys, runs=[unproven])
    assert isinstance(receipt, Receipt) and receipt.kind == "relayed", receipt
    assert unproven.add(raw, keys=keys).verdict is Verdict.OPEN_RELAY
    assert unproven.add(receipt).verdict is Verdict.OPEN_RELAY
    assert classify(first, keys=keys, runs={unproven.run.name: unproven}) == classify(first, keys=keys, runs=lambda _: unproven)
    assert isinstance(classify(raw, keys=Keyring.new(), runs=[unproven]), Forged)
    assert classify(b"Subject: hello\r\n\r\nnot ours\r\n", keys=keys, runs=[]) == NotOurs()
    with pytest.raises(relayprobe.ReceiptError) as raised:
        unproven.add(b"Subject: hello\r\n\r\nnot ours\r\n", keys=keys)
    assert raised.value.code == "not-ours"


def bare(report: Report) -> str:
    """The report without what came back."""
    data = report.to_dict()
    data["receipts"] = []
    return json.dumps(data)


def test_a_store_remembers(peer: Start, tmp_path: Path) -> None:
    server = peer("server", "postfix", "closed")
    store = Store(tmp_path / "store")

    def run(**options: object) -> Report:
        return relayprobe.probe(
            target(server),
            identity=WHO,
            authorization="own-server:tests",
            allow_private=True,
            store=store,
            **options,  # type: ignore[arg-type]
        )

    report = run(profile="lab", vantage="outside")
    assert report.verdict is Verdict.CLOSED, report.text()
    (kept,) = (tmp_path / "store" / "reports").iterdir()
    assert Report.from_json(kept.read_text()) == report
    later = report.judge()
    assert store.keep(later) == kept and Report.from_json(kept.read_text()) == later
    with pytest.raises(relayprobe.PlanError) as raised:
        run()
    assert raised.value.code == "too-soon" and raised.value.fields["due"]


def test_a_mailbox_that_another_server_fills(peer: Start, tmp_path: Path) -> None:
    """`receipts=`: here a thread stores what the sink is handed, as the desk's own server would."""
    maildir = mailbox.Maildir(tmp_path / "probe", create=True)
    over = threading.Event()
    with Sink(WHO) as sink:
        address, port = sink.address
        server = peer("server", "postfix", "open", f"{address}:{port}")

        def deliver() -> None:
            while not over.wait(0.05):
                for arrival in sink.arrivals():
                    if arrival.message:
                        maildir.add(stored(arrival, str(arrival.peer)))

        delivering = threading.Thread(target=deliver)
        delivering.start()
        try:
            report = relayprobe.probe(
                target(server),
                identity=WHO,
                authorization="own-server:tests",
                allow_private=True,
                source="127.0.0.2",
                profile="lab",
                receipts=tmp_path / "probe",
                way_in=(address, port),
                wait=timedelta(seconds=30),
            )
        finally:
            over.set()
            delivering.join()
    assert report.verdict is Verdict.OPEN_RELAY, report.text()
    kinds = {receipt.kind for receipt in report.receipts if not report.probes[receipt.probe].is_control}
    assert kinds == {"relayed"}


def stored(arrival: relayprobe.Arrival, peer: str) -> bytes:
    """A message as the desk's own server stores it, with its own line on top."""
    sender, recipient = (arrival.sender or b"").decode(), arrival.recipients[0].decode()
    head = f"Return-Path: <{sender}>\r\nX-Original-To: {recipient}\r\n"
    head += f"Received: from mail.target.example (mail.target.example [{peer}])\r\n"
    head += "\tby mx.probe.example with ESMTP id 1; Thu, 26 Nov 2026 10:00:00 +0000\r\n"
    return head.encode() + arrival.message
