"""The organisation's published SPF record lists the address it came from."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match by DNS evidence where the header has no result of its own."""
    held = case.arrival
    if (
        held.author_is_ours
        and held.client_ip
        and not held.authenticated
        and held.spf not in {"fail", "softfail"}
        and held.anonymous is not False
        and case.known.spf(held.client_ip, held.author_domain) == "pass"
    ):
        return Text(
            "The SPF record of {domain} lists its address {address}.",
            domain=held.author_domain,
            address=held.client_ip,
        )
    return None


RULE = Rule(
    id="in-published-spf",
    title="listed in the organisation's SPF",
    level="informational",
    weight=-2.0,
    match=match,
    falsepositives=("A shared service in the record.",),
    references=("RFC 7208",),
)
