"""What checks of policies share: every class of recipients is judged by the policy that really applies to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from portero.core.checks.origins import of_answers, of_objects
from portero.core.checks.standing import Standing, conclude
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import Change, setting
from portero.core.exchange.powershell import identity
from portero.core.exchange.protection import Family, Protection, RecipientClass, is_preset, protection
from portero.core.exchange.settings import Absent, flag, prop
from portero.core.finding import Outcome, Posture, Severity, Verdict
from portero.core.text import Text


@dataclass(frozen=True, slots=True)
class Stance:
    """
    How one policy stands, whoever it applies to.

    what:     clauses that say what is wrong or not known, without the policy's name.
    changes:  the commands that mend it.
    """

    outcome: Outcome
    what: tuple[Text, ...] = ()
    changes: tuple[Change, ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Want:
    """
    What one property of a policy should be.

    good:       tells whether a value that is there is good enough; texts come in lower case.
    value:      what to set it to.
    otherwise:  how the policy stands where it is not.
    null, absent: how it stands where the property was never set, or not exported: unknown, unless that has a known
                  meaning.
    """

    name: str
    good: Callable[[object], bool]
    value: object
    otherwise: Outcome = Outcome.FAIL
    null: Outcome = Outcome.UNKNOWN
    absent: Outcome = Outcome.UNKNOWN


def on(name: str, otherwise: Outcome = Outcome.FAIL) -> Want:
    """Want a switch to be on."""
    return Want(name, lambda value: value is True, True, otherwise)


def unless_off(name: str) -> Want:
    """Want a switch not to be off; it is on where nobody set it."""
    return Want(name, lambda value: value is True, True, null=Outcome.PASS)


def off(name: str, otherwise: Outcome = Outcome.FAIL) -> Want:
    """Want a switch to be off."""
    return Want(name, lambda value: value is False, False, otherwise)


def one_of(name: str, *values: str, otherwise: Outcome = Outcome.FAIL) -> Want:
    """Want one of some words; the first is what to set."""
    good = frozenset(value.lower() for value in values)
    return Want(name, lambda value: value in good, values[0], otherwise)


def at_most(name: str, limit: int, otherwise: Outcome = Outcome.FAIL) -> Want:
    """Want a number from 1 up to a limit: 0 stands for the service's own, far greater limit."""
    return Want(name, lambda value: isinstance(value, int) and 0 < value <= limit, limit, otherwise)


def at_least(name: str, limit: int, otherwise: Outcome = Outcome.FAIL) -> Want:
    """Want a number from a limit up."""
    return Want(name, lambda value: isinstance(value, int) and value >= limit, limit, otherwise)


def whole_domains(posture: Posture) -> tuple[str, ...]:
    """Give the accepted domains where Get-AcceptedDomain was exported whole, else none: a list may lack some."""
    if not posture.tenant.complete("Get-AcceptedDomain"):
        return ()
    return tuple(held.name for held in posture.settings.accepted_domains)


def stance(policy: ConfigObject, wants: Sequence[Want]) -> Stance:
    """Measure one policy against what is wanted; the gravest counts, and unknown outweighs a warning."""
    found: dict[Outcome, list[Text]] = {outcome: [] for outcome in Outcome}
    missed: dict[str, object] = {}
    for want in wants:
        value = _read(policy, want.name)
        if isinstance(value, Absent):
            found[want.absent].append(Text("{name} was not exported", name=want.name))
        elif value is None:
            found[want.null].append(Text("{name} was never set", name=want.name))
            if want.null in {Outcome.FAIL, Outcome.WARN}:
                missed[want.name] = want.value
        elif isinstance(value, list | tuple | dict):
            found[Outcome.UNKNOWN].append(
                Text("{name} holds several values where one belongs", name=want.name)
            )
        elif not want.good(value):
            found[want.otherwise].append(
                Text("{name} is {value}", name=want.name, value=str(prop(policy, want.name)))
            )
            missed[want.name] = want.value
    for outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WARN):
        if found[outcome]:
            shown = (
                found[Outcome.FAIL] + found[Outcome.WARN]
                if outcome is not Outcome.UNKNOWN
                else found[outcome]
            )
            # Exchange lets nobody edit the policies of a preset.
            changes = () if is_preset(policy) else setting(policy, missed)
            return Stance(outcome, tuple(dict.fromkeys(shown)), changes)
    return Stance(Outcome.PASS)


