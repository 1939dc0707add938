"""The step for people of an accepted domain whose mailboxes are in another system, wholly or in part."""

from __future__ import annotations

from collections.abc import Sequence

from portero.core.exchange.exchangers import MxPosture, mx_posture, read_exchangers
from portero.core.exchange.settings import Settings
from portero.core.plan_needs import Need, at_stake
from portero.core.plan_steps import ADMINISTRATOR, Draft
from portero.core.sender import Kind
from portero.core.simulate import Replay
from portero.core.step import Risk
from portero.core.text import Text, sentences
from portero.core.ways_in import addresses

# As many people of one domain are no vendor's few sender names.
_PEOPLE = 3


def elsewhere(held: Sequence[Need], replay: Replay) -> dict[str, list[Need]]:
    """
    Group the senders of domains whose mailboxes are in another system, wholly or in part.

    Wholly: the MX points there, and none of them is here. A gateway in front of mailboxes that are here has its domain's
    MX too, but these mailboxes are seen. In part: the domain is of a relay type, and people write from one address.
    Source: reference exchange-online 2.4, domain shared between two systems.
    """
    here = {
        domain
        for sender in replay.senders
        if sender.kind is Kind.MAILBOX
        for domain in sender.header_from_domains
    }
    by_domain: dict[str, list[Need]] = {}
    for need in held:
        domains = need.sender.header_from_domains
        if len(domains) == 1:
            by_domain.setdefault(domains[0], []).append(need)
    found = {}
    for domain, people in sorted(by_domain.items()):
        if shared_domain(domain, replay.settings):
            people = _of_people(people)
        elif domain in here or not _mx_elsewhere(domain, replay.settings):
            continue
        if sum(len(need.sender.header_from) for need in people) >= _PEOPLE:
            found[domain] = people
    return found


def shared_domain(domain: str, settings: Settings) -> bool:
    """Tell whether a domain's type says that mailboxes of it are in another system."""
    return any(held.shared and held.name == domain for held in settings.accepted_domains)


def _mx_elsewhere(domain: str, settings: Settings) -> bool:
    return mx_posture(read_exchangers(settings.dns.lookup(domain, "MX").answers)) is MxPosture.GATEWAY


def _of_people(held: Sequence[Need]) -> list[Need]:
    """Keep the senders at addresses from which several people write: a vendor beside them has a name or two."""
    names: dict[str, set[str]] = {}
    for need in held:
        for address in addresses(need.flows):
            names.setdefault(address, set()).update(need.sender.header_from)
    return [need for need in held if any(len(names[each]) >= _PEOPLE for each in addresses(need.flows))]


def other_system(draft: Draft, domain: str, held: list[Need], *, shared: bool) -> int:
    """
    Write one step for all of a domain's people elsewhere; gives its number.

    shared:  whether the domain's type says it, and not its MX.
    """
    return draft.add(
        title=Text("Let in the mail of {domain} from the system that holds its mailboxes", domain=domain),
        why=sentences(
            [
                at_stake(held),
                Text(
                    "{domain} is shared with another system by its domain type, and its people write from there.",
                    domain=domain,
                )
                if shared
                else Text(
                    "The MX of {domain} points elsewhere, and its people write from there: their mailboxes are in another "
                    "system, while {domain} is an accepted domain here.",
                    domain=domain,
                ),
            ]
        ),
        do=Text(
            "Ask whoever runs that system to send your mail with a certificate of your own domain or from addresses of its "
            "own, and make an inbound connector for these. Where other customers share its servers, no connector tells them "
            "apart: let its mail come by a relay of yours that signs in, or take {domain} out of the accepted domains "
            "until its mailboxes move.",
            domain=domain,
        ),
        verify=Text(
            "The message detail of a new mail from each of them names the connector or the relay. Without that proof the "
            "refusing steps must wait."
        ),
        undo=Text("Remove what was made; the mail then arrives as it does today."),
        senders=tuple(sorted(need.sender.id for need in held)),
        risk=Risk.HIGH,
        owner=ADMINISTRATOR,
        moved=tuple(sorted(need.sender.id for need in held)),
    )
