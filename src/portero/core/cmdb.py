"""A table of what an organisation owns, as a CMDB or a spreadsheet exports it: who answers for which sender."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from ipaddress import ip_address
from typing import TypeVar

from portero.core.address import IPNetwork, domain_of, mailbox_key, parse_network
from portero.core.decision import Act, Decision
from portero.core.register import Criticality
from portero.core.sender import Judgement, Sender
from portero.core.text import Text


class Column(StrEnum):
    """What a column says; the first four find the sender."""

    ID = "sender"
    ADDRESS = "address"
    MAILBOX = "mailbox"
    HOST = "host"
    NAME = "name"
    OWNER = "owner"
    PURPOSE = "purpose"
    CRITICALITY = "criticality"
    EXPIRY = "expiry"
    DECISION = "decision"


# Headings without case, accents and signs, in English and Spanish; those of ServiceNow, GLPI and Snipe-IT among them.
_HEADINGS: Mapping[Column, str] = {
    Column.ID: "sender|sender id|portero id|remitente|id del remitente|id remitente",
    Column.ADDRESS: "address|ip|ip address|ip addresses|client ip|cidr|network|direccion|direccion ip|direcciones ip|red",
    Column.MAILBOX: "mailbox|email|e mail|mail|from|from address|sender address|header from|buzon|correo|correo electronico|"
    "direccion de correo|direccion del remitente",
    Column.HOST: "host|hostname|host name|dns name|fqdn|ehlo|helo|computer name|equipo|nombre de host|nombre dns|nombre del equipo",
    Column.NAME: "name|label|asset|asset name|display name|ci|configuration item|nombre|etiqueta|activo|nombre del activo|"
    "elemento de configuracion",
    Column.OWNER: "owner|owned by|responsible|assigned to|managed by|business owner|technical owner|responsable|propietario|"
    "asignado a|gestionado por|responsable tecnico",
    Column.PURPOSE: "purpose|description|use|usage|function|proposito|finalidad|descripcion|uso|funcion",
    Column.CRITICALITY: "criticality|business criticality|critical|importance|priority|criticidad|criticidad de negocio|"
    "importancia|prioridad",
    Column.EXPIRY: "expiry|expires|expires on|expiration|valid until|until|review|review date|end of life|caducidad|caduca|"
    "fecha de caducidad|valido hasta|vence|vencimiento|hasta|revision|fecha de revision",
    Column.DECISION: "decision|judgement|judgment|verdict|juicio|dictamen|decision tomada",
}
_JUDGEMENTS = {
    Judgement.LEGITIMATE: "legitimate|approved|allowed|legitimo|legitima|aprobado|aprobada|permitido|permitida",
    Judgement.ABUSE: "abuse|abusive|refused|abuso|abusivo|abusiva|rechazado|rechazada",
    Judgement.UNDECIDED: "undecided|open|pending|por decidir|pendiente",
}
_CRITICALITY = {
    Criticality.CRITICAL: "critical|critica|critico|mission critical|very high|muy alta|muy alto",
    Criticality.HIGH: "high|alta|alto",
    Criticality.MEDIUM: "medium|moderate|normal|media|medio|moderada|moderado",
    Criticality.LOW: "low|baja|bajo|not critical|no critica",
}
# ServiceNow writes «1 - most critical» to «4 - not critical».
_GRADES = {"1": Criticality.CRITICAL, "2": Criticality.HIGH, "3": Criticality.MEDIUM, "4": Criticality.LOW}
_SHOWN = 5
_Value = TypeVar("_Value")
_ID = re.compile(r"s-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, by what its columns say; line counts the heading's line as 1."""

    line: int
    cells: Mapping[Column, str]


class UnreadableTableError(ValueError):
    """The table cannot be taken over; ``problems`` says why, with line and remedy."""

    def __init__(self, problems: Sequence[Text]) -> None:
        super().__init__("table")
        self.problems = tuple(problems)


def enrol(
    text: str,
    senders: Sequence[Sender],
    base: Decision,
    *,
    otherwise: Judgement | None = None,
    skip_unmatched: bool = False,
) -> tuple[tuple[Decision, ...], int]:
    """
    Give the acts that a table amounts to, and how many of its lines match no sender and were left out.

    base:            whose act it is, when and why; the line is added to the note.
    otherwise:       the judgement of lines that say none; None: they only describe.
    skip_unmatched:  whether lines that match nobody are left out, as those of a whole CMDB; else they are problems.
    Raises UnreadableTableError with every problem of every line, so that nothing is taken over by halves.
    """
    rows, problems = read_table(text)
    day_first = _day_first(rows)
    made: list[Decision] = []
    taken: dict[str, int] = {}
    skipped = 0
    for row in rows:
        found, problem = _match(row, senders)
        if found is None and problem is None and skip_unmatched:
            skipped += 1
            continue
        if found is None:
            problems.append(problem or _unmatched(row))
            continue
        if found.id in taken:
            problems.append(
                Text(
                    "Line {line}: it matches {sender} as line {before} does. Keep one of them.",
                    line=row.line,
                    sender=found.id,
                    before=taken[found.id],
                )
            )
            continue
        taken[found.id] = row.line
        act, wrong = _act(row, replace(base, sender=found.id), otherwise, day_first)
        problems += wrong
        made += [act] if act is not None else []
    if problems:
        raise UnreadableTableError(problems)
    return tuple(made), skipped


