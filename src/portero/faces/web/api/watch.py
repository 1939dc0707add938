"""The API's part about what is going on: alerts, single messages, and the relay."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from portero.core.explain import Unread, Verdict
from portero.core.relay_words import reason
from portero.core.text import Text
from portero.faces.message.document import message_document
from portero.faces.web import relays
from portero.faces.web.api import asked
from portero.faces.web.api import documents as out
from portero.faces.web.api.frame import PROBLEMS, Asker, ETag, Reader, Signer, tagged
from portero.faces.web.evidence_files import safe_name
from portero.faces.web.judging import judged
from portero.faces.web.pages.alerts import alerts_of
from portero.faces.web.pages.frame import Entered

ROUTER = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@ROUTER.get("/organisations/{organisation}/alerts", response_model=out.Alerts)
def alerts(entered: Reader, if_none_match: ETag = None) -> Response:
    """Give what changed between the last two runs, and the decisions that no longer carry or run out, the gravest first."""
    view = entered.view()
    before, found = alerts_of(entered, view)
    held = {
        "run": view.run.id,
        "before": before.id if before else None,
        "items": [
            {
                "kind": each.kind,
                "what": entered.say(each.what),
                "sender": each.sender,
                "finding": each.finding,
            }
            for each in found
        ],
    }
    return tagged(out.Alerts, held, if_none_match)


@ROUTER.post(
    "/organisations/{organisation}/messages",
    response_model=list[out.JudgedMessage],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def judge(
    request: Request, entered: Asker, name: Annotated[str, Query(max_length=200)] = "message.eml"
) -> list[dict[str, Any]]:
    """
    Judge a message, or each message of a file, of at most 8 MiB; it is not kept. Changes nothing, so any reader may.

    What could not be judged has `origin` and `error` alone.
    """
    octets = await request.body()
    found: tuple[Verdict | Unread, ...] = (Unread("", Text("Choose a message first.")),)
    if octets:
        found = await asyncio.to_thread(_judged, entered, safe_name(name), octets)
    return [dict(message_document(each, entered.who.renderer)) for each in found]


def _judged(entered: Entered, name: str, octets: bytes) -> tuple[Verdict | Unread, ...]:
    return judged(entered.desk, entered.view(), name, octets)


@ROUTER.get("/organisations/{organisation}/relay", response_model=out.Relay)
def relay(
    entered: Reader,
    state: Annotated[tuple[out.QueueState, ...], Query()] = (),
    if_none_match: ETag = None,
) -> Response:
    """Give the relay's queue, the first two hundred messages; 404 where the organisation has no relay here."""
    held = relays.queue_of(entered.desk, entered.who, entered.organisation, state)
    messages = [
        {**each, "reasons": [entered.say(reason(one["code"], one["value"])) for one in each["reasons"]]}
        for each in held["messages"]
    ]
    return tagged(out.Relay, {**held, "messages": messages}, if_none_match)


@ROUTER.get("/organisations/{organisation}/relay/devices", response_model=list[out.RelayDevice])
def devices(entered: Reader, if_none_match: ETag = None) -> Response:
    """Give the relay's devices: what each may send, and what it has sent; null where nobody watched."""
    return tagged(
        list[out.RelayDevice], relays.door_of(entered.desk, entered.organisation).devices(), if_none_match
    )


@ROUTER.post("/organisations/{organisation}/relay/changes", response_model=out.QueueChanged)
def change(entered: Signer, wanted: asked.ChangeQueue) -> dict[str, object]:
    """Release, retry, hold or delete messages of the queue, or report them to their owners; says what became of each."""
    return {
        "messages": relays.change(
            entered.desk, entered.who, entered.organisation, wanted.change, wanted.messages
        )
    }
