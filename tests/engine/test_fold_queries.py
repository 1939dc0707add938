"""Every query of the fold keeps to the portable subset of docs/adr/0005 and can be written for the other engines."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from portero.engine.evidence_tables import EvidenceTables
from support.mail_rows import START, Row, folded

_FULL: Row = {
    "line": 2, "witness": "message-trace-extended", "network_message_id": "id-1", "observed_at": START,
    "mail_from": "a@contoso.example", "header_from": "a@contoso.example", "sender": "a@contoso.example",
    "client_ip": "192.0.2.1", "recipients": "b@x.example", "display_name": "Ana", "ehlo": "km1", "ptr": "km1.example",
    "connector": "Office", "direction": "incoming", "spf": "pass", "dkim": "pass", "dkim_domain": "contoso.example",
    "dmarc": "pass", "compauth": "pass", "compauth_reason": "100", "outcome": "delivered", "threat": "spoof",
    "subject": "Scan 1", "size_octets": 3,
}  # fmt: skip
_ENHANCED: Row = {
    **_FULL,
    "witness": "message-trace-enhanced",
    "sender": "c@contoso.example",
    "mail_from": None,
    "header_from": None,
}
_WITHOUT_ID: Row = {
    "line": 3,
    "witness": "message-trace-v2",
    "message_id": "m",
    "sender": "b@contoso.example",
}
_BARE: Row = {"line": 4, "witness": "unknown-table", "observed_at": START, "sender": "b@contoso.example"}


class _Recorder:
    """Stands before a connection and keeps what is asked of it."""

    def __init__(self, tables: EvidenceTables, asked: list[str]) -> None:
        self._held, self._asked = tables.connection, asked

    def __getattr__(self, name: str) -> object:
        return getattr(self._held, name)

    def execute(self, query: str, *parameters: object) -> object:
        self._asked.append(query)
        return self._held.execute(query, *parameters)


def _asked(*documents: list[Row]) -> list[str]:
    queries: list[str] = []

    def watch(tables: EvidenceTables) -> None:
        tables.connection = _Recorder(tables, queries)  # type: ignore[assignment]

    assert folded(*documents, watch=watch).flows
    # Tables that are worked out outside the engine come to it by other ways on other engines.
    return [query for query in queries if not query.endswith("FROM incoming")]


QUERIES = list(
    dict.fromkeys(
        [
            *_asked([_FULL], [_ENHANCED, _WITHOUT_ID]),
            *_asked([_WITHOUT_ID]),
            *_asked([_WITHOUT_ID, _BARE]),
            *_asked([_FULL]),
        ]
    )
)


@pytest.mark.parametrize("dialect", ["spark", "clickhouse", "trino"])
def test_no_construct_is_unsupported(dialect: str) -> None:
    assert len(QUERIES) > 30
    for query in QUERIES:
        [text] = sqlglot.transpile(
            query, read="duckdb", write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE
        )
        sqlglot.parse_one(text, read=dialect)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: " ".join(query.split())[:60])
def test_a_query_keeps_to_the_subset(query: str) -> None:
    tree = sqlglot.parse_one(query, read="duckdb")
    beyond = (exp.Qualify, exp.Array, exp.List, exp.Struct, exp.Unnest, exp.Lambda, exp.Lateral, exp.Pivot)
    assert not list(tree.find_all(*beyond))
    assert "ASOF" not in query
    assert "GROUP BY ALL" not in query
    assert not any(select.args.get("windows") for select in tree.find_all(exp.Select)), "named windows"
    assert all(
        each.alias for each in tree.find_all(exp.Subquery) if isinstance(each.parent, exp.From | exp.Join)
    ), "a derived table without alias"
    assert not list(tree.find_all(exp.Anonymous)), "a function that no other engine is known to have"
    narrow = {
        exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT, exp.DataType.Type.INT, exp.DataType.Type.BIGINT,
        exp.DataType.Type.TIMESTAMP, exp.DataType.Type.DATE,
    }  # fmt: skip
    assert {each.this for each in tree.find_all(exp.DataType)} <= narrow
    for ordered in tree.find_all(exp.Limit):
        select = ordered.parent
        unordered_is_enough = query.rstrip().endswith("LIMIT 1")
        assert unordered_is_enough or (select is not None and select.args.get("order") is not None)
