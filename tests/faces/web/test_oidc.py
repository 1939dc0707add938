"""Who signs in by an OpenID provider's word, against one that was really started; and who does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from portero.core.access import Role
from portero.core.sign_in import Grant, Provider
from portero.dashboard import fetch
from portero.faces.web.oidc import SignIn
from support.oidc import CLIENT, SECRET, OpenId, openid


@pytest.fixture
def provider() -> Iterator[OpenId]:
    with openid() as made:
        yield made


def known(provider: OpenId, *grants: Grant, secret: str = SECRET) -> Provider:
    return Provider("Contoso", provider.issuer, CLIENT, secret, grants=grants)


@pytest.fixture
def door(house: Any, provider: OpenId) -> Any:
    """The house, in front of which people may come with the provider's word."""
    house.desk = replace(house.desk, sign_in=SignIn([known(provider)], fetch))
    return house


def walk(client: TestClient) -> str:
    """Go to the provider and give where it leads back to."""
    answer = client.get("/sign-in/with/0")
    assert answer.status_code == 303, answer.text
    return str(httpx2.get(answer.headers["location"]).headers["location"])


def come_back(client: TestClient, place: str) -> Any:
    parts = urlsplit(place)
    assert (parts.scheme, parts.netloc, parts.path) == ("http", "localhost", "/sign-in/back")
    return client.get(f"{parts.path}?{parts.query}")


def refused(house: Any) -> str:
    client = house.client()
    answer = come_back(client, walk(client))
    assert answer.status_code == 403
    assert "portero" not in client.cookies
    assert client.get("/").headers["location"] == "/sign-in"
    assert not [each for each in house.state.people() if each.issuer != "local"]
    return str(answer.text)


def test_somebody_unknown_signs_in_and_waits_for_a_role(door: Any, provider: OpenId) -> None:
    client = door.client()
    assert "Sign in with Contoso" in client.get("/sign-in").text
    answer = come_back(client, walk(client))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "You belong to no organisation yet" in client.get("/").text
    [person] = [each for each in door.state.people() if each.issuer == provider.issuer]
    assert (person.subject, person.name, dict(person.roles)) == ("ana-1", "Ana Ruiz", {})
    door.state.set_role(door.ours, person.id, Role.ANALYST, "Bo", door.state.organisations()[0].created_at)
    assert client.get(f"/o/{door.ours}/senders").status_code == 200
    assert client.get(f"/o/{door.theirs}/senders").status_code == 404


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": [CLIENT, "another-client"]},
        {"azp": "another-client"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"exp": "soon"},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 7},
    ],
    ids=str,
)
def test_a_token_for_another_or_of_another_time_opens_nothing(
    door: Any, provider: OpenId, claims: dict[str, object]
) -> None:
    provider.claims = claims
    refused(door)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_what_the_provider_alone_could_not_have_signed_opens_nothing(
    door: Any, provider: OpenId, algorithm: str
) -> None:
    provider.algorithm = algorithm
    refused(door)


def test_a_signature_by_another_key_opens_nothing(door: Any, provider: OpenId) -> None:
    provider.published = RSAKey.generate_key(2048, {"kid": "k1"})
    refused(door)


def test_a_provider_may_change_its_keys(house: Any, provider: OpenId) -> None:
    now = [time.time()]
    house.desk = replace(house.desk, sign_in=SignIn([known(provider)], fetch, lambda: now[0]))
    for change in (lambda: None, provider.change_key):
        change()
        client = house.client()
        assert come_back(client, walk(client)).headers["location"] == "/"
        now[0] += 60
    assert provider.asked.count("/keys") == 2


def test_an_answer_serves_once_and_only_the_browser_that_asked(door: Any, provider: OpenId) -> None:
    client, thief = door.client(), door.client()
    place = walk(client)
    pending = client.cookies["portero-pending"]
    # Somebody else brings it: without the cookie, with one of their own, with one that they made.
    assert come_back(thief, place).status_code == 403
    walk(thief)
    assert come_back(thief, place).status_code == 403
    thief.cookies.set("portero-pending", pending[:-2] + "AA")
    assert come_back(thief, place).status_code == 403
    assert provider.codes
    assert come_back(client, place).headers["location"] == "/"
    # The code, the state and the cookie are used up, here and there.
    again = door.client()
    again.cookies.set("portero-pending", pending)
    assert come_back(again, place).status_code == 403
    code = parse_qs(urlsplit(place).query)["code"][0]
    assert code not in provider.codes


def test_a_code_that_the_provider_has_given_for_already_opens_nothing(door: Any, provider: OpenId) -> None:
    client = door.client()
    place = walk(client)
    provider.codes.clear()
    answer = come_back(client, place)
    assert answer.status_code == 403
    assert "The code was used or is not yours." in answer.text


def test_a_code_of_another_sign_in_opens_nothing(door: Any, provider: OpenId) -> None:
    # The code of a thief's own sign-in, slipped into somebody's answer: its challenge is another.
    client, thief = door.client(), door.client()
    mine, theirs = (parse_qs(urlsplit(walk(each)).query) for each in (client, thief))
    answer = client.get("/sign-in/back", params={"code": theirs["code"][0], "state": mine["state"][0]})
    assert answer.status_code == 403


def test_an_answer_of_another_provider_is_not_taken_for_this_one_s(door: Any, provider: OpenId) -> None:
    client = door.client()
    assert come_back(client, walk(client) + "&iss=https%3A%2F%2Fevil.example").status_code == 403
    provider.about = {"authorization_response_iss_parameter_supported": True}
    door.desk = replace(door.desk, sign_in=SignIn([known(provider)], fetch))
    client = door.client()
    assert come_back(client, walk(client)).status_code == 403
    assert come_back(client, walk(client) + f"&iss={provider.issuer}").headers["location"] == "/"


