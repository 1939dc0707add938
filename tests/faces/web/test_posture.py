"""Findings in the dashboard: by either profile's thresholds, with exceptions, and measured by the settings approved."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

from starlette.testclient import TestClient

from portero.core.access import Role
from portero.core.exchange.settings import Tenant
from portero.core.ledger import Run
from portero.dashboard import pack, unpack
from portero.faces.web.visitor import now

Csrf = Callable[[TestClient, str], str]


def api(house: Any, name: str) -> str:
    return f"/api/v1/organisations/{house.ours}/{name}"


def outcome(client: TestClient, house: Any, check: str, **asked: str) -> Any:
    return next(
        each for each in client.get(api(house, "findings"), params=asked).json() if each["id"] == check
    )


def change_the_tenant(house: Any, sample_case: bytes) -> None:
    """Have a newer run read that somebody changed a setting."""
    case = unpack(sample_case)
    objects, answers = case.evidence.tenant.recorded
    changed = tuple(
        replace(each, properties={**each.properties, "RejectDirectSend": True})
        if each.cmdlet == "Get-OrganizationConfig"
        else each
        for each in objects
    )
    tenant = Tenant(changed, answers)
    newer = replace(case, evidence=replace(case.evidence, tenant=tenant))
    at = now() + timedelta(seconds=1)
    house.state.add_run(Run("r-9", house.ours, at, "Ana", (), 9, 8, at, at), pack(newer), at)


def test_a_fault_is_accepted_for_a_time_and_stays_a_fault(house: Any, csrf_of: Csrf) -> None:
    approver = house.client(house.somebody(Role.APPROVER))
    path = f"/o/{house.ours}/findings/DS-01"
    assert "Nobody accepts anything of it." in approver.get(path).text
    until = (now() + timedelta(days=30)).date()
    form = {"csrf": csrf_of(approver, path), "owner": "it@contoso.com", "reason": "<b>pilot</b>", "until": until.isoformat()}  # fmt: skip
    assert approver.post(f"{path}/accept", data=form).status_code == 303
    text = approver.get(path).text
    assert "&lt;b&gt;pilot&lt;/b&gt;" in text
    assert "in force" in text
    assert "1 of them accepted for now" in approver.get(f"/o/{house.ours}/findings").text
    held = outcome(approver, house, "DS-01")
    assert held["outcome"] == "fail"
    assert [each["state"] for each in held["accepted"]] == ["in-force"]
    (kept,) = approver.get(api(house, "exceptions")).json()
    assert approver.post(f"{path}/accepted/{kept['id']}/remove", data=form).status_code == 303
    assert outcome(approver, house, "DS-01")["accepted"] == []


def test_who_may_not_approve_accepts_nothing(house: Any, csrf_of: Csrf) -> None:
    analyst = house.client(house.somebody(Role.ANALYST))
    path = f"/o/{house.ours}/findings/DS-01"
    text = analyst.get(path).text
    assert "Accepting a fault is for those who may approve." in text
    form = {"csrf": csrf_of(analyst, path), "owner": "me", "reason": "because", "until": "2099-01-01"}
    assert analyst.post(f"{path}/accept", data=form).status_code == 403
    assert analyst.post(f"/o/{house.ours}/posture", data=form).status_code == 403
    assert house.state.rules(house.ours).accepted == ()


def test_an_exception_without_a_name_an_end_or_a_check_is_refused(house: Any, csrf_of: Csrf) -> None:
    owner = house.client(house.owner())
    path = f"/o/{house.ours}/findings/DS-01"
    whole = {"csrf": csrf_of(owner, path), "owner": "it", "reason": "pilot", "until": "2099-01-01"}
    for missing in ("owner", "reason", "until"):
        assert owner.post(f"{path}/accept", data=whole | {missing: ""}).status_code in {404, 422}
    assert owner.post(f"{path}/accept", data=whole | {"until": "2020-01-01"}).status_code == 422
    assert owner.post(f"/o/{house.ours}/findings/XX-99/accept", data=whole).status_code == 404
    assert house.state.rules(house.ours).accepted == ()


def test_the_strict_thresholds_are_another_profile_s(house: Any) -> None:
    reader = house.client(house.somebody(Role.READER))
    standard = {each["id"]: each["because"] for each in reader.get(api(house, "findings")).json()}
    strict = {
        each["id"]: each["because"]
        for each in reader.get(api(house, "findings"), params={"profile": "strict"}).json()
    }
    assert set(strict) == set(standard)
    assert strict != standard
    assert reader.get(api(house, "findings"), params={"profile": "lax"}).status_code == 422
    text = reader.get(f"/o/{house.ours}/findings", params={"profile": "strict"}).text
    assert f"/o/{house.ours}/files/findings.csv?profile=strict" in text
    for path in (f"/o/{house.ours}/files/findings.csv", api(house, "files/findings.csv")):
        for given, wanted in (({"profile": "strict"}, strict), ({}, standard)):
            table = reader.get(path, params=given).content.decode("utf-8-sig")
            assert {row["id"]: row["because"] for row in csv.DictReader(StringIO(table))} == wanted


def test_what_is_no_longer_as_approved_is_drift(house: Any, csrf_of: Csrf, sample_case: bytes) -> None:
    owner = house.client(house.owner())
    path = f"/o/{house.ours}/findings"
    assert "Nobody has approved the settings yet." in owner.get(path).text
    csrf = csrf_of(owner, path)
    assert owner.post(f"/o/{house.ours}/posture", data={"csrf": csrf, "run": "r-1"}).status_code == 404
    assert owner.post(f"/o/{house.ours}/posture", data={"csrf": csrf, "run": "r-0"}).status_code == 303
    assert "Nothing that was exported differs from them." in owner.get(path).text
    assert owner.get(api(house, "drift")).json()["differences"] == []
    change_the_tenant(house, sample_case)
    text = owner.get(path).text
    assert "no longer so" in text
    assert "RejectDirectSend" in text
    held = owner.get(api(house, "drift")).json()
    assert (held["run"], held["approved_by"]) == ("r-0", "Local owner")
    assert [each["property"] for each in held["differences"]] == ["RejectDirectSend"]
    assert outcome(owner, house, "DS-06")["outcome"] != "unknown"
    assert owner.post(f"/o/{house.ours}/posture", data={"csrf": csrf, "approve": "none"}).status_code == 303
    assert owner.get(api(house, "drift")).json()["differences"] is None


def test_a_run_without_settings_can_be_neither_approved_nor_compared(house: Any, sample_case: bytes) -> None:
    owner = house.client(house.owner())
    case = unpack(sample_case)
    house.state.approve(house.ours, "r-0", case.evidence.tenant, "Ana", now())
    bare = replace(case, evidence=replace(case.evidence, tenant=Tenant()))
    at = now() + timedelta(seconds=1)
    house.state.add_run(Run("r-9", house.ours, at, "Ana", (), 9, 8, at, at), pack(bare), at)
    text = owner.get(f"/o/{house.ours}/findings").text
    assert "nobody can tell whether they still stand" in text
    assert owner.get(api(house, "drift")).json()["differences"] is None
