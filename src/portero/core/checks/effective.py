"""What checks of protection policies share: whose list of domains is whole, and what stays open without rules."""

from __future__ import annotations

from collections.abc import Callable

from portero.core.checks.origins import of_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import identity
from portero.core.exchange.protection import Protection, RecipientClass
from portero.core.finding import Outcome, Posture, Verdict
from portero.core.text import Text


def whole_domains(posture: Posture) -> tuple[str, ...]:
    """Give the accepted domains where Get-AcceptedDomain was exported whole, else none: a list may lack some."""
    if not posture.tenant.complete("Get-AcceptedDomain"):
        return ()
    return tuple(held.name for held in posture.settings.accepted_domains)


def at_fault(
    found: Protection, standing: Callable[[ConfigObject], Outcome], outcome: Outcome
) -> list[RecipientClass]:
    """Give the classes whose policy surely applies and stands so."""
    return [
        held
        for held in found.classes
        if held.certain and held.policy is not None and standing(held.policy) is outcome
    ]


def unsettled(found: Protection, standing: Callable[[ConfigObject], Outcome]) -> Verdict | None:
    """
    Say what keeps a check of policies from passing: values or policies that were not exported, rules that are missing.

    Where every policy that may apply passes, it does not matter to whom each applies, and the answer is None.
    """
    nameless = tuple(held.policy_name for held in found.classes if held.policy is None)
    if nameless:
        return Verdict(
            Outcome.UNKNOWN, Text("Rules name policies that the export lacks: {policies}.", policies=nameless)
        )
    policies = [*(held.policy for held in found.classes if held.policy is not None), *found.loose]
    open_ = [policy for policy in policies if standing(policy) is not Outcome.PASS]
    unreadable = [policy for policy in open_ if standing(policy) is Outcome.UNKNOWN]
    if unreadable:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "The values that matter of policies {policies} were never set or not exported.",
                policies=tuple(map(identity, unreadable)),
            ),
            of_objects(unreadable),
        )
    if open_:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Whether policies {policies}, which would not pass, apply to anybody is not known: the export lacks "
                "{missing}.",
                policies=tuple(map(identity, open_)),
                missing=found.missing or (Text("state or conditions of their rules"),),
            ),
            of_objects(open_),
        )
    return None
