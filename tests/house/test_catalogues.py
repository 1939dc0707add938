"""What checks map to is dated: every catalogue named has an edition, and no id stands under a name of its own."""

from __future__ import annotations

from datetime import date

from portero.core.catalogues import CATALOGUES
from portero.core.checks import checks


def test_every_catalogue_that_a_check_names_has_an_edition() -> None:
    named = {name for check in checks() for name in check.maps}

    assert named - CATALOGUES.keys() == set()
    assert all(
        each.edition and each.source and each.read_on > date(2026, 1, 1) for each in CATALOGUES.values()
    )


def test_older_ids_of_scuba_stand_apart_from_those_of_2026() -> None:
    for check in checks():
        assert "DEFENDER" not in check.maps.get("SCuBA", ""), check.id
        assert "SECURITYSUITE" not in check.maps.get("SCuBA before 2026", ""), check.id
