"""From a domain to its mail hosts, from an address to the lists that name it, and whether one's own names are in order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from os import PathLike
from typing import Any

from . import _core
from ._errors import InputError
from ._octets import Octets
from ._who import Address, Identity, Network, Target, as_servers

__all__ = ["BlockList", "Finding", "Listing", "Mail", "MailHost", "listings", "resolve", "self_check"]

Servers = Iterable[str]


@dataclass(frozen=True, slots=True)
class MailHost:
    """A mail host of a domain."""

    name: str
    preference: int
    addresses: tuple[Address, ...]
    faults: tuple[str, ...]
    """Words for why it has no address, or may have more: ``no-such-name``, ``failed`` and others."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Where the mail of a domain goes."""

    domain: str
    service: str
    """``mx``, ``implicit`` (no MX, so the domain itself), or ``none`` (a null MX)."""
    hosts: tuple[MailHost, ...]
    """In the order in which they are tried."""
    notes: tuple[str, ...]
    """Words for what is odd: ``alias``, ``null-beside-others`` and others."""
    inbound: str | None
    """``via-provider``, ``direct``, ``both`` or ``none``; nothing without networks, or if it depends on what is not known."""
    names: Mapping[Address, str]
    """Reverse names that lead back to their addresses."""

    @classmethod
    def _from(cls, data: dict[str, Any]) -> Mail:
        mail = data["mail"]
        names: dict[Address, str] = {}
        for reverse in data["reverse"]:
            confirmed = [name["name"] for name in reverse["names"] if name["confirmed"] == "yes"]
            if confirmed:
                names[ip_address(reverse["address"])] = confirmed[0]
        return cls(
            mail["domain"],
            mail["service"],
            tuple(
                MailHost(
                    host["name"],
                    host["preference"],
                    tuple(ip_address(text) for text in host["addresses"]),
                    tuple(fault["fault"] for fault in host["faults"]),
                )
                for host in mail["hosts"]
            ),
            tuple(note["note"] for note in mail["notes"]),
            data.get("inbound"),
            names,
        )

    def targets(self, port: int = 25) -> list[Target]:
        """A target for each address, for :func:`probe` and :func:`probe_many`."""
        found: dict[Address, Target] = {}
        for host in self.hosts:
            for address in host.addresses:
                others = [other for other in host.addresses if other.version != address.version]
                target = Target(
                    address,
                    port,
                    domains=(self.domain,),
                    name=host.name,
                    mail_host=host.name,
                    reverse_name=self.names.get(address),
                    other_address=others[0] if others else None,
                )
                found.setdefault(address, target)
        return list(found.values())


def resolve(
    domain: str, *, provider_networks: Iterable[str | Network] = (), servers: Servers | None = None
) -> Mail:
    """Where the mail of a domain goes, and how its addresses are called. Blocks, without the interpreter's lock.

    ``servers`` are DNS servers, such as ``"192.0.2.53"`` or ``"[2001:db8::53]:5353"``, at most three; those of the system unless given.
    ``provider_networks`` are those of the mail servers of the domain's provider; they tell whether a filter would cut its mail off.

    A domain without mail hosts raises :class:`TargetError`, one of which nothing is known :class:`ResolverError`. In an event
    loop use ``await asyncio.to_thread(resolve, domain)``.
    """
    networks = [str(network) for network in provider_networks]
    return Mail._from(json.loads(_core.resolve(domain, networks, as_servers(servers))))


