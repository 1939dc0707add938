"""The fold: rows to mails, mails to flows, in SQL that stays within the tested portable subset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

import pyarrow as pa

from portero.core.address import a_label, client_address
from portero.core.audit import Totals
from portero.core.evidence import Origin
from portero.core.exchange.settings import Settings
from portero.core.flow import (
    ORIGINS_KEPT,
    SHAPES_KEPT,
    SKETCH_SIZE,
    Distinct,
    Facts,
    Flow,
    FlowKey,
    OutsideFlow,
)
from portero.engine.evidence_tables import EvidenceTables, aware

# Only constants of this file are put into its queries; values travel as parameters.
# ruff: noqa: S608

_DOMAIN = "lower(rtrim(CASE WHEN {0} LIKE '%@%' THEN regexp_extract({0}, '@([^@]*)$', 1) ELSE '' END, '.> '))"

# A mail's key: Exchange's own id; else the id of the one mail that carries the same Message-ID; else the Message-ID;
# else what a summary without ids shows, which is the same for all recipient rows of a mail.
_KEYED = f"""
CREATE TEMP TABLE keyed AS
WITH ids AS (
    SELECT message_id, min(network_message_id) AS network_message_id FROM mail_rows
    WHERE network_message_id IS NOT NULL AND message_id <> '' GROUP BY message_id
)
SELECT r.document, r.line, r.witness,
    CASE WHEN r.network_message_id IS NOT NULL THEN r.network_message_id
         WHEN i.network_message_id IS NOT NULL THEN i.network_message_id
         WHEN r.message_id <> '' THEN concat('m:', r.message_id)
         WHEN r.observed_at IS NOT NULL THEN concat('w:', coalesce(r.sender, r.mail_from, ''), '|',
              coalesce(r.subject, ''), '|', CAST(date_trunc('second', r.observed_at) AS VARCHAR))
         ELSE concat('r:', CAST(r.document AS VARCHAR), ':', CAST(r.line AS VARCHAR)) END AS mail,
    {_DOMAIN.format("r.sender")} AS sender_domain,
    {_DOMAIN.format("r.mail_from")} AS mail_from_domain,
    {_DOMAIN.format("r.header_from")} AS header_from_domain
FROM mail_rows r LEFT JOIN ids i ON r.network_message_id IS NULL AND r.message_id = i.message_id
"""

_OURS = """
CREATE TEMP TABLE ours AS
SELECT DISTINCT k.mail FROM keyed k WHERE
    k.sender_domain IN (SELECT name FROM own_names) OR k.mail_from_domain IN (SELECT name FROM own_names)
    OR k.header_from_domain IN (SELECT name FROM own_names)
"""

# The Enhanced summary loses its addresses with age (reference data-formats 5.2): an empty one says "from inside" only
# in rows as young as the oldest that still has one.
_WITNESSED = """
CREATE TEMP TABLE witnessed AS
WITH kept AS (
    SELECT document, min(observed_at) AS since FROM mail_rows
    WHERE witness = 'message-trace-enhanced' AND client_ip <> '' GROUP BY document
)
SELECT k.mail, k.sender_domain, k.mail_from_domain, k.header_from_domain, r.*,
    CASE WHEN r.client_ip = '' AND r.witness = 'message-trace-enhanced'
              AND (a.since IS NULL OR r.observed_at IS NULL OR r.observed_at < a.since) THEN NULL
         ELSE r.client_ip END AS known_ip
