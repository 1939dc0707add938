"""Writes a large organisation's month of mail as Exchange Online exports it, with the repetition real mail has."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

ENHANCED = (
    "origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,"
    "network_message_id,original_client_ip,directionality,connector_id,delivery_priority"
)
V2 = "MessageId,Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageTraceId"
DOMAINS = ("contoso.example", "contoso-group.example", "contoso.onmicrosoft.com")
NEWEST = datetime(2026, 11, 20)  # noqa: DTZ001  (the export writes UTC without saying so)
DAYS = 30
# Mails a person sends and receives in a day, counted once for each mail. Source: published surveys, 110 to 135 a day
# sent and received, of which a mail between colleagues counts twice.
MAILS_A_DAY = 65
_WORDS = [
    "invoice",
    "order",
    "meeting",
    "report",
    "offer",
    "question",
    "answer",
    "draft",
    "contract",
    "delivery",
    "update",
    "review",
    "plan",
    "budget",
    "project",
    "Besprechung",
    "Angebot",
    "Rechnung",
    "pedido",
    "factura",
    "reunión",
    "presupuesto",
    "información",
    "página",
    "wöchentlich",
    "visit",
    "travel",
]


class Mail(NamedTuple):
    """One mail as both exports show it; `address` is "" for mail from inside."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    address: str
    originating: bool
    connector: str
    kept: bool = True


