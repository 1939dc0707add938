"""What all of the API shares: who may call, ids, ETags, and every way to fail."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request, Response
from pydantic import TypeAdapter

from portero.core.access import Action
from portero.faces.web.api import documents as out
from portero.faces.web.pages.frame import Entered, enter
from portero.faces.web.visitor import proven

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": out.Problem, "description": why, "content": {"application/problem+json": {}}}
    for status, why in {
        400: "The request is malformed.",
        401: "No session and no token.",
        403: "The role or the token's scopes do not allow it.",
        404: "No such thing, or none the caller may see.",
        409: "Somebody changed it in between, or nothing was read yet.",
        412: "It is no longer as `If-Match` says.",
        413: "Too large.",
        422: "The request does not fit the description.",
        429: "Too many requests.",
        503: "The newest run is being opened.",
    }.items()
}
Id = Annotated[str, Path(max_length=80, pattern=r"^[a-z]+-[0-9a-z]+$")]
ETag = Annotated[str | None, Header(alias="if-none-match")]
IfMatch = Annotated[
    str | None, Header(alias="if-match", description="The ETag of what is changed, as it was seen.")
]


class OutdatedError(Exception):
    """What a caller wants to change is no longer as it was seen; nothing was written."""


def entered_by(action: Action, *, change: bool = False) -> Any:
    """Give what lets a caller in who may do something; a change by session brings the secret of our pages."""

    def enter_here(request: Request, organisation: Id) -> Entered:
        entered = enter(request, organisation, action)
        if change:
            proven(request, entered.who)
        return entered

    return Depends(enter_here)


Reader = Annotated[Entered, entered_by(Action.READ)]
# Changes nothing and costs much: not for another site's page to ask.
Asker = Annotated[Entered, entered_by(Action.READ, change=True)]
Decider = Annotated[Entered, entered_by(Action.DECIDE, change=True)]
Uploader = Annotated[Entered, entered_by(Action.UPLOAD, change=True)]
Signer = Annotated[Entered, entered_by(Action.SIGN, change=True)]
Administrator = Annotated[Entered, entered_by(Action.ADMINISTER)]


def tagged(model: Any, value: object, if_none_match: str | None) -> Response:
    """Answer with JSON and its ETag, or say that the caller has it already. Source: RFC 9110 section 13.1.2."""
    content, tag = _content(model, value)
    headers = {
        "etag": tag,
        "cache-control": "private, no-cache",
        "vary": "authorization, cookie, accept-language",
    }
    if if_none_match is not None and tag in _tags(if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


def must_match(model: Any, value: object, if_match: str | None) -> None:
    """Raise OutdatedError where a caller names the ETag of another state. Source: RFC 9110 section 13.1.1."""
    if if_match is not None and if_match.strip() != "*" and _content(model, value)[1] not in _tags(if_match):
        raise OutdatedError


def _content(model: Any, value: object) -> tuple[bytes, str]:
    content = TypeAdapter(model).dump_json(TypeAdapter(model).validate_python(value, from_attributes=True))
    return content, f'"{sha256(content).hexdigest()[:32]}"'


def _tags(header: str) -> set[str]:
    return {each.strip().removeprefix("W/") for each in header.split(",")}
