"""Puts the dashboard and the API together into one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from portero.core.finding import Profile
from portero.core.ledger import StaleError, UnknownEntryError
from portero.core.text import Text
from portero.errors import PorteroError
from portero.faces.render import LANGUAGES, Renderer
from portero.faces.web.api import one_sender, posture, v1, watch
from portero.faces.web.api import settings as settings_api
from portero.faces.web.api.frame import OutdatedError
from portero.faces.web.cases import Cases, OpeningError, View
from portero.faces.web.desk import WebDesk
from portero.faces.web.guard import Door, Guard
from portero.faces.web.pages import (
    alerts,
    evidence,
    findings,
    mails,
    messages,
    overview,
    plan,
    rehearse,
    relay,
    senders,
    settings,
    shape,
    sign_in,
    verification,
)
from portero.faces.web.pages.frame import NoRunError, UnchangedError
from portero.faces.web.rows import GROUPS, Asked, table
from portero.faces.web.steps import SameHandsError
from portero.faces.web.view import asset, page, unchanged
from portero.faces.web.visitor import ForbiddenError, ForgedError, NotSignedInError, Visitor, desk_of, visitor

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_SERVED = frozenset({"portero.css", "portero.js", "portero.svg", "vendor/htmx/2.0.11/htmx.min.js"})

# What went wrong, as the status of HTTP, and as a sentence with what to do next.
_WRONG: dict[type[Exception], tuple[int, Text]] = {
    UnknownEntryError: (404, Text("There is nothing here, or nothing that you may see.")),
    ForbiddenError: (403, Text("Your role does not allow this. Ask an administrator of the organisation.")),
    ForgedError: (403, Text("The form has run out. Load the page again and repeat.")),
    StaleError: (
        409,
        Text("Somebody else changed this in the meantime. Load the page again, look, and repeat."),
    ),
    OutdatedError: (
        412,
        Text("Somebody else changed this in the meantime. Load the page again, look, and repeat."),
    ),
    SameHandsError: (409, Text("A step is approved by somebody else than the one who prepared it.")),
}


def create(desk: WebDesk, door: Door) -> FastAPI:
    """Make the application."""

    @asynccontextmanager
    async def alive(_: FastAPI) -> AsyncIterator[None]:
        yield
        desk.jobs.close()
        desk.cases.close()

    app = FastAPI(
        title="portero",
        version="1",
        description="Who sends as the organisation, what breaks when Direct Send is closed, and the plan to close it.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=alive,
    )
    app.state.desk = desk
    desk.cases.prepare = partial(_prepare, desk.cases)
    for module in (
        sign_in,
        overview,
        senders,
        shape,
        mails,
        rehearse,
        plan,
        verification,
        findings,
        messages,
        alerts,
        relay,
        evidence,
        settings,
    ):
        app.include_router(module.ROUTER)
    app.include_router(v1.ROUTER)
    app.include_router(watch.ROUTER)
    app.include_router(posture.ROUTER)
    app.include_router(one_sender.ROUTER)
    app.include_router(settings_api.ROUTER)
    app.add_api_route("/healthz", _healthy, include_in_schema=False)
    app.add_api_route("/static/{mark}/{name:path}", _static, include_in_schema=False)
    app.add_api_route("/favicon.ico", lambda: RedirectResponse(asset("portero.svg")), include_in_schema=False)
    for wrong in (
        *_WRONG,
        NotSignedInError,
        NoRunError,
        UnchangedError,
        PorteroError,
        HTTPException,
        RequestValidationError,
    ):
        app.add_exception_handler(wrong, _answer)
    app.add_middleware(Guard, door=door)
    return app


def _prepare(cases: Cases, view: View) -> None:
    """Work out beside the requests what the first pages of a large run show, in both languages."""
    for lang in LANGUAGES:
        renderer = Renderer(lang, html=True)
        overview.shown(view, renderer)
        for group in GROUPS:
            table(view, renderer, Asked(group=group))
        for profile in Profile:
            findings.shown(view, cases.findings(view, profile), profile, renderer, None)
    senders.effects_of(view)
    senders.steps_of(view)
    shape.by_mark(view)


def _healthy() -> PlainTextResponse:
    return PlainTextResponse("ok")


def _static(mark: str, name: str) -> Response:
    """Give one of our own files; under the mark of its content it never changes."""
    if name not in _SERVED or asset(name) != f"/static/{mark}/{name}":
        raise UnknownEntryError
    content = files("portero.faces.web").joinpath("static", name).read_bytes()
    kept = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(content, media_type=_TYPES[name[name.rindex(".") :]], headers=kept)


async def _answer(request: Request, error: Exception) -> Response:
    """Say what went wrong: to a program as problem details (RFC 9457), to a person as a page."""
    api = request.url.path.startswith("/api/")
    if isinstance(error, NotSignedInError):
        if api:
            return _problem(401, "Sign in, or send a token.", {"www-authenticate": "Bearer"})
        if request.headers.get("hx-request") == "true":
            return Response(status_code=204, headers={"hx-redirect": "/sign-in"})
        return RedirectResponse("/sign-in", 303)
    if isinstance(error, UnchangedError):
        return unchanged(error.tag)
    if isinstance(error, NoRunError):
        if api:
            return _problem(409, "Nothing was read for this organisation yet.", {})
        jobs = desk_of(request).state.jobs(error.organisation.id, 3)
        going = any(job.state in evidence.GOING for job in jobs)
        return page(request, "no_run.html", error.who, error.organisation, jobs=jobs, going=going)
    if isinstance(error, HTTPException):
        status, text = error.status_code, _WRONG[UnknownEntryError][1]
    elif isinstance(error, RequestValidationError):
        return JSONResponse(
            {"type": "about:blank", "status": 422, "title": "The request does not fit the description.",
             "errors": [{"where": list(each["loc"]), "why": each["msg"]} for each in error.errors()]},
            422, media_type="application/problem+json",
        )  # fmt: skip
    elif isinstance(error, OpeningError):
        status, text = 503, error.text
    elif isinstance(error, PorteroError):
        status, text = 422, error.text
    else:
        status, text = _WRONG[type(error)]
    extra = {"retry-after": "2"} if status == 503 else {}
    if api:
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else extra
        return _problem(status, str(text) if status != 405 else "Method not allowed", headers)
    response = page(request, "wrong.html", _maybe(request), status=status, text=text, wait=status == 503)
    response.headers.update(extra)
    return response


def _maybe(request: Request) -> Visitor | None:
    try:
        return visitor(request)
    except NotSignedInError:
        return None


def _problem(status: int, title: str, headers: dict[str, str]) -> JSONResponse:
    return JSONResponse(
        {"type": "about:blank", "status": status, "title": title}, status, headers, "application/problem+json"
    )
