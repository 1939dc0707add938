"""`portero check` and its neighbours, from the call to the exit code, over files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from portero import wiring
from portero.core.checks import checks
from portero.faces.cli import build

ORGANISATION = {
    "Name": "contoso",
    "RejectDirectSend": False,
    "DefaultAuthenticationPolicy": None,
    "AuditDisabled": False,
}
CONNECTOR = {
    "Name": "Old relay", "Enabled": True, "ConnectorType": "Partner", "SenderDomains": ["smtp:*;1"],
    "SenderIPAddresses": ["203.0.113.10"], "TreatMessagesAsInternal": True, "RequireTls": True,
}  # fmt: skip
SPAM = {
    "Name": "Default",
    "IsDefault": True,
    "AllowedSenderDomains": [],
    "HighConfidencePhishAction": "Quarantine",
}
MAILBOX = {"Name": "ana", "PrimarySmtpAddress": "ana@contoso.com", "SmtpClientAuthenticationDisabled": None}
STATE: dict[str, Any] = {
    "Get-OrganizationConfig": [ORGANISATION],
    "Get-InboundConnector": [CONNECTOR],
    "Get-HostedContentFilterPolicy": [SPAM],
    "Get-CASMailbox": [MAILBOX],
    "Get-AcceptedDomain": [
        {"DomainName": "contoso.com", "DomainType": "Authoritative", "MatchSubDomains": False}
    ],
}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "tenant.json").write_text(json.dumps(STATE))
    return folder


def call(*words: object, lang: str = "en") -> Result:
    # What the program itself would give a shell.
    return CliRunner().invoke(build(wiring, lang), [str(word) for word in words])


def test_explain_prints_the_page_of_any_check() -> None:
    for check in checks()[::10]:
        result = call("check", "--explain", check.id.lower())
        assert result.exit_code == 0
        assert all(label in result.stdout for label in (check.id, "Before:", "Severity:", "NIST"))


def test_explain_speaks_the_language_that_was_asked_for() -> None:
    english = call("check", "--explain", "CON-09").stdout
    spanish = call("check", "--explain", "CON-09", lang="es").stdout

    assert "Antes:" in spanish
    assert "Gravedad:" in spanish
    assert spanish.splitlines()[2:4] != english.splitlines()[2:4]


def test_an_unknown_check_is_a_wrong_call_with_a_hint() -> None:
    result = call("check", "--explain", "CON-99")

    assert result.exit_code == 2
    assert "CON-09" in result.stderr


def test_check_without_evidence_is_a_wrong_call() -> None:
    assert call("check").exit_code == 2


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("json", "["),
        ("csv", "\ufeffid,"),
        ("sarif", "{"),
        ("ocsf", "{"),
        ("junit", "<?xml"),
        ("markdown", "# "),
        ("html", "<!doctype"),
    ],
)
def test_every_format_is_printed(here: Path, form: str, start: str) -> None:
    result = call("check", here, "--format", form)

    assert result.exit_code == 0
    assert result.stdout.startswith(start)


def test_a_format_nobody_writes_is_a_wrong_call(here: Path) -> None:
    assert call("check", here, "--format", "pdf").exit_code == 2


def test_json_holds_commands_roles_and_the_replayed_effect(here: Path) -> None:
    found = {each["id"]: each for each in json.loads(call("check", here, "--json").stdout)}

    held = found["CON-05"]
    assert held["outcome"] == "fail"
    assert held["subjects"] == ["Old relay"]
    assert held["roles"] == ["Remote and Accepted Domains"]
    assert "-TreatMessagesAsInternal $false" in held["commands"][0]["do"]
    assert "-TreatMessagesAsInternal $true" in held["commands"][0]["undo"]
    assert found["DS-01"]["effect"]["controls"] == ["reject-direct-send"]
    assert "would refuse" in found["DS-01"]["effect"]["says"]


def test_an_accepted_fault_does_not_trip_the_gate_until_its_last_day(here: Path) -> None:
    (here / "portero.toml").write_text(
        "".join(
            f"[[exception]]\ncheck = '{id_}'\nowner = 'mail@contoso.com'\nuntil = 2999-12-31\nreason = 'move'\n"
            for id_ in ("CON-05", "CON-07")
        )
    )
    assert call("check", here, "--fail-on", "critical").exit_code == 0
    held = {each["id"]: each for each in json.loads(call("check", here, "--json").stdout)}
    assert held["CON-05"]["accepted"][0]["state"] == "in-force"
    assert held["CON-07"]["accepted"][0]["state"] == "unneeded"

    text = (here / "portero.toml").read_text().replace("2999-12-31", "2020-01-01")
    (here / "portero.toml").write_text(text)
    assert call("check", here, "--fail-on", "critical").exit_code == 1


def test_export_writes_a_file_for_each_format(here: Path, tmp_path: Path) -> None:
    result = call("export", "sarif,ocsf,csv", here, "--out", tmp_path / "out")

    assert result.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "findings.csv",
        "findings.ocsf.jsonl",
        "findings.sarif",
    ]


def test_protection_answers_for_a_mailbox_and_counts_all(here: Path) -> None:
    result = call("protection", here, "--recipient", "ana@contoso.com", "--json")
    held = json.loads(result.stdout)

    spam = next(
        each for each in held["recipients"]["ana@contoso.com"] if each["kind"] == "HostedContentFilterPolicy"
    )
    assert (spam["policy"], spam["certain"]) == ("Default", True)
    assert {"kind": "HostedContentFilterPolicy", "policy": "Default", "mailboxes": 1} in held["coverage"]
    shown = call("protection", here, "--recipient", "ana@contoso.com").stdout
    assert "Default" in shown


def test_a_snapshot_is_evidence_a_baseline_and_one_side_of_a_difference(here: Path, tmp_path: Path) -> None:
    assert call("snapshot", here, "--out", tmp_path / "kept").exit_code == 0
    [kept] = (tmp_path / "kept").iterdir()
    assert call("diff", kept, here).stdout.strip() == "Nothing that decides over mail has changed."

    changed = {
        **STATE,
        "Get-InboundConnector": [{**CONNECTOR, "SenderIPAddresses": ["203.0.113.10", "198.51.100.0/24"]}],
    }
    (here / "tenant.json").write_text(json.dumps(changed))
    assert "now admits 198.51.100.0/24, 256 addresses" in call("diff", kept, here).stdout
    [drift] = json.loads(call("diff", kept, here, "--json").stdout)
    assert (drift["name"], drift["property"]) == ("Old relay", "SenderIPAddresses")

    found = {
        each["id"]: each for each in json.loads(call("check", here, "--baseline", kept, "--json").stdout)
    }
    assert found["LOG-04"]["outcome"] == "fail"
    assert "198.51.100.0/24" in found["LOG-04"]["because"]
    assert found["DS-06"]["outcome"] == "warn"

    whole = call("audit", here, "--out", tmp_path / "audit", "--baseline", kept, "--json")
    audited = {each["id"]: each for each in json.loads(whole.stdout)["findings"]}
    assert audited["LOG-04"] == found["LOG-04"]
    assert audited["DS-06"]["outcome"] == "warn"


def test_a_snapshot_without_configuration_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")

    assert call("snapshot", tmp_path, "--out", tmp_path / "kept").exit_code == 3


def test_two_runs_and_many_tenants_stand_side_by_side(here: Path, tmp_path: Path) -> None:
    before = tmp_path / "before.json"
    before.write_text(call("check", here, "--json").stdout)
    (here / "tenant.json").write_text(
        json.dumps({**STATE, "Get-InboundConnector": [{**CONNECTOR, "TreatMessagesAsInternal": False}]})
    )
    after = tmp_path / "after.json"
    after.write_text(call("check", here, "--json").stdout)

    rows = {each["id"]: each for each in json.loads(call("compare", before, after, "--json").stdout)}
    assert rows["CON-05"] == {"id": "CON-05", "outcomes": ["fail", "pass"], "change": "better"}
    assert rows["DS-01"]["change"] == "same"
    assert call("compare", before, after, "--fail-on-worse").exit_code == 0
    assert call("compare", after, before, "--fail-on-worse").exit_code == 1
    assert "before" in call("compare", before, after, before).stdout


@pytest.mark.parametrize(
    "content", ["{", "[]", "[1]", '[{"id": "X", "outcome": "green"}]', '{"findings": 3}']
)
def test_what_is_no_result_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    result = call("compare", path)

    assert result.exit_code == 3
    assert "x.json" in result.stderr
