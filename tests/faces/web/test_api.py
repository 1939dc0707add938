"""The API keeps its own description, and what was confirmed to a caller."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from starlette.testclient import TestClient

from portero.core.access import Action
from portero.core.decision import RECORD, Decision
from portero.core.ledger import Job, JobState, Run, Upload
from portero.core.reopening import basis_of
from portero.core.sender import Judgement
from portero.decision_log import record
from portero.faces.web.application import create
from portero.faces.web.evidence_files import expire, safe_name
from portero.faces.web.guard import Guard
from portero.faces.web.limits import Limit

NOW = datetime.now(UTC)


@pytest.fixture
def api(house: Any) -> TestClient:
    """A program with a token that may do everything, in front of a server that does not tire of it."""
    _, secret = house.state.add_token(house.ours, house.owner().id, "ci", list(Action), None, NOW)
    app = create(house.desk, house.door)
    for each in app.user_middleware:
        if each.cls is Guard:
            each.kwargs["calls"] = Limit(10**9, 10**6, time.monotonic)
    client = TestClient(app, base_url="http://localhost", follow_redirects=False)
    client.headers["authorization"] = f"Bearer {secret}"
    return client


@pytest.fixture
def described(api: TestClient, house: Any) -> Any:
    """The description, with an organisation, a sender, a step and a control that exist as examples."""
    document = api.get("/api/v1/openapi.json").json()
    view = house.desk.cases.newest(house.ours)
    known = {"organisation": house.ours, "sender": view.audit.senders[0].id, "if-match": "*"}
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] in known:
                    parameter["schema"] = {"type": "string", "enum": [known[parameter["name"]]]}
                if parameter["name"] == "control":
                    parameter["schema"]["items"] = {"enum": ["reject-direct-send", "smtp-basic-off"]}
    schemas = document["components"]["schemas"]
    # Not any words say what to set apart.
    networks = {"type": "array", "items": {"enum": ["192.0.2.0/24", "2001:db8::25"]}, "minItems": 1}
    schemas["Criteria"] |= {"properties": {"cidr": networks}, "required": ["cidr"]}
    for name in ("Rehearse", "SaveScenario"):
        schemas[name]["properties"]["controls"]["items"] = {"enum": ["reject-direct-send", "smtp-basic-off"]}
    schemas["Decide"]["properties"]["senders"]["items"] = {"enum": [known["sender"], "s-none"]}
    schema = schemathesis.openapi.from_dict(document)
    # A message is judged in a process of its own, which on a busy machine is long in starting.
    schema.config.update(base_url="http://localhost", request_timeout=300)
    schema.app = api.app
    return schema


def test_every_answer_is_one_that_the_description_names(described: Any, api: TestClient) -> None:
    headers = {"authorization": api.headers["authorization"], "host": "localhost"}
    # The token is always right here; answers to wrong ones are tested by hand.
    without = [schemathesis.checks.ignored_auth]
    tried = 0
    for found in described.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None,
            phases=[Phase.explicit, Phase.generate],
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def holds(case: Any) -> None:
            nonlocal tried
            tried += 1
            case.call_and_validate(headers=headers, excluded_checks=without)

        holds()
    assert tried > 100


def base(house: Any) -> str:
    return f"/api/v1/organisations/{house.ours}"


def test_the_description_is_openapi_3_1_and_names_every_way_to_fail(api: TestClient) -> None:
    document = api.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path in document["paths"].values():
        for operation in path.values():
            assert {"401", "403", "404", "409", "429"} <= set(operation["responses"])
            assert operation["summary"]
            assert operation["description"]


def test_who_has_it_already_is_told_so(api: TestClient, house: Any) -> None:
    first = api.get(f"{base(house)}/senders")
    again = api.get(f"{base(house)}/senders", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    sender = first.json()["items"][0]["id"]
    api.post(f"{base(house)}/decisions", json={"senders": [sender], "judgement": "abuse"})
    assert (
        api.get(f"{base(house)}/senders", headers={"if-none-match": first.headers["etag"]}).status_code == 200
    )


def test_pages_hold_every_sender_once(api: TestClient, house: Any) -> None:
    found: list[str] = []
    pages = api.get(f"{base(house)}/senders").json()["pages"]
    for page in range(1, pages + 1):
        found += [
            each["id"] for each in api.get(f"{base(house)}/senders", params={"page": page}).json()["items"]
        ]
    assert sorted(found) == sorted(house.desk.cases.newest(house.ours).senders)


def test_a_decision_upon_an_old_sight_is_refused_whole(api: TestClient, house: Any) -> None:
    one, two = [each["id"] for each in api.get(f"{base(house)}/senders").json()["items"][:2]]
    body = {"senders": [one], "judgement": "legitimate", "seen": {one: 0}}
    assert api.post(f"{base(house)}/decisions", json=body).json() == {"revisions": {one: 1}}
    body = {"senders": [two, one], "judgement": "abuse", "seen": {one: 0, two: 0}}
    answer = api.post(f"{base(house)}/decisions", json=body)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert [decision.sender for decision in house.state.decisions(house.ours)] == [one]


def test_a_decision_that_no_longer_carries_is_an_alert_and_can_be_asked_for(
    api: TestClient, house: Any
) -> None:
    view = house.desk.cases.newest(house.ours)
    sender = next(each for each in view.audit.senders if each.kind == "device" and each.path == "direct-send")
    elsewhere = replace(basis_of(sender), networks=("192.0.2.0/24",))
    house.state.decide(
        house.ours, {sender.id: "x"}, Judgement.LEGITIMATE, "Ana", NOW, bases={sender.id: elsewhere}
    )
    [alert] = [
        each for each in api.get(f"{base(house)}/alerts").json()["items"] if each["kind"] == "reopened"
    ]
    assert alert["sender"] == sender.id
    assert "It sends from addresses not seen then: " in alert["what"]
    found = api.get(f"{base(house)}/senders", params={"standing": "reopened"}).json()
    assert [each["id"] for each in found["items"]] == [sender.id]
    assert found["counts"]["standing"]["reopened"] == 1
    spanish = api.get(f"{base(house)}/alerts", headers={"accept-language": "es"}).json()["items"]
    assert "Hay que volver a decidir" in next(each["what"] for each in spanish if each["kind"] == "reopened")
    for lang in ("en", "es"):
        page = house.client(house.owner()).get(f"/o/{house.ours}/alerts", headers={"accept-language": lang})
        assert 'id="h-reopened"' in page.text
    api.post(f"{base(house)}/decisions", json={"senders": [sender.id], "judgement": "legitimate"})
    kinds = {each["kind"] for each in api.get(f"{base(house)}/alerts").json()["items"]}
    assert "reopened" not in kinds


def test_senders_are_named_joined_set_apart_and_each_is_taken_back_by_the_api(
    api: TestClient, house: Any
) -> None:
    def senders() -> dict[str, Any]:
        return dict(house.desk.cases.newest(house.ours).senders)

    before = senders()
    fixed = {
        each.client_networks: each
        for each in before.values()
        if each.kind == "device" and len({flow.key.client_ip for flow in each.flows}) == 1
    }
    one, two = [*fixed.values()][:2]
    path = f"{base(house)}/senders/{one.id}"

    def shape(act: str, *, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> Any:
        answer = api.post(f"{path}/shape", json={"act": act, **more}, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    tag = api.get(path).headers["etag"]
    assert shape("describe", name="Ground floor", criticality="high", headers={"if-match": tag}) == {
        "revision": 1,
        "part": None,
    }
    held = api.get(path).json()
    assert (held["label"], held["criticality"]) == ("Ground floor", "high")
    # Two who saw the same: the second is told, by either way of saying what was seen.
    assert "Somebody else" in shape("merge", merge=[two.id], headers={"if-match": tag}, status=412)["title"]
    shape("merge", merge=[two.id], seen=0, status=409)
    assert senders().keys() == before.keys()
    assert shape("merge", merge=[two.id], headers={"if-match": "*"}, seen=1)["revision"] == 2
    assert senders().keys() == before.keys() - {two.id}
    part = shape("split", split={"cidr": [two.client_networks[0]]})["part"]
    assert senders().keys() - before.keys() == {part}
    assert senders()[part].client_networks == two.client_networks
    for act in ("split", "merge", "describe"):
        shape("take-back", of=act)
    assert {each: held.label for each, held in senders().items()} == {
        each: held.label for each, held in before.items()
    }
    trail = house.state.trail(house.ours)
    assert [each.action for each in trail[:6]] == ["sender.shape"] * 6
    assert record(house.state.decisions(house.ours)) == b""

    for act, more in (
        ("describe", {}),
        ("describe", {"name": ""}),
        ("describe", {"name": "x", "merge": [two.id]}),
        ("merge", {"merge": [one.id]}),
        ("split", {"split": {"cidr": ["everywhere"]}}),
        ("split", {"split": {}}),
        ("take-back", {"of": "take-back"}),
        ("judge", {"name": "x"}),
    ):
        shape(act, **more, status=422)
    shape("merge", merge=["s-000000000000"], status=404)
    _, secret = house.state.add_token(house.ours, house.owner().id, "r", [Action.READ], None, NOW)
    shape("describe", name="x", headers={"authorization": f"Bearer {secret}"}, status=403)
    assert len(house.state.history(house.ours, one.id)) == 6


def test_the_audit_is_the_contract_s(api: TestClient, house: Any) -> None:
    assert api.get(f"{base(house)}/audit").json()["schema"] == "portero.audit/1"


def upload(
    api: TestClient, house: Any, name: str, content: bytes, batch: str | None = None, piece: int = 1000
) -> str:
    held = api.post(
        f"{base(house)}/uploads", json={"name": name, "size": len(content), "batch": batch}
    ).json()
    for start in range(0, len(content), piece):
        answer = api.patch(
            f"{base(house)}/uploads/{held['id']}",
            content=content[start : start + piece],
            headers={"upload-offset": str(start), "content-type": "application/octet-stream"},
        )
        assert answer.status_code == 200
    return str(held["batch"])


def finished(api: TestClient, house: Any, job: str) -> Any:
    lines = api.get(f"{base(house)}/jobs/{job}/events").text.splitlines()
    return json.loads([line for line in lines if line.startswith("data: ")][-1].removeprefix("data: "))


def test_a_batch_becomes_the_newest_run(api: TestClient, house: Any, tmp_path: Path) -> None:
    trace = b"message_trace_id,date_time_utc,subject,status,recipient_address,sender_address,message_id,size,from_ip\r\n"
    batch = upload(api, house, "trace.csv", trace + b"x" * 50)
    upload(api, house, "notes.txt", b"nothing of note", batch)
    job = api.post(f"{base(house)}/runs", json={"batch": batch})
    assert job.status_code == 202
    done = finished(api, house, job.json()["id"])
    assert done["state"] == "done"
    runs = api.get(f"{base(house)}/runs").json()
    assert runs[0]["id"] == done["result"]
    assert "notes.txt" in json.dumps(api.get(f"{base(house)}/evidence").json())


def test_decisions_made_here_and_in_the_terminal_are_one_record(api: TestClient, house: Any) -> None:
    one, two = [each["id"] for each in api.get(f"{base(house)}/senders").json()["items"][:2]]
    made = Decision(one, Judgement.ABUSE, "Cid", datetime(2026, 11, 2, 9, tzinfo=UTC), note="ñ")
    batch = upload(api, house, RECORD, record([made]))
    job = api.post(f"{base(house)}/runs", json={"batch": batch}).json()
    done = finished(api, house, job["id"])
    assert (done["state"], done["result"]) == ("done", "1")
    assert api.get(f"{base(house)}/runs").json()[0]["id"] == "r-0"
    held = api.get(f"{base(house)}/senders/{one}").json()
    assert (held["judgement"], held["decided_by"], held["revision"]) == ("abuse", "person", 1)

    api.post(f"{base(house)}/decisions", json={"senders": [two], "judgement": "legitimate"})
    given = house.client(house.owner()).get(f"/o/{house.ours}/files/{RECORD}").content
    assert [json.loads(line)["sender"] for line in given.splitlines()] == [one, two]
    assert given.splitlines()[0] + b"\n" == record([made])
    batch = upload(api, house, RECORD, given)
    job = api.post(f"{base(house)}/runs", json={"batch": batch}).json()
    assert finished(api, house, job["id"])["result"] == "0"

    batch = upload(api, house, RECORD, record([made]) + b"{}\n")
    job = api.post(f"{base(house)}/runs", json={"batch": batch}).json()
    assert finished(api, house, job["id"])["state"] == "failed"


def test_who_may_hand_over_evidence_alone_hands_over_no_decision(api: TestClient, house: Any) -> None:
    scopes = [Action.READ, Action.UPLOAD]
    _, secret = house.state.add_token(house.ours, house.owner().id, "robot", scopes, None, NOW)
    batch = upload(api, house, RECORD, b"\n")
    robot = house.client()
    robot.headers["authorization"] = f"Bearer {secret}"
    assert robot.post(f"{base(house)}/runs", json={"batch": batch}).status_code == 403


def test_an_upload_goes_on_where_it_was_cut(api: TestClient, house: Any) -> None:
    held = api.post(f"{base(house)}/uploads", json={"name": "a.csv", "size": 10}).json()
    path = f"{base(house)}/uploads/{held['id']}"

    def send(offset: int, piece: bytes) -> int:
        headers = {"upload-offset": str(offset), "content-type": "application/octet-stream"}
        return int(api.patch(path, content=piece, headers=headers).status_code)

    assert send(0, b"01234") == 200
    assert send(0, b"01234") == 409
    assert send(7, b"789") == 409
    assert api.get(path).json()["received"] == 5
    assert api.post(f"{base(house)}/runs", json={"batch": held["batch"]}).status_code == 409
    # A piece that reached the disk but was never confirmed is written over.
    [file] = (house.desk.evidence / house.ours / held["batch"]).iterdir()
    file.write_bytes(b"01234garbage")
    assert send(5, b"567890") == 409
    assert send(5, b"56789") == 200
    assert file.read_bytes() == b"0123456789"


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "/etc/passwd",
        "C:\\x",
        "..",
        ".",
        "a/../../b",
        "\x00",
        "‮gpj.exe",
        "<img src=x>",
        "a" * 400,
    ],
)
def test_a_file_name_leads_nowhere(api: TestClient, house: Any, name: str) -> None:
    safe = safe_name(name)
    assert safe not in {"", ".", ".."}
    assert not set(safe) & set("/\\\x00<>:")
    assert len(safe) <= 100
    batch = upload(api, house, name, b"x")
    [file] = (house.desk.evidence / house.ours / batch).iterdir()
    assert file.resolve().is_relative_to(house.desk.evidence.resolve())


def test_two_files_of_one_name_are_both_kept(api: TestClient, house: Any) -> None:
    batch = upload(api, house, "one/trace.csv", b"x")
    upload(api, house, "two/trace.csv", b"y", batch)
    files = {file.name: file.read_bytes() for file in (house.desk.evidence / house.ours / batch).iterdir()}
    assert files == {"trace.csv": b"x", "2-trace.csv": b"y"}


def test_a_batch_of_another_organisation_is_nobody_s(api: TestClient, house: Any) -> None:
    batch = upload(api, house, "a.csv", b"x")
    _, secret = house.state.add_token(house.theirs, house.owner().id, "ci", list(Action), None, NOW)
    other = TestClient(api.app, base_url="http://localhost")
    other.headers["authorization"] = f"Bearer {secret}"
    assert other.post(f"/api/v1/organisations/{house.theirs}/runs", json={"batch": batch}).status_code == 404
    assert other.post(f"{base(house)}/runs", json={"batch": batch}).status_code == 404


def test_a_piece_that_is_too_large_is_refused(api: TestClient, house: Any) -> None:
    held = api.post(f"{base(house)}/uploads", json={"name": "a.csv", "size": 20 << 20}).json()
    headers = {"upload-offset": "0", "content-type": "application/octet-stream"}
    answer = api.patch(f"{base(house)}/uploads/{held['id']}", content=b"x" * ((8 << 20) + 1), headers=headers)
    assert answer.status_code == 413
    assert api.post(f"{base(house)}/uploads", json={"name": "a.csv", "size": 1 << 50}).status_code == 422


def test_a_token_that_is_none_opens_nothing(house: Any) -> None:
    client = house.client()
    for value in ("Bearer x", "Bearer ", "Basic eDp5", "Bearer \u00e9".encode("latin-1")):
        answer = client.get("/api/v1/organisations", headers={"authorization": value})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_session_may_call_the_api_only_with_the_secret_of_our_pages(house: Any, csrf_of: Any) -> None:
    client = house.client(house.owner())
    sender = house.desk.cases.newest(house.ours).audit.senders[0].id
    body = {"senders": [sender], "judgement": "abuse"}
    assert client.post(f"{base(house)}/decisions", json=body).status_code == 403
    headers = {"x-csrf-token": csrf_of(client, f"/o/{house.ours}/senders")}
    assert client.post(f"{base(house)}/decisions", json=body, headers=headers).status_code == 200


def test_a_session_that_has_ended_opens_nothing(house: Any) -> None:
    client = house.client()
    client.cookies.set("portero", house.state.add_session(house.owner().id, NOW - timedelta(seconds=1), NOW))
    assert client.get("/api/v1/organisations").status_code == 401


def test_a_file_that_was_called_off_leaves_nothing(api: TestClient, house: Any) -> None:
    made = api.post(f"{base(house)}/uploads", json={"name": "trace.csv", "size": 6}).json()
    api.patch(f"{base(house)}/uploads/{made['id']}", content=b"abc", headers={"upload-offset": "0"})
    folder = house.desk.evidence / house.ours / made["batch"]
    assert [each.name for each in folder.iterdir()] == ["trace.csv"]
    assert api.delete(f"{base(house)}/uploads/{made['id']}").status_code == 204
    assert not folder.exists()
    assert api.get(f"{base(house)}/uploads/{made['id']}").status_code == 404
    assert api.post(f"{base(house)}/runs", json={"batch": made["batch"]}).status_code == 404
    assert house.state.trail(house.ours)[0].action == "upload.remove"


def handed_over(house: Any, batch: str, name: str, age: timedelta) -> Path:
    """Have a file in a batch whose last octet came so long ago."""
    then = NOW - age
    upload = Upload(f"u-{batch}{name}", house.ours, batch, name, 3, 3, "Ana", then)
    house.state.put_upload(upload)
    path: Path = house.desk.evidence / house.ours / batch / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"abc")
    os.utime(path, (then.timestamp(), then.timestamp()))
    return path


def test_a_file_that_nobody_reads_is_deleted_after_a_week(api: TestClient, house: Any) -> None:
    old, longer = timedelta(days=7, minutes=1), timedelta(days=40)
    abandoned = [handed_over(house, "b-1", name, age) for name, age in (("a.csv", longer), ("b.csv", old))]
    fresh = handed_over(house, "b-2", "a.csv", timedelta(days=6))
    resumed = [handed_over(house, "b-3", "a.csv", longer), handed_over(house, "b-3", "b.csv", longer)]
    os.utime(resumed[1], (NOW.timestamp(), NOW.timestamp()))
    read = handed_over(house, "b-4", "a.csv", longer)
    run = Run("r-read", house.ours, NOW, "Ana", (f"elsewhere/{house.ours}/b-4",), 1, 1, NOW, NOW)
    house.state.add_run(run, b"", NOW)

    assert api.post(f"{base(house)}/uploads", json={"name": "new.csv", "size": 6}).status_code == 201

    assert not abandoned[0].parent.exists()
    assert not house.state.uploads(house.ours, "b-1")
    assert all(each.exists() for each in (fresh, *resumed, read))
    said = {(each.who, each.action, each.subject) for each in house.state.trail(house.ours)[:2]}
    assert said == {("portero", "upload.expire", "a.csv"), ("portero", "upload.expire", "b.csv")}


def test_while_a_job_may_read_them_no_files_are_deleted(house: Any) -> None:
    waiting = handed_over(house, "b-1", "a.csv", timedelta(days=40))
    job = Job("j-1", house.ours, "audit", JobState.WAITING, "Ana", NOW, {})
    house.state.put_job(job)
    expire(house.state, house.desk.evidence, NOW)
    assert waiting.exists()
    house.state.put_job(replace(job, state=JobState.FAILED))
    expire(house.state, house.desk.evidence, NOW)
    assert not waiting.exists()


def test_the_files_of_the_audit_are_handed_out(api: TestClient, house: Any) -> None:
    answer = api.get(f"{base(house)}/files/findings.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="findings.csv"'
    assert b"DS-01" in answer.content
    assert api.get(f"{base(house)}/files/state.db").status_code == 404
