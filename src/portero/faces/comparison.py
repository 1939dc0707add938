"""Results of several runs side by side: what got better or worse, and what nobody sees any more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portero.core.evidence import Origin
from portero.core.text import Text
from portero.errors import InputError

_OCTETS = 256 << 20
# From well to ill; what nobody could answer stands apart, for it is neither.
_RANKS = {"pass": 0, "not-applicable": 0, "warn": 1, "fail": 2}
_OUTCOMES = {*_RANKS, "unknown"}


@dataclass(frozen=True, slots=True)
class Result:
    """The findings of one run: outcomes by the checks' ids."""

    name: str
    outcomes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """
    One check over all results, in their order; None where a result does not hold it.

    change:  from the first to the last: ``same``, ``better``, ``worse``, ``lost`` (nobody can answer any more), ``seen``
             (it could not be answered before), ``new``, ``gone``.
    """

    id: str
    outcomes: tuple[str | None, ...]
    change: str


def read_result(path: Path) -> Result:
    """Read a result as ``check --json``, ``export json`` or ``audit`` writes it. Raises InputError for anything else."""
    try:
        if path.stat().st_size > _OCTETS:
            raise ValueError
        held = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(
            Text("{file} cannot be read: {reason}.", file=str(path), reason=error.strerror or str(error)),
            Origin(str(path)),
        ) from None
    except (ValueError, RecursionError):
        raise _foreign(path) from None
    name = path.stem
    if isinstance(held, dict):
        organisation = held.get("organisation")
        if isinstance(organisation, dict) and isinstance(organisation.get("name"), str):
            name = organisation["name"]
        held = held.get("findings")
    if not isinstance(held, list) or not held:
        raise _foreign(path)
    outcomes = {}
    for each in held:
        if (
            not isinstance(each, dict)
            or each.get("outcome") not in _OUTCOMES
            or not isinstance(each.get("id"), str)
        ):
            raise _foreign(path)
        outcomes[each["id"]] = each["outcome"]
    return Result(name, outcomes)


def compared(results: Sequence[Result]) -> list[Row]:
    """Set results side by side, by the checks' ids."""
    ids = sorted({id_ for each in results for id_ in each.outcomes})
    rows = []
    for id_ in ids:
        outcomes = tuple(each.outcomes.get(id_) for each in results)
        rows.append(Row(id_, outcomes, _change(outcomes[0], outcomes[-1])))
    return rows


def _change(first: str | None, last: str | None) -> str:
    if first == last:
        return "same"
    if first is None or last is None:
        return "new" if first is None else "gone"
    if "unknown" in {first, last}:
        return "lost" if last == "unknown" else "seen"
    before, after = _RANKS[first], _RANKS[last]
    return "same" if before == after else "better" if after < before else "worse"


def _foreign(path: Path) -> InputError:
    return InputError(
        Text("{file} is no result of portero. Write one with check --json or export json.", file=str(path)),
        Origin(str(path)),
    )
