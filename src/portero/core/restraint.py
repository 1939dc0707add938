"""Restraint: what keeps a judgement from accusing on half a case, and from vouching on what proves nothing."""

from __future__ import annotations

from portero.core.case import AUTHENTICATED, LIST_NAMES, Case
from portero.core.exchange.attribution import within
from portero.core.sender import Path
from portero.core.text import Text, count
from portero.core.weights import OWN_WORD, VOUCHING

# Log odds at which a person is asked: as many for as against.
_ASK_AT = 0.0
# Log odds just below an accusation, and just above being called legitimate.
_ALMOST = 1.2
_ALMOST_SOUND = -1.0
# Log odds of one in ten: as sure as behaviour can make anybody.
_BEHAVES = -2.2
_FEW_MAILS = 8
# A campaign is over in so many days.
_CAMPAIGN_DAYS = 3

# What may vouch for an address and not for what leaves through it when lures do.
_TRUSTED_WAYS = frozenset(
    {"connector", "network-devices", "host-inside", "beside-established", "spf-pass", "dmarc-pass"}
)

# What an attack shows by itself, in one mailing or in many.
_ATTACKS = frozenset({"filter-phish", "filter-some-phish", "copies", "copies-failing", "roams", "swarm"})

# What shows that one mailing to many was meant to deceive.
_DECEIVES = _ATTACKS | {
    "lure",
    "business-lure",
    "self-addressed",
    "as-mailbox",
    "many-names",
    "nameless-host",
    "foreign-unaligned",
    "network-guest",
}

# What a legitimate burst, such as the pay slips, does not show.
_FORGED = _ATTACKS | {"authentication-fails", "spf-unlisted", "outside-fail"}

# What a device or a list that fails authentication does not show.
_CAMPAIGN = frozenset(
    {"burst", "short-lived", "lure", "new-people", "filter-phish", "copies-failing", "roams", "swarm"}
)


def hold_back(case: Case) -> None:
    """Add the reasons that bring the odds of a case back to what its evidence may say; nothing is weighed after them."""
    _unforged(case)
    _unplaced(case)
    _one_mailing(case)
    _allowed(case)
    _misused(case)
    _unproven(case)


def _unforged(case: Case) -> None:
    """
    Keep from accusing on half a case.

    Looking like a campaign does not accuse, for the organisation's own mailings look the same; neither does failing
    authentication, for many a scanner does. The reason takes back as much as would accuse and no more, so that it
    makes nothing legitimate either.
    """
    codes = case.codes
    likeness = codes & _CAMPAIGN
    if "connector-possible" in codes:
        # What an own server shows that people write through, and a summary cannot tell it from a stranger.
        likeness = likeness - {"new-people", "burst", "roams"}
    elif case.context.settings.inbound_connectors is None and case.paths == {Path.UNDETERMINED}:
        # Behind a connector that nobody exported may be an own server, and people behind it write to ever new people.
        likeness = likeness - {"new-people"}
    forged = codes & _FORGED or ("self-addressed" in codes and likeness)
    forged = forged or ("as-mailbox" in codes and codes & {"burst", "short-lived", "lure"})
    if not forged and likeness and codes & AUTHENTICATED:
        alike = sum(reason.weight for reason in case.reasons if reason.code in likeness)
        case.add(
            "nothing-forged",
            Text("It passes as the organisation, whose own mailings look like campaigns too."),
            weight=-alike,
        )
    elif not forged and likeness and case.odds > _ASK_AT:
        case.bring_to(
            _ASK_AT,
            "nothing-forged",
            Text("Nothing shows that it writes as somebody else or fails authentication."),
        )
    elif not likeness and case.odds > _ALMOST:
        case.bring_to(
            _ALMOST,
            "no-campaign",
            Text(
                "Nothing in how it sends is like a campaign: a device or list set up wrongly looks the same."
            ),
        )


