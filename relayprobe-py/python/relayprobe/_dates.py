"""Dates are aware, always in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ._errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def from_unix(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)


def read(text: str) -> datetime:
    """The form of a report, ``2026-11-23T12:00:00Z``."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def optional(text: str | None) -> datetime | None:
    return None if text is None else read(text)


def unix(field: str, date: datetime) -> int:
    """Seconds since 1970. A date without a time zone could mean anything."""
    if date.tzinfo is None:
        raise InputError(f"{field}: {date} has no time zone", "input", {"field": field, "value": str(date)})
    return max(0, int(date.timestamp()))


def now() -> int:
    return int(datetime.now(timezone.utc).timestamp())
