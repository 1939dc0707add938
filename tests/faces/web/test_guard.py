"""Who may not come in does not: other hosts, other sites, other organisations, forms that are not ours, too much, too often."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from portero.core.access import Action, Role
from portero.core.address import parse_network
from portero.errors import ConfigError
from portero.faces.web.application import create
from portero.faces.web.guard import SMALL_OCTETS, Door
from portero.faces.web.limits import Limit
from portero.faces.web.serving import Serving, door_of

Csrf = Callable[[TestClient, str], str]
NOW = datetime.now(UTC)


def test_every_answer_tells_the_browser_to_refuse_what_is_not_ours(house: Any) -> None:
    for path in ("/sign-in", "/nowhere", "/healthz", "/api/v1/organisations"):
        headers = house.client().get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"


def test_another_host_name_is_not_answered(house: Any) -> None:
    assert house.client().get("/sign-in", headers={"host": "evil.example"}).status_code == 421
    assert house.client().get("/sign-in", headers={"host": "localhost:8025"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/o/o-1/", "/o/o-1/senders", "/o/o-1/files/audit.json"])
def test_nobody_sees_anything_without_signing_in(house: Any, path: str) -> None:
    answer = house.client().get(path.replace("o-1", house.ours))
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in"


def test_a_link_signs_in_once_and_only_by_the_button(house: Any) -> None:
    secret = house.state.add_link(house.owner().id, NOW + timedelta(hours=1))
    client = house.client()
    assert client.get("/sign-in", params={"link": secret}).status_code == 200
    answer = client.post("/sign-in", data={"link": secret})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get(f"/o/{house.ours}/").status_code == 200
    assert house.client().post("/sign-in", data={"link": secret}).status_code == 403


CHANGES = (
    "/o/{o}/decisions", "/o/{o}/decisions/undo", "/o/{o}/senders/s-1/shape", "/o/{o}/scenarios", "/o/{o}/plan/k-1", "/o/{o}/settings/name",
    "/o/{o}/settings/role", "/o/{o}/settings/tokens", "/o/{o}/jobs/j-1/cancel", "/organisations", "/sign-out",
)  # fmt: skip


@pytest.mark.parametrize("path", CHANGES)
def test_a_form_that_is_not_ours_changes_nothing(house: Any, path: str) -> None:
    client = house.client(house.owner())
    target = path.replace("{o}", house.ours)
    before = len(house.state.trail(house.ours))
    for csrf in ({}, {"csrf": "0" * 64}, {"csrf": "é"}):
        assert client.post(target, data={"name": "x", **csrf}).status_code == 403
    assert len(house.state.trail(house.ours)) == before


def test_another_site_may_not_post(house: Any, csrf_of: Csrf) -> None:
    client = house.client(house.owner())
    csrf = csrf_of(client, f"/o/{house.ours}/settings")
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        answer = client.post(
            f"/o/{house.ours}/settings/name", data={"csrf": csrf, "name": "x"}, headers=headers
        )
        assert answer.status_code == 403


@pytest.mark.parametrize("role", list(Role))
def test_a_stranger_to_an_organisation_finds_nothing_there(house: Any, csrf_of: Csrf, role: Role) -> None:
    client = house.client(house.somebody(role, house.theirs))
    csrf = csrf_of(client, f"/o/{house.theirs}/senders")
    sender = house.desk.cases.newest(house.ours).audit.senders[0].id
    for path in (
        "",
        "senders",
        f"senders/{sender}",
        "rehearse",
        "plan",
        "findings",
        "evidence",
        "trail",
        "settings",
        "jobs",
        "files/audit.json",
    ):
        assert client.get(f"/o/{house.ours}/{path}").status_code == 404
    for path in CHANGES[:-2]:
        data = {"csrf": csrf, "sender": sender, "judgement": "abuse", "state": "done", "name": "x"}
        assert client.post(path.replace("{o}", house.ours), data=data).status_code == 404
    assert house.state.decisions(house.ours) == ()


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.READER, set()),
        (Role.ANALYST, {"decide"}),
        (Role.APPROVER, {"decide"}),
        (Role.ADMINISTRATOR, {"decide", "rename"}),
    ],
)
def test_a_role_may_do_no_more_than_it_says(house: Any, csrf_of: Csrf, role: Role, allowed: set[str]) -> None:
    client = house.client(house.somebody(role))
    csrf = csrf_of(client, f"/o/{house.ours}/senders")
    sender = house.desk.cases.newest(house.ours).audit.senders[0].id
    did = {
        "decide": client.post(
            f"/o/{house.ours}/decisions", data={"csrf": csrf, "sender": sender, "judgement": "abuse"}
        ),
        "rename": client.post(f"/o/{house.ours}/settings/name", data={"csrf": csrf, "name": "x"}),
    }
    assert {name for name, answer in did.items() if answer.status_code == 303} == allowed
    assert {answer.status_code for name, answer in did.items() if name not in allowed} <= {403}


def test_a_token_may_do_what_its_scopes_and_its_maker_may(house: Any) -> None:
    person = house.somebody(Role.ANALYST)
    _, secret = house.state.add_token(
        house.ours, person.id, "ci", [Action.READ, Action.ADMINISTER], None, NOW
    )
    client = house.client()
    client.headers["authorization"] = f"Bearer {secret}"
    base = f"/api/v1/organisations/{house.ours}"
    assert client.get(f"{base}/senders").status_code == 200
    assert client.get(f"{base}/trail").status_code == 403
    assert (
        client.post(f"{base}/decisions", json={"senders": ["s-1"], "judgement": "abuse"}).status_code == 403
    )
    assert client.get(f"/api/v1/organisations/{house.theirs}/senders").status_code == 404
    house.state.set_role(house.ours, person.id, None, "Ana", NOW)
    assert client.get(f"{base}/senders").status_code == 404


def test_a_body_that_is_too_large_is_refused(house: Any) -> None:
    client = house.client()
    assert client.post("/sign-in", content=b"x" * (SMALL_OCTETS + 1)).status_code == 413

    def pieces() -> Any:
        for _ in range(20):
            yield b"x" * (SMALL_OCTETS // 10)

    answer = client.post(
        "/sign-in", content=pieces(), headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 413


def test_links_cannot_be_guessed_at_speed(house: Any) -> None:
    client = house.client()
    codes = [client.post("/sign-in", data={"link": "x"}).status_code for _ in range(15)]
    assert codes[0] == 403
    assert codes[-1] == 429


def test_a_limit_gives_back_with_time() -> None:
    clock = [0.0]
    limit = Limit(2, 0.5, lambda: clock[0])
    assert [limit.wait("a") for _ in range(3)] == [0.0, 0.0, 2.0]
    assert limit.wait("b") == 0.0
    clock[0] = 2.0
    assert limit.wait("a") == 0.0


def test_only_the_proxy_is_believed(house: Any) -> None:
    app = create(house.desk, Door(frozenset({"localhost"}), proxies=(parse_network("192.0.2.1"),)))
    for address, expected in (("192.0.2.1", 200), ("192.0.2.9", 403)):
        client = TestClient(app, base_url="http://localhost", client=(address, 5000))
        answer = client.get(
            "/sign-in", headers={"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.5"}
        )
        assert answer.status_code == expected
    secure = TestClient(app, base_url="http://localhost", client=("192.0.2.1", 5000))
    answer = secure.get("/sign-in", headers={"x-forwarded-proto": "https"})
    assert "max-age" in answer.headers["strict-transport-security"]


def serving(**changes: Any) -> Serving:
    from pathlib import Path

    held = {
        "host": "127.0.0.1",
        "port": 0,
        "names": (),
        "certificate": None,
        "key": None,
        "proxies": (),
        "data": Path(),
    }
    return Serving(**{**held, **changes})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.5", "dashboard.contoso.com"])
def test_others_are_not_served_in_the_clear(host: str) -> None:
    with pytest.raises(ConfigError, match="without encryption"):
        door_of(serving(host=host))
    assert door_of(serving(host=host, proxies=("192.0.2.1",), names=("dashboard.contoso.com",))).proxies


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_this_machine_is(host: str) -> None:
    assert not door_of(serving(host=host)).tls


def test_an_invitation_made_behind_a_proxy_leads_to_https(house: Any) -> None:
    app = create(house.desk, Door(frozenset({"localhost"}), proxies=(parse_network("192.0.2.1"),)))
    client = TestClient(app, base_url="http://localhost", client=("192.0.2.1", 1))
    client.headers["x-forwarded-proto"] = "https"
    client.cookies.set(
        "__Host-portero", house.state.add_session(house.owner().id, NOW + timedelta(hours=1), NOW)
    )
    path = f"/o/{house.ours}/settings"
    found = re.search(r'data-csrf="([0-9a-f]{64})"', client.get(path).text)
    assert found is not None
    answer = client.post(f"{path}/people", data={"csrf": found[1], "name": "Ana", "role": "reader"})
    assert "https://localhost/sign-in?link=" in answer.text
