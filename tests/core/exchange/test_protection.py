"""Which policy applies to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portero.core.evidence import ConfigAnswer, ConfigObject, Origin
from portero.core.exchange.protection import Family, Level, protection
from portero.core.exchange.settings import Tenant

EVERY_KIND: dict[str, object] = {
    "SentTo": None,
    "SentToMemberOf": None,
    "RecipientDomainIs": None,
    "ExceptIfSentTo": None,
    "ExceptIfSentToMemberOf": None,
    "ExceptIfRecipientDomainIs": None,
}
DEFAULT = {"Name": "Office365 AntiPhish Default", "IsDefault": True, "RecommendedPolicyType": "Custom"}
STANDARD = {
    "Name": "Standard Preset Security Policy170000",
    "IsDefault": False,
    "RecommendedPolicyType": "Standard",
}
STRICT = {
    "Name": "Strict Preset Security Policy180000",
    "IsDefault": False,
    "RecommendedPolicyType": "Strict",
}
SALES = {"Name": "Sales", "IsDefault": False, "RecommendedPolicyType": "Custom"}
BOARD = {"Name": "Board", "IsDefault": False, "RecommendedPolicyType": "Custom"}


def rule(name: str, policy: str, **fields: object) -> dict[str, object]:
    return {
        **EVERY_KIND,
        "Name": name,
        "AntiPhishPolicy": policy,
        "State": "Enabled",
        "Priority": 0,
        **fields,
    }


def tenant(**objects: Sequence[Mapping[str, object]]) -> Tenant:
    names = {
        "policies": "Get-AntiPhishPolicy",
        "rules": "Get-AntiPhishRule",
        "presets": "Get-EOPProtectionPolicyRule",
    }
    items = [
        ConfigObject(names[key], dict(each), Origin(f"{key}.json", number))
        for key, found in objects.items()
        for number, each in enumerate(found, 1)
    ]
    return Tenant(items, [ConfigAnswer(names[key], Origin(f"{key}.json")) for key in objects])


def order(held: Tenant, *domains: str) -> list[tuple[Level, str]]:
    found = protection(held, Family.ANTI_PHISH, domains)
    assert found is not None
    assert found.missing == ()
    return [(each.level, each.policy_name) for each in found.classes]


def test_strict_comes_before_standard_before_custom_by_priority_before_default() -> None:
    held = tenant(
        policies=[DEFAULT, SALES, BOARD, STANDARD, STRICT],
        presets=[
            rule("Standard Preset Security Policy", STANDARD["Name"], RecipientDomainIs=["a.example"]),  # type: ignore[arg-type]
            rule("Strict Preset Security Policy", STRICT["Name"], SentTo=["boss@a.example"]),  # type: ignore[arg-type]
        ],
        rules=[
            rule("Sales rule", "Sales", Priority=1, RecipientDomainIs=["b.example"]),
            rule("Board rule", "Board", Priority=0, SentToMemberOf=["board@b.example"]),
        ],
    )

    assert [level for level, _ in order(held)] == [
        Level.STRICT,
        Level.STANDARD,
        Level.CUSTOM,
        Level.CUSTOM,
        Level.DEFAULT,
    ]
    assert [name for _, name in order(held)][2:] == ["Board", "Sales", "Office365 AntiPhish Default"]


def test_a_rule_without_conditions_leaves_nobody_to_later_ones() -> None:
    held = tenant(policies=[DEFAULT, SALES], rules=[rule("All", "Sales")])

    assert order(held) == [(Level.CUSTOM, "Sales")]


def test_a_rule_with_an_exception_leaves_the_excepted_to_the_default() -> None:
    held = tenant(policies=[DEFAULT, SALES], rules=[rule("All", "Sales", ExceptIfSentTo=["a@contoso.com"])])

    assert [name for _, name in order(held)] == ["Sales", "Office365 AntiPhish Default"]


def test_a_rule_for_all_accepted_domains_leaves_nobody_to_the_default_where_the_list_is_whole() -> None:
    held = tenant(policies=[DEFAULT, SALES], rules=[rule("Ours", "Sales", RecipientDomainIs=["Contoso.com"])])

    assert order(held, "contoso.com") == [(Level.CUSTOM, "Sales")]
    assert len(order(held)) == 2
    assert len(order(held, "contoso.com", "fabrikam.com")) == 2


def test_conditions_of_different_kinds_must_all_hold_so_a_domain_with_a_group_does_not_cover_the_domain() -> (
    None
):
    held = tenant(
        policies=[DEFAULT, SALES, BOARD],
        rules=[
            rule("Board", "Board", SentToMemberOf=["board"], RecipientDomainIs=["contoso.com"]),
            rule("Sales", "Sales", Priority=1, SentTo=["a@contoso.com"]),
        ],
    )

    assert [name for _, name in order(held, "contoso.com")] == [
        "Board",
        "Sales",
        "Office365 AntiPhish Default",
    ]


def test_a_person_in_a_domain_that_an_earlier_rule_takes_is_not_left_to_a_later_one() -> None:
    held = tenant(
        policies=[DEFAULT, SALES, BOARD],
        rules=[
            rule("Sales", "Sales", RecipientDomainIs=["contoso.com"]),
            rule("Board", "Board", Priority=1, SentTo=["a@contoso.com"]),
        ],
    )

    assert "Board" not in [name for _, name in order(held)]


def test_a_disabled_rule_applies_to_nobody() -> None:
    held = tenant(policies=[DEFAULT, SALES], rules=[rule("Off", "Sales", State="Disabled")])

    assert order(held) == [(Level.DEFAULT, "Office365 AntiPhish Default")]


def test_a_rule_whose_state_was_not_exported_is_uncertain_and_takes_nobody_from_later_ones() -> None:
    unknown = rule("Perhaps", "Sales")
    del unknown["State"]
    found = protection(tenant(policies=[DEFAULT, SALES], rules=[unknown]), Family.ANTI_PHISH)

    assert found is not None
    assert [each.certain for each in found.classes] == [False, True]


def test_a_rule_that_was_exported_without_its_exceptions_takes_nobody_from_later_ones() -> None:
    partial = rule("All", "Sales")
    del partial["ExceptIfSentTo"]

    assert len(order(tenant(policies=[DEFAULT, SALES], rules=[partial]))) == 2


def test_without_custom_policies_the_rules_of_custom_policies_are_not_missed() -> None:
    assert order(tenant(policies=[DEFAULT])) == [(Level.DEFAULT, "Office365 AntiPhish Default")]


def test_policies_whose_rules_were_not_exported_are_loose_and_the_cmdlet_is_named() -> None:
    found = protection(tenant(policies=[DEFAULT, SALES, STRICT]), Family.ANTI_PHISH)

    assert found is not None
    assert found.missing == ("Get-EOPProtectionPolicyRule", "Get-AntiPhishRule")
    assert [each.properties["Name"] for each in found.loose] == ["Sales", STRICT["Name"]]


def test_a_policy_that_a_rule_names_and_nobody_exported_stays_a_name() -> None:
    found = protection(tenant(policies=[DEFAULT], rules=[rule("Old", "Gone")]), Family.ANTI_PHISH)

    assert found is not None
    assert (found.classes[0].policy_name, found.classes[0].policy) == ("Gone", None)


def test_without_policies_there_is_no_answer() -> None:
    assert protection(tenant(rules=[]), Family.ANTI_PHISH) is None


def test_a_class_says_whom_it_holds_and_why() -> None:
    held = tenant(
        policies=[DEFAULT, SALES],
        rules=[
            rule("Ours", "Sales", RecipientDomainIs=["contoso.com"], ExceptIfSentTo=["Printer@contoso.com"])
        ],
    )
    found = protection(held, Family.ANTI_PHISH)

    assert found is not None
    assert str(found.classes[0].who) == "recipients who are in contoso.com, except printer@contoso.com"
    assert str(found.classes[0].derivation) == "rule “Ours” gives policy “Sales”"
