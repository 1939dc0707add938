"""Score an audit against the truth: what was judged wrongly, what a control was wrongly said to do, what counted twice.

Reads the contract's ``audit.json`` and a ledger as plain JSON, so that it shares nothing with the judge.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

Json = Mapping[str, Any]
_BINS = 10
_CONTAINED = 4.0  # points for an address that lies inside a stated network
_SUBMITTED = ("internal", "authenticated")
_DECIDED = ("legitimate", "abuse")
# What names the connector of a mail, so that one through a connector and one past it look different.
_NAMES_CONNECTOR = frozenset({"enhanced", "extended", "email-events"})
# Clocks differ, and a report counts whole days.
_BESIDE = timedelta(days=1)


def score(audit: Json, ledger: Json) -> dict[str, Any]:
    """
    Compare.

    audit:   ``audit.json``; ledger: what `ledger.ledger` gives. Counts are unique mails in the organisation's name
             that at least one document shows.
    """
    assigned = assign(audit["senders"], ledger["mails"])
    judgements = {sender["id"]: sender["judgement"] for sender in ledger["senders"]}
    reported = {sender["id"]: sender for sender in audit["senders"]}
    return {
        "mails": len(ledger["mails"]),
        "judgement": _judgement(assigned, ledger["mails"], judgements, reported),
        "calibration": _calibration(assigned, ledger["mails"], judgements, reported),
        "simulations": [
            _simulation(simulation, assigned, ledger["mails"])
            for control, simulation in _alone(audit.get("simulations", ())).items()
            if control in ledger["controls"]
        ],
        "paths": _paths(assigned, ledger["mails"], reported),
        "counting": _counting(audit["senders"], assigned, len(ledger["mails"])),
    }


def assign(senders: Sequence[Json], mails: Sequence[Json]) -> dict[str, str | None]:
    """
    Say which reported sender each true mail belongs to, by mail id; None where no reported sender fits.

    A sender fits when nothing it states contradicts the mail. Among several the best match wins; among equal ones
    the one whose own count has most room left, since they cannot be told apart from outside.
    """
    fitting = [_Fit(sender) for sender in senders]
    during = {fit.identity: fit for fit in fitting}
    cache: dict[tuple[Any, ...], list[str]] = {}
    room = {sender["id"]: int(sender["messages"]) for sender in senders}
    result: dict[str, str | None] = {}
    for mail in mails:
        key = tuple(
            mail[name]
            for name in ("client_ip", "header_from", "mail_from_domain", "ehlo", "path", "session_shown")
        )
        key += tuple(mail["witnesses"])
        if key not in cache:
            cache[key] = _best(fitting, mail)
        at = datetime.fromisoformat(mail["at"])
        best = [each for each in cache[key] if during[each].covers(at)] or cache[key]
        chosen = max(best, key=lambda identity: room[identity]) if best else None
        if chosen is not None:
            room[chosen] -= 1
        result[mail["id"]] = chosen
    return result


def _best(fitting: Iterable[_Fit], mail: Json) -> list[str]:
    points = {fit.identity: value for fit in fitting if (value := fit.points(mail)) is not None}
    most = max(points.values(), default=0.0)
    return sorted(identity for identity, value in points.items() if value == most)


class _Fit:
    """How well one reported sender matches a mail, by what the sender states."""

    def __init__(self, sender: Json) -> None:
        self.identity: str = sender["id"]
        self._networks = [ipaddress.ip_network(text, strict=False) for text in sender["client_networks"]]
        self._header_from = {_ascii_address(text) for text in sender["header_from"]}
        self._header_domains = {_ascii(text) for text in sender["header_from_domains"]} | {
            text.rpartition("@")[2] for text in self._header_from
        }
        self._mail_domains = {_ascii(text) for text in sender["mail_from_domains"]}
        self._ehlo = set(sender["ehlo"])
        self._path = sender["path"]
        self._first, self._last = (_moment(sender.get(name)) for name in ("first_seen", "last_seen"))

    def covers(self, at: datetime) -> bool:
        """Tell whether a mail falls within the time in which the sender was seen, as far as it states one."""
        early = self._first is not None and at < self._first - _BESIDE
        return not early and not (self._last is not None and at > self._last + _BESIDE)

    def points(self, mail: Json) -> float | None:
        """Give the match as points, more is better; None where sender and mail contradict each other."""
        near = self._nearness(mail["client_ip"])
        domain = mail["header_from"].rpartition("@")[2]
        named = mail["header_from"] in self._header_from
        # A summary may have shown P1 only, and its reader taken it for P2.
        names = {domain, mail["mail_from_domain"]}
        if near is None or any(
            stated and stated.isdisjoint(names) for stated in (self._header_domains, self._mail_domains)
        ):
            return None
        # Where no document tells mail from a mailbox and mail from port 25 apart, neither can the judge.
        alike = self._taken_alike(mail["path"]) if mail["session_shown"] else 2.0
        if not alike and near < _CONTAINED:
            return None
        total = near + alike + 4.0 * named + 2.0 * (mail["mail_from_domain"] in self._mail_domains)
        total += 2.0 * (mail["ehlo"] is not None and mail["ehlo"] in self._ehlo)
        if not _NAMES_CONNECTOR.isdisjoint(mail["witnesses"]):
            total += 2.0 * ((mail["path"] == "connector") == (self._path == "connector"))
        return total

    def _taken_alike(self, path: str | None) -> float:
        """Mail from a mailbox and mail from port 25 look different in every trace, whoever is named in them."""
        if self._path == "undetermined":
            return 2.0
        return 6.0 if (path in _SUBMITTED) == (self._path in _SUBMITTED) else 0.0

    def _nearness(self, address: str | None) -> float | None:
        if address is None:
            return 2.0 if not self._networks else 0.0
        if not self._networks:
            return 0.0
        number = ipaddress.ip_address(address)
        containing = [held for held in self._networks if number in held]
        return max((_CONTAINED + held.prefixlen / held.max_prefixlen for held in containing), default=None)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _ascii_address(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.lower()}@{_ascii(domain)}"


def _ascii(domain: str) -> str:
    """Give A-labels, lower case; a name that no A-label stands for is compared as it is."""
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain.lower()


def _judgement(
    assigned: Mapping[str, str | None],
    mails: Sequence[Json],
    truth: Mapping[str, str],
    reported: Mapping[str, Json],
) -> dict[str, Any]:
    table: Counter[tuple[str, str]] = Counter()
    wrong: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for mail in mails:
        owner = assigned[mail["id"]]
        said = reported[owner]["judgement"] if owner is not None else "missing"
        right = truth[mail["sender"]]
        table[right, said] += 1
        if said != right and owner is not None:
            wrong[right, said][f"{mail['sender']} -> {owner}"] += 1
    correct = table["legitimate", "legitimate"] + table["abuse", "abuse"]
    return {
        "accuracy": _share(correct, len(mails)),
        "decided_accuracy": _share(correct, sum(n for (_, said), n in table.items() if said in _DECIDED)),
        "by_truth_and_judgement": {f"{right} judged {said}": n for (right, said), n in sorted(table.items())},
        "false_accusations": _cases(wrong["legitimate", "abuse"], reported),
        "abuse_called_legitimate": _cases(wrong["abuse", "legitimate"], reported),
        "undecided": _cases(wrong["legitimate", "undecided"] + wrong["abuse", "undecided"], reported),
    }


def _cases(counted: Counter[str], reported: Mapping[str, Json]) -> list[dict[str, Any]]:
    cases = []
    for pair, mails in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        sender, _, owner = pair.partition(" -> ")
        cases.append(
            {
                "sender": sender,
                "reported": owner,
                "mails": mails,
                "confidence": reported[owner]["confidence"],
            }
        )
    return cases


def _calibration(
    assigned: Mapping[str, str | None],
    mails: Sequence[Json],
    truth: Mapping[str, str],
    reported: Mapping[str, Json],
) -> dict[str, Any]:
    """Brier score and bins of the probability of abuse, by mail. An undecided sender's confidence is read as one half."""
    squares, bins = 0.0, [[0, 0.0, 0] for _ in range(_BINS)]
    judged = 0
    for mail in mails:
        owner = assigned[mail["id"]]
        if owner is None:
            continue
        probability = _abuse_probability(reported[owner])
        happened = int(truth[mail["sender"]] == "abuse")
        squares += (probability - happened) ** 2
        judged += 1
        held = bins[min(int(probability * _BINS), _BINS - 1)]
        held[0] += 1
        held[1] += probability
        held[2] += happened
    return {
        "brier": _share(squares, judged),
        "bins": [
            {"mails": number, "said": round(total / number, 4), "abuse": round(hits / number, 4)}
            for number, total, hits in bins
            if number
        ],
    }


