"""Address lists of connectors as they were written, and whose their ranges are by the known networks."""

from __future__ import annotations

from collections.abc import Iterable

from portero.core.address import IPNetwork, lies_in, parse_range
from portero.core.finding import Posture
from portero.core.register import KnownNetwork

# Uses of a network that is the organisation's own and from which only what it runs sends.
OWN_USES = ("devices", "applications", "relay")
# Uses of a network that strangers or all people share.
SHARED_USES = ("users", "guest")


def read(entries: Iterable[str]) -> tuple[dict[str, list[IPNetwork]], tuple[str, ...]]:
    """Read entries to networks; also gives those that are no address, network or range."""
    found: dict[str, list[IPNetwork]] = {}
    broken = []
    for text in entries:
        try:
            found[text] = parse_range(text)
        except ValueError:
            broken.append(text)
    return found, tuple(broken)


def places_of(network: IPNetwork, posture: Posture) -> tuple[KnownNetwork, ...]:
    """Give the known networks in which a range lies whole."""
    return tuple(
        place
        for place in posture.configuration.networks
        if any(lies_in(network, held) for held in place.networks)
    )


def sharing(network: IPNetwork, posture: Posture) -> tuple[str, ...]:
    """Name the known networks of people and guests that a range touches."""
    return tuple(
        place.name
        for place in posture.configuration.networks
        if place.use in SHARED_USES and any(_touch(network, held) for held in place.networks)
    )


def _touch(one: IPNetwork, other: IPNetwork) -> bool:
    return lies_in(one, other) or lies_in(other, one)


def reserved(network: IPNetwork) -> bool:
    """Tell whether a range is private or reserved, so that no mail from the internet comes from it."""
    documentation = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    # Documentation ranges are what examples and tests of any organisation are written with.
    if any(lies_in(network, held) for text in documentation for held in parse_range(text)):
        return False
    return not network.is_global or network.is_multicast
