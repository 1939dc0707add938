"""Judgement: weights of evidence for and against a sender, added to a prior, each with its reason and its rows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

from portero.core.evidence import Origin
from portero.core.exchange.attribution import By, envelope_domain
from portero.core.exchange.settings import Settings
from portero.core.flow import Facts, OutsideFlow, merge_facts
from portero.core.grouping import Placed, nameless
from portero.core.naming import Ties, tie_of
from portero.core.sender import Judgement, Path, Reason
from portero.core.text import Text, count
from portero.core.weights import WEIGHTS

# Probability of abuse from which a sender is called abuse, and below which it is called legitimate. Between them a
# person is asked: to accuse a legitimate sender, or to trust one that lies, are the two worst mistakes.
ABUSE_FROM = 0.8
LEGITIMATE_BELOW = 0.25

# Default subjects of multifunction printers, UPS, storage and monitoring, as shapes (digits as #, lower case).
_DEVICE = re.compile(
    r"\b(scan(ned)?|escaneo|escaneado|numéris\w*|digitaliza\w*|multifun\w*|mfp|xerox|kyocera|ricoh|konica|bizhub|km_|lexmark"
    r"|laserjet|brother|canon|epson|copier|toner|ups|battery|bater[ií]a|backup|copia de seguridad|sicherung|nas|raid|disk"
    r"|alert|alarm|warning|status|report|informe|bericht|relat[oó]rio|job|cron|monitor|temperatur\w*)\b"
)
# What published Direct Send lures are about (reference exchange-online 7.1), in four languages.
_LURE = re.compile(
    r"(voice ?mail|voice ?message|missed (call|fax)|caller left|vm message|fax[- ]?(msg|message)|buz[oó]n de voz"
    r"|mensaje de voz|sprachnachricht|correio de voz|mensagem de voz|payroll|salary|bonus|n[oó]mina|sueldo|gehalt"
    r"|sal[aá]rio|password.{0,20}expir|contraseña.{0,25}(expir|caduc)|passwort.{0,20}(l[aä]uft|abl)|senha.{0,20}expir"
    r"|\bmfa\b|multi-?factor|two-?factor|authenticat|verify your|verifi(que|car)|shared (a |the )?(file|document)"
    r"|document(o)? compartid|docusign|signature required|action required|acci[oó]n requerida|urgent|urgente|dringend"
    r"|overdue|remittance|wire transfer|transferencia|qr[- ]?code|c[oó]digo qr|handbook|benefits|evaluation)"
)


@dataclass(frozen=True, slots=True)
class Context:
    """
    What a judgement looks at besides the sender itself.

    window:       aware UTC bounds of all message evidence.
    network_use:  gives what the configuration says a client address is used for, or None.
    spf:          evaluates the published record: RFC 7208 result of (address, domain), or None where DNS is unknown.
    outside:      DMARC reports by source address.
    ties:         hosts inside, by client address and name.
    established:  names and client addresses of senders already found legitimate without looking at their neighbours.
    """

    settings: Settings
    window: tuple[datetime, datetime] | None = None
    network_use: Callable[[str], str | None] = lambda _: None
    spf: Callable[[str, str], str | None] = lambda _address, _domain: None
    outside: Mapping[str, tuple[OutsideFlow, ...]] = field(default_factory=dict)
    names: Mapping[str, tuple[frozenset[str], bool]] = field(default_factory=dict)
    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ties: Ties = field(default_factory=dict)


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


def weigh(group: Sequence[Placed], context: Context) -> tuple[Reason, ...]:
    """Give the reasons for and against the sender that these flows are; the first is the prior."""
    facts = merge_facts(item.flow.facts for item in group)
    case = _Case(group, facts, context)
    for part in (_arranged, _inside, _authentication, _over_time, _appearance, _beside, _unforged):
        part(case)
    return tuple(case.reasons)


class _Case:
    """The reasons while they are collected."""

    def __init__(self, group: Sequence[Placed], facts: Facts, context: Context) -> None:
        self.group, self.facts, self.context = group, facts, context
        self.origins = tuple(origin for origins in facts.origins.values() for origin in origins)[:5]
        self.reasons = [Reason("prior", Text("Before any evidence."), WEIGHTS["prior"].value)]
        self.settled = False

    def add(self, code: str, text: Text, origins: tuple[Origin, ...] | None = None) -> None:
        self.reasons.append(
            Reason(code, text, WEIGHTS[code].value, self.origins if origins is None else origins)
        )

    @property
    def paths(self) -> set[Path]:
        return {item.path for item in self.group}

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(sorted({item.flow.key.client_ip for item in self.group if item.flow.key.client_ip}))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(item.name for item in self.group if item.name)


def _arranged(case: _Case) -> None:
    """What only the organisation itself can have arranged."""
    if case.paths == {Path.INTERNAL}:
        case.add("inside", Text("It is sent from mailboxes inside the organisation."))
        case.settled = True
    elif case.paths == {Path.AUTHENTICATED}:
        case.add("submitted", Text("It is submitted with the organisation's credentials."))
        case.settled = True
    elif case.paths == {Path.CONNECTOR}:
        first = case.group[0].attribution
        held = first.connector
        if first.by is By.UNKNOWN:
            case.add("connector-doubtful", first.why)
        else:
            origins = (held.origin, *case.origins) if held and held.origin else case.origins
            case.add("connector", first.why, tuple(origins))
            case.settled = True
    uses = {case.context.network_use(address) for address in case.addresses}
    if len(uses) == 1 and (use := next(iter(uses))):
        code = {
            "devices": "network-devices",
            "applications": "network-devices",
            "relay": "network-devices",
            "users": "network-users",
            "partner": "network-partner",
            "guest": "network-guest",
        }[use]
        case.add(code, Text("The configuration names its network, used for: {use}.", use=use))


def _inside(case: _Case) -> None:
    """Which device inside the organisation's network opened its connections."""
    keys = [(item.flow.key.client_ip, item.name) for item in case.group if item.flow.key.client_ip]
    tie = tie_of(keys, case.context.ties)
    if tie is not None and not case.settled:
        case.add("host-inside" if tie.settled else "host-open", tie.why, tie.origins)


