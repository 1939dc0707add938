"""It is a page of links of which none leads to its author's domain, nor to a carrier of bulk mail."""

from __future__ import annotations

from portero.core.message.arrival import organisational
from portero.core.message.case import Case, Rule
from portero.core.message.web import any_brand_owns, carried, free_mail
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match pages whose links all lead to strangers of their author."""
    doors = case.content.doors
    if (
        not case.home
        or not case.away
        or "html" not in case.content.traits
        or case.reply
        or case.mail.first("list-id")
    ):
        return None
    if case.domain_is_ours or any(organisational(each.host) == case.home or carried(each) for each in doors):
        return None
    if free_mail(case.author) and not case.met:
        return None
    if all(any_brand_owns(each.host) for each in case.away):
        return None
    return Text("None of its links leads to its author's domain {domain}.", domain=case.home)


RULE = Rule(
    id="links-never-home",
    title="no link leads to its author",
    level="low",
    weight=0.9,
    match=match,
    falsepositives=("Single persons who share a link.",),
)