def test_a_sign_in_runs_out(house: Any, provider: OpenId) -> None:
    now = [time.time()]
    house.desk = replace(house.desk, sign_in=SignIn([known(provider)], fetch, lambda: now[0]))
    client = house.client()
    place = walk(client)
    now[0] += 601
    assert come_back(client, place).status_code == 403


def test_what_the_provider_says_against_it_is_shown_and_harmless(door: Any) -> None:
    client = door.client()
    state = parse_qs(urlsplit(walk(client)).query)["state"][0]
    words = {"state": state, "error": "access_denied", "error_description": "<script>1</script> no"}
    answer = client.get("/sign-in/back", params=words)
    assert answer.status_code == 403
    assert "&lt;script&gt;1&lt;/script&gt; no" in answer.text


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
    ],
    ids=str,
)
def test_a_provider_that_calls_itself_otherwise_or_leads_elsewhere_is_not_believed(
    door: Any, provider: OpenId, about: dict[str, object]
) -> None:
    provider.about = about
    client = door.client()
    answer = client.get("/sign-in/with/0")
    if answer.status_code == 303:
        answer = come_back(client, str(httpx2.get(answer.headers["location"]).headers["location"]))
    assert answer.status_code in {403, 503}
    assert "portero" not in client.cookies


def test_a_wrong_secret_and_a_provider_that_is_gone_are_said(house: Any, provider: OpenId) -> None:
    house.desk = replace(house.desk, sign_in=SignIn([known(provider, secret="wrong")], fetch))
    client = house.client()
    assert "invalid_client" in come_back(client, walk(client)).text
    gone = replace(known(provider), issuer="http://127.0.0.1:9")
    house.desk = replace(house.desk, sign_in=SignIn([gone], fetch))
    answer = house.client().get("/sign-in/with/0")
    assert answer.status_code == 503
    assert "cannot be asked just now" in answer.text
    assert house.client().get("/sign-in/with/7").status_code == 503


def test_secrets_go_in_the_form_where_the_provider_takes_them_so(door: Any, provider: OpenId) -> None:
    provider.about = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    client = door.client()
    assert come_back(client, walk(client)).headers["location"] == "/"


def test_claims_give_roles_and_take_them_away(house: Any, provider: OpenId) -> None:
    grants = (
        Grant(Role.READER, "groups", "staff"),
        Grant(Role.APPROVER, "groups", "mail-approvers", "Northwind"),
    )
    house.desk = replace(house.desk, sign_in=SignIn([known(provider, *grants)], fetch))

    def roles() -> dict[str, Role]:
        client = house.client()
        assert come_back(client, walk(client)).headers["location"] == "/"
        [person] = [each for each in house.state.people() if each.issuer == provider.issuer]
        return dict(person.roles)

    provider.person["groups"] = ["staff", "mail-approvers"]
    assert roles() == {house.ours: Role.APPROVER, house.theirs: Role.READER}
    provider.person["groups"] = "staff"
    assert roles() == {house.ours: Role.READER, house.theirs: Role.READER}
    settings = house.client(house.owner()).get(f"/o/{house.ours}/settings").text
    assert "given at each sign-in by what Contoso says" in settings
    del provider.person["groups"]
    assert roles() == {}
    provider.person |= {
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://x"}},
    }
    client = house.client()
    answer = come_back(client, walk(client))
    assert answer.status_code == 403
    assert "map roles instead of groups" in answer.text


def test_two_of_one_name_are_told_apart_and_a_new_name_signs_no_own_step(
    door: Any, provider: OpenId, csrf_of: Any
) -> None:
    import re

    first = door.client()
    come_back(first, walk(first))
    provider.person["sub"] = "ana-2"
    second = door.client()
    come_back(second, walk(second))
    people = {each.subject: each for each in door.state.people() if each.issuer == provider.issuer}
    assert {each.name for each in people.values()} == {"Ana Ruiz", "Ana Ruiz (2)"}
    come_back(second, walk(second))
    assert {each.name for each in door.state.people() if each.issuer == provider.issuer} == {
        "Ana Ruiz",
        "Ana Ruiz (2)",
    }

    created = door.state.organisations()[0].created_at
    door.state.set_role(door.ours, people["ana-2"].id, Role.APPROVER, "Bo", created)
    path = f"/o/{door.ours}/plan"
    key = re.findall(r'id="(k-[0-9a-f]+)"', second.get(path).text)[0]
    csrf = csrf_of(second, path)
    assert (
        second.post(f"{path}/{key}", data={"csrf": csrf, "state": "prepared", "revision": 0}).status_code
        == 303
    )
    provider.person["name"] = "Somebody Else"
    renamed = door.client()
    come_back(renamed, walk(renamed))
    assert door.state.steps(door.ours)[key].prepared_by == "Somebody Else"
    csrf = csrf_of(renamed, path)
    assert (
        renamed.post(f"{path}/{key}", data={"csrf": csrf, "state": "signed", "revision": 1}).status_code
        == 409
    )


def test_signing_out_here_shows_the_way_out_there(door: Any, provider: OpenId, csrf_of: Any) -> None:
    client = door.client()
    come_back(client, walk(client))
    answer = client.post("/sign-out", data={"csrf": csrf_of(client, "/")})
    assert "You are still signed in at Contoso." in answer.text
    assert (
        f"{provider.issuer}/end?client_id={CLIENT}&amp;post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Fsign-in"
        in answer.text
    )
    assert client.get("/").headers["location"] == "/sign-in"
