"""Core values come back from storage as they went in; nothing else than core values comes back."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, date, datetime
from ipaddress import ip_network

import pytest

from portero.core.evidence import Gap, Origin
from portero.core.flow import Distinct, Facts, Flow, FlowKey
from portero.core.register import Configuration, KnownNetwork
from portero.core.sender import Judgement
from portero.core.text import Text, count
from portero.store.state.values import UnreadableError, dump, load

FLOW = Flow(
    FlowKey("192.0.2.1", "contoso.com", ehlo=""),
    Facts(
        mails=3,
        recipients=Distinct((1, 2)),
        first_seen=datetime(2026, 11, 1, 8, tzinfo=UTC),
        days={date(2026, 11, 1): 3},
        origins={"message-trace-v2": (Origin("trace.csv", 2),)},
    ),
)


@pytest.mark.parametrize(
    "value",
    [
        FLOW,
        (FLOW, None, True, 1.5, "é\ud800", {"a": [1, {"b": None}]}),
        Gap(Origin("x"), count("{n} row", "{n} rows", 2, what=Text("{who}", who=("a", date(2026, 1, 1)))), 2),
        Configuration("Contoso", networks=(KnownNetwork("net", (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))),)),
        frozenset({"a", "b"}),
        Judgement.ABUSE,
    ],
)  # fmt: skip
def test_what_goes_in_comes_out(value: object) -> None:
    back = load(dump(value))
    assert back == value
    assert type(back) is type(value)


def test_a_field_that_is_new_since_gets_its_default_and_one_that_is_gone_is_dropped() -> None:
    version, table, body = json.loads(zlib.decompress(dump(Origin("trace.csv", 2))))
    table[0] = [*table[0][:2], "document", "forgotten"]
    assert load(zlib.compress(json.dumps([version, table, body]).encode())) == Origin("trace.csv")


def test_a_field_without_default_that_was_not_written_is_said() -> None:
    version, table, _ = json.loads(zlib.decompress(dump(Origin("trace.csv", 2))))
    table[0] = table[0][:2]
    with pytest.raises(UnreadableError, match="document"):
        load(zlib.compress(json.dumps([version, table, [0]]).encode()))


@pytest.mark.parametrize(
    "document",
    [
        [1, [["os", "system"]], [0, "true"]],
        [1, [["portero.core.text", "label"]], [0, "a"]],
        [1, [["portero.core.evidence", "pa"]], [0]],
        [1, [], [7]],
        [1, [], ["x"]],
        [2, [], None],
        {},
    ],
)
def test_nothing_but_values_of_the_core_is_made(document: object) -> None:
    with pytest.raises(UnreadableError):
        load(zlib.compress(json.dumps(document).encode()))


def test_damage_is_said() -> None:
    with pytest.raises(UnreadableError):
        load(dump(FLOW)[:-9])


def test_what_is_no_value_of_the_core_is_refused() -> None:
    with pytest.raises(TypeError):
        dump(object())
