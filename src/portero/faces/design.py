"""`portero design`: the smallest set of connectors that lets Direct Send be refused, and whom no connector helps."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from portero.faces.advice_json import design_document
from portero.faces.desk import Desk
from portero.faces.options import Options, may_ask


def add_design(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero design`."""

    @face.command(cls=cls)
    def design(
        evidence: Annotated[list[Path], options.evidence],
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        held = desk.audit(evidence, config=config, asking=may_ask(resolve, resolver, record))
        if json:
            desk.print_json(design_document(held.design, desk.renderer))
        else:
            desk.terminal().design(held.design, {each.id: each.label for each in held.senders})
