"""No loss: what was answered 250 arrives whole, whenever the relay is killed and whatever the disk refuses."""

import os
import shutil
from pathlib import Path

import pytest

from portero.relay.audit import verify
from support.crash import crash
from support.postfix import CI

# The long proof: PORTERO_KILLS=1000 ./dev test tests/relay/test_crash.py
KILLS = int(os.environ.get("PORTERO_KILLS", "25"))


def test_nothing_answered_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("gcc") is None:
        (pytest.fail if CI else pytest.skip)("not here: gcc; ./dev test installs it")
    total = crash(tmp_path, KILLS, seed=int(os.environ.get("PORTERO_SEED", "1")))
    with capsys.disabled():
        print(  # noqa: T201  (the counts are the proof)
            f"\nkilled {total.kills} times, {sum(total.sites.values())} of them at a change of a file ({len(total.sites)} different);"
            f" disk errors in {total.disk_errors} lives; in the queue behind the last kill: {len(total.kept)},"
            f" lost by then: {len(total.lost_at_the_last_kill)}; answered 250: {len(total.answered)}; arrived: {len(total.arrived)},"
            f" {total.repeated} of them again; lost: {len(total.lost)}; damaged: {len(total.damaged)}; refused: {dict(total.refused)}"
        )
        if KILLS >= 500:
            print("\n".join(f"{number:5} {site}" for site, number in total.sites.most_common()))  # noqa: T201
    assert total.kills == KILLS
    assert len(total.answered) > KILLS
    assert not total.lost_at_the_last_kill
    assert not total.lost
    assert not total.damaged
    assert not verify(tmp_path / "spool" / "audit.jsonl").broken
    assert not list((tmp_path / "spool" / "bodies").iterdir())
