"""`portero decide`: a person's word about a sender, recorded with who, when and why."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

import getpass
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from portero.core.decision import Act, Decision
from portero.core.register import Criteria, Criticality
from portero.core.sender import Judgement
from portero.core.text import Text, count
from portero.errors import ConfigError
from portero.faces.desk import Desk
from portero.faces.options import Options, chosen_day


def add_decide(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero decide`."""
    say = desk.renderer.text

    @face.command(cls=cls)
    def decide(
        sender: Annotated[
            str | None,
            typer.Argument(
                metavar="SENDER", help=say(Text("The sender's id, such as s-1f2e3d4c5b6a; audits print it."))
            ),
        ] = None,
        judgement: Annotated[
            str | None,
            typer.Argument(
                metavar="[legitimate|abuse|undecided]",
                help=say(
                    Text("The decision; undecided leaves the question open, whatever the evidence says.")
                ),
            ),
        ] = None,
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
        purpose: Annotated[
            str | None,
            typer.Option("--purpose", metavar="TEXT", help=say(Text("What its mail is for."))),
        ] = None,
        criticality: Annotated[
            Criticality | None,
            typer.Option(
                "--criticality",
                metavar="low|medium|high|critical",
                help=say(Text("What its silence would cost; plans move the critical ones last.")),
            ),
        ] = None,
        name: Annotated[
            str | None,
            typer.Option("--name", metavar="NAME", help=say(Text("What the sender is called from now on."))),
        ] = None,
        merge: Annotated[
            list[str] | None,
            typer.Option(
                "--merge",
                metavar="SENDER",
                help=say(
                    Text(
                        "Another sender that is the same one; give it again for several. What evidence calls abuse stays "
                        "apart until somebody decides about it."
                    )
                ),
            ),
        ] = None,
        split: Annotated[
            list[str] | None,
            typer.Option(
                "--split",
                metavar="KIND=VALUE",
                help=say(
                    Text(
                        "Set apart the mail that shows this, as a sender of its own. KIND is cidr, ehlo, header_from or "
                        "mail_from; of several, mail must show one of each kind."
                    )
                ),
            ),
        ] = None,
        take_back: Annotated[
            list[TakeBack] | None,
            typer.Option(
                "--take-back",
                metavar="judgement|name|merge|split",
                help=say(Text("Undo what was decided of this kind; the record keeps both.")),
            ),
        ] = None,
        evidence: Annotated[
            list[Path] | None,
            typer.Option(
                "--with",
                metavar="EVIDENCE",
                help=say(
                    Text(
                        "Evidence to try the decision on first: whether the senders are there, and what becomes of them."
                    )
                ),
            ),
        ] = None,
        table: Annotated[
            Path | None,
            typer.Option(
                "--import",
                metavar="FILE.csv",
                help=say(
                    Text(
                        "A table of senders instead of one, such as a CMDB exports it, matched to the evidence of --with; all "
                        "of it is recorded, or nothing."
                    )
                ),
            ),
        ] = None,
        otherwise: Annotated[
            str | None,
            typer.Option(
                "--as",
                metavar="legitimate|abuse|undecided",
                help=say(
                    Text("With --import: the decision of lines that say none; without it they only describe.")
                ),
            ),
        ] = None,
        skip_unmatched: Annotated[
            bool,
            typer.Option(
                "--skip-unmatched",
                help=say(
                    Text(
                        "With --import: leave out the lines that match no sender, instead of refusing the table."
                    )
                ),
            ),
        ] = False,
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
        json: Annotated[bool, options.json] = False,
    ) -> None:
        base = Decision("", None, by or getpass.getuser(), datetime.now(UTC), note=note)
        ends = chosen_day("--until", until)
        described = replace(base, owner=owner, purpose=purpose, criticality=criticality, name=name)
        if table is not None:
            if (
                sender
                or judgement
                or ends
                or evidence is None
                or described != base
                or merge
                or split
                or take_back
            ):
                raise ConfigError(
                    (
                        Text(
                            "--import takes what it records from the table: give it --with EVIDENCE, and of the others only "
                            "--as, --skip-unmatched, --note, --by, --config and --json."
                        ),
                    )
                )
            path, lines, skipped = desk.use_cases.enrol(
                table,
                base,
                otherwise=_judgement(otherwise),
                skip_unmatched=skip_unmatched,
                config=config,
                evidence=evidence,
                progress=desk.progress,
            )
            _tell_import(desk, path, lines, skipped, json=json)
            return
        if sender is None or otherwise or skip_unmatched:
            raise ConfigError(
                (
                    Text(
                        "Give the id of a sender, or a table with --import; --as and --skip-unmatched go with it."
                    ),
                )
            )
        described = replace(described, sender=_sender(sender))
        lines = _acts(described, _judgement(judgement), ends, merge or (), split or (), take_back or ())
        path, remarks, lines = desk.use_cases.decide(
            lines, config=config, evidence=evidence or (), progress=desk.progress
        )
        if json:
            documents = [each.document() for each in lines]
            said = [desk.renderer.text(each) for each in remarks]
            desk.print_json({"file": str(path), **documents[-1], "recorded": documents, "remarks": said})
            return
        terminal = desk.terminal()
        for each in lines:
            terminal.say(_said(each, path))
        for remark in remarks:
            terminal.say(remark)


