"""`portero scenario`: scenario files drafted from the plan, and two of them compared sender by sender."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from portero.core.scenario import Difference, compare
from portero.core.text import Text
from portero.faces.desk import Desk, free_folder
from portero.faces.options import Options, may_ask


def add_scenario(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero scenario` with its commands."""
    say = desk.renderer.text

    @face.command(cls=cls, help=say(Text("Say which senders fare differently in two scenarios, and why.")))
    def diff(
        before: Annotated[
            Path, typer.Argument(metavar="BEFORE", help=say(Text("The scenario file to compare with.")))
        ],
        after: Annotated[
            Path, typer.Argument(metavar="AFTER", help=say(Text("The scenario file to look at.")))
        ],
        evidence: Annotated[list[Path], options.evidence],
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        trial = desk.use_cases.try_scenarios(
            [before, after],
            evidence,
            config=config,
            progress=desk.progress,
            asking=may_ask(resolve, resolver, record),
        )
        first, second = trial.simulations
        found = compare(first, second)
        if json:
            desk.print_json([difference_document(each) for each in found])
        else:
            desk.terminal().differences((before.stem, after.stem), found, trial.labels)

    @face.command(
        cls=cls, help=say(Text("Write the plan down as a scenario file: its controls, its senders' ways."))
    )
    def draft(
        evidence: Annotated[list[Path], options.evidence],
        out: Annotated[
            Path, typer.Option("--out", metavar="FILE", help=say(Text("The scenario file to write.")))
        ],
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
    ) -> None:
        place = free_folder(out.parent)
        held = desk.audit(evidence, config=config, asking=may_ask(resolve, resolver, record))
        desk.write_files(place, {out.name: desk.use_cases.draft_scenario(held).encode()})


def difference_document(each: Difference) -> dict[str, object]:
    """Give how a sender fares in both scenarios, in unique mails."""
    return {
        "sender": each.after.sender,
        "judgement": each.after.judgement.value,
        **{
            name: {
                "effect": held.effect.value,
                "refused": held.refused,
                "kept": held.kept,
                "undetermined": held.undetermined,
                "reply": held.reply,
            }
            for name, held in (("before", each.before), ("after", each.after))
        },
    }
