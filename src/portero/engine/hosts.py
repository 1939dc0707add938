"""The fold of network evidence: connections and leases to hosts, and hosts' connections beside mails, in portable SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import cast

import pyarrow as pa

from portero.core.address import client_address, domain_of
from portero.core.evidence import Origin
from portero.core.exchange.settings import Settings
from portero.core.hosts import Host, Inside, Lease, Meeting, is_inside
from portero.engine.evidence_tables import EvidenceTables, aware

# Only constants of this file are put into its queries; values travel as parameters.
# ruff: noqa: S608

# A mail is received within these minutes around the line that a log writes of its connection: some logs write the start
# and some the end, clocks differ, and a device may keep a connection for several mails.
_BEFORE, _AFTER = 5, 2
# What Exchange Online adds to a mail beyond what came over the connection, and what may be missing of the count.
_SIZE = "(c.octets IS NULL OR m.size_octets IS NULL OR c.octets + 32768 >= m.size_octets * 0.9)"
_KEPT = 3
# Which mail a row is of.
_MAIL = """CASE WHEN id_low IS NOT NULL THEN concat(id_high, ':', id_low) WHEN message_id IS NOT NULL
    THEN concat('m:', message_id) ELSE concat('r:', document, ':', line) END"""
_MINUTE = "CAST(floor(epoch({0}) / 60) AS BIGINT)"

_SESSIONS = """
CREATE TEMP TABLE contacts AS
SELECT s.document, s.line, s.witness, s.relay, a.address, s.client_name, s.client_mac, s.server_port, s.verdict,
    coalesce(s.sessions, 1) AS sessions, s.octets, s.message_id,
    CASE WHEN s.egress_ip = '' THEN a.address ELSE e.address END AS egress,
    coalesce(v.address, s.server_ip) AS server_ip, s.server_name, coalesce(v.inside, 0) AS to_inside,
    {moment} AS moment
FROM session_rows s JOIN written a ON s.client_ip = a.text AND a.host = 1
LEFT JOIN written e ON s.egress_ip = e.text LEFT JOIN written v ON s.server_ip = v.text
"""

_HOSTS = """
SELECT address, witness, sum(CASE WHEN verdict IS DISTINCT FROM 'denied' THEN sessions ELSE 0 END),
    sum(CASE WHEN server_port = 25 AND to_inside = 0 AND server_ip IS NOT NULL AND relay IS NULL
        AND coalesce(verdict, 'opened') = 'opened' THEN sessions ELSE 0 END),
    sum(CASE WHEN verdict = 'denied' THEN sessions ELSE 0 END), min(moment), max(moment), max(client_mac)
FROM contacts GROUP BY address, witness ORDER BY address, witness
"""

_VALUES = """
SELECT address, value, number FROM (
    SELECT address, {value} AS value, sum(sessions) AS number,
        row_number() OVER (PARTITION BY address ORDER BY sum(sessions) DESC, {value}) AS position
    FROM contacts WHERE {value} <> '' AND ({where}) GROUP BY address, {value}
) ranked WHERE position <= 5 ORDER BY address, position
"""

_ROWS = """
SELECT address, document, line FROM (
    SELECT address, document, line, row_number() OVER (PARTITION BY address ORDER BY document, line) AS position
    FROM contacts
) ranked WHERE position <= {kept} ORDER BY address, document, line
"""

_CARRIED = f"""
CREATE TEMP TABLE carried AS
SELECT mail, w.address AS client_ip, once.author, size_octets, message_id, CAST(observed_at AS DATE) AS day,
    {_MINUTE.format("observed_at")} AS minute
FROM (
    SELECT {_MAIL} AS mail,
        max(client_ip) AS client_ip, lower(coalesce(max(header_from), max(sender))) AS author,
        min(observed_at) AS observed_at, max(size_octets) AS size_octets, max(message_id) AS message_id
    FROM mail_rows WHERE client_ip <> ''
    GROUP BY {_MAIL}
) once JOIN written w ON once.client_ip = w.text JOIN own_authors o ON once.author = o.author
"""

# One contact is all that a host did in a minute, by what the log says of its address outside.
_CONTACTS = f"""
CREATE TEMP TABLE minutes AS
SELECT address, egress, {_MINUTE.format("moment")} AS minute,
    CASE WHEN count(octets) = count(*) THEN max(octets) END AS octets, min(document) AS document, min(line) AS line
