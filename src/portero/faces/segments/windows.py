"""Windows Defender Firewall: a script for every computer, which leaves those alone that may send."""

from __future__ import annotations

from portero.core.exchange.powershell import quote
from portero.core.text import Text
from portero.faces.segments.target import Rules, Target

# Source: New-NetFirewallRule, -RemoteAddress takes the keyword Internet; a block rule wins over any allow rule.
_RULE = (
    "-Name 'portero-mail' -DisplayName 'portero mail ports' -Direction Outbound -Action Block -Profile Any"
)


def _apply(rules: Rules) -> list[str]:
    held = ", ".join(map(quote, rules.addresses))
    ports = ", ".join(map(quote, map(str, rules.ports)))
    lines = [
        "#Requires -RunAsAdministrator",
        "$ErrorActionPreference = 'Stop'",
        f"$permitted = @({held})",
        "$mine = @((Get-NetIPAddress).IPAddress)",
        "if ($mine | Where-Object { $permitted -contains $_ }) { return }",
    ]
    return [
        *lines,
        "if (-not (Get-NetFirewallRule -Name 'portero-mail' -ErrorAction SilentlyContinue)) {",
        f"    New-NetFirewallRule {_RULE} -Protocol TCP -RemotePort @({ports}) -RemoteAddress 'Internet' | Out-Null",
        "}",
    ]


def _undo(_: Rules) -> list[str]:
    return ["Remove-NetFirewallRule -Name 'portero-mail' -ErrorAction SilentlyContinue"]


TARGET = Target(
    "windows",
    "portero-mail-windows.ps1",
    "portero-mail-windows-undo.ps1",
    "#",
    _apply,
    _undo,
    (
        Text(
            "Run it as a start-up script of a group policy on all computers: it changes nothing on those that may send."
        ),
    ),
    logs=False,
)
