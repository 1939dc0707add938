"""For developers: write an organisation with its truth, or score an audit of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from portero.proving.axes import draw_ordinary
from portero.proving.generate import generate
from portero.proving.ledger import ledger
from portero.proving.score import score
from portero.proving.writers.export import write


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return _score(words[1:]) if words[:1] == ["score"] else _write(words)


def _write(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m portero.proving", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument(
        "--ordinary",
        action="store_true",
        help="an organisation whose administrator exported what the guide asks for",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="exports go to OUT/evidence, truth to OUT/truth.json"
    )
    chosen = parser.parse_args(words)
    organisation = generate(
        chosen.seed,
        draw_ordinary(Random(chosen.seed)) if chosen.ordinary else None,  # noqa: S311
    )
    write(organisation, chosen.out / "evidence")
    text = json.dumps(ledger(organisation), ensure_ascii=False, indent=1)
    (chosen.out / "truth.json").write_text(text + "\n", encoding="utf-8")
    return 0


def _score(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m portero.proving score")
    parser.add_argument("audit", type=Path)
    parser.add_argument("truth", type=Path)
    chosen = parser.parse_args(words)
    result = score(_read(chosen.audit), _read(chosen.truth))
    sys.stdout.write(json.dumps(result, ensure_ascii=False, indent=2) + "\n")
    return 0


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


if __name__ == "__main__":
    raise SystemExit(main())
