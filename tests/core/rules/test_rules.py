"""
Message rules: each is a file with a page and Sigma's words, and has messages in `tests/messages/rules` that walk through here.

``fires/RULE.eml`` makes its rule fire; ``quiet/RULE.eml`` is its honest look-alike, on which it stays quiet and which is not
accused. ``RULE.LURE.LANGUAGE.eml`` are the published Direct Send lures and their look-alikes. All are made up for this.
"""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from portero.core.address import parse_network
from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.exchange.settings import AcceptedDomain, Settings
from portero.core.explain import MailJudgement, Verdict
from portero.core.message.arrival import Known
from portero.core.message.case import Rule
from portero.core.register import Configuration, KnownNetwork
from portero.core.rules import rules
from portero.core.sender import Judgement, Kind
from portero.opening.judge import Judge, Task
from portero.opening.models import model_of
from support.letters import OWN
from support.senders import a_sender, anonymous

MESSAGES = Path(__file__).parents[2] / "messages"
FIRES = sorted((MESSAGES / "rules" / "fires").glob("*.eml"))
QUIET = sorted((MESSAGES / "rules" / "quiet").glob("*.eml"))
LURES = [path for path in FIRES if path.stem.count(".") == 2]
NINE = {"voicemail", "fax", "scan", "payroll", "document", "shared-file", "password", "second-factor", "self"}
LANGUAGES = {"en", "es", "pt", "fr", "de", "it"}

# What the organisation of these messages knows.
KNOWN = Known(
    settings=Settings(accepted_domains=(AcceptedDomain(OWN, match_subdomains=False),)),
    configuration=Configuration(
        networks=(KnownNetwork("Plant", (parse_network("203.0.113.64/26"),), "devices"),)
    ),
    senders=(
        a_sender("erp", Kind.APPLICATION, Judgement.LEGITIMATE, anonymous("203.0.113.130", header_from=f"erp@{OWN}")),
        a_sender("abuse", Kind.UNKNOWN, Judgement.ABUSE, anonymous("192.0.2.66", header_from=f"ceo@{OWN}")),
    ),
    people={"luis perez": frozenset({f"luis.perez@{OWN}"})},
    dns=Dns([DnsAnswer(OWN, "TXT", DnsStatus.NOERROR, ("v=spf1 ip4:203.0.113.200 -all",))]),
)  # fmt: skip
JUDGE = Judge(KNOWN, model_of(None))


def judged(path: Path) -> Verdict:
    verdict = JUDGE(Task(path.name, path.read_bytes()))
    assert isinstance(verdict, Verdict)
    return verdict


def rule_of(path: Path) -> str:
    return path.stem.partition(".")[0]


def name_of(path: Path) -> str:
    return path.stem


def met(verdict: Verdict) -> set[str]:
    return {each.rule for each in verdict.because}


@pytest.mark.parametrize("path", FIRES, ids=name_of)
def test_it_fires_on_its_own_message(path: Path) -> None:
    assert rule_of(path) in met(judged(path))


@pytest.mark.parametrize("path", QUIET, ids=name_of)
def test_it_is_quiet_on_its_look_alike_which_nobody_accuses(path: Path) -> None:
    verdict = judged(path)

    assert rule_of(path) not in met(verdict)
    assert verdict.judgement is not MailJudgement.PHISH, [
        (each.rule, each.weight) for each in verdict.because
    ]


@pytest.mark.parametrize("path", LURES, ids=name_of)
def test_a_published_lure_in_the_own_name_is_a_forgery_in_every_language(path: Path) -> None:
    verdict = judged(path)

    assert verdict.judgement is MailJudgement.PHISH, [(each.rule, each.weight) for each in verdict.because]
    assert verdict.spoofs is True
    assert "own-name-lure" in met(verdict)


def test_the_nine_lures_have_six_languages_and_each_its_look_alike() -> None:
    held = {tuple(path.stem.split(".")[1:]) for path in LURES}

    assert held == {(lure, language) for lure in NINE for language in LANGUAGES}
    assert {path.stem for path in LURES} <= {path.stem for path in QUIET}


def test_every_rule_has_its_messages_and_every_message_its_rule() -> None:
    ids = {each.id for each in rules()}

    assert {rule_of(path) for path in FIRES} == ids
    assert {rule_of(path) for path in QUIET} == ids


@pytest.fixture(params=rules(), ids=lambda rule: rule.id)
def rule(request: pytest.FixtureRequest) -> Rule:
    found: Rule = request.param
    return found


def test_its_id_is_its_files_name_and_it_has_a_page(rule: Rule) -> None:
    module = inspect.getmodule(rule.match)

    assert module is not None
    assert module.__name__.rpartition(".")[2] == rule.id.replace("-", "_")
    assert (inspect.getdoc(module) or "").split("\n")[0].endswith((".", ":"))


def test_it_carries_sigmas_words(rule: Rule) -> None:
    assert rule.title
    assert rule.level in {"informational", "low", "medium", "high", "critical"}
    assert rule.status in {"stable", "test", "experimental"}
    assert -6 <= rule.weight <= 6
    assert (rule.level == "informational") == (rule.weight <= 0)
    assert rule.falsepositives
    assert all(each.endswith(".") for each in rule.falsepositives)
    assert rule.tags


def test_ids_are_given_once() -> None:
    assert [name for name, n in Counter(each.id for each in rules()).items() if n > 1] == []


def test_accusing_rules_are_quiet_on_most_ordinary_mail() -> None:
    judge = Judge(replace(KNOWN, settings=Settings()))
    letters = sorted((MESSAGES / "quiet").glob("*.eml"))[::3]
    accused: Counter[str] = Counter()
    for path in letters:
        verdict = judge(Task(path.name, path.read_bytes()))
        assert isinstance(verdict, Verdict)
        accused.update(each.rule for each in verdict.because if each.weight > 0)

    assert {rule: n for rule, n in accused.items() if n > len(letters) // 8} == {}
