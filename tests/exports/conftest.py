"""One audit with every outcome, a name that would be markup, and a fault that somebody accepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from portero.core.acceptance import Acceptance
from portero.core.audit import Audit, Totals
from portero.core.evidence import Origin
from portero.core.exchange.change import making
from portero.core.finding import Finding, Outcome, Severity
from portero.core.text import Text
from portero.exports.export import Report
from portero.faces.render import Renderer

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
HOSTILE = "</script><b>|`x`|\x00\x1b[31m\u202e\ud800 '' \"&"


@pytest.fixture
def finding() -> Finding:
    """A failed check whose sentence holds what a reader's program might obey."""
    return Finding(
        id="CON-05",
        title=Text("TreatMessagesAsInternal is off everywhere"),
        outcome=Outcome.FAIL,
        severity=Severity.CRITICAL,
        because=Text("Connectors that treat what they take as internal mail: {names}.", names=(HOSTILE,)),
        origins=(Origin("export.zip!Get InboundConnector.json", 3), Origin("a b/ñ.json")),
        fix=Text(
            "In Exchange Online PowerShell: {commands}",
            commands="Set-InboundConnector -Identity 'x' -Enabled $false",
        ),
        undo=Text(
            "In Exchange Online PowerShell: {commands}",
            commands="Set-InboundConnector -Identity 'x' -Enabled $true",
        ),
        maps={"NIST": "AC-4", "ATT&CK": "T1672, T1534"},
        changes=making("InboundConnector", "x", {"Enabled": True}),
        subjects=(HOSTILE,),
    )


@pytest.fixture
def report(finding: Finding) -> Callable[..., Report]:
    """Build reports: by default one finding of each outcome and severity, and one that is accepted."""

    def build(*findings: Finding, lang: str = "en") -> Report:
        accepted = replace(finding, id="SPAM-03").with_acceptances(
            [Acceptance("SPAM-03", "mail@contoso.com", date(2027, 3, 1), "until the move")], NOW
        )
        each = [
            replace(finding, id=f"LOG-{number:02}", outcome=outcome, severity=severity)
            for number, (outcome, severity) in enumerate(((o, s) for o in Outcome for s in Severity), 1)
        ]
        audit = Audit(
            generated_at=NOW,
            organisation=None,
            accepted_domains=("contoso.com",),
            first=None,
            last=None,
            totals=Totals(),
            coverage=(),
            gaps=(),
            senders=(),
            simulations=(),
            findings=findings or (finding, accepted, *each),
            plan=(),
        )
        return Report(audit, Renderer(lang).value, lang, "1.0")

    return build
