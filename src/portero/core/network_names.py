"""Whose networks client addresses lie in, by maps that the user has; it names and judges nobody."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address

from portero.core.evidence import Origin
from portero.core.sender import Reason, Sender
from portero.core.text import Text

_SIZE = 16
_MAPPED = bytes(10) + b"\xff\xff"
_NAMED = 3


@dataclass(frozen=True, slots=True)
class NetworkMap:
    """
    Ranges of addresses with the names of the networks they belong to, packed, for there are half a million of them.

    firsts, lasts:  16 octets a range, ordered by the first address; IPv4 as IPv4-mapped IPv6.
    numbers:        place of each range's name in `names`, 4 octets.
    names:          as shown, ``AS14618 AMAZON-AES``.
    """

    firsts: bytes
    lasts: bytes
    numbers: bytes
    names: tuple[str, ...]
    origin: Origin

    def name_of(self, address: str) -> str | None:
        """Give the name of the network an address lies in, or None where the map does not say."""
        wanted = packed(address)
        if wanted is None:
            return None
        at = (
            bisect_right(
                range(len(self.firsts) // _SIZE),
                wanted,
                key=lambda n: self.firsts[_SIZE * n : _SIZE * (n + 1)],
            )
            - 1
        )
        if at < 0 or self.lasts[_SIZE * at : _SIZE * (at + 1)] < wanted:
            return None
        return self.names[int.from_bytes(self.numbers[4 * at : 4 * (at + 1)], "big")]


def packed(address: str) -> bytes | None:
    """Give an address as 16 octets, or None for what is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return _MAPPED + found.packed if isinstance(found, IPv4Address) else found.packed


def network_map(ranges: Iterable[tuple[bytes, bytes, str]], origin: Origin) -> NetworkMap:
    """
    Make a map.

    ranges:  first and last address as `packed` gives them, and the network's name.
    """
    numbers: dict[str, int] = {}
    held = sorted((first, last, numbers.setdefault(name, len(numbers))) for first, last, name in ranges)
    return NetworkMap(
        b"".join(first for first, _, _ in held),
        b"".join(last for _, last, _ in held),
        b"".join(number.to_bytes(4, "big") for _, _, number in held),
        tuple(numbers),
        origin,
    )


def name_networks(senders: Iterable[Sender], maps: Sequence[NetworkMap]) -> tuple[Sender, ...]:
    """Say of each sender in whose networks its addresses lie; the first map that knows an address names it."""
    return tuple(_named(sender, maps) for sender in senders) if maps else tuple(senders)


def _named(sender: Sender, maps: Sequence[NetworkMap]) -> Sender:
    found: Counter[str] = Counter()
    origins: dict[Origin, None] = {}
    seen = [(flow.key.client_ip or "", flow.facts.mails) for flow in sender.flows]
    # Of a crowd the flows are examples.
    single = (each.partition("/") for each in sender.client_networks)
    for address, mails in ([] if sender.crowd else seen) or [
        (first, 1) for first, _, size in single if size in {"32", "128"}
    ]:
        for each in maps:
            if name := each.name_of(address):
                found[name] += mails
                origins[each.origin] = None
                break
    if not found:
        return sender
    names = sorted(found, key=lambda name: (-found[name], name))
    text = Text(
        "Its addresses lie in the networks of {networks}. Whoever rents there sends from there, so this proves nothing.",
        networks=tuple(names[:_NAMED]),
    )
    return replace(sender, because=(*sender.because, Reason("network-named", text, 0.0, tuple(origins))))
