"""What verifying the plan showed is kept with its steps: said by hand, or taken from what verify.ps1 wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from portero.core.access import Role

Csrf = Callable[[TestClient, str], str]


def called_in(client: TestClient, house: Any, lang: str) -> list[tuple[str, str]]:
    """Read the ids and titles of the changes from the script as it is handed out."""
    script = client.get(f"/o/{house.ours}/files/verify.ps1", params={"lang": lang}).content.decode(
        "utf-8-sig"
    )
    return [
        (number, title.replace("''", "'"))
        for number, title in re.findall(r"Test-Change '([\d.]+)' '((?:[^']|'')*)'", script)
    ]


def results(rows: list[tuple[str, str]], **changes: Any) -> bytes:
    """Write what PowerShell 5.1 writes: a mark at the head, and one object for each change."""
    held = [{"Id": number, "Title": title, "Passed": True, "Problem": ""} | changes for number, title in rows]
    return json.dumps(held).encode("utf-8-sig")


def hand_over(client: TestClient, house: Any, csrf: str, content: bytes) -> Any:
    files = {"results": ("results.json", content, "application/json")}
    return client.post(f"/o/{house.ours}/verification", data={"csrf": csrf}, files=files)


@pytest.mark.parametrize("lang", ["en", "es"])
def test_what_the_script_wrote_says_of_each_step_whether_it_is_in_effect(
    house: Any, csrf_of: Csrf, lang: str
) -> None:
    analyst = house.client(house.somebody(Role.ANALYST))
    path = f"/o/{house.ours}/plan"
    csrf = csrf_of(analyst, path)
    rows = called_in(analyst, house, lang)
    steps = {number.partition(".")[0] for number, _ in rows}
    assert len(steps) >= 2
    answer = hand_over(analyst, house, csrf, results(rows))
    assert answer.headers["location"] == f"{path}?verified={len(steps)}"
    assert analyst.get(answer.headers["location"]).text.count("Verified</span>") == len(steps) + 1
    marks = house.state.steps(house.ours).values()
    assert {(each.verified.passed, each.verified.said, each.verified.by) for each in marks} == {
        (True, "verify.ps1", "Analyst")
    }
    # One change of a step that is not in effect fails it; one that nobody could look at leaves it open.
    hand_over(analyst, house, csrf, results(rows[:1], Passed=False))
    hand_over(analyst, house, csrf, results(rows[-1:], Passed=False, Problem="<i>Access denied</i>"))
    found = {each.verified.passed: each.verified.said for each in house.state.steps(house.ours).values()}
    assert found[False] == "verify.ps1"
    assert found[None] == f"{rows[-1][0]}: <i>Access denied</i>"
    assert "<i>Access" not in analyst.get(path).text


def test_results_of_another_plan_are_not_taken_for_this_one_s(house: Any, csrf_of: Csrf) -> None:
    analyst = house.client(house.somebody(Role.ANALYST))
    path = f"/o/{house.ours}/plan"
    rows = called_in(analyst, house, "en")
    answer = hand_over(
        analyst, house, csrf_of(analyst, path), results([(number, "Something else") for number, _ in rows])
    )
    assert answer.headers["location"] == f"{path}?unknown={len(rows)}"
    assert house.state.steps(house.ours) == {}


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"nonsense", b'[{"Id": 1}]', b"3", b"[" * 100_000, b"\xff\xfe"]
)
def test_what_is_no_result_is_refused_with_a_way_on(house: Any, csrf_of: Csrf, content: bytes) -> None:
    analyst = house.client(house.somebody(Role.ANALYST))
    answer = hand_over(analyst, house, csrf_of(analyst, f"/o/{house.ours}/plan"), content)
    assert answer.status_code == 422
    assert "-Out results.json" in answer.text


def test_a_step_is_said_to_be_verified_by_hand_and_forgotten_when_it_is_opened_again(
    house: Any, csrf_of: Csrf
) -> None:
    owner = house.client(house.owner())
    path = f"/o/{house.ours}/plan"
    key = re.findall(r'id="(k-[0-9a-f]{16})"', owner.get(path).text)[0]
    form = {
        "csrf": csrf_of(owner, path),
        "revision": "0",
        "state": "done",
        "verified": "no",
        "seen": "still 250",
    }
    assert owner.post(f"{path}/{key}", data=form).status_code == 303
    held = house.state.steps(house.ours)[key]
    assert (held.verified.passed, held.verified.said) == (False, "still 250")
    text = owner.get(path).text
    assert "Verification failed" in text
    assert "still 250" in text
    api = f"/api/v1/organisations/{house.ours}"
    headers = {"x-csrf-token": form["csrf"]}
    said = {"verified": True, "seen": "550 5.7.68", "revision": 1}
    answer = owner.put(f"{api}/plan/{key}", json=said, headers=headers).json()
    assert (answer["verified"]["passed"], answer["verified"]["said"]) == (True, "550 5.7.68")
    owner.post(f"{path}/{key}", data=form | {"revision": "2", "state": "open", "verified": ""})
    assert house.state.steps(house.ours)[key].verified is None


def test_readers_verify_nothing(house: Any, csrf_of: Csrf) -> None:
    reader = house.client(house.somebody(Role.READER))
    csrf = csrf_of(reader, f"/o/{house.ours}/plan")
    assert hand_over(reader, house, csrf, results([("1.1", "x")])).status_code == 403
    answer = reader.post(
        f"/api/v1/organisations/{house.ours}/verification",
        json=[{"Id": "1.1", "Title": "x", "Passed": True}],
        headers={"x-csrf-token": csrf},
    )
    assert answer.status_code == 403
