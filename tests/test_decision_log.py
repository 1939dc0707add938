"""`portero decide` is kept for ever, counts in the next run, and nothing of it is lost silently."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from portero import wiring
from portero.core.decision import Act, Decision
from portero.core.finding import Profile
from portero.core.register import Criteria
from portero.core.sender import DecidedBy, Judgement
from portero.decision_log import FILE_NAME, append, find_logs, read_log
from portero.errors import ConfigError
from portero.faces.cli import build
from portero.proving.demo import write_sample

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
ID = "s-0123456789ab"


def decision(judgement: Judgement = Judgement.ABUSE, **more: object) -> Decision:
    return Decision(ID, judgement, "Ana", NOW, **more)  # type: ignore[arg-type]


def quiet(_: object) -> None:
    """Say nothing: standard output is the result's."""


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        build(wiring)(list(words))
    return int(left.value.code or 0)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    first = decision(owner="it@contoso.com", note='a\nb "c" ñ', expires_on=date(2027, 6, 30))
    append(file, first)
    append(file, decision(Judgement.LEGITIMATE))
    assert read_log(file) == (first, decision(Judgement.LEGITIMATE))


def test_acts_on_the_shape_are_written_and_read(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    base = replace(decision(), judgement=None)
    split = Criteria.read({"cidr": ["203.0.113.9"], "ehlo": ["PRN2"], "header_from": ["a@contoso.com"]})
    lines = (
        replace(base, act=Act.MERGE, merge=("s-1111111111ff",)),
        replace(base, act=Act.SPLIT, split=split),
        replace(base, act=Act.DESCRIBE, name="Lobby printer"),
        replace(base, act=Act.TAKE_BACK, of=Act.MERGE),
    )
    append(file, *lines)
    assert read_log(file) == lines


def test_a_line_somebody_left_open_takes_no_other_with_it(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    append(file, decision())
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    append(file, decision(Judgement.LEGITIMATE))
    assert len(read_log(file)) == 2


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        json.dumps(decision().document() | {"sender": "s-" + "9" * 90}),
        json.dumps(decision().document() | {"note": "a\x00b"}),
        json.dumps(decision().document() | {"decided_by": "A" * 301}),
        "[" * 5000,
        *(
            json.dumps(decision().document() | {"judgement": None} | more)
            for more in (
                {},
                {"act": "merge"},
                {"act": "merge", "merge": ["Printer"]},
                {"act": "merge", "merge": "s-1111111111ff"},
                {"act": "split"},
                {"act": "split", "split": {}},
                {"act": "split", "split": {"cidr": ["everything"]}},
                {"act": "split", "split": {"subject": ["x"]}},
                {"act": "take-back"},
                {"act": "take-back", "of": "take-back"},
                {"act": "describe", "name": "a\x00b"},
                {"act": "forget"},
            )
        ),
        '{"sender": "s-1"}',
        '{"sender": "s-1", "judgement": "maybe", "decided_by": "a", "decided_at": "2026-11-24T10:00:00+00:00"}',
        '{"sender": "s-1", "judgement": "abuse", "decided_by": "a", "decided_at": "2026-11-24T10:00:00"}',
    ],
)
def test_a_line_that_is_no_decision_is_named_and_not_skipped(tmp_path: Path, line: str) -> None:
    file = tmp_path / FILE_NAME
    append(file, decision())
    file.write_text(file.read_text("utf-8") + line + "\n", "utf-8")
    with pytest.raises(ConfigError) as error:
        read_log(file)
    assert f"{FILE_NAME}:2" in str(error.value)


def test_the_record_beside_the_configuration_and_those_with_the_evidence_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config", "evidence", "here", "elsewhere"):
        append((tmp_path / name).mkdir() or tmp_path / name / FILE_NAME, decision())
    monkeypatch.chdir(tmp_path / "here")
    found = find_logs([tmp_path / "evidence"], tmp_path / "config" / "portero.toml")
    assert [path.parent.name for path in found] == ["config", "evidence", "here"]


def test_a_decision_wins_in_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    evidence = tmp_path / "evidence"
    write_sample(evidence, NOW)
    accused = next(
        each
        for each in wiring.audit([evidence], config=None, profile=Profile.STANDARD, progress=quiet).senders
        if each.judgement is Judgement.ABUSE
    )
    assert run("decide", accused.id, "legitimate", "--owner", "it@contoso.com", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["sender"], said["judgement"]) == (accused.id, "legitimate")
    again = wiring.audit([evidence], config=None, profile=Profile.STANDARD, progress=quiet)
    [decided] = [each for each in again.senders if each.id == accused.id]
    assert decided.judgement is Judgement.LEGITIMATE
    assert decided.decided_by is DecidedBy.PERSON
    assert decided.owner == "it@contoso.com"
    assert not any(FILE_NAME in gap.origin.document for gap in again.gaps)


