"""It speaks as a department, a help desk or a mail system and comes from somewhere else."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.lures import PHRASES
from portero.core.message.words import plain_words, tokens
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match a department or help desk as author whose domain is not ours, with a lure that leads away."""
    held = case.arrival
    said = PHRASES.find(tokens(plain_words(held.author.name))).get("boss")
    lures = {
        "password",
        "mailbox-full",
        "held-mail",
        "account",
        "payroll",
        "second-factor",
        "document",
        "voicemail",
    } & set(case.met)
    if said and lures and case.leads_away and not held.authenticated and not case.reply:
        return Text("It speaks as “{name}”, and nothing proves that it may.", name=held.author.name)
    return None


RULE = Rule(
    id="department",
    title="a department's name over a strange domain",
    level="medium",
    weight=1.2,
    match=match,
    falsepositives=("Departments of other organisations that write to customers.",),
)
