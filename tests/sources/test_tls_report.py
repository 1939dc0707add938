"""TLS reports: counted and said, with the quirks of their writers."""

import copy
import json
from datetime import UTC, datetime

import pytest

from portero.sources.tls_report import SOURCE
from support.reading import reading

REPORT = {
    "organization-name": "Company-X",
    "date-range": {"start-datetime": "2026-04-01T00:00:00Z", "end-datetime": "2026-04-01T23:59:59Z"},
    "report-id": "5065427c",
    "policies": [
        {
            "policy": {"policy-type": "sts", "policy-domain": "Contoso.com", "mx-host": "*.mail.contoso.com"},
            "summary": {"total-successful-session-count": "5326", "total-failure-session-count": 303},
            "failure-details": [
                {
                    "result-type": "certificate-expired",
                    "receiving-mx-hostname": "MX1.contoso.com",
                    "failed-session-count": 100,
                }
            ],
        },
        {
            "policy": {"policy-type": "no-policy-found", "policy-domain": "contoso.com"},
            "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0},
        },
    ],
}


def test_each_policy_is_said_and_counted():
    found = reading(SOURCE, json.dumps(REPORT))
    assert found.counted.rows == 2
    assert found.counted.first == datetime(2026, 4, 1, tzinfo=UTC)
    said = [str(note.text) for note in found.notes]
    assert "5326" in said[0]
    assert "certificate-expired" in said[0]
    assert "mx1.contoso.com" in said[0]
    assert "mx1" not in said[1]
    assert found.gaps == []


@pytest.mark.parametrize(
    ("path", "value"),
    [(("policies", 0, "summary"), {}), (("policies", 0, "policy"), None), (("policies", 0), "x")],
)
def test_a_policy_without_its_facts_is_a_gap_and_the_others_stay(path, value):
    report = copy.deepcopy(REPORT)
    place = report
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    found = reading(SOURCE, json.dumps(report))
    assert (found.counted.rows, len(found.gaps)) == (1, 1)


def test_a_cut_report_is_a_gap():
    found = reading(SOURCE, json.dumps(REPORT)[:-40])
    assert (found.counted, len(found.gaps)) == (None, 1)
