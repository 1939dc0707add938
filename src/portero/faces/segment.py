"""`portero segment`: firewall rules for who may open the mail ports, with their undo and what they would have blocked."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from portero.core.segmentation import Segmentation
from portero.core.segmentation import segment as segmented
from portero.core.text import Text, count
from portero.errors import ConfigError
from portero.faces.desk import Desk, free_folder
from portero.faces.options import Options, may_ask
from portero.faces.render import Renderer
from portero.faces.segments import targets
from portero.faces.segments.target import write


def add_segment(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero segment`."""
    say = desk.renderer.text
    known = targets()

    @face.command(cls=cls)
    def segment(
        evidence: Annotated[list[Path], options.evidence],
        kind: Annotated[
            str,
            typer.Option("--for", metavar="|".join(known), help=say(Text("The kind of firewall."))),
        ],
        out: Annotated[Path, options.out],
        deny: Annotated[
            bool,
            typer.Option(
                "--deny", help=say(Text("Refuse what is not allowed; without it the rules only log it."))
            ),
        ] = False,
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        if kind not in known:
            raise ConfigError(
                (Text("--for cannot be {given}. It is one of {known}.", given=kind, known=tuple(known)),)
            )
        if not deny and not known[kind].logs:
            raise ConfigError((Text("{kind} cannot log without refusing: add --deny.", kind=kind),))
        place = free_folder(out)
        held = desk.audit(evidence, config=config, asking=may_ask(resolve, resolver, record))
        found = segmented(held.hosts, held.senders)
        if not found.permits and not found.blocked:
            raise ConfigError(
                (
                    Text(
                        "No network evidence shows which hosts inside open mail ports, so any rule would be a guess. Add "
                        "firewall logs, NetFlow or Zeek logs."
                    ),
                )
            )
        if json:
            desk.print_json(segmentation_document(found, desk.renderer))
        else:
            desk.terminal().segmentation(found)
        desk.write_files(place, write(known[kind], found, desk.renderer, deny=deny))
        if deny and found.unseen:
            desk.aside(
                count(
                    "Of {n} sender to keep it is not known by which host its mail leaves: if that stands inside, these rules refuse it.",
                    "Of {n} senders to keep it is not known by which host their mail leaves: if that stands inside, these rules refuse it.",
                    len(found.unseen),
                ),
                "yellow",
            )
        waiting = sum(not each.settled for each in found.permits)
        if waiting:
            desk.aside(
                count(
                    "{n} host is let through until somebody decides about it.",
                    "{n} hosts are let through until somebody decides about them.",
                    waiting,
                ),
                "yellow",
            )


def segmentation_document(found: Segmentation, renderer: Renderer) -> dict[str, object]:
    """Give who may open the ports and what would have been blocked; ``unknown`` may have stayed inside."""
    return {
        "permits": [
            {
                "address": each.host.address,
                "label": renderer.text(each.host.label),
                "because": renderer.text(each.why),
                "settled": each.settled,
            }
            for each in found.permits
        ],
        "blocked": [
            {
                "address": each.host.address,
                "label": renderer.text(each.host.label),
                "port_25_to_internet": each.opened,
                "unknown": each.unknown,
            }
            for each in found.blocked
        ],
        "senders_without_host": [each.id for each in found.unseen],
    }
