"""
Measures telling senders apart, the whole conclusion and one changed scenario on many flows: `judgement_rate.py [FLOWS]`.

A tenth of the flows are devices of many weeks, a tenth a service's, the rest one-day campaigns from changing addresses:
the mix of a large organisation under attack, in which nearly every flow is a sender of its own. Seconds are the
processor's, of which a busy machine takes more; each part is also given as a multiple of one bare pass that only writes
every flow's key out and sorts them. The collector of circles is set, and held back, as `portero.wiring.gathering` does.
"""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from portero.core.case import Context
from portero.core.controls import parse_control
from portero.core.evidence import Origin
from portero.core.exchange.settings import AcceptedDomain, Settings, Tenant
from portero.core.flow import Distinct, Facts, Flow, FlowKey
from portero.core.plan import make_plan
from portero.core.register import Configuration
from portero.core.senders import find_senders, window_of
from portero.core.simulate import Replay
from portero.wiring.gathering import COLLECT_EVERY, without_collector

OURS = "contoso.example"
START = datetime(2026, 9, 1, tzinfo=UTC)
# The bars of the fifth issue: the answer, a changed scenario, and the memory of both.
ANSWER_SECONDS, SCENARIO_SECONDS, OCTETS = 5, 1, 500e6

_Found = TypeVar("_Found")


def address(number: int) -> str:
    """Give a client address out of the space for benchmarks."""
    return f"198.{18 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}"


def flow(number: int) -> Flow:
    """Make one flow."""
    kind = number % 10
    if kind == 0:
        return _flow(number, f"mfp{number}@{OURS}", OURS, "scanned from km_c#", weeks=11, people=9, mails=40)
    if kind == 1:
        return _flow(number, f"news@{OURS}", "vendor.example", "our news of #", weeks=6, people=80, mails=90)
    return _flow(
        number, f"user{number % 700}@{OURS}", OURS, "voicemail from # (#)", weeks=1, people=4, mails=4
    )


def _flow(
    number: int, author: str, envelope: str, shape: str, *, weeks: int, people: int, mails: int
) -> Flow:
    days: dict[date, int] = {}
    for week in range(weeks):
        days[(START + timedelta(days=7 * week + number % 7)).date()] = max(1, mails // weeks)
    known = FlowKey(
        client_ip=address(number),
        mail_from_domain=envelope,
        header_from=author,
        sender=None,
        ehlo=f"host-{number}",
        connector="",
        direction="incoming",
    )
    facts = Facts(
        mails=mails,
        witnessed={"message-trace-extended": mails},
        recipients=Distinct(tuple(range(people))),
        inside=mails,
        first_seen=START + timedelta(days=number % 7),
        last_seen=START + timedelta(days=7 * (weeks - 1) + number % 7),
        days=days,
        busiest=max(1, mails // weeks),
        shapes={shape: mails},
        distinct_shapes=Distinct((1,)),
        spf={"fail": mails},
        dmarc={"fail": mails},
        origins={"message-trace-extended": (Origin("trace.csv", number + 2),)},
    )
    return Flow(known, facts)


def timed(work: Callable[[], _Found]) -> tuple[float, _Found]:
    """Give the processor's seconds of some work, and what it gives."""
    before = time.process_time()
    found = work()
    return time.process_time() - before, found


def main(number: int) -> None:
    """Print each part, its multiple of the bare pass, and the peak of memory beside the bars."""
    gc.set_threshold(*COLLECT_EVERY)
    flows = tuple(map(flow, range(number)))
    with without_collector():
        _measure(flows)


def _measure(flows: tuple[Flow, ...]) -> None:
    settings = Settings(
        accepted_domains=(AcceptedDomain(OURS, match_subdomains=False),), inbound_connectors=()
    )
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    bare, _ = timed(lambda: sorted(repr(each.key) for each in flows))
    context = Context(settings, window_of(flows))
    told, senders = timed(lambda: find_senders(flows, (), context, Configuration()))
    replay = Replay(senders, settings)
    alone = [
        (parse_control(text),) for text in ("reject-direct-send", f"dmarc={OURS}:reject", "smtp-basic-off")
    ]
    replayed, _ = timed(lambda: [replay.of(each) for each in alone])
    planned, steps = timed(lambda: make_plan(replay, Tenant(), ()))
    changed, _ = timed(lambda: replay.of((parse_control("allow=198.18.0.0/24"), *alone[0])))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{len(flows):,} flows, {len(senders):,} senders, {len(steps):,} steps")
    for name, seconds in (
        ("writing each flow's key out", bare),
        ("telling and judging senders", told),
        ("three controls, each alone", replayed),
        ("the plan, every prefix replayed", planned),
        ("one changed scenario", changed),
    ):
        print(f"{name:34} {seconds:6.2f} s   {seconds / bare:5.1f} times the bare pass")
    print(
        f"the answer                         {told + replayed + planned:6.2f} s   (bar: {ANSWER_SECONDS} s)"
    )
    print(
        f"peak memory {peak / 1e6:.0f} MB, of which the flows themselves {held / 1e6:.0f} MB (bar: {OCTETS / 1e6:.0f} MB)"
    )
    print(f"a changed scenario's bar: {SCENARIO_SECONDS} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