def _read(policy: ConfigObject, name: str) -> object:
    """Give a value in one form: Booleans and numbers of CSV exports as such, other texts in lower case."""
    value = prop(policy, name)
    if isinstance(value, str):
        read = flag(policy, name)
        if isinstance(read, bool):
            return read
        text = value.strip()
        if not text:
            return None
        # What is too long for a number of any setting stays a text.
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text.lower()
    return value


def judge_policies(
    posture: Posture,
    family: Family,
    stand: Callable[[ConfigObject], Stance],
    passed: Text,
    nothing: Verdict | None = None,
) -> Verdict:
    """
    Judge, for every class of recipients, the policy that really applies to it.

    nothing:  the verdict where no policy of the family exists; unknown by default, since each tenant has one.
    """
    standings = policy_standings(posture, family, stand)
    if not standings:
        answers = of_answers(posture.tenant, family.policies)
        return nothing or Verdict(
            Outcome.UNKNOWN, Text("{cmdlet} came back empty.", cmdlet=family.policies), answers
        )
    return conclude(standings, passed, Text("It concerns no policy that applies to somebody."))


def policy_standings(
    posture: Posture, family: Family, stand: Callable[[ConfigObject], Stance]
) -> list[Standing]:
    """Say how every class of recipients stands by the policy that applies to it; none where no policy was exported."""
    found = protection(posture.tenant, family, whole_domains(posture))
    if found is None:
        return []
    standings = [_of_class(held, stand) for held in found.classes]
    return standings + [_of_loose(policy, found, stand) for policy in found.loose]


def _of_class(held: RecipientClass, stand: Callable[[ConfigObject], Stance]) -> Standing:
    if held.policy is None:
        reason = Text(
            "{derivation} to {who}, and the export lacks that policy",
            derivation=held.derivation,
            who=held.who,
        )
        return Standing(
            held.policy_name, Outcome.UNKNOWN, reason, of_objects([held.rule] if held.rule else [])
        )
    found = stand(held.policy)
    origins = of_objects([held.policy, *([held.rule] if held.rule else [])])
    if found.outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE}:
        return Standing(held.policy_name, found.outcome, held.derivation, origins)
    if not held.certain:
        reason = Text(
            "whether {derivation}, in which {what}, is not known: state or conditions of the rule were not exported",
            derivation=held.derivation,
            what=found.what,
        )
        return Standing(held.policy_name, Outcome.UNKNOWN, reason, origins)
    reason = Text("{who}: {what} ({derivation})", who=held.who, what=found.what, derivation=held.derivation)
    return Standing(held.policy_name, found.outcome, reason, origins, found.severity, changes=found.changes)


def _of_loose(policy: ConfigObject, found: Protection, stand: Callable[[ConfigObject], Stance]) -> Standing:
    name, held = identity(policy), stand(policy)
    origins = of_objects([policy])
    if held.outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE}:
        return Standing(name, held.outcome, Text("policy “{policy}” is in order", policy=name), origins)
    reason = Text(
        "whether policy “{policy}”, in which {what}, applies to anybody is not known without {missing}",
        policy=name,
        what=held.what,
        missing=found.missing,
    )
    return Standing(name, Outcome.UNKNOWN, reason, origins)


def defender(posture: Posture) -> bool | None:
    """
    Tell whether the tenant has Defender for Office 365; None where the evidence does not say.

    With a licence there is always a Safe Links policy, the built-in one if no other.
    Source: reference exchange-online 5.2; controls catalogue MAL-01.
    """
    policies = posture.tenant.objects("Get-SafeLinksPolicy")
    if policies:
        return True
    if policies is not None and posture.tenant.complete("Get-SafeLinksPolicy"):
        return False
    return None


def without_defender() -> Verdict:
    """Say that a check concerns only tenants with Defender for Office 365."""
    return Verdict(
        Outcome.NOT_APPLICABLE,
        Text("Get-SafeLinksPolicy returned nothing, so the tenant has no Defender for Office 365."),
    )
