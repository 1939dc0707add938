"""
The mail that Reject Direct Send would refuse is known, and none of it is legitimate.

Before: nobody has counted whom the switch would cut off; it is thrown and payroll stops, or it is never thrown.

After: a replay of the recorded mail refuses nothing legitimate, and at most one mail in a hundred is undetermined.

Mend: give each legitimate sender on the list another way in: a connector by address or certificate (DS-03), authenticated
submission, a relay, or an envelope sender below a delegated sub-domain. Decide about each undecided one.

Verify: run the audit again over mail that is newer than the change; the simulation of reject-direct-send refuses no
legitimate sender.

May break: nothing, it only reads. A failed look-up of a message counts as undetermined, never as kept.

Exceptions: senders accepted as lost, with the name of whoever accepted it.

Severity: high: it decides whether the door can be closed at all.
"""

from __future__ import annotations

from portero.core.checks.origins import of_senders
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import Judgement, Path, Sender
from portero.core.simulation import Simulation
from portero.core.text import Text, count

# Share of the mails concerned that may stay undetermined. Source: controls catalogue DS-02.
UNDETERMINED_ALLOWED = 0.01


def _judge(posture: Posture) -> Verdict:
    simulation = posture.simulation("reject-direct-send")
    if simulation is None:
        return Verdict(Outcome.UNKNOWN, Text("The control reject-direct-send was not simulated."))
    legitimate = _refused(posture, simulation, Judgement.LEGITIMATE)
    if legitimate:
        return Verdict(
            Outcome.FAIL,
            count(
                "Reject Direct Send would refuse {n} legitimate sender: {senders}.",
                "Reject Direct Send would refuse {n} legitimate senders: {senders}.",
                len(legitimate),
                senders=tuple(sender.label for sender in legitimate),
            ),
            of_senders(legitimate),
        )
    undecided = _refused(posture, simulation, Judgement.UNDECIDED)
    if undecided:
        return Verdict(
            Outcome.WARN,
            count(
                "Reject Direct Send would refuse {n} sender about which nobody has decided: {senders}.",
                "Reject Direct Send would refuse {n} senders about which nobody has decided: {senders}.",
                len(undecided),
                senders=tuple(sender.label for sender in undecided),
            ),
            of_senders(undecided),
            fix=_decide(undecided),
        )
    return _without_refusals(posture, simulation)


def _without_refusals(posture: Posture, simulation: Simulation) -> Verdict:
    refused, undetermined, concerned = _totals(posture, simulation)
    if undetermined > UNDETERMINED_ALLOWED * concerned:
        return Verdict(
            Outcome.WARN,
            Text(
                "Of {concerned} mails concerned, {undetermined} are undetermined, more than one in a hundred.",
                concerned=concerned,
                undetermined=undetermined,
            ),
            of_senders(_named(posture, {each.sender for each in simulation.senders if each.undetermined})),
        )
    if posture.settings.reject_direct_send and not refused:
        # Truth rule: refused mail never reaches the message trace.
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Reject Direct Send is already on, and mail it refuses never reaches the trace. Only logs of devices and "
                "relays, or a trace from before the switch, show whom it refuses."
            ),
        )
    return Verdict(
        Outcome.PASS,
        Text(
            "Of {concerned} mails concerned, Reject Direct Send would refuse {refused}, none of them legitimate.",
            concerned=concerned,
            refused=refused,
        ),
        of_senders(posture.senders),
    )


def _totals(posture: Posture, simulation: Simulation) -> tuple[int, int, int]:
    """Count refused, undetermined and all mails of senders that could be concerned: the authenticated are not."""
    outside = {sender.id for sender in posture.senders if sender.path in {Path.AUTHENTICATED, Path.INTERNAL}}
    effects = [each for each in simulation.senders if each.sender not in outside]
    refused = sum(each.refused for each in effects)
    undetermined = sum(each.undetermined for each in effects)
    return refused, undetermined, refused + undetermined + sum(each.kept for each in effects)


def _refused(posture: Posture, simulation: Simulation, judgement: Judgement) -> tuple[Sender, ...]:
    names = {each.sender for each in simulation.senders if each.refused and each.judgement is judgement}
    return _named(posture, names)


def _named(posture: Posture, ids: set[str]) -> tuple[Sender, ...]:
    return tuple(sender for sender in posture.senders if sender.id in ids)


def _decide(senders: tuple[Sender, ...]) -> Text:
    return Text(
        "Ask who owns each sender, then record the answer: {commands}",
        commands="\n".join(
            f"portero decide {sender.id} legitimate|abuse --owner ADDRESS --note REASON" for sender in senders
        ),
    )


CHECK = Check(
    id="DS-02",
    title=Text("The mail that Reject Direct Send would refuse is known and holds nothing legitimate"),
    severity=Severity.HIGH,
    needs=("mail", "domains"),
    judge=_judge,
    fix=Text(
        "Give each legitimate sender another way in: a connector by address or certificate (DS-03), authenticated submission, "
        "a relay, or an envelope sender below a delegated sub-domain."
    ),
    undo=Text("Nothing to undo: this check only reads."),
    maps={"CIS": "6.5.5 (impact statement)", "NIST": "CM-4, CM-3"},
)
