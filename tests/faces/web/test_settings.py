"""Settings by the API: names, people, roles and tokens, for administrators and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from portero.core.access import Action, Role
from portero.faces.web.visitor import now


def program(house: Any, *scopes: Action) -> TestClient:
    """Give a client of the owner's token with some scopes."""
    _, secret = house.state.add_token(house.ours, house.owner().id, "ci", scopes, None, now())
    client = house.client()
    client.headers["authorization"] = f"Bearer {secret}"
    return client


def base(house: Any) -> str:
    return f"/api/v1/organisations/{house.ours}"


def test_an_administrator_names_invites_and_gives_roles(house: Any) -> None:
    admin = program(house, Action.READ, Action.ADMINISTER)
    assert admin.patch(base(house), json={"name": "Northwind AG"}).json()["name"] == "Northwind AG"
    link = admin.post(f"{base(house)}/members", json={"name": "Bea", "role": "analyst"}).json()["link"]
    assert link.startswith("http://localhost/sign-in?link=")
    bea = next(each for each in admin.get(f"{base(house)}/members").json() if each["name"] == "Bea")
    assert (bea["role"], bea["owner"]) == ("analyst", False)
    assert house.state.use_link(link.partition("link=")[2], now()).name == "Bea"
    assert admin.put(f"{base(house)}/members/{bea['id']}", json={"role": None}).status_code == 204
    # Whoever came by a link and has no role left is nobody here any more.
    assert "Bea" not in {each["name"] for each in admin.get(f"{base(house)}/members").json()}
    assert admin.put(f"{base(house)}/members/{bea['id']}", json={"role": "reader"}).status_code == 404


def test_people_of_another_organisation_are_not_given_roles(house: Any) -> None:
    admin = program(house, Action.READ, Action.ADMINISTER)
    stranger = house.state.person("local", "theirs", "Theirs", now())
    house.state.set_role(house.theirs, stranger.id, Role.ANALYST, "Ana", now())
    assert admin.put(f"{base(house)}/members/{stranger.id}", json={"role": "reader"}).status_code == 404
    assert "Theirs" not in {each["name"] for each in admin.get(f"{base(house)}/members").json()}


def test_a_program_makes_no_token_that_may_more_than_its_own(house: Any) -> None:
    admin = program(house, Action.READ, Action.ADMINISTER)
    refused = admin.post(f"{base(house)}/tokens", json={"name": "more", "scopes": ["sign"]})
    assert refused.status_code == 403
    assert (
        admin.post(f"/o/{house.ours}/settings/tokens", data={"name": "more", "scope": "sign"}).status_code
        == 403
    )
    made = admin.post(f"{base(house)}/tokens", json={"name": "less", "scopes": ["read"], "days": 1}).json()
    reader = house.client()
    reader.headers["authorization"] = f"Bearer {made['secret']}"
    assert reader.get(base(house) + "/findings").status_code == 200
    assert reader.get(base(house) + "/tokens").status_code == 403
    listed = admin.get(base(house) + "/tokens").json()
    assert {"more", made["secret"]}.isdisjoint(str(listed).split("'"))
    assert admin.delete(f"{base(house)}/tokens/{made['id']}").status_code == 204
    assert reader.get(base(house) + "/findings").status_code == 401


@pytest.mark.parametrize("role", [Role.READER, Role.ANALYST, Role.APPROVER])
def test_others_administer_nothing(house: Any, role: Role) -> None:
    client = house.client(house.somebody(role))
    for name in ("members", "tokens"):
        assert client.get(f"{base(house)}/{name}").status_code == 403
    assert client.patch(base(house), json={"name": "Mine"}).status_code == 403
    assert client.post("/api/v1/organisations", json={"name": "Mine"}).status_code == 403


def test_a_new_organisation_is_the_owner_s_to_make_and_not_a_program_s(house: Any) -> None:
    everything = program(house, *Action)
    assert everything.post("/api/v1/organisations", json={"name": "Third"}).status_code == 403
    assert len(house.state.organisations()) == 2
