"""The relay in the dashboard: seen by who may look, changed by who may approve, and every change under a name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from portero.core.access import Action, Role
from portero.faces.web.ports import RelayDoor
from portero.relay import use_cases
from support.relay import MESSAGE, Device, hop, running

Csrf = Callable[[TestClient, str], str]
HOSTILE = MESSAGE.replace(b"Subject: ", b"Subject: <script>alert(1)</script> ", 1)


def door(config: Path, organisation: str | None) -> RelayDoor:
    return RelayDoor(
        organisation,
        lambda states, most, render: use_cases.queue(config, states, most, render),
        lambda: use_cases.devices(config),
        lambda what, ids, render: use_cases.change(config, what, ids, everything=False, render=render),
    )


@pytest.fixture
def carried(house: Any, tmp_path: Path) -> Iterator[Any]:
    """A running relay of our organisation that holds two messages which its device's rule does not know."""
    folder = tmp_path / "relay"
    folder.mkdir()
    with hop() as far, running(folder, far.port) as relay:
        with Device(relay.port) as device:
            device.mail(HOSTILE, "a@inside.test", sender="x@other.test")
            device.mail(HOSTILE, "b@inside.test", sender="y@other.test")
        house.desk = replace(house.desk, relays=(door(folder / "relay.toml", "Northwind"),))
        yield far, relay


def ids_of(client: TestClient, house: Any) -> list[str]:
    document = client.get(f"/api/v1/organisations/{house.ours}/relay").json()
    return [each["id"] for each in document["messages"]]


def left(client: TestClient, house: Any, wanted: set[str]) -> set[str]:
    """Give the queue once it holds only what is wanted; what was delivered leaves it a moment after it arrived."""
    end = time.monotonic() + 20
    while (held := set(ids_of(client, house))) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    return held


def test_who_may_approve_lets_a_message_out_and_deletes_another(
    house: Any, carried: Any, csrf_of: Csrf
) -> None:
    far, _ = carried
    approver = house.client(house.somebody(Role.APPROVER))
    path = f"/o/{house.ours}/relay"
    text = approver.get(path).text
    assert "the sender x@other.test is not in the rule" in text.lower().replace("</bdi>", "").replace(
        "<bdi>", ""
    )
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    assert "Running" in text
    first, second = ids_of(approver, house)
    csrf = csrf_of(approver, path)
    answer = approver.post(path, data={"csrf": csrf, "change": "report", "id": [first, second]})
    assert answer.headers["location"] == f"{path}?changed=2"
    assert {each.recipients[0] for each in far.wait(2)} == {"owner@inside.test"}
    assert left(approver, house, {first, second}) == {first, second}
    answer = approver.post(path, data={"csrf": csrf, "change": "release", "id": first})
    assert answer.headers["location"] == f"{path}?changed=1"
    assert far.wait(3)
    answer = approver.post(path, data={"csrf": csrf, "change": "drop", "id": [second, first]})
    assert answer.headers["location"] == f"{path}?changed=1&left=1"
    assert "Done for 1 message." in approver.get(answer.headers["location"]).text
    assert left(approver, house, set()) == set()
    trail = [(each.who, each.action, each.after) for each in house.state.trail(house.ours)[:4]]
    assert trail[3] == ("Approver", "relay.release", {"messages": [first]})
    assert trail[0] == ("Approver", "relay.drop.done", {second: "gone", first: "missing"})


@pytest.mark.parametrize("role", [Role.READER, Role.ANALYST])
def test_others_look_and_see_no_subject(house: Any, carried: Any, csrf_of: Csrf, role: Role) -> None:
    client = house.client(house.somebody(role))
    path = f"/o/{house.ours}/relay"
    text = client.get(path).text
    assert "x@other.test" in text
    assert "alert(1)" not in text
    assert 'name="change"' not in text
    held = ids_of(client, house)
    for change in ("release", "drop"):
        answer = client.post(path, data={"csrf": csrf_of(client, path), "change": change, "id": held})
        assert answer.status_code == 403
    assert ids_of(client, house) == held
    api = client.get(f"/api/v1/organisations/{house.ours}/relay", params={"state": "quarantined"}).json()
    assert [each["subject"] for each in api["messages"]] == [None, None]


def test_the_relay_is_nobody_else_s(house: Any, carried: Any) -> None:
    stranger = house.client(house.somebody(Role.ADMINISTRATOR, house.theirs))
    assert stranger.get(f"/o/{house.ours}/relay").status_code == 404
    assert stranger.get(f"/o/{house.theirs}/relay").status_code == 404
    assert 'href="/o/' + house.theirs + '/relay"' not in stranger.get(f"/o/{house.theirs}/").text
    # Which of two organisations a relay without a name belongs to, nobody can know.
    house.desk = replace(
        house.desk, relays=tuple(replace(each, organisation=None) for each in house.desk.relays)
    )
    assert house.client(house.owner()).get(f"/o/{house.ours}/relay").status_code == 404


def test_a_stopped_relay_is_said_to_be_so_and_its_queue_changed_all_the_same(
    house: Any, carried: Any, csrf_of: Csrf
) -> None:
    _, relay = carried
    relay.stop()
    owner = house.client(house.owner())
    path = f"/o/{house.ours}/relay"
    assert "nothing is taken or sent until it is started" in owner.get(path).text
    first, second = ids_of(owner, house)
    owner.post(path, data={"csrf": csrf_of(owner, path), "change": "drop", "id": first})
    assert ids_of(owner, house) == [second]
    assert (
        owner.post(path, data={"csrf": csrf_of(owner, path), "change": "drop", "id": "../x"}).status_code
        == 422
    )
    assert (
        owner.post(path, data={"csrf": csrf_of(owner, path), "change": "format", "id": first}).status_code
        == 404
    )


def test_programs_do_what_the_page_does(house: Any, carried: Any) -> None:
    far, _ = carried
    _, secret = house.state.add_token(
        house.ours,
        house.owner().id,
        "ci",
        [Action.READ, Action.SIGN],
        None,
        house.state.organisations()[0].created_at,
    )
    api = house.client()
    api.headers["authorization"] = f"Bearer {secret}"
    base = f"/api/v1/organisations/{house.ours}/relay"
    first = api.get(base)
    assert api.get(base, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    [device] = api.get(f"{base}/devices").json()
    assert (device["name"], device["messages"], device["networks"]) == ("scanner", None, ["127.0.0.0/8"])
    number = first.json()["messages"][0]["id"]
    answer = api.post(f"{base}/changes", json={"change": "release", "messages": [number]})
    assert answer.json() == {"messages": {number: "waiting"}}
    assert far.wait(1)
    for body in ({"change": "release", "messages": ["x/y"]}, {"change": "eat", "messages": [number]}):
        assert api.post(f"{base}/changes", json=body).status_code == 422


def test_a_configuration_that_broke_meanwhile_is_said_on_the_page(house: Any, tmp_path: Path) -> None:
    house.desk = replace(house.desk, relays=(door(tmp_path / "none.toml", "Northwind"),))
    answer = house.client(house.owner()).get(f"/o/{house.ours}/relay")
    assert answer.status_code == 200
    assert "none.toml cannot be read" in answer.text
