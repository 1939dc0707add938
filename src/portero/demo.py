"""The sample organisation of ``portero demo``: three months of mail, written as the files an administrator exports."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

DAYS = 84
DOMAIN = "northwind.example"
ENHANCED = (
    "origin_timestamp_utc", "sender_address", "recipient_status", "message_subject", "total_bytes", "message_id",
    "network_message_id", "original_client_ip", "directionality", "connector_id", "delivery_priority",
)  # fmt: skip
V2 = (
    "MessageId", "Received", "SenderAddress", "RecipientAddress", "Subject", "Status", "ToIP", "FromIP", "Size",
    "MessageTraceId",
)  # fmt: skip
PEOPLE = tuple(f"{name}@{DOMAIN}" for name in ("ana", "ben", "carla", "david", "elena", "frank", "grace", "hugo",
                                               "ines", "jon", "karin", "luis"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Mail:
    at: datetime
    sender: str
    recipient: str
    subject: str
    client_ip: str
    direction: str = "Incoming"
    connector: str = ""


def write_sample(folder: Path, end: datetime) -> None:
    """
    Write the evidence of the sample organisation.

    end:  when the story is told, aware UTC; it ends on the Saturday before, and the same week gives the same bytes.
    """
    chance = Random(20261124)  # noqa: S311 - a story, not a secret
    # The story always ends on a Saturday at midnight, so that its weeks and counts are the same on every day it is told.
    last = end.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    last -= timedelta(days=(last.weekday() - 5) % 7)
    start = last - timedelta(days=DAYS)
    mails = sorted(_story(chance, start), key=lambda mail: mail.at, reverse=True)
    ids = [UUID(int=chance.getrandbits(128), version=4) for _ in mails]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "message-trace-enhanced.csv").write_bytes(_enhanced(mails, ids, start + timedelta(days=DAYS)))
    (folder / "message-trace-v2.csv").write_bytes(_v2(mails, ids))
    (folder / "portero.toml").write_text(_CONFIGURATION, encoding="utf-8")
    (folder / "dmarc-google.xml.gz").write_bytes(gzip.compress(_REPORT.format(
        begin=int((start + timedelta(days=80)).timestamp()), end=int((start + timedelta(days=81)).timestamp())
    ).encode(), mtime=0))  # fmt: skip


def _story(chance: Random, start: datetime) -> Iterator[_Mail]:
    for number in range(DAYS):
        day = start + timedelta(days=number)
        if day.weekday() < 5:
            yield from _working_day(chance, day, number)
        yield _at(chance, day, "nas@" + DOMAIN, PEOPLE[11], "Backup report: job finished", "198.51.100.12", 2)
        if number % 28 == 20:
            for person in PEOPLE:
                yield _at(
                    chance, day, "payroll@" + DOMAIN, person, f"Your pay slip {day:%m/%Y}", "203.0.113.40", 6
                )
        if number in {73, 74}:
            for person in PEOPLE:
                yield _at(chance, day, person, person, f"New voice message (0:{number})", "192.0.2.66", 13)
        if number == 80:
            for person in PEOPLE[:8]:
                yield _at(
                    chance,
                    day,
                    "scanner2f@" + DOMAIN,
                    person,
                    "Scanned from MFP-2F: invoice overdue",
                    "192.0.2.81",
                    9,
                )


def _working_day(chance: Random, day: datetime, number: int) -> Iterator[_Mail]:
    for _ in range(chance.randint(3, 8)):
        yield _at(
            chance,
            day,
            "scanner2f@" + DOMAIN,
            chance.choice(PEOPLE),
            f"Scanned from MFP-2F {chance.randint(1, 9999):04d}",
            "198.51.100.10",
        )
    for _ in range(chance.randint(1, 4)):
        yield _at(
            chance,
            day,
            "erp@" + DOMAIN,
            chance.choice(PEOPLE[:4]),
            f"Order {chance.randint(10000, 99999)} confirmed",
            "198.51.100.11",
        )
    for _ in range(chance.randint(8, 15)):
        sender, recipient = chance.sample(PEOPLE, 2)
        yield _at(
            chance,
            day,
            sender,
            recipient,
            f"Re: meeting {chance.randint(1, 500)}",
            "",
            direction="Originating",
        )
    for _ in range(chance.randint(10, 25)):
        yield _at(
            chance,
            day,
            f"sales@partner{chance.randint(1, 60)}.example",
            chance.choice(PEOPLE),
            "Offer",
            f"203.0.113.{chance.randint(100, 200)}",
        )
    if number % 7 == 3:
        for person in PEOPLE:
            yield _at(
                chance, day, "news@" + DOMAIN, person, f"Staff newsletter {number // 7 + 1}", "203.0.113.50"
            )


def _at(
    chance: Random, day: datetime, sender: str, recipient: str, subject: str, client_ip: str,
    hour: int = 8, *, direction: str = "Incoming",
) -> _Mail:  # fmt: skip
    spread = 60 if hour in {2, 6, 9, 13} else 540
    moment = day + timedelta(hours=hour, minutes=chance.randrange(spread), seconds=chance.randrange(60))
    return _Mail(moment, sender, recipient, subject, client_ip, direction)


def _enhanced(mails: list[_Mail], ids: list[UUID], newest: datetime) -> bytes:
    """Enhanced summary: UTF-16LE without a mark; client addresses older than ten days are blanked, as the service does."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(ENHANCED)
    for mail, identity in zip(mails, ids, strict=True):
        address = mail.client_ip if newest - mail.at <= timedelta(days=10) else ""
        writer.writerow((f"{mail.at:%Y-%m-%dT%H:%M:%S}.0000000Z", mail.sender, f"{mail.recipient}##Receive, Deliver",
                         mail.subject, 4096, f"<{identity.hex}@{DOMAIN}>", identity, address, mail.direction,
                         mail.connector, "Normal"))  # fmt: skip
    return text.getvalue().encode("utf-16-le")