FROM keyed k JOIN ours o ON k.mail = o.mail
JOIN mail_rows r ON k.document = r.document AND k.line = r.line
LEFT JOIN kept a ON r.document = a.document
"""

# Where witnesses of one mail differ, the value that says most wins: an address over "none", a name over "none".
# Two summaries that name different senders for some mail show one each: the Enhanced one P2, the others P1 (reference
# data-formats, first table, and exchange-online 4.11). Then they do so for every mail that both saw.
_MAILS = """
CREATE TEMP TABLE mails AS
WITH merged AS (
    SELECT mail,
        min(observed_at) AS observed_at,
        max(sender) AS sender, max(mail_from) AS mail_from, max(header_from) AS header_from,
        max(CASE WHEN mail_from IS NOT NULL THEN mail_from_domain END) AS mail_from_domain,
        max(CASE WHEN header_from IS NOT NULL THEN header_from_domain END) AS header_from_domain,
        max(sender_domain) AS sender_domain,
        max(CASE WHEN witness = 'message-trace-enhanced' THEN lower(sender) END) AS visible,
        max(CASE WHEN witness <> 'message-trace-enhanced' THEN lower(sender) END) AS envelope,
        max(CASE WHEN witness = 'message-trace-enhanced' THEN sender_domain END) AS visible_domain,
        max(CASE WHEN witness <> 'message-trace-enhanced' THEN sender_domain END) AS envelope_domain,
        max(display_name) AS display_name, max(known_ip) AS client_ip, max(ehlo) AS ehlo, max(ptr) AS ptr,
        max(connector) AS connector, min(direction) AS direction,
        max(spf) AS spf, max(dkim) AS dkim, max(dkim_domain) AS dkim_domain, max(dmarc) AS dmarc,
        max(compauth) AS compauth, max(compauth_reason) AS compauth_reason,
        CASE WHEN max(CASE WHEN outcome = 'delivered' THEN 1 ELSE 0 END) = 1 THEN 'delivered' ELSE max(outcome) END
            AS outcome,
        max(threat) AS threat, max(subject) AS subject, max(size_octets) AS size_octets
    FROM witnessed GROUP BY mail
), told AS (
    SELECT m.*, coalesce(m.visible <> '' AND m.envelope IS NOT NULL AND m.mail_from IS NULL AND m.header_from IS NULL
        AND a.seen > 0, FALSE) AS apart
    FROM merged m CROSS JOIN (SELECT count(*) AS seen FROM merged WHERE visible <> envelope AND visible <> '') a
)
SELECT mail, observed_at, sender,
    CASE WHEN apart THEN envelope ELSE mail_from END AS mail_from,
    CASE WHEN apart THEN visible ELSE header_from END AS header_from,
    CASE WHEN apart THEN envelope_domain ELSE mail_from_domain END AS mail_from_domain,
    CASE WHEN apart THEN visible_domain ELSE header_from_domain END AS header_from_domain,
    sender_domain, display_name, client_ip, ehlo, ptr, connector, direction, spf, dkim, dkim_domain, dmarc, compauth,
    compauth_reason, outcome, threat, subject, size_octets
FROM told
"""

# Mailbox traffic is folded by domain: a hundred thousand people are one way of sending.
_FLOWED = """
CREATE TEMP TABLE flowed AS
WITH named AS (
    SELECT m.*, a.address,
        coalesce(p.label, m.mail_from_domain) AS p1,
        lower(m.header_from) AS p2, lower(m.sender) AS traced,
        coalesce(coalesce(m.client_ip, '') = '' AND coalesce(m.direction, CASE WHEN m.client_ip = '' THEN 'originating' END) = 'originating'
                 AND coalesce(m.connector, '') = '', FALSE) AS mailbox
    FROM mails m LEFT JOIN addresses a ON m.client_ip = a.written LEFT JOIN labels p ON m.mail_from_domain = p.written
), keys AS (
    SELECT *, CASE WHEN client_ip = '' THEN '' ELSE address END AS k_client_ip, p1 AS k_mail_from_domain,
        CASE WHEN mailbox AND p2 IS NOT NULL THEN concat('@', header_from_domain) ELSE p2 END AS k_header_from,
        CASE WHEN p1 IS NOT NULL AND p2 IS NOT NULL THEN NULL
             WHEN mailbox AND traced IS NOT NULL THEN concat('@', sender_domain) ELSE traced END AS k_sender,
        CASE WHEN mailbox THEN NULL ELSE lower(nullif(ehlo, '')) END AS k_ehlo,
        connector AS k_connector, direction AS k_direction
    FROM named
)
SELECT *, md5(concat(coalesce(k_client_ip, '-'), '\x1f', coalesce(k_mail_from_domain, '-'), '\x1f',
    coalesce(k_header_from, '-'), '\x1f', coalesce(k_sender, '-'), '\x1f', coalesce(k_ehlo, '-'), '\x1f',
    coalesce(k_connector, '-'), '\x1f', coalesce(k_direction, '-'))) AS flow,
    trim(regexp_replace(regexp_replace(lower(coalesce(subject, '')), '[0-9]+', '#', 'g'), '\\s+', ' ', 'g')) AS shape
