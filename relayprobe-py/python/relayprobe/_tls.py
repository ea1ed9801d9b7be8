"""TLS in memory: the sockets stay with the driver, so that nothing is read ahead."""

from __future__ import annotations

import re
import ssl

__all__ = ["Tls", "observer"]


def observer() -> ssl.SSLContext:
    """A context that takes any certificate: a relay test needs to know what the server does, not who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Tls:
    """The TLS of one connection: records in, records out."""

    __slots__ = ("_incoming", "_object", "_outgoing")

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    def shake(self) -> bool:
        """Goes on with the handshake; whether it is done. Raises ``ssl.SSLError`` if it failed."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def feed(self, records: bytes) -> None:
        """Records came; none at the end of the connection."""
        if records:
            self._incoming.write(records)
        else:
            self._incoming.write_eof()

    def read(self, count: int) -> bytes | None:
        """What was inside the records; nothing if more of them are needed, and no octets at the end.

        SMTP needs no announcement of the end: a reply that is cut off is not whole.
        """
        try:
            return self._object.read(count)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    def write(self, octets: bytes) -> None:
        """Puts octets into records. Memory has no limit, so all of them go in."""
        self._object.write(octets)

    def records(self) -> bytes:
        """What is to be sent."""
        return self._outgoing.read()

    def say_goodbye(self) -> None:
        """Announces the end."""
        try:
            self._object.unwrap()
        except ssl.SSLError:
            # The peer has not answered yet, and need not.
            pass

    def facts(self) -> tuple[str, str, list[bytes]]:
        """Version and cipher suite by their registered names, and the certificates, leaf first."""
        version = (self._object.version() or "").replace(".", "_")
        cipher = self._object.cipher()
        return version, _registered(cipher[0]) if cipher else "", self._certificates()

    def _certificates(self) -> list[bytes]:
        # From Python 3.13 on the whole chain can be had; before, the server's own certificate alone.
        chain = getattr(self._object, "get_unverified_chain", None)
        if chain is not None:
            return list(chain())
        leaf = self._object.getpeercert(binary_form=True)
        return [] if leaf is None else [leaf]


_SUITE = re.compile(r"(ECDHE-ECDSA|ECDHE-RSA|DHE-RSA)-(.+)-(SHA\d*|POLY1305)")
_BULK = re.compile(r"(AES|ARIA|CAMELLIA)(\d{3})")


def _registered(name: str) -> str:
    """OpenSSL has names of its own for the suites of TLS 1.2; the registry (RFC 8446, B.4; RFC 5289) has others."""
    found = _SUITE.fullmatch(name)
    if found is None:
        return name
    exchange, bulk, last = found.groups()
    bulk = _BULK.sub(r"\1_\2", bulk).replace("-", "_")
    if last == "POLY1305":
        last = "POLY1305_SHA256"
    elif bulk in ("AES_128", "AES_256"):
        bulk += "_CBC"
    return f"TLS_{exchange.replace('-', '_')}_WITH_{bulk}_{last}"
