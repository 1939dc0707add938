"""Signing in by a one-time link or by an OpenID provider's word, and signing out."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portero.core.ledger import Person
from portero.core.text import Text
from portero.faces.web.desk import WebDesk
from portero.faces.web.oidc import Proven, SignInError
from portero.faces.web.pages.frame import field
from portero.faces.web.view import page
from portero.faces.web.visitor import cookie_name, desk_of, now, own_address, proven, visitor

ROUTER = APIRouter(include_in_schema=False)
_SESSION = timedelta(hours=12)
_PENDING_SECONDS = 600
_USED_UP = Text("This link was used already or has run out. Start portero serve again for a new one.")


@ROUTER.get("/sign-in")
def show(request: Request) -> HTMLResponse:
    """
    Show how to sign in.

    A link is used up only by the button's POST: programs that look at links in advance send none.
    """
    return _page(request, link=request.query_params.get("link", "")[:100])


def _page(
    request: Request,
    link: str = "",
    wrong: Text | None = None,
    status: int = 200,
    left: tuple[str, str] | None = None,
) -> HTMLResponse:
    names = [each.name for each in desk_of(request).sign_in.providers]
    return page(request, "sign_in.html", status=status, link=link, wrong=wrong, providers=names, left=left)


@ROUTER.post("/sign-in")
async def by_link(request: Request) -> Response:
    """Use a link up and open a session."""
    form = await request.form()
    desk = desk_of(request)
    person = desk.state.use_link(field(form, "link", 100), now())
    if person is None:
        return _page(request, wrong=_USED_UP, status=403)
    return open_session(request, person)


@ROUTER.get("/sign-in/with/{number}")
def begin(request: Request, number: int) -> Response:
    """Lead to a provider; what must come back from there stays in a cookie that its answer alone can use."""
    try:
        address, held = desk_of(request).sign_in.begin(number, own_address(request, "/sign-in/back"))
    except SignInError as error:
        return _page(request, wrong=error.text, status=503)
    response = RedirectResponse(address, 303)
    response.set_cookie(
        _pending(request), held, max_age=_PENDING_SECONDS, httponly=True, samesite="lax",
        secure=bool(request.scope.get("portero.secure")), path="/",
    )  # fmt: skip
    return response


@ROUTER.get("/sign-in/back")
def back(request: Request) -> Response:
    """Take a provider's answer, and open a session for whom it vouches for."""
    desk = desk_of(request)
    try:
        proven = desk.sign_in.finish(request.cookies.get(_pending(request), ""), request.query_params)
        if withheld := proven.provider.withheld(proven.claims):
            raise SignInError(
                Text(
                    "{provider} left out {claims}, which say what you may do here: there are too many. Ask your administrator to map roles instead of groups.",
                    provider=proven.provider.name,
                    claims=tuple(sorted(withheld)),
                )
            )
    except SignInError as error:
        response: Response = _page(request, wrong=error.text, status=403)
    else:
        response = open_session(request, _admitted(desk, proven))
    response.delete_cookie(_pending(request), path="/")
    return response


def _admitted(desk: WebDesk, proven: Proven) -> Person:
    """Give the person, with the roles that the claims give where claims give roles."""
    person = desk.state.person(proven.provider.issuer, proven.subject, proven.name[:200], now())
    if proven.provider.grants:
        known = [(each.id, each.name) for each in desk.state.organisations()]
        for organisation, role in proven.provider.roles(proven.claims, known).items():
            desk.state.set_role(organisation, person.id, role, proven.provider.name, now())
    return person


def _pending(request: Request) -> str:
    return cookie_name(request) + "-pending"


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
    left = desk_of(request).sign_in.leave(who.person.issuer, own_address(request, "/sign-in"))
    # There is a session at the provider too, which only it can end: the page shows the way.
    response: Response = _page(request, left=left) if left else RedirectResponse("/sign-in", 303)
    response.delete_cookie(cookie_name(request), path="/")
    # Nobody after them at this browser finds their pages. Source: Clear Site Data section 3.1.
    response.headers["clear-site-data"] = '"cache"'
    return response
