"""The sample organisation is told in real export files, and its audit finds what the story holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from portero import wiring
from portero.core.finding import Profile
from portero.demo import write_sample
from portero.sources.text import sniff

TOLD = datetime(2026, 11, 24, 10, tzinfo=UTC)


def test_the_same_week_tells_the_same_story(tmp_path: Path) -> None:
    write_sample(tmp_path / "one", TOLD)
    write_sample(tmp_path / "two", TOLD + timedelta(days=1))
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_the_enhanced_export_is_utf_16_without_a_mark(tmp_path: Path) -> None:
    write_sample(tmp_path, TOLD)
    raw = (tmp_path / "message-trace-enhanced.csv").read_bytes()
    assert raw[:2] != b"\xff\xfe"
    assert sniff(raw[:4096]) == "utf-16-le"


def test_its_audit_finds_the_devices_and_the_campaign_and_counts_no_mail_twice(tmp_path: Path) -> None:
    write_sample(tmp_path, TOLD)
    audit = wiring.audit([tmp_path], config=None, profile=Profile.STANDARD, progress=lambda _: None)
    judged = {name: sender.judgement for sender in audit.senders for name in sender.client_networks}
    for device in ("198.51.100.10/32", "198.51.100.11/32", "198.51.100.12/32", "203.0.113.50/32"):
        assert judged[device] == "legitimate"
    assert judged["192.0.2.66/32"] == judged["192.0.2.81/32"] == "abuse"
    assert sum(sender.mails for sender in audit.senders) == audit.totals.ours
    assert audit.totals.rows == 2 * (audit.totals.ours + audit.totals.others)
    assert not audit.gaps


def test_every_prefix_of_its_plan_keeps_what_must_be_kept(tmp_path: Path) -> None:
    write_sample(tmp_path, TOLD)
    audit = wiring.audit([tmp_path], config=None, profile=Profile.STANDARD, progress=lambda _: None)
    together = audit.simulations[-1]
    kept = {each.sender: each for each in together.senders}
    assert "reject-direct-send" in together.controls
    for sender in audit.senders:
        if sender.judgement == "legitimate":
            assert kept[sender.id].refused == 0, str(sender.label)
        if sender.judgement == "abuse":
            assert kept[sender.id].kept == 0, str(sender.label)


def test_every_file_of_the_contract_is_written(tmp_path: Path) -> None:
    write_sample(tmp_path / "evidence", TOLD)
    audit = wiring.audit(
        [tmp_path / "evidence"], config=None, profile=Profile.STANDARD, progress=lambda _: None
    )
    written = {path.name for path in wiring.write(audit, tmp_path / "out", "es")}
    assert written == {
        "audit.json", "senders.csv", "findings.csv", "report.html", "plan.md", "apply.ps1", "verify.ps1", "rollback.ps1",
    }  # fmt: skip
