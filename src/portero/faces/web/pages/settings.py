"""Settings of an organisation: its name, its people, its tokens, and the audit trail; and making another one."""

from __future__ import annotations

import secrets
from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portero.core.access import Action, Role
from portero.core.ledger import Person, UnknownEntryError
from portero.faces.render import LANGUAGES
from portero.faces.web.pages.frame import Entered, enter, enter_to_change, field
from portero.faces.web.trail import told
from portero.faces.web.view import page
from portero.faces.web.visitor import THEMES, ForbiddenError, desk_of, now, own_address, proven, visitor

ROUTER = APIRouter(include_in_schema=False)
_YEAR_SECONDS = 365 * 86400
_LINK = timedelta(days=2)
_DAYS = {"30": 30, "90": 90, "365": 365}


@ROUTER.get("/o/{organisation}/settings")
def settings(request: Request, organisation: str) -> HTMLResponse:
    """Show the settings."""
    return _page(request, enter(request, organisation, Action.ADMINISTER))


def _page(
    request: Request, entered: Entered, secret: str | None = None, link: str | None = None
) -> HTMLResponse:
    state = entered.desk.state
    return page(
        request,
        "settings.html",
        entered.who,
        entered.organisation,
        people=members(entered),
        providers={each.issuer: each for each in entered.desk.sign_in.providers},
        roles=tuple(Role),
        tokens=state.tokens(entered.organisation.id),
        actions=tuple(Action),
        secret=secret,
        link=link,
        base=f"/o/{entered.organisation.id}/settings",
    )


@ROUTER.post("/o/{organisation}/settings/name")
async def rename(request: Request, organisation: str) -> Response:
    """Give the organisation another name."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.ADMINISTER, form)
    if name := field(form, "name", 200):
        entered.desk.state.rename_organisation(entered.organisation.id, name, entered.name, now())
    return _back(entered)


@ROUTER.post("/o/{organisation}/settings/role")
async def role(request: Request, organisation: str) -> Response:
    """Give a person a role, or take it away."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.ADMINISTER, form)
    wanted = field(form, "role", 20)
    if wanted not in {"", *Role}:
        raise UnknownEntryError
    entered.desk.state.set_role(
        entered.organisation.id, field(form, "person", 40), Role(wanted) if wanted else None, entered.name, now()
    )  # fmt: skip
    return _back(entered)


@ROUTER.post("/o/{organisation}/settings/people")
async def invite(request: Request, organisation: str) -> Response:
    """Let somebody in who signs in by a link, and show the link, here alone; a known person gets a new one."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.ADMINISTER, form)
    state, here = entered.desk.state, entered.organisation.id
    wanted, name = field(form, "role", 20), field(form, "name", 200)
    if known := field(form, "person", 40):
        person = next((each for each in state.people() if each.id == known and each.issuer == "local"), None)
        # The link of somebody who is more elsewhere, or of the owner, is not this administrator's to give.
        if person is None or person.owner or set(person.roles) != {here}:
            raise UnknownEntryError
        link = state.add_link(person.id, now() + _LINK)
    elif name and wanted in set(Role):
        link = invitation(entered, name, Role(wanted))
    else:
        return _back(entered)
    return _page(request, entered, link=own_address(request, f"/sign-in?link={link}"))


def invitation(entered: Entered, name: str, role: Role) -> str:
    """Let somebody in by a link, and give its secret."""
    state = entered.desk.state
    person = state.person("local", secrets.token_hex(8), name, now())
    state.set_role(entered.organisation.id, person.id, role, entered.name, now())
    return state.add_link(person.id, now() + _LINK)


def members(entered: Entered) -> list[Person]:
    """Give who has a role here, and whom a provider vouched for; who came by another organisation's link is its own."""
    here = entered.organisation.id
    return [
        each
        for each in entered.desk.state.people()
        if each.owner or each.roles.get(here) or each.issuer != "local"
    ]


@ROUTER.post("/o/{organisation}/settings/tokens")
async def add_token(request: Request, organisation: str) -> Response:
    """Make a token; this answer is the only place that shows its secret."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.ADMINISTER, form)
    scopes = [Action(each) for each in form.getlist("scope") if each in set(Action)]
    name = field(form, "name", 200)
    days = _DAYS.get(field(form, "days", 5), 90)
    if not name or not scopes:
        return _back(entered)
    if not all(entered.who.may(entered.organisation.id, each) for each in scopes):
        raise ForbiddenError
    _, secret = entered.desk.state.add_token(
        entered.organisation.id, entered.who.person.id, name, scopes, now() + timedelta(days=days), now()
    )
    return _page(request, entered, secret)


@ROUTER.post("/o/{organisation}/settings/tokens/{token}/remove")
async def remove_token(request: Request, organisation: str, token: str) -> Response:
    """Revoke a token."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.ADMINISTER, form)
    entered.desk.state.remove_token(entered.organisation.id, token, entered.name, now())
    return _back(entered)


@ROUTER.get("/o/{organisation}/trail")
def trail(request: Request, organisation: str) -> HTMLResponse:
    """Show who did what."""
    entered = enter(request, organisation)
    before = request.query_params.get("before", "")
    entries = entered.desk.state.trail(
        entered.organisation.id, int(before) if before.isdigit() and len(before) < 12 else None
    )
    return page(
        request, "trail.html", entered.who, entered.organisation,
        lines=[told(each, entered.who.renderer) for each in entries],
        base=f"/o/{entered.organisation.id}/trail",
    )  # fmt: skip


@ROUTER.post("/organisations")
async def add_organisation(request: Request) -> Response:
    """Make another organisation; for the owner of the installation."""
    form = await request.form()
    who = visitor(request)
    proven(request, who, form)
    name = field(form, "name", 200)
    if not who.person.owner or who.token is not None:
        raise ForbiddenError
    if not name:
        return RedirectResponse("/", 303)
    made = desk_of(request).state.add_organisation(name, who.person.name, now())
    return RedirectResponse(f"/o/{made.id}/evidence", 303)


@ROUTER.post("/appearance")
async def appearance(request: Request) -> Response:
    """Remember the visitor's language and colours in this browser; no session is needed and none is touched."""
    form = await request.form()
    back = field(form, "back", 2000)
    # Only a path of our own: two slashes would lead to another site.
    own = back.startswith("/") and not back.startswith(("//", "/\\"))
    response = RedirectResponse(back if own else "/", 303)
    for name, choices in (("lang", LANGUAGES), ("theme", THEMES)):
        if (chosen := field(form, name, 10)) in choices:
            response.set_cookie(
                f"portero_{name}", chosen, max_age=_YEAR_SECONDS, httponly=True, samesite="lax",
                secure=bool(request.scope.get("portero.secure")),
            )  # fmt: skip
    return response


def _back(entered: Entered) -> Response:
    return RedirectResponse(f"/o/{entered.organisation.id}/settings", 303)
