"""Records of others that an SPF record includes: who is let in by them alone."""

from __future__ import annotations

import pytest

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.evidence import Origin
from portero.core.mail.spf_loans import Loans

PUBLISHED = {
    "contoso.com": "v=spf1 ip4:203.0.113.10 include:_spf.contoso.com include:few.example include:many.example ~all",
    "_spf.contoso.com": "v=spf1 ip4:192.0.2.7 include:made.example -all",
    "few.example": "v=spf1 ip4:198.51.100.0/24 -all",
    "many.example": "v=spf1 include:a.many.example ip4:203.0.113.0/24 -all",
    "a.many.example": "v=spf1 ip4:167.89.0.0/17 -all",
    "made.example": "v=spf1 exists:%{i}.made.example ip4:10.9.9.9 -all",
    "lent.example": "v=spf1 redirect=many.example",
}
RECORDS = Dns(
    DnsAnswer(name, "TXT", DnsStatus.NOERROR, (record,), Origin("dns.jsonl"))
    for name, record in PUBLISHED.items()
)


@pytest.mark.parametrize(
    ("address", "domain", "lender"),
    [
        ("167.89.100.4", "contoso.com", "many.example"),
        ("203.0.113.10", "contoso.com", None),  # a term of its own lists it, whoever else does
        ("203.0.113.11", "contoso.com", "many.example"),
        ("198.51.100.9", "contoso.com", None),  # as few addresses as one customer may have
        ("192.0.2.7", "contoso.com", None),
        ("10.9.9.9", "contoso.com", "made.example"),  # by way of an own record; what macros make has no end
        ("45.1.1.1", "contoso.com", None),  # it does not pass
        ("167.89.100.4", "lent.example", "many.example"),
        ("167.89.100.4", "unknown.example", None),
    ],
)
def test_the_record_of_others_by_which_alone_an_address_passes(
    address: str, domain: str, lender: str | None
) -> None:
    loans = Loans(RECORDS, lambda name: name.endswith("contoso.com"))

    assert loans.lender(address, domain) == lender


def test_a_record_that_is_taken_for_ours_lends_to_nobody() -> None:
    loans = Loans(RECORDS, lambda _: True)

    assert loans.lender("167.89.100.4", "contoso.com") is None
