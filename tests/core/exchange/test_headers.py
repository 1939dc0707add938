"""Exchange's own headers: read as stamped, and nothing taken from renamed copies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.exchange.headers import (
    CompositeReason,
    composite_authentication,
    parse_report,
    read_exchange_headers,
)

REPORT = (
    "CIP:203.0.113.10;CTRY:ES;LANG:es;SCL:5;SRV:;IPV:NLI;SFV:SPM;H:[192.168.1.9];PTR:InfoDomainNonexistent;CAT:SPOOF;"
    "SFS:(13230040)(4022899009);DIR:INB;SFTY:9.25;NEW:thing;"
)
ORG, CROSS = "X-MS-Exchange-Organization-", "X-MS-Exchange-CrossTenant-"


def test_the_antispam_report() -> None:
    report = parse_report(REPORT)

    assert (report.client_ip, report.scl, report.verdict, report.category, report.direction) == (
        "203.0.113.10", 5, "SPM", "SPOOF", "INB",
    )  # fmt: skip
    assert (report.ehlo, report.ptr, report.safety, report.allowed_by_list) == (
        "[192.168.1.9]",
        "",
        "9.25",
        False,
    )
    assert report.values["NEW"] == "thing"


def test_an_address_of_version_six_keeps_its_colons() -> None:
    assert parse_report("CIP:2001:db8::5;SCL:-1;IPV:CAL").client_ip == "2001:db8::5"


def test_the_placeholder_address_is_none() -> None:
    report = parse_report("CIP:255.255.255.255;SCL:")

    assert (report.client_ip, report.scl, report.ptr) == (None, None, None)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("000", CompositeReason.EXPLICIT_FAILURE), ("001", CompositeReason.IMPLICIT_FAILURE),
        ("002", CompositeReason.BLOCKED_PAIR), ("010", CompositeReason.OWN_DOMAIN_FAILURE),
        ("100", CompositeReason.PASSED), ("130", CompositeReason.PASSED), ("201", CompositeReason.SOFT_PASS),
        ("301", CompositeReason.NOT_CHECKED), ("451", CompositeReason.BYPASSED),
        ("601", CompositeReason.OWN_DOMAIN_FAILURE), ("703", CompositeReason.PASSED),
        ("905", CompositeReason.BYPASSED), ("800", CompositeReason.UNDOCUMENTED),
    ],
)  # fmt: skip
def test_what_the_reason_of_compauth_means(code: str, meaning: CompositeReason) -> None:
    found = composite_authentication(
        f"spf=fail; dmarc=fail action=none header.from=a;compauth=fail reason={code}"
    )

    assert found is not None
    assert found.meaning is meaning


def test_compauth_may_be_missing() -> None:
    assert composite_authentication("spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.example") is None


def test_the_headers_of_a_direct_send_spoof() -> None:
    found = read_exchange_headers(
        [
            (ORG + "AuthAs", "Anonymous"),
            (ORG + "MessageDirectionality", "Incoming"),
            (ORG + "InternalOrgSender", "True"),
            (ORG + "IsAnonymousDirectSend", "True"),
            (ORG + "MxPointsToUs", "false"),
            (ORG + "SCL", "-1"),
            (ORG + "Network-Message-Id", "{0A1B2C3D-0000-4000-8000-000000000001}"),
            (ORG + "CompAuthRes", "None"),
            (ORG + "CompAuthReason", "451"),
            (CROSS + "FromEntityHeader", "Internet"),
            ("X-Microsoft-Antispam", "BCL:3;ARA:1"),
            (
                "X-Microsoft-Antispam-Mailbox-Delivery",
                "ucf:0;jmr:0;auth:0;dest:J;OFR:SpamFilterAuthJ;RF:JunkEmail;",
            ),
        ]
    )

    assert (found.auth_as, found.directionality, found.scl) == ("Anonymous", "Incoming", -1)
    assert (found.internal_org_sender, found.direct_send, found.mx_points_to_us) == (True, True, False)
    assert found.network_message_id == "0a1b2c3d-0000-4000-8000-000000000001"
    assert found.compauth is not None
    assert found.compauth.meaning is CompositeReason.BYPASSED
    assert (found.bulk_level, found.destination, found.delivery_reason) == (3, "J", "SpamFilterAuthJ")


def test_who_handed_mail_to_a_connector() -> None:
    found = read_exchange_headers(
        [
            (
                CROSS + "OriginalAttributedTenantConnectingIp",
                "TenantId=0A1B2C3D-0000-4000-8000-000000000002;Ip=[198.51.100.7];\r\n Helo=[relay.contoso.com]",
            )
        ]
    )

    assert found.attributed is not None
    assert (found.attributed.client_ip, found.attributed.ehlo) == ("198.51.100.7", "relay.contoso.com")


def test_renamed_copies_are_not_read() -> None:
    found = read_exchange_headers(
        [("X-Forefront-Antispam-Report-Untrusted", REPORT), (ORG + "AuthAs-Original", "Internal")]
    )

    assert (found.report, found.auth_as) == (None, None)


def test_the_newest_of_a_repeated_header_counts() -> None:
    assert (
        read_exchange_headers([(ORG + "AuthAs", "Anonymous"), (ORG + "AuthAs", "Internal")]).auth_as
        == "Anonymous"
    )


def test_absent_is_not_false() -> None:
    assert read_exchange_headers([]).direct_send is None


@given(st.text(max_size=80))
def test_no_text_makes_them_raise(text: str) -> None:
    names = ("X-Forefront-Antispam-Report", "Authentication-Results", ORG + "SCL", CROSS + "OriginalAttributedTenantConnectingIp")  # fmt: skip

    assert read_exchange_headers([(name, text) for name in names]).report is not None
