"""Chooses the ways out of each recipient: by size, by inside and outside, by device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portero.relay.devices import Organisation
from portero.relay.envelope import Envelope
from portero.relay.settings import Route
from portero.relay.transport import Transport, Way


def choose(
    envelope: Envelope,
    address: str,
    *,
    organisation: Organisation,
    device_ways: Sequence[str],
    routes: Sequence[Route],
    ways: Sequence[Way],
    kinds: Mapping[str, Transport],
) -> list[str]:
    """
    Give the names of the ways that can carry this recipient, best first.

    The device's own ways come first, then those of the first route that fits, then all others in the order of the
    file. A way that cannot carry the message (too large for it, or outside for one that stays inside) is left out.
    """
    inside = organisation.inside(address)
    order = list(device_ways)
    for route in routes:
        if _fits(route, envelope, inside=inside):
            order += route.ways
            break
    else:
        # Without a route that fits, the file's order is the administrator's order.
        order += [each.name for each in ways]
    able = {way.name for way in ways if _able(kinds[way.kind], envelope, inside=inside)}
    return [name for name in dict.fromkeys(order) if name in able]


def _fits(route: Route, envelope: Envelope, *, inside: bool) -> bool:
    return (
        (route.over_octets is None or envelope.size > route.over_octets)
        and (route.up_to_octets is None or envelope.size <= route.up_to_octets)
        and (route.recipients is None or (route.recipients == "inside") == inside)
        and (not route.devices or envelope.device in route.devices)
    )


def _able(transport: Transport, envelope: Envelope, *, inside: bool) -> bool:
    return (transport.size_octets is None or envelope.size <= transport.size_octets) and (
        inside or not transport.inside_only
    )
