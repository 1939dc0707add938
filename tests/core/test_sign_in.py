"""Claims give the highest role that a grant names, and nothing to who has none."""

from __future__ import annotations

from portero.core.access import Role
from portero.core.sign_in import Grant, Provider

HOUSES = (("o-1", "Northwind"), ("o-2", "Fabrikam"))


def provider(*grants: Grant) -> Provider:
    return Provider("Contoso", "https://id.example", "client", grants=grants)


def test_the_highest_of_several_roles_counts_in_each_organisation() -> None:
    made = provider(
        Grant(Role.READER, "roles", "all"),
        Grant(Role.APPROVER, "roles", "north", "Northwind"),
        Grant(Role.ANALYST, "groups", "fab", "o-2"),
    )
    assert made.roles({"roles": ["all", "north"]}, HOUSES) == {"o-1": Role.APPROVER, "o-2": Role.READER}
    assert made.roles({"groups": "fab"}, HOUSES) == {"o-1": None, "o-2": Role.ANALYST}


def test_a_claim_of_another_shape_gives_nothing() -> None:
    made = provider(Grant(Role.READER, "roles", "all"))
    for value in (None, 7, {"all": True}, [["all"]], "all-of-them", True):
        assert made.roles({"roles": value}, HOUSES) == {"o-1": None, "o-2": None}


def test_a_claim_that_was_left_out_for_its_length_is_named() -> None:
    made = provider(Grant(Role.READER, "groups", "all"))
    assert made.withheld({"_claim_names": {"groups": "src1"}}) == {"groups"}
    assert made.withheld({"_claim_names": {"roles": "src1"}}) == frozenset()
    assert made.withheld({"groups": [], "_claim_names": {"groups": "src1"}}) == frozenset()
    assert made.withheld({}) == frozenset()
