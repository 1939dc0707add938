"""All checks over real exports: none raises, and what an export lacks is never read as a default."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from portero.core.checks import checks
from portero.core.dns import Dns
from portero.core.evidence import ConfigAnswer, ConfigObject, Origin
from portero.core.exchange.settings import Tenant, read_settings
from portero.core.finding import Finding, Outcome, Posture, find

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples" / "tenant-config"
EXPORTS = sorted(SAMPLES.glob("scubagear-v[0-9]*.json"))
# ScubaGear's keys and the cmdlets whose answers they hold.
CMDLETS = {
    "accepted_domains": "Get-AcceptedDomain",
    "all_domains": "Get-AcceptedDomain",
    "org_config": "Get-OrganizationConfig",
    "transport_config": "Get-TransportConfig",
    "transport_rule": "Get-TransportRule",
    "conn_filter": "Get-HostedConnectionFilterPolicy",
    "inbound_connectors": "Get-InboundConnector",
    "outbound_connectors": "Get-OutboundConnector",
    "dkim_config": "Get-DkimSigningConfig",
    "anti_phish_policies": "Get-AntiPhishPolicy",
    "hosted_content_filter_policies": "Get-HostedContentFilterPolicy",
    "protection_policy_rules": "Get-EOPProtectionPolicyRule",
    "admin_audit_log_config": "Get-AdminAuditLogConfig",
}


def objects(path: Path) -> Iterator[ConfigObject | ConfigAnswer]:
    held = json.loads(path.read_text(encoding="utf-8-sig"))
    for key, cmdlet in CMDLETS.items():
        if key not in held:
            continue
        value = held[key] if isinstance(held[key], list) else [held[key]]
        yield ConfigAnswer(cmdlet, Origin(path.name))
        for number, each in enumerate(value, 1):
            if isinstance(each, dict) and each:
                yield ConfigObject(cmdlet, each, Origin(path.name, number))


@pytest.fixture(params=EXPORTS or [None], ids=lambda path: path.name if path else "absent")
def findings(request: pytest.FixtureRequest, posture: Callable[..., Any]) -> tuple[str, dict[str, Finding]]:
    path: Path | None = request.param
    if path is None:
        pytest.skip(f"no exports of ScubaGear beside the checkout, in {SAMPLES.name}")
    items = list(objects(path))
    tenant = Tenant(
        [each for each in items if isinstance(each, ConfigObject)],
        [each for each in items if isinstance(each, ConfigAnswer)],
    )
    base: Posture = posture()
    read = Posture(
        tenant=tenant,
        settings=read_settings(tenant),
        dns=Dns(),
        senders=(),
        outside=(),
        simulations=(),
        coverage=(),
        gaps=(),
        now=base.now,
        mail_seen=False,
    )
    return path.name, {check.id: find(check, read) for check in checks()}


def test_every_check_answers_and_says_why(findings: tuple[str, dict[str, Finding]]) -> None:
    _, found = findings

    assert len(found) == len(checks())
    assert all(str(each.because).strip() for each in found.values())


def test_no_export_of_scubagear_holds_the_switch_so_ds_01_is_unknown(
    findings: tuple[str, dict[str, Finding]],
) -> None:
    assert findings[1]["DS-01"].outcome is Outcome.UNKNOWN


def test_without_mail_nothing_about_senders_passes(findings: tuple[str, dict[str, Finding]]) -> None:
    outcomes = {findings[1][id_].outcome for id_ in ("INV-01", "DS-02", "DS-03", "DS-04", "LOG-03", "NET-01")}

    assert outcomes == {Outcome.UNKNOWN}


def test_the_newest_export_shows_a_connector_by_domain_name_alone_and_the_oldest_dmarc_not_honoured(
    findings: tuple[str, dict[str, Finding]],
) -> None:
    name, found = findings
    if "v1.8.0" in name:
        assert found["CON-02"].outcome is Outcome.FAIL
        assert found["CON-05"].outcome is Outcome.PASS
        assert found["SPOOF-02"].outcome is Outcome.PASS
    elif "v0.2.0" in name:
        assert found["SPOOF-02"].outcome is Outcome.FAIL
        assert found["LOG-01"].outcome is Outcome.FAIL
    else:
        assert found["CON-02"].outcome is Outcome.UNKNOWN
