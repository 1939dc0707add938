"""One sender by the API: what was decided about it, the mails behind a number, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from starlette.testclient import TestClient

from portero.core.access import Role
from portero.faces.web.made import Made
from portero.faces.web.pages.shape import shape_of
from portero.wiring.sample import demo
from portero.wiring.serving import gather_with_mails

Csrf = Callable[[TestClient, str], str]


def base(house: Any) -> str:
    return f"/api/v1/organisations/{house.ours}"


def test_a_decision_is_undone_unless_somebody_was_quicker(house: Any, csrf_of: Csrf) -> None:
    analyst = house.client(house.somebody(Role.ANALYST))
    headers = {"x-csrf-token": csrf_of(analyst, f"/o/{house.ours}/")}
    sender = analyst.get(f"{base(house)}/senders").json()["items"][0]
    wanted = {"senders": [sender["id"]], "judgement": "abuse", "note": "looked"}
    made = analyst.post(f"{base(house)}/decisions", json=wanted, headers=headers).json()
    assert analyst.get(f"{base(house)}/senders/{sender['id']}").json()["judgement"] == "abuse"
    (past,) = analyst.get(f"{base(house)}/senders/{sender['id']}/history").json()
    assert (past["judgement"], past["decided_by"], past["note"]) == ("abuse", "Analyst", "looked")
    undo = f"{base(house)}/decisions/undo"
    assert analyst.post(undo, json={"revisions": {sender["id"]: 9}}, headers=headers).status_code == 409
    answer = analyst.post(undo, json=made, headers=headers)
    assert answer.json() == {"revisions": {sender["id"]: 2}}
    assert analyst.get(f"{base(house)}/senders/{sender['id']}").json()["judgement"] == sender["judgement"]
    assert analyst.get(f"{base(house)}/senders/s-none/history").status_code == 404
    reader = house.client(house.somebody(Role.READER))
    csrf = {"x-csrf-token": csrf_of(reader, f"/o/{house.ours}/")}
    assert reader.post(undo, json=made, headers=csrf).status_code == 403


def test_the_mails_behind_a_number_are_as_many_as_it_says(house: Any, tmp_path: Any) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    demo(folder, lambda _: None)
    _, content = gather_with_mails([folder], lambda _: None)
    place = house.desk.evidence / house.ours / "r-0.mails"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    analyst = house.client(house.somebody(Role.ANALYST))
    listed = analyst.get(f"{base(house)}/senders", params={"path": "direct-send"}).json()["items"]
    sender = max(listed, key=lambda each: each["messages"])
    path = f"{base(house)}/senders/{sender['id']}/mails"
    held = analyst.get(path, params={"effect": "refused"}).json()
    assert held["controls"] == ["reject-direct-send"]
    assert held["counts"]["refused"] == sender["refused"] == sum(each["messages"] for each in held["ways"])
    assert held["number"] == sender["refused"]
    assert any(each["subject"] for each in held["mails"])
    assert analyst.get(path, params={"effect": "kept"}).json()["ways"] == []
    reader = house.client(house.somebody(Role.READER))
    assert {each["subject"] for each in reader.get(path).json()["mails"]} == {None}
    assert analyst.get(path, params={"control": "nonsense"}).status_code == 422
    assert analyst.get(f"{base(house)}/senders/s-0/mails").status_code == 404


def test_mails_that_were_not_kept_are_not_said_to_be_none(house: Any) -> None:
    reader = house.client(house.somebody(Role.READER))
    sender = reader.get(f"{base(house)}/senders").json()["items"][0]["id"]
    held = reader.get(f"{base(house)}/senders/{sender}/mails").json()
    assert held["number"] is None
    assert held["ways"]


class Machine:
    """A sender of the name that all have, which knows how often somebody looked at its mail."""

    header_from, client_networks, flows, ehlo = (), (), (), ("localhost",)
    looks = 0

    def __init__(self, n: int) -> None:
        self.id, self.n = f"s-{n}", n

    @property
    def mails(self) -> int:
        Machine.looks += 1
        return self.n


def test_a_name_that_all_senders_share_costs_a_page_no_look_at_them_all() -> None:
    held: Any = {f"s-{n}": Machine(n) for n in range(3000)}
    view: Any = SimpleNamespace(senders=held, acts=(), made=Made(9))
    shape_of(held["s-7"], view)
    before = Machine.looks
    found = shape_of(held["s-2990"], view)
    assert Machine.looks - before < 100
    assert [each.id for each in found.others[:10]] == [
        "s-2999", "s-2998", "s-2997", "s-2996", "s-2995", "s-2994", "s-2993", "s-2992", "s-2991", "s-2989",
    ]  # fmt: skip
    assert len(found.others) == 50
