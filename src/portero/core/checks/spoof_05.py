"""
Every recipient stands under the Standard or Strict level, by a preset or by a policy that is as strict.

Before: a preset's rule is switched off, or excepts people, and whoever no rule names falls to a default policy that is weaker.

After: the rules of the presets are on; whoever they do not take falls to policies that hold Standard's values; every exception has an
owner.

Mend: switch the preset's rule on, first for a pilot group; raise the default policy's values.

Verify: Get-EOPProtectionPolicyRule shows State Enabled, and portero protection shows no recipient under a weaker policy.

May break: more mail in quarantine for the recipients added; compare the counts of a pilot group for a week.

Exceptions: shared mailboxes of ticket systems, with an owner, recorded as an exception in portero.toml.

Severity: high, because whoever falls out of the rules falls out of all that the policies promise.
"""

from __future__ import annotations

from functools import partial

from portero.core.checks.effective import policy_standings, stance
from portero.core.checks.levels import anti_phish, phish_actions, spam_actions
from portero.core.checks.origins import of_answers, of_objects
from portero.core.checks.standing import Standing, conclude, unread
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import switching_on
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.protection import PRESET_RULES, Family
from portero.core.exchange.settings import prop, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_EXCEPTIONS = ("ExceptIfSentTo", "ExceptIfSentToMemberOf", "ExceptIfRecipientDomainIs")


def _judge(posture: Posture) -> Verdict:
    limits = posture.limits
    spam = (*spam_actions(limits), *phish_actions(limits))
    standings = [
        *policy_standings(posture, Family.ANTI_PHISH, partial(stance, wants=anti_phish(limits))),
        *policy_standings(posture, Family.ANTI_SPAM, partial(stance, wants=spam)),
    ]
    if not standings:
        return Verdict(
            Outcome.UNKNOWN,
            Text("No policy was exported."),
            of_answers(posture.tenant, "Get-AntiPhishPolicy", "Get-HostedContentFilterPolicy"),
        )
    rules = [rule for cmdlet in PRESET_RULES for rule in posture.tenant.objects(cmdlet) or ()]
    standings += [_rule(rule) for rule in rules]
    return conclude(
        standings,
        Text("Every recipient stands under a policy that holds the values of the profile."),
        Text("It concerns no policy that applies to somebody."),
    )


def _rule(rule: ConfigObject) -> Standing:
    """Judge the rule of a preset: on, and without exceptions that nobody owns."""
    name, state, origins = identity(rule), prop(rule, "State"), of_objects([rule])
    word = state.strip().lower() if isinstance(state, str) else ""
    if word == "disabled":
        reason = Text("rule “{rule}” of a preset is switched off", rule=name)
        return Standing(name, Outcome.FAIL, reason, origins, changes=switching_on(rule))
    if word != "enabled":
        return unread(rule, ("State",))
    excepted = {name: texts(rule, name) for name in _EXCEPTIONS}
    people = (*(excepted["ExceptIfSentTo"] or ()), *(excepted["ExceptIfRecipientDomainIs"] or ()))
    if people:
        reason = Text("rule “{rule}” of a preset excepts {recipients}", rule=name, recipients=people)
        return Standing(name, Outcome.FAIL, reason, origins)
    absent = tuple(name for name, entries in excepted.items() if entries is None)
    if absent:
        return unread(rule, absent)
    groups = excepted["ExceptIfSentToMemberOf"]
    if groups:
        reason = Text(
            "rule “{rule}” of a preset excepts the members of {groups}, of whom the export does not say",
            rule=name,
            groups=groups,
        )
        return Standing(name, Outcome.WARN, reason, origins)
    return Standing(name, Outcome.PASS, Text("rule “{rule}” of a preset is on", rule=name), origins)


CHECK = Check(
    id="SPOOF-05",
    title=Text("Every recipient is covered by the intended protection level"),
    severity=Severity.HIGH,
    needs=("Get-HostedContentFilterPolicy", "Get-AntiPhishPolicy", "Get-EOPProtectionPolicyRule"),
    judge=_judge,
    fix=run(
        [
            "Enable-EOPProtectionPolicyRule -Identity 'Standard Preset Security Policy'",
            "Enable-ATPProtectionPolicyRule -Identity 'Standard Preset Security Policy'",
        ]
    ),
    undo=run(
        [
            "Disable-EOPProtectionPolicyRule -Identity 'Standard Preset Security Policy'",
            "Disable-ATPProtectionPolicyRule -Identity 'Standard Preset Security Policy'",
        ]
    ),
    maps={
        "SCuBA": "MS.SECURITYSUITE.1.1v1 to 1.4v1, MS.SECURITYSUITE.6.1v1",
        "SCuBA before 2026": "MS.DEFENDER.1.1v1 to 1.5v1",
        "CIS": "2.4.2",
        "ORCA": "226 to 232, 239",
        "Prowler": "defender_strict_preset_security_policy_enabled",
        "NIST": "SI-8, CM-6",
        "ATT&CK": "T1566",
    },
)
