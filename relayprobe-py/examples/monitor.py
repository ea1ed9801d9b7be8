"""Watches servers of one's own in an event loop: `monitor.py CONFIG STATE SERVER…`. Run it once a day, or leave it to a timer.

A line is printed for each server whose verdict is another one than last time. The exit status is 2 if one of them relays.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from relayprobe import Authorization, Identity, Report, Verdict, probe_async

AT_ONCE = 10
OPTIONS: dict[str, object] = {"matrix": "standard"}


async def watch(servers: list[str], identity: Identity, authorization: Authorization) -> dict[str, Report]:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(server: str) -> tuple[str, Report]:
        async with places:
            found = await probe_async(server, identity=identity, authorization=authorization, **OPTIONS)  # type: ignore[arg-type]
            return server, found

    return dict(await asyncio.gather(*map(one, servers)))


def changes(before: dict[str, str], reports: dict[str, Report]) -> list[str]:
    return [
        f"{server}: {before.get(server, 'new')} -> {report.verdict} ({', '.join(reason.word for reason in report.reasons) or 'no doubt'})"
        for server, report in sorted(reports.items())
        if before.get(server) != report.verdict
    ]


def main(config: str, state: str, *servers: str) -> int:
    identity, authorization = Identity.load(config), Authorization.load(config)
    path = Path(state)
    before: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    reports = asyncio.run(watch(list(servers), identity, authorization))
    print(*changes(before, reports), sep="\n")
    # A server that could not be asked keeps what is known of it.
    known = {server: report.verdict.value for server, report in reports.items() if report.exit_code != 3}
    path.write_text(json.dumps(before | known, indent=1))
    return 2 if any(report.verdict is Verdict.OPEN_RELAY for report in reports.values()) else 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