def _authentication(case: _Case) -> None:
    if case.settled:
        return
    facts = case.facts
    passed = facts.dmarc.get("pass", 0) + facts.dmarc.get("bestguesspass", 0)
    failed = facts.dmarc.get("fail", 0)
    own_envelope = any(
        envelope_domain(item.flow.key)[0]
        and case.context.settings.names_us(envelope_domain(item.flow.key)[0])
        for item in case.group
    )
    if passed and passed >= 9 * failed:
        case.add(
            "dmarc-pass",
            count(
                "{n} mail passes DMARC for the organisation's domain.",
                "{n} mails pass DMARC for the organisation's domain.",
                passed,
            ),
        )
    elif (
        own_envelope
        and facts.spf.get("pass", 0)
        and facts.spf["pass"] >= 9 * (sum(facts.spf.values()) - facts.spf["pass"])
    ):
        case.add("spf-pass", Text("The organisation's SPF record lists its address."))
    elif failed or (own_envelope and facts.spf and not facts.spf.get("pass") and not facts.dkim.get("pass")):
        case.add(
            "authentication-fails", Text("Its mail fails SPF, DKIM and DMARC for the organisation's domain.")
        )
        if not own_envelope:
            case.add(
                "foreign-unaligned",
                Text("It shows the organisation's address over a foreign envelope and nothing ties the two."),
            )
    elif own_envelope and not facts.spf:
        _published(case)
    rows = [row for address in case.addresses for row in case.context.outside.get(address, ())]
    if any(row.aligned_spf or row.aligned_dkim for row in rows):
        case.add(
            "outside-pass",
            Text("DMARC reports show the same address passing for the organisation's domain."),
            tuple(origin for row in rows for origin in row.origins)[:5],
        )


def _published(case: _Case) -> None:
    results = set()
    for item in case.group:
        domain, _ = envelope_domain(item.flow.key)
        if item.flow.key.client_ip and domain:
            results.add(case.context.spf(item.flow.key.client_ip, domain))
    if results == {"pass"}:
        case.add("spf-pass", Text("The organisation's SPF record lists its address."))
    elif results and results <= {"fail", "softfail", "neutral"}:
        case.add("spf-unlisted", Text("The organisation's SPF record does not list its address."))


