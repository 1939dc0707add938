"""Received fields of the mail systems administrators meet."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.mail.received import Hop, parse_hops, parse_received

AT = "Tue, 24 Nov 2026 11:00:05 +0100"
EXCHANGE = (
    "from scanner (203.0.113.10) by AM7EUR.mail.protection.outlook.com (10.13.1.1) with Microsoft SMTP Server"
    f"{{}} id 15.20.9000.1 via Frontend Transport; {AT}"
)
TLS = " (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)"


def test_exchanges_first_hop_without_encryption() -> None:
    hop = parse_received(EXCHANGE.format(""))

    assert hop == Hop(
        client_ip="203.0.113.10", helo="scanner", client_name="", by="AM7EUR.mail.protection.outlook.com",
        by_ip="10.13.1.1", protocol="Microsoft SMTP Server", via="Frontend Transport", id="15.20.9000.1", rcpt_to="",
        tls=False, tls_version="", observed_at=datetime(2026, 11, 24, 10, 0, 5, tzinfo=UTC),
    )  # fmt: skip


def test_exchange_writes_the_version_of_every_encrypted_connection() -> None:
    hop = parse_received(EXCHANGE.format(TLS))

    assert (hop.tls, hop.tls_version) == (True, "TLS1_2")


@pytest.mark.parametrize(
    ("text", "ip", "helo", "name", "tls"),
    [
        ("from mx.a.example (mx.a.example [192.0.2.1]) (using TLSv1.3 with cipher X (256/256 bits)) by b (Postfix) with ESMTPS id 1 for <u@b.example>", "192.0.2.1", "mx.a.example", "mx.a.example", True),
        ("from unknown (unknown [IPv6:2001:db8::1]) by b (Postfix) with SMTP id 1", "2001:db8::1", "unknown", "", False),
        ("from [192.0.2.1] (helo=pc.example) by b with esmtpsa (TLS1.3) tls TLS_AES (Exim 4.98) (envelope-from <a@b.example>) id 1", "192.0.2.1", "pc.example", "", True),
        ("from host.example ([192.0.2.1] helo=pc) by b with esmtp (Exim 4.98) id 1", "192.0.2.1", "pc", "host.example", False),
        ("from unknown (HELO pc.example) (192.0.2.1) by b with SMTP", "192.0.2.1", "pc.example", "unknown", False),
        ("from [127.0.0.1] (198.51.100.4) by c.mail.protection.outlook.com with Microsoft SMTP Server", "198.51.100.4", "127.0.0.1", "", False),
        ("from AM0PR.eurprd.prod.outlook.com ([fe80::1]) by AM0PR.eurprd.prod.outlook.com ([fe80::1%4]) with mapi id 15.20", "fe80::1", "AM0PR.eurprd.prod.outlook.com", "", None),
        ("by mx.google.com with SMTP id x", None, "", "", False),
        ("(qmail 12977 invoked from network)", None, "", "", None),
    ],
)  # fmt: skip
def test_other_mail_systems(text: str, ip: str | None, helo: str, name: str, tls: bool | None) -> None:
    hop = parse_received(f"{text}; {AT}")

    assert (hop.client_ip, hop.helo, hop.client_name, hop.tls) == (ip, helo, name, tls)
    assert hop.observed_at is not None


def test_the_recipient_and_the_id_are_read() -> None:
    hop = parse_received(f"from a by b.example with ESMTP id QXYZ for <u@b.example>; {AT}")

    assert (hop.by, hop.id, hop.rcpt_to, hop.protocol) == ("b.example", "QXYZ", "u@b.example", "ESMTP")


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Tue, 99 Nov 2026 11:00:05 +0100", "Fri, 31 Dec 9999 23:59:59 -2359"]
)
def test_a_date_nobody_can_read_is_none(date: str) -> None:
    assert parse_received(f"from a by b; {date}").observed_at is None


def test_hops_keep_their_order() -> None:
    assert [hop.by for hop in parse_hops(["from x by second", "from y by first"])] == ["second", "first"]


@given(st.text(alphabet="frombywithidvia ()[];:.<>0123456789abcdef\r\n\té", max_size=150))
def test_no_text_makes_it_raise(text: str) -> None:
    hop = parse_received(text)

    assert hop.tls in {True, False, None}
    assert hop.observed_at is None or hop.observed_at.tzinfo is UTC
