"""The author's name or domain was drawn by a machine rather than chosen."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.web import free_mail, looks_random
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match random-looking mailboxes and domains."""
    held = case.arrival
    if case.reply or case.mail.first("list-id") or case.from_machine:
        return None
    local = case.author.partition("@")[0]
    label = case.home.partition(".")[0]
    if looks_random(label) or (looks_random(local) and local.isalnum() and not free_mail(case.author)):
        return Text("Its address {address} looks drawn by a machine.", address=held.author.address)
    return None


RULE = Rule(
    id="drawn-name",
    title="random sender name",
    level="low",
    weight=0.8,
    match=match,
    falsepositives=("Addresses that programs make: tickets, bounces, relays.",),
)
