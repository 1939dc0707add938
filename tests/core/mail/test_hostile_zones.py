"""Zones made to harm: whatever they hold, evaluators stay within the RFCs' limits and a moment, and say no more than text."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.domain import DomainReport, domain_posture
from portero.core.mail import dmarc
from portero.core.mail.spf import MAX_LOOKUPS, MAX_VOIDS, evaluate
from portero.core.mail.spf_expansion import expansion
from portero.core.mail.spf_lint import lint
from portero.faces.audit_json import domain_document
from portero.faces.json_text import as_json
from portero.faces.render import Renderer
from support.flows import START

# Of this process alone, so that a busy machine fails no test; the worst zone here takes a tenth of it.
CPU_SECONDS = 5.0
LABEL = "l" * 63
LONG = ".".join([LABEL] * 3) + ".example"


class Zone(Dns):
    """Answers every question by a function of its name and type."""

    def __init__(self, answer: Callable[[str, str], tuple[str, ...]]) -> None:
        super().__init__()
        self.answer = answer
        self.asked = 0

    def lookup(self, name: str, type_: str) -> DnsAnswer:
        self.asked += 1
        return Dns([DnsAnswer(name, type_, DnsStatus.NOERROR, self.answer(name, type_))]).lookup(name, type_)

    def __bool__(self) -> bool:
        return True


def spf(record: str, other: tuple[str, ...] = ("192.0.2.9",)) -> Callable[[str, str], tuple[str, ...]]:
    return lambda name, kind: (record.replace("NAME", name),) if kind == "TXT" else other


MILLION = ("192.0.2.9",) * 1_000_000
MOST = tuple(f"10.0.{number >> 8}.{number & 255}" for number in range(5000))  # as many as a message can hold
ZONES: dict[str, Callable[[str, str], tuple[str, ...]]] = {
    "includes itself": spf("v=spf1 include:NAME -all"),
    "redirects to itself": spf("v=spf1 redirect=NAME"),
    "never ends": lambda name, kind: (f"v=spf1 include:a.{name} include:b.{name} -all",) if kind == "TXT" else (),
    "doubles at each step": spf("v=spf1 " + "include:NAME " * 9 + "-all"),
    "long labels": spf(f"v=spf1 include:{LONG} a:{'x' * 255}.example exists:%{{i}}.{LONG} -all"),
    "a label of 255": spf(f"v=spf1 a:{'x' * 255}.example mx:{'y' * 255} include:{'z' * 255}.example -all"),
    "a name of 70 kilobytes": spf(f"v=spf1 a:{'x.' * 35000}example -all"),
    "a million addresses": spf("v=spf1 " + "a:h.example " * 10 + "-all", MILLION),
    "as many addresses as fit": spf("v=spf1 " + "a:h.example " * 10 + "-all", MOST),
    "a million exchangers": spf("v=spf1 mx -all", ("10 h.example",) * 1_000_000),
    "a million texts": lambda name, kind: ("v=spf1 -all",) * 1_000_000 if kind == "TXT" else (),
    "a million DMARC tags": spf("v=DMARC1; " + "p=none; " * 8000),
    "ten thousand terms": spf("v=spf1 " + "ip4:192.0.2.0/24 " * 3800 + "-all"),
    "macros upon macros": spf("v=spf1 " + "exists:" + "%{l255r-.+,/_=}" * 200 + ".example -all"),
    "names that name themselves": lambda name, kind: (name,) * 10 if kind in {"PTR", "MX"} else ("v=spf1 ptr mx -all",),
}  # fmt: skip


@pytest.mark.parametrize("zone", ZONES.values(), ids=ZONES)
def test_every_evaluator_stays_within_its_limits_and_a_moment(
    zone: Callable[[str, str], tuple[str, ...]],
) -> None:
    start = time.process_time()
    for client in ("192.0.2.1", "2001:db8::1"):
        held = Zone(zone)
        verdict = evaluate(held, client, "d.example", f"{'a.' * 200}@d.example", "h.d.example")
        assert verdict.lookups <= MAX_LOOKUPS + 1  # the eleventh is the one that ends it
        assert verdict.voids <= MAX_VOIDS + 1
        assert held.asked <= 1 + 10 * 11 + 11 + 1
    for judge in (
        lambda held: lint(held, "d.example"),
        lambda held: expansion(held, "d.example"),
        lambda held: dmarc.evaluate(held, "a.b.c.d.e.f.g.h.i.d.example", [dmarc.Identifier("x.example")]),
    ):
        held = Zone(zone)
        judge(held)
        assert held.asked <= 250
    assert time.process_time() - start < CPU_SECONDS


@settings(max_examples=12, deadline=None)
@given(st.text(max_size=60))
def test_no_record_text_reaches_a_reader_as_anything_but_text(text: str) -> None:
    evil = f"{text}\x1b]0;x\x07\u202e<script>{{}}"
    prefixes = (
        "v=spf1 ",
        "v=DMARC1; p=",
        "v=DKIM1; p=",
        "v=STSv1; id=",
        "v=TLSRPTv1; rua=",
        "v=BIMI1; l=",
        "",
    )
    held = Zone(lambda name, kind: tuple(prefix + evil for prefix in prefixes))
    report = DomainReport(domain_posture(held, "d.example", START))

    for lang in ("en", "es"):
        written = as_json(domain_document(report, Renderer(lang)))
        lines = [Renderer(lang).text(line.because) for line in report.posture.lines]
        assert not {"\x1b", "\x07", "\u202e"} & set(written + "".join(lines))
