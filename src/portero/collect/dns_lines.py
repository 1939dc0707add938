"""DNS answers as JSON lines, the form in which evidence holds them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from portero.core.dns import DnsAnswer


def dns_lines(answers: Iterable[DnsAnswer]) -> str:
    """
    Write answers one a line, with their time and resolver, so that a run can be repeated without a network.

    Source: contract section 2.
    """
    return "".join(json.dumps(_line(answer), ensure_ascii=True) + "\n" for answer in answers)


def _line(answer: DnsAnswer) -> dict[str, object]:
    line: dict[str, object] = {
        "name": answer.name,
        "type": answer.type,
        "answers": list(answer.answers),
        "status": answer.status.value,
    }
    if answer.observed_at is not None:
        line["observed_at"] = answer.observed_at.isoformat().replace("+00:00", "Z")
    if answer.resolver is not None:
        line["resolver"] = answer.resolver
    if answer.validated is not None:
        line["validated"] = answer.validated
    return line
