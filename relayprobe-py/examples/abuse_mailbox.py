"""Answers requests for a test: `abuse_mailbox.py CONFIG CUSTOMERS REQUESTS ANSWERS STORE`.

A request is a message in the Maildir REQUESTS whose subject asks for a relay test. Who asks is looked up in CUSTOMERS, a CSV file with
the columns `contract`, `contact` and `server`; the server of that line is tested, and the answer goes to the contact of that line. Nothing
else of the message is believed: a header can be forged, and a stranger must not be able to have a server tested, or to read the result.
"""

from __future__ import annotations

import csv
import mailbox
import sys
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr
from pathlib import Path

from relayprobe import Authorization, Error, Identity, PlanError, Report, Store, Target, TargetError, Verdict, probe

SUBJECT = "relay test"
OPTIONS: dict[str, object] = {}
ADVICE = {
    Verdict.OPEN_RELAY: "It relays for strangers: close it for all but your own networks and those who log in, then ask again.",
    Verdict.SUSPECTED: "It accepts what a correct server refuses. We cannot prove that it relays; please look at its configuration.",
    Verdict.CLOSED: "It refused to relay in every form that we tried. Once the standard matrix says so too, a block for relaying can be lifted.",
    Verdict.ACCEPTS_WITHOUT_RELAYING: "It accepts mail for strangers, and none of ours came back. It does not relay.",
}


@dataclass(frozen=True, slots=True)
class Customer:
    contract: str
    contact: str
    server: Target


def read_customers(path: Path) -> dict[str, Customer]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = [Customer(row["contract"], row["contact"], Target(row["server"])) for row in csv.DictReader(file)]
    return {row.contact.casefold(): row for row in rows}


def asking(raw: bytes, customers: dict[str, Customer]) -> Customer | None:
    """The customer on file who asks, if the message is a request."""
    message = BytesParser(policy=policy.default).parsebytes(raw, headersonly=True)
    if SUBJECT not in str(message["Subject"] or "").casefold():
        return None
    return customers.get(parseaddr(str(message["From"] or ""))[1].casefold())


def test(customer: Customer, identity: Identity, store: Store) -> Report:
    authorization = Authorization("customer-contract", customer.contract)
    return probe(customer.server, identity=identity, authorization=authorization, store=store, **OPTIONS)  # type: ignore[arg-type]


def answer(customer: Customer, identity: Identity, report: Report | None, fault: Error | None) -> EmailMessage:
    message = EmailMessage()
    message["From"] = identity.contact
    message["To"] = customer.contact
    message["Auto-Submitted"] = "auto-replied"
    if report is None:
        message["Subject"] = "Your mail server was not tested"
        message.set_content(f"We have not tested {customer.server.host}: {fault}.\n")
        return message
    message["Subject"] = f"Your mail server: {report.verdict}"
    advice = ADVICE.get(report.verdict, "We could not find out whether it relays.")
    # The words of the report are escaped: nothing that the server said can act on whoever reads this.
    message.set_content(f"{advice}\n\n{report.redacted().text()}")
    return message


def main(config: str, customers: str, requests: str, answers: str, store: str) -> int:
    identity = Identity.load(config)
    known = read_customers(Path(customers))
    inbox, outbox = mailbox.Maildir(requests), mailbox.Maildir(answers)
    kept = Store(store)
    for key in inbox.keys():
        customer = asking(inbox.get_bytes(key), known)
        if customer is not None:
            report, fault = None, None
            try:
                report = test(customer, identity, kept)
            except (PlanError, TargetError) as raised:
                # Tested today already, the contract is over, or the name is gone: that is an answer too.
                fault = raised
            except Error as raised:
                # Trouble of our own: the request stays new, and the next ones have their turn.
                print(f"{customer.contract}: {raised}", file=sys.stderr)
                continue
            outbox.add(answer(customer, identity, report, fault).as_bytes())
            print(f"{customer.contract}: {report.verdict if report else fault}")
        done = inbox[key]
        done.set_subdir("cur")
        done.add_flag("S")
        inbox[key] = done
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