@dataclass(frozen=True, slots=True)
class BlockList:
    """A block list in the DNS (RFC 5782). None is built in."""

    zone: str
    families: tuple[str, ...] = ("ipv4",)
    """``ipv4``, ``ipv6`` or both."""
    meanings: Mapping[str, str] | None = None
    """What codes mean: of ``127.0.0.2``, a block like ``127.0.0.4/30``, or all with a bit, ``&0.0.0.8``."""
    removal: str | None = None
    """Where its operator takes an address off it."""

    @classmethod
    def load(cls, path: str | PathLike[str]) -> tuple[BlockList, ...]:
        """The tables ``[[lists]]`` of a TOML file, as ``relayprobe probe --config`` reads it."""
        found = []
        for data in json.loads(_core.load_lists(path)):
            meanings = {meaning["codes"]: meaning["name"] for meaning in data["meanings"]}
            found.append(cls(data["zone"], tuple(data["families"]), meanings or None, data.get("removal")))
        return tuple(found)

    def _data(self) -> dict[str, Any]:
        meanings = [{"codes": codes, "name": name} for codes, name in (self.meanings or {}).items()]
        families = [self.families] if isinstance(self.families, str) else list(self.families)
        return {"zone": self.zone, "families": families, "meanings": meanings, "removal": self.removal}


@dataclass(frozen=True, slots=True)
class Listing:
    """What one list says of one address."""

    zone: str
    address: Address
    state: str
    """``listed``, ``not-listed``, ``unknown`` or ``not-applicable``."""
    codes: tuple[IPv4Address, ...] = ()
    meanings: tuple[str, ...] = ()
    texts: tuple[Octets, ...] = ()
    """What the list says for people."""
    why: str | None = None
    """Why it is unknown: ``dead``, ``lists-all``, ``refused``, ``no-code``, ``unanswered`` or ``unasked``."""
    json: str = field(default="", repr=False)
    """The form in which a report has it."""

    @classmethod
    def _from(cls, data: dict[str, Any]) -> Listing:
        return cls(
            data["zone"],
            ip_address(data["address"]),
            data["state"],
            tuple(IPv4Address(code) for code in data.get("codes", ())),
            tuple(data.get("meanings", ())),
            tuple(Octets.from_escaped(text) for text in data.get("texts", ())),
            data["why"]["doubt"] if "why" in data else None,
            json.dumps(data),
        )


def listings(
    addresses: str | Address | Iterable[str | Address],
    lists: BlockList | Iterable[BlockList],
    *,
    servers: Servers | None = None,
) -> tuple[Listing, ...]:
    """What block lists say of addresses, list by list. Blocks for a few seconds, without the interpreter's lock.

    Each list must first show that it works. No verdict depends on what it says.
    """
    many = [addresses] if isinstance(addresses, (str, Address)) else list(addresses)
    each = [lists] if isinstance(lists, BlockList) else list(lists)
    if not each:
        raise InputError("lists: none is named, so nobody would be asked; name a BlockList", "input", {"field": "lists"})
    asked = json.dumps([entry._data() for entry in each])
    found = _core.listings(asked, [ip_address(address) for address in many], as_servers(servers))
    return tuple(Listing._from(data) for data in json.loads(found))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one's own names that is right, wrong or not known."""

    check: str
    """``helo-address``, ``reverse-name``, ``probe-domain-mx``, ``sender-domain-mx``, ``sink-address`` or ``probe-uri``."""
    state: str
    """``right``, ``wrong`` or ``unknown``."""
    text: str
    line: str | None = None
    """The line to add to the zone, or to the text."""


def self_check(
    identity: Identity,
    *,
    source: str | Address | None = None,
    probing_text: str | None = None,
    ca_file: str | PathLike[str] | None = None,
    servers: Servers | None = None,
) -> tuple[Finding, ...]:
    """Whether the names of an identity are in order. Blocks, without the interpreter's lock.

    ``source`` is the address that tests, as the internet sees it; the addresses of the HELO name unless given. The text of the
    probe URI is fetched, unless ``probing_text`` is it, from a server that the authorities in ``ca_file`` (certificates in PEM)
    vouch for; those that browsers believe unless given.
    """
    address = None if source is None else ip_address(source)
    found = _core.self_check(identity._json(), address, probing_text, ca_file, as_servers(servers))
    return tuple(Finding(**data) for data in json.loads(found)["findings"])
