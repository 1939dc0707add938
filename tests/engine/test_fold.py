"""The fold: witnesses of one mail are joined and never summed, in whatever order, number and parts evidence comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from portero.core.flow import Flow, FlowKey
from portero.engine import evidence_tables as tables_module
from portero.engine import fold as fold_module
from portero.engine.evidence_tables import EvidenceTables
from support.mail_rows import START, Row, folded

# Each example folds twice in an engine of its own, which takes its time.
few = settings(max_examples=15, deadline=None)

_PEOPLE = ["ana@contoso.example", "Bo@Contoso.example", "scanner@contoso.example", "x@other.example", ""]
_TEXTS = ["Scan 17", "Scan  18", "Report", "\tpágina 4", None]


@some.composite
def _mails(draw: some.DrawFn) -> list[Row]:
    """Give rows of a few mails by several witnesses, each row with its line."""
    rows: list[dict[str, object]] = []
    for number in range(draw(some.integers(1, 6))):
        shown = {
            "network_message_id": draw(some.sampled_from([f"id-{number}", f"id-{number}", None])),
            "message_id": f"m{number}@contoso.example",
            "observed_at": START + timedelta(minutes=draw(some.integers(0, 3000))),
        }
        for _ in range(draw(some.integers(1, 3))):
            witness = draw(some.sampled_from(["message-trace-v2", "message-trace-extended"]))
            full = witness == "message-trace-extended"
            rows.append(
                {
                    **shown,
                    "witness": witness,
                    "sender": None if full else draw(some.sampled_from(_PEOPLE)),
                    "mail_from": draw(some.sampled_from(_PEOPLE)) if full else None,
                    "header_from": draw(some.sampled_from(_PEOPLE)) if full else None,
                    "recipients": draw(
                        some.sampled_from(["ana@contoso.example", "b@x.example;ana@contoso.example", None])
                    ),
                    "client_ip": draw(
                        some.sampled_from(["192.0.2.1", "[192.0.2.1]", "2001:db8::1", "", None])
                    ),
                    "direction": draw(some.sampled_from(["incoming", "originating"])),
                    "connector": draw(some.sampled_from(["", "Office", None])),
                    "outcome": draw(some.sampled_from(["delivered", "quarantined", None])),
                    "subject": draw(some.sampled_from(_TEXTS)),
                    "display_name": draw(some.sampled_from(["Ana", None])) if full else None,
                    "size_octets": draw(some.sampled_from([None, 100, 2000])),
                }
            )
    return [{**row, "line": line} for line, row in enumerate(rows, 2)]


def _without_origins(flows: tuple[Flow, ...]) -> list[Flow]:
    return [replace(flow, facts=replace(flow.facts, origins={})) for flow in flows]


@few
@given(_mails(), some.randoms(use_true_random=False))
def test_order_means_nothing(rows: list[Row], chance: object) -> None:
    mixed = list(rows)
    chance.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert folded(mixed, sizes=2) == folded(rows)


@few
@given(_mails())
def test_the_same_file_twice_changes_nothing(rows: list[Row]) -> None:
    once, twice = folded(rows), folded(rows, rows)
    assert twice.flows == once.flows
    assert (twice.totals.ours, twice.totals.others) == (once.totals.ours, once.totals.others)
    assert (twice.arrivals, twice.mailboxes) == (once.arrivals, once.mailboxes)


@few
@given(_mails(), some.integers(1, 10))
def test_how_rows_are_parted_into_files_means_nothing(rows: list[Row], cut: int) -> None:
    """Rules that look at a whole document (an export that lost all its addresses) are not met by these rows."""
    rows = [{**row, "client_ip": row["client_ip"] or None} for row in rows]
    whole, parted = folded(rows), folded(rows[:cut], rows[cut:])
    assert _without_origins(parted.flows) == _without_origins(whole.flows)
    assert parted.totals == whole.totals


@few
@given(_mails())
def test_what_is_spilled_reads_as_what_is_held(rows: list[Row]) -> None:
    assert folded(rows, rows[:2], held=0, sizes=1) == folded(rows, rows[:2])


@few
@given(_mails())
def test_mails_add_up(rows: list[Row]) -> None:
    found = folded(rows)
    assert sum(flow.facts.mails for flow in found.flows) == found.totals.ours
    for flow in found.flows:
        assert sum(flow.facts.days.values()) == sum(flow.facts.hours) == flow.facts.mails
        assert all(number <= flow.facts.mails for number in flow.facts.witnessed.values())


def _row(witness: str, **shown: object) -> Row:
    return {"line": 2, "witness": witness, "network_message_id": "id-1", "observed_at": START, **shown}


def test_each_field_is_of_the_witness_that_knows_it() -> None:
    found = folded(
        [
            _row(
                "message-trace-v2",
                sender="scan@contoso.example",
                client_ip="192.0.2.1",
                recipients="a@contoso.example",
            )
        ],
        [
            _row(
                "message-trace-extended",
                mail_from="bounce@vendor.example",
                header_from="Scan@contoso.example",
                ehlo="KM1",
                connector="Office",
                direction="incoming",
            )
        ],
    )
    [flow] = found.flows
    assert flow.key == FlowKey(
        "192.0.2.1", "vendor.example", "scan@contoso.example", None, "km1", "Office", "incoming"
    )
    assert flow.facts.mails == 1
    assert flow.facts.witnessed == {"message-trace-extended": 1, "message-trace-v2": 1}
    assert (flow.facts.inside, flow.facts.outside) == (1, 0)


def test_summaries_that_differ_show_the_envelope_and_the_visible_sender() -> None:
    found = folded(
        [_row("message-trace-v2", sender="bounce@vendor.example", client_ip="192.0.2.1")],
        [_row("message-trace-enhanced", sender="news@contoso.example")],
    )
    assert [(flow.key.mail_from_domain, flow.key.header_from) for flow in found.flows] == [
        ("vendor.example", "news@contoso.example")
    ]


def test_of_two_summaries_of_unknown_kind_the_own_sender_stands_for_the_mail() -> None:
    found = folded(
        [_row("message-trace-graph", sender="hr@contoso.example", client_ip="192.0.2.1")],
        [_row("connector-report", sender="return@bulk.example")],
    )
    assert [flow.key.sender for flow in found.flows] == ["hr@contoso.example"]


def test_a_row_without_id_joins_the_mail_of_its_message_id() -> None:
    row = {"witness": "message-trace-graph", "message_id": "m@contoso.example", "line": 9}
    found = folded(
        [_row("message-trace-v2", sender="a@contoso.example", message_id="m@contoso.example"), row],
    )
    [flow] = found.flows
    assert flow.facts.witnessed == {"message-trace-graph": 1, "message-trace-v2": 1}
    assert found.totals.ours == 1
    assert found.totals.others == 0


def test_a_summary_without_ids_counts_no_mail_beside_those_that_others_show() -> None:
    traced = _row("message-trace-v2", sender="a@contoso.example", network_message_id="id-1")
    # In the portal's own zone, an hour ahead.
    bare = {
        "witness": "unknown-table",
        "network_message_id": None,
        "message_id": None,
        "client_ip": None,
        "observed_at": START + timedelta(hours=1),
    }
    same = {**_row("unknown-table", sender="A@contoso.example"), **bare}
    only = {**_row("unknown-table", sender="b@contoso.example"), **bare}
    found = folded([traced], [same, only])
    assert found.totals.ours == 2
    assert sorted(flow.key.sender or "" for flow in found.flows) == ["a@contoso.example", "b@contoso.example"]


def test_a_table_without_ids_counts_from_an_address_only_what_nobody_else_shows_from_there() -> None:
    traced = _row(
        "message-trace-v2", sender="a@contoso.example", network_message_id="id-1", client_ip="192.0.2.1"
    )
    other = {"network_message_id": None, "message_id": None, "observed_at": START + timedelta(hours=1)}
    same = {**_row("unknown-table", sender="A@contoso.example", client_ip="192.0.2.1"), **other}
    elsewhere = {**_row("unknown-table", sender="a@contoso.example", client_ip="192.0.2.2"), **other}
    nowhere = {**_row("unknown-table", sender="a@contoso.example", client_ip=None), **other}
    found = folded([traced], [same, elsewhere, nowhere])
    assert found.totals.ours == 2
    assert [flow.key.client_ip for flow in found.flows] == ["192.0.2.1", "192.0.2.2"]


def test_other_peoples_mail_leaves_the_engine_as_a_count_only() -> None:
    strangers = [
        _row(
            "message-trace-v2",
            network_message_id=f"id-{n}",
            sender=f"a@s{n}.example",
            client_ip="203.0.113.9",
            line=n,
        )
        for n in range(3)
    ]
    found = folded(
        [*strangers, _row("message-trace-v2", network_message_id="ours", sender="b@contoso.example")]
    )
    assert len(found.flows) == 1
    assert (found.totals.ours, found.totals.others, found.totals.rows) == (1, 3, 4)
    assert [(each.client_ip, each.domains) for each in found.arrivals] == [("203.0.113.9", 3)]


def test_strangers_of_no_known_address_are_counted_by_the_connector_that_took_them() -> None:
    taken = ("From filter", "From filter", "From filter", "Partner", None)
    found = folded(
        [
            _row("enhanced", network_message_id=f"id-{n}", sender=f"a@s{n}.example", connector=name, line=n)
            for n, name in enumerate(taken)
        ]
    )
    assert [(each.client_ip, each.connector, each.domains) for each in found.arrivals] == [
        ("", "From filter", 3),
        ("", "Partner", 1),
    ]


@pytest.mark.parametrize(
    ("one", "other"), [({"ehlo": "-"}, {"ehlo": None}), ({"ehlo": "a\x1fb"}, {"ehlo": "a", "connector": "b"})]
)
def test_no_text_in_evidence_makes_two_ways_of_sending_one(one: Row, other: Row) -> None:
    rows = [
        _row("message-trace-extended", network_message_id=f"id-{n}", mail_from="a@contoso.example", **each)
        for n, each in enumerate((one, other))
    ]
    assert len(folded(rows).flows) == 2


def test_an_export_that_lost_all_its_addresses_does_not_say_from_inside() -> None:
    lost = [_row("message-trace-v2", sender="a@contoso.example", client_ip="")]
    kept = [
        *lost,
        _row("message-trace-v2", network_message_id="id-2", sender="b@x.example", client_ip="192.0.2.1"),
    ]
    assert [flow.key.client_ip for flow in folded(lost).flows] == [None]
    assert [flow.key.client_ip for flow in folded(kept).flows] == [""]


@pytest.mark.parametrize("witness", ["message-trace-extended", "email-events"])
def test_a_document_that_lost_all_its_addresses_does_not_say_from_inside_beside_one_that_has_them(
    witness: str,
) -> None:
    def row(number: int, address: str) -> Row:
        return _row(
            witness,
            network_message_id=f"id-{number}",
            mail_from="a@contoso.example",
            header_from="a@contoso.example",
            client_ip=address,
            connector="",
            direction="originating",
        )

    other = _row(
        "connector-report", network_message_id="id-9", sender="a@contoso.example", client_ip="192.0.2.1"
    )
    lost = folded([row(1, "")], [other])
    assert {flow.key.client_ip for flow in lost.flows} == {None, "192.0.2.1"}

    kept = folded([row(1, ""), row(2, "192.0.2.7")], [other])
    assert {flow.key.client_ip for flow in kept.flows} == {"", "192.0.2.7", "192.0.2.1"}

    beside = folded([row(1, "")], [row(2, "192.0.2.7")])
    assert {flow.key.client_ip for flow in beside.flows} == {None, "192.0.2.7"}


def test_a_column_that_nobody_fills_is_not_held() -> None:
    seen: list[frozenset[str]] = []

    def watch(tables: EvidenceTables) -> None:
        seen.append(tables.known("mail_rows"))

    folded([_row("message-trace-v2", sender="a@contoso.example")], watch=watch)
    assert seen == [{"document", "line", "witness", "id_high", "id_low", "observed_at", "sender"}]


def test_mails_joined_part_by_part_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        _row(
            "message-trace-v2",
            network_message_id=f"id-{n:x}",
            sender=f"a{n}@contoso.example",
            line=n,
            subject="Scan",
            recipients=f"r{n % 7}@contoso.example;x{n}@elsewhere.example",
        )
        for n in range(20)
    ]
    rows += [{**row, "witness": "message-trace-extended", "mail_from": row["sender"]} for row in rows]
    whole = folded(rows)
    monkeypatch.setattr(tables_module, "_MAILS_AT_ONCE", 3)
    monkeypatch.setattr(fold_module, "_LISTS_AT_ONCE", 2)
    assert folded(rows) == whole
    assert whole.totals.ours == 20


def test_an_empty_id_is_none() -> None:
    """Cells that an export left empty do not make one mail of all of them."""
    rows = [
        _row("message-trace-v2", network_message_id="", message_id=f"m{n}", sender="scan@contoso.example")
        for n in range(3)
    ]
    found = folded(rows)
    assert found.totals.ours == 3
    assert folded(rows, rows, held=0, sizes=1).totals.ours == 3


def test_an_address_in_two_writings_is_one_way_of_sending() -> None:
    rows = [
        {**_row("message-trace-v2", sender=sender, client_ip=address), "network_message_id": f"id-{n}"}
        for n, (sender, address) in enumerate(
            [("Scan@contoso.example", "[192.0.2.1]"), ("scan@Contoso.example", "192.0.2.1")]
        )
    ]
    [flow] = folded(rows).flows
    assert (flow.key.client_ip, flow.key.sender, flow.facts.mails) == ("192.0.2.1", "scan@contoso.example", 2)