def _abuse_probability(sender: Json) -> float:
    confidence = float(sender["confidence"])
    if sender["judgement"] == "abuse":
        return confidence
    return 1.0 - confidence if sender["judgement"] == "legitimate" else 0.5


def _simulation(
    simulation: Json, assigned: Mapping[str, str | None], mails: Sequence[Json]
) -> dict[str, Any]:
    """
    Compare one control.

    A sender whose effect is mixed says how many, not which; it is read in its favour, so an error counted here is one
    that no reading could excuse. ``settled`` are the errors left where also every mail whose fate the documents leave
    open is read in its favour.
    """
    control = _control(simulation)
    effects = {entry["sender"]: entry for entry in simulation["senders"]}
    true: dict[str | None, Counter[str]] = defaultdict(Counter)
    needless: Counter[str | None] = Counter()
    open_fates: dict[str | None, Counter[str]] = defaultdict(Counter)
    for mail in mails:
        owner = assigned[mail["id"]]
        true[owner][mail["fates"][control]] += 1
        open_fates[owner][mail["fates"][control]] += control not in mail["sufficient"]
        needless[owner] += control in mail["sufficient"] and mail["fates"][control] != "unknowable"
    totals: Counter[str] = Counter()
    wrong: list[dict[str, Any]] = []
    for owner, fates in true.items():
        said = _said(effects.get(owner or ""), fates.total())
        errors = _errors(said, fates)
        errors["undetermined_needlessly"] = min(errors["undetermined"], needless[owner])
        for name, fate in (("said_kept_but_refused", "refused"), ("said_refused_but_kept", "kept")):
            errors[f"{name}_settled"] = max(0, errors[name] - open_fates[owner][fate])
        totals.update(errors)
        if errors["said_kept_but_refused"] or errors["said_refused_but_kept"]:
            wrong.append({"reported": owner, **errors, "truth": dict(fates)})
    total = len(mails)
    return {
        "control": control,
        "mails": total,
        **{name: totals[name] for name in _ERRORS},
        "undetermined_share": _share(totals["undetermined"], total),
        "needless_share": _share(totals["undetermined_needlessly"], total),
        "wrong": sorted(
            wrong, key=lambda case: -case["said_kept_but_refused"] - case["said_refused_but_kept"]
        ),
    }


