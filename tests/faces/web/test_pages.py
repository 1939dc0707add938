"""Every page answers in both languages with what the audit says, and what people do there is kept."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from starlette.testclient import TestClient

from portero.core.access import Role
from portero.core.sender import Judgement

PAGES = (
    "",
    "senders",
    "senders?group=network",
    "senders?q=scanner",
    "rehearse",
    "plan",
    "findings",
    "messages",
    "alerts",
    "evidence",
    "trail",
    "settings",
)
Csrf = Callable[[TestClient, str], str]
VOID = {"meta", "input", "br", "hr", "img", "link", "wbr"}


class Page(HTMLParser):
    """Fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_well_formed_and_runs_only_our_files(house: Any, name: str, lang: str) -> None:
    answer = house.client(house.owner()).get(f"/o/{house.ours}/{name}", headers={"accept-language": lang})
    assert answer.status_code == 200
    page = Page(answer.text)
    assert dict(page.tags)["html"]["lang"] == lang
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.tags:
        assert not [each for each in attributes if each.startswith("on") or each == "style"]
        for each in ("src", "href", "action", "hx-get", "hx-post"):
            assert (attributes.get(each) or "/").startswith(("/", "#"))
        assert tag != "style"
        assert tag != "script" or attributes["src"].startswith("/static/")  # type: ignore[union-attr]


def test_a_page_without_a_chart_loads_little_script(house: Any) -> None:
    import gzip

    client = house.client(house.owner())
    text = client.get(f"/o/{house.ours}/").text
    scripts = re.findall(r'<script src="([^"]+)"', text)
    assert scripts
    assert sum(len(gzip.compress(client.get(each).content, 9)) for each in scripts) < 40_000


def test_a_page_is_sent_again_only_when_it_changed(house: Any, csrf_of: Csrf) -> None:
    analyst, reader = (house.client(house.somebody(each)) for each in (Role.ANALYST, Role.READER))
    key = re.findall(r'id="(k-[0-9a-f]+)"', reader.get(f"/o/{house.ours}/plan").text)[0]
    sender = house.desk.cases.newest(house.ours).audit.senders[0].id
    pages = ("", "senders", f"senders/{sender}", "rehearse", "plan", f"plan/{key}", "findings")

    def tags() -> list[str]:
        return [reader.get(f"/o/{house.ours}/{page}").headers["etag"] for page in pages]

    def again(tag: str, page: str, **headers: str) -> int:
        headers = {"if-none-match": tag, **headers}
        return int(reader.get(f"/o/{house.ours}/{page}", headers=headers).status_code)

    held = tags()
    assert len(set(held)) == len(pages)
    for tag, page in zip(held, pages, strict=True):
        assert again(tag, page) == 304
        assert again(tag, page, **{"accept-language": "es"}) == 200
        assert again(tag, page, **{"hx-request": "true"}) == 200
        other = analyst.get(f"/o/{house.ours}/{page}", headers={"if-none-match": tag})
        assert other.status_code == 200
    decide(analyst, house, csrf_of(analyst, f"/o/{house.ours}/plan"), [sender], "abuse")
    decided = tags()
    assert not set(decided) & set(held)
    csrf = csrf_of(analyst, f"/o/{house.ours}/plan")
    analyst.post(f"/o/{house.ours}/plan/{key}", data={"csrf": csrf, "state": "prepared", "revision": 0})
    assert again(decided[4], "plan") == 200
    out = reader.post("/sign-out", data={"csrf": csrf_of(reader, f"/o/{house.ours}/")})
    assert out.headers["clear-site-data"] == '"cache"'


