"""Who tests, by whose leave, and what is tested."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from os import PathLike
from typing import Any

from . import _core, _dates
from ._errors import ConfigError, InputError, TargetError
from ._words import AuthorizationKind

__all__ = ["Address", "Authorization", "Identity", "Network", "Target"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _set(self: object, **values: object) -> None:
    """Sets fields of a frozen object while it is being made."""
    for name, value in values.items():
        object.__setattr__(self, name, value)


def address_or_none(text: str | None) -> Address | None:
    return None if text is None else ip_address(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who tests. It stands in every HELO and in every message. All but the probe domain follows from it."""

    probe_domain: str
    """The domain of every test recipient, your own; its MX is your receiving server."""
    organisation: str = ""
    helo: str = ""
    sender_domain: str = ""
    """The domain of the test senders, your own too; best in another zone."""
    contact: str = ""
    probe_uri: str = ""
    """A page that describes the test (RFC 9511)."""
    sink_host: str | None = None
    sink_ipv4: IPv4Address | str | None = None
    sink_ipv6: IPv6Address | str | None = None
    lure_mx: str | None = None
    lure_a: str | None = None

    def __post_init__(self) -> None:
        given = {name: str(value) for name in _IDENTITY if (value := getattr(self, name))}
        self._take(json.loads(_core.identity(given)))

    def _take(self, data: dict[str, Any]) -> None:
        for name in ("sink_ipv4", "sink_ipv6"):
            data[name] = address_or_none(data[name])
        _set(self, **data)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Identity:
        """The table ``[identity]`` of a TOML file, as ``relayprobe probe --config`` reads it."""
        identity, _ = _core.load(path)
        if identity is None:
            raise ConfigError(
                f"{path} does not say who tests: probe-domain in the table [identity] is missing",
                "no-probe-domain",
                {"path": str(path)},
            )
        return cls._from(json.loads(identity))

    @classmethod
    def _from(cls, data: dict[str, Any]) -> Identity:
        identity = cls.__new__(cls)
        identity._take(dict(data))
        return identity

    def _json(self) -> str:
        return json.dumps({name: _plain(getattr(self, name)) for name in _IDENTITY})


_IDENTITY = tuple(entry.name for entry in fields(Identity))


def _plain(value: object) -> object:
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Authorization:
    """By whose leave a test runs. The reference stays in the report and is never sent."""

    kind: AuthorizationKind | str
    reference: str
    networks: tuple[Network | str, ...] = ()
    """Networks it is good for; any if empty."""
    domains: tuple[str, ...] = ()
    """Mail domains it is good for; any if empty."""
    until: datetime | date | None = None
    """When it ends; of a day, its end."""

    def __post_init__(self) -> None:
        until = self.until
        if isinstance(until, datetime):
            text: str | None = _dates.from_unix(_dates.unix("until", until)).strftime("%Y-%m-%dT%H:%M:%SZ")
        else:
            text = None if until is None else until.isoformat()
        networks = [str(network) for network in self.networks]
        made = _core.authorization(str(self.kind), self.reference, networks, list(self.domains), text)
        self._take(json.loads(made))

    def _take(self, data: dict[str, Any]) -> None:
        _set(
            self,
            kind=AuthorizationKind(data["kind"]),
            reference=data["reference"],
            networks=tuple(ip_network(text) for text in data["networks"]),
            domains=tuple(data["domains"]),
            until=_dates.optional(data["until"]),
        )

    @classmethod
    def parse(cls, text: str) -> Authorization:
        """Reads ``KIND:REFERENCE``, such as ``customer-contract:K123``."""
        kind, colon, reference = text.partition(":")
        if not colon:
            message = f"authorization: {text!r} is not KIND:REFERENCE, such as customer-contract:K123"
            raise InputError(message, "input", {"field": "authorization", "value": text})
        return cls(kind, reference)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Authorization:
        """The table ``[authorization]`` of a TOML file, as ``relayprobe probe --config`` reads it."""
        _, authorization = _core.load(path)
        if authorization is None:
            raise ConfigError(
                f"{path} does not say by whose leave: the table [authorization] is missing",
                "no-authorization",
                {"path": str(path)},
            )
        return cls._from(json.loads(authorization))

    @classmethod
    def _from(cls, data: dict[str, Any]) -> Authorization:
        authorization = cls.__new__(cls)
        authorization._take(data)
        return authorization

    def _json(self) -> str:
        until = self.until
        return json.dumps(
            {
                "kind": str(self.kind),
                "reference": self.reference,
                "networks": [str(network) for network in self.networks],
                "domains": list(self.domains),
                "until": until.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(until, datetime) else None,
            }
        )


