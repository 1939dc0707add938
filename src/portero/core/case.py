"""A case: one sender to be judged, what the evidence says of it, and the reasons that are collected."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, islice, pairwise

from portero.core.evidence import Origin
from portero.core.exchange.attribution import envelope_domain, through_gateway
from portero.core.exchange.settings import Settings
from portero.core.flow import Facts, OutsideFlow, calendar_week, merge_facts
from portero.core.grouping import Placed
from portero.core.naming import Ties
from portero.core.sender import Judgement, Path, Reason
from portero.core.subjects import LURE, about
from portero.core.text import Text
from portero.core.weights import WEIGHTS

# Probability of abuse from which a sender is called abuse, and below which it is called legitimate. Between them a
# person is asked: to accuse a legitimate sender, or to trust one that lies, are the two worst mistakes.
ABUSE_FROM = 0.8
LEGITIMATE_BELOW = 0.25

AUTHENTICATED = frozenset({"dmarc-pass", "spf-pass", "dkim-pass", "outside-pass"})
FAILING = frozenset({"authentication-fails", "spf-unlisted"})

# What no outsider can arrange: a sender with one of these vouches for its address and for its name.
ANCHORED = AUTHENTICATED | {"inside", "submitted", "signed-in", "connector", "network-devices", "host-inside"}


@dataclass(frozen=True, slots=True)
class Context:
    """
    What a judgement looks at besides the sender itself.

    window:       aware UTC bounds of all message evidence.
    network_use:  gives what the configuration says a client address is used for, or None.
    spf:          evaluates the published record: RFC 7208 result of (address, domain), or None where DNS is unknown.
    lender:       the record of others by which alone an address passes SPF for a domain, and that serves many; or None.
    outside:      DMARC reports by source address.
    mailboxes:    own mailboxes, of those whose names mail from elsewhere claims.
    ties:         hosts inside, by client address and name.
    """

    settings: Settings
    window: tuple[datetime, datetime] | None = None
    network_use: Callable[[str], str | None] = lambda _: None
    spf: Callable[[str, str], str | None] = lambda _address, _domain: None
    lender: Callable[[str, str], str | None] = lambda _address, _domain: None
    outside: Mapping[str, tuple[OutsideFlow, ...]] = field(default_factory=dict)
    mailboxes: frozenset[str] = frozenset()
    ties: Ties = field(default_factory=dict)


# A list or a shared scanner has so many names.
LIST_NAMES = 3

# What nobody here read.
_UNREAD = ("junked", "quarantined", "blocked", "failed")
# So many people that none of them can be the one victim who was won over; so many mails that a campaign of as many goes
# unreported less than once in twenty, where one in five is reported; and the time in which a report has consequences.
_READERS, _READ_MAILS, _READ_WEEKS = 3, 14, 4


@dataclass(frozen=True, slots=True)
class Readers:
    """Who here has received mail for long: in how many weeks how many people had how many mails."""

    weeks: int
    people: int
    mails: int


def read_for_long(facts: Facts) -> Readers | None:
    """
    Tell whether several people here have had mail again and again for weeks, so that each could have complained.

    Patience makes weeks; readers it does not make. Source: Verizon, Data Breach Investigations Report 2024, one in five
    people report a lure that they get.
    """
    people = facts.recipients.value
    read = facts.inside - sum([facts.outcomes.get(each, 0) for each in _UNREAD])
    if people < _READERS or read < max(_READ_MAILS, people * 2):
        return None
    weeks = weeks_of(sorted(facts.days))
    return Readers(weeks, people, read) if weeks >= _READ_WEEKS else None


def to_strangers(facts: Facts) -> bool:
    """Tell whether hardly anybody got its mail twice."""
    return facts.mails >= 10 and facts.recipients.value * 5 >= facts.mails * 4


def weeks_of(days: Sequence[date]) -> int:
    """Count the weeks of activity, of the calendar and of its life: three days round a Sunday lie in two and are one."""
    lived = (days[-1] - days[0]).days // 7 + 1 if days else 0
    return min(lived, len(set(map(calendar_week, days))))


def lenders(group: Sequence[Placed], context: Context) -> tuple[str, ...]:
    """Name the records of others that serve many and by which alone all mail passes SPF; none where a term of ours does."""
    asked = {
        (item.flow.key.client_ip, domain)
        for item in group
        if item.flow.key.client_ip and (domain := envelope_domain(item.flow.key)[0])
    }
    found = {context.lender(address, domain) for address, domain in asked}
    return () if None in found else tuple(sorted(each for each in found if each))


def regular(days: Sequence[date]) -> bool:
    """Tell whether activity keeps a weekly or monthly interval: at least four days, gaps of 6 to 35 days, alike."""
    gaps = [(after - before).days for before, after in pairwise(days)]
    if len(gaps) < 3 or min(gaps) < 6 or max(gaps) > 35:
        return False
    return max(gaps) - min(gaps) <= 3


def judgement_of(odds: float) -> tuple[Judgement, float]:
    """
    Give the judgement for log odds of abuse, and the probability that it is right.

    Undecided carries the probability of the likelier side.
    """
    probability = 1 / (1 + math.exp(-max(-60.0, min(60.0, odds))))
    if probability >= ABUSE_FROM:
        return Judgement.ABUSE, probability
    if probability < LEGITIMATE_BELOW:
        return Judgement.LEGITIMATE, 1 - probability
    return Judgement.UNDECIDED, max(probability, 1 - probability)


_PRIOR = Reason("prior", Text("Before any evidence."), WEIGHTS["prior"].value)


class Case:
    """
    What is known of a sender, and the reasons for and against it while they are collected.

    codes:    names of the reasons so far; odds: the log odds of abuse that they add up to.
    keys, paths: its ways of sending and its ways in.
    addresses, places: its client addresses in order, and the places that they are; all_placed: it has no mail of no place.
    names, envelopes: the mailboxes it writes as, and the domains of P1, None where one is not known.
    kept, lures: mails whose subjects are kept, and those of them whose subjects are those of lures.
    days, weeks: the days on which it was active, in order, and in how many weeks: of the calendar, and of its life.
    gated:    it comes through the organisation's gateway.
    settled:  only the organisation can have arranged its way in, so that nothing else is asked.
    copied:   its name has a sender elsewhere that shows what no outsider can arrange.
    """

    def __init__(self, group: Sequence[Placed], context: Context) -> None:
        self.group, self.context = group, context
        self.facts = merge_facts(item.flow.facts for item in group)
        self.origins = tuple(islice(chain.from_iterable(self.facts.origins.values()), 5))
        self.keys = [item.flow.key for item in group]
        self.paths, self.names, self.places = set[Path](), set[str](), set[str]()
        addresses, self.envelopes = set[str](), set[str | None]()
        self.gated = False
        for item, key in zip(group, self.keys, strict=True):
            self.paths.add(item.path)
            self.names.add(item.name)
            self.places.add(item.place)
            addresses.add(key.client_ip or "")
            self.envelopes.add(envelope_domain(key)[0])
            self.gated = self.gated or through_gateway(key, context.settings)
        self.all_placed = "" not in self.places
        for found in (self.names, self.places, addresses):
            found.discard("")
        self.addresses = tuple(sorted(addresses))
        self.kept, self.lures = sum(self.facts.shapes.values()), about(self.facts, LURE)
        self.days = sorted(self.facts.days)
        self.weeks = weeks_of(self.days)
        self.reasons = [_PRIOR]
        self.codes, self.odds = {"prior"}, WEIGHTS["prior"].value
        self.settled = self.copied = False

    def add(
        self, code: str, text: Text, origins: tuple[Origin, ...] | None = None, weight: float | None = None
    ) -> None:
        """Add a reason; without a weight of its own it takes the code's, without origins the sender's first rows."""
        value = WEIGHTS[code].value if weight is None else weight
        self.reasons.append(Reason(code, text, value, self.origins if origins is None else origins))
        self.codes.add(code)
        self.odds += value

    def bring_to(self, odds: float, code: str, text: Text) -> None:
        """Add a reason whose weight is what brings the odds there."""
        self.add(code, text, weight=odds - self.odds)

    def twin(self) -> Case:
        """Give the same case, to which reasons can be added without adding them here."""
        twin = Case.__new__(Case)
        twin.__dict__.update(self.__dict__)
        twin.reasons, twin.codes = list(self.reasons), set(self.codes)
        return twin

    @property
    def mostly_to_itself(self) -> bool:
        """Tell whether most of its mail goes to the mailbox it claims to be from."""
        return self.facts.self_addressed * 5 >= self.facts.mails * 4

    @property
    def as_colleagues(self) -> bool:
        """
        Tell whether it writes as colleagues, and neither a list nor a scanner to oneself shows in it.

        A list's regulars know whose posts they get, and who scans to himself what he gets; who is deceived does not.
        """
        regulars = "same-people" in self.codes and (len(self.names) >= LIST_NAMES or self.mostly_to_itself)
        return "as-mailbox" in self.codes and not regulars

    @property
    def notices(self) -> bool:
        """Tell whether all its mail has the null reverse-path: notices go to whoever wrote. Source: RFC 5321 4.5.5."""
        return self.envelopes == {""}

    def signs_in(self, item: Placed) -> bool:
        """Tell whether the mailbox of a flow is known to sign in from the flow's address."""
        address = item.flow.key.client_ip
        return bool(address) and address in self.context.settings.smtp_auth_clients.get(item.name, {})
