"""Other people's suites through our interface: ValiMail's of ARC validation, and dkimpy's own."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from portero.core.mail.signatures import ArcResult, verify_arc
from support.suite_dns import SHARED, SuiteDns, shared

SUITE = "suites/arc-draft-validation-tests.yml"
CASES = [
    (scenario, name)
    for scenario in (
        yaml.safe_load_all((SHARED / SUITE).read_text("utf-8")) if (SHARED / SUITE).exists() else ()
    )
    for name in scenario["tests"]
]


def test_the_suite_is_here() -> None:
    shared(SUITE)
    assert len(CASES) == 171


@pytest.mark.parametrize(("scenario", "name"), CASES, ids=[name for _, name in CASES])
def test_the_suite_agrees(scenario: dict[str, Any], name: str) -> None:
    pytest.importorskip("dkim", reason="the extra dkim is not installed")
    case = scenario["tests"][name]
    dns = SuiteDns({(domain, "TXT"): (text,) for domain, text in scenario["txt-records"].items()})

    found = verify_arc(case["message"].encode(), dns)

    # Where the suite leaves cv empty an earlier sealer ended the chain, so no validator says anything more of it.
    expected = case["cv"] or ""
    if expected == "":
        assert (found.result, found.ended) == (ArcResult.FAIL, True)
    else:
        assert (found.result, found.ended) == (ArcResult(expected.lower()), False)


def test_dkimpys_own_suites_agree(tmp_path: Path) -> None:
    """
    The archive beside this file is the folder of tests of dkimpy 1.1.8 as published, with its licence.

    Its one case of sealing needs a library that signing brings and verification does not.
    """
    pytest.importorskip("dkim", reason="the extra dkim is not installed")
    here = Path(__file__).parent
    with zipfile.ZipFile(here / "dkimpy-1.1.8-tests.zip") as archive:
        archive.extractall(tmp_path)

    run = subprocess.run(
        [sys.executable, str(here / "dkimpy_run.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
    )

    found = re.search(r"(\d+) cases, (\d+) verifications of ours, against: \[(.*)\]", run.stdout)
    assert found is not None, run.stderr
    assert (int(found[1]), int(found[2]) > 400) == (103, True)
    assert found[3] in {"", "'dkimpy_tests.test_arc.TestSignAndVerify.test_signs_and_verifies'"}, run.stderr
