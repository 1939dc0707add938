"""SMTP TLS reports (RFC 8460): whether others reached the organisation's mail exchangers encrypted, and which ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from portero.core.address import a_label
from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.document import Counted, Document, Head, Item, Note, Source
from portero.sources.json_text import json_values

_KEYS = {"policies", "report-id"}
_NO_REPORT = Text("This is no TLS report: it lacks the list of policies. Fetch the report again.")
_NAMED = 20


def recognise(head: Head) -> bool:
    """Tell by the members that only this report has."""
    return head.keys >= _KEYS and bool(
        head.keys & {"organization-name", "policy-type", "total-successful-session-count"}
    )


def read(document: Document) -> Iterator[Item]:
    """
    Count the policies' results and say what they mean; no table holds them, since they are no mails.

    Seen in reports: contact, addresses and policy strings absent, a single host as text, counts as text.
    """
    total, first, last = 0, None, None
    for found in json_values(document):
        if isinstance(found, Gap):
            yield found
            continue
        line, value = found
        origin = Origin(document.name, line)
        policies = value.get("policies") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(policies, list):
            yield Gap(origin, _NO_REPORT)
            continue
        reporter = str(value.get("organization-name") or value.get("contact-info") or "?")[:200]
        span = value.get("date-range")
        begin, end = (
            (_time(span.get("start-datetime")), _time(span.get("end-datetime")))
            if isinstance(span, dict)
            else (None, None)
        )
        first = min((each for each in (first, begin) if each), default=None)
        last = max((each for each in (last, end) if each), default=None)
        for policy in policies:
            said = _said(policy, reporter)
            if said is None:
                yield Gap(origin, Text("A policy of the TLS report lacks its domain or its counts."))
                continue
            total += 1
            if total <= _NAMED:
                yield said
    if total:
        yield Counted(total, first, last)


def _said(policy: object, reporter: str) -> Note | None:
    """Say one policy's result; None where it lacks what would say it."""
    if not isinstance(policy, dict):
        return None
    stated, summary = policy.get("policy"), policy.get("summary")
    if not isinstance(stated, dict) or not isinstance(summary, dict):
        return None
    good, bad = (
        _number(summary.get("total-successful-session-count")),
        _number(summary.get("total-failure-session-count")),
    )
    domain = stated.get("policy-domain")
    if good is None or bad is None or not isinstance(domain, str):
        return None
    details = policy.get("failure-details")
    kinds: Counter[str] = Counter()
    hosts: set[str] = set()
    for each in details if isinstance(details, list) else []:
        if isinstance(each, dict):
            kinds[str(each.get("result-type") or "?")[:100]] += _number(each.get("failed-session-count")) or 0
            if isinstance(host := each.get("receiving-mx-hostname"), str) and host.strip():
                hosts.add(a_label(host))
    kind = str(stated.get("policy-type") or "?")[:40].lower()
    result = Text(
        "{reporter} reached {domain} {good} times encrypted and {bad} times not (policy {policy}).",
        reporter=reporter,
        domain=a_label(domain),
        good=good,
        bad=bad,
        policy=kind,
    )
    if not bad or not kinds:
        return Note(result)
    return Note(
        Text(
            "{result} What failed: {kinds}; at: {hosts}.",
            result=result,
            kinds=tuple(sorted(kinds)),
            hosts=tuple(sorted(hosts)) or ("?",),
        )
    )


def _number(value: object) -> int | None:
    text = str(value).strip()
    return int(text) if not isinstance(value, bool) and text.isdecimal() and len(text) < 16 else None


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (found.replace(tzinfo=UTC) if found.tzinfo is None else found).astimezone(UTC)


SOURCE = Source("tls-report", Text("SMTP TLS report"), recognise, read)