def _v2(mails: list[_Mail], ids: list[UUID]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(V2)
    for mail, identity in zip(mails, ids, strict=True):
        writer.writerow((f"<{identity.hex}@{DOMAIN}>", f"{mail.at:%Y-%m-%dT%H:%M:%S}.0000000Z", mail.sender, mail.recipient,
                         mail.subject, "Delivered", "", mail.client_ip, 4096, identity))  # fmt: skip
    return text.getvalue().encode()


_CONFIGURATION = f"""[organisation]
name = "Northwind Sample"
accepted_domains = ["{DOMAIN}"]
mx_provider = "microsoft"

[[sender]]
label = "Pay slips"
header_from = ["payroll@{DOMAIN}"]
cidr = ["203.0.113.40/32"]
judgement = "legitimate"
owner = "hr@{DOMAIN}"
"""

_REPORT = f"""<?xml version="1.0" encoding="UTF-8"?>
<feedback><report_metadata><org_name>google.com</org_name><email>noreply@google.com</email>
<report_id>sample-1</report_id><date_range><begin>{{begin}}</begin><end>{{end}}</end></date_range></report_metadata>
<policy_published><domain>{DOMAIN}</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp></policy_published>
<record><row><source_ip>203.0.113.50</source_ip><count>24</count><policy_evaluated><disposition>none</disposition>
<dkim>pass</dkim><spf>pass</spf></policy_evaluated></row><identifiers><header_from>{DOMAIN}</header_from>
<envelope_from>{DOMAIN}</envelope_from></identifiers><auth_results><dkim><domain>{DOMAIN}</domain><selector>news</selector>
<result>pass</result></dkim><spf><domain>{DOMAIN}</domain><scope>mfrom</scope><result>pass</result></spf></auth_results></record>
</feedback>
"""