FROM keys
"""

_RECIPIENTS = """
CREATE TEMP TABLE received AS
SELECT DISTINCT mail, recipient, regexp_extract(recipient, '@([^@]*)$', 1) AS recipient_domain
FROM (SELECT mail, unnest(string_split(lower(recipients), ';')) AS recipient FROM witnessed WHERE recipients <> '') u
WHERE recipient <> ''
"""

_FLOWS = """
SELECT flow, min(k_client_ip), min(k_mail_from_domain), min(k_header_from), min(k_sender), min(k_ehlo),
    min(k_connector), min(k_direction), count(*), min(observed_at), max(observed_at), coalesce(sum(size_octets), 0)
FROM flowed GROUP BY flow ORDER BY flow
"""

_REACH = """
SELECT flow, sum(inside), sum(outside), sum(self_addressed) FROM (
    SELECT f.flow, f.mail,
        max(CASE WHEN t.recipient_domain IN (SELECT name FROM accepted_names) THEN 1 ELSE 0 END) AS inside,
        max(CASE WHEN t.recipient_domain NOT IN (SELECT name FROM accepted_names) THEN 1 ELSE 0 END) AS outside,
        max(CASE WHEN t.recipient IN (f.p2, f.traced) OR t.recipient = lower(f.mail_from) THEN 1 ELSE 0 END)
            AS self_addressed
    FROM flowed f JOIN received t ON f.mail = t.mail GROUP BY f.flow, f.mail
) reached GROUP BY flow
"""

_SKETCHES = """
SELECT flow, hash FROM (
    SELECT flow, hash, row_number() OVER (PARTITION BY flow ORDER BY hash) AS position FROM (
        SELECT DISTINCT f.flow, substring(md5({value}), 1, 15) AS hash FROM {tables}
    ) hashes
) ranked WHERE position <= {size} ORDER BY flow, hash
"""

_SAMPLES = """
SELECT flow, value, mails FROM (
    SELECT flow, value, mails, row_number() OVER (PARTITION BY flow ORDER BY md5(value)) AS position FROM (
        SELECT flow, {value} AS value, count(*) AS mails FROM flowed WHERE {value} <> '' GROUP BY flow, {value}
    ) counted
) ranked WHERE position <= {size} ORDER BY flow, value
"""

_WITNESSES = """
SELECT f.flow, w.witness, count(DISTINCT w.mail) FROM witnessed w JOIN flowed f ON w.mail = f.mail
GROUP BY f.flow, w.witness ORDER BY f.flow, w.witness
"""

_ORIGINS = """
SELECT flow, witness, document, line FROM (
    SELECT f.flow, w.witness, w.document, w.line,
        row_number() OVER (PARTITION BY f.flow, w.witness ORDER BY w.document, w.line) AS position
    FROM witnessed w JOIN flowed f ON w.mail = f.mail
) ranked WHERE position <= {size} ORDER BY flow, witness, document, line
"""

_HOURS = """
SELECT flow, CAST(observed_at AS DATE), extract(hour FROM observed_at), count(*) FROM flowed
WHERE observed_at IS NOT NULL GROUP BY flow, CAST(observed_at AS DATE), extract(hour FROM observed_at) ORDER BY 1, 2, 3
"""

_OUTSIDE = """
WITH once AS (
    SELECT reporter, report_id, policy_domain, min(document) AS document FROM report_rows
    GROUP BY reporter, report_id, policy_domain
)
SELECT r.source_ip, lower(r.header_from), lower(r.envelope_from), r.reporter,
    coalesce(lower(r.envelope_to) IN (SELECT name FROM accepted_names), FALSE) AS to_us, sum(r.mails),
    sum(CASE WHEN r.aligned_spf = 'pass' THEN r.mails ELSE 0 END),
    sum(CASE WHEN r.aligned_dkim = 'pass' THEN r.mails ELSE 0 END),
    min(CASE WHEN r.dkim_result = 'pass' THEN lower(r.dkim_domain) END),
    min(lower(r.spf_domain)), min(r.begin_at), max(r.end_at), r.document, min(r.line)