@dataclass(frozen=True, slots=True)
class Target:
    """One address of a mail server, with what is known of it. A second address of the same host is another target."""

    host: str | IPv4Address | IPv6Address
    """An address or a name; a name is looked up when the run is planned."""
    port: int = 25
    domains: tuple[str, ...] = field(default=(), kw_only=True)
    """Mail domains of its own, the main one first."""
    mailbox: str | None = field(default=None, kw_only=True)
    """A real mailbox that its operator named, for controls."""
    name: str | None = field(default=None, kw_only=True)
    """The name it is known by; used for TLS alone."""
    reverse_name: str | None = field(default=None, kw_only=True)
    other_address: IPv4Address | IPv6Address | str | None = field(default=None, kw_only=True)
    """Another address of the same host in the other family."""
    expected_host: str | None = field(default=None, kw_only=True)
    """What it called itself when it was last tested; another name now makes the verdict undetermined."""
    provider_domain: str | None = field(default=None, kw_only=True)
    mail_host: str | None = field(default=None, kw_only=True)
    """The name that an MX record has for it: what it may call itself, as long as it does not say how it does."""

    def __post_init__(self) -> None:
        if not isinstance(self.host, (str, IPv4Address, IPv6Address)):
            raise TypeError(f"a target is str or an address of ipaddress, not {type(self.host).__name__}")
        domains = (self.domains,) if isinstance(self.domains, str) else tuple(self.domains)
        _set(self, domains=domains)
        if isinstance(self.host, str):
            address, name, port = _core.host(self.host)
            if port is not None:
                _set(self, port=port)
            _set(self, host=address if name is None else name)
            if name is not None and self.name is None:
                _set(self, name=name)
        elif getattr(self.host, "scope_id", None) is not None:
            message = f"target: {self.host} has a zone, which means something on one machine only"
            raise InputError(message, "input", {"field": "target", "value": str(self.host)})
        if isinstance(self.port, bool) or not isinstance(self.port, int):
            raise TypeError(f"a port is int, not {type(self.port).__name__}")
        if not 0 < self.port < 65_536:
            message = f"port: {self.port} is not a port from 1 to 65535"
            raise InputError(message, "input", {"field": "port", "value": str(self.port)})

    @property
    def address(self) -> Address | None:
        """Its address, if that is known without looking anything up."""
        return None if isinstance(self.host, str) else self.host

    def _parts(self) -> tuple[list[str], dict[str, str]]:
        given = {name: str(value) for name in _TARGET if (value := getattr(self, name)) is not None}
        return list(self.domains), given

    def _json(self, address: Address) -> str:
        return _core.target(address, self.port, *self._parts())

    @classmethod
    def _from(cls, data: dict[str, Any]) -> Target:
        known = dict(data)
        address = ip_address(known.pop("address"))
        known["other_address"] = address_or_none(known["other_address"])
        known["domains"] = tuple(known["domains"])
        return cls(address, known.pop("port"), **known)


_TARGET = ("name", "mailbox", "reverse_name", "other_address", "expected_host", "provider_domain", "mail_host")


def as_target(target: str | Address | Target) -> Target:
    return target if isinstance(target, Target) else Target(target)


def as_authorization(authorization: str | Authorization) -> Authorization:
    if isinstance(authorization, Authorization):
        return authorization
    if not isinstance(authorization, str):
        raise TypeError(f"an authorization is str or Authorization, not {type(authorization).__name__}")
    return Authorization.parse(authorization)


def look_up(target: Target, source: Address | None, servers: list[str]) -> Address:
    """The address of a target: the first that the source can reach. Blocks while a resolver is asked, once."""
    if not isinstance(target.host, str):
        return target.host
    # Not by the interpreter's own: that one may take the name for another host's, by a search list.
    for address in _core.addresses(target.host, servers):
        if source is None or source.version == address.version:
            return address
    message = f"the name {target.host} has no address that {source} can connect to: one is IPv4, the other IPv6"
    raise TargetError(message, "no-address", {"name": target.host})


def as_servers(servers: Iterable[str] | None) -> list[str]:
    if servers is None:
        return []
    return [servers] if isinstance(servers, str) else [str(server) for server in servers]
