"""
Exchange honours the DMARC policy of senders, ours included, in the policy that applies to each recipient.

Before: HonorDmarcPolicy is false; mail that fails DMARC for a domain with p=reject is filtered by guesswork instead of refused.

After: it is true, with Reject for p=reject and Quarantine for p=quarantine, for every class of recipients. It turns DNS-09 into a
refusal of anonymous mail with our visible From.

Mend: set the three values in the policies named.

Verify: Get-AntiPhishPolicy shows HonorDmarcPolicy True, DmarcRejectAction Reject, DmarcQuarantineAction Quarantine.

May break: forwarded mail and mailing lists of strict domains; look first at delivered mail that fails DMARC, over 30 days. Where the
MX is a gateway and enhanced filtering is off (CON-09) it has little effect.

Exceptions: trusted ARC sealers (SPOOF-09).
"""

from __future__ import annotations

from collections.abc import Mapping

from portero.core.checks.effective import at_fault, unsettled, whole_domains
from portero.core.checks.origins import of_answers, of_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import identity, literal, quote, run
from portero.core.exchange.protection import Family, Protection, RecipientClass, protection
from portero.core.exchange.settings import Absent, flag, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_WANTED = {"HonorDmarcPolicy": True, "DmarcRejectAction": "Reject", "DmarcQuarantineAction": "Quarantine"}


def _judge(posture: Posture) -> Verdict:
    found = protection(posture.tenant, Family.ANTI_PHISH, whole_domains(posture))
    if found is None or not (found.classes or found.loose):
        return Verdict(
            Outcome.UNKNOWN,
            Text("Get-AntiPhishPolicy came back empty."),
            of_answers(posture.tenant, "Get-AntiPhishPolicy"),
        )
    ignored = at_fault(found, _standing, Outcome.FAIL)
    if ignored:
        return _verdict(Outcome.FAIL, ignored)
    unclear = unsettled(found, lambda policy: _settled(_standing(policy)))
    soft = at_fault(found, _standing, Outcome.WARN)
    if soft:
        return _verdict(Outcome.WARN, soft)
    return unclear or _passed(posture, found)


def _settled(outcome: Outcome) -> Outcome:
    """Nobody's softer action is worse than a policy that is not known."""
    return Outcome.PASS if outcome is Outcome.WARN else outcome


def _passed(posture: Posture, found: Protection) -> Verdict:
    filtering = any(
        held.enabled is not False and (held.skip_last_ip or held.skip_ips)
        for held in posture.settings.connectors
    )
    because = Text("The DMARC policy of senders is honoured for everyone.")
    if posture.settings.mx_at_microsoft is False and not filtering:
        because = Text(
            "The DMARC policy of senders is honoured for everyone, yet the MX is at a gateway without enhanced filtering "
            "(CON-09), so Exchange Online rarely enforces it."
        )
    return Verdict(Outcome.PASS, because, of_objects(held.policy for held in found.classes if held.policy))


def _standing(policy: ConfigObject) -> Outcome:
    honour = flag(policy, "HonorDmarcPolicy")
    if honour is False or flag(policy, "Enabled") is False:
        return Outcome.FAIL
    actions = [prop(policy, name) for name in ("DmarcRejectAction", "DmarcQuarantineAction")]
    if honour is not True or any(action is None or isinstance(action, Absent) for action in actions):
        return Outcome.UNKNOWN
    reject, quarantine = (str(action).lower() for action in actions)
    return Outcome.PASS if (reject, quarantine) == ("reject", "quarantine") else Outcome.WARN


def _verdict(outcome: Outcome, classes: list[RecipientClass]) -> Verdict:
    who, why = tuple(held.who for held in classes), tuple(held.derivation for held in classes)
    because = (
        Text("The DMARC policy of senders is not honoured for {who}: {derivation}.", who=who, derivation=why)
        if outcome is Outcome.FAIL
        else Text(
            "Mail that fails DMARC fares better than its owner asks for {who}: {derivation}.",
            who=who,
            derivation=why,
        )
    )
    policies = list({held.policy_name: held.policy for held in classes if held.policy}.values())
    return Verdict(
        outcome,
        because,
        of_objects(policies),
        fix=run(_command(identity(policy), _WANTED) for policy in policies),
        undo=run(
            _command(
                identity(policy),
                {name: policy.properties[name] for name in _WANTED if name in policy.properties},
            )
            for policy in policies
        ),
    )


def _command(policy: str, values: Mapping[str, object]) -> str:
    changes = " ".join(f"-{name} {literal(value)}" for name, value in values.items())
    return f"Set-AntiPhishPolicy -Identity {quote(policy)} {changes}"


CHECK = Check(
    id="SPOOF-02",
    title=Text("DMARC policies of senders, ours included, are honoured"),
    severity=Severity.HIGH,
    needs=("Get-AntiPhishPolicy",),
    judge=_judge,
    fix=run([_command("POLICY", _WANTED)]),
    undo=run(
        ["Set-AntiPhishPolicy -Identity 'POLICY' -HonorDmarcPolicy PREVIOUS -DmarcRejectAction PREVIOUS"]
    ),
    maps={"CIS": "2.1.7", "ORCA": "244", "NIST": "SI-8", "ATT&CK": "T1672"},
)