def _over_time(case: _Case) -> None:
    facts, window = case.facts, case.context.window
    if case.settled or not facts.days:
        return
    days = sorted(facts.days)
    weeks = len({day.isocalendar()[:2] for day in days})
    # Where no address is recorded several hosts may share the name, and weeks of activity vouch for none of them.
    one_host = all(item.place for item in case.group) or facts.distinct_shapes.value <= 3
    for bound in (8, 4, 3, 2):
        if weeks >= bound and one_host:
            case.add(
                f"weeks-{bound}",
                count("It was active in {n} week.", "It was active in {n} different weeks.", weeks),
            )
            break
    if _regular(days):
        case.add("regular", Text("Its days of activity keep a steady interval."))
    span = (window[1] - window[0]).days if window else 0
    lifetime = (days[-1] - days[0]).days
    if span >= 14 and len(days) <= 3 and lifetime < 7 and facts.mails >= 3:
        case.add(
            "short-lived", count("All its mail fell on {n} day.", "All its mail fell on {n} days.", len(days))
        )
    elif window and span >= 21 and days[0] >= (window[1] - timedelta(days=7)).date():
        case.add("new", Text("It was first seen in the last week of the evidence."))
    people = facts.recipients.value
    if facts.busiest >= 10 and facts.busiest * 2 >= facts.mails and people >= 10:
        case.add(
            "burst",
            count(
                "{n} mail left within one hour, to {people} people.",
                "{n} mails left within one hour, to {people} people.",
                facts.busiest,
                people=people,
            ),
        )
    if 0 < people <= 3 and facts.mails >= 3 * people and weeks >= 2:
        case.add(
            "same-few-people",
            count(
                "It writes to the same person again and again.",
                "It writes to the same {n} people again and again.",
                people,
            ),
        )


def _regular(days: Sequence[date]) -> bool:
    """Tell whether activity keeps a weekly or monthly interval: at least four days, gaps of 6 to 35 days, alike."""
    gaps = [(after - before).days for before, after in pairwise(days)]
    if len(gaps) < 2 or min(gaps) < 6 or max(gaps) > 35:
        return False
    return max(gaps) - min(gaps) <= 3


def _appearance(case: _Case) -> None:
    if case.settled:
        return
    facts = case.facts
    weeks = len({day.isocalendar()[:2] for day in facts.days})
    kept = sum(facts.shapes.values())
    varied = facts.distinct_shapes.value
    if facts.mails >= 10 and varied <= 5 and weeks >= 2:
        case.add(
            "same-subjects",
            count("It repeats {n} subject for weeks.", "It repeats {n} subjects for weeks.", varied),
        )
    elif facts.mails >= 10 and varied * 5 >= facts.mails * 3 and weeks >= 2:
        case.add("varied-subjects", Text("Its subjects vary as correspondence does."))
    lures = sum(number for shape, number in facts.shapes.items() if _LURE.search(shape))
    devices = sum(number for shape, number in facts.shapes.items() if _DEVICE.search(shape))
    if kept and lures * 2 >= kept:
        case.add(
            "lure",
            Text("Its subjects are those of known lures, for example “{shape}”.", shape=_first(facts, _LURE)),
        )
    elif kept and devices * 2 >= kept and weeks >= 2:
        case.add(
            "device-words",
            Text("Its subjects are those of devices, for example “{shape}”.", shape=_first(facts, _DEVICE)),
        )
    if facts.self_addressed * 5 >= facts.mails * 4 and facts.recipients.value > 3:
        case.add("self-addressed", Text("It writes to people under their own address."))
    if len(case.names) >= 5:
        case.add(
            "many-names",
            count("It writes under {n} name.", "It writes under {n} different names.", len(case.names)),
        )
    hosts = {item.flow.key.ehlo for item in case.group if item.flow.key.ehlo}
    if hosts and all(nameless(host) and not host.strip("[]").replace(".", "").isdigit() for host in hosts):
        case.add("nameless-host", Text("It calls itself {ehlo}, as any computer may.", ehlo=min(hosts)))
    bad = facts.threats.get("phish", 0) + facts.threats.get("malware", 0)
    if bad * 2 >= facts.mails:
        case.add(
            "filter-phish",
            count(
                "Microsoft's filter called {n} mail phishing or malware.",
                "Microsoft's filter called {n} mails phishing or malware.",
                bad,
            ),
        )
    elif bad:
        case.add(
            "filter-some-phish",
            count(
                "Microsoft's filter called {n} mail phishing or malware.",
                "Microsoft's filter called {n} mails phishing or malware.",
                bad,
            ),
        )
    elif facts.threats.get("spoof", 0) * 2 >= facts.mails:
        case.add("filter-spoof", Text("Microsoft's filter called most of it spoofed."))


