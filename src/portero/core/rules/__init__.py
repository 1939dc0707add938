"""
Message rules, one per file, found by file name.

A rule's module docstring is its page: one sentence, then what it looks at and why. Its metadata uses Sigma's words.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from portero.core.message.case import Rule


@cache
def rules() -> tuple[Rule, ...]:
    """Give every rule: those of this folder by file name, then those of the entry points ``portero.rules`` by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    modules = (import_module(f"{__name__}.{name}") for name in names)
    own = [module.RULE for module in modules if hasattr(module, "RULE")]
    others = sorted(entry_points(group="portero.rules"), key=lambda point: point.name)
    return (*own, *(point.load() for point in others))
