"""What the report's first screen says, as numbers that can each be found again in audit.json."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portero.core.finding import Finding, Outcome, Severity
from portero.core.sender import Judgement, Path, Sender
from portero.core.text import Text, count

if TYPE_CHECKING:
    from portero.core.audit import Audit
    from portero.core.simulation import Simulation
    from portero.core.step import Step

BLOCK = ("reject-direct-send",)
# Nobody proved who they are on these ways in; an undetermined way may be one of them, and the report says so.
UNPROVEN = frozenset({Path.DIRECT_SEND, Path.FOREIGN_ENVELOPE, Path.UNDETERMINED})


@dataclass(frozen=True, slots=True)
class Group:
    """Some senders and their unique mails."""

    senders: int
    mails: int


@dataclass(frozen=True, slots=True)
class Summary:
    """
    The first screen.

    closed:        whether Direct Send is closed by the word of check DS-01; None where that is not known.
    mail_seen:     whether any message evidence was read at all.
    ours:          unique mails in the organisation's name.
    direct:        senders that enter by Direct Send.
    breaks, waits, stopped: mail that closing Direct Send would refuse, by its sender's judgement: legitimate,
                   undecided, abuse. None where the block was not simulated.
    unsettled:     mails of which the evidence does not say whether the block would refuse them.
    """

    closed: bool | None
    mail_seen: bool
    ours: int
    direct: Group
    abuse: Group
    undecided: Group
    breaks: Group | None
    waits: Group | None
    stopped: Group | None
    unsettled: int
    first_step: Step | None
    failing: int
    unknown: int
    gaps: int
    headline: Text


def summarise(audit: Audit) -> Summary:
    """Count what the first screen says."""
    block = block_of(audit)
    closed = _closed(audit.findings)
    # What only others' reports show never came here, so it says nothing of what would be refused.
    mail_seen = audit.first is not None or any(each.mails for each in audit.senders)
    breaks, waits, stopped = (
        (None, None, None)
        if block is None
        else tuple(
            _refused(block, each) for each in (Judgement.LEGITIMATE, Judgement.UNDECIDED, Judgement.ABUSE)
        )
    )
    unsettled = block.undetermined if block else 0
    return Summary(
        closed=closed,
        mail_seen=mail_seen,
        ours=audit.totals.ours,
        direct=_group(each for each in audit.senders if each.path is Path.DIRECT_SEND),
        abuse=_group(each for each in audit.senders if each.judgement is Judgement.ABUSE),
        undecided=_group(each for each in audit.senders if each.judgement is Judgement.UNDECIDED),
        breaks=breaks,
        waits=waits,
        stopped=stopped,
        unsettled=unsettled,
        first_step=audit.plan[0] if audit.plan else None,
        failing=sum(
            each.outcome is Outcome.FAIL and each.severity in {Severity.CRITICAL, Severity.HIGH}
            for each in audit.findings
        ),
        unknown=sum(each.outcome is Outcome.UNKNOWN for each in audit.findings),
        gaps=sum(each.count for each in audit.gaps),
        headline=_headline(
            closed, mail_seen, breaks, (waits.mails if waits else 0) + unsettled, _in_doubt(block)
        ),
    )


def block_of(audit: Audit) -> Simulation | None:
    """Find the simulation of closing Direct Send alone."""
    return next((each for each in audit.simulations if each.controls == BLOCK), None)


def _closed(findings: Iterable[Finding]) -> bool | None:
    for each in findings:
        if each.id == "DS-01":
            return {Outcome.PASS: True, Outcome.FAIL: False, Outcome.WARN: False}.get(each.outcome)
    return None


def _group(senders: Iterable[Sender]) -> Group:
    mails = [each.mails for each in senders]
    return Group(len(mails), sum(mails))


def _refused(block: Simulation, judgement: Judgement) -> Group:
    refused = [each.refused for each in block.senders if each.judgement is judgement and each.refused]
    return Group(len(refused), sum(refused))


def _in_doubt(block: Simulation | None) -> int:
    """Count the mails of legitimate senders of which the evidence does not say whether they would be refused."""
    effects = block.senders if block else ()
    return sum(each.undetermined for each in effects if each.judgement is Judgement.LEGITIMATE)


def _headline(
    closed: bool | None, mail_seen: bool, breaks: Group | None, open_mails: int, in_doubt: int
) -> Text:
    if not mail_seen or breaks is None:
        return Text("No mail was seen, so nobody knows yet what closing Direct Send would refuse.")
    if closed:
        # Refused mail stands in no trace, so a quiet trace after the switch is no all-clear.
        return Text("Direct Send is closed. What it refuses stands in no message trace.")
    if breaks.mails:
        senders = count("{n} sender", "{n} senders", breaks.senders)
        return count(
            "Closing Direct Send today would refuse {n} legitimate message, from {senders}.",
            "Closing Direct Send today would refuse {n} legitimate messages, from {senders}.",
            breaks.mails,
            senders=senders,
        )
    if in_doubt:
        return count(
            "Closing Direct Send today may refuse {n} legitimate message: the evidence does not say.",
            "Closing Direct Send today may refuse {n} legitimate messages: the evidence does not say.",
            in_doubt,
        )
    if open_mails:
        return count(
            "Closing Direct Send today would refuse no mail known to be legitimate; {n} message is not settled.",
            "Closing Direct Send today would refuse no mail known to be legitimate; {n} messages are not settled.",
            open_mails,
        )
    return Text("Closing Direct Send today would refuse no legitimate message seen in this evidence.")