def test_a_person_names_joins_and_sets_apart_and_the_next_run_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    evidence = tmp_path / "evidence"
    write_sample(evidence, NOW)

    def senders() -> dict[str, dict[str, Any]]:
        assert run("senders", str(evidence), "--json") == 0
        return {each["id"]: each for each in json.loads(capsys.readouterr().out)}

    before = senders()
    one, two = [each for each in before.values() if each["kind"] == "device"][:2]
    bad = next(each for each in before.values() if each["judgement"] == "abuse")
    words = ["--name", "Ground floor", "--merge", two["id"], "--merge", bad["id"], "--by", "Ana"]
    assert run("decide", one["id"], *words, "--with", str(evidence), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [each["act"] for each in said["recorded"]] == ["merge", "describe"]
    assert any(bad["id"] in each for each in said["remarks"])
    after = senders()
    assert after.keys() == before.keys() - {two["id"]}
    whole = after[one["id"]]
    assert (whole["label"], whole["messages"]) == ("Ground floor", one["messages"] + two["messages"])
    assert after[bad["id"]]["judgement"] == "abuse"
    assert {each["code"] for each in whole["because"]} >= {"named", "joined", "kept-apart"}

    split = f"cidr={two['client_networks'][0]}"
    assert run("decide", one["id"], "--split", split, "--with", str(evidence), "--json") == 0
    capsys.readouterr()
    [part] = senders().keys() - after.keys()
    assert senders()[part]["client_networks"] == two["client_networks"]
    assert run("decide", part, "legitimate", "--with", str(evidence)) == 0
    assert run("decide", one["id"], "--take-back", "split", "--take-back", "merge") == 0
    capsys.readouterr()
    assert senders().keys() == before.keys()


def test_who_is_not_in_the_evidence_is_not_decided_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_sample(tmp_path / "evidence", NOW)
    assert run("decide", ID, "legitimate", "--with", "evidence") == 2
    assert ID in capsys.readouterr().err
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize(
    "words",
    [
        ("Pay slips", "abuse"),
        (ID, "good"),
        (ID, "abuse", "--until", "tomorrow"),
        (ID,),
        (ID, "--note", "why"),
        (ID, "--until", "2027-01-01", "--name", "x"),
        (ID, "--merge", ID),
        (ID, "--merge", "Printer"),
        (ID, "--split", "203.0.113.9"),
        (ID, "--split", "cidr=printer"),
        (ID, "--take-back", "everything"),
    ],
)
def test_a_wrong_call_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("decide", *words) == 2
    assert not (tmp_path / FILE_NAME).exists()


def test_a_table_is_taken_over_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_sample(tmp_path / "evidence", NOW)
    assert run("senders", "evidence", "--json") == 0
    one, two = [each for each in json.loads(capsys.readouterr().out) if each["kind"] == "device"][:2]
    table = tmp_path / "cmdb.csv"
    head = "remitente;responsable;finalidad;criticidad;decisión;caducidad\n"
    good = f"{one['id']};ops@contoso.com;Alarmas;alta;aprobado;2099-12-31\n{two['id']};it@contoso.com;Impresión;;;\n"
    # As Excel saves it in Spanish.
    table.write_bytes((head + good + "nadie@contoso.com;a;b;c;;\n").encode("cp1252"))
    words = ("decide", "--import", "cmdb.csv", "--with", "evidence", "--by", "Ana")
    assert run(*words) == 2
    assert "4" in capsys.readouterr().err
    assert not (tmp_path / FILE_NAME).exists()
    table.write_bytes((head + good).encode("cp1252"))
    assert run(*words, "--json") == 0
    assert json.loads(capsys.readouterr().out)["skipped"] == 0
    first, second = read_log(tmp_path / FILE_NAME)
    assert (first.judgement, first.expires_on, first.basis is not None) == (
        "legitimate",
        date(2099, 12, 31),
        True,
    )
    assert (second.act, second.purpose) == (Act.DESCRIBE, "Impresión")
    assert run("senders", "evidence", "--json") == 0
    after = {each["id"]: each for each in json.loads(capsys.readouterr().out)}
    assert (after[one["id"]]["purpose"], after[one["id"]]["criticality"]) == ("Alarmas", "high")
    assert after[one["id"]]["decision"]["standing"] == "in-force"
    assert (after[two["id"]]["owner"], after[two["id"]]["criticality"]) == ("it@contoso.com", None)
    assert after[two["id"]]["decided_by"] == "evidence"


@pytest.mark.parametrize(
    "words",
    [
        ("--import", "cmdb.csv"),
        (ID, "--import", "cmdb.csv", "--with", "."),
        ("--import", "cmdb.csv", "--with", ".", "--owner", "x"),
        ("--skip-unmatched",),
        (ID, "legitimate", "--as", "abuse"),
        (),
    ],
)
def test_a_table_and_one_sender_are_two_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cmdb.csv").write_text("mailbox,owner\nups@contoso.com,a\n", "utf-8")
    assert run("decide", *words) == 2
    assert not (tmp_path / FILE_NAME).exists()


def test_a_table_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_sample(tmp_path / "evidence", NOW)
    assert run("decide", "--import", "none.csv", "--with", "evidence") == 3
    assert "none.csv" in capsys.readouterr().err
