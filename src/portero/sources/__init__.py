"""Discovery of the sources: every module of this folder that defines SOURCE, and those that third parties register."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

from portero.sources.document import Source


@cache
def sources() -> tuple[Source, ...]:
    """Give all sources, our own in order of file name, then those of the entry-point group ``portero.sources``."""
    modules = [
        import_module(f"{__name__}.{name}") for name in sorted(info.name for info in iter_modules(__path__))
    ]
    own = [module.SOURCE for module in modules if hasattr(module, "SOURCE")]
    foreign = [point.load() for point in sorted(entry_points(group=__name__), key=lambda point: point.name)]
    return (*own, *foreign)
