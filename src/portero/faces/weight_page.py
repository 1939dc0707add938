"""Writes docs/weights.md from the weights and the judge: ``python -m portero.faces.weight_page > docs/weights.md``."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from portero.core.case import ABUSE_FROM, LEGITIMATE_BELOW, Context
from portero.core.evidence import Origin
from portero.core.exchange.settings import AcceptedDomain, Settings
from portero.core.flow import Distinct, Facts, Flow, FlowKey
from portero.core.register import Configuration
from portero.core.sender import Sender
from portero.core.senders import find_senders
from portero.core.weights import WEIGHTS, Maker

_OURS = "contoso.com"
_START = datetime(2026, 9, 1, 8, tzinfo=UTC)
_WINDOW = (_START, _START + timedelta(days=80))


@dataclass(frozen=True, slots=True)
class _Example:
    """One sender to be judged on the page: what was seen of it, in words and as the judge gets it."""

    title: str
    seen: str
    flow: Flow
    spf: str | None = None


def _flow(address: str, name: str, ehlo: str, days: list[int], mails: int, **given: object) -> Flow:
    active = [(_START + timedelta(days=day)).date() for day in days]
    facts: dict[str, object] = {
        "mails": mails,
        "witnessed": {"message-trace-enhanced": mails},
        "inside": mails,
        "first_seen": _START + timedelta(days=days[0]),
        "last_seen": _START + timedelta(days=days[-1]),
        "days": {day: mails // len(days) for day in active},
        "origins": {"message-trace-enhanced": (Origin("trace.csv", 2),)},
    }
    key = FlowKey(
        client_ip=address,
        mail_from_domain=_OURS,
        header_from=f"{name}@{_OURS}",
        ehlo=ehlo,
        connector="",
        direction="incoming",
    )
    return Flow(key, Facts(**{**facts, **given}))  # type: ignore[arg-type]  # fields by name


_EXAMPLES = (
    _Example(
        "A scanner that SPF lists",
        "84 mails on 42 working days over eight weeks, to the same 6 people, with one subject; the published SPF record "
        "lists its address.",
        _flow(
            "203.0.113.10",
            "scanner",
            "mfp-2.contoso.com",
            [day for day in range(58) if day % 7 < 5],
            84,
            recipients=Distinct(tuple(range(6))),
            shapes={"scan from mfp-2": 84},
            distinct_shapes=Distinct((1,)),
            busiest=4,
        ),
        spf="pass",
    ),
    _Example(
        "A burst of forged mail",
        "60 mails in one hour of one day to 60 people, each under its reader's own address, with a voicemail lure, from a "
        "host with Windows' default name; DMARC fails.",
        _flow(
            "192.0.2.66",
            "ana.ruiz",
            "WIN-3K9",
            [70],
            60,
            recipients=Distinct(tuple(range(60))),
            shapes={"new voicemail from ##########": 60},
            distinct_shapes=Distinct((1,)),
            self_addressed=60,
            busiest=60,
            dmarc={"fail": 60},
        ),
    ),
    _Example(
        "Nobody knows",
        "6 mails on 2 days to 2 people; no record, no result, no regularity.",
        _flow(
            "198.51.100.77",
            "alerts",
            "host7.hosting.example",
            [40, 47],
            6,
            recipients=Distinct((1, 2)),
            shapes={"status": 3, "report": 3},
            distinct_shapes=Distinct((1, 2)),
            busiest=3,
        ),
    ),
)


def weight_page() -> str:
    """Give the Markdown page: how weights add up, all of them with their sources, and three examples."""
    return "\n".join([*_HEAD, *_table(), "", *(line for each in _EXAMPLES for line in _worked(each))]) + "\n"


_HEAD = (
    "# Weights of evidence",
    "",
    "Generated from `src/portero/core/weights.py` and the judge; change those, not this page.",
    "",
    "Each piece of evidence has a weight in natural-log odds towards abuse: 0.7 doubles the odds, 2.3 makes them ten times",
    "as high, and a negative weight speaks for the sender. The prior and the weights of what was seen add up to the log odds",
    "*s*; the probability of abuse is 1 / (1 + e^−s).",
    "",
    f"From {ABUSE_FROM} a sender is called abuse, below {LEGITIMATE_BELOW} legitimate; between them a person is asked.",
    "A register entry or a person's decision takes the place of all evidence.",
    "",
    "What speaks for a sender says who it takes to make it. What anybody makes with patience vouches for nobody: without a",
    "proof that only the organisation can give, or readers here that have had the mail for long, a person is asked, however",
    "well a sender behaves; and with readers alone it is never called more than nine in ten legitimate.",
    "",
    "No weight is fitted to generated data. Where a source is our judgement it says so: no measurement exists in public.",
    "",
    "## All weights",
    "",
)


_MAKERS = {
    Maker.ORGANISATION: "the organisation",
    Maker.READERS: "its readers",
    Maker.ANYBODY: "anybody",
}


def _table() -> Iterator[str]:
    yield "| code | weight | who can make it | source |"
    yield "|---|---:|---|---|"
    for code, weight in WEIGHTS.items():
        source = weight.source.replace("|", "\\|")
        maker = "" if weight.maker is None else _MAKERS[weight.maker]
        yield f"| `{code}` | {_signed(weight.value)} | {maker} | {source} |"


def _worked(example: _Example) -> Iterator[str]:
    sender = judged(example.flow, example.spf)
    yield f"## {example.title}"
    yield ""
    yield example.seen
    yield ""
    yield "| reason | code | weight | sum |"
    yield "|---|---|---:|---:|"
    total = 0.0
    for reason in sender.because:
        total += reason.weight
        yield f"| {reason.text} | `{reason.code}` | {_signed(reason.weight)} | {_signed(total)} |"
    yield ""
    probability = 1 / (1 + math.exp(-total))
    yield (
        f"1 / (1 + e^{_signed(-total)}) = {probability:.3f} is the probability of abuse: **{sender.judgement.value}**, "
        f"with confidence {sender.confidence:.3f}."
    )
    yield ""


def judged(flow: Flow, spf: str | None) -> Sender:
    """Judge one way of sending as an audit of an organisation with nothing else in it does."""
    settings = Settings(
        accepted_domains=(AcceptedDomain(_OURS, match_subdomains=False),),
        domains_exported=True,
        inbound_connectors=(),
        mx_at_microsoft=True,
    )
    context = Context(settings, _WINDOW, spf=lambda _address, _domain: spf)
    [sender] = find_senders([flow], (), context, Configuration())
    return sender


def examples() -> Mapping[str, Sender]:
    """Give the judged senders of the page by title."""
    return {each.title: judged(each.flow, each.spf) for each in _EXAMPLES}


def _signed(number: float) -> str:
    shown = f"{abs(number):.2f}"
    return ("−" if number < 0 and shown != "0.00" else "") + shown


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a text stream when run as a program
    sys.stdout.write(weight_page())
