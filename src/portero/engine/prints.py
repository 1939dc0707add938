"""Which prints of kept days are among those of new ones: one hash join, for there may be ten million of them."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa


def met(fresh: pa.Array, held: Mapping[str, pa.Array]) -> dict[str, list[int]]:
    """
    Give by day the prints that are among the fresh ones; days that have none are left out.

    fresh:  64-bit numbers.
    held:   those of the kept days, by day.
    A hash join of the engine takes a quarter of the time of Arrow's own look-up, once the numbers outgrow the caches.
    """
    if not fresh or not any(held.values()):
        return {}
    names = list(held)
    numbers = pa.concat_arrays(
        [pa.repeat(pa.scalar(n, pa.int16()), len(held[day])) for n, day in enumerate(names)]
    )
    kept = pa.table({"day": numbers, "print": pa.concat_arrays([*held.values()])})
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute("SET enable_external_access = false")
        connection.register("kept", kept)
        connection.register("fresh", pa.table({"print": fresh}))
        found: dict[str, list[int]] = {}
        query = "SELECT day, print FROM kept SEMI JOIN fresh USING (print) ORDER BY day, print"
        for number, each in connection.execute(query).fetchall():
            found.setdefault(names[number], []).append(each)
    return found
