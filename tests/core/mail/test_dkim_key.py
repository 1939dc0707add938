"""DKIM key records: lengths measured, weakness and revocation named."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.mail.dkim_key import parse_key, rsa_bits


def der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def rsa(bits: int, *, bare: bool = False) -> str:
    modulus = (1 << (bits - 1)) | 1
    numbers = der(2, b"\x00" * (bits % 8 == 0) + modulus.to_bytes((bits + 7) // 8, "big")) + der(
        2, b"\x01\x00\x01"
    )
    key = der(0x30, numbers)
    if not bare:
        algorithm = der(0x30, bytes.fromhex("06092a864886f70d010101") + b"\x05\x00")
        key = der(0x30, algorithm + der(3, b"\x00" + key))
    return base64.b64encode(key).decode()


# RFC 8463 appendix A.2.
ED25519 = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
# RFC 6376 appendix C.
APPENDIX_C = (
    "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"
    "IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhi"
    "tdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
)


def test_the_key_of_rfc_6376_has_1024_bits_and_is_weak() -> None:
    key = parse_key(APPENDIX_C)

    assert key is not None
    assert (key.algorithm, key.bits, key.weak, key.usable) == ("rsa", 1024, True, True)


def test_the_key_of_rfc_8463_is_strong() -> None:
    key = parse_key(ED25519)

    assert key is not None
    assert (key.algorithm, key.bits, key.weak, key.faults) == ("ed25519", 256, False, ())


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize(("bits", "usable", "weak"), [(768, False, True), (1024, True, True), (2048, True, False), (4096, True, False)])  # fmt: skip
def test_lengths_are_measured(bits: int, usable: bool, weak: bool, bare: bool) -> None:
    key = parse_key(f"k=rsa; p={rsa(bits, bare=bare)}")

    assert key is not None
    assert (key.bits, key.usable, key.weak) == (bits, usable, weak)


def test_the_version_is_optional_and_comes_first() -> None:
    assert parse_key(f"p={rsa(2048)}") is not None
    assert parse_key(f"p={rsa(2048)}; v=DKIM1") is None
    assert parse_key(f"v=DKIM2; p={rsa(2048)}") is None
    assert parse_key("v=spf1 -all") is None


def test_an_empty_key_is_revoked() -> None:
    key = parse_key("v=DKIM1; p=")

    assert key is not None
    assert (key.revoked, key.usable) == (True, False)


def test_a_test_flag_is_seen_among_others() -> None:
    key = parse_key(f"v=DKIM1; t=s:y; p={rsa(2048)}")

    assert key is not None
    assert key.testing
    assert len(key.faults) == 1


@pytest.mark.parametrize("tail", ["p=***", "p=AAAA", "k=ed25519; p=AAAA", "k=dsa; p=AAAA", "h=sha1; p=" + rsa(2048), "s=tlsrpt; p=" + rsa(2048)])  # fmt: skip
def test_what_no_verifier_can_use_is_named(tail: str) -> None:
    key = parse_key(f"v=DKIM1; {tail}")

    assert key is not None
    assert not key.usable
    assert key.faults


def test_spaces_inside_the_key_do_not_count() -> None:
    text = rsa(2048)
    key = parse_key(f"v=DKIM1; p={text[:50]} {text[50:]}")

    assert key is not None
    assert key.bits == 2048


@given(st.binary(max_size=60))
def test_no_octets_make_it_raise(octets: bytes) -> None:
    assert rsa_bits(octets) is None or rsa_bits(octets) > 0


@given(st.text(max_size=120))
def test_no_text_makes_it_raise(text: str) -> None:
    key = parse_key("p=" + text)
    assert key is None or key.text == "p=" + text
