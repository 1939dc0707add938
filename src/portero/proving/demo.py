"""The sample organisation of ``portero demo``: Northwind, a maker of instruments, and its autumn.

Its addresses are those reserved for documentation (RFC 5737, RFC 3849), its names those reserved for examples
(RFC 2606). 203.0.113.0/24 is Northwind's own, 198.51.100.0/24 its suppliers', 192.0.2.0/24 rented by strangers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from portero.proving import background, devices
from portero.proving.axes import Axes
from portero.proving.draft import Draft
from portero.proving.generate import finish
from portero.proving.organisation import Connector, Domain, Organisation, Outside, Sender
from portero.proving.writers.export import write

NAME = "Northwind Instruments"
DOMAIN = "northwind.example"
_DAYS = 90
_OFFICE, _RELAY = "203.0.113.10", "203.0.113.20"
_PAYROLL, _NEWSLETTER, _FORWARDER = "198.51.100.20", "198.51.100.80", "198.51.100.140"
_TICKETS = ("2001:db8:77:1::25", "2001:db8:77:2::25")
_AXES = Axes(
    people=64,
    days=_DAYS,
    scanners=3,
    second_domain=True,
    campaigns=(),
    policy="none",
    traces="email-events+enhanced+v2",
    dns="json-lines",
    mails_at_most=3200,
)
_CONFIGURATION = f"""\
[organisation]
name = "{NAME}"

