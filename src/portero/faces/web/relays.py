"""The relay as the dashboard shows it and changes it: what waits and why, and who let it out or deleted it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portero.core.access import Action
from portero.core.ledger import Organisation, UnknownEntryError
from portero.faces.web.desk import WebDesk
from portero.faces.web.ports import RelayDoor
from portero.faces.web.visitor import Visitor, now

STATES = ("quarantined", "held", "waiting", "fresh")
CHANGES = ("release", "retry", "hold", "drop", "report")
# What the queue answers of a message whose state was changed; anything else says why it was not.
DONE = frozenset({"waiting", "held", "gone", "reported"})
MOST = 200
MOST_AT_ONCE = 500


def door_of(desk: WebDesk, organisation: Organisation) -> RelayDoor:
    """Give the organisation's relay; raises UnknownEntryError where it has none."""
    door = desk.relay_of(organisation)
    if door is None:
        raise UnknownEntryError
    return door


def queue_of(
    desk: WebDesk, who: Visitor, organisation: Organisation, states: Sequence[str]
) -> Mapping[str, Any]:
    """
    Give the queue, as `portero relay queue list` does; raises PorteroError where it cannot be read.

    Subjects are somebody's mail: they are shown to those who decide about it alone, and are None to others.
    """
    held = door_of(desk, organisation).queue(tuple(states), MOST, who.renderer.text)
    if who.may(organisation.id, Action.SIGN):
        return held
    return {**held, "messages": [{**each, "subject": None} for each in held["messages"]]}


def change(
    desk: WebDesk, who: Visitor, organisation: Organisation, what: str, ids: Sequence[str]
) -> Mapping[str, str]:
    """
    Change messages of the queue, or report them to their owners, and give what became of each.

    The wish is written down first, so that nothing leaves the queue or is lost from it without a name, then the outcome.
    """
    door = door_of(desk, organisation)
    if what not in CHANGES or not ids or len(ids) > MOST_AT_ONCE:
        raise UnknownEntryError
    shown = ", ".join(ids[:10]) + ("…" if len(ids) > 10 else "")
    state, here, name = desk.state, organisation.id, who.person.name
    state.note(here, name, now(), f"relay.{what}", shown, {"messages": list(ids)})
    made = door.change(what, ids, who.renderer.text)
    state.note(here, name, now(), f"relay.{what}.done", shown, dict(made))
    return made