def read_table(text: str) -> tuple[list[Row], list[Text]]:
    """Read a table separated by commas, semicolons or tabs; columns are bound by heading, else by what they hold."""
    first = text.splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    numbers, lines = [], []
    before = 0
    try:
        for cells in reader:
            numbers.append(before + 1)
            lines.append(cells)
            before = reader.line_num
    except csv.Error:
        return [], [
            Text(
                "Line {line}: it is no line of a table. Save the table as CSV in UTF-8 again.",
                line=before + 1,
            )
        ]
    if len(lines) < 2:
        return [], [Text("The table holds no line below its heading.")]
    heading, body = lines[0], lines[1:]
    bound: dict[Column, int] = {}
    problems: list[Text] = []
    for place, name in enumerate(heading):
        column = _column(name, [line[place].strip() for line in body if len(line) > place])
        if column is None:
            continue
        if column in bound:
            problems.append(
                Text(
                    "Columns {one} and {other} both say the same: {what}. Rename or delete one.",
                    one=heading[bound[column]],
                    other=name,
                    what=column.value,
                )
            )
        else:
            bound[column] = place
    if not bound.keys() & _FINDING:
        problems.append(
            Text(
                "No column tells which sender a line is about. Name one of them sender, address, mailbox or host."
            )
        )
    if not bound.keys() - _FINDING:
        problems.append(
            Text("No column says anything of a sender. Name one of them owner, purpose or criticality.")
        )
    rows = [
        Row(number, {column: line[place].strip() for column, place in bound.items() if len(line) > place})
        for number, line in zip(numbers[1:], body, strict=True)
        if any(cell.strip() for cell in line)
    ]
    return ([] if problems else rows), problems


_FINDING = frozenset({Column.ID, Column.ADDRESS, Column.MAILBOX, Column.HOST})


def _column(heading: str, values: Sequence[str]) -> Column | None:
    name = _plain(heading)
    known = next((each for each, names in _HEADINGS.items() if name in names.split("|")), None)
    held = [value for value in values if value]
    # “Remitente” and “address” say different things in different tables; what stands below tells.
    if known in {None, Column.ID, Column.ADDRESS} and held:
        if all(_ID.fullmatch(value) for value in held):
            return Column.ID
        if all(_networks(value) for value in held):
            return Column.ADDRESS
        if known is not None and all("@" in value for value in held):
            return Column.MAILBOX
    return known


def _match(row: Row, senders: Sequence[Sender]) -> tuple[Sender | None, Text | None]:
    """Give the one sender that all a line says fits; None without a problem where it fits nobody."""
    for column, read in ((Column.ADDRESS, _networks), (Column.MAILBOX, _mailboxes)):
        value = row.cells.get(column, "")
        if value and not read(value):
            return None, _wrong(row, column, value)
    fitting = [each for each in senders if _fits(row, each)]
    if len(fitting) < 2:
        return next(iter(fitting), None), None
    return None, Text(
        "Line {line}: {what} fits {number} senders: {senders}. Add a column sender with the id of the one that is meant.",
        line=row.line,
        what=_keys(row),
        number=len(fitting),
        senders=tuple(each.id for each in fitting[:_SHOWN]),
    )


def _fits(row: Row, sender: Sender) -> bool:
    """Tell whether something of a line is the sender's and nothing is another's; what nobody saw contradicts nothing."""
    host = sender.tie.hosts[0] if sender.tie is not None and sender.tie.settled else None
    found: list[bool] = []
    if value := row.cells.get(Column.ID):
        found.append(value == sender.id)
    if value := row.cells.get(Column.ADDRESS):
        held = {*sender.client_addresses}
        if host is not None:
            held.add(host.address)
        if held:
            wanted = _networks(value)
            found.append(any(ip_address(each) in network for each in held for network in wanted))
    if (value := row.cells.get(Column.MAILBOX)) and sender.header_from:
        found.append(bool({*map(mailbox_key, _mailboxes(value))} & {*map(mailbox_key, sender.header_from)}))
    if (value := row.cells.get(Column.HOST)) and (sender.ehlo or host is not None):
        names = {_host(name) for name in sender.ehlo}
        found.append(_host(value) in names or (host is not None and value in {host.address, host.mac}))
    return bool(found) and all(found)


