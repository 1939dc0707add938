"""MTA-STS, TLS reporting and DANE by the texts of their RFCs, written down here so that the tests stand alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.mail.transport import parse_sts_policy, parse_sts_record, parse_tls_reporting, parse_tlsa

# RFC 8461 section 3.2, the example policy.
POLICY = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n"


@pytest.mark.parametrize(
    ("text", "id_", "faults"),
    [
        ("v=STSv1; id=20160831085700Z;", "20160831085700Z", 0),  # RFC 8461 section 3.1, the example
        ("v=STSv1; id=a; ext=more", "a", 0),
        ("v=STSv1;", "", 1),
        ("v=STSv1; id=2016-08-31", "", 1),
        ("v=STSv1; id=" + "a" * 33, "", 1),
    ],
)
def test_an_mta_sts_record(text: str, id_: str, faults: int) -> None:
    record = parse_sts_record(text)

    assert record is not None
    assert (record.id, len(record.faults)) == (id_, faults)


@pytest.mark.parametrize("text", ["id=1; v=STSv1", "v=STSv2; id=1", "v=stsv1; id=1", " v=STSv1; id=1", ""])
def test_what_is_no_mta_sts_record(text: str) -> None:
    assert parse_sts_record(text) is None


def test_the_example_policy_covers_the_hosts_it_lists_and_one_label_below_a_wildcard() -> None:
    policy = parse_sts_policy(POLICY)

    assert policy is not None
    assert (policy.mode, policy.max_age_seconds, policy.faults) == ("enforce", 604800, ())
    assert policy.covers("Mail.example.com.")
    assert policy.covers("mx1.example.net")
    assert not policy.covers("example.net")
    assert not policy.covers("a.b.example.net")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("enforce", "strict"), ("604800", "31557601"), ("604800", "week"), ("mx: mail.example.com", "mx: mail server"),
        ("mx: *.example.net", "mx: mail.*.net"),
    ],
)  # fmt: skip
def test_a_wrong_policy_says_what_is_wrong(old: str, new: str) -> None:
    policy = parse_sts_policy(POLICY.replace(old, new))

    assert policy is not None
    assert len(policy.faults) == 1


def test_a_policy_that_withdraws_itself_needs_no_host() -> None:
    policy = parse_sts_policy("version: STSv1\nmode: none\nmax_age: 86400")

    assert policy is not None
    assert policy.faults == ()


def test_a_policy_of_another_version_is_none() -> None:
    assert parse_sts_policy(POLICY.replace("STSv1", "STSv2")) is None


@pytest.mark.parametrize(
    ("text", "rua", "faults"),
    [
        # RFC 8460 section 3, the examples.
        ("v=TLSRPTv1;rua=mailto:reports@example.com", ("mailto:reports@example.com",), 0),
        ("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt", ("https://reporting.example.com/v1/tlsrpt",), 0),
        ("v=TLSRPTv1; rua=mailto:a@example.com,https://example.com/t", ("mailto:a@example.com", "https://example.com/t"), 0),
        ("v=TLSRPTv1; rua=http://example.com", (), 1),
        ("v=TLSRPTv1; rua=", (), 1),
        ("v=TLSRPTv1;", (), 1),
    ],
)  # fmt: skip
def test_a_tls_reporting_record(text: str, rua: tuple[str, ...], faults: int) -> None:
    record = parse_tls_reporting(text)

    assert record is not None
    assert (record.rua, len(record.faults)) == (rua, faults)


DIGEST = "8D02536C887482BC34FF54E41D2BA659BF85B341A0A20AFADB5813DCFBCF286D"


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        (f"3 1 1 {DIGEST}", True),
        (f"2 0 1 {DIGEST[:32]} {DIGEST[32:]}", True),
        (f"1 1 1 {DIGEST}", False),  # RFC 7672 section 3.1.3: usages 0 and 1 are not supported
        (f"3 1 2 {DIGEST}", False),
        (f"3 2 1 {DIGEST}", False),
    ],
)
def test_a_tlsa_record(text: str, usable: bool) -> None:
    record = parse_tlsa(text)

    assert record is not None
    assert record.usable is usable


@pytest.mark.parametrize("text", ["", "3 1 1", "3 1 1 xyz", "3 1 1 abc", "-1 1 1 ab", "9999 1 1 ab"])
def test_what_is_no_tlsa_record(text: str) -> None:
    assert parse_tlsa(text) is None


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    for parse in (parse_sts_record, parse_sts_policy, parse_tls_reporting, parse_tlsa):
        for each in (
            text,
            "v=STSv1;" + text,
            "v=TLSRPTv1;" + text,
            "version: STSv1\n" + text,
            "3 1 1 " + text,
        ):
            parse(each)
