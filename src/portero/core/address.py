"""Mailboxes, domains as A-labels, and client networks: the words every other module compares by."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from typing import Generic, TypeVar

import idna

T = TypeVar("T")

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# Exchange writes this where it knows no client address (reference: X-Forefront-Antispam-Report CIP, mailbox submissions).
NO_ADDRESS = "255.255.255.255"


@lru_cache(maxsize=65536)
def a_label(domain: str) -> str:
    """
    Give a domain in the one form used for comparison: lower case, A-labels, no final dot.

    A name that IDNA refuses is only lower-cased: evidence holds such names and they must stay distinct.
    Source: RFC 5890 section 2.3.2.1; RFC 5891 section 5.
    """
    text = domain.strip().rstrip(".").lower()
    if text.isascii():
        return text
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return text


@lru_cache(maxsize=262144)
def domain_of(mailbox: str) -> str:
    """
    Give the domain of a mailbox as A-labels; ``""`` for the null reverse-path and for text without an ``@``.

    Accepts the forms evidence holds: ``user@domain``, ``<user@domain>``, quoted local parts with ``@``.
    Source: RFC 5321 section 4.1.2.
    """
    text = mailbox.strip().strip("<>")
    _, at, domain = text.rpartition("@")
    return a_label(domain) if at else ""


@lru_cache(maxsize=262144)
def mailbox_key(mailbox: str) -> str:
    """Give a mailbox in the form used for comparison: local part lower-cased as Exchange does, domain as A-labels."""
    text = mailbox.strip().strip("<>")
    local, at, domain = text.rpartition("@")
    return f"{local.lower()}@{a_label(domain)}" if at else text.lower()


def untagged(mailbox: str) -> str:
    """
    Give the mailbox behind a plus-address: ``support@domain`` for ``support+1000@domain``.

    Source: Microsoft, Plus Addressing in Exchange Online; RFC 5233 section 1.
    """
    local, at, domain = mailbox.rpartition("@")
    base = local.partition("+")[0]
    return f"{base}@{domain}" if at and base else mailbox


def is_at_or_below(domain: str, parent: str) -> bool:
    """Tell whether a domain equals a parent domain or lies below it; both in A-label form."""
    return domain == parent or domain.endswith("." + parent)


def is_plain(text: str) -> bool:
    """Tell whether a text is an IPv4 address as everybody writes it, which is its canonical form."""
    return _four(text) is not None


@lru_cache(maxsize=262144)
def client_address(text: str) -> str | None:
    """
    Give the canonical text of a client address as evidence writes it, or None where it names none.

    Reads ``192.0.2.1``, ``[192.0.2.1]``, ``192.0.2.1:25``, ``[2001:db8::1]:25``, ``IPv6:2001:db8::1`` and
    IPv4-mapped IPv6; Exchange's 255.255.255.255 means "no address" and gives None.
    """
    value = text.strip().removeprefix("IPv6:")
    if value.startswith("["):
        value = value[1:].partition("]")[0].removeprefix("IPv6:")
    elif value.count(":") == 1:
        value = value.partition(":")[0]
    try:
        address = ipaddress.ip_address(value.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return None if str(address) == NO_ADDRESS else str(address)


@lru_cache(maxsize=65536)
def parse_network(text: str) -> IPNetwork:
    """
    Read an address, a CIDR network, or a network written with host bits.

    Raises ValueError for anything else; a range ``a-b`` is read by `parse_range`.
    """
    return ipaddress.ip_network(text.strip(), strict=False)


def parse_range(text: str) -> list[IPNetwork]:
    """
    Read what Exchange accepts in address lists: an address, a CIDR network, or ``first-last``.

    Raises ValueError when the text is none of them.
    Source: Set-HostedConnectionFilterPolicy, New-InboundConnector (EFSkipIPs).
    """
    first, dash, last = text.strip().partition("-")
    if not dash:
        return [parse_network(text)]
    start, end = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
    if isinstance(start, ipaddress.IPv4Address) and isinstance(end, ipaddress.IPv4Address):
        return list(ipaddress.summarize_address_range(start, end))
    if isinstance(start, ipaddress.IPv6Address) and isinstance(end, ipaddress.IPv6Address):
        return list(ipaddress.summarize_address_range(start, end))
    raise ValueError(f"{text!r} mixes IPv4 and IPv6")


def lies_in(network: IPNetwork, other: IPNetwork) -> bool:
    """Tell whether a network lies whole within another; networks of different families never do."""
    first, start = int(network.network_address), int(other.network_address)
    same = network.version == other.version
    return same and start <= first and first + network.num_addresses <= start + other.num_addresses


def neighbourhood(address: str) -> str:
    """Give the network in which a canonical address usually moves: its /24 for IPv4, its /64 for IPv6, as CIDR text."""
    if ":" in address:
        return _six(address, 64)
    return address.rpartition(".")[0] + ".0/24"


def wide_network(address: str) -> str:
    """Give what a line keeps of a canonical address when its provider renumbers it: /16 for IPv4, /40 for IPv6."""
    if ":" in address:
        return _six(address, 40)
    return ".".join(address.split(".", 2)[:2]) + ".0.0/16"


@lru_cache(maxsize=65536)
def _six(address: str, length: int) -> str:
    return str(ipaddress.ip_network(f"{address}/{length}", strict=False))


def exact_network(address: str) -> str:
    """Give the range that holds one canonical address alone, as CIDR text."""
    return f"{address}/{128 if ':' in address else 32}"


def _number(address: IPAddress) -> int:
    """Map IPv4 into ::ffff:0:0/96, so that both families share one order."""
    number = int(address)
    return number | 0xFFFF_0000_0000 if address.version == 4 else number


@lru_cache(maxsize=65536)
def _number_of(text: str) -> int | None:
    """Read an address to its place in that order; None for text that is none. Every replay asks of the same few."""
    quick = _four(text)
    if quick is not None:
        return quick | 0xFFFF_0000_0000
    try:
        return _number(ipaddress.ip_address(text))
    except ValueError:
        return None


_OCTETS = {str(number): number for number in range(256)}


def _four(text: str) -> int | None:
    """Read a dotted quad, twenty times as fast as the library does; None leaves the text to the library."""
    try:
        first, second, third, fourth = [_OCTETS[part] for part in text.split(".")]
    except (KeyError, ValueError):
        return None
    return first << 24 | second << 16 | third << 8 | fourth


class NetworkMap(Generic[T]):
    """
    Networks with a value each, answering which of them contain an address, by bisection over disjoint segments.

    Overlaps are kept: `covering` gives every value whose network contains the address, narrowest first.
    """

    def __init__(self, entries: Iterable[tuple[IPNetwork, T]]) -> None:
        spans: list[tuple[int, int, T]] = []
        for network, value in entries:
            first = _number(network.network_address)
            spans.append((first, first + network.num_addresses, value))
        cuts = sorted({edge for start, end, _ in spans for edge in (start, end)})
        members: list[list[tuple[int, int]]] = [[] for _ in cuts]
        position = {edge: index for index, edge in enumerate(cuts)}
        for order, (start, end, _) in enumerate(spans):
            for index in range(position[start], position[end]):
                members[index].append((end - start, order))
        self._cuts = cuts
        self._values = [tuple(spans[order][2] for _, order in sorted(inside)) for inside in members]

    def covering(self, address: str) -> tuple[T, ...]:
        """Give the values of all networks that contain an address (canonical text), narrowest network first."""
        number = _number_of(address) if self._cuts else None
        if number is None:
            return ()
        index = bisect_right(self._cuts, number) - 1
        return self._values[index] if index >= 0 else ()

    def __contains__(self, address: str) -> bool:
        return bool(self.covering(address))

    def __bool__(self) -> bool:
        return bool(self._cuts)