FROM report_rows r JOIN once o ON r.document = o.document AND r.report_id IS NOT DISTINCT FROM o.report_id
    AND r.reporter IS NOT DISTINCT FROM o.reporter AND r.policy_domain IS NOT DISTINCT FROM o.policy_domain
WHERE lower(r.header_from) IN (SELECT name FROM own_names)
GROUP BY r.source_ip, lower(r.header_from), lower(r.envelope_from), r.reporter, 5, r.document
ORDER BY 1, 2, 3, 4, 5, 13
"""

# Mail through an OnPremises connector is of direction originating too, so a connector's name counts as arrival.
_ARRIVALS = """
SELECT r.client_ip, count(DISTINCT k.mail), count(DISTINCT coalesce(nullif(k.mail_from_domain, ''), k.sender_domain)),
    max(coalesce(r.connector, ''))
FROM keyed k JOIN mail_rows r ON k.document = r.document AND k.line = r.line
WHERE r.client_ip <> '' AND (coalesce(r.direction, 'incoming') = 'incoming' OR r.connector <> '')
    AND k.mail NOT IN (SELECT mail FROM ours)
GROUP BY r.client_ip ORDER BY 3 DESC, 1 LIMIT 2000
"""

# Whose own mailbox it is that mail from elsewhere claims to be from.
_MAILBOXES = """
SELECT DISTINCT coalesce(p2, traced) FROM flowed
WHERE mailbox AND coalesce(p2, traced) IN (SELECT coalesce(p2, traced) FROM flowed WHERE NOT mailbox) ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """
    A client address that delivers mail of others: how many mails, of how many different sender domains.

    connector:  the connector a witness named for it, "" for none.
    """

    client_ip: str
    mails: int
    domains: int
    connector: str


@dataclass(frozen=True, slots=True)
class Folded:
    """What the fold gives; flows in a fixed order."""

    flows: tuple[Flow, ...]
    outside: tuple[OutsideFlow, ...]
    totals: Totals
    arrivals: tuple[Arrival, ...]
    mailboxes: frozenset[str]


def fold(tables: EvidenceTables, settings: Settings, documents: Sequence[str]) -> Folded:
    """
    Fold all evidence rows to flows.

    documents:  names by the documents' numbers.
    Mail that names the organisation neither in P1 nor in P2 is counted in the totals and dropped.
    """
    run = tables.connection.execute
    run(_KEYED)
    _names(tables, settings)
    run(_OURS)
    run(_WITNESSED)
    run(_MAILS)
    _addresses(tables)
    run(_FLOWED)
    run(_RECIPIENTS)
    mails = {str(flow[0]): flow for flow in tables.rows(_FLOWS)}
    facts = _facts(tables, documents)
    flows = tuple(
        Flow(
            FlowKey(*cast("tuple[str | None, ...]", row[1:8])),
            _with_counts(facts[flow], row),
        )
        for flow, row in mails.items()
    )
    total, rows = tables.rows("SELECT count(DISTINCT mail), count(*) FROM keyed")[0]
    ours = tables.rows("SELECT count(*) FROM ours")[0][0]
    return Folded(
        flows=flows,
        outside=_outside(tables, documents),
        totals=Totals(
            ours=cast("int", ours), others=cast("int", total) - cast("int", ours), rows=cast("int", rows)
        ),
        arrivals=tuple(
            Arrival(str(ip), cast("int", n), cast("int", d), str(c)) for ip, n, d, c in tables.rows(_ARRIVALS)
        ),
        mailboxes=frozenset(str(row[0]) for row in tables.rows(_MAILBOXES)),
    )


