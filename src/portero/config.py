"""Reads ``portero.toml`` once into frozen values; everything wrong with it is said at once, by file, key and line."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from portero.core.acceptance import Acceptance
from portero.core.address import IPNetwork, a_label, parse_network
from portero.core.checks import checks
from portero.core.evidence import Origin
from portero.core.limits import LIMITS
from portero.core.register import Configuration, Criticality, Detection, KnownNetwork, RegisterEntry, pattern
from portero.core.text import Text
from portero.core.thresholds import STANDARD, Thresholds
from portero.core.toml_lines import Place, key_lines, line_of, shown
from portero.errors import ConfigError
from portero.toml_file import parse_toml, read_toml


def _network(value: object) -> IPNetwork:
    if not isinstance(value, str):
        raise ValueError("address")
    try:
        return parse_network(value)
    except ValueError:
        raise ValueError("address") from None


def _domain(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^\s@*/]+\.[^\s@*/]+", value.strip()):
        raise ValueError("domain")
    return a_label(value)


def _mailbox(value: object) -> str:
    # "" is the null reverse-path, which only mail_from may name; header_from uses _author.
    if not isinstance(value, str) or (value and not re.fullmatch(r"\*?[^\s*]*@[^\s@*]+", value.strip())):
        raise ValueError("mailbox")
    return pattern(value)


def _author(value: object) -> str:
    if value == "":
        raise ValueError("mailbox")
    return _mailbox(value)


def _ehlo(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("text")
    return value.strip()


def _zone(value: object) -> str:
    try:
        return ZoneInfo(str(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("zone") from None


def _check(value: object) -> str:
    name = str(value).strip().upper()
    if name not in {each.id for each in checks()}:
        raise ValueError("check")
    return name


def _moment(value: object) -> datetime:
    # TOML writes times as such; one without a zone says too little.
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("time")
    return value.astimezone(UTC)


def _day(value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("date")
    return value


CheckId = Annotated[str, BeforeValidator(_check)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Network = Annotated[IPNetwork, BeforeValidator(_network)]
Domain = Annotated[str, BeforeValidator(_domain)]
Mailbox = Annotated[str, BeforeValidator(_mailbox)]
Author = Annotated[str, BeforeValidator(_author)]
Ehlo = Annotated[str, BeforeValidator(_ehlo)]
Zone = Annotated[str, BeforeValidator(_zone)]
Name = Annotated[str, Field(min_length=1, strict=True)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Organisation(_Model):
    name: Name | None = None
    accepted_domains: tuple[Domain, ...] = ()
    mx_provider: Literal["microsoft", "gateway"] | None = None
    time_zone: Zone | None = None
    keep_days: Annotated[int, Field(strict=True, ge=0)] | None = None


class _Network(_Model):
    name: Name
    cidr: Annotated[tuple[Network, ...], Field(min_length=1)]
    use: Literal["devices", "applications", "users", "partner", "guest", "relay"] | None = None


class _Sender(_Model):
    label: Name
    header_from: tuple[Author, ...] = ()
    mail_from: tuple[Mailbox, ...] = ()
    cidr: tuple[Network, ...] = ()
    ehlo: tuple[Ehlo, ...] = ()
    judgement: Literal["legitimate", "abuse", "undecided"]
    owner: Name | None = None
    purpose: Name | None = None
    criticality: Literal["low", "medium", "high", "critical"] | None = None


# A key for each threshold, with the kind of value that its default has.
_Thresholds = create_model(
    "_Thresholds",
    __base__=_Model,
    **{  # type: ignore[call-overload]  # the keys are those of a dataclass, which no overload can name
        each.name: (
            Annotated[bool, Field(strict=True)]
            if isinstance(getattr(STANDARD, each.name), bool)
            else Annotated[int, Field(strict=True, ge=0)],
            None,
        )
        for each in fields(Thresholds)
    },
)


class _Checks(_Model):
    people: tuple[Name, ...] = ()
    thresholds: _Thresholds = Field(default_factory=_Thresholds)  # type: ignore[valid-type]  # made above


class _Exception(_Model):
    check: CheckId
    subject: Name | None = None
    owner: Name
    until: Day
    reason: Name


class _Detection(_Model):
    check: CheckId
    where: Name
    last_run: Moment


Bound = Annotated[int, Field(strict=True, ge=1, le=10**18)]


class _Limits(_Model):
    octets: Bound | None = None
    ratio: Bound | None = None
    members: Bound | None = None
    nesting: Annotated[int, Field(strict=True, ge=1, le=50)] | None = None
    parts: Bound | None = None
    part_nesting: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    records: Bound | None = None
    record_octets: Bound | None = None
    headers: Bound | None = None
    mail_octets: Bound | None = None


class _File(_Model):
    organisation: _Organisation = _Organisation()
    limits: _Limits = _Limits()
    network: tuple[_Network, ...] = ()
    sender: tuple[_Sender, ...] = ()
    checks: _Checks = Field(default_factory=_Checks)
    exception: tuple[_Exception, ...] = ()
    detection: tuple[_Detection, ...] = ()


_TABLES: dict[str, type[_Model]] = {
    "organisation": _Organisation,
    "network": _Network,
    "sender": _Sender,
    "checks": _Checks,
    "exception": _Exception,
    "detection": _Detection,
    "limits": _Limits,
}
_WANTED = {
    "address": Text("an address or a network such as 203.0.113.8/29"),
    "domain": Text("a domain such as contoso.com"),
    "mailbox": Text("a mailbox such as payroll@contoso.com, or @contoso.com for all of a domain"),
    "text": Text("a text that is not empty"),
    "zone": Text("a time zone such as Europe/Madrid"),
    "check": Text("the id of a check, such as CON-05"),
    "date": Text("a date such as 2027-03-31, without quotation marks"),
    "time": Text("a time with its zone such as 2026-11-24T08:00:00Z, without quotation marks"),
}


def load_config(path: Path) -> Configuration:
    """Read a configuration file. Raises ConfigError with all that is wrong with it."""
    return parse_config(read_toml(path), str(path))


def parse_config(text: str, file: str) -> Configuration:
    """
    Read the text of a configuration file into frozen values.

    file:  its name, for messages and origins.
    Raises ConfigError with all that is wrong with it, in order of line.
    """
    content = parse_toml(text, file)
    lines = key_lines(text)
    problems: list[tuple[int, Text]] = []
    model: _File | None = None
    try:
        model = _File.model_validate(content)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            place: Place = found["loc"]
            problems.append((line_of(lines, place), _problem(found["type"], found, place, file, lines)))
    problems += _without_criterion(content, file, lines)
    if problems or model is None:
        raise ConfigError(tuple(problem for _, problem in sorted(problems, key=lambda pair: pair[0])))
    return _configuration(model, file, lines)


def _configuration(model: _File, file: str, lines: dict[Place, int]) -> Configuration:
    return Configuration(
        name=model.organisation.name,
        accepted_domains=tuple(dict.fromkeys(model.organisation.accepted_domains)),
        mx_provider=model.organisation.mx_provider,
        time_zone=model.organisation.time_zone,
        keep_days=model.organisation.keep_days,
        networks=tuple(
            KnownNetwork(item.name, item.cidr, item.use, Origin(file, lines.get(("network", index))))
            for index, item in enumerate(model.network)
        ),
        register=tuple(
            RegisterEntry(
                label=item.label,
                judgement=item.judgement,
                header_from=item.header_from,
                mail_from=item.mail_from,
                networks=item.cidr,
                ehlo=item.ehlo,
                owner=item.owner,
                purpose=item.purpose,
                criticality=Criticality(item.criticality) if item.criticality else None,
                origin=Origin(file, lines.get(("sender", index))),
            )
            for index, item in enumerate(model.sender)
        ),
        people=model.checks.people,
        detections=tuple(
            Detection(item.check, item.where, item.last_run, Origin(file, lines.get(("detection", index))))
            for index, item in enumerate(model.detection)
        ),
        acceptances=tuple(
            Acceptance(
                check=item.check,
                owner=item.owner,
                until=item.until,
                reason=item.reason,
                subject=item.subject,
                origin=Origin(file, lines.get(("exception", index))),
            )
            for index, item in enumerate(model.exception)
        ),
        thresholds=model.checks.model_dump(exclude_none=True)["thresholds"],
        limits=LIMITS.with_values(model.limits.model_dump(exclude_none=True)),
        origin=Origin(file),
    )


def _without_criterion(
    content: dict[str, object], file: str, lines: dict[Place, int]
) -> list[tuple[int, Text]]:
    """Name the register entries that nothing could match, or that would match everything were the rule looser."""
    entries = content.get("sender")
    found: list[tuple[int, Text]] = []
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict) and not any(
            entry.get(key) for key in ("header_from", "mail_from", "cidr", "ehlo")
        ):
            line = line_of(lines, ("sender", index))
            template = "{file}, line {line}: this sender names none of header_from, mail_from, cidr and ehlo. Add one."
            found.append((line, Text(template, file=file, line=line)))
    return found


def _problem(kind: str, found: object, place: Place, file: str, lines: dict[Place, int]) -> Text:
    """Say one of pydantic's findings in our words."""
    key, line = _dotted(place), line_of(lines, place)
    details = found if isinstance(found, dict) else {}
    if kind == "extra_forbidden":
        table = str(place[0]) if len(place) > 1 else ""
        names = list(_TABLES.get(table, _File).model_fields)
        if place[:2] == ("checks", "thresholds"):
            names = list(_Thresholds.model_fields)
        near = get_close_matches(str(place[-1]), names, 1)
        if near:
            template = "{file}, line {line}: there is no key {key}. Did you mean {near}?"
            return Text(template, file=file, line=line, key=key, near=near[0])
        template = "{file}, line {line}: there is no key {key}. Known here: {names}."
        return Text(template, file=file, line=line, key=key, names=tuple(names))
    if kind == "missing":
        return Text("{file}, line {line}: {key} is missing. Add it.", file=file, line=line, key=key)
    value = details.get("input")
    if kind == "value_error":
        reason = str(details.get("ctx", {}).get("error", "text"))
        template = "{file}, line {line}: {key} is {value}, which is not {wanted}."
        wanted = _WANTED.get(reason, _WANTED["text"])
        return Text(template, file=file, line=line, key=key, value=shown(value), wanted=wanted)
    if kind == "literal_error":
        template = "{file}, line {line}: {key} is {value}; it can be {expected}."
        expected = _choices(place)
        return Text(template, file=file, line=line, key=key, value=shown(value), expected=expected)
    if kind in {"tuple_type", "model_type", "model_attributes_type", "dataclass_type"}:
        template = "{file}, line {line}: {key} is {value}; a list or table is expected here: {example}."
        example = '["..."]'
        if len(place) == 1 and place[0] in _TABLES:
            example = (
                f"[{place[0]}]" if place[0] in {"organisation", "checks", "limits"} else f"[[{place[0]}]]"
            )
        return Text(template, file=file, line=line, key=key, value=shown(value), example=example)
    if place[0] == "limits" and kind != "model_type":
        template = "{file}, line {line}: {key} is {value}; a whole number within its bounds is expected here."
        return Text(template, file=file, line=line, key=key, value=shown(value))
    if kind in {"int_type", "greater_than_equal"}:
        template = "{file}, line {line}: {key} is {value}; a whole number from 0 is expected here."
        return Text(template, file=file, line=line, key=key, value=shown(value))
    if kind == "bool_type":
        template = "{file}, line {line}: {key} is {value}; true or false is expected here."
        return Text(template, file=file, line=line, key=key, value=shown(value))
    if kind in {"too_short", "string_too_short"}:
        return Text("{file}, line {line}: {key} is empty. Give it a value.", file=file, line=line, key=key)
    template = "{file}, line {line}: {key} is {value}; a text is expected here."
    return Text(template, file=file, line=line, key=key, value=shown(value))


def _choices(place: Place) -> tuple[str, ...]:
    annotation = _TABLES[str(place[0])].model_fields[str(place[-1])].annotation
    literal = next(
        (arm for arm in getattr(annotation, "__args__", ()) if hasattr(arm, "__args__")), annotation
    )
    return tuple(str(choice) for choice in getattr(literal, "__args__", ()))


def _dotted(place: Place) -> str:
    """Write a place as an administrator counts: ``sender[2].cidr[1]`` is the second sender's first network."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")
