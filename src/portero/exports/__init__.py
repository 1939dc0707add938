"""Output formats for findings, one per file, found by file name."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from portero.exports.export import Export


def exports() -> tuple[Export, ...]:
    """Give every format, by file name. An import error is not caught: a format that cannot be loaded is no format fewer."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    modules = (import_module(f"{__name__}.{name}") for name in names)
    return tuple(module.EXPORT for module in modules if hasattr(module, "EXPORT"))
