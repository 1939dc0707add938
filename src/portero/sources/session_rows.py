"""Network evidence to rows: the conversions that firewalls, flow collectors, relays and address plans share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.evidence_rows import HOST_ROWS, SESSION_ROWS
from portero.core.text import Text
from portero.sources.document import Batch, Document, Item
from portero.sources.log_lines import Stamps, log_lines, notes, stamps

# Ports on which mail is handed over: RFC 5321, RFC 6409, RFC 8314, and the alternative that hosting companies offer.
MAIL_PORTS = (25, 465, 587, 2525)
# A number that may be such a port, to set most lines aside before they are parsed.
_MAY_BE_MAIL = r"(^|[^0-9.])(25|465|587|2525)([^0-9.]|\.?$|\.[^0-9])"
_NAMED_GAPS = 20

# What firewalls call their decision, in lower case.
VERDICTS = {
    **dict.fromkeys(
        ("accept", "accepted", "allow", "allowed", "pass", "passed", "permit", "permitted"), "opened"
    ),
    **dict.fromkeys(("built", "close", "end", "ip-conn", "start", "teardown", "timeout"), "opened"),
    **dict.fromkeys(
        ("block", "blocked", "deny", "denied", "drop", "dropped", "reject", "rejected"), "denied"
    ),
    # FortiGate: the session was allowed and an end reset it. Palo Alto: the policy reset it.
    **dict.fromkeys(("client-rst", "server-rst"), "opened"),
    **dict.fromkeys(("reset both", "reset client", "reset server"), "denied"),
    **dict.fromkeys(("reset-both", "reset-client", "reset-server", "drop icmp", "drop-icmp"), "denied"),
}

# What logs write where there is no address.
NO_ADDRESS = pa.array(["0.0.0.0", "::"])  # noqa: S104 - a word of logs, nothing is bound

Columns = Mapping[str, pa.Array | None]


def session_batch(witness: str, lines: pa.Array, columns: Columns) -> Batch:
    """Make a batch of ``session_rows``; a column that is absent or None is null throughout."""
    return _batch("session_rows", SESSION_ROWS, witness, lines, columns)


def host_batch(witness: str, lines: pa.Array, columns: Columns) -> Batch:
    """Make a batch of ``host_rows``; a column that is absent or None is null throughout."""
    return _batch("host_rows", HOST_ROWS, witness, lines, columns)


def _batch(table: str, schema: pa.Schema, witness: str, lines: pa.Array, columns: Columns) -> Batch:
    known = {"line": lines, "witness": pa.repeat(witness, len(lines)), **columns}
    kept = pa.schema([field for field in schema if field.name != "document"])
    arrays = []
    for field in kept:
        cells = known.get(field.name)
        arrays.append(pa.nulls(len(lines), field.type) if cells is None else cells.cast(field.type))
    return Batch(table, pa.RecordBatch.from_arrays(arrays, schema=kept))


def verdicts(cells: pa.Array) -> pa.Array:
    """Translate what firewalls call their decision; another word is null."""
    coded = pc.ascii_lower(pc.ascii_trim_whitespace(cells)).dictionary_encode()
    meanings = [None if word is None else VERDICTS.get(word) for word in coded.dictionary.to_pylist()]
    return pa.array(meanings, pa.string()).take(coded.indices)


def to_mail_port(ports: pa.Array) -> pa.Array:
    """Tell which rows go to a port on which mail is handed over."""
    return pc.fill_null(pc.is_in(ports, pa.array(MAIL_PORTS, pa.int64())), False)


def connections(
    document: Document,
    witness: str,
    marker: str,
    parse: Callable[[pa.Array], Columns],
    timed: Callable[[pa.Array], Stamps] = stamps,
) -> Iterator[Item]:
    """
    Stream the connections to mail ports out of a firewall's log; lines of other traffic are counted.

    marker:  a regular expression that a traffic line matches.
    parse:   gives the columns of such lines, ``server_port`` among them; null ``client_ip`` is a line it cannot read.
    timed:   reads the lines' times.
    """
    other, yearless, local, unread = 0, 0, False, 0
    for block in log_lines(document):
        if isinstance(block, Gap):
            yield block
            continue
        text = block.text
        mask = pc.and_(pc.match_substring_regex(text, _MAY_BE_MAIL), pc.match_substring_regex(text, marker))
        likely = block.filter(mask)
        written = pc.sum(pc.greater(pc.binary_length(pc.ascii_trim_whitespace(text)), 0)).as_py() or 0
        if not len(likely.numbers):
            other += written
            continue
        columns = dict(parse(likely.text))
        ports = columns["server_port"]
        readable = pc.and_(pc.is_valid(ports), pc.is_valid(columns["client_ip"]))
        for line in likely.numbers.filter(pc.invert(readable)).to_pylist():
            unread += 1
            if unread <= _NAMED_GAPS:
                yield Gap(Origin(document.name, line), UNREADABLE)
        kept = pc.and_(readable, to_mail_port(ports))
        rows = likely.filter(kept)
        other += written - (len(likely.numbers) - (pc.sum(readable).as_py() or 0)) - len(rows.numbers)
        if not len(rows.numbers):
            continue
        columns = {name: None if cells is None else cells.filter(kept) for name, cells in columns.items()}
        when = timed(rows.text)
        yearless += when.yearless
        local = local or when.local_at.null_count < len(when.local_at)
        yield session_batch(
            witness,
            rows.numbers,
            {**columns, "observed_at": when.observed_at, "local_at": when.local_at},
        )
    if unread > _NAMED_GAPS:
        yield Gap(Origin(document.name), UNREADABLE, unread - _NAMED_GAPS)
    yield from notes(yearless, local, other)


UNREADABLE = Text(
    "This line looks like a connection and cannot be read. Send the log as the device wrote it."
)
