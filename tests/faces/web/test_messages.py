"""A message that is handed to the dashboard gets the judge's answer, harms nobody, and is not kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from portero.core.access import Role
from portero.core.explain import Verdict
from portero.wiring.letters import judge_handed

MAIL = b"""\
Received: from AM0EUR.mail.protection.outlook.com (2603:10a6::1) by AM9P.eurprd.prod.outlook.com (2603:10a6::2)
 with HTTPS; Mon, 23 Nov 2026 09:00:03 +0000\r
From: "<script>alert(1)</script>" <payroll@northwind.example>\r
To: ana@northwind.example\r
Subject: <img src=x onerror=alert(2)> Voicemail: your password expires\r
Message-ID: <1@evil.example>\r
Content-Type: text/html\r
\r
<p>Your mailbox is closed today. <a href="https://login.evil.example/x">Sign in at https://outlook.office.com</a></p>\r
"""


def hand(client: TestClient, house: Any, csrf: str, content: bytes = MAIL, name: str = "a.eml") -> Any:
    return client.post(
        f"/o/{house.ours}/messages", data={"csrf": csrf}, files={"message": (name, content, "message/rfc822")}
    )


@pytest.fixture
def reader(house: Any) -> TestClient:
    client: TestClient = house.client(house.somebody(Role.READER))
    return client


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_page_says_what_the_judge_says(
    reader: TestClient, house: Any, csrf_of: Callable[[TestClient, str], str], lang: str
) -> None:
    reader.headers["accept-language"] = lang
    answer = hand(reader, house, csrf_of(reader, f"/o/{house.ours}/messages"), name='../../"><b>.eml')
    assert answer.status_code == 200
    view = house.desk.cases.newest(house.ours)
    [verdict] = judge_handed(view.case, view.audit.senders, "a.eml", MAIL)
    assert isinstance(verdict, Verdict)
    word = {"en": {"phish": "Phish", "suspicious": "Suspicious", "clean": "Clean"},
            "es": {"phish": "Phishing", "suspicious": "Sospechoso", "clean": "Limpio"}}[lang]  # fmt: skip
    assert re.search(rf"</span>{word[verdict.judgement.value]}</span>", answer.text)
    for each in verdict.because:
        assert f"<code><bdi>{each.rule}</bdi></code>" in answer.text
    assert "login.evil.example" in answer.text
    assert not re.search(r"<script>|<img src=x|<b>|href=.https://login", answer.text)
    assert not [each for each in house.desk.evidence.rglob("*") if each.is_file()]


def test_a_form_that_is_not_ours_is_refused(reader: TestClient, house: Any) -> None:
    assert hand(reader, house, "").status_code == 403
    assert hand(house.client(), house, "").status_code == 303


def test_what_is_no_message_is_said_to_be_none(
    reader: TestClient, house: Any, csrf_of: Callable[[TestClient, str], str]
) -> None:
    token = csrf_of(reader, f"/o/{house.ours}/messages")
    answer = hand(reader, house, token, bytes(range(256)) * 9, "noise.bin")
    assert answer.status_code == 200
    assert "neither mail, nor a .msg" in answer.text
    assert hand(reader, house, token, b"").status_code == 422
    assert hand(reader, house, token, b"x" * ((8 << 20) + 1)).status_code == 413


def test_a_program_gets_the_contract_s_answer(reader: TestClient, house: Any, csrf_of: Any) -> None:
    path = f"/api/v1/organisations/{house.ours}/messages"
    assert reader.post(path, content=MAIL).status_code == 403
    headers = {"x-csrf-token": csrf_of(reader, f"/o/{house.ours}/messages")}
    [answer] = reader.post(path, content=MAIL, headers=headers, params={"name": "a.eml"}).json()
    view = house.desk.cases.newest(house.ours)
    [verdict] = judge_handed(view.case, view.audit.senders, "a.eml", MAIL)
    assert isinstance(verdict, Verdict)
    assert answer["origin"] == "a.eml"
    assert answer["judgement"] == verdict.judgement.value
    assert [each["rule"] for each in answer["because"]] == [each.rule for each in verdict.because]
    [error] = reader.post(path, content=b"", headers=headers).json()
    assert set(error) == {"origin", "error"}
