"""Nothing that evidence or people bring runs in a page, whatever it calls itself."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest

from portero.app.evidence import Case, Evidence, Inventory
from portero.core.dns import Dns
from portero.core.exchange.settings import Tenant, read_settings
from portero.core.ledger import Run
from portero.core.register import Configuration
from portero.core.sender import Judgement
from portero.dashboard import pack

NOW = datetime.now(UTC)
EVIL = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "javascript:alert(1)",
    "</title><svg onload=alert(1)>", "{{ 7*7 }}", "\u202egpj.exe", "--><script>alert(1)</script>", "&lt;script&gt;",
    "]]><script>alert(1)</script>", "\x1b[31m",
)  # fmt: skip


def sample() -> ModuleType:
    name = "portero_sample_audit"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "sample_audit.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class Inert(HTMLParser):
    """Collects what would run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        if tag in {"iframe", "object", "embed", "base", "style", "meta"} and not (
            tag == "meta" and set(held) <= {"charset", "name", "content"}
        ):
            self.found.append(tag)
        if tag == "script" and not (held.get("src") or "").startswith("/static/"):
            self.found.append("script")
        if tag == "img" and not (held.get("src") or "").startswith("/static/"):
            self.found.append("img")
        self.found += [name for name in held if name.startswith("on") or name in {"style", "srcdoc", "hx-on"}]
        self.found += [
            f"{name}={value}"
            for name in ("href", "action", "hx-get", "hx-post")
            if (value := held.get(name)) is not None and not value.startswith(("/", "#"))
        ]


@pytest.fixture
def hostile(house: Any) -> Any:
    audit = sample().hostile_audit()
    evidence = Evidence(Tenant(), Dns(), audit.coverage, audit.gaps, Configuration(EVIL[0]))
    settings = read_settings(Tenant(), ("contoso.com",))
    # An id is made by the audit itself; all else is whatever somebody wrote.
    senders = tuple(replace(each, id=f"s-{number:012x}") for number, each in enumerate(audit.senders))
    inventory = Inventory(settings, senders, (), audit.totals, None, audit.assumptions)
    content = pack(Case(evidence, inventory))
    later = datetime.now(UTC)
    house.state.add_run(
        Run("r-evil", house.ours, later, EVIL[1], (EVIL[2],), 1, 1, None, None), content, later
    )
    house.state.rename_organisation(house.ours, EVIL[0][:200], EVIL[4], NOW)
    owner = house.state.person("local", "owner", EVIL[1], NOW, owner=True)
    for number, text in enumerate(EVIL):
        who = house.state.person(text, f"{number}", text, NOW)
        house.state.add_scenario(house.ours, text, ["reject-direct-send"], text, NOW)
        house.state.add_token(house.ours, who.id, text, [], None, NOW)
        sender = senders[number % len(senders)].id
        house.state.decide(house.ours, {sender: text}, Judgement.LEGITIMATE, text, NOW, owner=text, note=text)
    return house, owner


@pytest.mark.parametrize("lang", ["en", "es"])
def test_stored_texts_are_only_text(hostile: Any, lang: str) -> None:
    house, owner = hostile
    client = house.client(owner)
    root = f"/o/{house.ours}/"
    sender = house.desk.cases.newest(house.ours).audit.senders[0].id
    seen = 0
    for name in ("", "senders", f"senders/{sender}", "senders?group=network", "senders?group=domain", "rehearse", "plan",
                 "findings", "evidence", "trail", "settings", "jobs"):  # fmt: skip
        answer = client.get(root + name, headers={"accept-language": lang})
        assert answer.status_code == 200, name
        assert Inert(answer.text).found == [], name
        assert "\u202e" not in answer.text
        assert "\x1b" not in answer.text
        seen += answer.text.count("&lt;script&gt;alert(1)")
    assert seen > 20
    assert Inert(client.get("/?all=1").text).found == []


@pytest.mark.parametrize("text", EVIL)
def test_what_an_address_brings_is_only_text(house: Any, text: str) -> None:
    client = house.client(house.owner())
    root = f"/o/{house.ours}/"
    for name, key in (("senders", "q"), ("senders", "sort"), ("senders", "group"), ("senders", "judgement"), ("senders", "page"),
                      ("rehearse", "control"), ("rehearse", "more"), ("findings", "outcome"), ("trail", "before")):  # fmt: skip
        answer = client.get(root + name, params={key: text})
        assert answer.status_code == 200
        assert Inert(answer.text).found == []
    for path in (f"/sign-in?link={quote(text)}", f"/nowhere/{quote(text)}", f"{root}senders/{quote(text)}"):
        assert Inert(house.client(house.owner()).get(path).text).found == []
