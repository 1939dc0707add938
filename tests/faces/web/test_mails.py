"""A number leads to the mails behind it, and says so where these were not kept."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from portero.core.access import Role
from portero.core.controls import parse_control
from portero.core.simulation import Effect
from portero.faces.web.evidence_files import keep_mails, mails_of
from portero.wiring.sample import demo
from portero.wiring.serving import gather_with_mails


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("sample")
    demo(folder, lambda _: None)
    return gather_with_mails([folder], lambda _: None)[1]


@pytest.fixture
def client(house: Any, kept: bytes) -> TestClient:
    keep_mails(house.desk.evidence, house.ours, "r-0", kept)
    made: TestClient = house.client(house.somebody(Role.ANALYST))
    return made


def rows(text: str) -> int:
    return text.partition('id="h-mails"')[2].count('<th scope="row"')


def test_the_numbers_of_a_rehearsal_lead_to_as_many_mails(client: TestClient, house: Any) -> None:
    text = client.get(f"/o/{house.ours}/rehearse").text
    links = re.findall(r'href="(/o/[^"]+/mails\?[^"]+)">([\d,]+)</a>', text)
    assert links
    for link, number in links:
        page = client.get(html.unescape(link))
        assert page.status_code == 200
        shown = rows(page.text)
        assert shown == min(int(number.replace(",", "")), 100)


def test_the_ways_of_a_sender_add_up_to_its_simulation(client: TestClient, house: Any) -> None:
    view = house.desk.cases.newest(house.ours)
    for text in ("reject-direct-send", "smtp-basic-off", "dmarc=northwind.example:reject"):
        control = parse_control(text)
        simulation = house.desk.cases.rehearse(view, (control,))
        for effect in simulation.senders:
            fates = house.desk.cases.fates(view, view.senders[effect.sender], (control,))
            for name in (Effect.REFUSED, Effect.UNDETERMINED, Effect.KEPT):
                mails = sum(flow.facts.mails for flow, fate in fates if fate.effect is name)
                assert mails == getattr(effect, name.value)


def test_subjects_are_for_those_who_decide(client: TestClient, house: Any) -> None:
    view = house.desk.cases.newest(house.ours)
    sender = max(view.audit.senders, key=lambda each: each.mails).id
    path = f"/o/{house.ours}/senders/{sender}/mails"
    assert "for those who decide" not in client.get(path).text
    reader = house.client(house.somebody(Role.READER)).get(path).text
    assert rows(reader) == reader.count("for those who decide") > 0


def test_a_run_whose_mails_were_not_kept_says_so(house: Any) -> None:
    client = house.client(house.owner())
    view = house.desk.cases.newest(house.ours)
    path = f"/o/{house.ours}/senders/{view.audit.senders[0].id}/mails"
    answer = client.get(path)
    assert "were not kept one by one" in answer.text
    assert "reject-direct-send" in answer.text
    assert client.get(f"/o/{house.ours}/senders/s-none/mails").status_code == 404
    assert client.get(path, params={"control": "nonsense"}).status_code == 422


def test_another_organisation_s_mails_are_nobody_s(client: TestClient, house: Any) -> None:
    view = house.desk.cases.newest(house.ours)
    stranger = house.client(house.somebody(Role.ADMINISTRATOR, house.theirs))
    sender = view.audit.senders[0].id
    assert stranger.get(f"/o/{house.ours}/senders/{sender}/mails").status_code == 404
    text = stranger.get(f"/o/{house.theirs}/senders/{sender}/mails").text
    assert "were not kept one by one" in text


def test_a_run_that_is_read_keeps_its_mails_for_this_server_alone(house: Any, tmp_path: Path) -> None:
    from portero.faces.web import reading

    folder = tmp_path / "evidence"
    folder.mkdir()
    demo(folder, lambda _: None)
    job = reading.start_places(house.desk, house.ours, [folder], "Ana")
    house.desk.jobs.close()
    run = house.state.job(house.ours, job.id).result
    path = mails_of(house.desk.evidence, house.ours, run)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size > 1000
