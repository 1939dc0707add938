"""
Posture checks, one per file, found by file name.

A check's module docstring is its page: one sentence, then paragraphs that open with ``Before:``, ``After:``,
``Mend:``, ``Verify:``, ``May break:`` and ``Exceptions:``.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.metadata import entry_points

from portero.core.finding import Check


def checks() -> tuple[Check, ...]:
    """
    Give every check: those of this folder by file name, then those of the entry points ``portero.checks`` by name.

    An import error is not caught: a check that cannot be loaded must not look like one that found nothing.
    """
    modules = (import_module(f"{__name__}.{name}") for name in sorted(_names()))
    own = [module.CHECK for module in modules if hasattr(module, "CHECK")]
    others = sorted(entry_points(group="portero.checks"), key=lambda point: point.name)
    return (*own, *(point.load() for point in others))


def _names() -> list[str]:
    return [found.name for found in pkgutil.iter_modules(__path__)]
