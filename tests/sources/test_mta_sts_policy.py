"""MTA-STS policies as files."""

from __future__ import annotations

import pytest

from portero.core.evidence import ConfigObject
from portero.sources.head import head_of
from portero.sources.mta_sts_policy import SOURCE
from support.reading import reading

POLICY = "version: STSv1\nmode: enforce\nmx: *.mail.protection.outlook.com\nmax_age: 86400\n"


@pytest.mark.parametrize(
    "name",
    ["mta-sts.Contoso.com.txt", "kept/mta-sts.contoso.com/mta-sts.txt", "x.zip!mta-sts.contoso.com.txt"],
)
def test_the_domain_comes_from_where_it_was_fetched(name: str) -> None:
    found = reading(SOURCE, POLICY, name)

    [item] = [each for each in found.others if isinstance(each, ConfigObject)]
    assert (item.cmdlet, item.properties["Domain"]) == ("mta-sts-policy", "contoso.com")
    assert item.properties["Text"] == POLICY


def test_a_file_whose_name_tells_no_domain_is_a_gap() -> None:
    found = reading(SOURCE, POLICY, "policy.txt")

    assert found.others == []
    assert "mta-sts.DOMAIN.txt" in str(found.gaps[0].reason)


@pytest.mark.parametrize("text", ["mode: enforce\n", "version: STSv2\n", "name,version: STSv1\n1,2\n"])
def test_other_texts_are_not_taken(text: str) -> None:
    assert not SOURCE.recognise(head_of(text.encode()))
