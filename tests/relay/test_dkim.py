"""Signatures that another implementation verifies, over messages that are awkward to canonicalise."""

import base64
from pathlib import Path

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from portero.errors import ConfigError
from portero.relay.dkim import Signer, relaxed_body
from portero.relay.envelope import Envelope
from portero.relay.secrets import Secret
from portero.relay.settings import Dkim
from portero.relay.transport import stuffed, unstuffed

RSA = rsa.generate_private_key(65537, 2048)
EDWARDS = ed25519.Ed25519PrivateKey.generate()
HEAD = b"From: scan@contoso.com\r\nTo: a@b.example\r\nSubject:  two   words\r\n folded\r\nReceived: x\r\n"


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def record(name: bytes, timeout: int = 5) -> bytes:
    if name.startswith(b"rsa."):
        der = RSA.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)
    raw = EDWARDS.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw)


def signer(*names: str) -> Signer:
    keys = {"rsa": pem(RSA), "ed": pem(EDWARDS)}
    return Signer(
        [Dkim("contoso.com", name, Secret("env", "X", lambda _, name=name: keys[name])) for name in names],
        lambda: 1000.0,
    )


def envelope(author: str = "scan@contoso.com") -> Envelope:
    return Envelope(1, 0.0, "", "", "", "", author, "", "", [], 0)


def good(signed: bytes) -> bool:
    try:
        return bool(dkimpy.DKIM(signed).verify(dnsfunc=record))
    except dkimpy.ValidationError:
        return False


BODIES = st.lists(
    st.sampled_from([b"text", b" ", b"\t", b"\r\n", b".", b"  x  ", "é".encode()]), max_size=12
).map(b"".join)


@pytest.mark.parametrize("name", ["rsa", "ed"])
@given(body=BODIES)
@settings(max_examples=25, deadline=None)
def test_another_implementation_verifies(name: str, body: bytes) -> None:
    content = stuffed(HEAD + b"\r\n" + body)
    signed = unstuffed(signer(name).sign(envelope(), content))
    assert signed.endswith(unstuffed(content))
    assert dkimpy.DKIM(signed).verify(dnsfunc=record)


def test_both_keys_sign() -> None:
    signed = signer("rsa", "ed").sign(envelope(), HEAD + b"\r\ntext\r\n")
    assert [dkimpy.DKIM(signed).verify(idx=n, dnsfunc=record) for n in (0, 1)] == [True, True]


@pytest.mark.parametrize("change", [(b"text", b"tex"), (b"scan@", b"evil@"), (b"two", b"2")])
def test_a_change_breaks_it(change: tuple[bytes, bytes]) -> None:
    signed = signer("rsa").sign(envelope(), HEAD + b"\r\ntext\r\n").replace(*change)
    assert not good(signed)


def test_a_second_from_breaks_it() -> None:
    signed = signer("rsa").sign(envelope(), HEAD + b"\r\ntext\r\n")
    assert not good(b"From: evil@x.example\r\n" + signed)


def test_other_domains_are_left_alone() -> None:
    assert signer("rsa").sign(envelope("a@fabrikam.com"), HEAD + b"\r\nt\r\n") == HEAD + b"\r\nt\r\n"


def test_a_key_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"contoso\.com cannot be used"):
        Signer([Dkim("contoso.com", "s", Secret("env", "X", lambda _: "no key"))], lambda: 0.0)


@pytest.mark.parametrize(
    ("body", "relaxed"),
    [(b"", b""), (b"\r\n\r\n", b""), (b" a \t b \r\n \r\n", b" a b\r\n"), (b"a", b"a\r\n")],
)
def test_relaxed_bodies(body: bytes, relaxed: bytes) -> None:
    assert relaxed_body(body) == relaxed


@given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"b.", b"   "]), max_size=40))
def test_relaxed_as_dkimpy_has_it(parts: list[bytes]) -> None:
    body = b"".join(parts) + b"\r\n"
    assert relaxed_body(body) == Relaxed.canonicalize_body(body)
