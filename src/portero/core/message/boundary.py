"""The trusted boundary: which Received line is Exchange Online's own first, and which stamps can be believed for it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from portero.core.exchange.headers import ExchangeHeaders, read_exchange_headers
from portero.core.mail.authres import AuthenticationResults, parse_authentication_results
from portero.core.mail.mime import Mail
from portero.core.mail.received import Hop, parse_received
from portero.core.text import Text

# A mail of more hops than these loops; the newest are looked at.
MAX_HOPS = 100

_MICROSOFT = re.compile(
    r"(?:^|\.)(?:prod\.outlook\.com|protection\.outlook\.com|outlook\.office365\.com|eo\.outlook\.com|mx\.microsoft"
    r"|exchangelabs\.com|protection\.office365\.us|protection\.partner\.outlook\.cn)\.?\Z",
    re.IGNORECASE,
)
_FRONT_DOOR = re.compile(
    r"\.(?:mail\.protection\.outlook\.com|mail\.eo\.outlook\.com|mx\.microsoft|mail\.protection\.office365\.us"
    r"|mail\.protection\.partner\.outlook\.cn)\.?\Z",
    re.IGNORECASE,
)
# Between Exchange Online's own servers: link-local, loopback, its IPv6 range, the private range of its front ends.
_INSIDE = tuple(
    ipaddress.ip_network(text)
    for text in ("2603:1000::/24", "fe80::/10", "::1/128", "10.0.0.0/8", "127.0.0.0/8", "25.0.0.0/8")
)
# From here its servers also send to the world, so at the public door it is a client like any other.
_OUTBOUND = ipaddress.ip_network("2a01:111:f400::/46")


class EntryKind(StrEnum):
    """What kind of door a mail came through."""

    FRONT_DOOR = "front-door"  # SMTP at the tenant's public name: anonymous, or by connector
    SUBMISSION = "submission"  # a client outside handed it in with credentials
    MAILBOX = "mailbox"  # handed in by a mailbox program: MAPI, Outlook on the web, Graph
    INSIDE = "inside"  # its first line is between Microsoft's own servers
    NONE = "none"  # no Received line of Exchange Online's is there


@dataclass(frozen=True, slots=True)
class Boundary:
    """
    Where Exchange Online took the mail, and what it stamped there.

    hops:      all Received lines, newest first.
    entry:     the line with which Exchange Online took it, or None.
    kind:      of door.
    after:     how many servers that are not Exchange Online's took it later; where it is not 0 the stamps may be old,
               of another organisation, or made up.
    stamps:    Exchange's headers, of contradicting copies the one an outsider has no use for.
    results:   Exchange's own Authentication-Results, or None.
    forged:    what shows that stamps were made up.
    """

    hops: tuple[Hop, ...]
    entry: Hop | None
    kind: EntryKind
    after: int
    stamps: ExchangeHeaders
    results: AuthenticationResults | None
    forged: tuple[Text, ...] = ()

    @property
    def attributed(self) -> bool:
        """Tell whether the stamp that names an OnPremises connector's client is of the tenant that took the mail."""
        held = self.stamps.attributed
        if held is None:
            return False
        return (
            not held.tenant_id or not self.stamps.tenant_id or held.tenant_id == self.stamps.tenant_id.lower()
        )

    @property
    def trusted(self) -> bool:
        """Tell whether the newest server is Exchange Online's, so that its header firewall stands behind the stamps."""
        return self.entry is not None and self.after == 0


def find_boundary(mail: Mail) -> Boundary:
    """
    Find the boundary. Nothing raises.

    From the newest line down, Exchange Online's own servers hand the mail to one another; the line where the client is
    somebody else, or a mailbox program, is the boundary. What stands below was written by the sender's side.
    Source: reference exchange-online 4.1 and 4.9; data-formats 10.2.
    """
    places = [number for number, (name, _) in enumerate(mail.fields) if name.lower() == "received"][:MAX_HOPS]
    hops = tuple(parse_received(mail.fields[number][1]) for number in places)
    first = next((number for number, hop in enumerate(hops) if _MICROSOFT.search(hop.by)), None)
    stamps, copies = _stamps(mail.fields)
    if first is None:
        results = _results(mail.fields, None, None)
        forged = _claimed_elsewhere(stamps, hops)
        return Boundary(hops, None, EntryKind.NONE, len(hops), stamps, results, (*copies, *forged))
    number, kind = _entry(hops, first)
    results = _results(mail.fields, places[number], hops[number].client_ip)
    if results is not None:
        stamps = read_exchange_headers(_chosen(mail.fields, results))
    return Boundary(
        hops, hops[number], kind, first, stamps, results, (*copies, *_contradictions(stamps, kind))
    )


