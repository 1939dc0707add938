"""Which sending service a third party's mail comes through, by domains that only the service can use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from portero.core.address import a_label, untagged
from portero.core.sender import DecidedBy, Kind, Reason, Sender
from portero.core.text import Text

# Of the mails whose result is known, the share that must pass before a domain counts: a spoof may name any domain.
_PASSING = 0.9


@dataclass(frozen=True, slots=True)
class Named:
    """
    A service that a sender uses.

    by:      what shows it.
    domain:  the service's domain that was seen.
    """

    service: str
    by: Text
    domain: str


def service_of(domain: str, catalogue: Mapping[str, str]) -> str | None:
    """Give the service that a domain or one above it belongs to, or None where the catalogue does not know it."""
    labels = a_label(domain).split(".")
    return next(
        (
            catalogue[name]
            for start in range(len(labels) - 1)
            if (name := ".".join(labels[start:])) in catalogue
        ),
        None,
    )


def named_service(
    sender: Sender,
    catalogue: Mapping[str, str],
    includes_of: Callable[[str, str], Iterable[str]],
    names_of: Callable[[str], Iterable[str]],
) -> Named | None:
    """
    Name the service behind a sender, by its return path, its signature, the SPF include that covers it, or its address.

    Return path and signature count where SPF or DKIM passes for them; a reverse name counts where nothing better speaks,
    since whoever owns the address chooses it.

    includes_of:  gives the domains that a domain's SPF record includes and that pass for a client address.
    names_of:     gives the reverse names of an address that DNS evidence holds.
    """
    facts = sender.facts
    addresses = sorted({flow.key.client_ip for flow in sender.flows if flow.key.client_ip})
    # Envelopes that only DMARC reports know.
    reported = sorted({domain for flow in sender.flows for domain in flow.facts.envelopes})
    seen: list[tuple[Text, Iterable[str]]] = []
    if _passes(facts.spf):
        seen.append((Text("its return path"), sender.mail_from_domains))
    if _passes(facts.dkim):
        seen.append((Text("its signature"), facts.dkim_domains))
    covered = (
        name
        for address in addresses[:20]
        for domain in dict.fromkeys((*sender.mail_from_domains, *sender.header_from_domains, *reported))
        for name in includes_of(address, domain)
    )
    seen.append((Text("the SPF record, which includes it"), covered))
    reverse = (name for address in addresses[:20] for name in names_of(address))
    seen.append((Text("the name of its address"), [*facts.ptr, *reverse]))
    for by, domains in seen:
        for domain in domains:
            if service := service_of(domain, catalogue):
                return Named(service, by, domain)
    return None


def _passes(results: Mapping[str, int]) -> bool:
    known = sum(number for result, number in results.items() if result not in {"none", "temperror"})
    return bool(known) and results.get("pass", 0) >= _PASSING * known


def name_services(
    senders: Iterable[Sender],
    catalogue: Mapping[str, str],
    includes_of: Callable[[str, str], Iterable[str]],
    names_of: Callable[[str], Iterable[str]],
) -> tuple[Sender, ...]:
    """Give the third parties that a known service stands behind its name; the judgement stays as it is."""
    named = tuple(
        sender
        if sender.kind is not Kind.SERVICE
        or (found := named_service(sender, catalogue, includes_of, names_of)) is None
        else _relabelled(sender, found)
        for sender in senders
    )
    shared = Counter(sender.label for sender in named if sender.service)
    return tuple(_placed(sender) if shared[sender.label] > 1 else sender for sender in named)


def _placed(sender: Sender) -> Sender:
    """Tell a customer of a service by its address too, where another writes under the same name."""
    values = dict(sender.label.values)
    addresses = sorted({flow.key.client_ip for flow in sender.flows if flow.key.client_ip})
    if len(addresses) != 1 or not values.keys() >= {"service", "name"}:
        return sender
    label = Text(
        "{service} at {address}, writing as {name}",
        service=values["service"],
        address=addresses[0],
        name=values["name"],
    )
    return replace(sender, label=label)


def _relabelled(sender: Sender, named: Named) -> Sender:
    text = Text(
        "It comes through {service}, shown by {by}: {domain}. Anybody can be a customer there, so this proves nothing.",
        service=named.service,
        by=named.by,
        domain=named.domain,
    )
    because = (*sender.because, Reason("service-named", text, 0.0))
    if sender.decided_by is not DecidedBy.EVIDENCE:
        return replace(sender, because=because, service=named.service)
    author = next(iter((*sender.header_from, *sender.header_from_domains)), None)
    label = (
        Text("{service}, writing as {name}", service=named.service, name=untagged(author))
        if author
        else Text("{service}", service=named.service)
    )
    return replace(sender, label=label, because=because, service=named.service)
