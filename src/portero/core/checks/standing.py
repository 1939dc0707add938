"""Many checks judge object by object or domain by domain; here their answers become one verdict with its cures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from portero.core.address import is_at_or_below
from portero.core.checks.origins import of_answers, of_objects
from portero.core.dns import DnsAnswer, DnsStatus
from portero.core.evidence import ConfigObject, Origin
from portero.core.exchange.change import Change
from portero.core.exchange.powershell import identity
from portero.core.exchange.settings import Absent, prop
from portero.core.finding import Outcome, Posture, Severity, Verdict
from portero.core.text import Text, count

# A sentence that names thousands of objects is no sentence; the files hold all.
_SHOWN = 20
_VALUE = 60  # as much of a value as shows what it is
_TXT_STRING = 255  # RFC 1035 section 3.3.14: one string of a TXT record holds no more octets


@dataclass(frozen=True, slots=True)
class Standing:
    """
    How one object or domain stands.

    subject:   the name that people know it by.
    reason:    a clause without a full stop that names it.
    wanted:    lines of a zone file to publish; previous: those they take the place of.
    changes:   the commands that mend it.
    """

    subject: str
    outcome: Outcome
    reason: Text
    origins: tuple[Origin, ...] = ()
    severity: Severity | None = None
    wanted: tuple[str, ...] = ()
    previous: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


def custom_domains(posture: Posture) -> tuple[str, ...]:
    """Name the domains whose DNS is the organisation's to keep: Microsoft keeps the names below onmicrosoft.com."""
    return tuple(
        held.name
        for held in posture.settings.accepted_domains
        if not is_at_or_below(held.name, "onmicrosoft.com")
    )


def judge_domains(
    posture: Posture,
    standing: Callable[[Posture, str], Standing],
    passed: Callable[[tuple[str, ...]], Text],
    inapplicable: Text | None = None,
) -> Verdict:
    """
    Judge every domain whose DNS is the organisation's to keep.

    passed:        makes the sentence for all is well, of the domains.
    inapplicable:  why the check concerns none of them, where that can be.
    """
    domains = custom_domains(posture)
    if not domains:
        return Verdict(Outcome.NOT_APPLICABLE, Text("The organisation has no domain of its own in DNS."))
    return conclude(
        [standing(posture, domain) for domain in domains],
        passed(domains),
        inapplicable or Text("No domain was judged."),
    )


def judge_objects(
    posture: Posture,
    cmdlet: str,
    standing: Callable[[Posture, ConfigObject], Standing],
    passed: Text,
    nothing: Verdict | None = None,
) -> Verdict:
    """
    Judge every object that a cmdlet returned.

    nothing:  the verdict where it returned none; None where that passes too.
    """
    answers = of_answers(posture.tenant, cmdlet)
    items = posture.tenant.objects(cmdlet) or ()
    if not items:
        return nothing or Verdict(Outcome.PASS, passed, answers)
    return conclude([standing(posture, item) for item in items], passed, Text("It concerns none of them."))


def judge_single(posture: Posture, cmdlet: str, judge: Callable[[Posture, ConfigObject], Verdict]) -> Verdict:
    """Judge the one object that a cmdlet returns for a tenant; an empty answer leaves it unknown."""
    item = posture.tenant.single(cmdlet)
    if item is None:
        return Verdict(
            Outcome.UNKNOWN,
            Text("{cmdlet} came back empty, so nothing was seen.", cmdlet=cmdlet),
            of_answers(posture.tenant, cmdlet),
        )
    return judge(posture, item)


def unanswered(answer: DnsAnswer) -> bool:
    """Tell whether the evidence holds no answer to a question, or only a failure of DNS."""
    return not answer.status.answered


def unsaid(item: ConfigObject, names: Iterable[str]) -> tuple[Text, ...]:
    """Say of each property whether it was not exported or never set; where all are there, what nobody can read."""
    held = {name: prop(item, name) for name in names}
    silent = tuple(
        Text("{name} was not exported", name=name)
        if isinstance(value, Absent)
        else Text("{name} was never set", name=name)
        for name, value in held.items()
        if value is None or value == "" or isinstance(value, Absent)
    )
    unreadable = (
        Text("{name} is {value}", name=name, value=str(value)[:_VALUE]) for name, value in held.items()
    )
    return silent or tuple(unreadable)


def unread(item: ConfigObject, names: Iterable[str], called: str = "") -> Standing:
    """
    Say which properties of an object leave it unknown, and why.

    called:  the name that people know it by, where that is not its identity.
    """
    name = called or identity(item)
    reason = Text("of “{name}”: {what}", name=name, what=unsaid(item, names))
    return Standing(name, Outcome.UNKNOWN, reason, of_objects([item]))


