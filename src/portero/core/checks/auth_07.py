"""
Nobody submits over TLS 1.0 or 1.1.

Before: AllowLegacyTLSClients is true, and passwords travel under a cipher that can be broken.

After: it is false, or was never set, which means the same.

Mend: switch it off.

Verify: Get-TransportConfig shows it.

May break: old devices that use smtp-legacy.office365.com; their settings and the firewall's log by host name show which.

Exceptions: a local relay that speaks modern TLS for them; or an exception with a date in portero.toml.

Severity: medium: it takes somebody on the line.
"""

from __future__ import annotations

from portero.core.checks.origins import of_objects
from portero.core.checks.standing import judge_single
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import Absent, flag
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_NAME = "AllowLegacyTLSClients"


def _judge(posture: Posture) -> Verdict:
    return judge_single(posture, "Get-TransportConfig", _switch)


def _switch(_: Posture, item: ConfigObject) -> Verdict:
    value, origins = flag(item, _NAME), of_objects([item])
    if isinstance(value, Absent):
        return Verdict(Outcome.UNKNOWN, Text("The export lacks {name}.", name=_NAME), origins)
    if value:
        because = Text("Clients of TLS 1.0 and 1.1 may submit.")
        return Verdict(Outcome.FAIL, because, origins, changes=setting(item, {_NAME: False}))
    because = (
        Text("{name} was never set, which means off.", name=_NAME)
        if value is None
        else Text("{name} is false.", name=_NAME)
    )
    return Verdict(Outcome.PASS, because, origins)


CHECK = Check(
    id="AUTH-07",
    title=Text("The legacy-TLS submission endpoint is not opted into"),
    severity=Severity.MEDIUM,
    needs=("Get-TransportConfig",),
    judge=_judge,
    fix=run(["Set-TransportConfig -AllowLegacyTLSClients $false"]),
    undo=run(["Set-TransportConfig -AllowLegacyTLSClients $true"]),
    maps={"NIST": "SC-8, SC-13", "ATT&CK": "T1040, T1557"},
)
