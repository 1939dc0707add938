"""Mails one by one are those that the fold counted, each under the way of sending that it was folded into."""

from __future__ import annotations

from pathlib import Path

import pytest

from portero.app.evidence import Case
from portero.core.flow import FlowKey
from portero.engine.mails import read_mails
from portero.wiring.sample import demo
from portero.wiring.serving import gather_with_mails

Gathered = tuple[Case, Path]


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Gathered:
    folder = tmp_path_factory.mktemp("sample")
    demo(folder, lambda _: None)
    case, content = gather_with_mails([folder], lambda _: None)
    path = folder / "run.mails"
    path.write_bytes(content)
    return case, path


def test_every_way_of_sending_has_the_mails_that_were_counted(gathered: Gathered) -> None:
    case, path = gathered
    for sender in case.inventory.senders:
        number, shown = read_mails(path, [flow.key for flow in sender.flows], 10)
        assert number == sender.mails
        assert len(shown) == min(10, number)
        times = [each.at for each in shown if each.at]
        assert times == sorted(times, reverse=True)
        if times:
            assert times[0] == sender.last_seen
        assert all(each.origin.document and each.origin.line for each in shown)
    [busiest] = sorted(case.inventory.senders, key=lambda each: -each.mails)[:1]
    for flow in busiest.flows:
        number, shown = read_mails(path, [flow.key], 3)
        assert number == flow.facts.mails
        assert {each.key for each in shown} <= {flow.key}


def test_nobody_s_way_has_no_mail_and_a_file_that_is_not_there_is_said(
    gathered: Gathered, tmp_path: Path
) -> None:
    _, path = gathered
    assert read_mails(path, [FlowKey("192.0.2.250")], 10) == (0, ())
    assert read_mails(path, [FlowKey()], 10)[0] == 0
    assert read_mails(path, [], 10) == (0, ())
    with pytest.raises(FileNotFoundError):
        read_mails(tmp_path / "none", [FlowKey("192.0.2.1")], 10)


def test_evidence_without_mail_gives_a_file_without_mails(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing of note", "utf-8")
    _, content = gather_with_mails([tmp_path], lambda _: None)
    path = tmp_path / "run.mails"
    path.write_bytes(content)
    assert read_mails(path, [FlowKey("192.0.2.1")], 10) == (0, ())
