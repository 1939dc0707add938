"""Effective protection: which policy of each kind each mailbox really has, and how many mailboxes stand where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from portero.core.address import a_label, mailbox_key
from portero.core.evidence import ConfigObject
from portero.core.exchange.protection import Family, Protection, applied, protection
from portero.core.exchange.settings import Tenant, prop
from portero.core.text import Text

# Where mailboxes are listed; either will do.
_MAILBOXES = ("Get-Mailbox", "Get-CASMailbox")
# What a rule may call a group by; an address first, since no two groups share one.
_GROUP_NAMES = ("PrimarySmtpAddress", "Name", "DisplayName", "Alias", "Identity")
_TAGS = {
    Family.ANTI_PHISH: ("SpoofQuarantineTag",),
    Family.ANTI_SPAM: ("SpamQuarantineTag", "PhishQuarantineTag", "HighConfidencePhishQuarantineTag"),
    Family.MALWARE: ("QuarantineTag",),
    Family.SAFE_ATTACHMENTS: ("QuarantineTag",),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What one mailbox has of one kind of policy.

    policy:      its name, or None where nobody surely knows.
    derivation:  why, as sentences that hold in this order.
    quarantine:  quarantine policies by the property that names them.
    """

    family: Family
    policy: str | None
    certain: bool
    derivation: tuple[Text, ...]
    quarantine: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """How many mailboxes have a policy of one kind; policy None counts those of whom nobody surely knows."""

    family: Family
    policy: str | None
    mailboxes: int


@dataclass(frozen=True, slots=True)
class Effective:
    """Answers by mailbox, for those asked about, and the counts over all mailboxes of the export."""

    recipients: Mapping[str, tuple[Answer, ...]]
    standings: tuple[Standing, ...]


def mailboxes(tenant: Tenant) -> tuple[str, ...]:
    """Name every mailbox of the export once."""
    found: dict[str, None] = {}
    for cmdlet in _MAILBOXES:
        for item in tenant.objects(cmdlet) or ():
            address = item.properties.get("PrimarySmtpAddress")
            if isinstance(address, str) and "@" in address:
                found[mailbox_key(address)] = None
    return tuple(found)


def groups_of(tenant: Tenant) -> Mapping[str, frozenset[str]]:
    """
    Give the mailboxes of groups by every name of the group in lower case, where Get-DistributionGroupMember is whole.

    Members of groups inside a group count, as Exchange counts them. A group that leads to one whose members were not
    exported is left out: who is in it is not known. Get-DistributionGroup, where exported, adds the other names by
    which a rule may call a group.
    """
    if not tenant.complete("Get-DistributionGroupMember"):
        return {}
    names = _group_names(tenant)
    people: dict[str, set[str]] = {}
    inside: dict[str, set[str]] = {}
    for item in tenant.objects("Get-DistributionGroupMember") or ():
        group, address = item.properties.get("Group"), item.properties.get("PrimarySmtpAddress")
        if not isinstance(group, str):
            continue
        key = names.get(group.lower(), group.lower())
        members, nested = people.setdefault(key, set()), inside.setdefault(key, set())
        if "group" in str(item.properties.get("RecipientType")).lower():
            called = str(address or item.properties.get("Name") or "").lower()
            nested.add(names.get(called, called))
        elif isinstance(address, str):
            members.add(mailbox_key(address))
    whole = {key: _expanded(key, people, inside) for key in people}
    found = {key: held for key, held in whole.items() if held is not None}
    return found | {name: found[key] for name, key in names.items() if key in found}


def _group_names(tenant: Tenant) -> dict[str, str]:
    """Give one name of each exported group by all its names; a name that two groups bear leads nowhere."""
    found: dict[str, str] = {}
    shared: set[str] = set()
    for item in tenant.objects("Get-DistributionGroup") or ():
        held = [str(item.properties.get(name) or "").lower() for name in _GROUP_NAMES]
        named = dict.fromkeys(name for name in held if name)
        for name in named:
            if name in found:
                shared.add(name)
            found[name] = next(iter(named))
    return {name: key for name, key in found.items() if name not in shared}


def _expanded(
    group: str, people: Mapping[str, set[str]], inside: Mapping[str, set[str]]
) -> frozenset[str] | None:
    """Give everybody in a group and in the groups inside it; None where one of these was not exported."""
    seen: set[str] = set()
    waiting, members = [group], set[str]()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        if current not in people:
            return None
        seen.add(current)
        members |= people[current]
        waiting += inside[current]
    return frozenset(members)


def found_for(tenant: Tenant, domains: Iterable[str]) -> Mapping[Family, Protection | None]:
    """Give the classes of every kind of policy; None where its policies were not exported."""
    whole = tuple(map(a_label, domains)) if tenant.complete("Get-AcceptedDomain") else ()
    return {family: protection(tenant, family, whole) for family in Family}


def answers(
    recipient: str, found: Mapping[Family, Protection | None], groups: Mapping[str, frozenset[str]]
) -> tuple[Answer, ...]:
    """Say for one mailbox which policy of each kind applies, and why."""
    return tuple(_answer(family, recipient, held, groups) for family, held in found.items())


def coverage(
    recipients: Iterable[str],
    found: Mapping[Family, Protection | None],
    groups: Mapping[str, frozenset[str]],
) -> tuple[Standing, ...]:
    """Count the mailboxes under each policy of each kind."""
    counted: Counter[tuple[Family, str | None]] = Counter()
    known = [(family, held) for family, held in found.items() if held is not None]
    for recipient in recipients:
        for family, held in known:
            result = applied(held, recipient, groups)
            counted[family, result.held.policy_name if result.held and result.certain else None] += 1
    return tuple(Standing(family, policy, number) for (family, policy), number in counted.items())


def _answer(
    family: Family, recipient: str, found: Protection | None, groups: Mapping[str, frozenset[str]]
) -> Answer:
    if found is None:
        missing = Text("{cmdlet} was not exported", cmdlet=family.policies)
        return Answer(family, None, False, (missing,), {})
    result = applied(found, recipient, groups)
    reasons = [
        Text("not known whether {derivation} to {who}", derivation=each.derivation, who=each.who)
        for each in result.unsure
    ]
    if result.held is None:
        return Answer(family, None, False, (*reasons, Text("no policy surely takes this mailbox")), {})
    reasons.append(Text("{derivation} to {who}", derivation=result.held.derivation, who=result.held.who))
    if found.missing:
        reasons.append(Text("the export lacks {missing}", missing=found.missing))
    sure = result.certain and not found.loose
    return Answer(family, result.held.policy_name, sure, tuple(reasons), _tags(family, result.held.policy))


def _tags(family: Family, policy: ConfigObject | None) -> Mapping[str, str]:
    if policy is None:
        return {}
    held = ((name, prop(policy, name)) for name in _TAGS.get(family, ()))
    return {name: value for name, value in held if isinstance(value, str) and value}
