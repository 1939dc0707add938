"""It names the reader's own organisation as its author, in its name or subject, and comes from elsewhere."""

from __future__ import annotations

from portero.core.message.arrival import organisational
from portero.core.message.case import Case, Rule, domains_of
from portero.core.message.web import FREE_MAIL
from portero.core.message.words import plain_words
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match the readers' domain name in the display name of a stranger, with a lure that leads away."""
    held = case.arrival
    if (
        case.domain_is_ours
        or case.proven_brand
        or case.reply
        or not case.leads_away
        or held.list_domain
        or case.mail.first("list-id")
    ):
        return None
    name = plain_words(held.author.name)
    domains = {*held.own, *domains_of(case.recipients)}
    for domain in domains:
        label = organisational(domain).partition(".")[0]
        if (
            len(label) > 4
            and organisational(domain) != case.home
            and label in name
            and domain not in FREE_MAIL
        ):
            return Text(
                "It calls itself {name} as if it were the reader's own organisation.", name=held.author.name
            )
    return None


RULE = Rule(
    id="recipient-domain-spoken",
    title="the reader's domain as author",
    level="high",
    weight=1.5,
    match=match,
    falsepositives=("Services that name their customer.",),
)
