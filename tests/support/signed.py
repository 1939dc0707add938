"""Signed messages: the RFCs' own example with its keys, and an ARC chain sealed here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NamedTuple

import pytest

# RFC 8463 appendix A: the keys, and the message signed with both.
ED25519 = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
RSA = (
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi"
    "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kr"
    "yOTIKT+l/K4w3QIDAQAB"
)
MESSAGE = b"""DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""
KEYS = {
    "brisbane._domainkey.football.example.com": ED25519,
    "test._domainkey.football.example.com": RSA,
}
PLAIN = MESSAGE[MESSAGE.index(b"From: Joe") :]

_PRIVATE, _PUBLIC = "", ""


def pair() -> tuple[bytes, str]:
    import base64

    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import rsa

    global _PRIVATE, _PUBLIC
    if not _PRIVATE:
        key = rsa.generate_private_key(65537, 1024)
        _PRIVATE = key.private_bytes(
            form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption()
        ).decode()
        public = key.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
        _PUBLIC = "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()
    return _PRIVATE.encode(), _PUBLIC


class _Stamp(NamedTuple):
    method: str = "arc"
    result: str = "none"

    def __str__(self) -> str:
        return "arc=none"


def sealed(patch: pytest.MonkeyPatch, message: bytes = PLAIN) -> bytes:
    import dkim

    # The library seals with the help of another one, of which it needs no more than this.
    header = SimpleNamespace(authserv_id="lists.example.org", results=[_Stamp()])
    parser = SimpleNamespace(parse=lambda text: header)
    patch.setattr(
        dkim,
        "authres",
        SimpleNamespace(AuthenticationResultsHeader=parser, core=SimpleNamespace(SyntaxError=ValueError)),
        raising=False,
    )
    head = (
        b"Authentication-Results: lists.example.org; arc=none; spf=pass smtp.mfrom=joe@football.example.com\n"
    )
    lines = dkim.arc_sign(head + message, b"own", b"football.example.com", pair()[0], b"lists.example.org")
    return b"".join(lines) + head + message
