"""Makes events in the manner of IntelMQ: `intelmq_event.py < reports.jsonl > events.jsonl`.

Only what is proven becomes an event: others act on it.
"""

from __future__ import annotations

import json
import sys

from relayprobe import Report, Verdict


def event(report: Report) -> dict[str, object] | None:
    """The event of a report; nothing unless the server is proven to relay."""
    if report.verdict is not Verdict.OPEN_RELAY:
        return None
    relayed = [probe.case for probe in report.probes if probe.outcome in ("relayed", "relay-attempted") and not probe.is_control]
    machines = {str(receipt.egress.address) for receipt in report.receipts if receipt.egress and receipt.kind == "relayed"}
    target = report.run.target
    found: dict[str, object] = {
        "classification.taxonomy": "vulnerable",
        "classification.type": "vulnerable-system",
        "classification.identifier": "openrelay",
        "protocol.application": "smtp",
        "protocol.transport": "tcp",
        "source.ip": str(report.address),
        "source.port": report.port,
        "time.source": report.as_of.isoformat(),
        "event_description.text": f"mail server relays for strangers ({', '.join(relayed)})",
        "extra.relayprobe.run": report.run.name,
        "extra.relayprobe.cases": relayed,
        "extra.relayprobe.handed_over_by": sorted(machines),
    }
    if target.reverse_name is not None:
        found["source.reverse_dns"] = target.reverse_name
    return found


def main() -> int:
    for line in sys.stdin:
        if (found := event(Report.from_json(line))) is not None:
            print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
