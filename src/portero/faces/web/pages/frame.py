"""What the pages of an organisation share: the way in, the opened run, and the page for those who have none yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from portero.core.access import Action
from portero.core.ledger import Organisation
from portero.core.text import Text
from portero.faces.web.cases import View
from portero.faces.web.desk import WebDesk
from portero.faces.web.visitor import Visitor, desk_of, proven, visitor


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
