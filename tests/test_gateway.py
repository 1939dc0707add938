"""Where mail enters, from DNS answers to the plan: a lock at the gateway is for all domains at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portero.app.evidence import Evidence
from portero.app.gateway import with_gateway
from portero.core.audit import Audit
from portero.core.dns import Dns
from portero.core.exchange.settings import InboundConnector, Settings, Tenant
from portero.core.finding import Profile
from portero.core.register import Configuration
from portero.engine.fold import Arrival
from portero.wiring import audit
from support.reading import table

GATEWAY, MICROSOFT, NULL = "10 mx.filter.example.", "0 contoso-com.mail.protection.outlook.com.", "0 ."


def rows() -> list[dict[str, str]]:
    """Give mail of 20 strangers from the filter's network, and of one printer."""
    held = [(f"a@stranger{n}.example", "198.51.100.9", n) for n in range(20)]
    held += [("scan@contoso.com", "203.0.113.8", n) for n in range(20)]
    return [
        {
            "MessageTraceId": f"{number:08x}-23df-4b20-d240-08dab38944a1",
            "MessageId": f"<{number}@mail.example>",
            "Received": f"2026-11-{1 + day:02d}T10:00:00.0000000Z",
            "SenderAddress": sender,
            "RecipientAddress": "ana@contoso.com",
            "Subject": "Scan",
            "Status": "Delivered",
            "FromIP": address,
        }
        for number, (sender, address, day) in enumerate(held)
    ]


def audited(folder: Path, exchangers: dict[str, str]) -> Audit:
    (folder / "trace.csv").write_text(table(rows()))
    (folder / "domains.json").write_text(
        json.dumps(
            [
                {"DomainName": name, "DomainType": "Authoritative", "MatchSubDomains": False}
                for name in exchangers
            ]
        )
    )
    (folder / "dns.jsonl").write_text(
        "\n".join(
            json.dumps({"name": name, "type": "MX", "answers": [answer], "status": "NOERROR"})
            for name, answer in exchangers.items()
        )
    )
    return audit([folder], config=None, profile=Profile.STANDARD, progress=lambda _: None)


def controls(found: Audit) -> set[str]:
    simulated = {control for each in found.simulations for control in each.controls}
    planned = {control for step in found.plan for control in step.controls}
    return {text.partition("=")[0] for text in simulated | planned}


@pytest.mark.parametrize(
    ("other", "locks"),
    [(GATEWAY, True), (NULL, True), (MICROSOFT, False)],
)
def test_a_lock_is_replayed_only_where_no_domain_takes_its_mail_at_microsoft(
    tmp_path: Path, other: str, locks: bool
) -> None:
    found = audited(tmp_path, {"contoso.com": GATEWAY, "acquired.example": other})
    assert ("lock-gateway" in controls(found)) is locks
    assert any("MX" in each.template for each in found.assumptions) is not locks


def test_a_null_mx_of_a_parked_domain_makes_no_gateway(tmp_path: Path) -> None:
    found = audited(tmp_path, {"contoso.com": MICROSOFT, "parked.example": NULL})
    assert "lock-gateway" not in controls(found)
    assert not any("MX" in each.template for each in found.assumptions)


@pytest.mark.parametrize(
    ("provider", "arrivals", "expected"),
    [
        # All strangers come by the gateway, and a partner's connector carries one partner's mail.
        ("gateway", {"From filter": 3, "Partner": 1}, ("from filter",)),
        ("gateway", {"From filter": 30, "Partner": 2}, ("from filter",)),
        # Where strangers may come without, only many of them tell.
        ("microsoft", {"From filter": 9}, ()),
        ("microsoft", {"From filter": 10}, ("from filter",)),
        ("gateway", {"Hybrid": 30}, ()),
        ("gateway", {"": 30}, ()),
    ],
)
def test_a_connector_is_the_gateways_where_strangers_of_no_known_address_come_by_it(
    provider: str, arrivals: dict[str, int], expected: tuple[str, ...]
) -> None:
    settings = Settings(
        inbound_connectors=(InboundConnector("Hybrid", "OnPremises", cloud_services_mail=True),)
    )
    evidence = Evidence(Tenant(), Dns(), (), (), Configuration(mx_provider=provider))
    seen = [Arrival("", domains, name) for name, domains in arrivals.items()]
    assert with_gateway(settings, evidence, seen).gateway_connectors == expected
