"""`portero questions`: the fewest questions to people that leave no sender undecided, and each as a letter."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from portero.core.questions import About, Question
from portero.core.sender import Reason, Sender, Validity
from portero.core.text import Text, count
from portero.faces.advice_json import question_document
from portero.faces.desk import Desk, free_folder
from portero.faces.options import Options, may_ask
from portero.faces.render import Renderer

# What a letter tells of one sender; all of it stands in audit.json.
_REASONS = 2
_LISTED = 5


def add_questions(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero questions`."""
    say = desk.renderer.text

    @face.command(cls=cls)
    def questions(
        evidence: Annotated[list[Path], options.evidence],
        out: Annotated[
            Path | None,
            typer.Option(
                "--out",
                metavar="DIR",
                help=say(Text("Folder in which each question is written as a letter to whom it concerns.")),
            ),
        ] = None,
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        place = free_folder(out) if out is not None else None
        held = desk.audit(evidence, config=config, asking=may_ask(resolve, resolver, record))
        if json:
            desk.print_json([question_document(each, desk.renderer) for each in held.questions])
        else:
            desk.terminal().questions(held.questions)
        if place is not None:
            desk.write_files(place, letters(held.questions, desk.renderer))


def letters(questions: Sequence[Question], renderer: Renderer) -> Mapping[str, bytes]:
    """Give one letter for each question, by file name; UTF-8 with the lines ``To:`` and ``Subject:`` first."""
    width = len(str(len(questions)))
    return {
        f"question-{number:0{width}}.txt": letter(each, renderer).encode()
        for number, each in enumerate(questions, 1)
    }


def letter(question: Question, renderer: Renderer) -> str:
    """Write a question as a mail or ticket: whom it asks, about what, what was seen, and how to answer."""
    changed = question.about is About.CHANGE
    lines: list[Text | str] = [
        Text("To: {address}", address=question.to.address or question.to.role),
        Text("Subject: Do you know this mail? {title}", title=question.title),
        "",
        Text("Hello,"),
        "",
        Text(
            "We are finding out who sends mail in our name. The sender below is known, but part of its mail is unlike it, and "
            "somebody else may use its address."
        )
        if changed
        else count(
            "We are finding out who sends mail in our name. Of the sender below we do not know whether it is wanted.",
            "We are finding out who sends mail in our name. Of the {n} senders below we do not know whether they are wanted.",
            len(question.senders),
        ),
        Text("Why we ask you: {why}", why=question.to.why),
        "",
    ]
    for number, sender in enumerate(question.senders, 1):
        lines += [Text("{number}) {sender}", number=number, sender=sender.label)]
        lines += [Text("   {line}", line=each) for each in _facts(sender)]
        lines += [
            Text("   {line}", line=each.text)
            for each in sender.because
            if changed and each.code == "unlike-itself"
        ]
        lines.append("")
    lines += [
        *(_ABOUT_CHANGE if changed else _ABOUT_SENDERS),
        "",
        Text("For the administrator:"),
        *(
            Text("{command}", command=f"portero decide {each.id} legitimate --owner NAME@DOMAIN")
            for each in question.senders
        ),
    ]
    return "\n".join(renderer.text(each) if isinstance(each, Text) else each for each in lines) + "\n"


def _facts(sender: Sender) -> list[Text]:
    facts = [
        *_before(sender),
        count("{n} message reached us.", "{n} messages reached us.", sender.mails),
        Text("Addresses: {networks}", networks=sender.client_networks[:_LISTED] or (_UNKNOWN,)),
        Text("Writes as: {names}", names=sender.header_from[:_LISTED] or (_UNKNOWN,)),
    ]
    if sender.first_seen is not None and sender.last_seen is not None:
        facts.append(
            Text("Seen on {day}.", day=first)
            if (first := sender.first_seen.date()) == (last := sender.last_seen.date())
            else Text("Seen from {first} to {last}.", first=first, last=last)
        )
    shapes = sorted(sender.facts.shapes.items(), key=lambda each: (-each[1], each[0]))
    if shapes:
        facts.append(
            Text("Subjects (digits as #): {subjects}", subjects=tuple(shape for shape, _ in shapes[:3]))
        )
    facts += [Text("Speaks for it: {reason}", reason=each.text) for each in _strongest(sender, -1)]
    facts += [Text("Speaks against it: {reason}", reason=each.text) for each in _strongest(sender, 1)]
    return facts


def _before(sender: Sender) -> list[Text]:
    """Say what was decided and why it is asked again."""
    held = sender.ruling
    if held is None or held.standing is Validity.IN_FORCE:
        return []
    said = Text(
        "{person} decided on {day}: {judgement}. It is to be decided again.",
        person=held.by,
        day=held.at.date(),
        judgement=held.judgement,
    )
    return [said, *held.changes]


def _strongest(sender: Sender, sign: int) -> list[Reason]:
    held = [each for each in sender.because if each.weight * sign > 0]
    return sorted(held, key=lambda each: -sign * each.weight)[:_REASONS]


_ABOUT_SENDERS: tuple[Text | str, ...] = (
    Text("Please answer for each of them:"),
    Text("- Is it yours, and what is it for?"),
    Text("- Does it still have to send, and to people outside too?"),
    Text("- Who answers for it from now on?"),
    "",
    Text(
        "A name alone proves nothing: forged mail uses it too. If you know the name and not the address, say no."
    ),
    Text("Until you answer, the plan does not refuse its mail, and nobody vouches for it either."),
)
_ABOUT_CHANGE: tuple[Text | str, ...] = (
    Text("Please answer:"),
    Text("- Did it send that mail, or somebody you know by its address?"),
    Text("- Who else can send from its address or its network, guests and taken-over computers among them?"),
    Text("- What does its own job list show at that time?"),
    "",
    Text("Until you answer, the plan does not refuse its mail, and no script lets its address in for good."),
)
_UNKNOWN = Text("not known")
