"""The dialogue files of the Rust tests: their plans, and the server of each in virtual time."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from typing import Any

from conftest import SERVER, Peer

import relayprobe
from relayprobe import Identity, Keyring, Octets, Output, Plan, Session, Target

LISTED = json.loads(subprocess.run([SERVER, "list"], check=True, capture_output=True, text=True).stdout)
NAMES: list[str] = [dialogue["name"] for dialogue in LISTED["dialogues"]]
SETTINGS: dict[str, list[tuple[str, str]]] = {
    dialogue["name"]: [tuple(setting) for setting in dialogue["settings"]] for dialogue in LISTED["dialogues"]
}
DATE = 1_795_473_834
SEED = 0x1234_5678_9ABC


def keys() -> Keyring:
    return Keyring.from_text(LISTED["keys"])


def wishes(name: str, host: str, port: int) -> dict[str, Any]:
    """The arguments of `plan` and `probe` for a dialogue."""
    settings = dict(reversed(SETTINGS[name]))
    target = Target(
        host,
        port,
        domains=() if "no-domain" in settings else (settings.get("domain", "target.example"),),
        mailbox=settings.get("mailbox"),
        expected_host=settings.get("expect-host"),
    )
    identity = Identity(
        probe_domain="probe.example",
        sender_domain=settings.get("sender-domain", ""),
        contact=settings.get("contact", ""),
    )
    options: dict[str, Any] = {
        "allow_private": True,
        "profile": settings.get("profile", "lab"),
        "tls": "no-tls" not in settings,
        "vantage": settings.get("vantage"),
        "date": datetime.fromtimestamp(DATE, timezone.utc),
        "seed": SEED,
        "define_cases": [tuple(value.split(" ", 2)) for key, value in SETTINGS[name] if key == "define"],
    }
    if "matrix" in settings:
        options["matrix"] = settings["matrix"]
    elif "cases" in settings:
        options["cases"] = settings["cases"].split()
    if "connections" in settings:
        options["connections"] = int(settings["connections"])
    if "implicit-tls" in settings:
        options["tls_ports"] = [port]
    if "no-budget" in settings:
        options["budget"] = (65_535, 65_535, 65_535)
    if "lockstep" in settings:
        options["lockstep"] = True
    if "retries" in settings:
        options["retries"] = [int(seconds) for seconds in settings["retries"].split()]
    if "measure" in settings:
        options["measures"] = [settings["measure"]]
    if "prove" in settings:
        options |= {"prove": "all" if settings["prove"] == "all" else "families", "keys": keys()}
    if "messages" in settings:
        options["messages"] = int(settings["messages"])
    authorization = settings.get("authorization", "own-server:dialogue")
    return {"target": target, "identity": identity, "authorization": authorization} | options


def plan(name: str, host: str, port: int) -> Plan:
    return relayprobe.plan(**wishes(name, host, port))


def converse(session: Session, peer: Peer) -> str:
    """Lets a session talk with a server in virtual time; the report of Rust's own session."""
    asks, answers = peer.process.stdout, peer.process.stdin
    assert asks is not None and answers is not None
    for line in asks:
        asked = json.loads(line)
        if "report" in asked:
            return str(asked["report"])
        if "take" in asked:
            take(session, asked["take"], asked["now"] / 1e6)
        else:
            answers.write(json.dumps(shown(session)) + "\n")
            answers.flush()
    raise AssertionError("the server ended")


def shown(session: Session) -> dict[str, Any]:
    while True:
        match session.poll_output():
            case Output.Connect(connection, address, port, None):
                return {"output": "connect", "connection": connection, "to": f"{address}:{port}"}
            case Output.Send(connection, data):
                return {"output": "send", "connection": connection, "data": str(Octets(data))}
            case Output.StartTls(connection, _):
                return {"output": "start-tls", "connection": connection}
            case Output.Close(connection):
                return {"output": "close", "connection": connection}
            case Output.Progress(_):
                continue
            case Output.Wait(until):
                return {"output": "wait", "until": int(until * 1e6 + 0.5)}
            case Output.Finished():
                return {"output": "finished"}


def take(session: Session, told: dict[str, Any], now: float) -> None:
    connection: int = told.get("connection", 0)
    match told["input"]:
        case "connected":
            session.handle_connected(connection, now)
        case "sent":
            session.handle_sent(connection, now)
        case "received":
            session.handle_received(connection, Octets.from_escaped(told["data"]), now)
        case "secured":
            facts = told["tls"]
            chain: list[bytes] = [Octets.from_escaped(der) for der in facts["certificates"]]
            session.handle_secured(connection, facts["version"], facts["cipher"], chain, now)
        case "lost":
            session.handle_lost(connection, told["loss"], now)
        case "tick":
            session.handle_tick(now)
        case other:
            raise AssertionError(other)
