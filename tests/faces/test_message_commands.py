"""portero explain and portero scan keep the contract: keys, exit codes, evidence beside mail, resume, both languages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.letters import OWN, arrived, text_part

LURE = text_part('<p>Voice message. <a href="https://vm.example/play">Listen</a></p>', "html")
SPOOF = arrived(sender=f"ana@{OWN}", subject="Voice message", content=LURE)
CLEAN = arrived(
    sender="news@shop.example",
    spf="pass",
    dmarc="pass action=none",
    compauth="pass reason=100",
    subject="Order",
)


def portero(*words: str, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "portero", *words, "--lang", "en"],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        check=False,
    )


def test_explain_prints_the_contracts_object(tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_bytes(SPOOF)
    page, stix = tmp_path / "a.html", tmp_path / "a.json"

    run = portero(
        "explain",
        str(tmp_path / "mail.eml"),
        "--own-domain",
        OWN,
        "--json",
        "--html",
        str(page),
        "--stix",
        str(stix),
        "--fail-on",
        "phish",
    )

    assert run.returncode == 1, run.stderr
    held = json.loads(run.stdout)
    assert held["origin"] == "mail.eml"
    assert (held["path"], held["judgement"], held["spoofs_own_domain"]) == ("direct-send", "phish", True)
    assert (held["mail_from"], held["header_from"], held["client_ip"]) == (
        f"ana@{OWN}",
        f"ana@{OWN}",
        "203.0.113.77",
    )
    assert held["authentication"] == {
        "spf": "fail",
        "dkim": "none",
        "dmarc": "fail",
        "compauth": "fail",
        "compauth_reason": "601",
    }
    assert {"type": "url", "value": "https://vm.example/play", "found_in": "text"} in held["indicators"]
    assert all({"reason", "weight", "rule"} <= set(each) for each in held["because"])
    assert "vm.example" in page.read_text("utf-8")
    assert "<script" not in page.read_text("utf-8")
    bundle = json.loads(stix.read_text("utf-8"))
    assert bundle["type"] == "bundle"
    assert "[url:value = 'https://vm.example/play']" in {each["pattern"] for each in bundle["objects"]}
    assert not any(OWN in each["pattern"] for each in bundle["objects"])


def test_explain_reads_header_text_from_standard_input() -> None:
    head = SPOOF.partition(b"\r\n\r\n")[0]

    run = portero("explain", "-", "--own-domain", OWN, "--json", stdin=head)

    assert run.returncode == 0, run.stderr
    held = json.loads(run.stdout)
    assert (held["path"], held["judgement"]) == ("direct-send", "phish")


def test_explain_says_what_is_no_message(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\x00\x01\x02")

    assert portero("explain", str(tmp_path / "a.bin"), "--json").returncode == 3
    assert portero("explain", str(tmp_path / "absent.eml")).returncode == 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    held = tmp_path / "mail"
    (held / "deep").mkdir(parents=True)
    (held / "spoof.eml").write_bytes(SPOOF)
    (held / "deep" / "clean.eml").write_bytes(CLEAN)
    quoted = SPOOF.replace(b"\r\n", b"\n")
    (held / "box.mbox").write_bytes(
        b"From a@b Mon Nov 23 09:00:00 2026\n"
        + quoted
        + b"\nFrom c@d Mon Nov 23 09:00:00 2026\n"
        + CLEAN.replace(b"\r\n", b"\n")
    )
    (held / "Get-AcceptedDomain.json").write_text(
        json.dumps(
            [
                {
                    "Name": OWN,
                    "DomainName": OWN,
                    "Default": True,
                    "MatchSubDomains": False,
                    "DomainType": "Authoritative",
                }
            ]
        )
    )
    return held


def lines(output: bytes) -> dict[str, dict[str, object]]:
    return {held["origin"]: held for held in map(json.loads, output.splitlines())}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_scan_uses_exports_as_evidence_and_names_every_mail(folder: Path, workers: str) -> None:
    run = portero("scan", str(folder), "--json", "--workers", workers)

    assert run.returncode == 0, run.stderr
    held = lines(run.stdout)
    assert {name: each["judgement"] for name, each in held.items()} == {
        "box.mbox!1": "phish",
        "box.mbox!2": "clean",
        "deep/clean.eml": "clean",
        "spoof.eml": "phish",
    }
    assert held["spoof.eml"]["path"] == "direct-send"


def test_scan_goes_on_where_it_was_stopped(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    first = portero("scan", str(folder / "spoof.eml"), "--own-domain", OWN, "--out", str(out))
    with out.open("a") as file:
        file.write('{"origin": "cut')

    second = portero("scan", str(folder), "--out", str(out), "--workers", "1")

    assert (first.returncode, second.returncode) == (0, 0)
    written = [json.loads(line)["origin"] for line in out.read_text().splitlines() if line.endswith("}")]
    assert sorted(written) == ["box.mbox!1", "box.mbox!2", "deep/clean.eml", "spoof.eml"]


def test_own_rules_join_the_judgement(folder: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "orders.toml").write_text(
        'title = "Orders"\nlevel = "critical"\nweight = 6\n[detection]\nsubject = ["order"]\n'
    )

    run = portero(
        "explain", str(folder / "deep" / "clean.eml"), "--own-domain", OWN, "--rules", str(rules), "--json"
    )
    (rules / "wrong.toml").write_text('title = "x"\nlevel = "loud"\n')
    wrong = portero("explain", str(folder / "deep" / "clean.eml"), "--rules", str(rules))

    assert "own-orders" in {each["rule"] for each in json.loads(run.stdout)["because"]}
    assert wrong.returncode == 2
    assert b"wrong.toml" in wrong.stderr


def test_spanish_is_spoken(tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_bytes(SPOOF)

    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "portero",
            "explain",
            str(tmp_path / "mail.eml"),
            "--own-domain",
            OWN,
            "--lang",
            "es",
        ],
        capture_output=True,
        check=False,
    )

    assert run.returncode == 0
    assert "Falsificación".encode() in run.stdout
