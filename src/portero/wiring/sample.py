"""The evidence of a sample organisation."""

from __future__ import annotations

from pathlib import Path

from portero.core.text import Text
from portero.faces.desk import Progress
from portero.proving.demo import write_sample


def demo(out: Path, progress: Progress) -> None:
    """Write the evidence of a sample organisation."""
    progress(Text("Writing three months of mail of a sample organisation…"))
    write_sample(out)
