"""The session without sockets, for any event loop."""

from __future__ import annotations

import ssl

from . import _core
from ._report import Report

__all__ = ["Session", "loss"]


class Session(_core.Session):
    """A run that opens no socket and reads no clock: ``poll_output`` says what to start, ``handle_…`` takes what came of it."""

    __slots__ = ()

    def report(self) -> Report:
        """Ends the session, and judges what was recorded so far."""
        return Report._of(self.end())


def loss(fault: OSError) -> str:
    """What an error of a socket says about its connection: the word for ``Session.handle_lost``."""
    return "tls" if isinstance(fault, ssl.SSLError) else _core.loss(fault.errno or 0)