class Organisation:
    """
    Who writes: shares of a month's mail, chosen after the kinds of mail in the proving ground and fixed here.

    People:    colleagues to colleagues 30 %, people to outside 12 %.
    World:     48 % from outside; nine in ten of them from 4,000 known domains by a 1/rank law, each from one to six
               addresses; the tenth from a domain and an address that come once.
    Devices:   5 %, one for six people, each with one name and address, behind few addresses of the organisation.
    Programs:  3 % from ten servers behind an inbound connector.
    Services:  1.5 % from twelve services, each from a pool of forty addresses.
    Forwards:  0.2 % people's own mail come back by way of eight forwarders.
    Spoofers:  0.3 % under people's names, half from twenty hosted addresses, half from addresses that come once.
    """

    def __init__(self, mails: int, seed: int = 7) -> None:
        self.chance = random.Random(seed)
        pick = self.chance.choice
        people = max(20, mails // (DAYS * MAILS_A_DAY))
        self.people = [f"{pick('abcdefgh')}.person{n}@{DOMAINS[n % 10 == 0]}" for n in range(people)]
        self.world = [
            (f"company{n}.example", [self.address() for _ in range(1 + n % 6)]) for n in range(4000)
        ]
        self.by_rank = list(_cumulated(1 / (n + 1) for n in range(len(self.world))))
        offices = [self.address() for _ in range(max(2, people // 150))]
        self.devices = [
            (f"scanner{n}@{DOMAINS[0]}", pick(offices), pick(self.people), f"Message from KM_C250i-{n}")
            for n in range(max(4, people // 6))
        ]
        self.programs = [(f"erp{n}@{DOMAINS[0]}", f"198.51.100.{n + 1}") for n in range(10)]
        self.services = [
            (f"news{n}@{DOMAINS[n % 2]}", [self.address() for _ in range(40)]) for n in range(12)
        ]
        self.forwarders = [self.address() for _ in range(8)]
        self.hosted = [self.address() for _ in range(20)]
        self.kinds: list[Callable[[int], Mail]] = [
            self.colleague, self.outward, self.inward, self.device, self.program, self.service, self.forward, self.spoof,
        ]  # fmt: skip
        self.shares = list(_cumulated((0.30, 0.12, 0.48, 0.05, 0.03, 0.015, 0.002, 0.003)))

    def mails(self, number: int) -> Iterator[Mail]:
        """Give so many mails, in no order of kind."""
        for n, kind in enumerate(self.chance.choices(self.kinds, cum_weights=self.shares, k=number)):
            yield kind(n)

    def address(self) -> str:
        """Give some public address."""
        pick = self.chance.randrange
        return f"{pick(20, 200)}.{pick(256)}.{pick(256)}.{pick(1, 255)}"

    def subject(self) -> str:
        """Give a subject as people write them."""
        return f"{self.chance.choice(('', '', 'Re: ', 'AW: '))}{' '.join(self.chance.choices(_WORDS, k=4))}"

    def colleague(self, _: int) -> Mail:
        """A colleague to one or a few others."""
        pick = self.chance
        number = 1 if pick.random() < 0.7 else pick.randrange(2, 6)
        return Mail(
            pick.choice(self.people), tuple(pick.choices(self.people, k=number)), self.subject(), "", True, ""
        )

    def outward(self, _: int) -> Mail:
        """A person to somebody outside."""
        domain, _addresses = self.chance.choices(self.world, cum_weights=self.by_rank)[0]
        return Mail(self.chance.choice(self.people), (f"contact@{domain}",), self.subject(), "", True, "")

    def inward(self, number: int) -> Mail:
        """Somebody outside to a person."""
        pick = self.chance
        if pick.random() < 0.9:
            domain, addresses = pick.choices(self.world, cum_weights=self.by_rank)[0]
            sender, address = f"contact{pick.randrange(20)}@{domain}", pick.choice(addresses)
        else:
            sender, address = f"someone@once{number}.example", self.address()
        return Mail(sender, (pick.choice(self.people),), self.subject(), address, False, "")

    def device(self, _: int) -> Mail:
        """A scanner to its people."""
        name, address, person, subject = self.chance.choice(self.devices)
        return Mail(name, (person,), subject, address, False, "")

    def program(self, number: int) -> Mail:
        """A program behind a connector."""
        name, address = self.chance.choice(self.programs)
        return Mail(
            name,
            (self.chance.choice(self.people),),
            f"Order {number} confirmed",
            address,
            True,
            "From servers",
        )

    def service(self, number: int) -> Mail:
        """A service that writes in the organisation's name."""
        name, pool = self.chance.choice(self.services)
        person, address = self.chance.choice(self.people), self.chance.choice(pool)
        return Mail(name, (person,), f"Newsletter {number // 1000}", address, False, "")

    def forward(self, _: int) -> Mail:
        """A person's own mail that a forwarder brings back."""
        pick = self.chance.choice
        return Mail(pick(self.people), (pick(self.people),), self.subject(), pick(self.forwarders), False, "")

    def spoof(self, _: int) -> Mail:
        """Somebody who writes to a person under that person's name."""
        person = self.chance.choice(self.people)
        address = self.chance.choice(self.hosted) if self.chance.random() < 0.5 else self.address()
        return Mail(person, (person,), "Missed voice message", address, False, "", self.chance.random() < 0.4)


def _cumulated(weights: object) -> Iterator[float]:
    total = 0.0
    for weight in weights:  # type: ignore[attr-defined]
        total += weight
        yield total


def write_exports(folder: Path, mails: int) -> tuple[Path, Path]:
    """
    Write the mails as Enhanced summary (UTF-16LE without BOM, a row a mail) and as V2 CSV (UTF-8, a row a recipient).

    Beside them stand the exports of accepted domains, connectors and organisation settings. Gives the two traces.
    """
    organisation = Organisation(mails)
    chance = organisation.chance
    wide, v2 = folder / "enhanced.csv", folder / "v2.csv"
    step = timedelta(days=DAYS) / mails
    with (
        wide.open("w", encoding="utf-16-le", newline="") as enhanced,
        v2.open("w", encoding="utf-8", newline="") as summary,
    ):
        enhanced.write(ENHANCED + "\r\n")
        summary.write(",".join(f'"{name}"' for name in V2.split(",")) + "\r\n")
        for number, mail in enumerate(organisation.mails(mails)):
            at = (NEWEST - number * step).isoformat(timespec="microseconds")
            text = f"{chance.getrandbits(128):032x}"
            guid = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
            size = chance.randrange(2_000, 900_000)
            message_id = f"<{text[:18].upper()}.{number}@mail.{mail.sender.partition('@')[2]}>"
            fresh = number * step < timedelta(days=10)
            fate = "Deliver" if mail.kept else "Fail"
            status = ";".join(f"{recipient}##Receive, {fate}" for recipient in mail.recipients)
            enhanced.write(
                f'{at}0Z,{mail.sender},"{status}","{mail.subject}",{size},{message_id},{guid},'
                f"{mail.address if fresh else ''},{'Originating' if mail.originating else 'Incoming'},{mail.connector},Normal\r\n"
            )
            for recipient in mail.recipients:
                summary.write(
                    f'"{message_id}","{at}0Z","{mail.sender}","{recipient}","{mail.subject}",'
                    f'"{"Delivered" if mail.kept else "Quarantined"}","",'
                    f'"{mail.address if not mail.originating or mail.connector else ""}","{size}","{guid}"\r\n'
                )
    _write_settings(folder)
    return wide, v2


def _write_settings(folder: Path) -> None:
    exports: dict[str, list[dict[str, object]]] = {
        "Get-AcceptedDomain": [
            {"Name": name, "DomainName": name, "DomainType": "Authoritative", "MatchSubDomains": False, "Default": not n}
            for n, name in enumerate(DOMAINS)
        ],
        "Get-InboundConnector": [
            {
                "Name": "From servers", "ConnectorType": "OnPremises", "Enabled": True, "SenderDomains": ["smtp:*;1"],
                "SenderIPAddresses": ["198.51.100.0/28"], "TlsSenderCertificateName": None,
                "RestrictDomainsToIPAddresses": False, "RestrictDomainsToCertificate": False, "RequireTls": False,
                "CloudServicesMailEnabled": False,
            }
        ],
        "Get-OrganizationConfig": [{"Name": "contoso", "RejectDirectSend": False}],
    }  # fmt: skip
    for cmdlet, objects in exports.items():
        (folder / f"{cmdlet}.json").write_text(json.dumps(objects), encoding="utf-8")
