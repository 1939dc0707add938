"""A mail's own signatures by DNS evidence: verified, undetermined without evidence, and laid beside what the header says."""

from __future__ import annotations

import pytest

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.explain import Verdict
from portero.core.message.arrival import Known
from portero.core.message.proof import Proof
from portero.opening.judge import Judge, Task
from support.attachments import HEAD
from support.compound import outlook
from support.letters import DOOR, body, file_part, text_part
from support.signed import KEYS, MESSAGE, pair, sealed

pytest.importorskip("dkim", reason="the extra dkim is not installed")

BY_EXCHANGE = (
    "Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=football.example.com;"
    " dkim={claimed} header.d=football.example.com;dmarc=pass action=none header.from=football.example.com\r\n"
    f"Received: from mail.football.example.com (192.0.2.1) by {DOOR} (10.0.0.1) with Microsoft SMTP Server id 15.20.1.1"
    " via Frontend Transport; Sun, 10 Jun 2018 14:00:00 +0000\r\n"
)


def dns(**changes: str) -> Dns:
    return Dns(
        DnsAnswer(name, "TXT", DnsStatus.NOERROR, (text,)) for name, text in {**KEYS, **changes}.items()
    )


def proofs(octets: bytes, held: Dns | None) -> tuple[Proof, ...]:
    verdict = Judge(Known(dns=held))(Task("d", octets))
    assert isinstance(verdict, Verdict)
    return verdict.proofs


def results(octets: bytes, held: Dns | None) -> list[tuple[str, str, str, str | None]]:
    return [(each.kind, each.selector, each.result, each.claimed) for each in proofs(octets, held)]


def arrived(octets: bytes = MESSAGE, claimed: str = "pass (signature was verified)") -> bytes:
    return BY_EXCHANGE.format(claimed=claimed).encode() + octets


def test_signatures_are_verified_and_laid_beside_the_headers_results() -> None:
    assert results(arrived(), dns()) == [
        ("dkim", "brisbane", "pass", "pass"),
        ("dkim", "test", "pass", None),
    ]


def test_what_the_header_claims_changes_nothing_of_what_is_verified() -> None:
    changed = arrived(MESSAGE.replace(b"lost the game", b"won the game"))

    assert [(each.result, each.claimed, str(each.why)) for each in proofs(changed, dns())] == [
        ("fail", "pass", "the body was changed after signing"),
        ("fail", None, "the body was changed after signing"),
    ]
    assert [each[2:] for each in results(arrived(claimed="fail (no key)"), dns())] == [
        ("pass", "fail"),
        ("pass", None),
    ]


@pytest.mark.parametrize("held", [None, Dns()])
def test_without_evidence_nothing_is_claimed(held: Dns | None) -> None:
    found = proofs(arrived(), held)

    assert [each.result for each in found] == ["undetermined", "undetermined"]
    assert {str(each.why) for each in found} == {"no DNS answers were handed over"}
    assert [each.claimed for each in found] == ["pass", None]


def test_evidence_that_lacks_the_key_leaves_it_open() -> None:
    other = Dns([DnsAnswer("football.example.com", "TXT", DnsStatus.NOERROR, ("v=spf1 -all",))])

    assert {each.result for each in proofs(arrived(), other)} == {"undetermined"}


def test_a_header_alone_proves_nothing() -> None:
    (first, _) = proofs(arrived().partition(b"\n\n")[0], dns())

    assert (first.result, str(first.why)) == ("undetermined", "only the header is there")


def test_an_outlook_file_is_not_what_was_signed() -> None:
    head = MESSAGE.partition(b"\n\n")[0].decode() + HEAD

    assert {each.result for each in proofs(outlook(head, "Hi."), dns())} == {"undetermined"}


def test_of_a_users_report_the_originals_signatures_count() -> None:
    report = (
        b"From: ana@contoso.com\r\nSubject: 3|Dinner\r\n"
        + body(text_part("x"), file_part("o.eml", "message/rfc822", arrived())).encode()
    )

    assert [each[2] for each in results(report, dns())] == ["pass", "pass"]


def test_mail_without_signatures_has_no_proofs() -> None:
    assert proofs(b"From: a@b.example\r\nSubject: x\r\n\r\nHello\r\n", dns()) == ()


def test_an_arc_chain_is_verified_by_its_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = sealed(monkeypatch)
    held = dns(**{"own._domainkey.football.example.com": pair()[1]})

    (chain,) = (each for each in proofs(mail, held) if each.kind == "arc")
    (broken,) = (each for each in proofs(mail.replace(b"lost", b"won"), held) if each.kind == "arc")
    (unknown,) = (each for each in proofs(mail, dns()) if each.kind == "arc")

    assert (chain.domain, chain.result, chain.claimed) == ("football.example.com", "pass", None)
    assert broken.result == "fail"
    assert unknown.result == "undetermined"