def _names(tables: EvidenceTables, settings: Settings) -> None:
    """Classify the distinct domains once: which are ours or below ours, which need another form."""
    run = tables.connection.execute
    written = [
        str(row[0])
        for row in tables.rows(
            "SELECT DISTINCT sender_domain FROM keyed UNION SELECT DISTINCT mail_from_domain FROM keyed "
            "UNION SELECT DISTINCT header_from_domain FROM keyed UNION SELECT DISTINCT lower(header_from) FROM report_rows"
        )
        if row[0]
    ]
    run("CREATE TEMP TABLE own_names (name VARCHAR)")
    run("CREATE TEMP TABLE accepted_names (name VARCHAR)")
    run("CREATE TEMP TABLE labels (written VARCHAR, label VARCHAR)")
    ours = [name for name in written if settings.names_us(a_label(name))]
    _fill(tables, "own_names", [(name,) for name in ours])
    accepted = {held.name for held in settings.accepted_domains}
    accepted |= {name for name in ours if a_label(name) in accepted}
    _fill(tables, "accepted_names", [(name,) for name in sorted(accepted)])
    _fill(tables, "labels", [(name, a_label(name)) for name in written if not name.isascii()])


def _addresses(tables: EvidenceTables) -> None:
    tables.connection.execute("CREATE TEMP TABLE addresses (written VARCHAR, address VARCHAR)")
    written = [
        str(row[0]) for row in tables.rows("SELECT DISTINCT client_ip FROM mails WHERE client_ip <> ''")
    ]
    _fill(tables, "addresses", [(text, client_address(text)) for text in written])


def _fill(tables: EvidenceTables, table: str, rows: list[tuple[str | None, ...]]) -> None:
    if rows:
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        tables.connection.register("incoming", pa.table(columns, [f"c{n}" for n in range(len(columns))]))
        tables.connection.execute(f"INSERT INTO {table} SELECT * FROM incoming")
        tables.connection.unregister("incoming")


class _Gathered(defaultdict[str, dict[str, object]]):
    """Facts by flow while they are gathered, each by the name of its field."""

    def __init__(self) -> None:
        super().__init__(dict)


def _facts(tables: EvidenceTables, documents: Sequence[str]) -> _Gathered:
    found = _Gathered()
    for flow, witness, number in tables.rows(_WITNESSES):
        _under(found, flow, "witnessed")[str(witness)] = number
    for flow, witness, document, line in tables.rows(_ORIGINS.format(size=ORIGINS_KEPT)):
        held = _under(found, flow, "origins")
        origin = Origin(documents[cast("int", document)], cast("int | None", line))
        held[str(witness)] = (*cast("tuple[Origin, ...]", held.get(str(witness), ())), origin)
    for name, column in (
        ("outcomes", "outcome"),
        ("threats", "threat"),
        ("spf", "spf"),
        ("dkim", "dkim"),
        ("dmarc", "dmarc"),
        ("compauth", "trim(concat(compauth, ' ', coalesce(compauth_reason, '')))"),
        ("dkim_domains", "dkim_domain"),
        ("ptr", "ptr"),
    ):
        query = f"SELECT flow, {column}, count(*) FROM flowed WHERE {column} <> '' GROUP BY flow, {column} ORDER BY 1, 2"
        for flow, value, number in tables.rows(query):
            _under(found, flow, name)[str(value)] = number
    for name, value in (("shapes", "shape"), ("display_names", "display_name")):
        for flow, text, number in tables.rows(_SAMPLES.format(value=value, size=SHAPES_KEPT)):
            _under(found, flow, name)[str(text)] = number
    _sketch(found, "recipients", tables, "t.recipient", "flowed f JOIN received t ON f.mail = t.mail")
    _sketch(found, "distinct_shapes", tables, "f.shape", "flowed f WHERE f.shape <> ''")
    for flow, inside, outside, itself in tables.rows(_REACH):
        found[str(flow)].update(inside=inside, outside=outside, self_addressed=itself)
    _clock(found, tables)
    return found


