"""The sample organisation is told in real export files, and its audit finds what the story holds."""

from __future__ import annotations

from pathlib import Path

from portero import wiring
from portero.core.finding import Profile
from portero.proving.demo import write_sample
from portero.sources.text import sniff


def test_the_enhanced_export_is_utf_16_without_a_mark(tmp_path: Path) -> None:
    write_sample(tmp_path)
    raw = (tmp_path / "trace" / "enhanced-summary.csv").read_bytes()
    assert raw[:2] != b"\xff\xfe"
    assert sniff(raw[:4096]) == "utf-16-le"


def test_its_audit_finds_the_devices_and_the_campaign_and_counts_no_mail_twice(tmp_path: Path) -> None:
    write_sample(tmp_path)
    audit = wiring.audit([tmp_path], config=None, profile=Profile.STANDARD, progress=lambda _: None)
    judged = {name: sender.judgement for sender in audit.senders for name in sender.client_networks}
    for host in ("203.0.113.10/32", "203.0.113.20/32", "198.51.100.20/32", "2001:db8:77:1::25/128"):
        assert judged[host] == "legitimate"
    assert judged["192.0.2.66/32"] == judged["192.0.2.131/32"] == "abuse"
    assert sum(sender.mails for sender in audit.senders) == audit.totals.ours
    assert not audit.gaps


def test_every_prefix_of_its_plan_keeps_what_must_be_kept(tmp_path: Path) -> None:
    write_sample(tmp_path)
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
    write_sample(tmp_path / "evidence")
    audit = wiring.audit(
        [tmp_path / "evidence"], config=None, profile=Profile.STANDARD, progress=lambda _: None
    )
    written = {path.name for path in wiring.write(audit, tmp_path / "out", "es")}
    assert written == {
        "audit.json", "senders.csv", "findings.csv", "report.html", "plan.md", "plan.csv", "risks.csv", "plan.ics", "apply.ps1",
            "verify.ps1", "rollback.ps1",
    }  # fmt: skip
