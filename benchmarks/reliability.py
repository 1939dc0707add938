"""
Measures the judgement, the replay and the connector design on generated organisations of which everything is known.

    python benchmarks/reliability.py --organisations 200 --keep scores.jsonl > benchmarks/reliability.md

Half are ordinary (they exported what the guide asks for), half are any, thin evidence included. Every organisation is
scored by `portero.proving.score`, which shares no line with the judge. A run that was broken off goes on from the file.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

from portero import wiring
from portero.core.finding import Profile
from portero.faces.audit_json import audit_document
from portero.faces.render import Renderer
from portero.proving.axes import draw_ordinary
from portero.proving.generate import generate
from portero.proving.ledger import ledger
from portero.proving.score import assign, score
from portero.proving.writers.export import write

_WIDTH = 40
# Confidence from which an accusation counts as one.
_ACCUSED_FROM = 0.5


def measure(seed: int, *, ordinary: bool) -> dict[str, Any]:
    """Make, audit and score one organisation."""
    organisation = generate(seed, draw_ordinary(Random(seed)) if ordinary else None)
    with tempfile.TemporaryDirectory() as folder:
        write(organisation, Path(folder))
        begun = time.perf_counter()
        audit = wiring.audit([Path(folder)], config=None, profile=Profile.STANDARD, progress=lambda _: None)
        took = time.perf_counter() - begun
    document = json.loads(json.dumps(audit_document(audit, Renderer())))
    truth = json.loads(json.dumps(ledger(organisation)))
    found = score(document, truth)
    accused = found["judgement"]["false_accusations"]
    return {
        "seed": seed,
        "ordinary": ordinary,
        "mails": found["mails"],
        "seconds": round(took, 2),
        "brier": found["calibration"]["brier"],
        "bins": found["calibration"]["bins"],
        "accuracy": found["judgement"]["accuracy"],
        "accused": [each for each in accused if each["confidence"] >= _ACCUSED_FROM],
        "kept_but_refused": sum(each["said_kept_but_refused"] for each in found["simulations"]),
        "refused_but_kept": sum(each["said_refused_but_kept"] for each in found["simulations"]),
        "kept_but_refused_settled": sum(
            each["said_kept_but_refused_settled"] for each in found["simulations"]
        ),
        "refused_but_kept_settled": sum(
            each["said_refused_but_kept_settled"] for each in found["simulations"]
        ),
        "needless": sum(each["undetermined_needlessly"] for each in found["simulations"]),
        "replayed": sum(each["mails"] for each in found["simulations"]),
        **_mixed(document, truth),
        **_admitted(document, truth),
    }


def _mixed(audit: Mapping[str, Any], truth: Mapping[str, Any]) -> dict[str, int]:
    """Count the senders judged legitimate that hold mail of an attacker's copy beside a device's own."""
    said = {each["id"]: each["judgement"] for each in audit["senders"]}
    judged = {each["id"]: each["judgement"] for each in truth["senders"]}
    held: dict[str, set[str]] = {}
    owners = assign(audit["senders"], truth["mails"])
    for mail in truth["mails"]:
        owner = owners[mail["id"]]
        if owner is not None:
            held.setdefault(owner, set()).add(judged[mail["sender"]])
    return {
        "shared": sum({"legitimate", "abuse"} <= each for each in held.values()),
        "shared_legitimate": sum(
            {"legitimate", "abuse"} <= each and said[owner] == "legitimate" for owner, each in held.items()
        ),
    }


def _admitted(audit: Mapping[str, Any], truth: Mapping[str, Any]) -> dict[str, int]:
    """Count the ranges designed, and the addresses of true abuse that they would admit."""
    ranges = [
        ipaddress.ip_network(each["network"])
        for connector in audit["connector_design"]["connectors"]
        for each in connector["ranges"]
    ]
    judged = {each["id"]: each["judgement"] for each in truth["senders"]}
    abusive = {
        mail["client_ip"]
        for mail in truth["mails"]
        if mail["client_ip"] and judged[mail["sender"]] == "abuse"
    }
    inside = [each for each in abusive if any(ipaddress.ip_address(each) in network for network in ranges)]
    return {"ranges": len(ranges), "admits_abuse": len(inside)}


def page(scores: Iterable[Mapping[str, Any]]) -> str:
    """Write what was measured as a page: the figures, and the reliability diagram by mail."""
    held = list(scores)
    lines = ["# Reliability of the judgement", "", "Written by `benchmarks/reliability.py`.", ""]
    lines += ["| | ordinary | any |", "|---|---|---|"]
    parts = [[each for each in held if each["ordinary"] is ordinary] for ordinary in (True, False)]
    for name, figure in _FIGURES.items():
        lines.append(f"| {name} | " + " | ".join(figure(part) if part else "–" for part in parts) + " |")
    for title, part in zip(("Ordinary", "Any"), parts, strict=True):
        if part:
            lines += ["", f"## {title}", "", *_diagram(part)]
    return "\n".join(lines) + "\n"


def _total(part: list[Mapping[str, Any]], name: str) -> int:
    return sum(each[name] for each in part)


def _weighted(part: list[Mapping[str, Any]], name: str) -> str:
    mails = _total(part, "mails") or 1
    return f"{sum(each[name] * each['mails'] for each in part if each[name] is not None) / mails:.4f}"


_FIGURES: Mapping[str, Callable[[list[Mapping[str, Any]]], str]] = {
    "organisations": lambda part: str(len(part)),
    "mails in the own name": lambda part: f"{_total(part, 'mails'):,}",
    "judged rightly, by mail": lambda part: _weighted(part, "accuracy"),
    "Brier score, by mail": lambda part: _weighted(part, "brier"),
    "legitimate senders accused at 0.5 or more": lambda part: str(sum(len(each["accused"]) for each in part)),
    "said kept but refused (mails × controls)": lambda part: f"{_total(part, 'kept_but_refused'):,}",
    "said refused but kept (mails × controls)": lambda part: f"{_total(part, 'refused_but_kept'):,}",
    "of both, where the documents settle it": lambda part: (
        f"{_total(part, 'kept_but_refused_settled') + _total(part, 'refused_but_kept_settled'):,}"
    ),
    "replayed (mails × controls)": lambda part: f"{_total(part, 'replayed'):,}",
    "senders that hold abuse and legitimate mail": lambda part: str(_total(part, "shared")),
    "of these judged legitimate": lambda part: str(_total(part, "shared_legitimate")),
    "ranges designed": lambda part: str(_total(part, "ranges")),
    "abusive addresses they admit": lambda part: str(_total(part, "admits_abuse")),
    "slowest audit, seconds": lambda part: f"{max(each['seconds'] for each in part):.1f}",
}


def _diagram(part: list[Mapping[str, Any]]) -> Iterator[str]:
    """Draw, by tenth of the probability of abuse that was said, how often it was abuse; ``|`` is where it should end."""
    bins: dict[int, list[float]] = {}
    for each in part:
        for row in each["bins"]:
            held = bins.setdefault(min(int(row["said"] * 10), 9), [0, 0.0, 0.0])
            held[0] += row["mails"]
            held[1] += row["said"] * row["mails"]
            held[2] += row["abuse"] * row["mails"]
    yield "```text"
    yield f"{'said':>6} {'was':>6} {'mails':>9}"
    for _, (mails, said, abuse) in sorted(bins.items()):
        said, abuse = said / mails, abuse / mails
        bar = list("#" * round(abuse * _WIDTH) + " " * (_WIDTH - round(abuse * _WIDTH) + 1))
        bar[round(said * _WIDTH)] = "|"
        yield f"{said:6.3f} {abuse:6.3f} {mails:9,.0f} {''.join(bar).rstrip()}"
    yield "```"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--organisations", type=int, default=200)
    parser.add_argument("--keep", type=Path, required=True, help="scores so far, a JSON object a line")
    chosen = parser.parse_args()
    held = [json.loads(line) for line in chosen.keep.read_text().splitlines()] if chosen.keep.exists() else []
    done = {(each["seed"], each["ordinary"]) for each in held}
    for number in range(chosen.organisations):
        ordinary = number % 2 == 0
        seed = number // 2 + (2001 if ordinary else 101)
        if (seed, ordinary) in done:
            continue
        held.append(measure(seed, ordinary=ordinary))
        with chosen.keep.open("a") as stream:
            stream.write(json.dumps(held[-1]) + "\n")
    sys.stdout.write(page(held))


if __name__ == "__main__":
    main()