def _under(found: _Gathered, flow: object, name: str) -> dict[str, object]:
    return cast("dict[str, object]", found[str(flow)].setdefault(name, {}))


def _sketch(found: _Gathered, name: str, tables: EvidenceTables, value: str, source: str) -> None:
    hashes: dict[str, list[int]] = {}
    for flow, text in tables.rows(_SKETCHES.format(value=value, tables=source, size=SKETCH_SIZE)):
        hashes.setdefault(str(flow), []).append(int(str(text), 16))
    for flow, numbers in hashes.items():
        found[flow][name] = Distinct(tuple(sorted(numbers)))


def _clock(found: _Gathered, tables: EvidenceTables) -> None:
    days: dict[str, dict[date, int]] = {}
    hours: dict[str, list[int]] = {}
    busiest: dict[str, int] = {}
    for flow, day, hour, number in tables.rows(_HOURS):
        mails, key = cast("int", number), str(flow)
        held = days.setdefault(key, {})
        held[cast("date", day)] = held.get(cast("date", day), 0) + mails
        hours.setdefault(key, [0] * 24)[cast("int", hour)] += mails
        busiest[key] = max(busiest.get(key, 0), mails)
    for key, held in days.items():
        found[key].update(days=held, hours=tuple(hours[key]), busiest=busiest[key])


def _with_counts(gathered: Mapping[str, object], row: tuple[object, ...]) -> Facts:
    make = cast("Callable[..., Facts]", Facts)
    return make(
        **gathered,
        mails=row[8],
        first_seen=aware(cast("datetime | None", row[9])),
        last_seen=aware(cast("datetime | None", row[10])),
        octets=int(cast("int", row[11])),
    )


def _outside(tables: EvidenceTables, documents: Sequence[str]) -> tuple[OutsideFlow, ...]:
    merged: dict[tuple[object, ...], list[tuple[object, ...]]] = {}
    for row in tables.rows(_OUTSIDE):
        merged.setdefault(row[:5], []).append(row)
    flows = []
    for (source_ip, header_from, envelope_from, reporter, to_us), rows in merged.items():
        address = client_address(str(source_ip or ""))
        if address is None:
            continue
        flows.append(
            OutsideFlow(
                source_ip=address,
                header_from=a_label(str(header_from)),
                envelope_from=None if envelope_from is None else a_label(str(envelope_from)),
                reporter=str(reporter or ""),
                to_us=bool(to_us),
                mails=sum(int(cast("int", row[5])) for row in rows),
                aligned_spf=sum(int(cast("int", row[6])) for row in rows),
                aligned_dkim=sum(int(cast("int", row[7])) for row in rows),
                dkim_domain=next((str(row[8]) for row in rows if row[8]), None),
                spf_domain=next((str(row[9]) for row in rows if row[9]), None),
                first_seen=cast("datetime", aware(min(cast("datetime", row[10]) for row in rows))),
                last_seen=cast("datetime", aware(max(cast("datetime", row[11]) for row in rows))),
                origins=tuple(
                    Origin(documents[cast("int", row[12])], cast("int | None", row[13]))
                    for row in rows[:ORIGINS_KEPT]
                ),
                days=_report_days(rows),
            )
        )
    return tuple(flows)


def _report_days(rows: Sequence[tuple[object, ...]]) -> Mapping[date, int]:
    """Give mails by the day on which each report begins."""
    days: dict[date, int] = {}
    for row in rows:
        day = cast("datetime", row[10]).date()
        days[day] = days.get(day, 0) + int(cast("int", row[5]))
    return days
