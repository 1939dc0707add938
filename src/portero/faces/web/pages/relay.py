"""The relay: what waits in its queue and why, what is in quarantine, what its devices may and do send."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portero.core.access import Action
from portero.core.relay_words import device_words, reason, state_words
from portero.errors import PorteroError
from portero.faces.web import relays
from portero.faces.web.pages.frame import enter, enter_to_change, field, number_of
from portero.faces.web.view import page, query

ROUTER = APIRouter(include_in_schema=False)


@ROUTER.get("/o/{organisation}/relay")
def relay(request: Request, organisation: str) -> HTMLResponse:
    """Show the relay."""
    entered = enter(request, organisation)
    door = relays.door_of(entered.desk, entered.organisation)
    wanted = request.query_params.get("state", "")
    trouble, queue, devices = None, None, None
    try:
        queue = relays.queue_of(
            entered.desk, entered.who, entered.organisation, [wanted] if wanted in relays.STATES else []
        )
        devices = door.devices()
    except PorteroError as error:
        trouble = error.text
    return page(
        request,
        "relay.html",
        entered.who,
        entered.organisation,
        trouble=trouble,
        queue=queue,
        devices=devices,
        wanted=wanted,
        states=relays.STATES,
        most=relays.MOST,
        reason=reason,
        device_words=device_words,
        state_words=state_words,
        changed=number_of(request, "changed", relays.MOST_AT_ONCE),
        left=number_of(request, "left", relays.MOST_AT_ONCE),
        base=f"/o/{entered.organisation.id}/relay",
    )


@ROUTER.post("/o/{organisation}/relay")
async def change(request: Request, organisation: str) -> Response:
    """Let messages out, try them again, hold or delete them; for who may approve."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.SIGN, form)
    ids = [each for each in form.getlist("id") if isinstance(each, str)]
    made = await asyncio.to_thread(
        relays.change, entered.desk, entered.who, entered.organisation, field(form, "change", 20), ids
    )
    done = sum(each in relays.DONE for each in made.values())
    outcome = query({"changed": done or None, "left": len(ids) - done or None})
    return RedirectResponse(f"/o/{entered.organisation.id}/relay{outcome}", 303)
