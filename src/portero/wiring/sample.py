"""The evidence of a sample organisation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from portero.core.text import Text
from portero.proving.demo import write_sample

Progress = Callable[[Text], None]


def demo(out: Path, progress: Progress) -> None:
    """Write the evidence of a sample organisation."""
    progress(Text("Writing three months of mail of a sample organisation…"))
    write_sample(out)
