"""
A Conditional Access policy blocks clients that know nothing but a password, for everyone.

Before: no policy blocks them, or one only reports, or leaves people out whom nobody remembers.

After: an enabled policy blocks Exchange ActiveSync and other clients for all users, but for break-glass accounts and those of AUTH-02.

Mend: make the policy, first in report-only mode.

Verify: Entra shows it enabled; sign-ins by legacy clients show as blocked.

May break: basic SMTP AUTH, POP and IMAP; the sign-in log by client over 30 days shows whose.

Exceptions: named service accounts from named locations.

Severity: high: passwords leak, and this is where they work alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from portero.core.checks.origins import of_answers, of_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import Change, offered
from portero.core.exchange.powershell import quote
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_CMDLET = "Get-MgIdentityConditionalAccessPolicy"
# Client types that know no modern authentication. Source: Microsoft Graph, conditionalAccessConditionSet.
_REPORTING = "enabledForReportingButNotEnforced"
_LEGACY = {"exchangeactivesync", "other"}


def _judge(posture: Posture) -> Verdict:
    policies = posture.tenant.objects(_CMDLET) or ()
    silent = [item for item in policies if _lacking(item)]
    answers = of_answers(posture.tenant, _CMDLET)
    blocking = [item for item in policies if _blocks(item)]
    states = {_word(item, "state") for item in blocking}
    if "enabled" in states:
        on = [item for item in blocking if _word(item, "state") == "enabled"]
        silent = [item for item in on if not _says_whom_not(item)]
        whole = [item for item in on if item not in silent and not _excluded(item)]
        if whole:
            return Verdict(
                Outcome.PASS,
                Text("An enabled policy blocks legacy authentication for everyone."),
                of_objects(whole),
            )
        if silent:
            because = Text("Legacy authentication is blocked; for whom not, the export does not say.")
            return Verdict(Outcome.UNKNOWN, because, of_objects(silent))
        excepted = min(map(_excluded, on), key=len)
        return Verdict(
            Outcome.WARN,
            Text(
                "Legacy authentication is blocked but for {accounts}; whether these are break-glass accounts is for a person to say.",
                accounts=excepted,
            ),
            of_objects(on),
            subjects=excepted,
        )
    if _REPORTING.lower() in states:
        because = Text("The policy against legacy authentication only reports.")
        return _mended(Verdict(Outcome.WARN, because, of_objects(blocking)), blocking, "enabled")
    if "" in states:
        said = dict.fromkeys(_unsaid(item, "state") for item in blocking if not _word(item, "state"))
        because = Text(
            "Whether the policy against legacy authentication is on is not known: {what}.", what=tuple(said)
        )
        return Verdict(Outcome.UNKNOWN, because, of_objects(blocking))
    if silent:
        because = Text(
            "A policy may block legacy authentication, and the export does not say: {what}.",
            what=tuple(dict.fromkeys(_unsaid(item, name) for item in silent for name in _lacking(item))),
        )
        return Verdict(Outcome.UNKNOWN, because, of_objects(silent))
    because = Text("No policy in force blocks legacy authentication for all users.")
    return _mended(Verdict(Outcome.FAIL, because, of_objects(blocking) or answers), blocking, _REPORTING)


def _mended(verdict: Verdict, policies: list[ConfigObject], state: str) -> Verdict:
    """Offer to bring the policies that are there to a state; where none is there, a person makes one."""
    changes = tuple(change for item in policies for change in _switched(item, state))
    if not changes:
        return verdict
    return replace(
        verdict,
        changes=changes,
        fix=Text(
            "In Microsoft Graph PowerShell: {commands}", commands="\n".join(each.do for each in changes)
        ),
        undo=Text(
            "In Microsoft Graph PowerShell: {commands}", commands="\n".join(each.undo for each in changes)
        ),
    )


def _switched(item: ConfigObject, wanted: str) -> tuple[Change, ...]:
    """Source: Update-MgIdentityConditionalAccessPolicy -State; Microsoft Graph, conditionalAccessPolicyState."""
    id_, held = _value(item.properties, "id"), _value(item.properties, "state")
    if not id_ or not held or str(held).lower() == wanted.lower():
        return ()
    named = f"-ConditionalAccessPolicyId {quote(id_)}"
    return offered(
        Change(
            "MgIdentityConditionalAccessPolicy",
            do=f"Update-MgIdentityConditionalAccessPolicy {named} -State {quote(wanted)}",
            verify=f"{_CMDLET} {named} | Format-List -Property 'DisplayName','State'",
            undo=f"Update-MgIdentityConditionalAccessPolicy {named} -State {quote(held)}",
            read=f"{_CMDLET} {named}",
            in_effect=f"{quote(wanted)} -eq $current.State",
            unchanged=f"{quote(held)} -eq $prior.State",
            restore=f"Update-MgIdentityConditionalAccessPolicy {named} -State $prior.State",
        )
    )


def _blocks(item: ConfigObject) -> bool:
    conditions, grants = _part(item.properties, "conditions"), _part(item.properties, "grantControls")
    users = _part(conditions, "users")
    return (
        _words(conditions, "clientAppTypes") >= _LEGACY
        and "block" in _words(grants, "builtInControls")
        and "all" in _words(users, "includeUsers")
    )


def _says_whom_not(item: ConfigObject) -> bool:
    users = _part(_part(item.properties, "conditions"), "users")
    return any(_value(users, name) is not None for name in ("excludeUsers", "excludeGroups", "excludeRoles"))


def _excluded(item: ConfigObject) -> tuple[str, ...]:
    users = _part(_part(item.properties, "conditions"), "users")
    return tuple(
        sorted(
            word for name in ("excludeUsers", "excludeGroups", "excludeRoles") for word in _words(users, name)
        )
    )


def _part(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    held = _value(values, name)
    return held if isinstance(held, Mapping) else {}


def _value(values: Mapping[str, object], name: str) -> object:
    """Give a value by name, whatever the case: Graph writes it small, PowerShell writes it large."""
    return next((value for key, value in values.items() if key.casefold() == name.casefold()), None)


def _words(values: Mapping[str, object], name: str) -> set[str]:
    held = _value(values, name)
    return {str(each).lower() for each in held} if isinstance(held, list | tuple) else set()


def _lacking(item: ConfigObject) -> tuple[str, ...]:
    """Name what decides whether a policy blocks, and was not exported."""
    held = {key.casefold() for key in item.properties}
    return tuple(name for name in ("conditions", "grantControls") if name.casefold() not in held)


def _unsaid(item: ConfigObject, name: str) -> Text:
    if any(key.casefold() == name.casefold() for key in item.properties):
        return Text("{name} was never set", name=name)
    return Text("{name} was not exported", name=name)


def _word(item: ConfigObject, name: str) -> str:
    return str(_value(item.properties, name) or "").lower()


CHECK = Check(
    id="AUTH-05",
    title=Text("Conditional Access blocks legacy authentication"),
    severity=Severity.HIGH,
    needs=("Get-MgIdentityConditionalAccessPolicy",),
    judge=_judge,
    fix=Text(
        "In Entra, make a Conditional Access policy that blocks other clients and Exchange ActiveSync for all users, first in report-only."
    ),
    undo=Text("Set the policy's state back to what it was."),
    maps={
        "SCuBA": "MS.AAD.1.1v1",
        "CIS": "5.2.2.3",
        "Maester": "MT.1009, MT.1010, CISA.MS.AAD.1.1",
        "Prowler": "entra_legacy_authentication_blocked",
        "NIST": "IA-2, AC-17",
        "ATT&CK": "T1078.004, T1110.003",
    },
)
