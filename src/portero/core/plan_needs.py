"""Whom the refusing steps concern of those that must be kept, and in how many mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from portero.core.controls import parse_control
from portero.core.flow import Flow
from portero.core.sender import Sender
from portero.core.simulate import Replay
from portero.core.simulation import Effect
from portero.core.text import Text, count, sentences


@dataclass(frozen=True, slots=True)
class Need:
    """
    A sender to keep whose mail controls would refuse or leave undetermined, in unique mails as the simulation counts them.

    flows:   what they are of.
    proving: all of them are in doubt only because a summary saw them, and a foreign envelope sender would settle it.
    today:   what refuses them is on already, so that what the sender sends by now is in no trace.
    """

    sender: Sender
    refused: int
    undetermined: int
    flows: tuple[Flow, ...]
    proving: bool = False
    today: bool = False


def cut_off(replay: Replay) -> list[Need]:
    """Find the senders to keep of whose recorded mail the settings as they are would refuse some."""
    found = needs(replay, ("reject-direct-send",)) if replay.settings.reject_direct_send else []
    return [replace(need, today=True) for need in found if need.refused]


def needs(replay: Replay, controls: Sequence[str]) -> list[Need]:
    """Find the senders to keep whose mail is refused or in doubt at any moment while controls follow one another."""
    parsed = tuple(parse_control(text) for text in controls)
    moments = [replay.decisions(parsed[: number + 1]) for number in range(len(parsed))]
    # A lock asks for the address, whoever the envelope names.
    by_envelope = not any(text.startswith("lock-gateway") for text in controls)
    found = []
    for at_each in zip(*moments, strict=True):
        sender = at_each[0][0]
        if sender.id not in replay.to_keep:
            continue
        refused = undetermined = 0
        concerned = []
        proving = by_envelope
        for flow, *decisions in zip(sender.flows, *(held for _, held in at_each), strict=True):
            if all(decision.effect is Effect.KEPT for decision in decisions):
                continue
            concerned.append(flow)
            if any(replay.surely_refused(sender, flow, decision) for decision in decisions):
                refused += flow.facts.mails
            else:
                undetermined += flow.facts.mails
            proving &= all(decision.effect is not Effect.UNDETERMINED for decision in decisions)
        if concerned:
            found.append(Need(sender, refused, undetermined, tuple(concerned), proving and not refused))
    return found


def at_stake(held: Sequence[Need]) -> Text:
    """Say what the refusing steps would do to senders that must be kept."""
    today = sum(need.refused for need in held if need.today)
    refused = sum(need.refused for need in held) - today
    doubtful = sum(need.undetermined for need in held)
    said = []
    if today:
        said.append(
            count(
                "The settings as they are refuse {n} recorded mail that must be kept, should its like still be sent.",
                "The settings as they are refuse {n} recorded mails that must be kept, should their like still be sent.",
                today,
            )
        )
    if refused:
        said.append(
            count(
                "The refusing steps would refuse {n} recorded mail that must be kept.",
                "The refusing steps would refuse {n} recorded mails that must be kept.",
                refused,
            )
        )
    if doubtful:
        said.append(
            count(
                "Of {n} recorded mail that must be kept, the evidence does not say whether they would refuse it.",
                "Of {n} recorded mails that must be kept, the evidence does not say whether they would refuse them.",
                doubtful,
            )
        )
    if not said:
        said.append(Text("Only other receivers reported mail of theirs; none of it is recorded here."))
    return sentences(said)
