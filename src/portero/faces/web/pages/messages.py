"""Messages: hand one over and read what it is, how it came in, why, and what to do; nothing of it is kept."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import HTMLResponse, Response

from portero.core.explain import Unread, Verdict
from portero.core.text import Text
from portero.faces.message.words import CALLED, headline, proofs_said
from portero.faces.web.evidence_files import safe_name
from portero.faces.web.judging import judged
from portero.faces.web.pages.frame import Entered, enter
from portero.faces.web.view import page
from portero.faces.web.visitor import proven

ROUTER = APIRouter(include_in_schema=False)
_MOST_INDICATORS = 60


@ROUTER.get("/o/{organisation}/messages")
def messages(request: Request, organisation: str) -> HTMLResponse:
    """Show how to hand a message over."""
    entered = enter(request, organisation)
    entered.view()
    return _page(request, entered, ())


@ROUTER.post("/o/{organisation}/messages")
async def judge(request: Request, organisation: str) -> Response:
    """Judge a message. Changes nothing, so any reader may."""
    entered = enter(request, organisation)
    async with request.form(max_files=1, max_fields=5) as form:
        file = form.get("message")
        name, octets = "", b""
        if isinstance(file, UploadFile):
            name, octets = file.filename or "", await file.read()
        proven(request, entered.who, form)
    if not octets:
        return _page(request, entered, (Unread("", Text("Choose a message first.")),), status=422)
    return _page(request, entered, await asyncio.to_thread(_judged, entered, safe_name(name), octets))


def _judged(entered: Entered, name: str, octets: bytes) -> tuple[Verdict | Unread, ...]:
    return judged(entered.desk, entered.view(), name, octets)


def _page(
    request: Request, entered: Entered, found: tuple[Verdict | Unread, ...], status: int = 200
) -> HTMLResponse:
    return page(
        request,
        "messages.html",
        entered.who,
        entered.organisation,
        status=status,
        unread=[each for each in found if isinstance(each, Unread)],
        verdicts=[
            (
                each,
                headline(each),
                CALLED[each.judgement],
                sorted(each.because, key=lambda why: -abs(why.weight)),
                proofs_said(each),
            )
            for each in found
            if isinstance(each, Verdict)
        ],
        most=_MOST_INDICATORS,
        base=f"/o/{entered.organisation.id}/messages",
    )
