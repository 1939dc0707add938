"""Maester: counted, and its failures about mail named."""

import json

from portero.sources.maester import SOURCE
from support.reading import reading

RESULTS = {
    "Result": "Failed",
    "TotalCount": 3,
    "PassedCount": 1,
    "FailedCount": 2,
    "ExecutedAt": "2026-11-20T10:00:00.1234567+01:00",
    "TenantId": "x",
    "Tests": [
        {"Id": "CISA.MS.EXO.4.1", "Title": "DMARC record SHALL be published", "Result": "Failed"},
        {"Id": "MT.1001", "Title": "Conditional access", "Result": "Failed"},
        {"Id": "MT.1002", "Name": "Other", "Result": "Passed"},
    ],
}


def test_results_are_counted_and_failures_about_mail_named():
    found = reading(SOURCE, json.dumps(RESULTS))
    assert (found.counted.rows, found.counted.first.hour) == (3, 9)
    said = [str(note.text) for note in found.notes]
    assert len(said) == 2
    assert "Failed: 2, Passed: 1" in said[0]
    assert "CISA.MS.EXO.4.1" in said[1]


def test_results_without_their_tests_are_a_gap():
    found = reading(SOURCE, json.dumps(RESULTS | {"Tests": None}))
    assert (found.counted, len(found.gaps)) == (None, 1)
