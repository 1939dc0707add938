"""How long 100,000 flows take to be replayed against a changed SPF record."""

from __future__ import annotations

import ipaddress
import time
from datetime import UTC, datetime

from portero.core.controls import parse_control
from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.exchange.settings import AcceptedDomain, Settings
from portero.core.flow import Facts, Flow, FlowKey
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Sender
from portero.core.simulate import simulate
from portero.core.text import Text

FLOWS = 100_000
FLOWS_PER_SENDER = 50
DOMAIN = "contoso.com"
RECORDS = {
    DOMAIN: "v=spf1 ip4:203.0.113.8/29 include:spf.protection.outlook.com include:_spf.vendor.example -all",
    "spf.protection.outlook.com": (
        "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 ip4:52.103.0.0/17 "
        "ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 ip6:2a01:111:f403:8000::/51 -all"
    ),
    "_spf.vendor.example": "v=spf1 include:a.vendor.example include:b.vendor.example ~all",
    "a.vendor.example": "v=spf1 ip4:198.51.100.0/24 ~all",
    "b.vendor.example": "v=spf1 ip4:192.0.2.0/25 ~all",
    f"_dmarc.{DOMAIN}": "v=DMARC1; p=reject",
}
CONTROL = f"spf={DOMAIN}:v=spf1 ip4:203.0.113.8/29 include:spf.protection.outlook.com -all"
SEEN = datetime(2026, 11, 1, tzinfo=UTC)


def senders() -> list[Sender]:
    """Make senders whose flows all have an address of their own, so that no answer serves twice."""
    found = []
    for first in range(0, FLOWS, FLOWS_PER_SENDER):
        flows = tuple(map(a_flow, range(first, first + FLOWS_PER_SENDER)))
        found.append(
            Sender(
                id=str(first), label=Text("Sender"), kind=Kind.UNKNOWN, judgement=Judgement.UNDECIDED, confidence=0.5,
                decided_by=DecidedBy.EVIDENCE, path=Path.DIRECT_SEND, connector=None, client_networks=(),
                mail_from_domains=(DOMAIN,), header_from_domains=(DOMAIN,), header_from=(), ehlo=(), mails=len(flows),
                outside=0, witnesses={}, recipients=1, first_seen=SEEN, last_seen=SEEN, because=(), flows=flows,
            )
        )  # fmt: skip
    return found


def a_flow(number: int) -> Flow:
    """Make a flow: one in two from the vendor, the rest from anywhere."""
    base = ipaddress.IPv4Address("198.51.100.0") if number % 2 else ipaddress.IPv4Address("11.0.0.0")
    address = str(base + (number if number % 2 == 0 else number // 2 % 256))
    key = FlowKey(address, DOMAIN, f"n{number}@{DOMAIN}", connector="", direction="incoming")
    return Flow(key, Facts(mails=3, spf={"pass": 3}, dkim={"none": 3}, dmarc={"pass": 3}))


if __name__ == "__main__":
    answers = [DnsAnswer(name, "TXT", DnsStatus.NOERROR, (text,)) for name, text in RECORDS.items()]
    settings = Settings(accepted_domains=(AcceptedDomain(DOMAIN),), inbound_connectors=(), dns=Dns(answers))
    made = senders()
    start, cpu = time.perf_counter(), time.process_time()
    found = simulate(made, settings, (parse_control(CONTROL),))
    print(
        f"{FLOWS:,} flows replayed in {time.perf_counter() - start:.1f} s ({time.process_time() - cpu:.1f} s of CPU): "
        f"{found.refused:,} messages refused, {found.kept:,} kept, {found.undetermined:,} undetermined"
    )
