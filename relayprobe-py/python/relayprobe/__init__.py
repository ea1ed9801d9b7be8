"""Finds out whether a mail server is an open relay, and shows the evidence.

>>> from relayprobe import Identity, probe
>>> identity = Identity.load("relayprobe.toml")
>>> report = probe("mx.customer.example", identity=identity, authorization="customer-contract:K123")
>>> print(report.verdict, report.exit_code)
"""

from __future__ import annotations

import logging as _logging
import os as _os
import sys as _sys
from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import _core
from ._core import Arrival, Event, Keyring, Output, Plan, Stop, Store
from ._errors import (
    ConfigError,
    Error,
    ForkError,
    InputError,
    KeyringError,
    PlanError,
    ReceiptError,
    ReportError,
    ResolverError,
    SessionError,
    SourceError,
    StoreError,
    TargetError,
)
from ._names import BlockList, Finding, Listing, Mail, MailHost, listings, resolve, self_check
from ._octets import Octets
from ._plan import History, Options, plan
from ._receipts import Counts, Forged, NotOurs, Sink, UnknownRun, cases, classify
from ._report import (
    Egress,
    Hop,
    PathVerdict,
    Probe,
    Reason,
    Receipt,
    Report,
    Reported,
    Run,
    Server,
    judge,
)
from ._run import probe
from ._session import Session, loss
from ._who import Authorization, Identity, Target
from ._words import (
    Acceptance,
    AuthorizationKind,
    How,
    Measure,
    OutcomeWord,
    Profile,
    Prove,
    ReasonWord,
    ReceiptKind,
    Selection,
    Vantage,
    Verdict,
    Why,
)

if _TYPE_CHECKING:
    from ._aio import probe_async
    from ._many import Many, Progress, probe_many

__version__ = _core.VERSION

_core.claim(id(_sys.modules))

__all__ = [
    "Acceptance",
    "Arrival",
    "Authorization",
    "AuthorizationKind",
    "BlockList",
    "ConfigError",
    "Counts",
    "Egress",
    "Error",
    "Event",
    "Finding",
    "Forged",
    "ForkError",
    "History",
    "Hop",
    "How",
    "Identity",
    "InputError",
    "Keyring",
    "KeyringError",
    "Listing",
    "Mail",
    "MailHost",
    "Many",
    "Measure",
    "NotOurs",
    "Octets",
    "Options",
    "OutcomeWord",
    "Output",
    "PathVerdict",
    "Plan",
    "PlanError",
    "Probe",
    "Profile",
    "Progress",
    "Prove",
    "Reason",
    "ReasonWord",
    "Receipt",
    "ReceiptError",
    "ReceiptKind",
    "Report",
    "ReportError",
    "Reported",
    "ResolverError",
    "Run",
    "Selection",
    "Server",
    "Session",
    "SessionError",
    "Sink",
    "SourceError",
    "Stop",
    "Store",
    "StoreError",
    "Target",
    "TargetError",
    "UnknownRun",
    "Vantage",
    "Verdict",
    "Why",
    "cases",
    "classify",
    "judge",
    "listings",
    "loss",
    "plan",
    "probe",
    "probe_async",
    "probe_many",
    "resolve",
    "self_check",
]

# Whoever wants to hear of runs says so.
_logging.getLogger("relayprobe").addHandler(_logging.NullHandler())
if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(after_in_child=_core.forked)

# asyncio and concurrent.futures take longer to import than all the rest: who does not need them does not wait for them.
_LATER = {"probe_async": "_aio", "Many": "_many", "Progress": "_many", "probe_many": "_many"}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f".{_LATER[name]}", __name__), name)
    globals()[name] = found
    return found
