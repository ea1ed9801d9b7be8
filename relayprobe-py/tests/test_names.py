"""Domains, lists and one's own names, asked of a DNS server that lies."""

from __future__ import annotations

import asyncio
import json
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import relayprobe
from relayprobe import BlockList, ConfigError, Identity, InputError, Options, ResolverError, TargetError, listings, resolve, self_check

from conftest import ROOT, Peer

START = Callable[..., Peer]


@pytest.fixture
def servers(peer: START) -> list[str]:
    liar = peer("liar")
    return [f"{liar.host}:{liar.port}"]


def test_a_domain_becomes_targets(servers: list[str]) -> None:
    mail = resolve("rebinding.liar.example", servers=servers, provider_networks=["127.9.2.0/24"])
    assert (mail.service, mail.inbound) == ("mx", "direct")
    (target,) = mail.targets(2525)
    assert (target.address, target.port) == (ip_address("127.9.1.1"), 2525)
    assert (target.name, target.domains) == ("rebind.liar.example", ("rebinding.liar.example",))
    assert pickle.loads(pickle.dumps(mail)) == mail
    many = asyncio.run(asyncio.to_thread(resolve, "many.liar.example", servers=servers))
    assert (len(many.hosts), many.notes) == (10, ("many-hosts",))


def test_what_is_not_known_is_no_answer(servers: list[str]) -> None:
    with pytest.raises(TargetError, match=r"gone\.liar\.example") as gone:
        resolve("gone.liar.example", servers=servers)
    assert gone.value.code == "no-mail-hosts"
    with pytest.raises(ResolverError) as unknown:
        resolve("servfail.liar.example", servers=servers)
    assert unknown.value.code == "unknown"
    for wrong in [{"domain": "xn--a.example"}, {"domain": "a.example", "servers": ["x"]}]:
        with pytest.raises(InputError):
            resolve(**wrong)  # type: ignore[arg-type]


