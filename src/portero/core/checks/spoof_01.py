"""
Spoof intelligence is on in the policy that really applies to each recipient.

Before: somebody's mail is filtered by a policy with spoof intelligence off, although the default policy has it on; judging the
default, or the rule of priority 0, does not show it.

After: for every class of recipients, the policy that applies has EnableSpoofIntelligence true.

Mend: switch it on in the policies named; preset policies cannot be edited and have it on.

Verify: Get-AntiPhishPolicy shows EnableSpoofIntelligence True on them.

May break: legitimate senders that do not authenticate go to junk or quarantine; Get-SpoofIntelligenceInsight lists them first.

Exceptions: by sender, with a dated allow pair (SPOOF-04).
"""

from __future__ import annotations

from portero.core.checks.effective import at_fault, unsettled, whole_domains
from portero.core.checks.origins import of_answers, of_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import identity, literal, quote, run
from portero.core.exchange.protection import Family, protection
from portero.core.exchange.settings import flag, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    found = protection(posture.tenant, Family.ANTI_PHISH, whole_domains(posture))
    if found is None or not (found.classes or found.loose):
        return Verdict(
            Outcome.UNKNOWN,
            Text("Get-AntiPhishPolicy came back empty."),
            of_answers(posture.tenant, "Get-AntiPhishPolicy"),
        )
    off = at_fault(found, _standing, Outcome.FAIL)
    if off:
        policies = list({held.policy_name: held.policy for held in off if held.policy}.values())
        return Verdict(
            Outcome.FAIL,
            Text(
                "Spoof intelligence is off for {who}: {derivation}.",
                who=tuple(held.who for held in off),
                derivation=tuple(held.derivation for held in off),
            ),
            of_objects(policies),
            fix=run(_command(policy, True) for policy in policies),
            undo=run(_command(policy, prop(policy, "EnableSpoofIntelligence")) for policy in policies),
        )
    unclear = unsettled(found, _standing)
    if unclear is not None:
        return unclear
    return Verdict(
        Outcome.PASS,
        Text("Spoof intelligence is on in every policy that applies to somebody."),
        of_objects(held.policy for held in found.classes if held.policy),
    )


def _standing(policy: ConfigObject) -> Outcome:
    value, enabled = flag(policy, "EnableSpoofIntelligence"), flag(policy, "Enabled")
    if value is False or enabled is False:
        return Outcome.FAIL
    return Outcome.PASS if value is True else Outcome.UNKNOWN


def _command(policy: ConfigObject, value: object) -> str:
    return (
        f"Set-AntiPhishPolicy -Identity {quote(identity(policy))} -EnableSpoofIntelligence {literal(value)}"
    )


CHECK = Check(
    id="SPOOF-01",
    title=Text("Spoof intelligence is on in the policy that applies to each recipient"),
    severity=Severity.CRITICAL,
    needs=("Get-AntiPhishPolicy",),
    judge=_judge,
    fix=run(["Set-AntiPhishPolicy -Identity 'POLICY' -EnableSpoofIntelligence $true"]),
    undo=run(["Set-AntiPhishPolicy -Identity 'POLICY' -EnableSpoofIntelligence $false"]),
    maps={
        "CIS": "2.1.7",
        "ORCA": "180",
        "Prowler": "defender_antiphishing_policy_configured",
        "NIST": "SI-8",
        "ATT&CK": "T1672, T1656",
    },
)
