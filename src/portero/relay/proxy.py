"""Reads the PROXY header by which a load balancer says who is connected."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_V1_OCTETS = 107
# Addresses and extensions; more than this no balancer has a use for.
_V2_OCTETS = 2048


class ProxyFault(Exception):  # noqa: N818  (the protocol's word)
    """What came is no PROXY header."""


@dataclass(frozen=True, slots=True)
class Proxied:
    """
    A header that was read.

    client, port:  who is connected; None where the balancer speaks for itself (LOCAL, UNKNOWN).
    rest:          what follows the header.
    """

    client: str | None
    port: int
    rest: bytes


def read_proxy(data: bytes) -> Proxied | None:
    """
    Read a header of version 1 or 2; None while it is not complete. Raises ProxyFault.

    Source: the PROXY protocol, HAProxy, 2020-03-05, sections 2.1 and 2.2.
    """
    if _SIGNATURE.startswith(data[: len(_SIGNATURE)]):
        return _read_v2(data)
    if not b"PROXY ".startswith(data[:6]):
        raise ProxyFault("no header")
    end = data.find(b"\r\n")
    if end < 0:
        if len(data) >= _V1_OCTETS:
            raise ProxyFault("header too long")
        return None
    if end + 2 > _V1_OCTETS:
        raise ProxyFault("header too long")
    words = data[:end].split(b" ")
    rest = data[end + 2 :]
    if len(words) >= 2 and words[1] == b"UNKNOWN":
        return Proxied(None, 0, rest)
    if len(words) != 6 or words[1] not in {b"TCP4", b"TCP6"}:
        raise ProxyFault("header malformed")
    try:
        address = ipaddress.ip_address(words[2].decode("ascii"))
        port = int(words[4])
    except ValueError:
        raise ProxyFault("address malformed") from None
    if address.version != (4 if words[1] == b"TCP4" else 6) or not 0 <= port <= 65535:
        raise ProxyFault("address malformed")
    return Proxied(str(address), port, rest)


def _read_v2(data: bytes) -> Proxied | None:
    if len(data) < 16:
        return None
    version, family, size = struct.unpack("!BBH", data[12:16])
    if version >> 4 != 2 or version & 15 > 1 or size > _V2_OCTETS:
        raise ProxyFault("header malformed")
    if len(data) < 16 + size:
        return None
    body, rest = data[16 : 16 + size], data[16 + size :]
    if version & 15 == 0:
        return Proxied(None, 0, rest)
    octets = {0x11: 4, 0x21: 16}.get(family)
    if octets is None:
        # UDP and unix sockets do not carry SMTP.
        raise ProxyFault("family not known")
    if size < 2 * octets + 4:
        raise ProxyFault("address malformed")
    address = ipaddress.ip_address(body[:octets])
    port = int.from_bytes(body[2 * octets : 2 * octets + 2], "big")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return Proxied(str(address), port, rest)