def test_a_target_is_looked_up_once_and_by_the_servers_that_are_named(
    servers: list[str], identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(*_: object, **__: object) -> None:
        raise AssertionError("the system's resolver may apply a search list")

    monkeypatch.setattr(socket, "getaddrinfo", search)
    options: Options = {"servers": servers, "profile": "lab", "allow_private": True, "cases": ["snd-null"]}
    with socket.create_server(("127.9.1.1", 0)) as silent:
        port = silent.getsockname()[1]

    def asked(label: str) -> str:
        return f"{label}.liar.example:{port}"

    def one(label: str) -> relayprobe.Report:
        return relayprobe.probe(asked(label), identity=identity, authorization="own-server:x", **options)

    async def waited(label: str) -> relayprobe.Report:
        return await relayprobe.probe_async(asked(label), identity=identity, authorization="own-server:x", **options)

    for report in (one("rebind"), asyncio.run(waited("host"))):
        # Asked again, "rebind" would have another address.
        assert (report.verdict, report.address) == ("unreachable", ip_address("127.9.1.1"))
    for each in (one, lambda label: asyncio.run(waited(label))):
        with pytest.raises(TargetError, match="no such name") as gone:
            each("gone")
        assert gone.value.code == "no-address"
        with pytest.raises(ResolverError, match="resolver's fault") as unknown:
            each("servfail")
        assert (unknown.value.code, unknown.value.fields["name"]) == ("unknown", "servfail.liar.example")
    runs = relayprobe.probe_many(
        [asked(label) for label in ("host", "gone", "servfail")], identity=identity, authorization="own-server:x", **options
    )
    assert [str(report.address) for report in runs] == ["127.9.1.1"]
    assert sorted(fault.code for _, fault in runs.refused) == ["no-address", "unknown"]
    assert relayprobe.Target("bücher.example").name == "xn--bcher-kva.example"


def test_lists_that_lie_list_nobody(servers: list[str], tmp_path: Path) -> None:
    config = tmp_path / "desk.toml"
    config.write_text('[[lists]]\nzone = "good.list"\nmeanings = [{ codes = "127.0.0.2", name = "open relay" }]\n')
    lists = [*BlockList.load(config), BlockList("wildcard.list"), BlockList("dead.list", ("ipv4", "ipv6"))]
    found = listings(["192.0.2.9", "192.0.2.8"], lists, servers=servers)
    assert [listing.state for listing in found] == ["listed", "not-listed", *["unknown"] * 4]
    assert (found[0].meanings, str(found[0].codes[0])) == (("open relay",), "127.0.0.2")
    assert "\x1b" not in str(found[0].texts[0])
    assert [listing.why for listing in found[2::2]] == ["lists-all", "dead"]
    assert listings("2001:db8::1", lists[0], servers=servers)[0].state == "not-applicable"


def test_whatever_a_zone_says_is_shown_harmless(servers: list[str]) -> None:
    identity = Identity(probe_domain="hostile.liar.example", probe_uri="mailto:a@hostile.liar.example")
    mail = resolve("hostile.liar.example", servers=servers)
    assert mail.notes.count("not-a-host") == 1 and [host.faults for host in mail.hosts].count(("not-a-host",)) == 1
    listed = listings("192.0.2.9", BlockList("good.list"), servers=servers)
    found = self_check(identity, servers=servers)
    assert any("leads back to" in finding.text for finding in found)
    with pytest.raises(ResolverError) as masked:
        relayprobe.probe("masked.liar.example", identity=identity, authorization="own-server:x", servers=servers)
    for value in (mail, *listed, *(text for listing in listed for text in listing.texts), *found, masked.value):
        for shown in (str(value), repr(value), f"{value}"):
            assert shown.isascii() and shown.isprintable(), shown
    for finding in found:
        assert finding.text.isascii() and finding.text.isprintable()


def test_a_report_keeps_what_lists_say(servers: list[str], peer: START, identity: Identity) -> None:
    server = peer("dialogue", "closed-pipelined")
    report = relayprobe.probe(
        f"{server.host}:{server.port}",
        identity=identity,
        authorization="own-server:demo",
        allow_private=True,
        profile="lab",
    )
    assert report.listings == () and report.addresses == (report.address,)
    found = listings(report.addresses, BlockList("quota.list"), servers=servers)
    later = report.with_listings(found)
    assert later.listings == found and later.verdict == report.verdict
    assert relayprobe.Report.from_json(later.to_json()).listings == found


def test_ones_own_names_are_looked_at(servers: list[str]) -> None:
    identity = Identity(probe_domain="host.liar.example", probe_uri="mailto:postmaster@host.liar.example")
    found = {finding.check: finding for finding in self_check(identity, servers=servers)}
    assert found["helo-address"].state == "right"
    assert found["probe-uri"].state == "right"
    mx = found["probe-domain-mx"]
    assert (mx.state, mx.line) == ("wrong", "host.liar.example.\tIN\tMX\t10 mx.host.liar.example.")
    with pytest.raises(ConfigError, match="/nowhere") as missing:
        self_check(identity, ca_file="/nowhere", servers=servers)
    assert missing.value.code == "ca-file"


def test_reports_and_the_summary_of_a_domain_fit_their_schemas(servers: list[str]) -> None:
    def validator(what: str) -> Draft202012Validator:
        return Draft202012Validator(json.loads((ROOT / f"docs/{what}.schema.json").read_text()))

    with socket.create_server(("127.9.1.1", 0)) as silent:
        port = silent.getsockname()[1]
    target = ["--mx", "rebinding.liar.example", "--ports", str(port), "--dns", servers[0], "--allow-private"]
    leave = ["--probe-domain", "probe.example", "--authorization", "own-server:x", "--profile", "lab"]
    command = [sys.executable, "-m", "relayprobe", "probe", *target, *leave, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    report, summary = done.stdout.splitlines()
    validator("report").validate(json.loads(report))
    validator("report").validate(relayprobe.Report.from_json(report).to_dict())
    validator("domain").validate(json.loads(summary))
    assert not validator("domain").is_valid(json.loads(report))
    assert (done.returncode, json.loads(summary)["verdict"]) == (3, "unreachable")