def _entry(hops: Sequence[Hop], first: int) -> tuple[int, EntryKind]:
    for number in range(first, len(hops)):
        hop = hops[number]
        if hop.protocol.lower().startswith("mapi"):
            return number, EntryKind.MAILBOX
        if _FRONT_DOOR.search(hop.by) or (hop.via.lower().startswith("frontend") and not _inside(hop)):
            inside = _inside(hop) and number + 1 < len(hops) and _MICROSOFT.search(hops[number + 1].by)
            if not inside:
                door = EntryKind.FRONT_DOOR if _FRONT_DOOR.search(hop.by) else EntryKind.SUBMISSION
                return number, door
        elif hop.client_ip is not None and not _inside(hop):
            return number, EntryKind.SUBMISSION
        below = hops[number + 1] if number + 1 < len(hops) else None
        if below is None or not _MICROSOFT.search(below.by):
            return number, EntryKind.INSIDE
    return first, EntryKind.INSIDE


def _inside(hop: Hop) -> bool:
    """Tell whether the client of a hop is one of Exchange Online's own servers: by address, since a name can be claimed."""
    if hop.client_ip is None:
        return bool(_MICROSOFT.search(hop.helo))
    address = ipaddress.ip_address(hop.client_ip)
    if any(address in network for network in _INSIDE if network.version == address.version):
        return True
    return not _FRONT_DOOR.search(hop.by) and address.version == 6 and address in _OUTBOUND


# Of contradicting copies, the value of which an outsider has no use.
_MODEST = {
    "x-ms-exchange-organization-authas": "anonymous",
    "x-ms-exchange-organization-messagedirectionality": "incoming",
    "x-ms-exchange-crosstenant-fromentityheader": "internet",
}


def _stamps(fields: Sequence[tuple[str, str]]) -> tuple[ExchangeHeaders, tuple[Text, ...]]:
    """Read the stamps; of headers that stand there twice with different values say so."""
    values: dict[str, set[str]] = {}
    for name, value in fields:
        if name.lower() in _MODEST:
            values.setdefault(name.lower(), set()).add(value.strip().lower())
    doubled = tuple(
        Text("The header {header} stands there twice with different values: one was made up.", header=name)
        for name, held in values.items()
        if len(held) > 1
    )
    return read_exchange_headers(_modest(fields)), doubled


def _modest(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    front: list[tuple[str, str]] = []
    rest: list[tuple[str, str]] = []
    for name, value in fields:
        modest = _MODEST.get(name.lower())
        (front if modest is not None and value.strip().lower() == modest else rest).append((name, value))
    return front + rest


def _chosen(fields: Iterable[tuple[str, str]], results: AuthenticationResults) -> list[tuple[str, str]]:
    """Give the fields with only Exchange's own Authentication-Results left among those of that name."""
    return [
        (name, value)
        for name, value in _modest(fields)
        if name.lower() != "authentication-results" or parse_authentication_results(value) == results
    ]


def _results(
    fields: Sequence[tuple[str, str]], entry: int | None, client_ip: str | None
) -> AuthenticationResults | None:
    """
    Find Exchange Online's own results: without an authserv-id, above the boundary's line or right below it.

    Below other people's lines only one that names the boundary's client address counts.
    """
    found = [
        (number, parse_authentication_results(value))
        for number, (name, value) in enumerate(fields)
        if name.lower() == "authentication-results"
    ][:50]
    own = [(number, each) for number, each in found if each.authserv_id is None and each.first("spf")]
    if entry is None:
        return own[0][1] if own else None
    above = [each for number, each in own if number < entry]
    if above:
        return above[0]
    below = next(
        (n for n, (name, _) in enumerate(fields) if n > entry and name.lower() == "received"), len(fields)
    )
    next_to = [each for number, each in own if number < below and each.client_ip in (None, client_ip)]
    if next_to:
        return next_to[0]
    return next((each for _, each in own if client_ip is not None and each.client_ip == client_ip), None)


def _contradictions(stamps: ExchangeHeaders, kind: EntryKind) -> tuple[Text, ...]:
    """Say what shows that a stamp of trust was not made by Exchange Online."""
    if (stamps.auth_as or "").lower() != "internal" or kind is not EntryKind.FRONT_DOOR:
        return ()
    outside = (
        (stamps.directionality or "").lower() == "incoming"
        or (stamps.from_entity or "").lower() == "internet"
        or stamps.direct_send is True
        or (stamps.compauth is not None and stamps.compauth.result == "fail")
    )
    own_word = (stamps.from_entity or "").lower() == "hybridonprem" or stamps.attributed is not None
    if outside and not own_word:
        return (
            Text(
                "A header says that it was sent from inside (AuthAs: Internal), yet it came through the public door as mail "
                "from outside: that header was made up."
            ),
        )
    return ()


def _claimed_elsewhere(stamps: ExchangeHeaders, hops: Sequence[Hop]) -> tuple[Text, ...]:
    """Say that a mail which no Exchange took carries Exchange's stamp of trust."""
    if not hops or (stamps.auth_as or "").lower() != "internal":
        return ()
    source = (stamps.auth_source or "").lower()
    if source and any(source == hop.by.lower().rstrip(".") for hop in hops):
        return ()  # an Exchange server of the organisation's own stamped it and took it
    return (
        Text(
            "A header says that it was sent from inside (AuthAs: Internal), yet no server of Exchange is among those that "
            "took it: that header was made up."
        ),
    )
