"""What people do to the shape of a sender: its name, what is joined to it, what is set apart, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import merge

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from portero.core.access import Action
from portero.core.address import exact_network
from portero.core.decision import Act, Decision
from portero.core.ledger import UnknownEntryError
from portero.core.register import Criteria
from portero.core.sender import Sender
from portero.core.text import Text
from portero.faces.render import plain
from portero.faces.web.cases import View
from portero.faces.web.pages.frame import Entered, done, enter_to_change, field
from portero.faces.web.visitor import now

ROUTER = APIRouter(include_in_schema=False)
# How many values a form offers; any other can be decided by `portero decide`.
_OFFERED = 50

_SAID: Mapping[Act, Text] = {
    Act.DESCRIBE: Text("The sender has its new name."),
    Act.MERGE: Text("The senders are joined."),
    Act.SPLIT: Text("The part is a sender of its own."),
    Act.TAKE_BACK: Text("It is as it was before."),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """
    What a form can offer about one sender.

    others:  senders that share a name, an EHLO or a network with it, most mail first.
    parts:   what may be set apart, as ``kind=value``: of each kind of which it shows more than one. A value that a form
             would alter on its way (line feeds, halves of surrogate pairs) is not offered.
    acts:    kinds of act about it that count and can be taken back.
    """

    others: tuple[Sender, ...]
    parts: tuple[str, ...]
    acts: tuple[Act, ...]


def shape_of(sender: Sender, view: View) -> Shape:
    """Find what can be done to a sender's shape."""
    addresses = sorted({flow.key.client_ip for flow in sender.flows if flow.key.client_ip})
    # Of a crowd the flows are examples, so no network of it can be taken apart.
    networks = sender.client_networks if len(sender.client_networks) > 1 and not sender.crowd else ()
    kinds = {
        "cidr": tuple(dict.fromkeys((*networks, *map(exact_network, addresses)))),
        "ehlo": sender.ehlo,
        "header_from": sender.header_from,
    }
    parts = [
        f"{kind}={value}"
        for kind, values in kinds.items()
        if len(values) > 1
        for value in values[:_OFFERED]
        if plain(value) == value
    ]
    held = dict.fromkeys(each.act for each in view.acts if each.sender == sender.id and each.act in _SAID)
    return Shape(
        _alike(sender, view),
        tuple(parts),
        tuple(held),
    )


def _alike(sender: Sender, view: View) -> tuple[Sender, ...]:
    """Give those that share a mark with a sender, most mail first, as many as are offered."""
    known = by_mark(view)
    found: dict[str, Sender] = {}
    # All senders there are may call themselves by one name, so no more of them are looked at than it takes.
    for each in merge(*(known[mark] for mark in _marks(sender)), key=_busiest_first):
        if each.id != sender.id:
            found[each.id] = each
        if len(found) == _OFFERED:
            break
    return tuple(found.values())


def _busiest_first(sender: Sender) -> tuple[int, str]:
    return (-sender.mails, sender.id)


def _marks(sender: Sender) -> set[str]:
    return {*sender.header_from, *sender.ehlo, *sender.client_networks}


def by_mark(view: View) -> Mapping[str, Sequence[Sender]]:
    """Give by name, EHLO and network the senders that show it, most mail first."""

    def make() -> Mapping[str, Sequence[Sender]]:
        found: dict[str, list[Sender]] = {}
        for each in sorted(view.senders.values(), key=_busiest_first):
            for mark in _marks(each):
                found.setdefault(mark, []).append(each)
        return found

    return view.made.once("senders by mark", make)


@ROUTER.post("/o/{organisation}/senders/{sender}/shape")
async def shape(request: Request, organisation: str, sender: str) -> Response:
    """Do what a form says to a sender: its ``act``, and what that is about."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.DECIDE, form)
    view = entered.view()
    found = view.senders.get(sender)
    if found is None:
        raise UnknownEntryError
    act = _act(form, sender, entered)
    if any(each not in view.senders for each in act.merge):
        raise UnknownEntryError
    revision = field(form, "seen")
    seen = {sender: int(revision)} if revision.isdigit() else None
    entered.desk.state.act(entered.organisation.id, entered.say(found.label), act, seen)
    back = f"/o/{entered.organisation.id}/senders/{sender}"
    return done(request, entered, back, _SAID[act.act], None)


def _act(form: FormData, sender: str, entered: Entered) -> Decision:
    base = Decision(sender, None, entered.name, now(), note=field(form, "note", 2000))
    name, other, part = field(form, "name", 300), field(form, "other", 20), field(form, "part", 300)
    wanted = field(form, "act")
    try:
        if wanted == Act.DESCRIBE and name:
            return _with(base, {"act": wanted, "name": name})
        if wanted == Act.MERGE and other and other != sender:
            return _with(base, {"act": wanted, "merge": [other]})
        if wanted == Act.SPLIT and part:
            kind, _, value = part.partition("=")
            return _with(base, {"act": wanted, "split": Criteria.read({kind: [value]}).document()})
        if wanted == Act.TAKE_BACK:
            return _with(base, {"act": wanted, "of": field(form, "of")})
    except ValueError:
        raise UnknownEntryError from None
    raise UnknownEntryError


def _with(base: Decision, said: Mapping[str, object]) -> Decision:
    return Decision.read({**base.document(), **said})
