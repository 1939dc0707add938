"""Wiring: the one package that knows every part; each use case is put together when a command first asks for it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portero.wiring.auditing import audit as audit
    from portero.wiring.auditing import control as control
    from portero.wiring.auditing import draft_scenario as draft_scenario
    from portero.wiring.auditing import simulate as simulate
    from portero.wiring.auditing import start as start
    from portero.wiring.auditing import try_scenarios as try_scenarios
    from portero.wiring.configurations import changes as changes
    from portero.wiring.configurations import effective as effective
    from portero.wiring.configurations import snapshot as snapshot
    from portero.wiring.deciding import decide as decide
    from portero.wiring.domain_posture import domains as domains
    from portero.wiring.enrolling import enrol as enrol
    from portero.wiring.letters import explain as explain
    from portero.wiring.letters import scan as scan
    from portero.wiring.letters import train as train
    from portero.wiring.letters import write_page as write_page
    from portero.wiring.relaying import relay as relay
    from portero.wiring.results import export as export
    from portero.wiring.results import formats as formats
    from portero.wiring.results import write as write
    from portero.wiring.results import write_plan as write_plan
    from portero.wiring.sample import demo as demo
    from portero.wiring.serving import serve as serve
    from portero.wiring.stored import forget as forget
    from portero.wiring.stored import kept as kept

# Where each use case stands. Nothing of it is loaded before somebody asks: help needs no engine.
PARTS = {
    "auditing": ("audit", "control", "draft_scenario", "simulate", "start", "try_scenarios"),
    "configurations": ("changes", "effective", "snapshot"),
    "deciding": ("decide",),
    "domain_posture": ("domains",),
    "enrolling": ("enrol",),
    "letters": ("explain", "scan", "train", "write_page"),
    "relaying": ("relay",),
    "results": ("export", "formats", "write", "write_plan"),
    "sample": ("demo",),
    "serving": ("serve",),
    "stored": ("forget", "kept"),
}
_PART_OF = {name: part for part, names in PARTS.items() for name in names}


def __getattr__(name: str) -> object:
    """Give a use case. Source: PEP 562."""
    if name not in _PART_OF:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_PART_OF[name]}"), name)
