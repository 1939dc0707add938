"""The lists that travel with the program: dated, sourced, and unknown beyond them."""

import csv
import re
from importlib.resources import files

from portero.known import maker_of, makers, services


def test_every_maker_has_its_registration_and_a_dated_source():
    text = files("portero.known").joinpath("makers.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) > 1000
    assert len({row["prefix"] for row in rows}) == len(rows)
    for row in rows:
        assert re.fullmatch(r"([0-9a-f]{2}:){2}[0-9a-f]{2}", row["prefix"])
        assert row["maker"]
        assert row["registered_to"]
        assert re.fullmatch(r"IEEE MA-L \d{4}-\d\d-\d\d", row["source"])


def test_a_prefix_beyond_the_list_is_unknown():
    assert maker_of("00:20:6b:aa:bb:cc") == "Konica Minolta"
    assert maker_of("02:00:00:00:00:01") is None
    assert maker_of("") is None
    assert set(makers()) >= {"00:20:6b"}


def test_every_service_has_a_source_that_says_where_its_domain_is_seen():
    text = files("portero.known").joinpath("services.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert 100 <= len({row["service"] for row in rows}) <= 200
    assert len({row["domain"] for row in rows}) == len(rows)
    for row in rows:
        assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", row["domain"])
        assert row["service"]
        assert row["seen_as"] in {"ptr", "include", "return-path", "dkim"}
        assert "https://" in row["source"]
    assert services()["mcsv.net"] == "Mailchimp"