FROM contacts
WHERE moment IS NOT NULL AND relay IS NULL AND to_inside = 0 AND coalesce(verdict, 'opened') = 'opened'
GROUP BY address, egress, {_MINUTE.format("moment")}
"""

_NEAR = f"""
CREATE TEMP TABLE near AS
SELECT DISTINCT m.mail, m.client_ip, m.author, m.minute // 30 AS moment, c.address FROM (
    SELECT *, unnest(range(-{_AFTER}, {_BEFORE} + 1)) AS shift FROM carried
) m JOIN minutes c ON c.minute = m.minute - m.shift
WHERE (c.egress = m.client_ip OR c.egress IS NULL) AND {_SIZE}
"""

# The days on which a document that shows the host shows anything at all: on others it may just be missing.
_COVERED = """
CREATE TEMP TABLE covered AS
SELECT DISTINCT h.address, d.day FROM (SELECT DISTINCT address, document FROM contacts WHERE moment IS NOT NULL) h
JOIN (SELECT DISTINCT document, CAST(moment AS DATE) AS day FROM contacts WHERE moment IS NOT NULL) d
ON h.document = d.document
"""

_MEETINGS = """
WITH alone AS (SELECT mail FROM near GROUP BY mail HAVING count(DISTINCT address) = 1),
met AS (
    SELECT n.client_ip, n.author, n.address, count(*) AS near, count(a.mail) AS alone,
        count(DISTINCT n.moment) AS moments
    FROM near n LEFT JOIN alone a ON n.mail = a.mail GROUP BY n.client_ip, n.author, n.address
), reach AS (
    SELECT c.client_ip, c.author, k.address, count(DISTINCT c.mail) AS mails, count(DISTINCT c.minute // 30) AS moments
    FROM met k JOIN carried c ON c.client_ip = k.client_ip AND c.author = k.author
    JOIN covered v ON v.address = k.address AND v.day = c.day GROUP BY c.client_ip, c.author, k.address
)
SELECT r.client_ip, r.author, r.address, r.mails, least(m.near, r.mails), least(m.alone, r.mails),
    r.moments, least(m.moments, r.moments)
FROM reach r JOIN met m ON r.client_ip = m.client_ip AND r.author = m.author AND r.address = m.address
ORDER BY 1, 2, 3
"""

_CHANCE = f"""
WITH hours AS (SELECT DISTINCT client_ip, minute // 60 AS hour FROM carried),
pairs AS (SELECT DISTINCT client_ip, address FROM near),
open AS (
    SELECT DISTINCT address, minute + shift AS minute FROM (
        SELECT address, minute, unnest(range(-{_BEFORE}, {_AFTER} + 1)) AS shift FROM minutes
        WHERE address IN (SELECT address FROM pairs)
    ) spread
), total AS (SELECT client_ip, count(*) * 60 AS minutes FROM hours GROUP BY client_ip)
SELECT p.client_ip, p.address, count(h.hour) / CAST(min(t.minutes) AS DOUBLE)
FROM pairs p JOIN total t ON p.client_ip = t.client_ip JOIN open o ON p.address = o.address
LEFT JOIN hours h ON h.client_ip = p.client_ip AND h.hour = o.minute // 60
GROUP BY p.client_ip, p.address
"""

_SAME = """
SELECT m.client_ip, m.author, c.address, count(DISTINCT m.mail), min(c.document), min(c.line)
FROM carried m JOIN contacts c ON c.message_id = m.message_id WHERE c.message_id <> ''
GROUP BY m.client_ip, m.author, c.address ORDER BY 1, 2, 3
"""

_LEASES = """
SELECT DISTINCT address, mac, name, maker, remark, owner, {moment}, {until}, document, line FROM host_rows h
WHERE address <> ''
"""


def fold_hosts(
    tables: EvidenceTables,
    settings: Settings,
    documents: Sequence[str],
    own: Callable[[str], bool],
    zone: str | None = None,
) -> Inside:
    """
    Fold network evidence to hosts, and put their connections beside the mails in the organisation's name.

    own:   tells whether a public address is the organisation's; addresses of private ranges and leased ones are anyway.
    zone:  IANA name of the time zone of logs that name none; without it these are not compared with mail.
    """
    leases = _leases(tables, documents, zone)
    if not tables.rows("SELECT 1 FROM session_rows LIMIT 1"):
        return Inside(leases=leases)
    run = tables.connection.execute
    leased = {lease.address for lease in leases}
    _written(tables, lambda address: is_inside(address) or address in leased or own(address))
    run(_SESSIONS.format(moment=_moment("s.", "observed_at", "local_at", zone)))
    hosts = _hosts(tables, documents)
    if not hosts:
        return Inside(leases=leases)
    _authors(tables, settings)
    for query in (_CARRIED, _CONTACTS, _NEAR, _COVERED):
        run(query)
    untimed = tables.rows("SELECT count(*) FROM contacts WHERE moment IS NULL")[0][0]
    return Inside(hosts, leases, _meetings(tables, documents), cast("int", untimed))


def _moment(prefix: str, known: str, local: str, zone: str | None) -> str:
    """Give the SQL of a time in UTC; a log's own clock is read by the zone, or not at all."""
    if zone is None:
        return f"{prefix}{known}"
    word = zone.replace("'", "''")
    return f"coalesce({prefix}{known}, ({prefix}{local} AT TIME ZONE '{word}') AT TIME ZONE 'UTC')"


def _written(tables: EvidenceTables, host: Callable[[str], bool]) -> None:
    """Read the distinct addresses once: their canonical form, whether they are inside, and whether they may be hosts."""
    found = tables.rows(
        "SELECT client_ip FROM session_rows UNION SELECT egress_ip FROM session_rows UNION SELECT server_ip"
        " FROM session_rows UNION SELECT client_ip FROM mail_rows"
    )
    rows: list[tuple[str, str, int, int]] = []
    for (text,) in found:
        address = client_address(str(text)) if text else None
        if address:
            rows.append((str(text), address, int(is_inside(address)), int(host(address))))
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    kinds = (pa.string(), pa.string(), pa.int64(), pa.int64())
    arrays = [pa.array(list(column), kind) for column, kind in zip(columns, kinds, strict=True)]
    _fill(tables, "written", pa.table(arrays, ["text", "address", "inside", "host"]))


def _authors(tables: EvidenceTables, settings: Settings) -> None:
    """Name the authors whose domain is the organisation's."""
    found = tables.rows(
        "SELECT lower(header_from) FROM mail_rows WHERE client_ip <> '' UNION"
        " SELECT lower(sender) FROM mail_rows WHERE client_ip <> ''"
    )
    ours = [str(name) for (name,) in found if name and settings.names_us(domain_of(str(name)))]
    _fill(tables, "own_authors", pa.table([pa.array(ours, pa.string())], ["author"]))


def _fill(tables: EvidenceTables, name: str, rows: pa.Table) -> None:
    tables.connection.register("incoming", rows)
    tables.connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM incoming")
    tables.connection.unregister("incoming")


def _hosts(tables: EvidenceTables, documents: Sequence[str]) -> tuple[Host, ...]:
    def listed(value: str, where: str = "TRUE") -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for address, text, _ in tables.rows(_VALUES.format(value=value, where=where)):
            found[str(address)] = (*found.get(str(address), ()), str(text))
        return found

    names = listed("client_name")
    egress = listed("egress", "egress <> address")
    destinations = listed("coalesce(server_name, server_ip)", "relay IS NULL")
    origins: dict[str, tuple[Origin, ...]] = {}
    for address, document, line in tables.rows(_ROWS.format(kept=_KEPT)):
        origin = Origin(documents[cast("int", document)], cast("int | None", line))
        origins[str(address)] = (*origins.get(str(address), ()), origin)
    hosts: dict[str, Host] = {}
    for address, witness, sessions, port_25, denied, first, last, mac in tables.rows(_HOSTS):
        name = str(address)
        held = hosts.get(name, Host(name))
        hosts[name] = Host(
            name,
            names=names.get(name, ()),
            mac=held.mac or cast("str | None", mac),
            sessions=max(held.sessions, _whole(sessions)),
            port_25=max(held.port_25, _whole(port_25)),
            denied=max(held.denied, _whole(denied)),
            egress=egress.get(name, ()),
            destinations=destinations.get(name, ()),
            first_seen=_least(held.first_seen, first),
            last_seen=_most(held.last_seen, last),
            witnesses={**held.witnesses, str(witness): _whole(sessions)},
            origins=origins.get(name, ()),
        )
    return tuple(hosts.values())


def _whole(value: object) -> int:
    return int(cast("int", value or 0))


def _least(held: datetime | None, other: object) -> datetime | None:
    found = aware(cast("datetime | None", other))
    return min((each for each in (held, found) if each), default=None)


def _most(held: datetime | None, other: object) -> datetime | None:
    found = aware(cast("datetime | None", other))
    return max((each for each in (held, found) if each), default=None)


def _leases(tables: EvidenceTables, documents: Sequence[str], zone: str | None) -> tuple[Lease, ...]:
    until = "h.until_at"
    if zone is not None:
        # The end is by the same clock as the start; where neither names a zone it is the log's own.
        local = _moment("h.", "observed_at", "until_at", zone).replace("coalesce(h.observed_at, ", "(")
        until = f"CASE WHEN h.observed_at IS NULL AND h.local_at IS NOT NULL THEN {local} ELSE h.until_at END"
    query = _LEASES.format(moment=_moment("h.", "observed_at", "local_at", zone), until=until)
    found = []
    for address, mac, name, maker, remark, owner, since, ends, document, line in tables.rows(query):
        if canonical := client_address(str(address)):
            found.append(
                Lease(
                    canonical,
                    mac=cast("str | None", mac),
                    name=cast("str | None", name),
                    maker=cast("str | None", maker),
                    remark=cast("str | None", remark),
                    owner=cast("str | None", owner),
                    since=aware(cast("datetime | None", since)),
                    until=aware(cast("datetime | None", ends)),
                    origin=Origin(documents[cast("int", document)], cast("int | None", line)),
                )
            )
    return tuple(sorted(found, key=lambda lease: (lease.address, str(lease.since), str(lease.origin))))


def _meetings(tables: EvidenceTables, documents: Sequence[str]) -> tuple[Meeting, ...]:
    chance = {
        (str(ip), str(address)): float(cast("float", share)) for ip, address, share in tables.rows(_CHANCE)
    }
    same: dict[tuple[str, str, str], tuple[int, Origin]] = {}
    for ip, author, address, mails, document, line in tables.rows(_SAME):
        origin = Origin(documents[cast("int", document)], cast("int | None", line))
        same[str(ip), str(author), str(address)] = (_whole(mails), origin)
    found: dict[tuple[str, str, str], Meeting] = {}
    for ip, author, address, mails, near, alone, moments, near_moments in tables.rows(_MEETINGS):
        key = (str(ip), str(author), str(address))
        found[key] = Meeting(
            *key,
            mails=_whole(mails),
            near=_whole(near),
            alone=_whole(alone),
            moments=_whole(moments),
            near_moments=_whole(near_moments),
            same_mail=same[key][0] if key in same else 0,
            chance=chance.get((key[0], key[2]), 1.0),
            origins=(same[key][1],) if key in same else (),
        )
    for key, (mails, origin) in same.items():
        if key not in found:
            found[key] = Meeting(*key, mails, 0, 0, 0, 0, same_mail=mails, chance=1.0, origins=(origin,))
    return tuple(found[key] for key in sorted(found))