class TakeBack(StrEnum):
    """What can be taken back."""

    JUDGEMENT = "judgement"
    NAME = "name"
    MERGE = "merge"
    SPLIT = "split"


_ACTS = {
    TakeBack.JUDGEMENT: Act.JUDGE,
    TakeBack.NAME: Act.DESCRIBE,
    TakeBack.MERGE: Act.MERGE,
    TakeBack.SPLIT: Act.SPLIT,
}


def _acts(
    described: Decision,
    judgement: Judgement | None,
    ends: date | None,
    merge: Sequence[str],
    split: Sequence[str],
    take_back: Sequence[TakeBack],
) -> tuple[Decision, ...]:
    """Give the lines of the record that a call amounts to, the judgement last; raises ConfigError where there is none."""
    base = replace(described, owner=None, purpose=None, criticality=None, name=None)
    lines = [replace(base, act=Act.TAKE_BACK, of=_ACTS[each]) for each in take_back]
    if merge:
        others = tuple(_sender(each) for each in merge)
        if base.sender in others:
            raise ConfigError((Text("{sender} cannot be joined with itself.", sender=base.sender),))
        lines.append(replace(base, act=Act.MERGE, merge=others))
    if split:
        lines.append(replace(base, act=Act.SPLIT, split=_criteria(split)))
    if described != base and (judgement is None or described.name):
        lines.append(replace(described, act=Act.DESCRIBE))
    if judgement is not None:
        lines.append(replace(described, judgement=judgement, expires_on=ends, name=None))
    elif ends is not None:
        raise ConfigError((Text("--until is the end of a judgement. Say which: legitimate or abuse."),))
    if not lines:
        raise ConfigError(
            (
                Text(
                    "Nothing was decided. Give a judgement, or one of --owner, --purpose, --criticality, --name, --merge, "
                    "--split and --take-back."
                ),
            )
        )
    return tuple(lines)


def _tell_import(desk: Desk, path: Path, lines: Sequence[Decision], skipped: int, *, json: bool) -> None:
    if json:
        desk.print_json(
            {"file": str(path), "recorded": [each.document() for each in lines], "skipped": skipped}
        )
        return
    terminal = desk.terminal()
    terminal.say(
        count(
            "{n} line of the table stands in {file} and counts from the next run on.",
            "{n} lines of the table stand in {file} and count from the next run on.",
            len(lines),
            file=str(path),
        )
    )
    if skipped:
        terminal.say(
            count(
                "{n} line matched no sender and was left out.",
                "{n} lines matched no sender and were left out.",
                skipped,
            )
        )


def _criteria(words: Sequence[str]) -> Criteria:
    held: dict[str, list[str]] = {}
    for word in words:
        kind, _, value = word.partition("=")
        held.setdefault(kind.strip(), []).append(value.strip())
    try:
        return Criteria.read(held)
    except ValueError:
        raise ConfigError(
            (
                Text(
                    "{words} does not say what to set apart. Write for example cidr=203.0.113.9, ehlo=PRINTER2, "
                    "header_from=scanner@contoso.com or mail_from=@contoso.com.",
                    words=tuple(words),
                ),
            )
        ) from None


def _said(line: Decision, path: Path) -> Text:
    if line.act is Act.JUDGE:
        return Text(
            "{person} decided that {sender} is {judgement}. It stands in {file} and counts from the next run on.",
            person=line.decided_by,
            sender=line.sender,
            judgement=line.judgement or Judgement.UNDECIDED,
            file=str(path),
        )
    return Text(
        "{person} about {sender}: {what}. It stands in {file} and counts from the next run on.",
        person=line.decided_by,
        sender=line.sender,
        what=line.sentence(),
        file=str(path),
    )


def _sender(text: str) -> str:
    if not re.fullmatch(r"s-[0-9a-f]{12}", text):
        raise ConfigError((Text("{sender} is not a sender's id; audits print them.", sender=text),))
    return text


def _judgement(word: str | None) -> Judgement | None:
    try:
        return None if word is None else Judgement(word)
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
