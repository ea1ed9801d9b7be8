"""What the caller did wrong. A server that is closed, silent or out of reach raises nothing: that is a finding."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "ConfigError",
    "Error",
    "ForkError",
    "InputError",
    "KeyringError",
    "PlanError",
    "ReceiptError",
    "ReportError",
    "ResolverError",
    "SessionError",
    "SourceError",
    "StoreError",
    "TargetError",
]


class Error(Exception):
    """The base of all exceptions of this package."""

    code: str
    """A word that never changes, such as ``special-address``."""
    fields: Mapping[str, str]
    """What was asked for, as the message names it."""

    def __init__(self, message: str, code: str = "", fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.fields = MappingProxyType(dict(fields or {}))

    def __reduce__(self) -> tuple[type[Error], tuple[str, str, dict[str, str]]]:
        return type(self), (str(self), self.code, dict(self.fields))


class InputError(Error, ValueError):
    """Something is not what it should be: ``fields["field"]`` says what."""


class PlanError(Error, ValueError):
    """The run may not take place as it was asked for; ``code`` says why."""


class TargetError(Error, ValueError):
    """The name of the target has no address."""


class ConfigError(Error, ValueError):
    """A configuration cannot be read, or lacks something."""


class KeyringError(Error, ValueError):
    """Keys cannot be read, or others can read them."""


class ReportError(Error, ValueError):
    """A text is no report, or a report of a newer form."""


class ReceiptError(Error, ValueError):
    """A receipt or message cannot be added to a report."""


class SessionError(Error, RuntimeError):
    """A session is used after its end."""


class ForkError(Error, RuntimeError):
    """A handle is used in a child of the process that made it."""


class ResolverError(Error, OSError):
    """There is no DNS server, or it does not know: that says nothing about any mail server."""


class SourceError(Error, OSError):
    """The receiving server cannot listen, or a mailbox cannot be read."""


class StoreError(Error, OSError):
    """A store cannot be used."""