def _unplaced(case: Case) -> None:
    """
    Keep from accusing by words alone where no address is recorded.

    What several send under one name looks like one then, an original and its copy too. Behind a gateway addresses would
    not tell them apart either.
    """
    shown = case.codes & (_FORGED | {"self-addressed", "burst", "short-lived"})
    if case.odds > _ALMOST and not shown and not case.places:
        case.bring_to(
            _ALMOST,
            "no-address",
            Text("No witness shows its address, so that several senders may share the name."),
        )


def _one_mailing(case: Case) -> None:
    """Keep from accusing on haste alone: a survey or a warning to all is one mailing too."""
    if case.odds > _ALMOST and case.codes & {"burst", "short-lived"} and not case.codes & _DECEIVES:
        case.bring_to(
            _ALMOST,
            "one-mailing",
            Text("It is one mailing to many people, and nothing in it deceives: a survey looks the same.")
            if "burst" in case.codes
            else Text(
                "It was there for days only, and nothing in it deceives: a device on trial, or for once on another "
                "line, looks the same."
            ),
        )


def _allowed(case: Case) -> None:
    """Keep from accusing whom an administrator lets past the filter: it may be a service or an exercise of ours."""
    ranges = case.context.settings.allowed_addresses
    if (
        ranges
        and case.addresses
        and all(within(each, ranges) for each in case.addresses)
        and case.odds > _ALMOST
    ):
        case.bring_to(
            _ALMOST,
            "allow-listed",
            Text(
                "An administrator entered its address in the connection filter's allow list: whose it is must be asked."
            ),
        )


def _misused(case: Case) -> None:
    """Keep from vouching, for its way in alone, for a burst of lures under colleagues' names: trusted hosts get taken over."""
    if (
        case.codes & _TRUSTED_WAYS
        and len(case.days) <= _CAMPAIGN_DAYS
        and case.facts.mails >= _FEW_MAILS
        and case.lures * 2 >= case.kept > 0
        and (case.mostly_to_itself or len(case.names & case.context.mailboxes) >= LIST_NAMES)
        and case.odds < _ALMOST_SOUND
    ):
        case.bring_to(
            _ALMOST_SOUND,
            "misused",
            Text(
                "Known lures left there within days under colleagues' names: a trusted device or relay may be misused."
            ),
        )


def _unproven(case: Case) -> None:
    """
    Keep from vouching on what an outsider with patience makes; readers of long standing alone make it no more than likely.

    Source: reference exchange-online 7.1, copies of devices and colleagues' names that write for weeks.
    """
    if case.odds >= _ALMOST_SOUND or case.codes & OWN_WORD:
        return
    lacking = _what_lacks(case)
    if lacking is not None:
        case.bring_to(_ALMOST_SOUND, *lacking)
    elif case.odds < _BEHAVES:
        case.bring_to(
            _BEHAVES,
            "readers-alone",
            Text(
                "Only how it behaves speaks for it, and that people here have received it for long: its owner should confirm it."
            ),
        )


def _what_lacks(case: Case) -> tuple[str, Text] | None:
    """Say why behaviour does not vouch for a sender, the plainest first; None where its readers do."""
    if case.as_colleagues:
        return "borrowed-name", Text(
            "It writes as people whose mailboxes are here, and nothing proves it: only a person can vouch for it."
        )
    if case.copied:
        return "second-original", Text(
            "The sender elsewhere is proven and this one is not: only a person can vouch for it."
        )
    if not case.gated and not case.places:
        return "name-alone", Text(
            "No witness shows its address, so that a copy under its name would be counted with it: evidence that shows "
            "client addresses, or a person, must vouch for it."
        )
    if case.codes & VOUCHING:
        return None
    if case.facts.mails < _FEW_MAILS:
        return "little-seen", count(
            "Too little of it was seen to vouch for it: {n} mail.",
            "Too little of it was seen to vouch for it: {n} mails.",
            case.facts.mails,
        )
    return "behaviour-alone", Text(
        "Only how it behaves speaks for it, and an outsider with patience can behave so: a proof or a person must vouch for it."
    )
