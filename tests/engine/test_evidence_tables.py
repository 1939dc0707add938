"""Evidence tables: two numbers stand for each network message id, whatever it looks like."""

from __future__ import annotations

from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as some

from portero.engine.evidence_tables import evidence_tables, id_numbers
from support.mail_rows import batch


def _numbers(*ids: str | None) -> list[tuple[object, object]]:
    high, low = id_numbers(pa.array(ids, pa.string()))
    return list(zip(high.to_pylist(), low.to_pylist(), strict=True))


@given(some.lists(some.uuids() | some.none() | some.text(max_size=40) | some.just(""), max_size=20))
def test_an_id_has_the_same_numbers_in_whatever_company(ids: list[UUID | str | None]) -> None:
    written = [str(each) if isinstance(each, UUID) else each for each in ids]
    assert _numbers(*written) == [_numbers(each)[0] for each in written]


@given(some.lists(some.uuids().map(str) | some.text(min_size=1, max_size=40), unique=True, max_size=20))
def test_different_ids_have_different_numbers(ids: list[str]) -> None:
    low = {each.lower() for each in ids}
    assert len(set(_numbers(*ids))) >= len(low)


def test_no_id_has_no_numbers() -> None:
    assert _numbers(None, "") == [(None, None)] * 2


@pytest.mark.parametrize(
    "text",
    [
        "00000000-0000-0000-0000-0000000000 0",  # white space that reading hexadecimal passes over
        "0000000000000-0000-0000-0000-0000000",
        "{00000000-0000-0000-0000-00000000000",
        "zzzzzzzz-0000-0000-0000-000000000000",
        "00000000-0000-0000-0000-00000000000é",
    ],
)
def test_what_only_resembles_a_guid_is_none(text: str) -> None:
    assert _numbers(text)[0] not in _numbers("00000000-0000-0000-0000-000000000000")
    assert None not in _numbers(text)[0]


def test_part_of_a_column_is_read_as_the_whole() -> None:
    ids = [str(UUID(int=number)) for number in range(9)]
    high, low = id_numbers(pa.array(ids, pa.string()).slice(3, 4))
    assert list(zip(high.to_pylist(), low.to_pylist(), strict=True)) == _numbers(*ids[3:7])


def test_every_row_in_files_is_in_one_shard_and_those_without_id_in_each() -> None:
    ids = [str(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128))) for number in range(60)]
    rows = [{"network_message_id": each, "line": line} for line, each in enumerate([*ids, None, ""], 2)]
    with evidence_tables(held=0) as tables:
        for each in rows:
            tables.add(0, "mail_rows", batch([each]))
        tables.finish()
        shards = [
            [line for (line,) in tables.rows(f"SELECT line FROM numbered_rows_{shard}")]
            for shard in tables.shards
        ]
        whole = [line for (line,) in tables.rows("SELECT line FROM numbered_rows")]
    without = {62, 63}
    assert all(without <= set(shard) for shard in shards)
    assert sorted(line for shard in shards for line in shard if line not in without) == list(range(2, 62))
    assert sorted(whole) == list(range(2, 64))
    assert sum(len(shard) > len(without) for shard in shards) > 1
