"""The session without sockets, for any event loop."""

from __future__ import annotations

from . import _core
from ._report import Report

__all__ = ["Session"]


class Session(_core.Session):
    """A run that opens no socket and reads no clock: ``poll_output`` says what to start, ``handle_…`` takes what came of it."""

    __slots__ = ()

    def report(self) -> Report:
        """Ends the session, and judges what was recorded so far."""
        return Report._of(self.end())
