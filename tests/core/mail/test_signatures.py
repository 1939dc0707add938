"""Signatures by the RFCs' own example and by messages signed here: what passes, what fails, and why."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.mail.conversation import converse
from portero.core.mail.signatures import (
    ArcResult,
    Signature,
    SignatureResult,
    identifiers,
    key_questions,
    keys,
    verify_arc,
    verify_dkim,
)
from support.signed import ED25519, KEYS, MESSAGE, PLAIN, RSA, pair, sealed

dkim = pytest.importorskip("dkim", reason="the extra dkim is not installed")

RECEIVED = datetime(2018, 6, 10, 14, 0, tzinfo=UTC)


def dns(**changes: str) -> Dns:
    held = {
        **KEYS,
        **{f"{selector}._domainkey.football.example.com": text for selector, text in changes.items()},
    }
    return Dns(DnsAnswer(name, "TXT", DnsStatus.NOERROR, (text,)) for name, text in held.items())


def results(message: bytes = MESSAGE, held: Dns | None = None, at: datetime | None = RECEIVED) -> list[str]:
    return [each.result.value for each in verify_dkim(message, dns() if held is None else held, at)]


def test_the_rfcs_example_passes_with_both_keys() -> None:
    first, second = verify_dkim(MESSAGE, dns(), RECEIVED)

    assert first == Signature(
        "football.example.com", "brisbane", "ed25519-sha256", SignatureResult.PASS, "@football.example.com"
    )
    assert (second.algorithm, second.result) == ("rsa-sha256", "pass")
    assert [each.result for each in identifiers((first, second))] == ["pass", "pass"]


def test_line_ends_do_not_matter() -> None:
    assert results(MESSAGE.replace(b"\n", b"\r\n")) == ["pass", "pass"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"lost the game", b"won the game", "the body was changed"),
        (b"Is dinner ready?", b"Is lunch ready?", "does not match"),
        (b"Joe SixPack", b"Joe Sixpack", "does not match"),
        (b"Subject: Is", b"Subject: More\nSubject: Is", "does not match"),
    ],
)
def test_what_was_signed_and_is_not_so_any_more_fails(old: bytes, new: bytes, says: str) -> None:
    changed = verify_dkim(MESSAGE.replace(old, new), dns(), RECEIVED)

    assert {each.result for each in changed} == {SignatureResult.FAIL}
    assert all(says in str(each.problem) for each in changed)


def test_a_second_visible_from_does_not_hide_behind_the_signature() -> None:
    assert results(MESSAGE.replace(b"From: Joe", b"From: evil@example.org\nFrom: Joe")) == ["fail", "fail"]


@pytest.mark.parametrize(
    ("key", "expected", "says"),
    [
        ("v=DKIM1; k=rsa; p=", "permerror", "revoked"),
        ("unrelated", "permerror", "no key"),
        (RSA.replace("k=rsa", "k=rsa; h=sha1"), "permerror", "SHA-256"),
        (RSA.replace("k=rsa", "k=rsa; s=tlsrpt"), "permerror", "does not allow"),
        (RSA.replace("MIGf", "MIGg"), "permerror", "not an RSA key"),
        (ED25519, "permerror", ""),
    ],
)
def test_a_key_that_cannot_be_used_is_a_permanent_error(key: str, expected: str, says: str) -> None:
    second = verify_dkim(MESSAGE, dns(test=key), RECEIVED)[1]

    assert second.result == expected
    assert says in str(second.problem)


def test_a_key_under_test_authenticates_nothing() -> None:
    second = verify_dkim(MESSAGE, dns(test=RSA + "; t=y"), RECEIVED)[1]

    assert (second.result, second.testing, second.identifier.result) == ("pass", True, "neutral")


def test_a_key_that_allows_no_sub_domain_refuses_one_in_the_identity() -> None:
    assert results(held=dns(test=RSA + "; t=s")) == ["pass", "pass"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (DnsStatus.NXDOMAIN, "permerror"), (DnsStatus.NOERROR, "permerror"), (DnsStatus.SERVFAIL, "temperror"),
        (DnsStatus.TIMEOUT, "temperror"), (DnsStatus.TRUNCATED, "temperror"), (DnsStatus.UNKNOWN, "unknown"),
    ],
)  # fmt: skip
def test_how_the_question_for_the_key_ended_is_kept_apart(status: DnsStatus, expected: str) -> None:
    held = Dns(DnsAnswer(name, "TXT", status) for name in KEYS)

    assert results(held=held) == [expected, expected]


def test_keys_are_asked_as_a_conversation() -> None:
    assert [str(question) for question in key_questions(MESSAGE)] == [f"{name} TXT" for name in KEYS]
    assert results(held=converse(dns(), keys(MESSAGE))) == ["pass", "pass"]


def test_the_clock_is_the_receivers_and_not_the_machines() -> None:
    expiring = _signed(b"x=1528724309; ")

    assert results(expiring, _own(), datetime(2018, 6, 11, tzinfo=UTC)) == ["pass"]
    assert results(expiring, _own(), datetime(2018, 6, 12, tzinfo=UTC)) == ["permerror"]
    assert results(expiring, _own(), None) == ["pass"]
    assert results(at=datetime(2018, 6, 9, tzinfo=UTC)) == ["permerror", "permerror"]


# A key pair of this test's own: 1024 bits, for nothing else.
def _own() -> Dns:
    return Dns([DnsAnswer("own._domainkey.football.example.com", "TXT", DnsStatus.NOERROR, (pair()[1],))])


def _signed(extra: bytes = b"", **given: object) -> bytes:
    """Sign the plain message; `extra` tags go into the signature before it is made."""
    library = dkim.DKIM(PLAIN)
    if extra:
        made = library.gen_header

        def gen_header(fields: list[tuple[bytes, bytes]], *rest: object, **named: object) -> object:
            tag, _, value = extra.strip(b"; ").partition(b"=")
            kept = [(name, text) for name, text in fields if name != b"t"]
            at = next(number for number, (name, _) in enumerate(kept) if name == b"h")
            return made([*kept[:at], (tag, value), *kept[at:]], *rest, **named)

        library.gen_header = gen_header
    return bytes(library.sign(b"own", b"football.example.com", pair()[0], **given)) + PLAIN


def test_a_length_limit_is_shown_since_what_follows_it_is_anybodys() -> None:
    [found] = verify_dkim(_signed(length=True) + b"More.\n", _own())

    assert (found.result, found.body_octets) == (
        SignatureResult.PASS,
        len(PLAIN.partition(b"\n\n")[2].replace(b"\n", b"\r\n")),
    )


@pytest.mark.parametrize(
    "canonicalize", [(b"simple", b"simple"), (b"relaxed", b"simple"), (b"simple", b"relaxed")]
)
def test_each_canonicalisation_verifies_and_simple_forgives_no_space(
    canonicalize: tuple[bytes, bytes],
) -> None:
    signed = _signed(canonicalize=canonicalize)
    spaced = signed.replace(b"Subject: Is dinner", b"Subject:  Is dinner")

    assert results(signed, _own(), None) == ["pass"]
    assert results(spaced, _own(), None) == ["pass" if canonicalize[0] == b"relaxed" else "fail"]


def test_sha1_and_signatures_that_leave_the_sender_out_do_not_count() -> None:
    old = MESSAGE.replace(b"a=rsa-sha256", b"a=rsa-sha1")

    assert results(old) == ["pass", "permerror"]
    assert (
        results(
            MESSAGE.replace(b"h=from : to : subject", b"h=to : subject").replace(
                b"message-id : from :", b"message-id :"
            )
        )[1]
        == "permerror"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"v=1; a=rsa", b"v=2; a=rsa"), (b"a=rsa-sha256", b"a=rsa-sha512"), (b"i=@football", b"i=@elsewhere"),
        (b"q=dns/txt; s=test", b"q=carrier/pigeon; s=test"), (b"t=1528637909; h=from : to : subject", b"t=soon; h=from : to : subject"),
        (b"s=test; ", b""), (b"d=football.example.com", b""),
    ],
)  # fmt: skip
def test_a_signature_against_the_grammar_is_a_permanent_error(old: bytes, new: bytes) -> None:
    assert results(MESSAGE.replace(old, new))[1] == "permerror"


def test_mail_without_a_signature_has_none() -> None:
    assert results(PLAIN) == []
    assert verify_arc(PLAIN, dns()).result is ArcResult.NONE


def test_more_signatures_than_anybody_needs_are_not_looked_at() -> None:
    assert len(results(MESSAGE[: MESSAGE.index(b"From: Joe")] * 20 + PLAIN)) == 10


def test_an_arc_chain_passes_breaks_and_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    held = sealed(monkeypatch)

    assert verify_arc(held, _own()).result is ArcResult.PASS
    assert verify_arc(held, _own()).sets[0].sealer == "football.example.com"
    assert verify_arc(held.replace(b"lost", b"won"), _own()).result is ArcResult.FAIL
    assert verify_arc(held, Dns()).result is ArcResult.UNKNOWN
    failed = Dns([DnsAnswer("own._domainkey.football.example.com", "TXT", DnsStatus.SERVFAIL)])
    assert verify_arc(held, failed).result is ArcResult.TEMPERROR


@given(st.binary(max_size=400), st.integers(0, len(MESSAGE)))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_no_message_raises(noise: bytes, place: int) -> None:
    for message in (
        noise,
        MESSAGE[:place] + noise + MESSAGE[place:],
        b"DKIM-Signature: " + noise,
        b"ARC-Seal: i=1; " + noise,
    ):
        verify_dkim(message, dns(), RECEIVED)
        verify_arc(message, dns())
        key_questions(message)


def test_a_field_without_end_is_refused_at_once() -> None:
    for filler in (b" \n" * 9000, b"b=" + b" \t" * 9000, b"=" * 20000):
        message = (
            b"DKIM-Signature: v=1; d=football.example.com; s=test; h=from; " + filler + b"x\nFrom: a@b\n\n"
        )
        assert set(results(message)) <= {"permerror"}
        assert (
            verify_arc(b"ARC-Seal: i=1; " + filler + b"x\nFrom: a@b\n\n", dns()).result is not ArcResult.PASS
        )
