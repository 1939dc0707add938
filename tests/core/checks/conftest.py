"""Builders of the evidence that checks look at, in the shapes that exports have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import ConfigAnswer, ConfigObject, Coverage, Origin
from portero.core.exchange.settings import Settings, Tenant, read_settings
from portero.core.finding import Posture
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Sender
from portero.core.text import Text

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
Objects = Mapping[str, Sequence[Mapping[str, object]]]


def build_tenant(objects: Objects, cut: frozenset[str] = frozenset()) -> Tenant:
    """Build a tenant from objects by cmdlet; every cmdlet named was asked, those in `cut` came back cut."""
    items = [
        ConfigObject(cmdlet, dict(properties), Origin(f"{cmdlet}.json", number))
        for cmdlet, found in objects.items()
        for number, properties in enumerate(found, 1)
    ]
    answers = [
        ConfigAnswer(cmdlet, Origin(f"{cmdlet}.json"), complete=cmdlet not in cut) for cmdlet in objects
    ]
    return Tenant(items, answers)


@pytest.fixture
def tenant() -> Callable[..., Tenant]:
    """Build tenants."""
    return build_tenant


@pytest.fixture
def posture() -> Callable[..., Posture]:
    """Build postures: exported objects by cmdlet, DNS by (name, type), and any field of Posture or Settings by name."""

    def build(
        objects: Objects | None = None,
        *,
        domains: Sequence[str] = ("contoso.com",),
        dns: Mapping[tuple[str, str], Sequence[str] | DnsStatus] | None = None,
        cut: frozenset[str] = frozenset(),
        settings: Mapping[str, object] | None = None,
        **fields: object,
    ) -> Posture:
        held = build_tenant(objects or {}, cut)
        read = read_settings(held, domains)
        made: Settings = replace(read, **(settings or {}))  # type: ignore[arg-type]  # a test names real fields
        base = Posture(
            tenant=held,
            settings=made,
            dns=Dns(_answer(*question, answer) for question, answer in (dns or {}).items()),
            senders=(),
            outside=(),
            simulations=(),
            coverage=(),
            gaps=(),
            now=NOW,
            mail_seen=bool(fields.get("senders") or fields.get("coverage")),
        )
        return replace(base, **fields)  # type: ignore[arg-type]  # a test names real fields

    return build


def _answer(name: str, type_: str, answer: Sequence[str] | DnsStatus) -> DnsAnswer:
    if isinstance(answer, DnsStatus):
        return DnsAnswer(name, type_, answer)
    return DnsAnswer(name, type_, DnsStatus.NOERROR, tuple(answer), Origin("dns.jsonl"))


@pytest.fixture
def sender() -> Callable[..., Sender]:
    """Build senders: a legitimate scanner that uses Direct Send, with any field replaced."""

    def build(**fields: object) -> Sender:
        scanner = Sender(
            id="s-scanner",
            label=Text("{name}", name="scanner@contoso.com"),
            kind=Kind.DEVICE,
            judgement=Judgement.LEGITIMATE,
            confidence=0.95,
            decided_by=DecidedBy.EVIDENCE,
            path=Path.DIRECT_SEND,
            connector=None,
            client_networks=("203.0.113.10/32",),
            mail_from_domains=("contoso.com",),
            header_from_domains=("contoso.com",),
            header_from=("scanner@contoso.com",),
            ehlo=("scanner",),
            mails=40,
            outside=0,
            witnesses={"message-trace-extended": 40},
            recipients=3,
            first_seen=datetime(2026, 10, 20, tzinfo=UTC),
            last_seen=datetime(2026, 11, 23, tzinfo=UTC),
            because=(),
        )
        return replace(scanner, **fields)  # type: ignore[arg-type]  # a test names real fields

    return build


@pytest.fixture
def month() -> tuple[Coverage, ...]:
    """Cover 35 days with one trace."""
    return (
        Coverage(
            "trace.csv",
            "message-trace-extended",
            900,
            datetime(2026, 10, 20, tzinfo=UTC),
            datetime(2026, 11, 24, 8, tzinfo=UTC),
        ),
    )
