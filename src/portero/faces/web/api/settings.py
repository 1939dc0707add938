"""The API's part about settings: organisations, their people and roles, and tokens for programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from portero.core.access import Action, Role
from portero.core.ledger import Token, UnknownEntryError
from portero.faces.web.api.asked import Name
from portero.faces.web.api.documents import Organisation as OrganisationOut
from portero.faces.web.api.frame import PROBLEMS, Administrator, Id, entered_by
from portero.faces.web.pages.frame import Entered
from portero.faces.web.pages.settings import invitation, members
from portero.faces.web.visitor import ForbiddenError, desk_of, now, own_address, proven, visitor

ROUTER = APIRouter(prefix="/api/v1", responses=PROBLEMS)
Changer = Annotated[Entered, entered_by(Action.ADMINISTER, change=True)]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Named(_In):
    """A name to give."""

    name: Name


class Member(_Out):
    """Somebody who may sign in; `role` is theirs in this organisation, null for none."""

    id: str
    name: str
    issuer: str
    owner: bool
    role: Role | None


class GiveRole(_In):
    """The role to give; null takes it away."""

    role: Role | None


class Invite(_In):
    """Somebody to let in by a link."""

    name: Name
    role: Role


class Invitation(_Out):
    """The link that signs the person in, once, within two days; it cannot be shown again."""

    link: str


class KeptToken(_Out):
    """A token as it is kept: without its secret."""

    id: str
    name: str
    person: str
    scopes: list[Action]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class MadeToken(KeptToken):
    """A new token with its secret, which cannot be shown again."""

    secret: str


class MakeToken(_In):
    """A token to make; it may at most what its scopes say, and no more than whoever makes it."""

    name: Name
    scopes: Annotated[list[Action], Field(min_length=1, max_length=5)]
    days: Annotated[int, Field(ge=1, le=365)] = 90


@ROUTER.post("/organisations", response_model=OrganisationOut, status_code=201)
def add_organisation(request: Request, wanted: Named) -> Mapping[str, object]:
    """Make another organisation; for the owner of the installation, in a session."""
    who = visitor(request)
    proven(request, who)
    if not who.person.owner or who.token is not None:
        raise ForbiddenError
    made = desk_of(request).state.add_organisation(wanted.name, who.person.name, now())
    return {"id": made.id, "name": made.name, "role": Role.ADMINISTRATOR}


@ROUTER.patch("/organisations/{organisation}", response_model=OrganisationOut)
def rename(entered: Changer, wanted: Named) -> Mapping[str, object]:
    """Give an organisation another name."""
    here = entered.organisation.id
    entered.desk.state.rename_organisation(here, wanted.name, entered.name, now())
    return {"id": here, "name": wanted.name, "role": entered.who.role_in(here)}


@ROUTER.get("/organisations/{organisation}/members", response_model=list[Member])
def list_members(entered: Administrator) -> list[Mapping[str, object]]:
    """List who may sign in here, and whom a provider vouched for and who has no role yet."""
    return [
        {
            "id": each.id, "name": each.name, "issuer": each.issuer, "owner": each.owner,
            "role": each.role_in(entered.organisation.id),
        }
        for each in members(entered)
    ]  # fmt: skip


@ROUTER.put("/organisations/{organisation}/members/{person}", status_code=204)
def give_role(entered: Changer, person: Id, wanted: GiveRole) -> None:
    """Give a person a role, or take it away."""
    if all(each.id != person for each in members(entered)):
        raise UnknownEntryError
    entered.desk.state.set_role(entered.organisation.id, person, wanted.role, entered.name, now())


@ROUTER.post("/organisations/{organisation}/members", response_model=Invitation, status_code=201)
def invite(request: Request, entered: Changer, wanted: Invite) -> Mapping[str, object]:
    """Let somebody in who signs in by a link."""
    secret = invitation(entered, wanted.name, wanted.role)
    return {"link": own_address(request, f"/sign-in?link={secret}")}


@ROUTER.get("/organisations/{organisation}/tokens", response_model=list[KeptToken])
def tokens(entered: Administrator) -> list[Mapping[str, object]]:
    """List the tokens, newest first."""
    return [_token(each) for each in entered.desk.state.tokens(entered.organisation.id)]


@ROUTER.post("/organisations/{organisation}/tokens", response_model=MadeToken, status_code=201)
def make_token(entered: Changer, wanted: MakeToken) -> Mapping[str, object]:
    """Make a token. A program makes none that may more than its own."""
    here = entered.organisation.id
    if not all(entered.who.may(here, each) for each in wanted.scopes):
        raise ForbiddenError
    made, secret = entered.desk.state.add_token(
        here, entered.who.person.id, wanted.name, wanted.scopes, now() + timedelta(days=wanted.days), now()
    )
    return {**_token(made), "secret": secret}


@ROUTER.delete("/organisations/{organisation}/tokens/{token}", status_code=204)
def remove_token(entered: Changer, token: Id) -> None:
    """Revoke a token."""
    entered.desk.state.remove_token(entered.organisation.id, token, entered.name, now())


def _token(held: Token) -> dict[str, object]:
    return {
        "id": held.id, "name": held.name, "person": held.person, "scopes": [each for each in Action if each in held.scopes],
        "created_at": held.created_at, "expires_at": held.expires_at, "used_at": held.used_at,
    }  # fmt: skip
