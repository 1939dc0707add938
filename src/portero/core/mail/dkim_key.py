"""DKIM key records judged: what kind of key, how long, revoked or under test, and what is wrong with the record."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache

from portero.core.text import Text

MAX_RECORD = 65535
# Verifiers must accept no key shorter than 1024 bits; signers should use 2048. Source: RFC 8301 section 3.2.
SHORTEST_BITS = 1024
ADVISED_BITS = 2048

_TAG = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\s*=(.*)\Z", re.DOTALL)
_RSA = bytes.fromhex("06092a864886f70d010101")  # the object identifier rsaEncryption (RFC 8017 appendix A.1)
_SEQUENCE, _INTEGER, _BIT_STRING = 0x30, 0x02, 0x03
_ED25519_OCTETS = 32  # RFC 8463 section 4.1: the key itself, without any wrapping


@dataclass(frozen=True, slots=True)
class DkimKey:
    """
    One key record.

    algorithm:  k, ``rsa`` where it is not named.
    bits:       length of the modulus, 256 for ed25519, None where the key cannot be read.
    revoked:    p is there and empty.
    testing:    t holds ``y``: verifiers treat signed mail as unsigned.
    usable:     a verifier can check a signature with it.
    faults:     what is wrong or weak.
    """

    text: str
    algorithm: str
    bits: int | None
    revoked: bool
    testing: bool
    usable: bool
    hashes: tuple[str, ...]
    faults: tuple[Text, ...]

    @property
    def weak(self) -> bool:
        """Tell whether it is an RSA key shorter than the 2048 bits that are advised."""
        return self.algorithm == "rsa" and self.bits is not None and self.bits < ADVISED_BITS


@lru_cache(maxsize=4096)
def parse_key(text: str) -> DkimKey | None:
    """
    Read a TXT record at ``selector._domainkey.domain``; None where it is no key record. Nothing raises.

    ``v=`` is optional, but must come first and be DKIM1 where it stands.
    Source: RFC 6376 section 3.6.1; RFC 8301; RFC 8463.
    """
    tags: dict[str, str] = {}
    faults: list[Text] = []
    for number, piece in enumerate(text[:MAX_RECORD].split(";")):
        if not piece.strip():
            continue
        found = _TAG.match(piece.strip())
        if found is None:
            faults.append(Text("{piece} is not a tag", piece=piece.strip()[:60]))
            continue
        if found[1] in tags:
            faults.append(Text("{tag} stands twice", tag=found[1]))
        elif found[1] == "v" and (number > 0 or found[2].strip() != "DKIM1"):
            return None
        else:
            tags[found[1]] = found[2].strip()
    if "p" not in tags:
        return None
    algorithm = tags.get("k", "rsa").lower()
    key = "".join(tags["p"].split())
    bits = _bits(algorithm, key, faults) if key else None
    hashes = tuple(part.strip().lower() for part in tags["h"].split(":")) if tags.get("h") else ()
    if hashes and "sha256" not in hashes:
        faults.append(Text("h allows no SHA-256, and verifiers must not use SHA-1"))
    services = {part.strip().lower() for part in tags.get("s", "*").split(":")}
    if not services & {"*", "email"}:
        faults.append(Text("s does not allow the key for mail"))
    testing = "y" in {part.strip().lower() for part in tags.get("t", "").split(":")}
    if not key:
        faults.append(Text("the key is revoked"))
    if testing:
        faults.append(Text("the key is marked as a test"))
    strong = bits is not None and (algorithm != "rsa" or bits >= SHORTEST_BITS)
    allowed = bool(services & {"*", "email"}) and (not hashes or "sha256" in hashes)
    return DkimKey(text, algorithm, bits, not key, testing, strong and allowed, hashes, tuple(faults))


def _bits(algorithm: str, key: str, faults: list[Text]) -> int | None:
    try:
        octets = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        faults.append(Text("p is not base64"))
        return None
    if algorithm == "ed25519":
        if len(octets) != _ED25519_OCTETS:
            faults.append(Text("p is not an Ed25519 key"))
            return None
        return 256
    if algorithm != "rsa":
        faults.append(Text("{algorithm} is no algorithm that verifiers know", algorithm=algorithm))
        return None
    bits = rsa_bits(octets)
    if bits is None:
        faults.append(Text("p is not an RSA key"))
    elif bits < SHORTEST_BITS:
        faults.append(Text("the key has {bits} bits, and verifiers refuse fewer than 1024", bits=bits))
    elif bits < ADVISED_BITS:
        faults.append(Text("the key has {bits} bits, and 2048 are advised", bits=bits))
    return bits


def rsa_bits(octets: bytes) -> int | None:
    """
    Measure the modulus of a DER key in bits; None where the octets hold no RSA key.

    Reads SubjectPublicKeyInfo, which RFC 6376 asks for, and the bare RSAPublicKey, which some publish.
    Source: RFC 8017 appendix A.1.1; RFC 5280 section 4.1.
    """
    outer = _element(octets, _SEQUENCE)
    if outer is None:
        return None
    inside, rest = outer
    if rest:
        return None
    algorithm = _element(inside, _SEQUENCE)
    if algorithm is not None:
        if not algorithm[0].startswith(_RSA):
            return None
        held = _element(algorithm[1], _BIT_STRING)
        if held is None or held[1] or not held[0].startswith(b"\x00"):
            return None
        key = _element(held[0][1:], _SEQUENCE)
        if key is None:
            return None
        inside = key[0]
    modulus = _element(inside, _INTEGER)
    exponent = _element(modulus[1], _INTEGER) if modulus is not None else None
    if modulus is None or exponent is None or exponent[1]:
        return None
    return int.from_bytes(modulus[0], "big").bit_length() or None


def _element(octets: bytes, tag: int) -> tuple[bytes, bytes] | None:
    """Take one DER element of a given tag; gives its content and what follows it."""
    if len(octets) < 2 or octets[0] != tag:
        return None
    length, start = octets[1], 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or len(octets) < 2 + size:
            return None
        length, start = int.from_bytes(octets[2 : 2 + size], "big"), 2 + size
    end = start + length
    return (octets[start:end], octets[end:]) if end <= len(octets) else None