[[network]]
name = "Head office egress"
cidr = ["203.0.113.8/29"]
use = "devices"
"""


# The story has a date, so that everybody who tries it sees the same figures as the manual.
TOLD_ON = datetime(2026, 11, 24, tzinfo=UTC)


def write_sample(folder: Path, end: datetime = TOLD_ON) -> None:
    """
    Write the sample organisation's evidence below a folder, as its administrator would have exported it.

    end:  aware UTC; the story is told up to the midnight before, and the same day gives the same bytes.
    """
    write(sample(end), folder)
    (folder / "portero.toml").write_text(_CONFIGURATION, encoding="utf-8")


def sample(end: datetime) -> Organisation:
    """Give the sample organisation in the ninety days before the midnight before `end`."""
    last = end.replace(hour=0, minute=0, second=0, microsecond=0)
    domains = [
        Domain("northwind.onmicrosoft.com", initial=True),
        Domain(DOMAIN, default=True, policy="none"),
        Domain("northwind-service.example", policy="reject", spf="v=spf1 -all"),
    ]
    random = Random(20261124)  # noqa: S311 - a story that is told the same every time, not a secret
    draft = Draft(random, _AXES, last - timedelta(days=_DAYS), last, "northwind", domains)
    draft.hire()
    draft.office = "203.0.113"
    draft.listed += [f"{address}/32" for address in (_OFFICE, _RELAY)]
    _own_machines(draft)
    _suppliers(draft)
    for wave in (_voicemail, _salary, _copied_scanner, _director):
        wave(draft)
    background.mailboxes(draft)
    background.inbound(draft, [f"2001:db8:{number:x}::19" for number in range(0x100, 0x105)])
    return finish(draft)


def _own_machines(draft: Draft) -> None:
    def office(_: datetime) -> str:
        return _OFFICE

    devices.scanners(draft, office)
    devices.scan_to_self(draft, office)
    devices.small_devices(draft, office)
    devices.new_device(draft, office)
    devices.smtp_auth(draft, ["203.0.113.11", "203.0.113.12"])
    draft.connectors.append(Connector("On-premises relay", "OnPremises", ("*",), addresses=(_RELAY,)))
    _regular(
        draft,
        "erp",
        "ERP by the relay",
        "application",
        "erp",
        "erp",
        22,
        lambda _: _RELAY,
        "relay1." + DOMAIN,
    )
    # The warehouse has a line whose address changes every week, and nobody thought of SPF.
    _regular(
        draft, "warehouse", "Warehouse labels", "device", "warehouse-mfp", "scan", 9, _warehouse, "BRN30055C"
    )


def _warehouse(when: datetime) -> str:
    return f"203.0.113.{64 + when.isocalendar().week * 7 % 32}"


def _suppliers(draft: Draft) -> None:
    draft.listed += [f"{address}/{128 if ':' in address else 32}" for address in (_PAYROLL, *_TICKETS)]
    draft.includes += ["_spf.payroll-office.example", "_spf.tickets.example"]
    draft.answers["_spf.payroll-office.example", "TXT"] = (f"v=spf1 ip4:{_PAYROLL} -all",)
    terms = " ".join(f"ip6:{address}" for address in _TICKETS)
    draft.answers["_spf.tickets.example", "TXT"] = (f"v=spf1 {terms} -all",)
    _payroll(draft)
    _regular(
        draft, "tickets", "Ticket system", "service", "support", "service", 14,
        lambda when: _TICKETS[when.day % 2], "mta.tickets.example", dkim=True,
    )  # fmt: skip
    _newsletter(draft)
    forwarder = draft.enlist(
        Sender("forwarder", "Alumni forwarder", "forwarder", "legitimate", "forwards without SRS")
    )
    for when in draft.times(4):
        author, target = draft.random.sample(draft.people[:20], 2)
        draft.post(
            forwarder, when, mail_from=author.address, display_name=author.name, recipients=[target.address],
            subject=draft.subject("people", when), client_ip=_FORWARDER, ehlo="mx.alumni.example",
            dkim_domain=DOMAIN,
        )  # fmt: skip


def _regular(
    draft: Draft,
    identity: str,
    label: str,
    kind: str,
    local: str,
    family: str,
    per_week: float,
    address: Callable[[datetime], str],
    ehlo: str,
    *,
    dkim: bool = False,
) -> None:
    sender = draft.enlist(Sender(identity, label, kind, "legitimate", label))
    users = draft.some(draft.people, 18)
    for when in draft.times(per_week):
        draft.post(
            sender, when, mail_from=f"{local}@{DOMAIN}", display_name=label, recipients=[draft.pick(users).address],
            subject=draft.subject(family, when), client_ip=address(when), ehlo=ehlo,
            dkim_domain=DOMAIN if dkim else "",
        )  # fmt: skip


def _payroll(draft: Draft) -> None:
    identity = draft.enlist(
        Sender("payroll", "Payroll office", "service", "legitimate", "monthly, to everybody")
    )
    for number in range(1, _DAYS):
        day = draft.start + timedelta(days=number)
        for person in draft.people if day.day == 20 else ():
            when = day + timedelta(hours=8, seconds=draft.random.randint(0, 1800))
            draft.post(
                identity, when, mail_from=f"payroll@{DOMAIN}", display_name="Payroll",
                recipients=[person.address], subject=draft.subject("payroll", day), client_ip=_PAYROLL,
                ehlo="out.payroll-office.example",
            )  # fmt: skip


def _newsletter(draft: Draft) -> None:
    identity = draft.enlist(Sender("newsletter", "Newsletter", "service", "legitimate", "own bounce domain"))
    draft.answers["mail.letters.example", "TXT"] = (f"v=spf1 ip4:{_NEWSLETTER} -all",)
    for number in range(3, _DAYS, 7):
        day = draft.start + timedelta(days=number, hours=10)
        for person in draft.people[:6]:
            draft.post(
                identity, day, mail_from="bounce-9@mail.letters.example", header_from=f"news@{DOMAIN}",
                display_name="Northwind News", recipients=[person.address],
                subject=draft.subject("newsletter", day), client_ip=_NEWSLETTER, ehlo="s3.letters.example",
                dkim_domain=DOMAIN,
            )  # fmt: skip
        midnight = day.replace(hour=0)
        for receiver, mails in (("google.com", 310), ("Yahoo", 90)):
            draft.outside.append(
                Outside(
                    midnight,
                    receiver,
                    _NEWSLETTER,
                    "mail.letters.example",
                    DOMAIN,
                    "pass",
                    "pass",
                    DOMAIN,
                    mails,
                )
            )


def _voicemail(draft: Draft) -> None:
    """September: everybody hears from themselves that a voicemail waits."""
    identity = draft.enlist(Sender("attack-voicemail", "Voicemail wave", "spoofer", "abuse", "From = To"))
    begin = draft.end - timedelta(days=66, hours=-6)
    for victim in draft.random.sample(draft.people, 38):
        when = begin + timedelta(seconds=draft.random.randint(0, 5400))
        _lure(draft, identity, when, victim.address, victim.address, "voicemail", "192.0.2.66", "[127.0.0.1]")


def _salary(draft: Draft) -> None:
    """October: Human Resources writes from a rented server, with QR code and haste."""
    identity = draft.enlist(
        Sender("attack-salary", "Salary wave", "spoofer", "abuse", "burst from one server")
    )
    begin = draft.end - timedelta(days=34, hours=-13)
    for victim in draft.random.sample(draft.people, 45):
        when = begin + timedelta(seconds=draft.random.randint(0, 2400))
        _lure(draft, identity, when, f"hr@{DOMAIN}", victim.address, "payroll", "192.0.2.131", "WIN-8QK2J4T1")


def _copied_scanner(draft: Draft) -> None:
    """October to November: a scanner's name and greeting, a few mails a week, from where no scanner stands."""
    identity = draft.enlist(
        Sender("attack-scanner", "Copied scanner", "spoofer", "abuse", "slow, device's P2")
    )
    for when in draft.times(3, since=draft.end - timedelta(days=28)):
        victim = draft.pick(draft.people).address
        _lure(draft, identity, when, f"mfp1@{DOMAIN}", victim, "scan", "192.0.2.203", "[10.0.1.20]")


def _director(draft: Draft) -> None:
    """November: the director asks for a payment; the envelope is a stranger's, so RejectDirectSend would not see it."""
    identity = draft.enlist(
        Sender("attack-director", "Director's wish", "spoofer", "abuse", "foreign P1, P2 ours")
    )
    director = draft.people[0]
    for when in draft.times(4, since=draft.end - timedelta(days=13)):
        victim = draft.pick(draft.people[1:9]).address
        _lure(
            draft, identity, when, director.address, victim, "executive", "192.0.2.24", "smtp.bulk-sends.example",
            mail_from="return@bulk-sends.example",
        )  # fmt: skip


def _lure(
    draft: Draft,
    identity: str,
    when: datetime,
    author: str,
    victim: str,
    family: str,
    address: str,
    ehlo: str,
    *,
    mail_from: str | None = None,
) -> None:
    draft.post(
        identity,
        when,
        mail_from=mail_from or author,
        header_from=author,
        recipients=[victim],
        subject=draft.subject(f"lure-{family}", when),
        client_ip=address,
        ehlo=ehlo,
        outcome=draft.pick(("delivered", "delivered", "junked")),
    )
