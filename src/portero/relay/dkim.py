"""Signs messages as they leave: DKIM with RSA or Ed25519, relaxed in headers and body."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from portero.core.address import domain_of
from portero.core.text import Text
from portero.errors import ConfigError
from portero.relay.envelope import Envelope
from portero.relay.headers import split_head
from portero.relay.settings import Dkim
from portero.relay.transport import unstuffed

# Source: RFC 6376 section 5.4.1, and our own stamp.
_SIGNED = (
    "from", "sender", "reply-to", "subject", "date", "message-id", "to", "cc", "mime-version", "content-type",
    "content-transfer-encoding", "in-reply-to", "references", "x-portero-relay",
)  # fmt: skip
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)\r\n")
_SPACES = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class _Key:
    """One domain's key: its algorithm's name and what signs."""

    domain: str
    selector: str
    algorithm: str
    sign: Callable[[bytes], bytes]


class Signer:
    """
    Signs the mail of the domains it has keys for.

    clock:  seconds since 1970, for the signature's time.
    Raises ConfigError where a key cannot be read.
    """

    def __init__(self, keys: Iterable[Dkim], clock: Callable[[], float]) -> None:
        self._keys: dict[str, list[_Key]] = {}
        self._clock = clock
        for each in keys:
            self._keys.setdefault(each.domain, []).append(_read_key(each))

    def sign(self, envelope: Envelope, content: bytes) -> bytes:
        """Put a signature before a content, dot-stuffed as it was; a domain without a key stays as it is."""
        keys = self._keys.get(domain_of(envelope.header_from), ())
        if not keys:
            return content
        head, rest = split_head(unstuffed(content))
        body_hash = base64.b64encode(hashlib.sha256(relaxed_body(rest[2:])).digest()).decode()
        fields = [(name.lower(), value) for name, value in _FIELD.findall(head)]
        signatures = [self._signature(key, fields, body_hash) for key in keys]
        return b"".join(signatures) + content

    def _signature(self, key: _Key, fields: list[tuple[bytes, bytes]], body_hash: str) -> bytes:
        names = [name for name in _SIGNED for field, _ in fields if field.decode("ascii") == name]
        # From is named once more than it stands: a second one put before it later breaks the signature.
        value = (
            f" v=1; a={key.algorithm}; c=relaxed/relaxed; d={key.domain}; s={key.selector};\r\n"
            f"\tt={int(self._clock())}; h={':'.join([*names, 'from'])};\r\n\tbh={body_hash};\r\n\tb="
        )
        # Several fields of one name are signed from the last upwards. Source: RFC 6376 section 5.4.2.
        left = {name: [text for field, text in fields if field.decode("ascii") == name] for name in names}
        signed = b"".join(relaxed_field(name.encode(), left[name].pop()) + b"\r\n" for name in names)
        signed += relaxed_field(b"dkim-signature", value.encode())
        text = base64.b64encode(key.sign(signed)).decode()
        folded = "\r\n\t".join(text[at : at + 72] for at in range(0, len(text), 72))
        return f"DKIM-Signature:{value}{folded}\r\n".encode()


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """Give a field in relaxed form, without its line end. Source: RFC 6376 section 3.4.2."""
    return name.lower() + b":" + _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t")


def relaxed_body(body: bytes) -> bytes:
    """Give a body in relaxed form. Source: RFC 6376 section 3.4.4."""
    # Attachments hold neither; searches backwards cost a tenth of an expression over the whole.
    lines = body.replace(b"\t", b" ") if b"\t" in body else body
    if b" " in lines:
        while lines.rfind(b"  ") >= 0:
            lines = lines.replace(b"  ", b" ")
        lines = lines.replace(b" \r\n", b"\r\n")
    if lines.endswith(b" "):
        lines = lines[:-1]
    lines = lines.rstrip(b"\r\n")
    return lines + b"\r\n" if lines else b""


def _read_key(setting: Dkim) -> _Key:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

    try:
        key = serialization.load_pem_private_key(setting.key.read().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError((_unusable(setting, str(error)),)) from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        # What is signed is the hash. Source: RFC 8463 section 3.
        edwards = key
        return _Key(
            setting.domain,
            setting.selector,
            "ed25519-sha256",
            lambda data: edwards.sign(hashlib.sha256(data).digest()),
        )
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 1024:
        classic = key
        return _Key(
            setting.domain,
            setting.selector,
            "rsa-sha256",
            lambda data: classic.sign(data, padding.PKCS1v15(), hashes.SHA256()),
        )
    raise ConfigError((_unusable(setting, "RSA from 1024 bits, Ed25519"),))


def _unusable(setting: Dkim, reason: str) -> Text:
    return Text(
        "The DKIM key of {domain} cannot be used: {reason}. Give a PEM private key, RSA or Ed25519.",
        domain=setting.domain,
        reason=reason,
    )
