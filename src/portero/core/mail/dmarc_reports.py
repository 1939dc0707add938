"""DMARC report addresses outside the organisation, and whether their owners agreed to receive reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portero.core.mail.conversation import Conversation, Question
from portero.core.mail.dmarc_discovery import Standard, discover, may_share_organization
from portero.core.mail.dmarc_record import mailto_domain, parse_record


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """
    Where reports go.

    external:    whether the target lies outside the organisational domain, so that it must agree; None if unknown.
    authorised:  True or False once known; None where the evidence does not say.
    question:    the question that settles it, or None where none is needed.
    """

    uri: str
    domain: str
    external: bool | None
    authorised: bool | None
    question: Question | None


def report_targets(
    record_domain: str, uris: Iterable[str], standard: Standard = Standard.RFC9989
) -> Conversation[tuple[ReportTarget, ...]]:
    """
    Find whether each report address outside the organisation has agreed to receive reports, as a conversation.

    Source: RFC 9990 section 4 (was RFC 7489 section 7.1).
    """
    home = yield from discover(record_domain, standard)
    found = []
    for uri in uris:
        domain = mailto_domain(uri)
        if domain is None:
            continue
        external: bool | None = True
        if domain == home.domain:
            external = False
        elif may_share_organization(domain, home.domain):
            other = yield from discover(domain, standard)
            known = None not in (other.organizational, home.organizational)
            external = other.organizational != home.organizational if known else None
        if external is False:
            found.append(ReportTarget(uri, domain, False, True, None))
            continue
        question = Question(f"{home.domain}._report._dmarc.{domain}", "TXT")
        answer = yield question
        agreed = any(parse_record(text) is not None for text in answer.answers)
        answered = answer.status.answered
        # Without consent the reports still come if the target is inside the organisation after all.
        known_refusal = answered and external is True
        found.append(
            ReportTarget(uri, domain, external, agreed if agreed or known_refusal else None, question)
        )
    return tuple(found)
