"""Signing in by the one-time link that the server printed, and signing out."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portero.core.ledger import Person
from portero.faces.web.pages.frame import field
from portero.faces.web.view import page
from portero.faces.web.visitor import cookie_name, desk_of, now, proven, visitor

ROUTER = APIRouter(include_in_schema=False)
_SESSION = timedelta(hours=12)


@ROUTER.get("/sign-in")
def show(request: Request) -> HTMLResponse:
    """
    Show how to sign in.

    A link is used up only by the button's POST: programs that look at links in advance send none.
    """
    return page(request, "sign_in.html", link=request.query_params.get("link", "")[:100], wrong=False)


@ROUTER.post("/sign-in")
async def by_link(request: Request) -> Response:
    """Use a link up and open a session."""
    form = await request.form()
    desk = desk_of(request)
    person = desk.state.use_link(field(form, "link", 100), now())
    if person is None:
        return page(request, "sign_in.html", status=403, link="", wrong=True)
    return open_session(request, person)


def open_session(request: Request, person: Person) -> Response:
    """Open a session for a person who proved who they are, and lead to the first page."""
    desk = desk_of(request)
    secret = desk.state.add_session(person.id, now() + _SESSION, now())
    response = RedirectResponse("/", 303)
    response.set_cookie(
        cookie_name(request), secret, max_age=int(_SESSION.total_seconds()), httponly=True, samesite="lax",
        secure=bool(request.scope.get("portero.secure")), path="/",
    )  # fmt: skip
    return response


@ROUTER.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Close the session."""
    form = await request.form()
    who = visitor(request)
    proven(request, who, form)
    desk_of(request).state.end_session(request.cookies.get(cookie_name(request), ""))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(cookie_name(request), path="/")
    return response
