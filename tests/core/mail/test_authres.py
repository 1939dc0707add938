"""Authentication-Results in the RFC's form and in Exchange Online's, and Received-SPF."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.mail.authres import parse_authentication_results, parse_received_spf

EXCHANGE = (
    "spf=fail (sender IP is 203.0.113.9)\r\n smtp.mailfrom=contoso.com; contoso.com; dkim=none (message not signed)\r\n"
    " header.d=none;contoso.com; dmarc=fail action=oreject header.from=contoso.com;compauth=none reason=451"
)


def test_exchange_online_writes_no_authserv_id() -> None:
    found = parse_authentication_results(EXCHANGE)

    assert found.authserv_id is None
    assert [(each.method, each.result) for each in found.results] == [
        ("spf", "fail"), ("dkim", "none"), ("dmarc", "fail"), ("compauth", "none"),
    ]  # fmt: skip
    assert found.client_ip == "203.0.113.9"


def test_what_exchange_adds_is_kept() -> None:
    found = parse_authentication_results(EXCHANGE)
    dmarc, compauth = found.first("dmarc"), found.first("compauth")

    assert dmarc is not None
    assert compauth is not None
    assert (dmarc.named("action"), dmarc.named("header.from")) == ("oreject", "contoso.com")
    assert compauth.named("reason") == "451"


def test_an_empty_property_is_not_an_absent_one() -> None:
    found = parse_authentication_results("dmarc=none action=none header.from=;").first("dmarc")

    assert found is not None
    assert (found.named("header.from"), found.named("header.d")) == ("", None)


# RFC 8601 appendix B.
def test_the_rfcs_form_with_comments_and_several_signatures() -> None:
    found = parse_authentication_results(
        'example.com 1;\r\n dkim=pass (good signature; (really)) reason="good; indeed" header.i=@mail-router.example.net;\r\n'
        " dkim=fail (bad signature) header.i=@newyork.example.com"
    )

    assert found.authserv_id == "example.com"
    assert [each.result for each in found.all("dkim")] == ["pass", "fail"]
    assert found.results[0].comments == ("good signature; (really)",)
    assert found.results[0].named("reason") == "good; indeed"


def test_no_results_is_none() -> None:
    assert parse_authentication_results("example.org 1; none").results == ()


def test_the_arc_copy_has_an_instance() -> None:
    found = parse_authentication_results(
        "i=2; mx.microsoft.com 1; spf=pass (sender ip is 2001:db8::5) smtp.rcpttodomain=a.example smtp.mailfrom=b.example;"
        " dmarc=pass (p=none sp=quarantine pct=100) action=none header.from=b.example; arc=none"
    )

    assert (found.instance, found.authserv_id, found.client_ip) == (2, "mx.microsoft.com", "2001:db8::5")
    assert [each.method for each in found.results] == ["spf", "dmarc", "arc"]


@pytest.mark.parametrize(
    ("text", "result", "ip"),
    [
        ("Fail (protection.outlook.com: domain of a.example does not designate 192.0.2.1 as permitted sender) receiver=protection.outlook.com; client-ip=192.0.2.1; helo=x; pr=C", "fail", "192.0.2.1"),
        ("pass (mx: ok) client-ip=2001:db8::1; envelope-from=\"a@b.example\"; helo=c.example", "pass", "2001:db8::1"),
        ("None (protection.outlook.com: a does not designate permitted sender hosts)", "none", None),
        ("nonsense", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_received_spf(text: str, result: str | None, ip: str | None) -> None:
    found = parse_received_spf(text)

    assert (found.result, found.client_ip) == (result, ip)


def test_the_envelope_sender_is_unquoted() -> None:
    assert parse_received_spf('pass envelope-from="a@b.example"').named("envelope-from") == "a@b.example"


@given(st.text(alphabet='spf=dkim ;()"\\.\r\n\t1aé', max_size=120))
def test_no_text_makes_them_raise(text: str) -> None:
    assert all(each.method for each in parse_authentication_results(text).results)
    assert parse_received_spf(text).result in {None, "pass", "fail", "softfail", "neutral", "none"}


def test_a_huge_field_of_brackets_is_read_in_bounded_time() -> None:
    assert parse_authentication_results("(" * 500_000).results == ()
