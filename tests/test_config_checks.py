"""What portero.toml says of checks: thresholds, people, accepted faults, detections elsewhere."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from portero.config import parse_config
from portero.core.acceptance import Acceptance
from portero.core.evidence import Origin
from portero.core.register import Detection
from portero.errors import ConfigError

WHOLE = """
[checks]
people = ["Ana Ruiz;ana@contoso.com"]

[checks.thresholds]
bulk_threshold = 5
reject = true

[[exception]]
check = "con-05"
subject = "Old relay"
owner = "mail@contoso.com"
until = 2027-03-31
reason = "until the ERP moves"

[[detection]]
check = "LOG-03"
where = "Sentinel"
last_run = 2026-11-24T09:00:00+01:00
"""


def test_everything_is_read() -> None:
    read = parse_config(WHOLE, "portero.toml")

    assert read.people == ("Ana Ruiz;ana@contoso.com",)
    assert read.thresholds == {"bulk_threshold": 5, "reject": True}
    assert read.acceptances == (
        Acceptance(
            "CON-05",
            "mail@contoso.com",
            date(2027, 3, 31),
            "until the ERP moves",
            "Old relay",
            Origin("portero.toml", 9),
        ),
    )
    assert read.detections == (
        Detection("LOG-03", "Sentinel", datetime(2026, 11, 24, 8, tzinfo=UTC), Origin("portero.toml", 16)),
    )


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[checks.thresholds]\nbulk_treshold = 5", 2, "Did you mean bulk_threshold?"),
        ("[checks.thresholds]\nbulk_threshold = 'five'", 2, "a whole number"),
        ("[checks.thresholds]\nbulk_threshold = -1", 2, "a whole number"),
        ("[checks.thresholds]\nreject = 1", 2, "true or false"),
        ("[checks]\npeopel = []", 2, "Did you mean people?"),
        ("[[exception]]\ncheck = 'CON-99'\nowner = 'x'\nuntil = 2027-01-01\nreason = 'y'", 2, "the id of a check"),
        ("[[exception]]\ncheck = 'CON-05'\nowner = 'x'\nuntil = '2027-01-01'\nreason = 'y'", 4, "a date"),
        ("[[exception]]\ncheck = 'CON-05'\nuntil = 2027-01-01\nreason = 'y'", 1, "owner is missing"),
        ("[[detection]]\ncheck = 'LOG-03'\nwhere = 'x'\nlast_run = 2026-11-24T09:00:00", 4, "a time with its zone"),
        ("exception = 3", 1, "[[exception]]"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "portero.toml")

    [problem] = caught.value.problems
    assert f"line {line}:" in str(problem)
    assert said in str(problem)
