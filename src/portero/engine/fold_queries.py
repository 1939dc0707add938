"""The fold's queries, written for the columns that the evidence fills, in the portable subset of docs/adr/0005."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portero.engine.evidence_tables import DOMAIN, NUMBERED, SHARDS

# Only constants of this package are put into queries; what evidence says travels in tables.
# ruff: noqa: S608

# A row's place as one number that sorts as (document, line) does.
LINE_BITS = 40

ADDRESSES = ("sender", "mail_from", "header_from")
# Where witnesses of one mail differ, the value that says most wins: an address over "none", a name over "none".
_GREATEST = (
    "mail_from", "header_from", "display_name", "client_ip", "ehlo", "ptr", "connector", "spf", "dkim",
    "dkim_domain", "dmarc", "compauth", "compauth_reason", "threat", "subject", "size_octets",
)  # fmt: skip
_NUMBERS = frozenset({"size_octets"})
_ENHANCED = "message-trace-enhanced"
# They show the address of every client, people's submissions too, unless the whole document has lost them.
_SHOWING = ("message-trace-extended", "email-events")
# Rows of what the admin centre downloads and of tables with unknown headings, where they show no id to join them by.
_WITHOUT_ID = """r.id_low IS NULL AND coalesce(r.message_id, '') = ''
    AND r.witness IN ('message-trace-summary', 'unknown-table')"""
_CLIENT = "coalesce(r.client_ip_no, 0)"
# In the place of an id's first half; the only GUID that begins so ends so too (RFC 9562 section 5.10, Max UUID).
_NO_ID = -1
# Beside each row, the one mail that carries its Message-ID where it shows only that.
_LOST = """ LEFT JOIN people s ON r.sender_no = s.no LEFT JOIN people f ON r.mail_from_no = f.no
LEFT JOIN ids i ON CASE WHEN r.id_low IS NULL THEN r.message_id END = i.message_id"""
# The key of a row's mail, where no id stands for it.
_OTHER_KEY = """CASE WHEN r.id_low IS NOT NULL OR i.id_low IS NOT NULL THEN NULL
    WHEN r.message_id <> '' THEN concat('m:', r.message_id)
    WHEN r.observed_at IS NOT NULL THEN concat('w:', coalesce(s.written, f.written, ''), '|', coalesce(r.subject, ''),
        '|', CAST(date_trunc('second', r.observed_at) AS VARCHAR))
    ELSE concat('r:', CAST(r.document AS VARCHAR), ':', CAST(r.line AS VARCHAR)) END"""
# What makes two mails the same way of sending, in the order of FlowKey.
KEYS = ("client_ip", "mail_from_domain", "header_from", "sender", "ehlo", "connector", "direction")
# Texts of which a flow counts the mails, by the field of Facts.
COUNTED = {
    "outcomes": "outcome",
    "threats": "threat",
    "spf": "spf",
    "dkim": "dkim",
    "dmarc": "dmarc",
    "compauth": "compauth",
    "dkim_domains": "dkim_domain",
    "ptr": "ptr",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """
    Some of our mails, so few that what is grouped by mail fits into memory.

    shard:        of the rows; None where they are not parted.
    part, parts:  which of how many parts of the shard, told by the mail's number.
    """

    shard: int | None = None
    part: int = 0
    parts: int = 1

    @property
    def suffix(self) -> str:
        """Give what follows the names of views of this shard."""
        return "" if self.shard is None else f"_{self.shard}"

    def holds(self, ours: str) -> str:
        """Write the condition that a row of ``ours`` is one of these mails."""
        told = [] if self.shard is None else [f"{ours}.low & {SHARDS - 1} = {self.shard}"]
        told += [f"{ours}.mail % {self.parts} = {self.part}"] if self.parts > 1 else []
        return " AND ".join(told) or "TRUE"


@dataclass(frozen=True, slots=True)
class Queries:
    """
    The queries for one run.

    known:      the columns of ``mail_rows`` that hold anything; a column that nobody fills is never touched.
    witnesses:  ids of the sources that saw mail.
    """

    known: frozenset[str]
    witnesses: Sequence[str]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Name the columns of senders' mailboxes that hold anything."""
        return tuple(name for name in ADDRESSES if name in self.known)

    def lost(self) -> str:
        """Count the rows that do not carry Exchange's own id."""
        return "SELECT count(*) FROM numbered_rows WHERE id_low IS NULL"

    def ids(self) -> str:
        """Give the id of the one mail that carries a Message-ID, for the rows that show only that."""
        return """
CREATE TEMP TABLE ids AS
SELECT c.message_id, c.id_high, c.id_low FROM (
    SELECT r.message_id, r.id_high, r.id_low,
        row_number() OVER (PARTITION BY r.message_id ORDER BY r.id_high, r.id_low) AS position
    FROM numbered_rows r JOIN (
        SELECT DISTINCT message_id FROM numbered_rows WHERE id_low IS NULL AND message_id <> ''
    ) l ON r.message_id = l.message_id WHERE r.id_low IS NOT NULL
) c WHERE c.position = 1"""

    def bare(self) -> str:
        """Count the rows of summaries that show no id."""
        return f"SELECT count(*) FROM numbered_rows r WHERE {_WITHOUT_ID}"

    def met(self) -> str:
        """
        Give the senders whose mails other rows show, in whatever case they are written, and from which client address.

        With none (0) stands every sender that a row shows which says more, be it an id or an address.
        """
        shown = [
            f"SELECT DISTINCT r.{name}_no AS no, {client} AS client_no FROM numbered_rows r"
            f" WHERE r.{name}_no > 0 AND NOT ({less})"
            for name in self.addresses
            for client, less in (("0", f"{_WITHOUT_ID} AND {_CLIENT} = 0"), (_CLIENT, _WITHOUT_ID))
        ]
        nobody = "SELECT CAST(NULL AS INTEGER) AS no, 0 AS client_no"
        return f"""
CREATE TEMP TABLE met AS
SELECT DISTINCT a.no, m.client_no FROM people a JOIN people p ON a.low_no = p.low_no
JOIN ({" UNION ".join(shown) or nobody}) m ON p.no = m.no"""

    def keyed(self, *, lost: bool, bare: bool = False, shard: Piece = Piece()) -> str:
        """
        Give every row its mail's key; rows of one shard where one is meant.

        It is Exchange's own id; else the id of the one mail that carries the same Message-ID; else the Message-ID; else
        what a summary without ids shows, which is the same for all recipient rows of a mail.

        bare:  some summaries show no id, and their times are of whatever zone. Their rows are passed over for senders
               whose mails others show, from the same address where they name one, for they may be the same mails.
        """
        name, rows = f"keyed{shard.suffix}", f"numbered_rows{shard.suffix} r"
        if not lost:
            return f"CREATE TEMP VIEW {name} AS SELECT r.*, r.id_high AS high, r.id_low AS low FROM {rows}"
        return f"""
CREATE TEMP VIEW {name} AS
SELECT r.*, coalesce(r.id_high, i.id_high, k.high) AS high, coalesce(r.id_low, i.id_low, k.low) AS low
FROM {rows}{_LOST} LEFT JOIN other_keys k ON {_OTHER_KEY} = k.key""" + (
            f"""
LEFT JOIN met b ON r.sender_no = b.no AND {_CLIENT} = b.client_no
WHERE b.no IS NULL OR NOT ({_WITHOUT_ID})"""
            if bare
            else ""
        )

    def other_keys(self) -> str:
        """Number the keys of rows that no id stands for, as if they were halves of ids."""
        return f"""
CREATE TEMP TABLE other_keys AS
SELECT k.key, CAST({_NO_ID} AS BIGINT) AS high, row_number() OVER (ORDER BY k.key) AS low FROM (SELECT DISTINCT {_OTHER_KEY} AS key FROM numbered_rows r{_LOST}) k
WHERE k.key IS NOT NULL"""

    def people(self) -> str:
        """
        Take the different senders apart once.

        rank:    of two texts the greater has the greater; the empty one has 0.
        low_no:  stands for the text in lower case, ``low``: the same for all that differ in case only.
        domain:  what follows the last "@", in lower case; ``domain_no`` stands for it.
        """
        return f"""
CREATE TEMP TABLE people AS
SELECT p.no, p.written, p.low, p.domain, row_number() OVER (ORDER BY p.written) - 1 AS rank,
    min(p.no) OVER (PARTITION BY p.low) AS low_no, min(p.no) OVER (PARTITION BY p.domain) AS domain_no
FROM (
    SELECT w.no, w.written, lower(w.written) AS low, {DOMAIN.format("w.written")} AS domain FROM people_written w
) p"""

    def clients(self) -> str:
        """Give every client address its rank; see `people`."""
        return """
CREATE TEMP TABLE clients AS
SELECT no, written, row_number() OVER (ORDER BY written) - 1 AS rank FROM clients_written"""

    def domains(self) -> str:
        """Give the different domains of senders, and those that DMARC reports name."""
        return "SELECT domain FROM people UNION SELECT lower(header_from) AS domain FROM report_rows"

    def own_people(self) -> str:
        """Give the senders whose domain is ours."""
        return """
CREATE TEMP TABLE own_people AS
SELECT no FROM people WHERE written <> '' AND domain IN (SELECT name FROM own_names)"""

    def ours(self) -> str:
        """Number the mails that name us in P1 or P2 by any witness."""
        parts = " UNION ".join(
            f"SELECT DISTINCT high, low FROM keyed WHERE {name}_no IN (SELECT no FROM own_people)"
            for name in self.addresses
        )
        return f"""
CREATE TEMP TABLE ours AS
SELECT o.high, o.low, row_number() OVER (ORDER BY o.high, o.low) AS mail
FROM ({parts or "SELECT high, low FROM keyed WHERE FALSE"}) o"""

    def totals(self, shard: Piece) -> str:
        """Count mails and rows, of one shard where one is meant."""
        # Groups go to disk where they are too many for the engine's memory; a count of different values does not.
        these = "" if shard.shard is None else f" WHERE low & {SHARDS - 1} = {shard.shard}"
        return f"""
SELECT count(*), coalesce(sum(m.number), 0) FROM (
    SELECT count(*) AS number FROM keyed{shard.suffix}{these} GROUP BY high, low
) m"""

    def members(self) -> str:
        """Give of each list of recipients the senders that are on it."""
        return """
CREATE TEMP TABLE members AS
SELECT DISTINCT r.list_no, p.low_no FROM receivers r JOIN people p ON r.recipient = p.low"""

    def kept(self) -> str:
        """
        Name the documents that still have addresses, and since when.

        An Enhanced summary loses them with age (reference data-formats 5.2): an empty one says "from inside" only in rows
        as young as the oldest that still has one. Of another document that has none at all, an empty one says nothing.
        """
        witnesses = ", ".join(f"'{each}'" for each in (_ENHANCED, *_SHOWING))
        return f"""
CREATE TEMP TABLE kept AS
SELECT document, min(observed_at) AS since FROM numbered_rows
WHERE witness IN ({witnesses}) AND client_ip_no > 0 GROUP BY document"""

    @property
    def told_apart(self) -> bool:
        """Tell whether two kinds of summary show a sender, one perhaps P2 and the other P1."""
        return "sender" in self.known and _ENHANCED in self.witnesses and len(self.witnesses) > 1

    def mails(self, piece: Piece = Piece(), *, more: bool = False) -> str:
        """
        Join the witnesses of each mail that is ours; of a piece of them, beside those of others if there are more.

        ``first_N`` is the first row of the N-th witness, null where it did not see the mail; ``visible`` and
        ``envelope`` are the senders by the Enhanced summary and by others. Of senders and client addresses there is the rank.
        """
        columns = ["min(r.observed_at) AS observed_at", "min(r.direction) AS direction"]
        joins = ""
        for name in _GREATEST:
            kind = "BIGINT" if name in NUMBERED or name in _NUMBERS else "VARCHAR"
            columns.append(
                f"max({self._value(name)}) AS {name}"
                if name in self.known
                else f"CAST(NULL AS {kind}) AS {name}"
            )
        joins += "".join(
            f" LEFT JOIN people p_{name} ON r.{name}_no = p_{name}.no" for name in self.addresses
        )
        if "client_ip" in self.known:
            joins += " LEFT JOIN clients c ON r.client_ip_no = c.no"
            if self._may_have_lost:
                joins += " LEFT JOIN kept a ON r.document = a.document"
        if self.told_apart:
            columns += [
                f"max(CASE WHEN r.witness = '{_ENHANCED}' THEN p_sender.rank END) AS visible",
                self._traced(f"r.witness <> '{_ENHANCED}'") + " AS envelope",
            ]
        else:
            columns.append(f"{self._traced('r.sender_no IS NOT NULL')} AS sender")
        if self._unsure:
            joins += " LEFT JOIN own_people w ON r.sender_no = w.no"
        columns.append(
            "CASE WHEN max(CASE WHEN r.outcome = 'delivered' THEN 1 ELSE 0 END) = 1 THEN 'delivered' "
            "ELSE max(r.outcome) END AS outcome"
        )
        place = f"CAST(r.document AS BIGINT) * {1 << LINE_BITS} + r.line"
        columns += [
            f"min(CASE WHEN r.witness = '{witness}' THEN {place} END) AS first_{n}"
            for n, witness in enumerate(self.witnesses)
        ]
        if "recipients" in self.known:
            columns += [
                "max(l.inside) AS inside",
                "max(l.outside) AS outside",
                f"max(CASE WHEN {self._self_addressed()} THEN 1 ELSE 0 END) AS self_addressed",
            ]
            joins += " LEFT JOIN lists l ON r.recipients_no = l.no" + "".join(
                f" LEFT JOIN members m_{name} ON r.recipients_no = m_{name}.list_no AND p_{name}.low_no = m_{name}.low_no"
                for name in self.addresses
            )
        else:
            columns += [
                f"CAST(NULL AS INTEGER) AS {name}" for name in ("inside", "outside", "self_addressed")
            ]
        return f"""
{"INSERT INTO mails" if more else "CREATE TEMP TABLE mails AS"}
SELECT o.mail, {", ".join(columns)}
FROM keyed{piece.suffix} r JOIN ours o ON r.high = o.high AND r.low = o.low{joins}
WHERE {piece.holds("o")} GROUP BY o.mail"""

    @property
    def _unsure(self) -> bool:
        """Tell whether summaries of which nobody knows whose sender is P1 may name two for one mail."""
        return "sender" in self.known and len({*self.witnesses} - {_ENHANCED}) > 1

    def _traced(self, these: str) -> str:
        """Write the sender that some rows show; of two the own one, for the mail may have it as either."""
        if "sender" not in self.known:
            return "CAST(NULL AS BIGINT)"
        shown = f"max(CASE WHEN {these} THEN p_sender.rank END)"
        if not self._unsure:
            return shown
        return f"coalesce(max(CASE WHEN {these} AND w.no IS NOT NULL THEN p_sender.rank END), {shown})"

    def _value(self, name: str) -> str:
        """Write what a row says of a field of `_GREATEST`."""
        if name in ADDRESSES:
            return f"p_{name}.rank"
        if name == "client_ip" and self._may_have_lost:
            lost = [f"(r.witness = '{each}' AND a.document IS NULL)" for each in self._may_have_lost]
            if _ENHANCED in self.witnesses:
                lost.append(
                    f"(r.witness = '{_ENHANCED}' AND (a.since IS NULL OR r.observed_at IS NULL OR r.observed_at < a.since))"
                )
            return f"CASE WHEN r.client_ip_no = 0 AND ({' OR '.join(lost)}) THEN NULL ELSE c.rank END"
        return "c.rank" if name == "client_ip" else f"r.{name}"

    @property
    def _may_have_lost(self) -> tuple[str, ...]:
        """Name the witnesses here whose documents may have lost their addresses."""
        return tuple(each for each in (_ENHANCED, *_SHOWING) if each in self.witnesses)

    def differing(self) -> str:
        """Find a mail whose summaries name different senders."""
        return """
SELECT 1 FROM mails m JOIN people v ON m.visible = v.rank JOIN people e ON m.envelope = e.rank
WHERE v.low_no <> e.low_no AND v.written <> '' LIMIT 1"""

    def _self_addressed(self) -> str:
        """Tell, of a row, whether its sender is among its recipients."""
        tests = [f"(m_{name}.list_no IS NOT NULL AND r.{name}_no > 0)" for name in self.addresses]
        return " OR ".join(tests) or "FALSE"

    def addresses_written(self) -> str:
        """Give the different client addresses of mails: rank, and as written."""
        return (
            "SELECT rank, written FROM clients WHERE written <> '' AND rank IN (SELECT client_ip FROM mails)"
        )

    def named(self, *, apart: bool) -> str:
        """
        Put the key of its way of sending to every mail.

        apart:  two summaries name different senders for some mail. Then they show one each: the Enhanced one P2, the
                others P1 (reference data-formats, first table, and exchange-online 4.11), for every mail both saw.
        Mailbox traffic is folded by domain: a hundred thousand people are one way of sending.
        """
        sender = "m.sender"
        if self.told_apart:
            sender = (
                "CASE WHEN m.envelope IS NULL OR m.visible > m.envelope THEN m.visible ELSE m.envelope END"
            )
        mail_from, header_from = "m.mail_from", "m.header_from"
        if apart:
            told = (
                "m.visible > 0 AND m.envelope IS NOT NULL AND m.mail_from IS NULL AND m.header_from IS NULL"
            )
            mail_from = f"CASE WHEN {told} THEN m.envelope ELSE m.mail_from END"
            header_from = f"CASE WHEN {told} THEN m.visible ELSE m.header_from END"
        firsts = "".join(f", c.first_{n}" for n in range(len(self.witnesses)))
        return f"""
CREATE TEMP TABLE named AS
SELECT c.mail, c.observed_at, c.outcome, c.threat, c.spf, c.dkim, c.dmarc, c.compauth, c.dkim_domain, c.ptr,
    c.subject, c.display_name, c.size_octets, c.inside, c.outside, c.self_addressed{firsts},
    c.mailbox, coalesce(h.low_no, s.low_no) AS author_no,
    c.client_ip AS w_client_ip, f.domain_no AS w_mail_from_domain,
    CASE WHEN c.mailbox THEN -1 - h.domain_no ELSE h.low_no END AS w_header_from,
    CASE WHEN f.no IS NOT NULL AND h.no IS NOT NULL THEN NULL
        WHEN c.mailbox THEN -1 - s.domain_no ELSE s.low_no END AS w_sender,
    CASE WHEN c.mailbox THEN NULL ELSE lower(nullif(c.ehlo, '')) END AS w_ehlo,
    c.connector AS w_connector, c.direction AS w_direction
FROM (
    SELECT m.mail, m.observed_at, m.outcome, m.threat, m.spf, m.dkim, m.dmarc,
        trim(concat(m.compauth, ' ', coalesce(m.compauth_reason, ''))) AS compauth, m.dkim_domain, m.ptr, m.subject,
        m.display_name, m.size_octets, m.inside, m.outside, m.self_addressed{firsts.replace("c.", "m.")},
        m.client_ip, m.ehlo, m.connector, m.direction,
        {sender} AS sender, {mail_from} AS mail_from, {header_from} AS header_from,
        coalesce(coalesce(m.client_ip, 0) = 0
            AND coalesce(m.direction, CASE WHEN m.client_ip = 0 THEN 'originating' END) = 'originating'
            AND coalesce(m.connector, '') = '', FALSE) AS mailbox
    FROM mails m
) c LEFT JOIN people f ON c.mail_from = f.rank LEFT JOIN people h ON c.header_from = h.rank
LEFT JOIN people s ON c.sender = s.rank"""

    def ways(self) -> str:
        """
        Write out the keys of the ways of sending, and number these in a fixed order.

        Numbers tell more apart than texts do, such as an address that is written in two ways: several rows of ``ways`` may
        be one flow.
        """
        keys = ", ".join(f"w_{name}" for name in KEYS)
        order = ", ".join(f"t.k_{name} NULLS FIRST" for name in KEYS)
        return f"""
CREATE TEMP TABLE ways AS
SELECT dense_rank() OVER (ORDER BY {order}) AS flow, t.* FROM (
    SELECT w.*, CASE WHEN w.w_client_ip = 0 THEN '' ELSE a.address END AS k_client_ip,
        CASE WHEN f.no IS NOT NULL THEN coalesce(l.label, f.domain) END AS k_mail_from_domain,
        CASE WHEN w.w_header_from < 0 THEN concat('@', h.domain) ELSE h.low END AS k_header_from,
        CASE WHEN w.w_sender < 0 THEN concat('@', s.domain) ELSE s.low END AS k_sender,
        w.w_ehlo AS k_ehlo, w.w_connector AS k_connector, w.w_direction AS k_direction
    FROM (SELECT DISTINCT {keys} FROM named) w
    LEFT JOIN addresses a ON w.w_client_ip = a.rank
    LEFT JOIN people f ON w.w_mail_from_domain = f.no LEFT JOIN labels l ON f.domain = l.written
    LEFT JOIN people h ON CASE WHEN w.w_header_from < 0 THEN -1 - w.w_header_from ELSE w.w_header_from END = h.no
    LEFT JOIN people s ON CASE WHEN w.w_sender < 0 THEN -1 - w.w_sender ELSE w.w_sender END = s.no
) t"""

    def flowed(self) -> str:
        """Give every mail the number of its way of sending."""
        same = " AND ".join(f"n.w_{name} IS NOT DISTINCT FROM w.w_{name}" for name in KEYS)
        firsts = "".join(f", n.first_{n}" for n in range(len(self.witnesses)))
        return f"""
CREATE TEMP TABLE flowed AS
SELECT w.flow, n.mail, n.observed_at, n.outcome, n.threat, n.spf, n.dkim, n.dmarc, n.compauth, n.dkim_domain, n.ptr,
    n.subject, n.display_name, n.size_octets, n.inside, n.outside, n.self_addressed, n.mailbox, n.author_no{firsts}
FROM named n JOIN ways w ON {same}"""

    def flows(self) -> str:
        """Give each way of sending its keys once."""
        keys = ", ".join(f"k_{name}" for name in KEYS)
        return f"CREATE TEMP TABLE flows AS SELECT DISTINCT flow, {keys} FROM ways"

    def flow_rows(self) -> str:
        """Give the ways of sending, with what adds up."""
        keys = ", ".join(f"f.k_{name}" for name in KEYS)
        seen = "".join(f", count(first_{n}) AS seen_{n}" for n in range(len(self.witnesses)))
        shown = "".join(f", g.seen_{n}" for n in range(len(self.witnesses)))
        return f"""
SELECT g.flow, {keys}, g.mails, g.first_seen, g.last_seen, g.octets, g.inside, g.outside, g.self_addressed{shown} FROM (
    SELECT flow, count(*) AS mails, min(observed_at) AS first_seen, max(observed_at) AS last_seen,
        coalesce(sum(size_octets), 0) AS octets, coalesce(sum(inside), 0) AS inside,
        coalesce(sum(outside), 0) AS outside, coalesce(sum(self_addressed), 0) AS self_addressed{seen}
    FROM flowed GROUP BY flow
) g JOIN flows f ON g.flow = f.flow ORDER BY g.flow"""

    def counted(self, field: str) -> str | None:
        """Count mails by the values of a text; None where no witness fills it."""
        column = COUNTED[field]
        if column not in self.known:
            return None
        return f"""
SELECT flow, {column}, count(*) FROM flowed WHERE {column} <> '' GROUP BY flow, {column} ORDER BY flow, {column}"""

    def hours(self) -> str:
        """Count mails by the hour."""
        return """
SELECT flow, date_trunc('hour', observed_at) AS moment, count(*) FROM flowed WHERE observed_at IS NOT NULL
GROUP BY flow, date_trunc('hour', observed_at) ORDER BY flow, moment"""

    def origins(self, witness: int, size: int) -> str:
        """Give the first rows of a witness, of different mails."""
        return f"""
SELECT flow, place FROM (
    SELECT flow, first_{witness} AS place, row_number() OVER (PARTITION BY flow ORDER BY first_{witness}) AS position
    FROM flowed WHERE first_{witness} IS NOT NULL
) ranked WHERE position <= {size} ORDER BY flow, place"""

    def shapes(self) -> str:
        """Count mails by the shape of their subject: lower case, digits as one #, white space as one blank."""
        return r"""
CREATE TEMP TABLE shapes AS
SELECT d.flow, d.shape, sum(d.mails) AS mails FROM (
    SELECT s.flow, s.mails,
        CASE WHEN regexp_matches(s.subject, '[0-9]|\s\s|[^\S ]|^\s|\s$')
            THEN trim(regexp_replace(regexp_replace(lower(s.subject), '[0-9]+', '#', 'g'), '\s+', ' ', 'g'))
            ELSE lower(s.subject) END AS shape
    FROM (
        SELECT flow, subject, count(*) AS mails FROM flowed WHERE subject <> '' GROUP BY flow, subject
    ) s
) d WHERE d.shape <> '' GROUP BY d.flow, d.shape"""

    def names_shown(self) -> str:
        """Count mails by the display name of their author."""
        return """
CREATE TEMP TABLE names_shown AS
SELECT flow, display_name, count(*) AS mails FROM flowed WHERE display_name <> '' GROUP BY flow, display_name"""

    def sampled(self, table: str, value: str, size: int) -> str:
        """Give of each flow the texts whose hash is smallest: the same for every engine and every split."""
        return f"""
SELECT flow, {value}, mails, substring(hash, 1, 15) AS short, position FROM (
    SELECT h.flow, h.{value}, h.mails, h.hash,
        row_number() OVER (PARTITION BY h.flow ORDER BY h.hash, h.{value}) AS position
    FROM (SELECT flow, {value}, mails, md5({value}) AS hash FROM {table}) h
) ranked WHERE position <= {size} ORDER BY flow, {value}"""

    def reached_lists(self, piece: Piece, *, more: bool) -> str:
        """Give the different lists of recipients of each flow, from a piece of the mails."""
        return f"""
{"INSERT INTO reached_lists" if more else "CREATE TEMP TABLE reached_lists AS"}
SELECT DISTINCT o.flow, r.recipients_no AS list_no
FROM keyed{piece.suffix} r JOIN (
    SELECT o.high, o.low, f.flow FROM ours o JOIN flowed f ON o.mail = f.mail WHERE {piece.holds("o")}
) o ON r.high = o.high AND r.low = o.low
WHERE r.recipients_no > 0"""

    def reached(self) -> str:
        """Give the different recipients of each flow."""
        return """
CREATE TEMP TABLE reached AS
SELECT DISTINCT p.flow, t.recipient FROM reached_lists p JOIN receivers t ON p.list_no = t.list_no"""

    def recipients_sampled(self, size: int) -> str:
        """Give of each flow the smallest hashes of its recipients."""
        return f"""
SELECT flow, short FROM (
    SELECT h.flow, substring(h.hash, 1, 15) AS short,
        row_number() OVER (PARTITION BY h.flow ORDER BY h.hash, h.recipient) AS position
    FROM (SELECT flow, recipient, md5(recipient) AS hash FROM reached) h
) ranked WHERE position <= {size} ORDER BY flow, short"""

    def arrivals(self, size: int) -> str:
        """
        Give the addresses that deliver other people's mail for most different domains.

        Where no address is known, the connector that a witness named stands for it.
        Mail through an OnPremises connector is of direction originating too, so a connector's name counts as arrival.
        """
        envelope = [name for name in ("mail_from", "sender") if name in self.known]
        if not {"client_ip", "connector"} & self.known or not envelope:
            return "SELECT CAST(NULL AS VARCHAR) AS client_ip, 0 AS domains, '' AS connector WHERE FALSE"
        written = "coalesce(" + ", ".join(f"nullif(r.{name}_no, 0)" for name in envelope) + ")"
        return f"""
SELECT c.written AS client_ip, g.domains, g.connector FROM (
    SELECT d.client_no, count(DISTINCT p.domain) AS domains, max(d.connector) AS connector FROM (
        SELECT DISTINCT coalesce(r.client_ip_no, 0) AS client_no, {written} AS no, coalesce(r.connector, '') AS connector
        FROM keyed r LEFT JOIN ours o ON r.high = o.high AND r.low = o.low
        WHERE o.mail IS NULL AND (r.connector <> '' OR (r.client_ip_no > 0 AND coalesce(r.direction, 'incoming') = 'incoming'))
    ) d LEFT JOIN people p ON d.no = p.no
    GROUP BY d.client_no, CASE WHEN d.client_no = 0 THEN d.connector END
) g JOIN clients c ON g.client_no = c.no
ORDER BY domains DESC, client_ip, connector LIMIT {size}"""

    def mailboxes(self) -> str:
        """Give whose own mailbox it is that mail from elsewhere claims to be from."""
        return """
SELECT p.low FROM people p JOIN (
    SELECT DISTINCT author_no FROM flowed
    WHERE mailbox AND author_no IN (SELECT author_no FROM flowed WHERE NOT mailbox)
) a ON p.no = a.author_no ORDER BY p.low"""

    def outside(self) -> str:
        """Give what DMARC reports say of mail in our name; each report once, however often it was handed over."""
        return """
SELECT r.source_ip, lower(r.header_from), lower(r.envelope_from), r.reporter,
    coalesce(lower(r.envelope_to) IN (SELECT name FROM accepted_names), FALSE) AS to_us, sum(r.mails),
    sum(CASE WHEN r.aligned_spf = 'pass' THEN r.mails ELSE 0 END),
    sum(CASE WHEN r.aligned_dkim = 'pass' THEN r.mails ELSE 0 END),
    min(CASE WHEN r.dkim_result = 'pass' THEN lower(r.dkim_domain) END),
    min(lower(r.spf_domain)), min(r.begin_at), max(r.end_at), r.document, min(r.line)
FROM report_rows r JOIN (
    SELECT reporter, report_id, policy_domain, min(document) AS document FROM report_rows
    GROUP BY reporter, report_id, policy_domain
) o ON r.document = o.document AND r.report_id IS NOT DISTINCT FROM o.report_id
    AND r.reporter IS NOT DISTINCT FROM o.reporter AND r.policy_domain IS NOT DISTINCT FROM o.policy_domain
WHERE lower(r.header_from) IN (SELECT name FROM own_names)
GROUP BY r.source_ip, lower(r.header_from), lower(r.envelope_from), r.reporter, 5, r.document
ORDER BY 1, 2, 3, 4, 5, 13"""
