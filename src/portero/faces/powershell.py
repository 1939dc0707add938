"""apply.ps1, verify.ps1 and rollback.ps1: the plan's changes as scripts for an administrator to review and run."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence

from portero.core.exchange.change import Change
from portero.core.exchange.powershell import quote
from portero.core.step import Step
from portero.core.text import Text, count

Render = Callable[[Text], str]

_HEAD = """#Requires -Modules ExchangeOnlineManagement
{comments}
{binding}
param(
    [int[]] $Only = @(){parameters}
)
$ErrorActionPreference = 'Stop'
"""
_FOLDER = """,
    [Parameter(Mandatory = $true)] [string] $SnapshotFolder,
    [switch] $AcceptDrift"""
_OUT = """,
    [string] $Out = ''"""
_CONFIRMED = "[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]"

_LOG = """
function Write-Log([string] $Id, [string] $Message) {
    $line = '{0} [{1}] {2}' -f (Get-Date).ToUniversalTime().ToString('o'), $Id, $Message
    Write-Host $line
    if (Test-Path -LiteralPath $SnapshotFolder) {
        Add-Content -LiteralPath (Join-Path $SnapshotFolder 'portero.log') -Value $line -Encoding UTF8 -WhatIf:$false
    }
}
"""

# The snapshot is written before the change and never over an older one, which holds the true prior state.
_APPLY = """
function Invoke-Change($Id, $Title, $Read, $Unchanged, $InEffect, $Apply) {
    $path = Join-Path $SnapshotFolder ('{0}.json' -f $Id)
    $prior = & $Read
    if (& $InEffect $prior) { Write-Log $Id <already>; return }
    if (-not (& $Unchanged $prior)) {
        if (-not $AcceptDrift) { throw ('[{0}] {1}' -f $Id, <drifted>) }
        Write-Log $Id <accepted>
    }
    if (Test-Path -LiteralPath $path) { throw ('[{0}] {1}' -f $Id, <exists>) }
    if (-not $PSCmdlet.ShouldProcess($Title, $Apply.ToString().Trim())) { return }
    New-Item -ItemType Directory -Force -Path $SnapshotFolder | Out-Null
    $snapshot = @{ Id = $Id; Taken = (Get-Date).ToUniversalTime().ToString('o'); Prior = $prior }
    ConvertTo-Json -InputObject $snapshot -Depth 6 | Set-Content -LiteralPath $path -Encoding UTF8
    Write-Log $Id <changing>
    & $Apply
    Write-Log $Id <changed>
}
"""

_ROLLBACK = """
function Undo-Change($Id, $Title, $Read, $InEffect, $Undo) {
    $path = Join-Path $SnapshotFolder ('{0}.json' -f $Id)
    if (-not (Test-Path -LiteralPath $path)) { return }
    $prior = (Get-Content -LiteralPath $path -Raw -Encoding UTF8 | ConvertFrom-Json).Prior
    $current = & $Read
    if (-not (& $InEffect $current)) {
        if (-not $AcceptDrift) { throw ('[{0}] {1}' -f $Id, <drifted>) }
        Write-Log $Id <accepted>
    }
    if (-not $PSCmdlet.ShouldProcess($Title, $Undo.ToString().Trim())) { return }
    & $Undo $prior
    Move-Item -LiteralPath $path -Destination ('{0}.undone-{1}' -f $path, (Get-Date).ToUniversalTime().ToString('yyyyMMddHHmmss'))
    Write-Log $Id <undone>
}
"""

_VERIFY = """
$results = New-Object System.Collections.ArrayList
function Test-Change($Id, $Title, $Read, $InEffect) {
    $problem = ''
    $passed = $false
    try { $passed = [bool] (& $InEffect (& $Read)) } catch { $problem = $_.Exception.Message }
    [void] $results.Add([pscustomobject] @{ Id = $Id; Title = $Title; Passed = $passed; Problem = $problem })
}
"""

_VERDICT = """
$results | Format-Table -AutoSize -Wrap
if ($Out) { ConvertTo-Json -InputObject @($results) | Out-File -LiteralPath $Out -Encoding utf8 }
if (@($results | Where-Object { -not $_.Passed }).Count -gt 0) { exit 1 }
exit 0
"""

_APPLY_SAYS = {
    "already": Text("Already in effect; nothing is done."),
    "drifted": Text(
        "The tenant is no longer as it was when portero read it. Export it and plan again, or look at the difference "
        "and run with -AcceptDrift."
    ),
    "accepted": Text("The tenant is not as it was read; you accepted that."),
    "exists": Text(
        "The snapshot folder already holds the prior state of this change. Use an empty folder, or roll back first."
    ),
    "changing": Text("The prior state is saved; the change begins."),
    "changed": Text("The change is made."),
}
_ROLLBACK_SAYS = {
    "drifted": Text(
        "Somebody changed this after apply.ps1 did. Look at the difference, and run with -AcceptDrift to restore the "
        "prior state all the same."
    ),
    "accepted": Text("The tenant is not as apply.ps1 left it; you accepted that."),
    "undone": Text("The prior state is restored."),
}


def scripts(steps: Sequence[Step], render: Render) -> dict[str, bytes]:
    """
    Write the three scripts by file name, UTF-8 with BOM, which Windows PowerShell 5.1 needs to read it.

    render:  gives a sentence in the run's language.
    None of them connects, asks for credentials or holds any; each change is one confirmation.
    Source: contract section 3; reference exchange-online 6.0.
    """
    made = {
        "apply.ps1": _apply(steps, render),
        "verify.ps1": _verify(steps, render),
        "rollback.ps1": _rollback(steps, render),
    }
    return {name: text.encode("utf-8-sig") for name, text in made.items()}


def _apply(steps: Sequence[Step], render: Render) -> str:
    about = Text(
        "Makes the changes of the plan, one at a time, each after its prior state is saved and you confirm it. "
        "Review it first. Connect with Connect-ExchangeOnline yourself; -Only names steps, -WhatIf changes nothing."
    )
    calls = []
    for step in steps:
        if not step.commands:
            continue
        body = [
            f"Invoke-Change {_call(number, step, command, render)} {_block(command.unchanged, 'prior')} "
            f"{_block(command.in_effect, 'current')} {{ {command.do} }}"
            for number, command in _numbered(step)
        ]
        calls.append(_when(step, body, render))
    head = _head(about, render, _CONFIRMED, _FOLDER)
    return head + _LOG + _said(_APPLY, _APPLY_SAYS, render) + "".join(calls)


def _rollback(steps: Sequence[Step], render: Render) -> str:
    about = Text(
        "Restores what apply.ps1 saved in the snapshot folder, the last change first. Review it first. Connect with "
        "Connect-ExchangeOnline yourself; -Only names steps, -WhatIf changes nothing."
    )
    calls = []
    for step in reversed(steps):
        if not step.commands:
            continue
        body = [
            f"Undo-Change {_call(number, step, command, render)} {_block(command.in_effect, 'current')} "
            f"{{ param($prior) {command.restore} }}"
            for number, command in reversed(list(_numbered(step)))
        ]
        calls.append(_when(step, body, render))
    head = _head(about, render, _CONFIRMED, _FOLDER)
    return head + _LOG + _said(_ROLLBACK, _ROLLBACK_SAYS, render) + "".join(calls)


def _verify(steps: Sequence[Step], render: Render) -> str:
    about = Text(
        "Shows whether each change of the plan is in effect, and ends with 1 where one is not. It changes nothing. "
        "Connect with Connect-ExchangeOnline yourself; -Only names steps, -Out a file for the dashboard."
    )
    calls = []
    for step in steps:
        body = [
            f"Test-Change {_call(number, step, command, render)} {_block(command.in_effect, 'current')}"
            for number, command in _numbered(step)
        ]
        if body:
            calls.append(_when(step, body, render))
    return _head(about, render, "[CmdletBinding()]", _OUT) + _VERIFY + "".join(calls) + _VERDICT


def _numbered(step: Step) -> Iterator[tuple[int, Change]]:
    return enumerate(step.commands, 1)


def _call(number: int, step: Step, command: Change, render: Render) -> str:
    """Write the arguments that the three functions share: the id, the title, and how to read the object."""
    return f"{quote(f'{step.n}.{number}')} {quote(_line(render(step.title)))} {{ {command.read} }}"


def _block(expression: str, name: str) -> str:
    return f"{{ param(${name}) {expression} }}"


def _when(step: Step, body: Sequence[str], render: Render) -> str:
    notes = [
        Text("Step {step}: {title}", step=step.n, title=step.title),
        step.why,
        step.do,
        step.verify,
        step.undo,
    ]
    if step.after:
        notes.insert(
            1,
            count(
                "Only after step {steps}, which this script cannot check.",
                "Only after steps {steps}, which this script cannot check.",
                len(step.after),
                steps=step.after,
            ),
        )
    lines = "".join(f"    {line}\n" for line in body)
    return (
        f"\n{_comments(notes, render)}\nif ($Only.Count -eq 0 -or $Only -contains {step.n}) {{\n{lines}}}\n"
    )


def _head(about: Text, render: Render, binding: str, parameters: str) -> str:
    # Not str.format: PowerShell's braces are text here.
    return (
        _HEAD.replace("{comments}", _comments([about], render))
        .replace("{binding}", binding)
        .replace("{parameters}", parameters)
    )


def _said(function: str, sentences: dict[str, Text], render: Render) -> str:
    for name, text in sentences.items():
        function = function.replace(f"<{name}>", f"({quote(_line(render(text)))})")
    return function


def _comments(texts: Sequence[Text], render: Render) -> str:
    return "\n".join(
        f"# {_line(part)}" for text in texts for part in render(text).splitlines() if part.strip()
    )


def _line(text: str) -> str:
    """Keep a sentence on its line: nothing in it may end a comment, or hide what a reviewer reads."""
    return "".join(
        " " if unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else each for each in text
    )
