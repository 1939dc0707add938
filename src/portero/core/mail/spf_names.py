"""Names and addresses as SPF compares, asks and writes them."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from portero.core.address import client_address


@lru_cache(maxsize=65536)
def address(text: str) -> tuple[str, int, int]:
    """Give canonical text, version and number of an address; version 0 where the text is none."""
    canonical = client_address(text)
    if canonical is None:
        return text, 0, 0
    parsed = ipaddress.ip_address(canonical)
    return canonical, parsed.version, int(parsed)


@lru_cache(maxsize=16384)
def askable(name: str) -> bool:
    """Tell whether DNS can be asked for a name. Source: RFC 1035 section 2.3.4; RFC 7208 section 4.3."""
    return 0 < len(name) <= 253 and all(0 < len(label) <= 63 for label in name.split("."))


def dotted(version: int, number: int) -> str:
    """Write the address for ``%{i}``: dotted quad, or 32 nibbles with dots. Source: RFC 7208 section 7.3."""
    if version == 4:
        return str(ipaddress.IPv4Address(number))
    return ".".join(f"{number:032X}")


def reverse(version: int, number: int) -> str:
    pieces = dotted(version, number).lower().split(".")
    return ".".join(reversed(pieces)) + (".in-addr.arpa" if version == 4 else ".ip6.arpa")


def best(names: tuple[str, ...], domain: str) -> str:
    """Choose the value of ``%{p}``: the domain itself, then a name below it, then any. Source: RFC 7208 section 7.3."""
    if domain in names:
        return domain
    below = [name for name in names if name.endswith("." + domain)]
    return (below or list(names) or ["unknown"])[0]
