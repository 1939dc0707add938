"""A stranger says that the account to be paid has changed.

The commonest fraud between firms comes from a taken-over mailbox or a domain bought for it, so that authentication proves
nothing, and holds no link. Whether it is true, a call to a number known before tells.
"""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match mail from outside that gives a new account; what the organisation proves to be its own is left out."""
    words = case.met.get("changed-account")
    held = case.arrival
    if not words or case.mail.first("list-id") or held.list_domain:
        return None
    if case.domain_is_ours and (held.authenticated or held.anonymous is False):
        return None
    return Text(
        "It says that the account to be paid has changed (“{words}”): ask by a telephone number that you knew before.",
        words=words[0],
    )


RULE = Rule(
    id="changed-account",
    title="the account to be paid has changed",
    level="medium",
    weight=1.6,
    match=match,
    falsepositives=("Suppliers do change their bank.",),
    references=("FBI IC3, Business Email Compromise",),
)
