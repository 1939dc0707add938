"""The mail that makes up most of a trace: colleagues writing to one another and out, and the world writing in."""

from __future__ import annotations

from collections.abc import Sequence

from portero.proving.draft import Draft
from portero.proving.organisation import Sender, Session

_OUTSIDERS = ("customer.example", "supplier.example", "bank.example", "press.example", "agency.example")


def mailboxes(draft: Draft) -> None:
    """People's own mail, inside and out; it never passes port 25, so it has no client address."""
    identity = draft.enlist(
        Sender("mailboxes", "Mailboxes", "mailbox", "legitimate", "Outlook, inside and out")
    )
    budget = draft.axes.mails_at_most // 8
    rate = min(draft.axes.people * 4.0, budget * 7 / max(draft.days, 1))
    for when in draft.times(rate):
        author = draft.pick(draft.people)
        if draft.random.random() < 0.3:
            recipients = [f"office@{draft.pick(_OUTSIDERS)}"]
        else:
            recipients = [person.address for person in draft.some(draft.people, 4)]
        draft.post(
            identity,
            when,
            mail_from=author.address,
            recipients=recipients,
            subject=draft.subject("people", when),
            display_name=author.name,
            session=Session.MAILBOX,
        )


def inbound(draft: Draft, addresses: Sequence[str] = ()) -> None:
    """Outsiders' mail, which names the organisation nowhere but in the recipient; it fills what room is left."""
    addresses = addresses or [draft.address() for _ in _OUTSIDERS]
    servers = list(zip(_OUTSIDERS, addresses, strict=True))
    budget = max(50, draft.axes.mails_at_most - len(draft.mails))
    rate = min(draft.axes.people * 12.0, budget * 6 / max(draft.days, 1))
    for when in draft.times(rate, always=draft.random.random() < 0.5):
        domain, address = draft.pick(servers)
        draft.post(
            None,
            when,
            mail_from=f"contact{draft.random.randint(1, 40)}@{domain}",
            recipients=[draft.pick(draft.people).address],
            subject=draft.subject("people", when),
            client_ip=address,
            ehlo=f"mail.{domain}",
            by_mx=True,
            dkim_domain=domain,
        )
