"""A scanner and a campaign in one organisation's name, for tests of what tells senders apart."""

from __future__ import annotations

from datetime import timedelta

from portero.core.exchange.settings import AcceptedDomain, Settings
from portero.core.flow import Distinct, Flow
from support.flows import START, flow

OURS = "contoso.com"
SETTINGS = Settings(accepted_domains=(AcceptedDomain(OURS, match_subdomains=False),), inbound_connectors=())


def people(number: int) -> Distinct:
    return Distinct(tuple(range(number)))


def scanner(**given: object) -> Flow:
    known = {
        "client_ip": "198.51.100.10",
        "connector": "",
        "direction": "incoming",
        "mail_from_domain": OURS,
        "header_from": f"scanner@{OURS}",
        "ehlo": "km-c258",
        "shapes": {"scanned from km_c#": 60},
        "distinct_shapes": people(1),
        "recipients": people(12),
    }
    return flow(60, 60, **{**known, **given})


def campaign(address: str = "192.0.2.66", **given: object) -> Flow:
    known = {
        "client_ip": address,
        "connector": "",
        "direction": "incoming",
        "mail_from_domain": OURS,
        "header_from": f"ann@{OURS}",
        "ehlo": "win-8fk3",
        "shapes": {"new voicemail message (#)": 40},
        "recipients": people(40),
        "self_addressed": 40,
        "busiest": 40,
        "spf": {"fail": 40},
        "dkim": {"none": 40},
        "dmarc": {"fail": 40},
    }
    return flow(40, 1, start=START + timedelta(days=50), **{**known, **given})
