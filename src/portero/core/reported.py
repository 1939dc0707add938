"""Ways of sending that only DMARC reports show: flows made of their records, so that no sender is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from portero.core.address import domain_of
from portero.core.flow import Facts, Flow, FlowKey, OutsideFlow, merge_facts

WITNESS = "dmarc-aggregate"


def reported_flows(outside: Sequence[OutsideFlow], flows: Sequence[Flow]) -> tuple[Flow, ...]:
    """
    Give flows for what reports show and no trace does: by client address and day.

    Their P2 is known by domain only (``@domain``). Only mail that a receiver of ours reported reached this tenant and
    counts; and not even that while a trace holds anonymous mail of those days without its address, for it may be the
    same mail. What left from inside (source ``""``) is the mailboxes': a witness of theirs, no way in.
    Source: RFC 9990 section 3; contract section 4, `messages`.
    """
    sources = {row.source_ip for row in outside if row.source_ip}
    both = [flow for flow in flows if flow.key.client_ip in sources]
    traced = {flow.key.client_ip for flow in both}
    days = {(flow.key.client_ip, day) for flow in both for day in flow.facts.days}
    here = counted_here(flows)
    held: dict[FlowKey, list[Facts]] = {}
    for row in outside:
        left = {day: number for day, number in row.days.items() if (row.source_ip, day) not in days}
        if row.source_ip in traced and not (row.to_us and left):
            continue
        flow = reported_flow(row, left, counts=here(row))
        held.setdefault(flow.key, []).append(flow.facts)
    return tuple(Flow(key, merge_facts(facts)) for key, facts in sorted(held.items(), key=_order))


def counted_here(flows: Iterable[Flow]) -> Callable[[OutsideFlow], bool]:
    """Give what tells whether reported mail reached this tenant, and none that a trace holds without its address is it."""
    addressless = [flow.facts for flow in flows if flow.key.client_ip is None]
    return lambda row: row.to_us and not _hidden(row, addressless)


def reported_flow(row: OutsideFlow, days: Mapping[date, int], *, counts: bool) -> Flow:
    """
    Make a flow of reported mail.

    days:    its mails by day that no trace shows.
    counts:  whether it counts as mail of this tenant.
    """
    facts = _facts(row, days, counts=counts)
    return Flow(
        reported_key(row), facts if row.source_ip else replace(facts, days={}, dmarc={}, dkim_domains={})
    )


def reported_key(row: OutsideFlow) -> FlowKey:
    """Give what is known of the way of sending of reported mail."""
    return FlowKey(
        client_ip=row.source_ip,
        mail_from_domain=row.envelope,
        header_from=f"@{row.header_from}",
        direction="incoming" if row.source_ip else "originating",
    )


def with_reports(flow: Flow, outside: Iterable[OutsideFlow]) -> Flow:
    """
    Give a flow with what reports on the same address and domain say: its envelope domains, and the DMARC result.

    The result counts only where no witness of the mail recorded one, and where every reported mail shares it.
    """
    author = flow.key.header_from or flow.key.sender
    if is_reported(flow) or not flow.key.client_ip or not author:
        return flow
    results: set[str] = set()
    envelopes: dict[str, int] = {}
    for row in outside:
        if row.source_ip != flow.key.client_ip or row.header_from != domain_of(author):
            continue
        results |= _results(row.passed, row.mails).keys()
        if row.envelope:
            envelopes[row.envelope] = envelopes.get(row.envelope, 0) + row.mails
    facts = replace(flow.facts, envelopes=envelopes) if envelopes else flow.facts
    if len(results) == 1 and not flow.facts.dmarc and not flow.facts.spf:
        facts = replace(facts, dmarc={min(results): flow.facts.mails}, lent=True)
    return flow if facts is flow.facts else replace(flow, facts=facts)


def without_reports(flow: Flow) -> Flow:
    """Give a flow as it was before `with_reports`: as its own witnesses saw it."""
    held = flow.facts
    if not held.envelopes and not held.lent:
        return flow
    return replace(flow, facts=replace(held, envelopes={}, lent=False, dmarc={} if held.lent else held.dmarc))


def is_reported(flow: Flow) -> bool:
    """Tell whether only DMARC reports show this way of sending."""
    origins = flow.facts.origins
    return len(origins) == 1 and WITNESS in origins


def _order(item: tuple[FlowKey, list[Facts]]) -> tuple[str, str, str]:
    key, _ = item
    return key.client_ip or "", key.header_from or "", key.mail_from_domain or ""


def _hidden(row: OutsideFlow, addressless: Iterable[Facts]) -> bool:
    """Tell whether a trace holds mail of the same days whose client address is not known."""
    return any(
        facts.first_seen is not None
        and facts.last_seen is not None
        and facts.first_seen <= row.last_seen
        and facts.last_seen >= row.first_seen
        for facts in addressless
    )


def _results(passed: int, mails: int) -> dict[str, int]:
    return {word: number for word, number in (("pass", passed), ("fail", mails - passed)) if number}


def _facts(row: OutsideFlow, days: Mapping[date, int], *, counts: bool) -> Facts:
    mails = sum(days.values())
    return Facts(
        mails=mails if counts else 0,
        witnessed={WITNESS: mails},
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        days=days,
        dmarc=_results(round(row.passed * mails / row.mails) if row.mails else 0, mails),
        dkim_domains={row.dkim_domain: mails} if row.dkim_domain else {},
        origins={WITNESS: row.origins},
    )