_ERRORS = (
    "said_kept_but_refused",
    "said_refused_but_kept",
    "said_kept_but_refused_settled",
    "said_refused_but_kept_settled",
    "claimed_unknowable",
    "undetermined",
    "undetermined_needlessly",
    "missing",
)


def _alone(simulations: Sequence[Json]) -> dict[str, Json]:
    """Give the simulations of one control each; the plan's, which comes last, may consist of one control too."""
    alone: dict[str, Json] = {}
    for simulation in simulations:
        if len(simulation["controls"]) == 1:
            alone.setdefault(_control(simulation), simulation)
    return alone


def _control(simulation: Json) -> str:
    """Give the control's name in the ledger: ``lock-gateway=...`` is ``lock-gateway``."""
    text: str = simulation["controls"][0]
    return "lock-gateway" if text.startswith("lock-gateway") else text


def _said(entry: Json | None, mails: int) -> Counter[str]:
    """Give what was said of a sender's mails, scaled to how many true mails it was given."""
    if entry is None:
        return Counter(missing=mails)
    counts = {word: int(entry[word]) for word in ("refused", "kept", "undetermined")}
    if entry["effect"] != "mixed" or not sum(counts.values()):
        word = entry["effect"] if entry["effect"] != "mixed" else "undetermined"
        return Counter({word: mails})
    scaled = Counter({word: round(number * mails / sum(counts.values())) for word, number in counts.items()})
    scaled[max(counts, key=lambda word: counts[word])] += mails - scaled.total()
    return scaled


def _errors(said: Counter[str], fates: Counter[str]) -> Counter[str]:
    refused = min(said["refused"], fates["refused"])
    kept = min(said["kept"], fates["kept"])
    over_refused, over_kept = said["refused"] - refused, said["kept"] - kept
    unknowable = fates["unknowable"]
    false_keep = min(over_kept, max(0, fates["refused"] - refused))
    false_refusal = min(over_refused, max(0, fates["kept"] - kept))
    claimed = min(unknowable, over_kept - false_keep + over_refused - false_refusal)
    return Counter(
        said_kept_but_refused=false_keep,
        said_refused_but_kept=false_refusal,
        claimed_unknowable=claimed,
        undetermined=said["undetermined"],
        missing=said["missing"],
    )


def _paths(
    assigned: Mapping[str, str | None], mails: Sequence[Json], reported: Mapping[str, Json]
) -> dict[str, Any]:
    table: Counter[tuple[str, str]] = Counter()
    for mail in mails:
        owner = assigned[mail["id"]]
        if owner is not None and mail["path"] is not None:
            table[mail["path"], reported[owner]["path"]] += 1
    right = sum(number for (true, said), number in table.items() if _same_path(true, said))
    return {
        "accuracy": _share(right, table.total()),
        "by_truth_and_path": {
            f"{true} said {said}": number for (true, said), number in sorted(table.items())
        },
    }


def _same_path(true: str, said: str) -> bool:
    """Submission and mailbox cannot be told apart in most evidence; the contract takes either."""
    return true == said or {true, said} == set(_SUBMITTED)


def _counting(senders: Sequence[Json], assigned: Mapping[str, str | None], mails: int) -> dict[str, Any]:
    said = sum(int(sender["messages"]) for sender in senders)
    found = Counter(owner for owner in assigned.values() if owner is not None)
    return {
        "mails": mails,
        "said": said,
        "excess": max(0, said - mails),
        "lacking": max(0, mails - said),
        "unassigned": sum(owner is None for owner in assigned.values()),
        "by_sender": [
            {"reported": sender["id"], "said": sender["messages"], "found": found[sender["id"]]}
            for sender in senders
            if sender["messages"] != found[sender["id"]]
        ],
    }


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