def silence(domain: str, answer: DnsAnswer) -> Standing:
    """Say that a question was never answered, and which."""
    question = f"{answer.name} {answer.type}"
    if answer.status is DnsStatus.UNKNOWN:
        reason = Text("the evidence holds no answer for {question}", question=question)
    else:
        reason = Text(
            "DNS failed to answer {question} ({status})", question=question, status=answer.status.value
        )
    return Standing(domain, Outcome.UNKNOWN, reason, origins_of(answer))


def origins_of(*answers: DnsAnswer) -> tuple[Origin, ...]:
    """Give the places of answers, each once."""
    return tuple(dict.fromkeys(answer.origin for answer in answers if answer.origin is not None))


def conclude(standings: Sequence[Standing], passed: Text, inapplicable: Text) -> Verdict:
    """
    Make one verdict of many standings.

    Any failure fails and names what is unknown beside it; else anything unknown leaves the whole unknown; else any
    warning warns. A cure names everything that fails or warns.
    """
    by_outcome = {outcome: [each for each in standings if each.outcome is outcome] for outcome in Outcome}
    failed, unknown, warned = (
        by_outcome[outcome] for outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WARN)
    )
    if failed or warned or unknown:
        outcome = Outcome.FAIL if failed else Outcome.UNKNOWN if unknown else Outcome.WARN
        shown = [*failed, *warned]
        graver = [each.severity for each in failed if each.severity is not None]
        order = list(Severity)
        return Verdict(
            outcome,
            _because(shown, unknown),
            _origins([*shown, *unknown]),
            severity=min(graver, key=order.index) if graver else None,
            fix=_publish([line for each in shown for line in each.wanted]),
            undo=_restore(shown),
            changes=tuple(dict.fromkeys(change for each in shown for change in each.changes)),
            subjects=tuple(dict.fromkeys(each.subject for each in shown)),
        )
    judged = by_outcome[Outcome.PASS]
    if not judged:
        return Verdict(Outcome.NOT_APPLICABLE, inapplicable, _origins(standings))
    return Verdict(Outcome.PASS, passed, _origins(judged))


def _because(shown: Sequence[Standing], unknown: Sequence[Standing]) -> Text:
    faults, silent = _listed(shown), _listed(unknown)
    if not silent:
        return Text("{faults}.", faults=faults)
    if not faults:
        return Text("Not known: {silent}.", silent=silent)
    return Text("{faults}. Not known: {silent}.", faults=faults, silent=silent)


def _listed(standings: Sequence[Standing]) -> tuple[Text, ...]:
    reasons = list(dict.fromkeys(each.reason for each in standings))
    if len(reasons) <= _SHOWN:
        return tuple(reasons)
    rest = len(reasons) - _SHOWN
    return (*reasons[:_SHOWN], count("{n} more", "{n} more", rest))


def _origins(standings: Iterable[Standing]) -> tuple[Origin, ...]:
    return tuple(dict.fromkeys(origin for each in standings for origin in each.origins))[: _SHOWN * 5]


def _publish(lines: Sequence[str]) -> Text | None:
    if not lines:
        return None
    return Text("Publish in DNS, in place of what stands there: {records}", records="\n".join(lines))


def _restore(standings: Sequence[Standing]) -> Text | None:
    changed = [each for each in standings if each.wanted]
    before = [line for each in changed for line in each.previous]
    replaced = {_place(line) for line in before}
    places = dict.fromkeys(_place(line) for each in changed for line in each.wanted)
    added = tuple(name for name, kind in places if (name, kind) not in replaced)
    if not changed:
        return None
    if not before:
        return Text("Remove the records published at {names} again.", names=added)
    if not added:
        return Text("Publish the previous records again: {records}", records="\n".join(before))
    return Text(
        "Remove the records published at {names} again, and publish the previous ones: {records}",
        names=added,
        records="\n".join(before),
    )


def _place(line: str) -> tuple[str, str]:
    """Give the name and type of a line of a zone file."""
    name, kind, _ = line.split(" ", 2)
    return name, kind


def txt_line(name: str, text: str) -> str:
    """Write a TXT record as a line of a zone file, cut into strings that DNS can hold. Source: RFC 1035 section 5.1."""
    pieces = [text[start : start + _TXT_STRING] for start in range(0, len(text), _TXT_STRING)] or [""]
    quoted = ('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)
    return f"{name}. TXT {' '.join(quoted)}"


def mx_line(name: str, text: str) -> str:
    """Write an MX record, ``preference host``, as a line of a zone file."""
    host = text.split()[-1].rstrip(".")
    return f"{name}. MX {' '.join([*text.split()[:-1], host + '.'])}"
