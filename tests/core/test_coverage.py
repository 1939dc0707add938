"""Which policy a mailbox really has, and how many mailboxes stand where."""

from __future__ import annotations

from typing import Any

import pytest

from portero.core.coverage import Standing, answers, coverage, found_for, groups_of, mailboxes
from portero.core.evidence import ConfigAnswer, ConfigObject, Origin
from portero.core.exchange.protection import Family
from portero.core.exchange.settings import Tenant

DEFAULT = {"Name": "Default", "IsDefault": True, "PhishQuarantineTag": "AdminOnlyAccessPolicy"}
SALES = {"Name": "Sales", "IsDefault": False}
BOARD = {"Name": "Board", "IsDefault": False}
NOBODY = {
    "SentTo": None, "SentToMemberOf": None, "RecipientDomainIs": None, "ExceptIfSentTo": None,
    "ExceptIfSentToMemberOf": None, "ExceptIfRecipientDomainIs": None, "State": "Enabled",
}  # fmt: skip
RULES = [
    {**NOBODY, "Name": "Board", "HostedContentFilterPolicy": "Board", "Priority": 0, "SentTo": ["boss@contoso.com"]},
    {**NOBODY, "Name": "Sales", "HostedContentFilterPolicy": "Sales", "Priority": 1, "SentToMemberOf": ["sales"],
     "ExceptIfSentTo": ["ana@contoso.com"]},
]  # fmt: skip
MEMBERS = [
    {"Group": "Sales", "PrimarySmtpAddress": address, "RecipientType": "UserMailbox"}
    for address in ("ana@contoso.com", "luis@contoso.com", "boss@contoso.com")
]


def tenant(**extra: list[dict[str, Any]]) -> Tenant:
    objects: dict[str, list[dict[str, Any]]] = {
        "Get-HostedContentFilterPolicy": [DEFAULT, SALES, BOARD],
        "Get-HostedContentFilterRule": RULES,
        "Get-EOPProtectionPolicyRule": [],
        **{name.replace("_", "-"): items for name, items in extra.items()},
    }
    return Tenant(
        [
            ConfigObject(cmdlet, each, Origin(cmdlet, n))
            for cmdlet, found in objects.items()
            for n, each in enumerate(found)
        ],
        [ConfigAnswer(cmdlet, Origin(cmdlet)) for cmdlet in objects],
    )


def spam(recipient: str, held: Tenant) -> Any:
    found = {each.family: each for each in answers(recipient, found_for(held, ()), groups_of(held))}
    return found[Family.ANTI_SPAM]


@pytest.mark.parametrize(
    ("recipient", "policy"),
    [
        ("boss@contoso.com", "Board"),
        ("luis@contoso.com", "Sales"),
        ("ana@contoso.com", "Default"),
        ("eva@contoso.com", "Default"),
    ],
)
def test_the_first_rule_that_takes_a_mailbox_decides(recipient: str, policy: str) -> None:
    answer = spam(recipient, tenant(Get_DistributionGroupMember=MEMBERS))

    assert (answer.policy, answer.certain) == (policy, True)
    assert policy in str(answer.derivation[-1])


def test_without_the_members_of_a_group_whoever_may_be_in_it_is_not_surely_known() -> None:
    answer = spam("luis@contoso.com", tenant())

    assert answer.certain is False
    assert "Sales" in str(answer.derivation[0])
    assert spam("boss@contoso.com", tenant()).certain is True
    # Whatever the group holds, the exception takes her out of it.
    assert spam("ana@contoso.com", tenant()).certain is True


def member(group: str, address: str, kind: str = "UserMailbox") -> dict[str, str]:
    return {"Group": group, "PrimarySmtpAddress": address, "RecipientType": kind}


def test_who_is_in_a_group_inside_a_group_is_in_both() -> None:
    circle = [
        member("Sales", "north@contoso.com", "MailUniversalDistributionGroup"),
        member("North@contoso.com", "luis@contoso.com"),
        member("North@contoso.com", "sales", "MailUniversalSecurityGroup"),
    ]

    assert spam("luis@contoso.com", tenant(Get_DistributionGroupMember=circle)).policy == "Sales"
    assert spam("eva@contoso.com", tenant(Get_DistributionGroupMember=circle)).policy == "Default"


def test_a_group_inside_whose_members_were_not_exported_leaves_it_open_who_is_in_the_outer_one() -> None:
    half = [
        member("Sales", "luis@contoso.com"),
        member("Sales", "north@contoso.com", "MailUniversalDistributionGroup"),
    ]
    answer = spam("eva@contoso.com", tenant(Get_DistributionGroupMember=half))

    assert answer.certain is False
    assert "Sales" in str(answer.derivation[0])


def test_a_rule_may_call_a_group_by_another_name_than_its_members_do() -> None:
    group = {
        "Name": "Sales",
        "DisplayName": "Our sales people",
        "PrimarySmtpAddress": "team@contoso.com",
        "Alias": "team",
    }
    held = [member("team@contoso.com", "luis@contoso.com")]

    named = tenant(Get_DistributionGroupMember=held, Get_DistributionGroup=[group])
    assert spam("luis@contoso.com", named).policy == "Sales"
    assert spam("luis@contoso.com", tenant(Get_DistributionGroupMember=held)).certain is False
    twin = {**group, "PrimarySmtpAddress": "other@contoso.com", "Alias": "other"}
    doubtful = tenant(Get_DistributionGroupMember=held, Get_DistributionGroup=[group, twin])
    assert spam("luis@contoso.com", doubtful).certain is False


def test_quarantine_policies_come_with_the_answer() -> None:
    answer = spam("eva@contoso.com", tenant(Get_DistributionGroupMember=MEMBERS))

    assert answer.quarantine == {"PhishQuarantineTag": "AdminOnlyAccessPolicy"}


def test_a_family_that_was_not_exported_is_said_to_be_unknown() -> None:
    held = tenant()
    found = {each.family: each for each in answers("eva@contoso.com", found_for(held, ()), {})}

    assert found[Family.ANTI_PHISH].policy is None
    assert "Get-AntiPhishPolicy was not exported" in str(found[Family.ANTI_PHISH].derivation[0])


def test_all_mailboxes_are_counted_once() -> None:
    boxes = [
        {"PrimarySmtpAddress": address}
        for address in ("Boss@contoso.com", "luis@contoso.com", "eva@contoso.com")
    ]
    held = tenant(
        Get_DistributionGroupMember=MEMBERS,
        Get_CASMailbox=boxes,
        Get_Mailbox=[{"PrimarySmtpAddress": "eva@contoso.com"}],
    )

    assert len(mailboxes(held)) == 3
    found = coverage(mailboxes(held), found_for(held, ()), groups_of(held))
    assert set(found) == {Standing(Family.ANTI_SPAM, name, 1) for name in ("Board", "Sales", "Default")}
    assert set(coverage(mailboxes(held), found_for(held, ()), {})) == {
        Standing(Family.ANTI_SPAM, "Board", 1),
        Standing(Family.ANTI_SPAM, None, 2),
    }