def _first(facts: Facts, words: re.Pattern[str]) -> str:
    return min(shape for shape in facts.shapes if words.search(shape))


def _beside(case: _Case) -> None:
    """What other senders, already judged on their own, say about this one."""
    if case.settled:
        return
    context = case.context
    own = frozenset(item.place for item in case.group if item.place)
    failing = any(reason.code in {"authentication-fails", "spf-unlisted"} for reason in case.reasons)
    for name in sorted(case.names):
        held = context.names.get(name)
        if name.startswith("@") or held is None or not own or held[0] & own:
            continue
        if held[1] and failing:
            case.add(
                "copies-failing",
                Text(
                    "{name} has an established sender elsewhere, which passes authentication; "
                    "this one fails it.",
                    name=name,
                ),
            )
        else:
            case.add(
                "copies", Text("{name} has an established sender elsewhere, in another network.", name=name)
            )
        return
    if own and all(place in context.addresses for place in own):
        others = frozenset[str]().union(*(context.addresses[place] for place in own)) - case.names
        if others:
            case.add("beside-established", Text("It shares its client address with an established sender."))


# A name in use at more places than this is a service that sends from many addresses; no place of it is the original.
_ROAMS_FROM = 4

# What a legitimate burst, such as the pay slips, does not show.
_FORGED = frozenset(
    {
        "authentication-fails",
        "foreign-unaligned",
        "self-addressed",
        "many-names",
        "nameless-host",
        "filter-phish",
        "filter-some-phish",
        "copies",
        "copies-failing",
    }
)


def _unforged(case: _Case) -> None:
    """Behaviour and themes alone never accuse: the organisation's own mailings look the same."""
    codes = {reason.code for reason in case.reasons}
    if codes & {"burst", "lure", "short-lived"} and not codes & _FORGED:
        case.add(
            "nothing-forged", Text("Nothing shows that it writes as somebody else or fails authentication.")
        )


def established(
    groups: Sequence[Sequence[Placed]], reasons: Sequence[Sequence[Reason]]
) -> tuple[dict[str, tuple[frozenset[str], bool]], dict[str, frozenset[str]]]:
    """
    Give the names and the addresses of senders found legitimate on their own evidence.

    Names map to the places they send from and whether they pass authentication; addresses to the names there.
    """
    names: dict[str, tuple[frozenset[str], bool]] = {}
    addresses: dict[str, frozenset[str]] = {}
    everywhere: dict[str, set[str]] = {}
    for group in groups:
        for item in group:
            everywhere.setdefault(item.name, set()).add(item.place)
    for group, held in zip(groups, reasons, strict=True):
        if judgement_of(sum(reason.weight for reason in held))[0] is not Judgement.LEGITIMATE:
            continue
        places = frozenset(item.place for item in group if item.place)
        passes = any(reason.code in {"dmarc-pass", "spf-pass"} for reason in held)
        for name in {item.name for item in group if item.name}:
            if len(everywhere[name]) > _ROAMS_FROM:
                continue
            before = names.get(name, (frozenset(), False))
            names[name] = (before[0] | places, before[1] or passes)
        for place in places:
            addresses[place] = addresses.get(place, frozenset()) | {item.name for item in group}
    return names, addresses
