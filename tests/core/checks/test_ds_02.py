"""DS-02: what the switch would refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portero.core.checks.ds_02 import CHECK
from portero.core.evidence import Origin
from portero.core.finding import Finding, Outcome, find
from portero.core.flow import Facts
from portero.core.sender import Judgement, Path, Sender
from portero.core.simulation import Effect, SenderEffect, Simulation
from portero.core.text import Text

Build = Callable[..., Any]


def effect(sender: Sender, refused: int = 0, kept: int = 0, undetermined: int = 0) -> SenderEffect:
    return SenderEffect(
        sender.id, Effect.MIXED, refused, kept, undetermined, sender.judgement, None, Text("why")
    )


def judged(posture: Build, *effects: SenderEffect, senders: tuple[Sender, ...], **fields: Any) -> Finding:
    simulation = Simulation(("reject-direct-send",), effects)
    return find(CHECK, posture(senders=senders, simulations=(simulation,), **fields))


def test_a_legitimate_sender_that_would_be_refused_fails_by_name_and_rows(
    posture: Build, sender: Build
) -> None:
    scanner = sender(facts=Facts(origins={"message-trace-extended": (Origin("trace.csv", 7),)}))
    found = judged(posture, effect(scanner, refused=40), senders=(scanner,))

    assert found.outcome is Outcome.FAIL
    assert "scanner@contoso.com" in str(found.because)
    assert found.origins == (Origin("trace.csv", 7),)


def test_an_undecided_sender_that_would_be_refused_warns_and_asks_for_a_decision(
    posture: Build, sender: Build
) -> None:
    unknown = sender(judgement=Judgement.UNDECIDED)
    found = judged(posture, effect(unknown, refused=3), senders=(unknown,))

    assert found.outcome is Outcome.WARN
    assert "portero decide s-scanner" in str(found.fix)


def test_only_abuse_refused_passes(posture: Build, sender: Build) -> None:
    abuse = sender(judgement=Judgement.ABUSE)

    assert judged(posture, effect(abuse, refused=9), senders=(abuse,)).outcome is Outcome.PASS


def test_one_undetermined_mail_in_a_hundred_passes_and_two_warn(posture: Build, sender: Build) -> None:
    scanner = sender()
    one = judged(posture, effect(scanner, kept=99, undetermined=1), senders=(scanner,))
    two = judged(posture, effect(scanner, kept=98, undetermined=2), senders=(scanner,))

    assert (one.outcome, two.outcome) == (Outcome.PASS, Outcome.WARN)


def test_mail_of_people_does_not_water_down_the_share(posture: Build, sender: Build) -> None:
    scanner, people = sender(), sender(id="s-people", path=Path.INTERNAL)
    found = judged(
        posture,
        effect(scanner, kept=9, undetermined=1),
        effect(people, kept=100_000),
        senders=(scanner, people),
    )

    assert found.outcome is Outcome.WARN


def test_after_the_switch_a_trace_without_refusals_proves_nothing(posture: Build, sender: Build) -> None:
    scanner = sender(path=Path.CONNECTOR)
    found = judged(
        posture, effect(scanner, kept=40), senders=(scanner,), settings={"reject_direct_send": True}
    )

    assert found.outcome is Outcome.UNKNOWN
    assert "never reaches the trace" in str(found.because)


def test_without_a_simulation_it_is_unknown(posture: Build, sender: Build) -> None:
    assert find(CHECK, posture(senders=(sender(),))).outcome is Outcome.UNKNOWN


def test_without_mail_it_is_unknown(posture: Build) -> None:
    assert find(CHECK, posture()).outcome is Outcome.UNKNOWN
