"""What came of learning: the model, how it was measured, and what it refused to learn."""

from __future__ import annotations

import math
from dataclasses import dataclass

from portero.core.message.model import Model


@dataclass(frozen=True, slots=True)
class Rate:
    """A share that was measured, with its 95 % interval by Wilson."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        """Give hits as a share."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Give the interval. Source: Wilson 1927, as in Brown, Cai and DasGupta 2001."""
        if not self.of:
            return 0.0, 1.0
        z, n, p = 1.959964, self.of, self.share
        middle, reach = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (middle - reach) / (1 + z * z / n)), min(1.0, (middle + reach) / (1 + z * z / n))


@dataclass(frozen=True, slots=True)
class Learnt:
    """
    What came of it.

    found, accused:  phish judged phish, and ham judged phish, each mail by a model that saw no mail of its campaign.
    doubted:         ham judged suspicious, likewise.
    campaigns:       of phish and of ham.
    dust, footers:   words and lines that were refused.
    """

    model: Model
    found: Rate
    accused: Rate
    doubted: Rate
    campaigns: tuple[int, int]
    dust: tuple[str, ...]
    footers: tuple[str, ...]