def _act(
    row: Row, base: Decision, otherwise: Judgement | None, day_first: bool | None
) -> tuple[Decision | None, list[Text]]:
    problems: list[Text] = []
    cells = row.cells
    judgement, criticality, ends = otherwise, None, None
    if value := cells.get(Column.DECISION):
        judgement = _word(value, _JUDGEMENTS)
        if judgement is None:
            problems.append(_wrong(row, Column.DECISION, value))
    if value := cells.get(Column.CRITICALITY):
        grade = re.match(r"([1-4])(?!\d)", value)
        criticality = _GRADES[grade[1]] if grade else _word(value, _CRITICALITY)
        if criticality is None:
            problems.append(_wrong(row, Column.CRITICALITY, value))
    if value := cells.get(Column.EXPIRY):
        ends = _date(value, day_first)
        if ends is None:
            problems.append(_wrong(row, Column.EXPIRY, value))
        elif judgement is None:
            problems.append(
                Text(
                    "Line {line}: an expiry is the end of a decision, and none is said. Add a column decision, or --as.",
                    line=row.line,
                )
            )
    where = f"CSV:{row.line}"
    made = replace(
        base,
        judgement=judgement,
        act=Act.JUDGE if judgement is not None else Act.DESCRIBE,
        owner=cells.get(Column.OWNER) or None,
        purpose=cells.get(Column.PURPOSE) or None,
        criticality=criticality,
        name=(cells.get(Column.NAME) or None) if judgement is None else None,
        expires_on=ends,
        note=f"{base.note} ({where})" if base.note else where,
    )
    if made.act is Act.DESCRIBE and not (made.owner or made.purpose or made.criticality or made.name):
        problems.append(Text("Line {line}: it says nothing of its sender. Delete it.", line=row.line))
    return (None if problems else made), problems


def _unmatched(row: Row) -> Text:
    return Text(
        "Line {line}: no sender of the evidence fits {what}. Mend or delete it, or leave out all such lines with "
        "--skip-unmatched.",
        line=row.line,
        what=_keys(row) or ("–",),
    )


_EXAMPLES = {
    Column.ADDRESS: Text("an address or a network such as 203.0.113.8/29"),
    Column.MAILBOX: Text("a mailbox such as scanner@contoso.com"),
    Column.CRITICALITY: Text(
        "one of low, medium, high and critical, or a grade from 1 (critical) to 4 (low)"
    ),
    Column.EXPIRY: Text("a day such as 2027-03-31; of 03/04/2027 nobody can tell day and month"),
    Column.DECISION: Text("one of legitimate, abuse and undecided"),
}


def _wrong(row: Row, column: Column, value: str) -> Text:
    return Text(
        "Line {line}: {value} is not {wanted}. Mend the cell or empty it.",
        line=row.line,
        value=value,
        wanted=_EXAMPLES[column],
    )


def _keys(row: Row) -> tuple[str, ...]:
    return tuple(row.cells[each] for each in Column if each in _FINDING and row.cells.get(each))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.casefold())
    return " ".join(
        re.findall(r"[a-z0-9]+", "".join(each for each in letters if not unicodedata.combining(each)))
    )


def _word(value: str, words: Mapping[_Value, str]) -> _Value | None:
    name = _plain(value)
    return next((each for each, names in words.items() if name in names.split("|")), None)


def _parts(value: str) -> list[str]:
    return [each for each in re.split(r"[\s,;|]+", value) if each]


def _networks(value: str) -> tuple[IPNetwork, ...]:
    """Read one or more addresses; nothing where one of them is none."""
    try:
        return tuple(map(parse_network, _parts(value)))
    except ValueError:
        return ()


def _mailboxes(value: str) -> tuple[str, ...]:
    held = _parts(value)
    return tuple(held) if all("@" in each and domain_of(each) for each in held) else ()


def _host(name: str) -> str:
    return (
        name.strip("[]").casefold().partition(".")[0] if not _networks(name.strip("[]")) else name.strip("[]")
    )


def _day_first(rows: Iterable[Row]) -> bool | None:
    """Tell from the whole column whether days come first in dates with slashes; None where nothing settles it."""
    found = [re.fullmatch(r"(\d{1,2})/(\d{1,2})/\d{4}", row.cells.get(Column.EXPIRY, "")) for row in rows]
    pairs = [(int(each[1]), int(each[2])) for each in found if each]
    day, month = any(one > 12 for one, _ in pairs), any(other > 12 for _, other in pairs)
    return None if day == month else day


def _date(value: str, day_first: bool | None) -> date | None:
    text = value.partition("T")[0].partition(" ")[0].replace(".", "/")
    parts = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text)
    try:
        if parts is None:
            return date.fromisoformat(text.replace("/", "-"))
        one, other, year = int(parts[1]), int(parts[2]), int(parts[3])
        if "." in value or one == other or day_first:
            return date(year, other, one)
        return None if day_first is None else date(year, one, other)
    except ValueError:
        return None
