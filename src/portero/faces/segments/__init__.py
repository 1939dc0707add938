"""Firewall rules from a segmentation, one kind of firewall a file, found by file name."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from portero.faces.segments.target import Target


def targets() -> Mapping[str, Target]:
    """Give every kind of firewall by its id."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    modules = (import_module(f"{__name__}.{name}") for name in names)
    return {module.TARGET.id: module.TARGET for module in modules if hasattr(module, "TARGET")}
