"""What the pages of an organisation share: the way in, the opened run, and the page for those who have none yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portero.core.access import Action
from portero.core.finding import Profile
from portero.core.ledger import Organisation
from portero.core.text import Text
from portero.faces.web.cases import View
from portero.faces.web.desk import WebDesk
from portero.faces.web.view import toast
from portero.faces.web.visitor import Visitor, desk_of, now, proven, visitor


class NoRunError(Exception):
    """Nothing was read for this organisation yet."""

    def __init__(self, who: Visitor, organisation: Organisation) -> None:
        super().__init__(organisation.id)
        self.who = who
        self.organisation = organisation


@dataclass(frozen=True, slots=True)
class Entered:
    """A visitor inside an organisation."""

    desk: WebDesk
    who: Visitor
    organisation: Organisation

    def view(self) -> View:
        """Give the newest run; raises NoRunError before the first."""
        found = self.desk.cases.newest(self.organisation.id)
        if found is None:
            raise NoRunError(self.who, self.organisation)
        return found

    @property
    def name(self) -> str:
        """Give the name under which the visitor's deeds are written down."""
        return self.who.person.name

    def say(self, text: Text) -> str:
        """Render a sentence in the visitor's language."""
        return self.who.renderer.text(text)


def enter(request: Request, organisation: str, action: Action = Action.READ) -> Entered:
    """Let a visitor in to look; raises what `portero.faces.web.visitor` raises."""
    who = visitor(request)
    return Entered(desk_of(request), who, who.at(organisation, action))


class UnchangedError(Exception):
    """The visitor's browser holds the page as it is now."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


def look(request: Request, organisation: str) -> tuple[Entered, View]:
    """
    Let a visitor in to a page that shows nothing but the newest run and what people decided.

    Raises UnchangedError where their browser holds the page as it is now: it depends on the address, on who asks in
    which language and colours, and on the organisation, of whose every change the trail has a line.
    """
    entered = enter(request, organisation)
    who = entered.who
    # Read first: what changes while the page is made belongs to the next tag.
    version = entered.desk.state.version(entered.organisation.id)
    view = entered.view()
    parts = (
        view.mark, version, now().date(), request.url.path, request.url.query, request.headers.get("hx-request"),
        who.renderer.lang, who.theme, who.csrf, who.person, who.organisations,
    )  # fmt: skip
    tag = f'W/"{sha256(repr(parts).encode()).hexdigest()[:32]}"'
    if tag in {each.strip() for each in request.headers.get("if-none-match", "").split(",")}:
        raise UnchangedError(tag)
    request.state.tag = tag
    return entered, view


def enter_to_change(
    request: Request, organisation: str, action: Action, form: FormData | Mapping[str, object]
) -> Entered:
    """Let a visitor in to change something, with proof that the form is ours."""
    entered = enter(request, organisation, action)
    proven(request, entered.who, form)
    return entered


def field(form: FormData, name: str, most: int = 500) -> str:
    """Give a field of a form as one trimmed text, "" where it is missing."""
    value = form.get(name)
    return "" if value is None or isinstance(value, UploadFile) else value.strip()[:most]


def number_of(request: Request, name: str, most: int) -> int:
    """Give a number from 1 to `most` that the address names; 0 where it names none."""
    value = request.query_params.get(name, "")
    return min(int(value), most) if value.isdigit() and len(value) < 9 else 0


def profile_of(request: Request) -> Profile:
    """Give the profile whose thresholds an address names; the standard one for any other word."""
    return Profile.STRICT if request.query_params.get("profile") == Profile.STRICT else Profile.STANDARD


def done(request: Request, entered: Entered, back: str, said: Text, undo: str | None) -> Response:
    """Answer a form: the page it came from, with what was done and, where there is one, the way back."""
    target = (
        back if back.startswith(f"/o/{entered.organisation.id}/") else f"/o/{entered.organisation.id}/senders"
    )
    if request.headers.get("hx-request") != "true":
        return RedirectResponse(target, 303)
    response = HTMLResponse("", 200)
    # htmx fetches the part of the page that shows the outcome.
    response.headers["hx-location"] = json.dumps(
        {"path": target, "target": "#main", "select": "#main", "swap": "outerHTML"}
    )
    return toast(response, said, entered.who.renderer, undo)
