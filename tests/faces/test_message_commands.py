"""portero explain and portero scan keep the contract: keys, exit codes, evidence beside mail, resume, both languages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.letters import OWN, arrived, body, file_part, text_part

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


def test_indicators_keep_what_stix_demands(tmp_path: Path) -> None:
    stix = tmp_path / "a.json"
    bundles = []
    for octets in (SPOOF, CLEAN):
        (tmp_path / "mail.eml").write_bytes(octets)
        portero("explain", str(tmp_path / "mail.eml"), "--own-domain", OWN, "--stix", str(stix))
        bundles.append(json.loads(stix.read_text("utf-8")))
    spoof, clean = bundles

    # STIX 2.1 section 3.2: created and modified to the millisecond; 2.9: ids; 2.12: a list is never empty.
    for each in spoof["objects"]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each["created"])
        assert each["created"] == each["modified"]
        assert re.fullmatch(
            r"indicator--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", each["id"]
        )
        assert (each["spec_version"], each["pattern_type"]) == ("2.1", "stix")
    assert "objects" not in clean


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


def test_what_is_attached_to_mail_is_no_evidence_and_no_message_of_its_own(tmp_path: Path) -> None:
    domains = json.dumps(
        [{"Name": "x", "DomainName": "victim.example", "DomainType": "Authoritative"}]
    ).encode()
    inner = arrived(sender="news@victim.example", subject="Inside")
    (tmp_path / "hostile.eml").write_bytes(
        arrived(
            sender="a@victim.example",
            content=body(
                text_part("See attached."),
                file_part("Get-AcceptedDomain.json", "application/json", domains),
                file_part("inner.eml", "message/rfc822", inner),
            ),
        )
    )

    held = lines(portero("scan", str(tmp_path), "--own-domain", OWN, "--json").stdout)

    assert list(held) == ["hostile.eml"]
    assert held["hostile.eml"]["own_domains"] == [OWN]


def test_mail_given_as_evidence_is_not_judged(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "saved.eml").write_bytes(CLEAN)

    run = portero("scan", str(folder / "deep"), "--with", str(tmp_path / "known"), "--json")

    assert list(lines(run.stdout)) == ["clean.eml"]


def test_files_that_are_neither_mail_nor_evidence_are_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Nothing of interest.")
    (tmp_path / "old.doc").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000))
    (tmp_path / "mail.eml").write_bytes(CLEAN)

    run = portero("scan", str(tmp_path), "--json")

    assert list(lines(run.stdout)) == ["mail.eml"]
    assert b"notes.txt: " in run.stderr
    assert b"old.doc: " in run.stderr


REPORT = (
    f"From: luis@{OWN}\r\nSubject: 3|Voice message\r\n".encode()
    + body(text_part("x"), file_part("o.eml", "message/rfc822", SPOOF)).encode()
)


def test_a_users_report_is_judged_once_by_its_original(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "report.eml").write_bytes(REPORT)
    out = tmp_path / "out.jsonl"

    for _ in range(2):
        portero("scan", str(tmp_path / "mail"), "--own-domain", OWN, "--out", str(out))

    (held,) = map(json.loads, out.read_text().splitlines())
    assert (held["origin"], held["judgement"]) == ("report.eml!original", "phish")


TRACE = (
    "origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,network_message_id,"
    "original_client_ip,directionality,connector_id,delivery_priority\r\n"
    f"2026-11-23T09:12:06.0000000Z,ana@{OWN},ana@{OWN}##Receive Deliver,Voice message,12,<7f1a@mail.example>,"
    "bbbbbbbb-6a63-4f07-9a4f-0f5dc3c8a001,203.0.113.77,Incoming,Payroll,Normal\r\n"
)


def test_a_trace_tells_the_connector_of_every_mail_in_an_mbox(folder: Path) -> None:
    (folder / "box.mbox").write_bytes(
        b"From a@b Mon Nov 23 09:00:00 2026\n"
        + CLEAN.replace(b"\r\n", b"\n")
        + b"\nFrom c@d Mon Nov 23 09:00:00 2026\n"
        + SPOOF.replace(b"\r\n", b"\n").replace(b"0a9d6f0e", b"bbbbbbbb")
    )
    (folder / "trace.csv").write_text(TRACE)

    held = lines(portero("scan", str(folder), "--json").stdout)

    assert (held["box.mbox!2"]["path"], held["box.mbox!2"]["connector"]) == ("connector", "Payroll")
    # The same Message-ID, which its author chose, joins nothing where Exchange's own id differs.
    assert held["spoof.eml"]["path"] == "direct-send"


def test_explain_judges_every_mail_of_an_mbox(folder: Path) -> None:
    held = json.loads(portero("explain", str(folder / "box.mbox"), "--json").stdout)

    assert [each["origin"] for each in held] == ["box.mbox!1", "box.mbox!2"]


def test_what_a_message_does_not_say_is_null(tmp_path: Path) -> None:
    (tmp_path / "bare.eml").write_bytes(b"Subject: x\r\nDate: Mon, 23 Nov 2026 09:12:05 +0000\r\n\r\nx\r\n")

    held = json.loads(portero("explain", str(tmp_path / "bare.eml"), "--own-domain", OWN, "--json").stdout)

    assert held["authentication"] == dict.fromkeys(("spf", "dkim", "dmarc", "compauth", "compauth_reason"))
    names = ("message_id", "mail_from", "header_from", "client_ip", "spoofs_own_domain")
    assert {name: held[name] for name in names} == dict.fromkeys(names)
    assert held["path"] == "undetermined"


def test_the_null_path_is_not_an_unknown_one(tmp_path: Path) -> None:
    (tmp_path / "null.eml").write_bytes(arrived(mail_from=""))

    held = json.loads(portero("explain", str(tmp_path / "null.eml"), "--own-domain", OWN, "--json").stdout)

    assert (held["mail_from"], held["path"]) == ("", "foreign-envelope")


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
