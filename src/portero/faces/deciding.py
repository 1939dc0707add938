"""`portero decide`: a person's word about a sender, recorded with who, when and why."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

import re
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from portero.core.sender import Judgement
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.commands import chosen_day
from portero.faces.desk import Desk


def add_decide(face: typer.Typer, desk: Desk, cls: type[TyperCommand]) -> None:
    """Add `portero decide`."""
    say = desk.renderer.text

    @face.command(
        cls=cls,
        help=say(
            Text(
                "Record what a person decided about a sender. It outweighs all evidence in every later run, and "
                "nothing in the record is ever overwritten."
            )
        ),
    )
    def decide(
        sender: Annotated[
            str,
            typer.Argument(
                metavar="SENDER", help=say(Text("The sender's id, such as s-1f2e3d4c5b6a; audits print it."))
            ),
        ],
        judgement: Annotated[
            str,
            typer.Argument(
                metavar="legitimate|abuse|undecided",
                help=say(
                    Text("The decision; undecided leaves the question open, whatever the evidence says.")
                ),
            ),
        ],
        owner: Annotated[
            str | None,
            typer.Option("--owner", metavar="WHO", help=say(Text("Who answers for the sender from now on."))),
        ] = None,
        note: Annotated[
            str, typer.Option("--note", metavar="TEXT", help=say(Text("Why it was decided so.")))
        ] = "",
        until: Annotated[
            str | None,
            typer.Option(
                "--until",
                metavar="YYYY-MM-DD",
                help=say(Text("Last day on which the decision holds; then evidence judges again.")),
            ),
        ] = None,
        by: Annotated[
            str | None,
            typer.Option(
                "--by", metavar="WHO", help=say(Text("Who decides; by default the user of this computer."))
            ),
        ] = None,
        config: Annotated[
            Path | None,
            typer.Option(
                "--config",
                metavar="FILE",
                help=say(
                    Text("The portero.toml beside which the record is kept; by default the working folder's.")
                ),
            ),
        ] = None,
        json: Annotated[bool, typer.Option("--json", help=say(Text("Print the result as JSON.")))] = False,
    ) -> None:
        if not re.fullmatch(r"s-[0-9a-f]{12}", sender):
            raise ConfigError((Text("{sender} is not a sender's id; audits print them.", sender=sender),))
        decision, path = desk.use_cases.decide(
            sender,
            _judgement(judgement),
            owner=owner,
            note=note,
            until=chosen_day("--until", until),
            by=by,
            config=config,
        )
        if json:
            desk.print_json({"file": str(path), **decision.document()})
        else:
            desk.terminal().say(
                Text(
                    "{person} decided that {sender} is {judgement}. It stands in {file} and counts from the next run on.",
                    person=decision.decided_by,
                    sender=decision.sender,
                    judgement=decision.judgement,
                    file=str(path),
                )
            )


def _judgement(word: str) -> Judgement:
    try:
        return Judgement(word)
    except ValueError:
        raise ConfigError(
            (
                Text(
                    "{word} is not a judgement. It is one of {known}.",
                    word=word,
                    known=tuple(each.value for each in Judgement),
                ),
            )
        ) from None
