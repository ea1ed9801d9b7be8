"""Octets as a server sent them, and how they are shown."""

from __future__ import annotations

import re

__all__ = ["Octets"]

_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})|\\\\")


class Octets(bytes):
    """What a server sent, byte for byte; ``str()`` shows it escaped, so that nothing in it acts on a terminal."""

    __slots__ = ()

    @classmethod
    def from_escaped(cls, text: str) -> Octets:
        """Reads the form that reports have."""

        def octet(found: re.Match[str]) -> str:
            return chr(int(found[1], 16)) if found[1] else "\\"

        return cls(_ESCAPE.sub(octet, text).encode("latin-1"))

    def __str__(self) -> str:
        return "".join(
            "\\\\" if octet == 0x5C else chr(octet) if 0x20 <= octet < 0x7F else f"\\x{octet:02x}"
            for octet in self
        )

    def __repr__(self) -> str:
        return f"Octets({bytes(self)!r})"
