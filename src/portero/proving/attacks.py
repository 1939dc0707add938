"""Campaigns that write in the organisation's name from outside, as incident reports describe them.

Source: reference exchange-online 7.1 and 7.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from portero.proving.draft import Draft, Person
from portero.proving.organisation import Mail, Sender

_EHLO = ("WIN-8QK2J4T1", "[127.0.0.1]", "localhost", "DESKTOP-R4N0M", "vps-2211.rented.example")


def attack(draft: Draft, name: str) -> None:
    """Add one campaign by its name in `axes.CAMPAIGNS`."""
    identity = draft.enlist(
        Sender(f"attack-{name}", f"Campaign: {name}", "spoofer", "abuse", name.replace("-", " "))
    )
    _CAMPAIGNS[name](draft, identity)


def _hit(
    draft: Draft,
    identity: str,
    when: datetime,
    victim: Person,
    address: str,
    ehlo: str,
    *,
    lure: str,
    author: str,
    display_name: str = "",
    mail_from: str | None = None,
    by_mx: bool = False,
) -> None:
    draft.post(
        identity,
        when,
        mail_from=author if mail_from is None else mail_from,
        header_from=author,
        display_name=display_name,
        recipients=[victim.address],
        subject=draft.subject(f"lure-{lure}", when),
        client_ip=address,
        ehlo=ehlo,
        by_mx=by_mx,
        # Published incidents: some lands in the inbox, some in junk, some in quarantine.
        outcome=draft.pick(("delivered", "delivered", "junked", "quarantined")),
        size_octets=draft.random.randint(30_000, 120_000),
    )


def _victims(draft: Draft, share: float, most: int) -> list[Person]:
    return draft.random.sample(draft.people, min(most, max(3, round(len(draft.people) * share))))


def _recently(draft: Draft, within_days: float) -> datetime:
    span = min(within_days, draft.days * 0.8)
    return draft.end - timedelta(days=draft.random.uniform(span * 0.2, span))


def _burst(draft: Draft, identity: str) -> None:
    address, ehlo = draft.address(), draft.pick(_EHLO)
    lure, begin = draft.pick(("voicemail", "fax", "payroll", "mfa")), _recently(draft, 20)
    author = f"{draft.pick(('voicemail', 'noreply', 'hr', 'it-support'))}@{draft.domain}"
    for victim in _victims(draft, 0.5, 200):
        when = begin + timedelta(seconds=draft.random.randint(0, 2700))
        _hit(draft, identity, when, victim, address, ehlo, lure=lure, author=author)


def _over_weeks(draft: Draft, per_week: float) -> Iterator[datetime]:
    return draft.times(per_week, since=draft.start + (draft.end - draft.start) / 3)


def _slow(draft: Draft, identity: str) -> None:
    address, ehlo = draft.address(), draft.pick(_EHLO)
    for when in _over_weeks(draft, 5):
        victim, author = draft.random.sample(draft.people, 2)
        _hit(
            draft, identity, when, victim, address, ehlo,
            lure=draft.pick(("scan", "fax", "mfa")), author=author.address, display_name=author.name,
        )  # fmt: skip


def _rotating(draft: Draft, identity: str) -> None:
    address, ehlo = draft.address(), draft.pick(_EHLO)
    author = f"scanner@{draft.domain}"
    for number, when in enumerate(_over_weeks(draft, 12)):
        if number % 4 == 0:
            address, ehlo = draft.address(), draft.pick(_EHLO)
        _hit(draft, identity, when, draft.pick(draft.people), address, ehlo, lure="scan", author=author)


def _self_addressed(draft: Draft, identity: str) -> None:
    address, ehlo, begin = draft.address(), draft.pick(_EHLO), _recently(draft, 25)
    lure = draft.pick(("voicemail", "fax", "mfa", "payroll"))
    for victim in _victims(draft, 0.3, 120):
        when = begin + timedelta(hours=draft.random.uniform(0, 48))
        _hit(
            draft, identity, when, victim, address, ehlo,
            lure=lure, author=victim.address, display_name=victim.name,
        )  # fmt: skip


def _foreign_envelope(draft: Draft, identity: str) -> None:
    address, begin = draft.address(), _recently(draft, 30)
    author = f"hr@{draft.domain}"
    for victim in _victims(draft, 0.3, 100):
        when = begin + timedelta(hours=draft.random.uniform(0, 30))
        _hit(
            draft, identity, when, victim, address, "smtp.bulk-sends.example",
            lure="payroll", author=author, mail_from="return@bulk-sends.example", by_mx=draft.random.random() < 0.3,
        )  # fmt: skip


def _device_copy(draft: Draft, identity: str) -> None:
    devices = {held.id for held in draft.senders if held.kind == "device" and held.id != "scan-to-self"}
    seen: list[Mail] = [mail for mail in draft.mails if mail.sender in devices]
    model = draft.pick(seen) if seen else None
    author = model.header_from if model else f"scanner@{draft.domain}"
    ehlo = model.ehlo if model and model.ehlo else "[192.168.1.50]"
    address = draft.address()
    for when in _over_weeks(draft, 2):
        subject = draft.subject("scan", when)
        draft.post(
            identity,
            when,
            mail_from=author,
            recipients=[draft.pick(draft.people).address],
            subject=subject,
            display_name=model.display_name if model else "",
            client_ip=address,
            ehlo=ehlo,
        )


def _through_gateway(draft: Draft, identity: str) -> None:
    begin, author = _recently(draft, 20), f"it-support@{draft.domain}"
    for victim in _victims(draft, 0.3, 100):
        when = begin + timedelta(seconds=draft.random.randint(0, 5000))
        _hit(draft, identity, when, victim, draft.office, "", lure="mfa", author=author, by_mx=True)


def _executive(draft: Draft, identity: str) -> None:
    manager, address = draft.people[0], draft.address()
    for when in draft.times(1.5, since=draft.start + (draft.end - draft.start) / 2):
        _hit(
            draft, identity, when, draft.pick(draft.people[1:9]), address, "[127.0.0.1]",
            lure="executive", author=manager.address, display_name=manager.name,
        )  # fmt: skip


_CAMPAIGNS = {
    "burst": _burst,
    "slow": _slow,
    "rotating": _rotating,
    "self-addressed": _self_addressed,
    "foreign-envelope": _foreign_envelope,
    "device-copy": _device_copy,
    "through-gateway": _through_gateway,
    "executive": _executive,
}
