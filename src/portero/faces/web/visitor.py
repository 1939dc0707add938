"""Who asks: the person behind a session or a token, their language, and what they may do where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest

from fastapi import Request
from starlette.datastructures import FormData

from portero.core.access import Action, Role, actions_of
from portero.core.ledger import Organisation, Person, Token, UnknownEntryError
from portero.faces.render import LANGUAGES, Renderer
from portero.faces.web.desk import WebDesk

THEMES = ("auto", "light", "dark")
_YEAR_SECONDS = 365 * 86400


class NotSignedInError(Exception):
    """Nobody is signed in."""


class ForbiddenError(Exception):
    """The visitor may see the organisation but not do this."""


class ForgedError(Exception):
    """A form came without the secret that only our own pages hold."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """
    Somebody who is signed in.

    token:          by which a program came, or None for a person in a browser.
    organisations:  those the visitor may see.
    csrf:           what a form must bring back.
    """

    person: Person
    token: Token | None
    organisations: tuple[Organisation, ...]
    renderer: Renderer
    theme: str
    csrf: str

    def may(self, organisation: str, action: Action) -> bool:
        """Tell whether the visitor may do something to an organisation."""
        held = actions_of(self.person.role_in(organisation))
        if self.token is not None:
            held = held & self.token.scopes if self.token.organisation == organisation else frozenset()
        return action in held

    def at(self, organisation: str, action: Action = Action.READ) -> Organisation:
        """Give the organisation; raises UnknownEntryError to strangers, ForbiddenError where the role is too small."""
        found = next((each for each in self.organisations if each.id == organisation), None)
        if found is None or not self.may(organisation, Action.READ):
            raise UnknownEntryError
        if not self.may(organisation, action):
            raise ForbiddenError
        return found

    def role_in(self, organisation: str) -> Role | None:
        """Give the visitor's role."""
        return self.person.role_in(organisation)


def now() -> datetime:
    """Give the time, aware UTC."""
    return datetime.now(UTC)


def desk_of(request: Request) -> WebDesk:
    """Give what all handlers share."""
    desk: WebDesk = request.app.state.desk
    return desk


def language_of(request: Request) -> str:
    """Choose the language: as asked in the address, as chosen before, as the browser prefers."""
    for choice in (request.query_params.get("lang"), request.cookies.get("portero_lang")):
        if choice in LANGUAGES:
            return choice
    preferred = request.headers.get("accept-language", "")
    for part in preferred.split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return LANGUAGES[0]


def theme_of(request: Request) -> str:
    """Give the colours that the visitor chose; ``auto`` follows the system."""
    chosen = request.cookies.get("portero_theme", "auto")
    return chosen if chosen in THEMES else "auto"


def cookie_name(request: Request) -> str:
    """Name the session's cookie; over TLS with the prefix that binds it to this host. Source: RFC 6265bis 4.1.3."""
    return "__Host-portero" if request.scope.get("portero.secure") else "portero"


def own_address(request: Request, path: str) -> str:
    """Write an address of ours as others know it; behind a proxy the browser speaks TLS."""
    scheme = "https" if request.scope.get("portero.secure") else "http"
    return f"{scheme}://{request.url.netloc}{path}"


def csrf_of(secret: str) -> str:
    """Derive what forms bring back from the session's secret, which no other site knows."""
    return sha256(b"portero csrf " + secret.encode()).hexdigest()


def visitor(request: Request) -> Visitor:
    """Give who asks, by bearer token or by session; raises NotSignedInError."""
    desk = desk_of(request)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    token: Token | None = None
    csrf = ""
    if scheme.lower() == "bearer":
        found = desk.state.use_token(secret.strip(), now())
        if found is None:
            raise NotSignedInError
        token, person = found
    else:
        secret = request.cookies.get(cookie_name(request), "")
        known = desk.state.session(secret, now()) if secret else None
        if known is None:
            raise NotSignedInError
        person, csrf = known, csrf_of(secret)
    seen = tuple(
        each
        for each in desk.state.organisations()
        if person.role_in(each.id) is not None and (token is None or token.organisation == each.id)
    )
    renderer = Renderer(language_of(request), html=True)
    return Visitor(person, token, seen, renderer, theme_of(request), csrf)


def proven(request: Request, who: Visitor, form: FormData | Mapping[str, object] | None = None) -> None:
    """Let a change by session through only when it brings the secret of our pages; a token needs none."""
    if who.token is not None:
        return
    given = request.headers.get("x-csrf-token") or (form or {}).get("csrf")
    if not isinstance(given, str) or not compare_digest(given.encode(), who.csrf.encode()):
        raise ForgedError