def test_a_long_plan_is_folded_and_each_step_has_its_page(
    house: Any, csrf_of: Csrf, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portero.faces.web.pages import plan

    client = house.client(house.owner())
    path = f"/o/{house.ours}/plan"
    keys = re.findall(r'id="(k-[0-9a-f]+)"', client.get(path).text)
    assert len(keys) == len(house.desk.cases.newest(house.ours).audit.plan)
    for name in ("_OF_WAVE", "_WAVE_PAGE", "_OPENED"):
        monkeypatch.setattr(plan, name, 1)
    monkeypatch.setattr(plan, "_WHOLE", 0)
    house.state.rename_organisation(
        house.ours, "Northwind Traders", "Ana", house.state.organisations()[0].created_at
    )
    text = client.get(path).text
    assert len(re.findall(r'id="k-', text)) == text.count('class="wave"')
    assert text.count("<details open>") == 1
    found: list[str] = []
    for wave in range(1, text.count('class="wave"') + 1):
        here = client.get(path, params={"wave": wave}).text
        pages = 1 + here.count('rel="next"')
        while True:
            found += re.findall(r'id="(k-[0-9a-f]+)"', here)
            if 'rel="next"' not in here:
                break
            pages += 1
            here = client.get(path, params={"wave": wave, "page": pages - 1}).text
    assert found == keys
    for key in keys:
        one = client.get(f"{path}/{key}")
        Page(one.text)
        assert 'class="do"' in one.text
    assert client.get(f"{path}/k-none").status_code == 404
    answer = client.post(
        f"{path}/{keys[-1]}",
        data={"csrf": csrf_of(client, path), "state": "", "revision": 0, "alone": "1", "owner": "Bo"},
    )
    assert answer.headers["location"] == f"{path}/{keys[-1]}"
    assert "Bo" in client.get(f"{path}/{keys[-1]}").text


def test_our_files_are_kept_for_ever_and_no_other_is_served(house: Any) -> None:
    client = house.client()
    [style] = re.findall(r'href="(/static/[^"]+\.css)"', client.get("/sign-in").text)
    assert "immutable" in client.get(style).headers["cache-control"]
    mark = style.split("/")[2]
    for name in ("../view.py", "..%2fview.py", "%2e%2e/view.py", "vendor/htmx/2.0.11/LICENSE", "/etc/passwd"):
        assert client.get(f"/static/{mark}/{name}").status_code == 404


def decide(client: TestClient, house: Any, csrf: str, senders: list[str], judgement: str, **more: Any) -> Any:
    return client.post(
        f"/o/{house.ours}/decisions",
        data={"csrf": csrf, "sender": senders, "judgement": judgement, **more},
    )


def test_ten_decisions_change_the_simulation(house: Any, csrf_of: Csrf) -> None:
    client = house.client(house.somebody(Role.ANALYST))
    view = house.desk.cases.newest(house.ours)
    legitimate = [
        each.id
        for each in view.audit.senders
        if each.judgement is Judgement.LEGITIMATE and each.path == "direct-send"
    ]
    assert legitimate
    before = view.audit.simulations[0].refused_by_judgement()
    answer = decide(
        client,
        house,
        csrf_of(client, f"/o/{house.ours}/senders"),
        legitimate,
        "abuse",
        owner="it@contoso.com",
    )
    assert answer.status_code == 303
    after = house.desk.cases.newest(house.ours).audit.simulations[0].refused_by_judgement()
    assert after[Judgement.LEGITIMATE] == 0
    assert after[Judgement.ABUSE] == before[Judgement.ABUSE] + before[Judgement.LEGITIMATE]
    assert "it@contoso.com" in client.get(f"/o/{house.ours}/senders").text


def test_a_decision_is_undone_to_what_was_before(house: Any, csrf_of: Csrf) -> None:
    client = house.client(house.somebody(Role.ANALYST))
    csrf = csrf_of(client, f"/o/{house.ours}/senders")
    sender = house.desk.cases.newest(house.ours).audit.senders[0].id
    decide(client, house, csrf, [sender], "legitimate", note="first")
    decide(client, house, csrf, [sender], "abuse")
    undo = {"csrf": csrf, "undo": f"{sender}=2"}
    assert client.post(f"/o/{house.ours}/decisions/undo", data=undo).status_code == 303
    [decision] = house.state.decisions(house.ours)
    revision = house.state.revisions(house.ours)[decision.sender]
    assert (decision.judgement, decision.note, revision) == (Judgement.LEGITIMATE, "first", 3)
    assert client.post(f"/o/{house.ours}/decisions/undo", data=undo).status_code == 409


def test_who_saw_an_older_decision_is_told(house: Any, csrf_of: Csrf) -> None:
    client = house.client(house.somebody(Role.ANALYST))
    csrf = csrf_of(client, f"/o/{house.ours}/senders")
    sender = house.desk.cases.newest(house.ours).audit.senders[0].id
    decide(client, house, csrf, [sender], "abuse", seen=f"{sender}=0")
    answer = decide(client, house, csrf, [sender], "legitimate", seen=f"{sender}=0")
    assert answer.status_code == 409
    assert "Somebody else changed this" in answer.text


def test_the_page_says_when_there_is_nothing_yet(house: Any) -> None:
    empty = house.state.add_organisation("Empty", "Ana", house.state.organisations()[0].created_at).id
    answer = house.client(house.owner()).get(f"/o/{empty}/senders")
    assert answer.status_code == 200
    assert "Hand over a message trace" in answer.text


def test_an_approver_signs_what_an_analyst_prepared_and_nobody_signs_their_own(
    house: Any, csrf_of: Csrf
) -> None:
    analyst, approver = (house.client(house.somebody(each)) for each in (Role.ANALYST, Role.APPROVER))
    text = analyst.get(f"/o/{house.ours}/plan").text
    key = re.findall(r'id="(k-[0-9a-f]+)"', text)[0]
    path = f"/o/{house.ours}/plan/{key}"

    def move(client: TestClient, state: str, revision: int) -> int:
        csrf = csrf_of(client, f"/o/{house.ours}/plan")
        answer = client.post(path, data={"csrf": csrf, "state": state, "revision": revision})
        return int(answer.status_code)

    assert move(approver, "signed", 0) == 409
    assert move(analyst, "prepared", 0) == 303
    assert move(analyst, "signed", 1) == 403
    assert move(approver, "signed", 0) == 409
    assert move(approver, "signed", 1) == 303
    assert house.state.steps(house.ours)[key].signed_by == "Approver"
    assert move(approver, "prepared", 2) == 303
    assert move(approver, "signed", 3) == 409


def test_the_files_of_the_plan_are_those_of_the_command_line(house: Any) -> None:
    client = house.client(house.owner())
    for name in (
        "plan.md",
        "plan.csv",
        "risks.csv",
        "plan.ics",
        "apply.ps1",
        "verify.ps1",
        "rollback.ps1",
        "report.html",
        "audit.json",
        "senders.csv",
    ):
        answer = client.get(f"/o/{house.ours}/files/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert client.get(f"/o/{house.ours}/files/state.db").status_code == 404


def test_the_choice_of_language_leads_nowhere_else(house: Any) -> None:
    client = house.client()
    for back in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        assert client.post("/appearance", data={"lang": "es", "back": back}).headers["location"] == "/"
    assert 'lang="es"' in client.get("/sign-in").text


def test_a_rehearsal_of_nonsense_says_what_would_be_right(house: Any) -> None:
    client = house.client(house.owner())
    text = client.get(f"/o/{house.ours}/rehearse", params={"chosen": "1", "more": "reject-direct-sent"}).text
    assert "Did you mean reject-direct-send?" in text


def test_alerts_say_what_changed_between_two_runs(house: Any, sample_case: bytes, csrf_of: Csrf) -> None:
    from dataclasses import replace
    from datetime import UTC, datetime, timedelta

    from portero.core.ledger import Run
    from portero.dashboard import pack, unpack

    client = house.client(house.somebody(Role.ANALYST))
    path = f"/o/{house.ours}/alerts"
    assert "There is one run so far" in client.get(path).text
    case = unpack(sample_case)
    [first, *rest] = case.inventory.senders
    earlier = pack(replace(case, inventory=replace(case.inventory, senders=tuple(rest))))
    past = datetime.now(UTC) - timedelta(days=7)
    house.state.add_run(Run("r-past", house.ours, past, "Ana", (), 9, 8, past, past), earlier, past)
    text = client.get(path).text
    assert f'/senders/{first.id}"' in text
    assert "compared with that of" in text
    api = client.get(f"/api/v1/organisations/{house.ours}/alerts").json()
    assert (api["run"], api["before"]) == ("r-0", "r-past")
    assert {each["sender"] for each in api["items"] if each["kind"].startswith("new-")} == {first.id}
    assert 'lang="es"' in client.get(path, headers={"accept-language": "es"}).text
    csrf = csrf_of(client, path)
    soon = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    decide(client, house, csrf, [rest[0].id], "legitimate", expires_on=soon)
    assert "and no longer." in client.get(path).text


def test_all_organisations_are_a_row_each_with_what_to_do_next(house: Any) -> None:
    empty = house.state.add_organisation("Empty", "Ana", house.state.organisations()[0].created_at)
    text = house.client(house.owner()).get("/?all=1").text
    Page(text)
    assert text.count("<tr>") == 4
    for each in (house.ours, house.theirs):
        assert f'href="/o/{each}/plan"' in text
    assert f'href="/o/{empty.id}/plan"' not in text
    reader = house.client(house.somebody(Role.READER))
    assert house.theirs not in reader.get("/?all=1").text


def shape(client: TestClient, house: Any, csrf: str, sender: str, act: str, **more: str) -> Any:
    return client.post(f"/o/{house.ours}/senders/{sender}/shape", data={"csrf": csrf, "act": act, **more})


def test_a_sender_is_named_joined_and_set_apart_and_each_is_taken_back(house: Any, csrf_of: Csrf) -> None:
    client = house.client(house.somebody(Role.ANALYST))
    csrf = csrf_of(client, f"/o/{house.ours}/senders")

    def senders() -> dict[str, Any]:
        return {each.id: each for each in house.desk.cases.newest(house.ours).audit.senders}

    before = senders()
    fixed = {
        each.client_networks: each
        for each in before.values()
        if each.kind == "device" and len({flow.key.client_ip for flow in each.flows}) == 1
    }
    one, two = [*fixed.values()][:2]
    page = f"/o/{house.ours}/senders/{one.id}"
    assert shape(client, house, csrf, one.id, "describe", name="Ground <floor>").status_code == 303
    heading = re.search(r"<h1>(.*?)</h1>", client.get(page).text)
    assert heading is not None
    assert html.unescape(re.sub("<[^>]*>", "", heading[1])) == "Ground <floor>"
    assert shape(client, house, csrf, one.id, "merge", other=two.id).status_code == 303
    assert senders().keys() == before.keys() - {two.id}
    text = client.get(page).text
    Page(text)
    assert f"cidr={two.client_networks[0]}" in text
    assert (
        shape(client, house, csrf, one.id, "split", part=f"cidr={two.client_networks[0]}").status_code == 303
    )
    [part] = senders().keys() - before.keys()
    assert senders()[part].client_networks == two.client_networks
    for act in ("split", "merge", "describe"):
        assert f'value="{act}"' in client.get(page).text
        assert shape(client, house, csrf, one.id, "take-back", of=act).status_code == 303
    assert {each: held.label for each, held in senders().items()} == {
        each: held.label for each, held in before.items()
    }
    # The same record that portero decide writes: what was taken back is history, and counts no more.
    assert client.get(f"/o/{house.ours}/files/portero.decisions.jsonl").content == b""
    assert len(house.state.history(house.ours, one.id)) == 6
    assert all(each.action == "sender.shape" for each in house.state.trail(house.ours)[:6])


@pytest.mark.parametrize(
    "data",
    [
        {"act": "describe"},
        {"act": "merge", "other": "s-000000000000"},
        {"act": "merge"},
        {"act": "split", "part": "subject=x"},
        {"act": "split", "part": "cidr=everywhere"},
        {"act": "take-back", "of": "take-back"},
        {"act": "take-back", "of": "nothing"},
        {"act": "judge"},
        {},
    ],
)
def test_a_form_that_says_nothing_sensible_changes_no_shape(
    house: Any, csrf_of: Csrf, data: dict[str, str]
) -> None:
    client = house.client(house.somebody(Role.ANALYST))
    csrf = csrf_of(client, f"/o/{house.ours}/senders")
    sender = house.desk.cases.newest(house.ours).audit.senders[0].id
    answer = client.post(f"/o/{house.ours}/senders/{sender}/shape", data={"csrf": csrf, **data})
    assert answer.status_code == 404
    assert house.state.decisions(house.ours) == ()


def test_what_was_decided_upon_is_kept_with_the_decision(house: Any, csrf_of: Csrf) -> None:
    client = house.client(house.somebody(Role.ANALYST))
    csrf = csrf_of(client, f"/o/{house.ours}/senders")
    sender = house.desk.cases.newest(house.ours).audit.senders[0].id
    decide(client, house, csrf, [sender], "legitimate")
    [held] = house.state.decisions(house.ours)
    assert held.basis is not None
    decide(client, house, csrf, [sender], "abuse")
    undo = {"csrf": csrf, "undo": f"{sender}=2"}
    assert client.post(f"/o/{house.ours}/decisions/undo", data=undo).status_code == 303
    assert house.state.decisions(house.ours) == (held,)
