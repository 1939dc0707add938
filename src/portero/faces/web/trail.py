"""The audit trail in the reader's words: what was done, and what stood before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from portero.core.ledger import StepState, TrailEntry
from portero.core.relay_words import state_words
from portero.core.text import Text
from portero.faces.render import Renderer
from portero.faces.web.steps import STATES

# By the name that the trail keeps; what another version wrote and nobody here knows stands as it is kept.
ACTIONS: Mapping[str, Text] = {
    "organisation.add": Text("made the organisation"),
    "organisation.rename": Text("renamed the organisation"),
    "member.role": Text("changed a role"),
    "token.add": Text("made a token"),
    "token.remove": Text("revoked a token"),
    "run.add": Text("read evidence"),
    "upload.remove": Text("took a file back"),
    "upload.expire": Text("deleted a file that nobody had read"),
    "sender.decide": Text("decided"),
    "sender.withdraw": Text("took a decision back"),
    "sender.shape": Text("shaped or named a sender"),
    "sender.adopt": Text("took over a decision"),
    "sender.undo": Text("undid a decision"),
    "scenario.add": Text("kept a scenario"),
    "scenario.remove": Text("forgot a scenario"),
    "step.mark": Text("worked on a step"),
    "acceptance.add": Text("accepted a fault"),
    "acceptance.remove": Text("accepts a fault no longer"),
    "posture.approve": Text("approved the settings"),
    "posture.withdraw": Text("withdrew the approval of the settings"),
    "relay.release": Text("wished to release from quarantine"),
    "relay.retry": Text("wished to send again"),
    "relay.hold": Text("wished to hold back"),
    "relay.drop": Text("wished to delete from the queue"),
    "relay.report": Text("wished to tell the owners"),
    "relay.release.done": Text("released from quarantine"),
    "relay.retry.done": Text("had sent again"),
    "relay.hold.done": Text("held back"),
    "relay.drop.done": Text("deleted from the queue"),
    "relay.report.done": Text("told the owners"),
}
NAMES: Mapping[str, Text] = {
    "act": Text("Act"),
    "approved_at": Text("Approved at"),
    "approved_by": Text("Approved by"),
    "controls": Text("Controls"),
    "criticality": Text("Criticality"),
    "decided_at": Text("Decided at"),
    "decided_by": Text("Decided by"),
    "expires_on": Text("Holds until"),
    "judgement": Text("Judgement"),
    "merge": Text("Joined with"),
    "messages": Text("Messages"),
    "name": Text("Name"),
    "note": Text("Note"),
    "of": Text("Of what kind"),
    "owner": Text("Owner"),
    "places": Text("Read from"),
    "purpose": Text("Purpose"),
    "reason": Text("Reason"),
    "received": Text("Octets that had arrived"),
    "role": Text("Role"),
    "rows": Text("Rows"),
    "run": Text("Run"),
    "scopes": Text("May"),
    "seen": Text("What was seen"),
    "senders": Text("Senders"),
    "size": Text("Size in octets"),
    "split": Text("What was set apart"),
    "state": Text("State"),
    "subject": Text("What it is about"),
    "until": Text("Accepted until"),
    "verified": Text("Verified"),
}
_ACTS = {
    "judge": Text("said whether it is wanted"),
    "describe": Text("said what it is called, or whose it is"),
    "merge": Text("joined"),
    "split": Text("set apart"),
    "take-back": Text("taken back"),
}
_WORDS: Mapping[str, Mapping[str, Text]] = {
    "act": _ACTS,
    "of": _ACTS,
    "role": {
        "reader": Text("Reader"),
        "analyst": Text("Analyst"),
        "approver": Text("Approver"),
        "administrator": Text("Administrator"),
    },
    "scopes": {
        "read": Text("look"),
        "upload": Text("hand over evidence"),
        "decide": Text("decide"),
        "sign": Text("approve"),
        "administer": Text("administer"),
    },
    "state": {state.value: STATES[state] for state in StepState},
}
# What the contract has labels for.
_LABELS = frozenset({"criticality", "judgement"})


@dataclass(frozen=True, slots=True)
class Told:
    """
    One line of the trail for a reader.

    before, after:  what stood in it, by name; None where there was nothing.
    """

    entry: TrailEntry
    did: str
    before: Sequence[tuple[str, str]] | None
    after: Sequence[tuple[str, str]] | None


def told(entry: TrailEntry, renderer: Renderer) -> Told:
    """Say one line of the trail."""
    known = ACTIONS.get(entry.action)
    return Told(
        entry,
        renderer.text(known) if known is not None else renderer.value(entry.action),
        _values(entry, entry.before, renderer),
        _values(entry, entry.after, renderer),
    )


def _values(
    entry: TrailEntry, held: Mapping[str, object] | None, renderer: Renderer
) -> Sequence[tuple[str, str]] | None:
    if held is None:
        return None
    # The outcome of a wish to the relay is kept by message.
    by_message = entry.action.startswith("relay.") and entry.action.endswith(".done")
    found = []
    for name, value in held.items():
        if value in (None, "", []):
            continue
        if by_message:
            found.append((renderer.value(name), renderer.value(state_words(str(value)))))
        else:
            known = NAMES.get(name)
            shown = renderer.text(known) if known is not None else renderer.value(name)
            found.append((shown, _value(name, value, renderer)))
    return sorted(found)


def _value(name: str, value: object, renderer: Renderer) -> str:
    if isinstance(value, bool):
        return renderer.text(Text("yes") if value else Text("no"))
    if isinstance(value, Mapping):
        return renderer.joined(
            [f"{renderer.value(kind)}={each}" for kind, values in value.items() for each in values]
        )
    if isinstance(value, list | tuple):
        return renderer.joined([_value(name, each, renderer) for each in value])
    if isinstance(value, str):
        if name in _LABELS:
            return renderer.label(name, value)
        known = _WORDS.get(name, {}).get(value)
        if known is not None:
            return renderer.text(known)
        if name in {"expires_on", "until"}:
            return renderer.date(date.fromisoformat(value))
        if name in {"decided_at", "approved_at"}:
            return renderer.time(datetime.fromisoformat(value))
    return renderer.value(value)
